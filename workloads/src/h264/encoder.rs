//! A frame from source to bytes: serial head, parallel slices, serial tail.
//!
//! Not here: when frames start (`encode_loop`).

use std::sync::Arc;

use super::EncodeConfig;
use super::deblock;
use super::lookahead::Lookahead;
use super::macroblock::Macroblock;
use super::parameter_sets;
use super::pool::Pool;
use super::rate_control::{Decision, RateControl};
use super::reference::Reference;
use super::slice::{PictureTask, Slice, Work};
use super::slice_header::PictureHeader;
use super::stages::{Laps, Stage, StageTimes};
use crate::Error;
use crate::latency::FrameKind;
use crate::video::{Picture, Plane};

/// An encoder for pictures of one size.
#[derive(Debug)]
pub struct Encoder {
    width: u32,
    height: u32,
    mbs_wide: usize,
    lookahead: Lookahead,
    rate_control: RateControl,
    pool: Pool,
    slices: Vec<Slice>,
    source: Arc<Picture>,
    reference: Arc<Reference>,
    /// Becomes the reference: the two take turns.
    next_reference: Arc<Reference>,
    macroblocks: Vec<Macroblock>,
    sums: Vec<i16>,
    stream: Vec<u8>,
    frame_num: u32,
    idr_pic_id: u32,
    laps: Laps,
    stage_times: StageTimes,
    work: Work,
}

/// An encoded frame.
#[derive(Clone, Copy, Debug)]
pub struct EncodedFrame<'a> {
    /// How it was predicted.
    pub kind: FrameKind,
    /// Whether it became an I frame because the picture had changed too much.
    pub scene_cut: bool,
    /// The quantiser's parameter.
    pub qp: u8,
    /// Its part of the byte stream (ITU-T H.264 Annex B); parameter sets come before I frames.
    pub stream: &'a [u8],
}

impl EncodedFrame<'_> {
    /// Its size.
    #[must_use]
    pub const fn bits(&self) -> u64 {
        8 * self.stream.len() as u64
    }
}

impl Encoder {
    /// Allocates what encoding needs and starts the slice threads.
    ///
    /// # Errors
    /// When the configuration is not usable or a thread cannot be started.
    pub fn new(config: &EncodeConfig) -> Result<Self, Error> {
        config.check()?;
        let (mbs_wide, mbs_high) = (config.width.div_ceil(16) as usize, config.height.div_ceil(16) as usize);
        let (width, height) = (mbs_wide * 16, mbs_high * 16);
        let count = config.threads as usize;
        let slices = (0..count)
            .map(|index| {
                let (first, end) = (index * mbs_high / count, (index + 1) * mbs_high / count);
                Slice::new(mbs_wide, first, end - first)
            })
            .collect();
        let reference = Arc::new(Reference::new(width, height));
        Ok(Self {
            width: config.width,
            height: config.height,
            mbs_wide,
            lookahead: Lookahead::new(width, height),
            rate_control: RateControl::new(config.qp, config.gop),
            pool: Pool::start(count - 1)?,
            slices,
            source: Arc::new(Picture::new(width, height, 0)),
            next_reference: Arc::clone(&reference),
            reference,
            macroblocks: Vec::with_capacity(mbs_wide * mbs_high),
            sums: Vec::new(),
            stream: Vec::new(),
            frame_num: 0,
            idr_pic_id: 0,
            laps: Laps::default(),
            stage_times: StageTimes::default(),
            work: Work::default(),
        })
    }

    /// Starts a new stream: the next frame is an I frame and depends on nothing before.
    pub fn reset(&mut self) {
        self.lookahead.reset();
        self.rate_control.reset();
        (self.frame_num, self.idr_pic_id) = (0, 0);
    }

    /// Encodes the next picture, of the configured size.
    ///
    /// # Errors
    /// When a slice thread is gone.
    pub fn encode(&mut self, picture: &Picture) -> Result<EncodedFrame<'_>, Error> {
        self.laps.start();
        let decision = self.head(picture);
        self.laps.mark(Stage::Control);

        let header = PictureHeader {
            kind: decision.kind,
            frame_num: self.frame_num,
            idr_pic_id: self.idr_pic_id,
            qp: decision.qp,
        };
        let task =
            PictureTask { header, source: Arc::clone(&self.source), reference: Arc::clone(&self.reference) };
        self.pool.encode(&task, &mut self.slices)?;
        drop(task);

        self.laps.start();
        self.tail(decision.qp);
        let mut times = self.laps.take();
        times.count_as_serial();
        self.work = Work::default();
        for slice in &mut self.slices {
            times.add(&slice.laps.take());
            self.work.add(&slice.work);
        }
        self.stage_times.add(&times);
        Ok(EncodedFrame {
            kind: decision.kind,
            scene_cut: decision.scene_cut,
            qp: decision.qp,
            stream: &self.stream,
        })
    }

    /// Copies the source, estimates its cost, and decides.
    fn head(&mut self, picture: &Picture) -> Decision {
        // Nobody else holds it between frames, so this does not copy what is about to be replaced.
        let source = Arc::make_mut(&mut self.source);
        source.copy_extended(picture);
        let estimate = self.lookahead.estimate(&source.luma);
        let decision = self.rate_control.decide(estimate);
        self.stream.clear();
        if decision.kind == FrameKind::I {
            self.frame_num = 0;
            self.idr_pic_id = (self.idr_pic_id + 1) % 2;
            parameter_sets::append(&mut self.stream, self.width, self.height);
        }
        decision
    }

    /// Puts the slices together, filters, and prepares the reference for the next picture.
    fn tail(&mut self, qp: u8) {
        let reference = Arc::make_mut(&mut self.next_reference);
        self.macroblocks.clear();
        for slice in &self.slices {
            self.stream.extend_from_slice(slice.unit());
            self.macroblocks.extend_from_slice(slice.macroblocks());
            let decoded = slice.decoded();
            let [luma, cb, cr] = reference.planes_mut();
            copy_rows(&decoded.luma, luma, slice.first_row() * 16);
            copy_rows(&decoded.cb, cb, slice.first_row() * 8);
            copy_rows(&decoded.cr, cr, slice.first_row() * 8);
        }
        reference.motion.clear();
        reference.motion.extend(self.macroblocks.iter().map(|macroblock| macroblock.mv));
        self.laps.mark(Stage::Control);
        deblock::filter_picture(reference.planes_mut(), &self.macroblocks, self.mbs_wide, qp);
        self.laps.mark(Stage::Deblock);
        reference.complete(&mut self.sums);
        self.laps.mark(Stage::Interpolation);
        std::mem::swap(&mut self.reference, &mut self.next_reference);
        self.frame_num += 1;
    }

    /// What a decoder shows for the last frame, at the configured size: Y, Cb, Cr, row by row.
    #[must_use]
    pub fn decoded(&self) -> Vec<u8> {
        let (width, height) = (self.width as usize, self.height as usize);
        let sizes = [(width, height), (width / 2, height / 2), (width / 2, height / 2)];
        let mut raw = Vec::with_capacity(width * height * 3 / 2);
        for (plane, (width, height)) in self.reference.planes().into_iter().zip(sizes) {
            for y in 0..height {
                raw.extend_from_slice(&plane.row(y)[..width]);
            }
        }
        raw
    }

    /// Times the stages from now on, or no more.
    pub fn time_stages(&mut self, enabled: bool) {
        self.laps.enable(enabled);
        for slice in &mut self.slices {
            slice.laps.enable(enabled);
        }
    }

    /// The time spent in each stage since it was asked for.
    #[must_use]
    pub const fn stage_times(&self) -> &StageTimes {
        &self.stage_times
    }

    /// How much there was to do in the last frame.
    #[cfg(test)]
    pub(super) const fn work(&self) -> Work {
        self.work
    }
}

fn copy_rows(from: &Plane, to: &mut Plane, first: usize) {
    for y in 0..from.height() {
        to.row_mut(first + y).copy_from_slice(from.row(y));
    }
}
