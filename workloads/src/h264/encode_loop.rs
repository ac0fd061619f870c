//! The loop: one frame after the other, each at its time.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use super::encoder::Encoder;
use super::stages::StageTimes;
use super::waste::Waster;
use super::{EncodeConfig, EncodedFrame};
use crate::Error;
use crate::clock;
use crate::latency::{ClockConfig, FrameRecord, MonotonicNs, Schedule};
use crate::video::Clip;

/// A prepared load: the clip in memory, everything allocated, the slice threads waiting.
pub struct EncodeLoop {
    clip: Clip,
    encoder: Encoder,
    sink: Option<Box<dyn Write + Send>>,
    /// `None` where nothing is wasted.
    waster: Option<Waster>,
}

impl fmt::Debug for EncodeLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodeLoop").field("frames", &self.clip.frames()).finish_non_exhaustive()
    }
}

impl EncodeLoop {
    /// Draws or reads the clip, allocates, and starts the slice threads. No clock runs yet.
    ///
    /// # Errors
    /// When the configuration is not usable, the clip cannot be read, or a thread cannot be started; with waste by small
    /// writes also when there is no `/dev/null`.
    pub fn prepare(config: &EncodeConfig) -> Result<Self, Error> {
        let encoder = Encoder::new(config)?;
        let waste = &config.waste;
        let waster = (!waste.is_none()).then(|| Waster::prepare(waste)).transpose()?;
        Ok(Self { clip: config.load_clip()?, encoder, sink: None, waster })
    }

    /// Writes the streams of all runs from now on to `sink`, or nowhere. Writing happens between
    /// frames and is in no record; the writes of [`Waste`](super::Waste) are not these.
    pub fn write_to(&mut self, sink: Option<Box<dyn Write + Send>>) {
        self.sink = sink;
    }

    /// Encodes `frames` frames, each at its time after `origin`, and calls `on_frame` after each.
    /// Every run is a stream of its own from the clip's beginning: two runs do the same work.
    ///
    /// A frame that is due already starts at once; none is dropped. Setting `stop` ends the run
    /// before the next frame; what was encoded has been reported.
    ///
    /// The CPU time in the records is the whole process's: whoever burns CPU on other threads at
    /// the same time finds it there.
    ///
    /// # Errors
    /// When the clock's settings are not usable, a slice thread is gone, or the stream cannot be
    /// written.
    pub fn run(
        &mut self,
        clock: &ClockConfig,
        origin: MonotonicNs,
        frames: u32,
        stop: &AtomicBool,
        on_frame: &mut dyn FnMut(&FrameRecord),
    ) -> Result<(), Error> {
        self.encoder.reset();
        for (index, intended_ns) in (0..frames).zip(Schedule::new(clock)?) {
            if !clock::sleep_until(origin.plus_ns(intended_ns), stop)? {
                break;
            }
            let record = self.timed_frame(index, intended_ns, origin)?;
            on_frame(&record);
        }
        self.flush()
    }

    /// Encodes `frames` frames back to back, without a clock: each is meant to start when the one
    /// before ended. Otherwise like [`Self::run`].
    ///
    /// # Errors
    /// As for [`Self::run`].
    pub fn run_unpaced(
        &mut self,
        frames: u32,
        stop: &AtomicBool,
        on_frame: &mut dyn FnMut(&FrameRecord),
    ) -> Result<(), Error> {
        self.encoder.reset();
        let origin = MonotonicNs::now()?;
        for index in 0..frames {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let intended_ns = MonotonicNs::now()?.ns_since(origin);
            let record = self.timed_frame(index, intended_ns, origin)?;
            on_frame(&record);
        }
        self.flush()
    }

    fn timed_frame(
        &mut self,
        index: u32,
        intended_ns: u64,
        origin: MonotonicNs,
    ) -> Result<FrameRecord, Error> {
        let start_ns = MonotonicNs::now()?.ns_since(origin);
        let cpu_before = clock::process_cpu_ns()?;
        let frame = self.encoder.encode(self.clip.picture(u64::from(index)))?;
        let mut cpu_ns = clock::process_cpu_ns()?.saturating_sub(cpu_before);
        if let Some(waster) = &mut self.waster {
            waster.waste(cpu_ns, frame.stream)?;
            cpu_ns = clock::process_cpu_ns()?.saturating_sub(cpu_before);
        }
        let end_ns = MonotonicNs::now()?.ns_since(origin);
        let EncodedFrame { kind, scene_cut, stream, .. } = frame;
        if let Some(sink) = &mut self.sink {
            sink.write_all(stream).map_err(Error::WriteStream)?;
        }
        Ok(FrameRecord { index, intended_ns, start_ns, end_ns, cpu_ns, kind, bits: frame.bits(), scene_cut })
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.sink.as_mut().map_or(Ok(()), |sink| sink.flush().map_err(Error::WriteStream))
    }

    /// Times the stages of the encoder from now on, or no more. It costs some microseconds a
    /// macroblock row, so records made meanwhile are a little high.
    pub fn time_stages(&mut self, enabled: bool) {
        self.encoder.time_stages(enabled);
    }

    /// The time spent in each stage since it was asked for.
    #[must_use]
    pub const fn stage_times(&self) -> &StageTimes {
        self.encoder.stage_times()
    }

    /// What a decoder shows for the last frame: the samples of Y, Cb and Cr, row by row.
    #[must_use]
    pub fn decoded(&self) -> Vec<u8> {
        self.encoder.decoded()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::h264::Waste;

    /// A sink that is looked at afterwards.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn stream(waste: Waste) -> (Vec<u8>, u64) {
        let config =
            EncodeConfig { width: 64, height: 48, clip_frames: 6, gop: 4, waste, ..EncodeConfig::default() };
        let (mut encode, kept, mut bits) = (EncodeLoop::prepare(&config).unwrap(), Kept::default(), 0);
        encode.write_to(Some(Box::new(kept.clone())));
        encode.run_unpaced(6, &AtomicBool::new(false), &mut |frame| bits += frame.bits).unwrap();
        drop(encode);
        (kept.0.lock().unwrap().clone(), bits)
    }

    #[test]
    fn waste_does_not_change_a_bit() {
        let (bytes, bits) = stream(Waste::default());
        assert_eq!(bits, 8 * bytes.len() as u64);
        let everything = Waste { compute_frac: 0.5, memory_bytes: 1 << 16, one_by_one: true };
        assert_eq!(stream(everything), (bytes, bits));
    }
}
