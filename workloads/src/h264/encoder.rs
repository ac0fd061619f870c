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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::{Clip, SceneConfig};

    fn config() -> EncodeConfig {
        EncodeConfig { width: 208, height: 120, gop: 8, clip_frames: 12, ..EncodeConfig::default() }
    }

    fn clip(config: &EncodeConfig) -> Clip {
        Clip::from_scene(&config.scene, config.width, config.height, config.clip_frames)
    }

    /// All of a stream: kinds, bytes, and what a decoder shows.
    fn encode_all(config: &EncodeConfig) -> Vec<(FrameKind, Vec<u8>, Vec<u8>)> {
        let clip = clip(config);
        let mut encoder = Encoder::new(config).unwrap();
        (0..config.clip_frames)
            .map(|index| {
                let frame = encoder.encode(clip.picture(index.into())).unwrap();
                let (kind, stream) = (frame.kind, frame.stream.to_vec());
                (kind, stream, encoder.decoded())
            })
            .collect()
    }

    fn psnr_db(a: &[u8], b: &[u8]) -> f64 {
        let squares: f64 = a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2)).sum();
        10.0 * (255.0 * 255.0 * a.len() as f64 / squares.max(1.0)).log10()
    }

    #[test]
    fn finer_quantisers_cost_more_bits_and_come_nearer_to_the_source() {
        let mut before: Option<(usize, f64)> = None;
        for (qp, floor_db) in [(40, 24.0), (34, 28.0), (28, 32.0), (22, 36.0), (16, 41.0)] {
            let config = EncodeConfig { qp, ..config() };
            let clip = clip(&config);
            let frames = encode_all(&config);
            let bytes = frames.iter().map(|(_, stream, _)| stream.len()).sum();
            let worst = (0..)
                .zip(&frames)
                .map(|(index, (_, _, decoded))| psnr_db(decoded, &clip.picture(index).to_raw()))
                .fold(f64::INFINITY, f64::min);
            assert!(worst > floor_db, "QP {qp}: {worst:.1} dB");
            if let Some((fewer, lower)) = before.replace((bytes, worst)) {
                assert!(bytes > fewer && worst > lower, "QP {qp}");
            }
        }
    }

    #[test]
    fn the_same_configuration_gives_the_same_stream() {
        for threads in [1, 3] {
            let config = EncodeConfig { threads, ..config() };
            assert_eq!(encode_all(&config), encode_all(&config), "{threads} threads");
        }
    }

    /// A change of this number is a change of the load: results from before and after it do not
    /// compare. It is not wrong, but must be meant.
    #[test]
    fn the_stream_is_the_one_it_was() {
        // FNV-1a: the standard library's hashes may change with its version.
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for (_, stream, _) in encode_all(&EncodeConfig { threads: 2, ..config() }) {
            for byte in stream {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        assert_eq!(hash, 0xbdc4_709f_40b9_74c0, "the load has changed");
    }

    #[test]
    fn a_reset_starts_the_same_stream_again() {
        let config = config();
        let clip = clip(&config);
        let mut encoder = Encoder::new(&config).unwrap();
        let encode =
            |encoder: &mut Encoder, index| encoder.encode(clip.picture(index)).unwrap().stream.to_vec();
        let first: Vec<Vec<u8>> = (0..5).map(|index| encode(&mut encoder, index)).collect();
        encoder.reset();
        let again: Vec<Vec<u8>> = (0..5).map(|index| encode(&mut encoder, index)).collect();
        assert_eq!(first, again);
    }

    #[test]
    fn frames_come_in_groups_and_cuts_start_new_ones() {
        let kinds: Vec<FrameKind> = encode_all(&config()).into_iter().map(|(kind, ..)| kind).collect();
        let i_frames: Vec<usize> = (0..12).filter(|&i| kinds[i] == FrameKind::I).collect();
        assert_eq!(i_frames, [0, 8]);

        let scene = SceneConfig { cut_every: Some(5), ..SceneConfig::default() };
        let config = EncodeConfig { scene, gop: 60, ..config() };
        let clip = clip(&config);
        let mut encoder = Encoder::new(&config).unwrap();
        let cuts: Vec<u64> =
            (0..12).filter(|&index| encoder.encode(clip.picture(index)).unwrap().scene_cut).collect();
        assert_eq!(cuts, [5, 10]);
    }

    #[test]
    fn a_still_picture_is_skipped() {
        let config = config();
        let clip = clip(&config);
        let mut encoder = Encoder::new(&config).unwrap();
        for _ in 0..4 {
            encoder.encode(clip.picture(0)).unwrap();
        }
        let work = encoder.work();
        assert!(work.skipped * 10 > work.macroblocks * 9, "{work:?}");
    }

    #[test]
    fn a_picture_of_another_size_is_fitted_rather_than_a_panic() {
        let mut encoder = Encoder::new(&config()).unwrap();
        let other = Clip::from_scene(&SceneConfig::default(), 640, 64, 1);
        encoder.encode(other.picture(0)).unwrap();
    }
}
