//! Where the CPU time of a frame goes, stage by stage, for whoever asks; off, it costs a branch.

use std::time::Instant;

/// A stage of the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Motion search by sums of absolute differences.
    Search,
    /// Sums of absolute transformed differences: refinement and mode decision.
    Satd,
    /// Fractional samples: half-sample planes and motion compensation.
    Interpolation,
    /// Forward and inverse transforms, reconstruction.
    Transform,
    /// Quantisation and its inverse.
    Quantization,
    /// The deblocking filter.
    Deblock,
    /// Bits: CAVLC and syntax.
    Entropy,
    /// Intra prediction.
    Intra,
    /// The rest: copies, lookahead, decisions, assembly.
    Control,
}

impl Stage {
    /// All of them, in the order of [`StageTimes`].
    pub const ALL: [Self; 9] = [
        Self::Search,
        Self::Satd,
        Self::Interpolation,
        Self::Transform,
        Self::Quantization,
        Self::Deblock,
        Self::Entropy,
        Self::Intra,
        Self::Control,
    ];

    /// A short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Satd => "satd",
            Self::Interpolation => "interpolation",
            Self::Transform => "transform",
            Self::Quantization => "quantization",
            Self::Deblock => "deblock",
            Self::Entropy => "entropy",
            Self::Intra => "intra",
            Self::Control => "control",
        }
    }
}

/// Wall time by stage, summed over slices. Where slices run in parallel it is more than the
/// frame's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    ns: [u64; Stage::ALL.len()],
    marks: [u64; Stage::ALL.len()],
    /// Of all that, the time in the serial head and tail.
    serial_ns: u64,
}

impl StageTimes {
    /// Time in one stage, without what reading the clock took.
    #[must_use]
    pub fn ns(&self, stage: Stage, clock_read_ns: f64) -> u64 {
        let at = stage as usize;
        self.ns[at].saturating_sub((self.marks[at] as f64 * clock_read_ns) as u64)
    }

    /// A stage's part of all stages, 0 to 1; `None` when nothing was timed.
    #[must_use]
    pub fn frac(&self, stage: Stage, clock_read_ns: f64) -> Option<f64> {
        let total: u64 = Stage::ALL.iter().map(|&stage| self.ns(stage, clock_read_ns)).sum();
        (total > 0).then(|| self.ns(stage, clock_read_ns) as f64 / total as f64)
    }

    /// The part of all work that lies in the serial head and tail; `None` when nothing was timed.
    #[must_use]
    pub fn serial_frac(&self) -> Option<f64> {
        let total: u64 = self.ns.iter().sum();
        (total > 0).then(|| self.serial_ns as f64 / total as f64)
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (to, from) in self.ns.iter_mut().zip(other.ns) {
            *to += from;
        }
        for (to, from) in self.marks.iter_mut().zip(other.marks) {
            *to += from;
        }
        self.serial_ns += other.serial_ns;
    }

    pub(super) fn count_as_serial(&mut self) {
        self.serial_ns = self.ns.iter().sum();
    }

    /// What one reading of the clock costs here and now, to correct the stages for.
    #[must_use]
    pub fn measure_clock_read_ns() -> f64 {
        const READS: u32 = 20_000;
        let start = Instant::now();
        for _ in 0..READS {
            std::hint::black_box(Instant::now());
        }
        start.elapsed().as_nanos() as f64 / f64::from(READS)
    }
}

/// Attributes the time between two marks to the stage that the second one names.
#[derive(Clone, Debug, Default)]
pub(super) struct Laps {
    enabled: bool,
    last: Option<Instant>,
    times: StageTimes,
}

impl Laps {
    pub(super) fn enable(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// Starts counting from now.
    pub(super) fn start(&mut self) {
        if self.enabled {
            self.last = Some(Instant::now());
        }
    }

    /// Ends a stage.
    #[inline]
    pub(super) fn mark(&mut self, stage: Stage) {
        if self.enabled {
            self.mark_now(stage);
        }
    }

    #[cold]
    fn mark_now(&mut self, stage: Stage) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.times.ns[stage as usize] += u64::try_from((now - last).as_nanos()).unwrap_or(u64::MAX);
            self.times.marks[stage as usize] += 1;
        }
    }

    /// The times since the last call.
    pub(super) fn take(&mut self) -> StageTimes {
        std::mem::take(&mut self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_timed_unless_asked_for() {
        let mut laps = Laps::default();
        laps.start();
        laps.mark(Stage::Search);
        assert_eq!(laps.take(), StageTimes::default());
        assert_eq!(StageTimes::default().frac(Stage::Search, 0.0), None);
    }

    #[test]
    fn all_shares_make_one() {
        let mut laps = Laps::default();
        laps.enable(true);
        laps.start();
        for stage in Stage::ALL {
            std::thread::sleep(std::time::Duration::from_micros(100));
            laps.mark(stage);
        }
        let times = laps.take();
        let sum: f64 = Stage::ALL.iter().filter_map(|&stage| times.frac(stage, 0.0)).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}
