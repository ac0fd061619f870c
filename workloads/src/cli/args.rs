//! What can be typed, and what it means.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use workloads::h264::EncodeConfig;
use workloads::latency::ClockConfig;
use workloads::pulse::PulseConfig;

/// Loads that burn CPU the way real programs do, and tell how long each piece of work took.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) load: Load,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 2 an error or wrong use, 130 interrupted (what was done is shown).";

#[derive(Debug, Subcommand)]
pub(crate) enum Load {
    /// Encode H.264 against a frame clock, and tell the latency and CPU time of each frame.
    H264(H264Args),
    /// Wake some threads together now and then, each to burn so much CPU time, and tell the latency of each pulse.
    Pulse(PulseArgs),
    /// Burn CPU with some threads until stopped.
    Hog(HogArgs),
}

const H264_EXAMPLES: &str = "\
Examples:
  workloads h264 --frames 300
  workloads h264 --share 0.4 --duration 30s --json > run.json
  workloads h264 --size 1280x720 --threads 2 --stages
  workloads h264 --input clip.y4m --output clip.264 --no-clock

Latency counts from the intended start of a frame. A quantile that fewer than ten frames lie beyond
is n/a.";

#[derive(Debug, clap::Args)]
#[command(after_help = H264_EXAMPLES)]
pub(crate) struct H264Args {
    /// How many frames to encode [default: 300].
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    pub(crate) frames: Option<u32>,
    /// Encode for so long instead, such as 10s or 2m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Frames a second: 29.97, 59.94, 25, 30000/1001.
    #[arg(long, value_name = "RATE", default_value = "29.97", value_parser = frame_rate)]
    pub(crate) fps: (u32, u32),
    /// How far each intended start moves at random, as a part of the interval either way: 0.25 or 25%.
    #[arg(long, value_name = "PART", default_value_t = ClockConfig::default().jitter, value_parser = part)]
    pub(crate) jitter: f64,
    /// Encode back to back, without a frame clock.
    #[arg(long, conflicts_with_all = ["duration", "jitter"])]
    pub(crate) no_clock: bool,
    /// Picture size [default: 640x360, or the input's].
    #[arg(long, value_name = "WxH", value_parser = size, conflicts_with_all = ["share", "input"])]
    pub(crate) size: Option<(u32, u32)>,
    /// Choose the size so that a frame costs this part of the frame interval in CPU time.
    #[arg(long, value_name = "PART", conflicts_with = "input")]
    pub(crate) share: Option<f64>,
    /// Slices a frame, each encoded by a thread of its own.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: u32,
    /// The quantiser's parameter.
    #[arg(long, value_name = "QP", default_value_t = EncodeConfig::default().qp)]
    pub(crate) qp: u8,
    /// An I frame at least every so many frames.
    #[arg(long, value_name = "N", default_value_t = EncodeConfig::default().gop)]
    pub(crate) gop: u32,
    /// Encode this YUV4MPEG2 file (8-bit 4:2:0) instead of the synthetic scene.
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// How many different pictures to keep in memory; they play back and forth.
    #[arg(long, value_name = "N", default_value_t = EncodeConfig::default().clip_frames)]
    pub(crate) clip_frames: u32,
    /// Seed of the scene and of the jitter.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Cut to another view every so many frames.
    #[arg(long, value_name = "N", conflicts_with = "input")]
    pub(crate) scene_cut_every: Option<u32>,
    /// How far things move in the scene, 1 is usual.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, conflicts_with = "input")]
    pub(crate) motion: f64,
    /// How strong the noise is, 1 is usual.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, conflicts_with = "input")]
    pub(crate) noise: f64,
    /// Write the stream (Annex B) to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show where the CPU time goes. Timing costs some of it, so frames look slower.
    #[arg(long)]
    pub(crate) stages: bool,
    /// JSON with all frames instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// End when standard input is closed, so that no load outlives who started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

const PULSE_EXAMPLES: &str = "\
Examples:
  workloads pulse --work 20ms --every 250ms
  workloads pulse --work 300ms --every 1h --jitter 0 --after 5s --duration 10s
  workloads pulse --threads 8 --work 5ms --every 200ms --jitter 30% --seed 7 --duration 30s --json

Latency counts from the intended start of a pulse to the end of its last thread. A thread that is late
starts at once. A quantile that fewer than ten pulses lie beyond is n/a.";

#[derive(Debug, clap::Args)]
#[command(after_help = PULSE_EXAMPLES)]
pub(crate) struct PulseArgs {
    /// How many threads wake together.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: u32,
    /// CPU time that each thread burns in a pulse, such as 20ms.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) work: Duration,
    /// From one pulse to the next, 1ms to 1h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) every: Duration,
    /// How far each intended start moves at random, as a part of that time either way: 0.25 or 25%.
    #[arg(long, value_name = "PART", default_value_t = PulseConfig::default().jitter, value_parser = part)]
    pub(crate) jitter: f64,
    /// Seed of the jitter.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Sleep so long before the first pulse.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub(crate) after: Duration,
    /// End after this time, such as 10s; without it, when interrupted.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// JSON with all pulses instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// End when standard input is closed, so that no load outlives who started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

impl PulseArgs {
    pub(crate) fn config(&self) -> PulseConfig {
        PulseConfig {
            threads: self.threads,
            work_ns: nanoseconds(self.work),
            every_ns: nanoseconds(self.every),
            jitter: self.jitter,
            seed: self.seed,
        }
    }

    /// From the start of the load to the origin of its pulses.
    pub(crate) fn after_ns(&self) -> u64 {
        nanoseconds(self.after)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  workloads hog --threads 2 --duration 10s\n  workloads hog --until-stdin-closes"
)]
pub(crate) struct HogArgs {
    /// How many threads burn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: u32,
    /// End after this time, such as 10s; without it, when interrupted.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// End when standard input is closed, so that no load outlives who started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

impl H264Args {
    pub(crate) fn clock(&self) -> ClockConfig {
        let (fps_num, fps_den) = self.fps;
        ClockConfig { fps_num, fps_den, jitter: self.jitter, seed: self.seed }
    }

    /// The configuration as typed; a size chosen by `--share` comes later.
    pub(crate) fn config(&self) -> Result<EncodeConfig, workloads::Error> {
        let default = EncodeConfig::default();
        let (width, height) = self.size.unwrap_or((default.width, default.height));
        let config = EncodeConfig {
            width,
            height,
            qp: self.qp,
            gop: self.gop,
            threads: self.threads,
            scene: workloads::h264::SceneConfig {
                seed: self.seed,
                cut_every: self.scene_cut_every,
                motion: self.motion,
                noise: self.noise,
            },
            input: None,
            clip_frames: self.clip_frames,
        };
        match &self.input {
            Some(path) => config.with_input(path),
            None => Ok(config),
        }
    }

    /// How many frames were asked for.
    pub(crate) fn frame_count(&self) -> u32 {
        let (fps_num, fps_den) = (f64::from(self.fps.0), f64::from(self.fps.1));
        match (self.frames, self.duration) {
            (Some(frames), _) => frames,
            (None, Some(duration)) => (duration.as_secs_f64() * fps_num / fps_den).ceil() as u32,
            (None, None) => 300,
        }
    }
}

/// A duration with a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wanted = || format!("a duration needs a unit (us, ms, s, m, h): {number}s or {number}ms?");
    let seconds = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if !number.is_empty() => return Err(wanted()),
        _ => return Err("not a duration, such as 500ms, 10s or 2m".into()),
    };
    let number: f64 = number.parse().map_err(|_| "not a duration, such as 500ms, 10s or 2m".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

/// A part of a whole: a fraction, or a percentage.
fn part(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    number.parse().map(|part: f64| part / unit).map_err(|_| "not a part, such as 0.25 or 25%".into())
}

/// A frame rate; the decimal names of the 1000/1001 rates mean those exactly.
fn frame_rate(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "not a frame rate, such as 29.97, 25 or 30000/1001".to_owned();
    match text {
        "23.976" | "23.98" => return Ok((24_000, 1001)),
        "29.97" => return Ok((30_000, 1001)),
        "59.94" => return Ok((60_000, 1001)),
        _ => {}
    }
    let (num, den) = match text.split_once('/') {
        Some((num, den)) => (num.parse().map_err(|_| wrong())?, den.parse().map_err(|_| wrong())?),
        None => {
            let rate: f64 = text.parse().map_err(|_| wrong())?;
            if rate.fract() == 0.0 { (rate as u32, 1) } else { ((rate * 1000.0).round() as u32, 1000) }
        }
    };
    if num == 0 || den == 0 { Err(wrong()) } else { Ok((num, den)) }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    text.split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
        .ok_or_else(|| "not a size, such as 1280x720".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("20ms"), Ok(Duration::from_millis(20)));
        assert!(duration("20").unwrap_err().contains("20s or 20ms"));
        for bad in ["", "s", "-1s", "1.2.3s", "3 weeks", "1e99h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_part_is_a_fraction_or_a_percentage() {
        assert_eq!((part("0.25"), part("30%"), part("0")), (Ok(0.25), Ok(0.3), Ok(0.0)));
        for bad in ["", "%", "30 percent", "1/4"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn frame_rates_are_exact() {
        assert_eq!(frame_rate("29.97"), Ok((30_000, 1001)));
        assert_eq!(frame_rate("25"), Ok((25, 1)));
        assert_eq!(frame_rate("12.5"), Ok((12_500, 1000)));
        assert_eq!(frame_rate("24000/1001"), Ok((24_000, 1001)));
        for bad in ["0", "-1", "a", "1/0", "0/1", "nan"] {
            assert!(frame_rate(bad).is_err(), "{bad}");
        }
    }
}
