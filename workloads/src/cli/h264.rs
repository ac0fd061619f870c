//! `workloads h264`.

use std::fs::File;
use std::io::{BufWriter, IsTerminal};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use workloads::calibrate::{Calibration, calibrate};
use workloads::demand::Demand;
use workloads::h264::{EncodeConfig, EncodeLoop, StageTimes};
use workloads::latency::{ClockConfig, FrameRecord, MonotonicNs};

use super::args::H264Args;
use super::ending::{Ending, Stop};
use super::{json, output, text};

/// A bar for less would only flicker.
const SHORT_NS: u64 = 2_000_000_000;

/// All that is known after a run.
pub(crate) struct Run {
    pub(crate) config: EncodeConfig,
    /// `None` without a frame clock.
    pub(crate) clock: Option<ClockConfig>,
    pub(crate) interval_ns: u64,
    pub(crate) calibration: Option<Calibration>,
    pub(crate) records: Vec<FrameRecord>,
    /// `None` when no frame was encoded.
    pub(crate) demand: Option<Demand>,
    /// The times and what reading the clock cost; `None` unless asked for.
    pub(crate) stages: Option<(StageTimes, f64)>,
    pub(crate) ending: Ending,
}

pub(crate) fn run(args: &H264Args) -> anyhow::Result<Ending> {
    let stop = Stop::listen(args.until_stdin_closes)?;
    let (clock, base) = (args.clock(), args.config()?);
    let interval_ns = clock.interval_ns().unwrap_or(u64::MAX);
    let frames = args.frame_count();
    let bar = progress_bar(frames, interval_ns);

    let calibration = match args.share {
        Some(share) => Some(calibrate(share, &clock, &base, &mut |step| bar.set_message(step.to_owned()))?),
        None => None,
    };
    let config = calibration.as_ref().map_or(base, |calibration| calibration.config.clone());
    bar.set_message("preparing");
    let mut encode = EncodeLoop::prepare(&config)?;
    if let Some(path) = &args.output {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        encode.write_to(Some(Box::new(BufWriter::new(file))));
    }
    encode.time_stages(args.stages);
    bar.set_message("encoding");

    let mut records = Vec::with_capacity(frames as usize);
    let mut keep = |record: &FrameRecord| {
        records.push(record.clone());
        bar.inc(1);
    };
    if args.no_clock {
        encode.run_unpaced(frames, stop.flag(), &mut keep)?;
    } else {
        encode.run(&clock, MonotonicNs::now()?, frames, stop.flag(), &mut keep)?;
    }
    bar.finish_and_clear();

    let run = Run {
        demand: Demand::of(&records, interval_ns),
        config,
        clock: (!args.no_clock).then_some(clock),
        interval_ns,
        calibration,
        records,
        stages: args.stages.then(|| (*encode.stage_times(), StageTimes::measure_clock_read_ns())),
        ending: stop.ending(),
    };
    output::show(&if args.json { json::render(&run)? } else { text::render(&run) })?;
    Ok(run.ending)
}

/// A bar on a terminal for what takes long, otherwise one that draws nothing.
fn progress_bar(frames: u32, interval_ns: u64) -> ProgressBar {
    let long = u64::from(frames).saturating_mul(interval_ns) > SHORT_NS;
    if !long || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    // Five times a second, on the encoding thread between frames: no thread of its own.
    let bar = ProgressBar::with_draw_target(Some(u64::from(frames)), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}
