//! A slice: the decisions for its macroblocks, one after the other, and its bits (ITU-T H.264
//! 7.3.4).
//!
//! A slice needs nothing from its siblings: predictions end at its edges, and it decodes into a
//! picture of its own. So slices can be encoded by any thread in any order.

use std::sync::Arc;

use super::bits::{BitCounter, BitSink, BitWriter};
use super::distortion::{sad, satd, satd_chroma, ssd};
use super::intra::{Edges, IntraMode, predict_chroma, predict_luma};
use super::macroblock::{self, CodedMacroblocks, Macroblock};
use super::motion::{Mv, lambda};
use super::quantization::{Quantizer, chroma_qp};
use super::reference::Reference;
use super::residual::{self, ChromaResidual, IntraLuma};
use super::search::Search;
use super::slice_header::{self, PictureHeader};
use super::stages::{Laps, Stage};
use super::{Chroma, Luma, nal};
use crate::latency::FrameKind;
use crate::video::Picture;

/// In I slices so many luma modes, the best by transformed difference, are coded in full and
/// compared by rate and distortion.
const INTRA_TRIALS: usize = 2;

/// What all slices of a picture share.
#[derive(Clone, Debug)]
pub(super) struct PictureTask {
    pub(super) header: PictureHeader,
    pub(super) source: Arc<Picture>,
    /// The last decoded picture; not looked at in I slices.
    pub(super) reference: Arc<Reference>,
}

/// How much there was to do, counted: the same on every machine and in every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// Positions that the motion search compared.
    pub(super) points: u64,
    /// Levels that are not zero.
    pub(super) levels: u64,
    /// Macroblocks that were skipped.
    pub(super) skipped: u64,
    /// Intra macroblocks.
    pub(super) intra: u64,
    /// All macroblocks.
    pub(super) macroblocks: u64,
}

impl Work {
    pub(super) fn add(&mut self, other: &Self) {
        self.points += other.points;
        self.levels += other.levels;
        self.skipped += other.skipped;
        self.intra += other.intra;
        self.macroblocks += other.macroblocks;
    }
}

/// A slice of whole rows of macroblocks, with all that encoding it needs; used again for each
/// picture.
#[derive(Debug)]
pub(super) struct Slice {
    first_row: usize,
    rows: usize,
    mbs_wide: usize,
    decoded: Picture,
    coded: CodedMacroblocks,
    bits: BitWriter,
    unit: Vec<u8>,
    pub(super) laps: Laps,
    pub(super) work: Work,
}

/// The samples of a macroblock and its place: in the picture, in luma samples, and in the slice.
struct Source {
    luma: Luma,
    chroma: [Chroma; 2],
    x: usize,
    y: usize,
    y_in_slice: usize,
}

struct Quantizers {
    luma: Quantizer,
    chroma: Quantizer,
}

impl Quantizers {
    fn new(qp: u8, intra: bool) -> Self {
        Self { luma: Quantizer::new(qp, intra), chroma: Quantizer::new(chroma_qp(qp), intra) }
    }
}

/// An intra prediction of both kinds, chosen but not coded.
struct IntraChoice {
    mode: IntraMode,
    prediction: Luma,
    cost: u32,
}

impl Slice {
    pub(super) fn new(mbs_wide: usize, first_row: usize, rows: usize) -> Self {
        Self {
            first_row,
            rows,
            mbs_wide,
            decoded: Picture::new(mbs_wide * 16, rows * 16, 0),
            coded: CodedMacroblocks::new(mbs_wide, rows),
            bits: BitWriter::default(),
            unit: Vec::new(),
            laps: Laps::default(),
            work: Work::default(),
        }
    }

    /// The first row of macroblocks.
    pub(super) const fn first_row(&self) -> usize {
        self.first_row
    }

    /// What a decoder would show, before the deblocking filter.
    pub(super) const fn decoded(&self) -> &Picture {
        &self.decoded
    }

    /// The macroblocks, once encoded.
    pub(super) fn macroblocks(&self) -> &[Macroblock] {
        self.coded.as_slice()
    }

    /// The NAL unit with its start code, once encoded.
    pub(super) fn unit(&self) -> &[u8] {
        &self.unit
    }

    /// Encodes the slice of a picture.
    pub(super) fn encode(&mut self, task: &PictureTask) {
        self.laps.start();
        self.coded.clear();
        self.unit.clear();
        self.work = Work { macroblocks: (self.rows * self.mbs_wide) as u64, ..Work::default() };
        slice_header::write(&mut self.bits, &task.header, (self.first_row * self.mbs_wide) as u32);
        let qp = task.header.qp;
        let (intra, inter) = (Quantizers::new(qp, true), Quantizers::new(qp, false));
        let mut skip_run = 0;
        for row in 0..self.rows {
            for column in 0..self.mbs_wide {
                let source = self.source(&task.source, column, row);
                self.laps.mark(Stage::Control);
                match task.header.kind {
                    FrameKind::I => self.encode_in_i(&task.header, &source, &intra),
                    FrameKind::P => self.encode_in_p(task, &source, &intra, &inter, &mut skip_run),
                }
            }
        }
        if skip_run > 0 {
            self.bits.put_ue(skip_run); // mb_skip_run
        }
        let unit = &mut self.unit;
        self.bits.finish(|payload| nal::append(unit, task.header.nal_kind(), payload));
        self.laps.mark(Stage::Entropy);
    }

    fn source(&self, picture: &Picture, column: usize, row: usize) -> Source {
        let (x, y) = (column * 16, (self.first_row + row) * 16);
        let (cx, cy) = (x as i32 / 2, y as i32 / 2);
        Source {
            luma: picture.luma.block(x as i32, y as i32),
            chroma: [picture.cb.block(cx, cy), picture.cr.block(cx, cy)],
            x,
            y,
            y_in_slice: row * 16,
        }
    }

    fn encode_in_i(&mut self, header: &PictureHeader, source: &Source, quantizers: &Quantizers) {
        let qp = header.qp;
        let around = self.coded.counts_around();
        let mut choices = self.intra_choices(qp, source);
        choices.sort_by_key(|choice| choice.cost);
        let mut best: Option<(u32, IntraMode, IntraLuma)> = None;
        for choice in choices.iter().take(INTRA_TRIALS) {
            let luma =
                residual::intra_luma(&source.luma, &choice.prediction, &quantizers.luma, &mut self.laps);
            let mut rate = BitCounter::default();
            macroblock::write_intra_luma(&mut rate, &luma, &around);
            self.laps.mark(Stage::Entropy);
            let cost = ssd(&source.luma, &luma.decoded) + rate_cost(qp, rate.0);
            self.laps.mark(Stage::Control);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, choice.mode, luma));
            }
        }
        if let Some((_, mode, luma)) = best {
            self.finish_intra(header, source, quantizers, mode, &luma);
        }
    }

    /// The luma modes that are available, with what they promise to cost.
    fn intra_choices(&mut self, qp: u8, source: &Source) -> Vec<IntraChoice> {
        let edges = Edges::of(&self.decoded.luma, source.x, source.y_in_slice);
        let mut choices = Vec::with_capacity(IntraMode::ALL.len());
        for mode in IntraMode::ALL {
            if let Some(prediction) = predict_luma(mode, &edges) {
                self.laps.mark(Stage::Intra);
                let bits = super::bits::ue_bits(mode.luma_number() + 1);
                let cost = satd(&source.luma, &prediction) + lambda(qp) * bits;
                self.laps.mark(Stage::Satd);
                choices.push(IntraChoice { mode, prediction, cost });
            }
        }
        choices
    }

    /// The best chroma mode with its prediction.
    fn intra_chroma(&mut self, qp: u8, source: &Source) -> (IntraMode, [Chroma; 2]) {
        let (x, y) = (source.x / 2, source.y_in_slice / 2);
        let edges = [Edges::of(&self.decoded.cb, x, y), Edges::of(&self.decoded.cr, x, y)];
        let mut best = (u32::MAX, IntraMode::Dc, [[[128; 8]; 8]; 2]);
        for mode in IntraMode::ALL {
            if let (Some(cb), Some(cr)) = (predict_chroma(mode, &edges[0]), predict_chroma(mode, &edges[1])) {
                self.laps.mark(Stage::Intra);
                let cost = satd_chroma(&source.chroma[0], &cb)
                    + satd_chroma(&source.chroma[1], &cr)
                    + lambda(qp) * super::bits::ue_bits(mode.chroma_number());
                self.laps.mark(Stage::Satd);
                if cost < best.0 {
                    best = (cost, mode, [cb, cr]);
                }
            }
        }
        (best.1, best.2)
    }

    /// Codes chroma to a luma that is coded already, and writes both.
    fn finish_intra(
        &mut self,
        header: &PictureHeader,
        source: &Source,
        quantizers: &Quantizers,
        mode: IntraMode,
        luma: &IntraLuma,
    ) {
        let around = self.coded.counts_around();
        let (chroma_mode, prediction) = self.intra_chroma(header.qp, source);
        let chroma = residual::chroma(&source.chroma, &prediction, &quantizers.chroma, &mut self.laps);
        macroblock::write_intra(&mut self.bits, header.kind, (mode, chroma_mode), luma, &chroma, &around);
        self.laps.mark(Stage::Entropy);
        self.work.intra += 1;
        self.work.levels += luma.dc.iter().filter(|&&level| level != 0).count() as u64;
        self.store(source, None, luma.counts, &luma.decoded, &chroma);
    }

    fn encode_in_p(
        &mut self,
        task: &PictureTask,
        source: &Source,
        intra: &Quantizers,
        inter: &Quantizers,
        skip_run: &mut u32,
    ) {
        let qp = task.header.qp;
        let reference = &*task.reference;
        let neighbours = self.coded.neighbours();
        let (predicted, skip_mv) = (neighbours.predict(), neighbours.predict_skip());
        if self.try_skip(reference, source, inter, qp, skip_mv) {
            *skip_run += 1;
            return;
        }
        let (x, y) = (source.x as i32, source.y as i32);
        let collocated =
            reference.motion.get(source.y / 16 * self.mbs_wide + source.x / 16).copied().flatten();
        let search = Search { source: &source.luma, reference, x, y, predicted, qp };
        let found = search.run(collocated.into_iter().chain(self.coded.nearby_vectors()), &mut self.laps);
        self.work.points += u64::from(found.points);

        let around = self.coded.counts_around();
        let inter_cost = found.satd + lambda(qp) * (found.mv.bits(predicted) + 1);
        if found.satd > intra_worth_a_look(qp)
            && let Some(choice) =
                self.intra_choices(qp, source).into_iter().min_by_key(|choice| choice.cost)
            // Intra macroblocks break the motion field and the filter is strong at their edges:
            // they must win clearly.
            && choice.cost + 8 * lambda(qp) < inter_cost
        {
            self.bits.put_ue(std::mem::take(skip_run)); // mb_skip_run
            let luma = residual::intra_luma(&source.luma, &choice.prediction, &intra.luma, &mut self.laps);
            self.finish_intra(&task.header, source, intra, choice.mode, &luma);
            return;
        }

        let prediction = reference.luma_block(x, y, found.mv);
        let chroma_prediction = reference.chroma_blocks(x, y, found.mv);
        self.laps.mark(Stage::Interpolation);
        let luma = residual::inter_luma(&source.luma, &prediction, &inter.luma, &mut self.laps);
        let chroma = residual::chroma(&source.chroma, &chroma_prediction, &inter.chroma, &mut self.laps);
        if found.mv == skip_mv && luma.pattern() == 0 && chroma.pattern() == 0 {
            *skip_run += 1;
            self.work.skipped += 1;
        } else {
            self.bits.put_ue(std::mem::take(skip_run)); // mb_skip_run
            macroblock::write_inter(&mut self.bits, (found.mv, predicted), &luma, &chroma, &around);
            self.laps.mark(Stage::Entropy);
        }
        self.store(source, Some(found.mv), luma.counts, &luma.decoded, &chroma);
    }

    /// Makes it a P_Skip macroblock if its prediction leaves nothing to code.
    fn try_skip(
        &mut self,
        reference: &Reference,
        source: &Source,
        quantizers: &Quantizers,
        qp: u8,
        mv: Mv,
    ) -> bool {
        let (x, y) = (source.x as i32, source.y as i32);
        if !reference.reaches(x, y, mv) {
            return false;
        }
        let prediction = reference.luma_block(x, y, mv);
        self.laps.mark(Stage::Interpolation);
        let difference = sad(&source.luma, prediction.as_flattened(), 16);
        self.laps.mark(Stage::Search);
        if difference > skip_worth_a_try(qp) {
            return false;
        }
        let luma = residual::inter_luma(&source.luma, &prediction, &quantizers.luma, &mut self.laps);
        if luma.pattern() != 0 {
            return false;
        }
        let chroma_prediction = reference.chroma_blocks(x, y, mv);
        self.laps.mark(Stage::Interpolation);
        let chroma = residual::chroma(&source.chroma, &chroma_prediction, &quantizers.chroma, &mut self.laps);
        if chroma.pattern() != 0 {
            return false;
        }
        self.work.skipped += 1;
        self.store(source, Some(mv), luma.counts, &luma.decoded, &chroma);
        true
    }

    /// Keeps what later macroblocks and pictures need.
    fn store(
        &mut self,
        source: &Source,
        mv: Option<Mv>,
        luma_counts: [u8; 16],
        luma: &Luma,
        chroma: &ChromaResidual,
    ) {
        let (x, y) = (source.x as i32, source.y_in_slice as i32);
        self.decoded.luma.set_block(x, y, luma);
        self.decoded.cb.set_block(x / 2, y / 2, &chroma.decoded[0]);
        self.decoded.cr.set_block(x / 2, y / 2, &chroma.decoded[1]);
        let levels = luma_counts.iter().chain(&chroma.counts).map(|&count| u64::from(count)).sum::<u64>();
        self.work.levels += levels;
        self.coded.push(Macroblock { mv, luma_counts, chroma_counts: chroma.counts });
        self.laps.mark(Stage::Control);
    }
}

/// What bits are worth in squared differences: 0.85 · 2^((QP − 12) / 3), as is customary.
fn rate_cost(qp: u8, bits: u32) -> u32 {
    (bits * lambda(qp) * lambda(qp) * 7) >> 3
}

/// Up to this sum of absolute differences a macroblock may well quantise to nothing: some more
/// than half the quantiser's step for each sample never does.
fn skip_worth_a_try(qp: u8) -> u32 {
    256 + 128 * lambda(qp)
}

/// From this transformed difference on, intra prediction may be better.
fn intra_worth_a_look(qp: u8) -> u32 {
    512 + 128 * lambda(qp)
}
