//! What `workloads h264` takes.

use std::path::PathBuf;
use std::time::Duration;

use workloads::h264::{EncodeConfig, Waste};
use workloads::latency::ClockConfig;

use super::values::{bytes, duration, frame_rate, part, size};

const H264_EXAMPLES: &str = "\
Examples:
  workloads h264 --frames 300
  workloads h264 --share 0.4 --duration 30s --json > run.json
  workloads h264 --size 1280x720 --threads 2 --stages
  workloads h264 --input clip.y4m --output clip.264 --no-clock
  workloads h264 --share 0.4 --waste-compute 5% --waste-memory 8MiB

Latency counts from the intended start of a frame. A quantile that fewer than ten frames lie beyond
is n/a.";

/// What a careless change costs is a group of its own in the help.
const WASTE: &str = "Waste in each frame, for trying a gate against regressions";

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
    /// Burn so much more CPU time a frame, as a part of what the frame itself takes: 0.05 or 5%.
    #[arg(long, value_name = "PART", default_value_t = 0.0, value_parser = part, help_heading = WASTE)]
    pub(crate) waste_compute: f64,
    /// Read and write a buffer of this size after each frame: 8MiB.
    #[arg(long, value_name = "SIZE", default_value = "0KiB", value_parser = bytes, help_heading = WASTE)]
    pub(crate) waste_memory: u64,
    /// Write the frame to /dev/null byte by byte, each with a system call.
    #[arg(long, help_heading = WASTE)]
    pub(crate) waste_writes: bool,
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
            waste: Waste {
                compute_frac: self.waste_compute,
                memory_bytes: self.waste_memory,
                one_by_one: self.waste_writes,
            },
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
