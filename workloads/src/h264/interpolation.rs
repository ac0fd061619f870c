//! Samples between samples (ITU-T H.264 8.4.2.2): half-sample planes of luma (8.4.2.2.1), computed
//! once a frame, and the bilinear interpolation of chroma (8.4.2.2.2).
//!
//! Quarter samples are averages of two whole or half samples: see `reference`.

use super::Chroma;
use crate::video::Plane;

/// Half samples are computed this far outside the picture; further out all taps lie in the
/// extended border, so that extending the half-sample planes gives the same.
const MARGIN: usize = 8;

/// Planes of the half samples to the right (b), below (h) and diagonally (j) of each whole one.
pub(super) struct HalfPlanes<'a> {
    pub(super) right: &'a mut Plane,
    pub(super) below: &'a mut Plane,
    pub(super) diagonal: &'a mut Plane,
}

/// Fills the half-sample planes, borders too, from a plane whose border is extended.
pub(super) fn fill_half_planes(whole: &Plane, half: HalfPlanes<'_>, sums: &mut Vec<i16>) {
    let HalfPlanes { right, below, diagonal } = half;
    let length = whole.width() + 2 * MARGIN;
    sums.resize(length + 5, 0);
    let left = -(MARGIN as i32);
    for y in left..whole.height() as i32 + MARGIN as i32 {
        let at = whole.index(left, y);
        fill_right(&whole.samples()[at - 2..], &mut right.samples_mut()[at..at + length]);
        let rows = [-2, -1, 0, 1, 2, 3].map(|dy| &whole.samples()[whole.index(left - 2, y + dy)..]);
        fill_sums(rows, sums);
        round_sums(&sums[2..], &mut below.samples_mut()[at..at + length]);
        fill_diagonal(sums, &mut diagonal.samples_mut()[at..at + length]);
    }
    for plane in [right, below, diagonal] {
        plane.extend_border_from(MARGIN);
    }
}

/// The six-tap filter of equations 8-241 and 8-242.
#[inline(always)]
const fn taps(a: i16, b: i16, c: i16, d: i16, e: i16, f: i16) -> i16 {
    // −2550 to 10710: fits 16 bits.
    (a + f) - 5 * (b + e) + 20 * (c + d)
}

#[inline(always)]
fn rounded(sum: i16) -> u8 {
    ((sum + 16) >> 5).clamp(0, 255) as u8
}

fn fill_right(from: &[u8], to: &mut [u8]) {
    let n = to.len();
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|i| &from[i..i + n]);
    for i in 0..n {
        let [a, b, c, d, e, f] = [a[i], b[i], c[i], d[i], e[i], f[i]].map(i16::from);
        to[i] = rounded(taps(a, b, c, d, e, f));
    }
}

fn fill_sums(rows: [&[u8]; 6], sums: &mut [i16]) {
    let n = sums.len();
    let [a, b, c, d, e, f] = rows.map(|row| &row[..n]);
    for i in 0..n {
        let [a, b, c, d, e, f] = [a[i], b[i], c[i], d[i], e[i], f[i]].map(i16::from);
        sums[i] = taps(a, b, c, d, e, f);
    }
}

fn round_sums(sums: &[i16], to: &mut [u8]) {
    for (to, &sum) in to.iter_mut().zip(sums) {
        *to = rounded(sum);
    }
}

/// j from the unrounded vertical sums: twice the filter, so 32 bits and ten bits of shift.
fn fill_diagonal(sums: &[i16], to: &mut [u8]) {
    let n = to.len();
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|i| &sums[i..i + n]);
    for i in 0..n {
        let [a, b, c, d, e, f] = [a[i], b[i], c[i], d[i], e[i], f[i]].map(i32::from);
        to[i] = (((a + f) - 5 * (b + e) + 20 * (c + d) + 512) >> 10).clamp(0, 255) as u8;
    }
}

/// The average of two blocks at the front of their windows, rounded up.
pub(super) fn average<const N: usize>(a: &[u8], b: &[u8], stride: usize) -> [[u8; N]; N] {
    let mut block = [[0; N]; N];
    for ((to, a), b) in block.iter_mut().zip(a.chunks(stride)).zip(b.chunks(stride)) {
        if let (Some(a), Some(b)) = (a.first_chunk::<N>(), b.first_chunk::<N>()) {
            for i in 0..N {
                to[i] = ((u16::from(a[i]) + u16::from(b[i]) + 1) >> 1) as u8;
            }
        }
    }
    block
}

/// An 8x8 chroma block `fx`, `fy` eighths of a sample right of and below the front of `window`.
pub(super) fn chroma_block(window: &[u8], stride: usize, fx: u16, fy: u16) -> Chroma {
    let mut block = [[0; 8]; 8];
    let weights = [(8 - fx) * (8 - fy), fx * (8 - fy), (8 - fx) * fy, fx * fy];
    let mut rows = window.chunks(stride).map(|row| row.first_chunk::<9>());
    let Some(Some(mut upper)) = rows.next() else { return block };
    for to in &mut block {
        let Some(Some(lower)) = rows.next() else { return block };
        for i in 0..8 {
            let corners = [upper[i], upper[i + 1], lower[i], lower[i + 1]].map(u16::from);
            let sum = corners[0] * weights[0]
                + corners[1] * weights[1]
                + corners[2] * weights[2]
                + corners[3] * weights[3];
            to[i] = ((sum + 32) >> 6) as u8;
        }
        upper = lower;
    }
    block
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn noisy_plane(width: usize, height: usize) -> Plane {
        let mut random = Pcg64Mcg::seed_from_u64(5);
        let mut plane = Plane::new(width, height, 32);
        for y in 0..height {
            random.fill(plane.row_mut(y));
        }
        plane.extend_border();
        plane
    }

    #[test]
    fn half_planes_are_those_of_the_definition_everywhere_in_reach() {
        let whole = noisy_plane(24, 16);
        let mut planes = [(); 3].map(|()| Plane::new(24, 16, 32));
        let [right, below, diagonal] = &mut planes;
        fill_half_planes(&whole, HalfPlanes { right, below, diagonal }, &mut Vec::new());

        let sample = |x: i32, y: i32| i32::from(whole.samples()[whole.index(x.clamp(0, 23), y.clamp(0, 15))]);
        let six = |s: [i32; 6]| s[0] - 5 * s[1] + 20 * s[2] + 20 * s[3] - 5 * s[4] + s[5];
        let across = |x: i32, y: i32| six([-2, -1, 0, 1, 2, 3].map(|d| sample(x + d, y)));
        let down = |x: i32, y: i32| six([-2, -1, 0, 1, 2, 3].map(|d| sample(x, y + d)));
        let clip = |v: i32| v.clamp(0, 255) as u8;
        for y in -29..16 + 28 {
            for x in -29..24 + 28 {
                let at = whole.index(x, y);
                let both = six([-2, -1, 0, 1, 2, 3].map(|d| across(x, y + d)));
                assert_eq!(planes[0].samples()[at], clip((across(x, y) + 16) >> 5), "b at ({x}, {y})");
                assert_eq!(planes[1].samples()[at], clip((down(x, y) + 16) >> 5), "h at ({x}, {y})");
                assert_eq!(planes[2].samples()[at], clip((both + 512) >> 10), "j at ({x}, {y})");
            }
        }
    }

    #[test]
    fn chroma_is_bilinear() {
        let plane = noisy_plane(16, 16);
        for (fx, fy) in [(0, 0), (3, 0), (0, 5), (7, 7), (4, 4)] {
            let block = chroma_block(plane.window(2, 3), plane.stride(), fx, fy);
            for y in 0..8 {
                for x in 0..8 {
                    let at =
                        |dx: i32, dy: i32| u32::from(plane.samples()[plane.index(2 + x + dx, 3 + y + dy)]);
                    let (fx, fy) = (u32::from(fx), u32::from(fy));
                    let sum = (8 - fx) * (8 - fy) * at(0, 0)
                        + fx * (8 - fy) * at(1, 0)
                        + (8 - fx) * fy * at(0, 1)
                        + fx * fy * at(1, 1);
                    assert_eq!(u32::from(block[y as usize][x as usize]), (sum + 32) >> 6);
                }
            }
        }
    }

    #[test]
    fn averages_round_up() {
        assert_eq!(average::<1>(&[1], &[2], 1), [[2]]);
        assert_eq!(average::<1>(&[255], &[255], 1), [[255]]);
    }
}
