//! Textures for the synthetic scene: tiles that repeat without a seam, drawn at fractions of a
//! sample. Integer arithmetic and a seeded generator only, so that a seed gives the same picture
//! on every machine.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Positions are counted in sixteenths of a sample.
pub(crate) const FRACTION_BITS: u32 = 4;
const FRACTION: i32 = 1 << FRACTION_BITS;

/// A square of `1 << bits` samples a side; its right edge continues at its left one, its lower
/// edge at its upper one.
#[derive(Clone, Debug)]
pub(crate) struct Texture {
    bits: u32,
    samples: Vec<u8>,
}

impl Texture {
    /// A texture as the sum of smooth noises. `octaves` are (cell size as a power of two,
    /// amplitude); an octave with cells below 8 samples is fine detail, which a second, coarse
    /// noise fades in and out, so that the picture has calm and busy areas as a camera's has.
    pub(crate) fn new(seed: u64, bits: u32, octaves: &[(u32, i32)]) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let side = 1usize << bits;
        let detail = smooth_noise(&mut random, bits, bits.saturating_sub(3));
        let mut sum = vec![0i32; side * side];
        for &(cell_bits, amplitude) in octaves {
            let noise = smooth_noise(&mut random, bits, cell_bits);
            for ((to, &value), &fade) in sum.iter_mut().zip(&noise).zip(&detail) {
                // Smooth noise seldom reaches its ends: stretch the middle over 0..=256.
                let fade = if cell_bits < 3 { ((i32::from(fade) - 88) * 4).clamp(0, 256) } else { 256 };
                *to += ((i32::from(value) - 128) * amplitude * fade) >> 15;
            }
        }
        Self { bits, samples: sum.iter().map(|&value| (value + 128).clamp(16, 235) as u8).collect() }
    }

    /// Draws a row whose first sample lies at (x, y) of the texture, in sixteenths of a sample,
    /// by bilinear interpolation.
    pub(crate) fn draw_row(&self, x: i32, y: i32, row: &mut [u8], scratch: &mut RowScratch) {
        let width = row.len();
        scratch.fit(width + 1);
        let (fx, fy) = ((x & (FRACTION - 1)) as u16, (y & (FRACTION - 1)) as u16);
        self.copy_row(x >> FRACTION_BITS, y >> FRACTION_BITS, &mut scratch.upper);
        self.copy_row(x >> FRACTION_BITS, (y >> FRACTION_BITS) + 1, &mut scratch.lower);
        let one = FRACTION as u16;
        let (upper, lower) = (&scratch.upper[..width + 1], &scratch.lower[..width + 1]);
        let pairs = upper.iter().zip(&upper[1..]).zip(lower.iter().zip(&lower[1..]));
        for (to, ((&a, &b), (&c, &d))) in row.iter_mut().zip(pairs) {
            let top = u16::from(a) * (one - fx) + u16::from(b) * fx;
            let bottom = u16::from(c) * (one - fx) + u16::from(d) * fx;
            // At most 255 · 16 · 16 + 128, which fits 16 bits.
            *to = ((top * (one - fy) + bottom * fy + 128) >> (2 * FRACTION_BITS)) as u8;
        }
    }

    /// Copies samples of one row from column `x` on, around the seam as often as needed.
    fn copy_row(&self, x: i32, y: i32, to: &mut [u8]) {
        let side = 1usize << self.bits;
        let mask = side as i32 - 1;
        let row = &self.samples[(y & mask) as usize * side..][..side];
        let mut column = (x & mask) as usize;
        let mut rest = to;
        while !rest.is_empty() {
            let run = rest.len().min(side - column);
            let (now, later) = rest.split_at_mut(run);
            now.copy_from_slice(&row[column..column + run]);
            rest = later;
            column = 0;
        }
    }
}

/// The two texture rows that [`Texture::draw_row`] reads, kept between calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowScratch {
    upper: Vec<u8>,
    lower: Vec<u8>,
}

impl RowScratch {
    fn fit(&mut self, length: usize) {
        self.upper.resize(length, 0);
        self.lower.resize(length, 0);
    }
}

/// Random values on a grid of cells, smoothly joined: one byte a sample.
fn smooth_noise(random: &mut Pcg64Mcg, bits: u32, cell_bits: u32) -> Vec<u8> {
    let side = 1usize << bits;
    let cells = side >> cell_bits;
    let grid: Vec<u8> = (0..cells * cells).map(|_| random.random()).collect();
    let cell = 1usize << cell_bits;
    // 3t² − 2t³ in 1/256: no kink at the cell's edge, where a plain slope would draw a lattice.
    let weights: Vec<i32> = (0..cell)
        .map(|i| {
            let t = (i * 256 / cell) as i32;
            (t * t * (768 - 2 * t)) >> 16
        })
        .collect();
    let mut noise = Vec::with_capacity(side * side);
    for y in 0..side {
        let (upper, wy) = (y >> cell_bits, weights[y & (cell - 1)]);
        let lower = (upper + 1) % cells;
        for left in 0..cells {
            let right = (left + 1) % cells;
            let at = |row: usize, column: usize| i32::from(grid[row * cells + column]);
            let from = at(upper, left) * (256 - wy) + at(lower, left) * wy;
            let to = at(upper, right) * (256 - wy) + at(lower, right) * wy;
            noise.extend(weights.iter().map(|&wx| ((from * (256 - wx) + to * wx) >> 16) as u8));
        }
    }
    noise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_continues_over_its_seam() {
        let texture = Texture::new(1, 5, &[(3, 200)]);
        let (mut near, mut far) = ([0; 20], [0; 20]);
        texture.draw_row(30 * 16 + 5, 31 * 16 + 9, &mut near, &mut RowScratch::default());
        texture.draw_row((30 - 64) * 16 + 5, (31 + 32) * 16 + 9, &mut far, &mut RowScratch::default());
        assert_eq!(near, far);
    }

    #[test]
    fn a_whole_shift_moves_samples_without_changing_them() {
        let texture = Texture::new(1, 6, &[(1, 120), (4, 100)]);
        let (mut here, mut there) = ([0; 16], [0; 16]);
        texture.draw_row(0, 0, &mut here, &mut RowScratch::default());
        texture.draw_row(4 * 16, 0, &mut there, &mut RowScratch::default());
        assert_eq!(here[4..], there[..12]);
    }
}
