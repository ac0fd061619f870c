//! Quantisation and its inverse (ITU-T H.264 8.5.9 to 8.5.12, LevelScale; the forward factors are
//! the customary integer reciprocals of it).

use super::transform::{Blocks, hadamard_2x2, hadamard_4x4};

/// normAdjust4x4 (8.5.9) by QP modulo 6, for positions with both coordinates even, both odd, other.
const NORM_ADJUST: [[i32; 3]; 6] =
    [[10, 16, 13], [11, 18, 14], [13, 20, 16], [14, 23, 18], [16, 25, 20], [18, 29, 23]];

/// 2^15 over the quantiser's step and the transform's norm, in the same order: 2^21 · k / normAdjust,
/// with k = 1/16, 1/25 · … of the position's norm.
const FACTORS: [[u16; 3]; 6] = [
    [13_107, 5_243, 8_066],
    [11_916, 4_660, 7_490],
    [10_082, 4_194, 6_554],
    [9_362, 3_647, 5_825],
    [8_192, 3_355, 5_243],
    [7_282, 2_893, 4_559],
];

/// QP of chroma by QP of luma from 30 on (Table 8-15).
const CHROMA_QP: [u8; 22] =
    [29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 39];

/// QP′c for a luma QP, with chroma_qp_index_offset 0.
pub(super) fn chroma_qp(qp: u8) -> u8 {
    qp.checked_sub(30).and_then(|over| CHROMA_QP.get(over as usize).copied()).unwrap_or(qp)
}

const fn class(position: usize) -> usize {
    match ((position / 4) % 2, position % 2) {
        (0, 0) => 0,
        (1, 1) => 1,
        _ => 2,
    }
}

/// The quantiser of one component at one QP.
#[derive(Clone, Debug)]
pub(super) struct Quantizer {
    factors: [u16; 16],
    scales: [i32; 16],
    octave: u32,
    shift: u32,
    bias: u32,
}

impl Quantizer {
    /// `intra` decides how values between two levels are rounded: a third or a sixth of a step, the
    /// usual trade of rate for distortion for Laplacian coefficients.
    pub(super) fn new(qp: u8, intra: bool) -> Self {
        let row = (qp % 6) as usize;
        let octave = u32::from(qp / 6);
        let shift = 15 + octave;
        Self {
            factors: std::array::from_fn(|position| FACTORS[row][class(position)]),
            scales: std::array::from_fn(|position| NORM_ADJUST[row][class(position)]),
            octave,
            shift,
            bias: (1 << shift) / if intra { 3 } else { 6 },
        }
    }

    /// Turns coefficients into levels, from position `first` on (1 where DC goes its own way).
    pub(super) fn quantize<const N: usize>(&self, blocks: &mut Blocks<i16, N>, first: usize) {
        for (lanes, &factor) in blocks.iter_mut().zip(&self.factors).skip(first) {
            for value in lanes {
                let level = (u32::from(value.unsigned_abs()) * u32::from(factor) + self.bias) >> self.shift;
                // The sign without a branch: all ones for negative values.
                let sign = *value >> 15;
                *value = (level as i16 ^ sign) - sign;
            }
        }
    }

    /// Turns levels into scaled coefficients, from position `first` on; the others stay zero.
    pub(super) fn dequantize<const N: usize>(&self, levels: &Blocks<i16, N>, first: usize) -> Blocks<i32, N> {
        let mut blocks = [[0; N]; 16];
        let pairs = blocks.iter_mut().zip(levels).zip(&self.scales).skip(first);
        for ((to, from), &scale) in pairs {
            for (to, &level) in to.iter_mut().zip(from) {
                *to = (i32::from(level) * scale) << self.octave;
            }
        }
        blocks
    }

    fn quantize_dc(&self, value: i32) -> i16 {
        // The second transform doubles the norm: one more bit of shift, twice the bias.
        let level = (u64::from(value.unsigned_abs()) * u64::from(self.factors[0]) + 2 * u64::from(self.bias))
            >> (self.shift + 1);
        if value < 0 { -(level as i16) } else { level as i16 }
    }

    /// Transforms and quantises the DC coefficients of Intra_16x16 luma, row by row.
    pub(super) fn quantize_luma_dc(&self, dc: &[i16; 16]) -> [i16; 16] {
        hadamard_4x4(&dc.map(i32::from)).map(|value| self.quantize_dc((value + 1) >> 1))
    }

    /// The DC coefficients of luma from their levels (8.5.10).
    pub(super) fn dequantize_luma_dc(&self, levels: &[i16; 16]) -> [i32; 16] {
        let scale = self.scales[0];
        hadamard_4x4(&levels.map(i32::from)).map(|value| {
            if self.octave >= 2 {
                (value * scale) << (self.octave - 2)
            } else {
                (value * scale + (1 << (1 - self.octave))) >> (2 - self.octave)
            }
        })
    }

    /// Transforms and quantises the DC coefficients of a chroma component.
    pub(super) fn quantize_chroma_dc(&self, dc: [i16; 4]) -> [i16; 4] {
        hadamard_2x2(dc.map(i32::from)).map(|value| self.quantize_dc(value))
    }

    /// The DC coefficients of a chroma component from their levels (8.5.11.2).
    pub(super) fn dequantize_chroma_dc(&self, levels: [i16; 4]) -> [i32; 4] {
        hadamard_2x2(levels.map(i32::from)).map(|value| ((value * self.scales[0]) << self.octave) >> 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::transform::{forward, inverse};
    use super::*;

    #[test]
    fn chroma_follows_luma_more_slowly_from_30_on() {
        assert_eq!([0, 29, 30, 34, 51].map(chroma_qp), [0, 29, 29, 32, 39]);
    }

    #[test]
    fn factors_and_scales_are_reciprocal() {
        // Level 1 stands for one step: quantising its own reconstruction gives 1 again.
        for qp in 0..52 {
            let quantizer = Quantizer::new(qp, true);
            for position in 0..16 {
                let norm = [16.0, 100.0, 40.0][class(position)] / [1.0, 4.0, 2.0][class(position)];
                let step = f64::from(quantizer.scales[position] << quantizer.octave) * norm / 64.0;
                let factor = f64::from(quantizer.factors[position]) / f64::from(1u32 << quantizer.shift);
                assert!(
                    (step * factor - 1.0).abs() < 0.01,
                    "QP {qp}, position {position}: {}",
                    step * factor
                );
            }
        }
    }

    /// The step in units of samples doubles every 6 QP and is 0.625 at 0 (8.5.9 with normAdjust 10).
    fn step(qp: u8) -> f64 {
        f64::from(NORM_ADJUST[(qp % 6) as usize][0]) / 16.0 * f64::from(1u32 << (qp / 6))
    }

    proptest! {
        #[test]
        fn the_error_stays_within_the_dead_zone(values in prop::array::uniform16(-255i16..=255), qp in 12u8..=51) {
            let mut blocks: Blocks<i16, 1> = values.map(|v| [v]);
            forward(&mut blocks);
            let quantizer = Quantizer::new(qp, false);
            quantizer.quantize(&mut blocks, 0);
            let mut restored = quantizer.dequantize(&blocks, 0);
            inverse(&mut restored);
            // Each of 16 orthonormal coefficients is off by at most 5/6 of a step, so the energy
            // of the error is bounded (some more for rounding and the integer factors).
            let energy: f64 = restored.iter().zip(values).map(|(r, v)| f64::from(r[0] - i32::from(v)).powi(2)).sum();
            let bound = (step(qp) * 0.85 + 1.5).powi(2) * 16.0;
            prop_assert!(energy <= bound, "{energy} > {bound}");
        }

        #[test]
        fn dc_levels_restore_flat_blocks(dc in -255i16..=255, qp in 12u8..=51) {
            let quantizer = Quantizer::new(qp, true);
            let bound = (step(qp) * 4.0 + 40.0) as i32;
            let luma = quantizer.dequantize_luma_dc(&quantizer.quantize_luma_dc(&[dc * 16; 16]));
            prop_assert!(luma.iter().all(|&v| (v - i32::from(dc) * 64).abs() <= bound * 16));
            let chroma = quantizer.dequantize_chroma_dc(quantizer.quantize_chroma_dc([dc * 16; 4]));
            prop_assert!(chroma.iter().all(|&v| (v - i32::from(dc) * 64).abs() <= bound * 16));
        }
    }
}
