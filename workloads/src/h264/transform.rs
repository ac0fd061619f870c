//! The 4x4 integer transform and the transforms of DC levels (ITU-T H.264 8.5.10 to 8.5.12), with
//! the forward transforms that belong to them.
//!
//! All blocks of a macroblock are transformed together: coefficient by coefficient, one lane a
//! block, so that each step is the same operation on a whole row of lanes.

use super::{Chroma, Luma};

/// `N` blocks of 4x4: `[position in the block, row by row][block, row by row]`.
pub(super) type Blocks<T, const N: usize> = [[T; N]; 16];

/// The residual of a macroblock's luma.
pub(super) fn luma_residual(source: &Luma, prediction: &Luma) -> Blocks<i16, 16> {
    let mut blocks = [[0; 16]; 16];
    for (y, (source, prediction)) in source.iter().zip(prediction).enumerate() {
        let mut row = [0i16; 16];
        for (to, (&s, &p)) in row.iter_mut().zip(source.iter().zip(prediction)) {
            *to = i16::from(s) - i16::from(p);
        }
        for x in 0..4 {
            for column in 0..4 {
                blocks[(y % 4) * 4 + x][(y / 4) * 4 + column] = row[column * 4 + x];
            }
        }
    }
    blocks
}

/// The residual of both chroma components: blocks 0 to 3 are Cb, 4 to 7 Cr.
pub(super) fn chroma_residual(source: &[Chroma; 2], prediction: &[Chroma; 2]) -> Blocks<i16, 8> {
    let mut blocks = [[0; 8]; 16];
    for component in 0..2 {
        for (y, (source, prediction)) in source[component].iter().zip(&prediction[component]).enumerate() {
            for x in 0..4 {
                for column in 0..2 {
                    let at = column * 4 + x;
                    blocks[(y % 4) * 4 + x][component * 4 + (y / 4) * 2 + column] =
                        i16::from(source[at]) - i16::from(prediction[at]);
                }
            }
        }
    }
    blocks
}

/// Prediction plus residual, clipped: luma (8.5.14).
pub(super) fn add_luma(prediction: &Luma, residual: &Blocks<i32, 16>) -> Luma {
    let mut sum = *prediction;
    for (y, row) in sum.iter_mut().enumerate() {
        for (x, sample) in row.iter_mut().enumerate() {
            let value = residual[(y % 4) * 4 + x % 4][(y / 4) * 4 + x / 4];
            *sample = (i32::from(*sample) + value).clamp(0, 255) as u8;
        }
    }
    sum
}

/// Prediction plus residual, clipped: both chroma components.
pub(super) fn add_chroma(prediction: &[Chroma; 2], residual: &Blocks<i32, 8>) -> [Chroma; 2] {
    let mut sum = *prediction;
    for (component, plane) in sum.iter_mut().enumerate() {
        for (y, row) in plane.iter_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                let value = residual[(y % 4) * 4 + x % 4][component * 4 + (y / 4) * 2 + x / 4];
                *sample = (i32::from(*sample) + value).clamp(0, 255) as u8;
            }
        }
    }
    sum
}

/// The forward transform: rows, then columns.
pub(super) fn forward<const N: usize>(blocks: &mut Blocks<i16, N>) {
    for row in 0..4 {
        forward_line(blocks, row * 4, 1);
    }
    for column in 0..4 {
        forward_line(blocks, column, 4);
    }
}

#[inline(always)]
fn forward_line<const N: usize>(blocks: &mut Blocks<i16, N>, at: usize, step: usize) {
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| blocks[at + i * step]);
    let mut out = [[0; N]; 4];
    for lane in 0..N {
        let (outer_sum, outer) = (a[lane] + d[lane], a[lane] - d[lane]);
        let (inner_sum, inner) = (b[lane] + c[lane], b[lane] - c[lane]);
        out[0][lane] = outer_sum + inner_sum;
        out[1][lane] = 2 * outer + inner;
        out[2][lane] = outer_sum - inner_sum;
        out[3][lane] = outer - 2 * inner;
    }
    for (i, line) in out.into_iter().enumerate() {
        blocks[at + i * step] = line;
    }
}

/// The inverse transform with its rounding (8.5.12.2).
pub(super) fn inverse<const N: usize>(blocks: &mut Blocks<i32, N>) {
    for row in 0..4 {
        inverse_line(blocks, row * 4, 1);
    }
    for column in 0..4 {
        inverse_line(blocks, column, 4);
    }
    for lanes in blocks {
        for value in lanes {
            *value = (*value + 32) >> 6;
        }
    }
}

#[inline(always)]
fn inverse_line<const N: usize>(blocks: &mut Blocks<i32, N>, at: usize, step: usize) {
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| blocks[at + i * step]);
    let mut out = [[0; N]; 4];
    for lane in 0..N {
        let (even_sum, even) = (a[lane] + c[lane], a[lane] - c[lane]);
        let odd = (b[lane] >> 1) - d[lane];
        let odd_sum = b[lane] + (d[lane] >> 1);
        out[0][lane] = even_sum + odd_sum;
        out[1][lane] = even + odd;
        out[2][lane] = even - odd;
        out[3][lane] = even_sum - odd_sum;
    }
    for (i, line) in out.into_iter().enumerate() {
        blocks[at + i * step] = line;
    }
}

/// The 4x4 Hadamard transform of luma DC (8.5.10); its own inverse but for a factor of 16.
pub(super) fn hadamard_4x4(values: &[i32; 16]) -> [i32; 16] {
    let mut out = *values;
    for (starts, step) in [([0, 4, 8, 12], 1), ([0, 1, 2, 3], 4)] {
        for at in starts {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| out[at + i * step]);
            out[at] = a + b + c + d;
            out[at + step] = a + b - c - d;
            out[at + 2 * step] = a - b - c + d;
            out[at + 3 * step] = a - b + c - d;
        }
    }
    out
}

/// The 2x2 Hadamard transform of chroma DC (8.5.11.1); its own inverse but for a factor of 4.
pub(super) const fn hadamard_2x2([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flat_block_has_only_dc() {
        let mut blocks: Blocks<i16, 1> = [[7]; 16];
        forward(&mut blocks);
        assert_eq!(blocks[0], [7 * 16]);
        assert!(blocks[1..].iter().all(|lane| lane == &[0]));
    }

    #[test]
    fn the_basis_functions_are_those_of_the_standard() {
        // One coefficient at (0, 1), dequantised: the first column function 1, ½, −½, −1.
        let mut blocks: Blocks<i32, 1> = [[0]; 16];
        blocks[1] = [64];
        inverse(&mut blocks);
        assert_eq!(blocks.map(|[v]| v)[..4], [1, 1, 0, -1]);
        let mut ramp: Blocks<i16, 1> = std::array::from_fn(|i| [(i % 4) as i16]);
        forward(&mut ramp);
        assert_eq!(ramp.map(|[v]| v)[..4], [24, -28, 0, -4]);
    }

    #[test]
    fn hadamard_transforms_undo_themselves() {
        let values: [i32; 16] = std::array::from_fn(|i| (i as i32 * 37) % 101 - 50);
        assert_eq!(hadamard_4x4(&hadamard_4x4(&values)), values.map(|v| v * 16));
        let four = [3, -7, 11, 250];
        assert_eq!(hadamard_2x2(hadamard_2x2(four)), four.map(|v| v * 4));
    }

    proptest! {
        /// The inverse expects coefficients scaled by position (4, 16/5, 64/25 of the norm, ×64/16):
        /// with exact scaling the residual comes back but for rounding.
        #[test]
        fn the_inverse_undoes_the_transform(values in prop::array::uniform16(-255i16..=255)) {
            let mut blocks: Blocks<i16, 1> = values.map(|v| [v]);
            forward(&mut blocks);
            let norms: [f64; 4] = [4.0, 10.0, 4.0, 10.0];
            let mut scaled: Blocks<i32, 1> = std::array::from_fn(|i| {
                let scale = 64.0 / (norms[i / 4] * norms[i % 4]);
                [(f64::from(blocks[i][0]) * scale * half_gain(i / 4) * half_gain(i % 4)).round() as i32]
            });
            inverse(&mut scaled);
            for (got, want) in scaled.iter().zip(values) {
                prop_assert!((got[0] - i32::from(want)).abs() <= 1, "{} {}", got[0], want);
            }
        }
    }

    /// Odd basis functions of the inverse are half of the forward one's (1, ½ against 2, 1).
    fn half_gain(index: usize) -> f64 {
        if index % 2 == 1 { 2.0 } else { 1.0 }
    }
}
