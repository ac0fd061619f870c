//! From a prediction to levels and to what a decoder will show: transform, quantisation and back,
//! for the three kinds of residual of a macroblock (ITU-T H.264 8.5.1, 8.5.2, 8.5.4).
//!
//! Not here: the bits (`macroblock`, `cavlc`), the choice of the prediction (`slice`).

use super::cavlc::{ZIGZAG, total_coeff};
use super::quantization::Quantizer;
use super::stages::{Laps, Stage};
use super::transform::{self, Blocks};
use super::{Chroma, Luma};

/// An Intra_16x16 luma residual. Blocks are in raster order, levels in scan order.
#[derive(Clone, Debug)]
pub(super) struct IntraLuma {
    pub(super) dc: [i16; 16],
    pub(super) ac: [[i16; 15]; 16],
    /// total_coeff of each block's AC levels.
    pub(super) counts: [u8; 16],
    pub(super) decoded: Luma,
}

impl IntraLuma {
    /// Whether any AC level is not zero: all sixteen blocks are then coded.
    pub(super) fn has_ac(&self) -> bool {
        self.counts != [0; 16]
    }
}

/// An inter luma residual. Blocks are in raster order, levels in scan order.
#[derive(Clone, Debug)]
pub(super) struct InterLuma {
    pub(super) levels: [[i16; 16]; 16],
    pub(super) counts: [u8; 16],
    pub(super) decoded: Luma,
}

impl InterLuma {
    /// CodedBlockPatternLuma: a bit for each 8x8 block with any level.
    pub(super) fn pattern(&self) -> u32 {
        (0..16).filter(|&block| self.counts[block] > 0).fold(0, |bits, block| bits | 1 << quarter(block))
    }
}

/// The 8x8 block in which a 4x4 block (raster order) lies.
pub(super) const fn quarter(block: usize) -> usize {
    block / 8 * 2 + block % 4 / 2
}

/// The residual of both chroma components: blocks 0 to 3 are Cb, 4 to 7 Cr.
#[derive(Clone, Debug)]
pub(super) struct ChromaResidual {
    pub(super) dc: [[i16; 4]; 2],
    pub(super) ac: [[i16; 15]; 8],
    pub(super) counts: [u8; 8],
    pub(super) decoded: [Chroma; 2],
}

impl ChromaResidual {
    /// CodedBlockPatternChroma: 0 nothing, 1 DC only, 2 also AC.
    pub(super) fn pattern(&self) -> u32 {
        if self.counts != [0; 8] { 2 } else { u32::from(self.dc != [[0; 4]; 2]) }
    }
}

/// Codes luma that is predicted as Intra_16x16.
pub(super) fn intra_luma(
    source: &Luma,
    prediction: &Luma,
    quantizer: &Quantizer,
    laps: &mut Laps,
) -> IntraLuma {
    let mut blocks = transform::luma_residual(source, prediction);
    transform::forward(&mut blocks);
    laps.mark(Stage::Transform);
    let dc_levels = quantizer.quantize_luma_dc(&blocks[0]);
    quantizer.quantize(&mut blocks, 1);
    let mut coefficients = quantizer.dequantize(&blocks, 1);
    coefficients[0] = quantizer.dequantize_luma_dc(&dc_levels);
    let (ac, counts) = scan_ac(&blocks);
    laps.mark(Stage::Quantization);
    transform::inverse(&mut coefficients);
    let decoded = transform::add_luma(prediction, &coefficients);
    laps.mark(Stage::Transform);
    IntraLuma { dc: ZIGZAG.map(|position| dc_levels[position]), ac, counts, decoded }
}

/// Codes luma that is predicted from the reference.
pub(super) fn inter_luma(
    source: &Luma,
    prediction: &Luma,
    quantizer: &Quantizer,
    laps: &mut Laps,
) -> InterLuma {
    let mut blocks = transform::luma_residual(source, prediction);
    transform::forward(&mut blocks);
    laps.mark(Stage::Transform);
    quantizer.quantize(&mut blocks, 0);
    if is_zero(&blocks) {
        laps.mark(Stage::Quantization);
        return InterLuma { levels: [[0; 16]; 16], counts: [0; 16], decoded: *prediction };
    }
    let levels: [[i16; 16]; 16] = std::array::from_fn(|block| ZIGZAG.map(|position| blocks[position][block]));
    let counts = std::array::from_fn(|block| total_coeff(&levels[block]));
    let mut coefficients = quantizer.dequantize(&blocks, 0);
    laps.mark(Stage::Quantization);
    transform::inverse(&mut coefficients);
    let decoded = transform::add_luma(prediction, &coefficients);
    laps.mark(Stage::Transform);
    InterLuma { levels, counts, decoded }
}

/// Codes chroma, however it is predicted.
pub(super) fn chroma(
    source: &[Chroma; 2],
    prediction: &[Chroma; 2],
    quantizer: &Quantizer,
    laps: &mut Laps,
) -> ChromaResidual {
    let mut blocks = transform::chroma_residual(source, prediction);
    transform::forward(&mut blocks);
    laps.mark(Stage::Transform);
    let [a, b, c, d, e, f, g, h] = blocks[0];
    let dc = [[a, b, c, d], [e, f, g, h]].map(|component| quantizer.quantize_chroma_dc(component));
    quantizer.quantize(&mut blocks, 1);
    blocks[0] = [0; 8];
    if dc == [[0; 4]; 2] && is_zero(&blocks) {
        laps.mark(Stage::Quantization);
        return ChromaResidual { dc, ac: [[0; 15]; 8], counts: [0; 8], decoded: *prediction };
    }
    let mut coefficients = quantizer.dequantize(&blocks, 1);
    for (lanes, levels) in coefficients[0].chunks_exact_mut(4).zip(dc) {
        lanes.copy_from_slice(&quantizer.dequantize_chroma_dc(levels));
    }
    let (ac, counts) = scan_ac(&blocks);
    laps.mark(Stage::Quantization);
    transform::inverse(&mut coefficients);
    let decoded = transform::add_chroma(prediction, &coefficients);
    laps.mark(Stage::Transform);
    ChromaResidual { dc, ac, counts, decoded }
}

fn scan_ac<const N: usize>(blocks: &Blocks<i16, N>) -> ([[i16; 15]; N], [u8; N]) {
    let ac: [[i16; 15]; N] =
        std::array::from_fn(|block| std::array::from_fn(|i| blocks[ZIGZAG[i + 1]][block]));
    let counts = std::array::from_fn(|block| total_coeff(&ac[block]));
    (ac, counts)
}

fn is_zero<const N: usize>(blocks: &Blocks<i16, N>) -> bool {
    let mut any = [0i16; N];
    for lanes in blocks {
        for (any, &value) in any.iter_mut().zip(lanes) {
            *any |= value;
        }
    }
    any == [0; N]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn textured() -> Luma {
        std::array::from_fn(|y| std::array::from_fn(|x| ((x * 23 + y * 57) % 160 + 40) as u8))
    }

    fn worst(a: &Luma, b: &Luma) -> u8 {
        let pairs = a.as_flattened().iter().zip(b.as_flattened());
        pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn a_fine_quantiser_restores_the_source_nearly() {
        let laps = &mut Laps::default();
        let intra = intra_luma(&textured(), &[[120; 16]; 16], &Quantizer::new(12, true), laps);
        assert!(intra.has_ac() && worst(&intra.decoded, &textured()) <= 4);
        let inter = inter_luma(&textured(), &[[120; 16]; 16], &Quantizer::new(12, false), laps);
        assert!(inter.pattern() == 15 && worst(&inter.decoded, &textured()) <= 4);
    }

    #[test]
    fn nothing_is_coded_where_the_prediction_fits() {
        let laps = &mut Laps::default();
        let inter = inter_luma(&textured(), &textured(), &Quantizer::new(28, false), laps);
        assert_eq!((inter.pattern(), inter.decoded), (0, textured()));
        let flat = [[[90; 8]; 8]; 2];
        assert_eq!(chroma(&flat, &flat, &Quantizer::new(28, true), laps).pattern(), 0);
    }

    #[test]
    fn a_flat_change_of_chroma_needs_dc_only() {
        let coded =
            chroma(&[[[90; 8]; 8]; 2], &[[[140; 8]; 8]; 2], &Quantizer::new(28, true), &mut Laps::default());
        assert_eq!(coded.pattern(), 1);
        assert!(coded.decoded.as_flattened().as_flattened().iter().all(|s| s.abs_diff(90) < 8));
    }
}
