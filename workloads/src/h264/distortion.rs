//! How far two blocks are apart: sums of absolute, transformed or squared differences.

use super::{Chroma, Luma};

/// The sum of absolute differences between a block and the 16x16 samples at the front of `window`.
/// A window that ends early counts as endlessly far.
pub(super) fn sad(block: &Luma, window: &[u8], stride: usize) -> u32 {
    let mut sum = 0;
    let mut rows = window.chunks(stride);
    for row in block {
        let Some(other) = rows.next().and_then(|row| row.first_chunk::<16>()) else { return u32::MAX >> 1 };
        sum += row_sad(row, other);
    }
    sum
}

/// Written so that the compiler sees bytes widened, subtracted, made positive and summed, which is
/// one instruction on most machines.
#[inline(always)]
fn row_sad<const N: usize>(a: &[u8; N], b: &[u8; N]) -> u32 {
    let mut sum = 0;
    for i in 0..N {
        sum += (i32::from(a[i]) - i32::from(b[i])).unsigned_abs();
    }
    sum
}

/// The sum of absolute differences between two 8x8 blocks at the front of their windows.
pub(super) fn sad_8x8(a: &[u8], a_stride: usize, b: &[u8], b_stride: usize) -> u32 {
    a.chunks(a_stride)
        .zip(b.chunks(b_stride))
        .take(8)
        .map(|(a, b)| match (a.first_chunk::<8>(), b.first_chunk::<8>()) {
            (Some(a), Some(b)) => row_sad(a, b),
            _ => 0,
        })
        .sum()
}

/// The sum of absolute Hadamard-transformed differences over the sixteen 4x4 blocks of two luma
/// blocks, halved as is customary so that it compares to [`sad`].
pub(super) fn satd(a: &Luma, b: &Luma) -> u32 {
    let mut sums = [0; 16];
    for (a, b) in a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0) {
        let mut rows = [[0i16; 16]; 4];
        for y in 0..4 {
            for x in 0..16 {
                rows[y][x] = i16::from(a[y][x]) - i16::from(b[y][x]);
            }
        }
        add_strip(rows, &mut sums);
    }
    sums.into_iter().map(u32::from).sum()
}

/// The sum of absolute Hadamard-transformed differences of a chroma block, scaled like [`satd`].
pub(super) fn satd_chroma(a: &Chroma, b: &Chroma) -> u32 {
    let mut sums = [0; 16];
    for (a, b) in a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0) {
        let mut rows = [[0i16; 16]; 4];
        for y in 0..4 {
            for x in 0..8 {
                rows[y][x] = i16::from(a[y][x]) - i16::from(b[y][x]);
            }
        }
        add_strip(rows, &mut sums);
    }
    sums.into_iter().map(u32::from).sum()
}

/// Adds half the absolute coefficients of four blocks side by side to `sums`.
///
/// Columns first, where a lane is a column; then a row's four samples are brought into four
/// registers, so that a lane is a row of a block, and all 16 transform at once. Three loops, since
/// in one of them the compiler would do all of it lane by lane.
#[inline(always)]
fn add_strip([a, b, c, d]: [[i16; 16]; 4], sums: &mut [u16; 16]) {
    let mut columns = [[0i16; 16]; 4];
    for lane in 0..16 {
        let (ab, a_b) = (a[lane] + b[lane], a[lane] - b[lane]);
        let (cd, c_d) = (c[lane] + d[lane], c[lane] - d[lane]);
        columns[0][lane] = ab + cd;
        columns[1][lane] = ab - cd;
        columns[2][lane] = a_b + c_d;
        columns[3][lane] = a_b - c_d;
    }
    let mut turned = [[0i16; 16]; 4];
    for row in 0..4 {
        for block in 0..4 {
            for x in 0..4 {
                turned[x][row * 4 + block] = columns[row][block * 4 + x];
            }
        }
    }
    let [a, b, c, d] = turned;
    for lane in 0..16 {
        let (ab, a_b) = (a[lane] + b[lane], a[lane] - b[lane]);
        let (cd, c_d) = (c[lane] + d[lane], c[lane] - d[lane]);
        // |x + y| + |x − y| is twice the larger: saves the last butterfly, and the half is free.
        // At most 2 · 255 · 16 a strip, so four strips fit.
        sums[lane] += (ab.abs().max(cd.abs()) + a_b.abs().max(c_d.abs())) as u16;
    }
}

/// The sum of squared differences.
pub(super) fn ssd<const W: usize, const H: usize>(a: &[[u8; W]; H], b: &[[u8; W]; H]) -> u32 {
    let mut sum = 0;
    for (a, b) in a.iter().zip(b) {
        for i in 0..W {
            let difference = i32::from(a[i]) - i32::from(b[i]);
            sum += (difference * difference) as u32;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive_satd(difference: impl Fn(usize, usize) -> i32, width: usize, height: usize) -> u32 {
        let mut sum = 0;
        for y0 in (0..height).step_by(4) {
            for x0 in (0..width).step_by(4) {
                for v in 0..4usize {
                    for u in 0..4usize {
                        // The signs of the Hadamard matrix are the parity of common bits.
                        let mut value = 0;
                        for y in 0..4 {
                            for x in 0..4 {
                                let odd = ((u & x).count_ones() + (v & y).count_ones()) % 2 == 1;
                                let d = difference(x0 + x, y0 + y);
                                value += if odd { -d } else { d };
                            }
                        }
                        sum += value.unsigned_abs();
                    }
                }
            }
        }
        sum / 2
    }

    fn luma() -> impl Strategy<Value = Luma> {
        prop::array::uniform16(prop::array::uniform16(any::<u8>()))
    }

    fn chroma() -> impl Strategy<Value = Chroma> {
        prop::array::uniform8(prop::array::uniform8(any::<u8>()))
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_definition(a in luma(), b in luma()) {
            let difference = |x: usize, y: usize| i32::from(a[y][x]) - i32::from(b[y][x]);
            let all = || (0..16).flat_map(|y| (0..16).map(move |x| (x, y)));
            let absolute: u32 = all().map(|(x, y)| difference(x, y).unsigned_abs()).sum();
            let squared: i32 = all().map(|(x, y)| difference(x, y).pow(2)).sum();
            prop_assert_eq!(sad(&a, b.as_flattened(), 16), absolute);
            prop_assert_eq!(ssd(&a, &b) as i32, squared);
            prop_assert_eq!(satd(&a, &b), naive_satd(difference, 16, 16));
        }

        #[test]
        fn chroma_sums_are_those_of_the_definition(a in chroma(), b in chroma()) {
            let difference = |x: usize, y: usize| i32::from(a[y][x]) - i32::from(b[y][x]);
            let absolute: u32 = (0..64).map(|i| difference(i % 8, i / 8).unsigned_abs()).sum();
            prop_assert_eq!(sad_8x8(a.as_flattened(), 8, b.as_flattened(), 8), absolute);
            prop_assert_eq!(satd_chroma(&a, &b), naive_satd(difference, 8, 8));
        }
    }

    #[test]
    fn a_window_that_ends_early_is_far_away() {
        assert!(sad(&[[0; 16]; 16], &[0; 100], 16) > 1 << 30);
    }
}
