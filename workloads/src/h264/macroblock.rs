//! The macroblock layer: what later macroblocks need to know of one, and its syntax (ITU-T H.264
//! 7.3.5, 7.3.5.1, 7.3.5.3).

use super::bits::BitSink;
use super::cavlc::write_block;
use super::cavlc_tables::Context;
use super::intra::IntraMode;
use super::motion::{Mv, Neighbour, Neighbours};
use super::residual::{ChromaResidual, InterLuma, IntraLuma};
use crate::latency::FrameKind;

/// A coded macroblock, as far as its neighbours, the deblocking filter and the next picture need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Macroblock {
    /// The vector; `None` for intra.
    pub(super) mv: Option<Mv>,
    /// total_coeff of the luma blocks, in raster order; of Intra_16x16 the AC blocks'.
    pub(super) luma_counts: [u8; 16],
    /// total_coeff of the chroma AC blocks: Cb, then Cr.
    pub(super) chroma_counts: [u8; 8],
}

#[cfg(test)]
impl Macroblock {
    /// One without any level.
    pub(super) const fn empty(mv: Option<Mv>) -> Self {
        Self { mv, luma_counts: [0; 16], chroma_counts: [0; 8] }
    }
}

/// The macroblocks of a slice so far, in coding order.
#[derive(Clone, Debug)]
pub(super) struct CodedMacroblocks {
    width: usize,
    coded: Vec<Macroblock>,
}

impl CodedMacroblocks {
    pub(super) fn new(width: usize, rows: usize) -> Self {
        Self { width, coded: Vec::with_capacity(width * rows) }
    }

    pub(super) fn clear(&mut self) {
        self.coded.clear();
    }

    pub(super) fn push(&mut self, macroblock: Macroblock) {
        self.coded.push(macroblock);
    }

    pub(super) fn as_slice(&self) -> &[Macroblock] {
        &self.coded
    }

    /// The one left of the next.
    fn left(&self) -> Option<&Macroblock> {
        if self.coded.len().is_multiple_of(self.width) { None } else { self.coded.last() }
    }

    /// The one above the next, or `right` of that.
    fn above(&self, right: isize) -> Option<&Macroblock> {
        let column = (self.coded.len() % self.width) as isize + right;
        if !(0..self.width as isize).contains(&column) {
            return None;
        }
        let row = (self.coded.len() / self.width).checked_sub(1)?;
        self.coded.get(row * self.width + column as usize)
    }

    /// The neighbours of the next one, for its vector's prediction.
    pub(super) fn neighbours(&self) -> Neighbours {
        let motion = |macroblock: Option<&Macroblock>| match macroblock.map(|m| m.mv) {
            None => Neighbour::Unavailable,
            Some(None) => Neighbour::Intra,
            Some(Some(mv)) => Neighbour::Inter(mv),
        };
        Neighbours {
            a: motion(self.left()),
            b: motion(self.above(0)),
            c: motion(self.above(1).or_else(|| self.above(-1))),
        }
    }

    /// The vectors around the next one.
    pub(super) fn nearby_vectors(&self) -> impl Iterator<Item = Mv> {
        [self.left(), self.above(0), self.above(1)].into_iter().filter_map(|m| m?.mv)
    }

    /// What the residual codes of the next one depend on.
    pub(super) fn counts_around(&self) -> CountsAround {
        let (left, above) = (self.left(), self.above(0));
        CountsAround {
            luma_left: left.map(|m| [3, 7, 11, 15].map(|block| m.luma_counts[block])),
            luma_above: above.map(|m| [12, 13, 14, 15].map(|block| m.luma_counts[block])),
            chroma_left: left.map(|m| [1, 3, 5, 7].map(|block| m.chroma_counts[block])),
            chroma_above: above.map(|m| [2, 3, 6, 7].map(|block| m.chroma_counts[block])),
        }
    }
}

/// total_coeff of the blocks that touch a macroblock from the left and from above (9.2.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct CountsAround {
    luma_left: Option<[u8; 4]>,
    luma_above: Option<[u8; 4]>,
    chroma_left: Option<[u8; 4]>,
    chroma_above: Option<[u8; 4]>,
}

impl CountsAround {
    fn luma(&self, counts: &[u8; 16], block: usize) -> Context {
        let (x, y) = (block % 4, block / 4);
        let left = if x > 0 { Some(counts[block - 1]) } else { self.luma_left.map(|c| c[y]) };
        let above = if y > 0 { Some(counts[block - 4]) } else { self.luma_above.map(|c| c[x]) };
        expected(left, above)
    }

    fn chroma(&self, counts: &[u8; 8], block: usize) -> Context {
        let (component, x, y) = (block / 4, block % 2, block % 4 / 2);
        let left =
            if x > 0 { Some(counts[block - 1]) } else { self.chroma_left.map(|c| c[component * 2 + y]) };
        let above =
            if y > 0 { Some(counts[block - 2]) } else { self.chroma_above.map(|c| c[component * 2 + x]) };
        expected(left, above)
    }
}

/// nC of 9.2.1.
const fn expected(left: Option<u8>, above: Option<u8>) -> Context {
    Context::Neighbours(match (left, above) {
        (Some(left), Some(above)) => (left + above + 1) >> 1,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => 0,
    })
}

/// The order in which luma blocks are coded (Figure 6-10), as raster numbers.
const CODING_ORDER: [usize; 16] = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15];

/// codeNum of coded_block_pattern for inter macroblocks, by the pattern (Table 9-4).
const INTER_PATTERN_CODES: [u8; 48] = [
    0, 2, 3, 7, 4, 8, 17, 13, 5, 18, 9, 14, 10, 15, 16, 11, 1, 32, 33, 36, 34, 37, 44, 40, 35, 45, 38, 41,
    39, 42, 43, 19, 6, 24, 25, 20, 26, 21, 46, 28, 27, 47, 22, 29, 23, 30, 31, 12,
];

/// Writes an I_16x16 macroblock, without mb_skip_run.
pub(super) fn write_intra(
    sink: &mut impl BitSink,
    slice: FrameKind,
    modes: (IntraMode, IntraMode),
    luma: &IntraLuma,
    chroma: &ChromaResidual,
    around: &CountsAround,
) {
    // Tables 7-11 and 7-13: the type holds mode and pattern; in P slices the inter types come first.
    let kind = 1 + modes.0.luma_number() + 4 * chroma.pattern() + if luma.has_ac() { 12 } else { 0 };
    sink.put_ue(kind + if slice == FrameKind::P { 5 } else { 0 }); // mb_type
    sink.put_ue(modes.1.chroma_number()); // intra_chroma_pred_mode
    sink.put_se(0); // mb_qp_delta
    write_intra_luma(sink, luma, around);
    write_chroma(sink, chroma, around);
}

/// Writes the luma residual of an I_16x16 macroblock.
pub(super) fn write_intra_luma(sink: &mut impl BitSink, luma: &IntraLuma, around: &CountsAround) {
    // Without AC all counts are zero, and DC looks only outside the macroblock anyway.
    write_block(sink, &luma.dc, around.luma(&luma.counts, 0));
    if luma.has_ac() {
        for block in CODING_ORDER {
            write_block(sink, &luma.ac[block], around.luma(&luma.counts, block));
        }
    }
}

/// Writes a P_L0_16x16 macroblock, without mb_skip_run.
pub(super) fn write_inter(
    sink: &mut impl BitSink,
    (mv, predicted): (Mv, Mv),
    luma: &InterLuma,
    chroma: &ChromaResidual,
    around: &CountsAround,
) {
    sink.put_ue(0); // mb_type: P_L0_16x16
    sink.put_se(i32::from(mv.x) - i32::from(predicted.x)); // mvd_l0
    sink.put_se(i32::from(mv.y) - i32::from(predicted.y));
    let pattern = luma.pattern() | chroma.pattern() << 4;
    sink.put_ue(u32::from(INTER_PATTERN_CODES[pattern as usize])); // coded_block_pattern
    if pattern == 0 {
        return;
    }
    sink.put_se(0); // mb_qp_delta
    for block in CODING_ORDER {
        if luma.pattern() >> super::residual::quarter(block) & 1 == 1 {
            write_block(sink, &luma.levels[block], around.luma(&luma.counts, block));
        }
    }
    write_chroma(sink, chroma, around);
}

fn write_chroma(sink: &mut impl BitSink, chroma: &ChromaResidual, around: &CountsAround) {
    if chroma.pattern() > 0 {
        for levels in &chroma.dc {
            write_block(sink, levels, Context::ChromaDc);
        }
    }
    if chroma.pattern() == 2 {
        for (block, levels) in chroma.ac.iter().enumerate() {
            write_block(sink, levels, around.chroma(&chroma.counts, block));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_codes_are_a_permutation_with_the_likely_first() {
        let mut codes = INTER_PATTERN_CODES;
        codes.sort_unstable();
        assert_eq!(codes, std::array::from_fn(|code| code as u8));
        assert_eq!((INTER_PATTERN_CODES[0], INTER_PATTERN_CODES[16], INTER_PATTERN_CODES[47]), (0, 1, 12));
    }

    #[test]
    fn neighbours_stop_at_the_slice() {
        let mut coded = CodedMacroblocks::new(3, 2);
        let inter = |x| Macroblock::empty(Some(Mv { x, y: 0 }));
        assert_eq!(coded.neighbours().a, Neighbour::Unavailable);
        for x in 1..=3 {
            coded.push(inter(x));
        }
        let mv = |x| Neighbour::Inter(Mv { x, y: 0 });
        let first = coded.neighbours();
        assert_eq!((first.a, first.b, first.c), (Neighbour::Unavailable, mv(1), mv(2)));
        coded.push(inter(4));
        coded.push(Macroblock::empty(None));
        // The last of a row has nothing above right: above left takes its place.
        let last = coded.neighbours();
        assert_eq!((last.a, last.b, last.c), (Neighbour::Intra, mv(3), mv(2)));
    }

    #[test]
    fn the_expected_count_is_the_rounded_mean_of_what_is_there() {
        assert_eq!(expected(Some(3), Some(4)), Context::Neighbours(4));
        assert_eq!(expected(None, Some(5)), Context::Neighbours(5));
        assert_eq!(expected(None, None), Context::Neighbours(0));
    }
}
