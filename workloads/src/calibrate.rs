//! Choosing the picture size whose encoding costs a wanted share of the frame interval on this
//! machine.
//!
//! The cost is nearly linear in the area, since the scene does not depend on the size. So: encode
//! a little at a small size, go to the size that should fit, encode a little there, correct, and
//! verify with the frame clock running, because a frame after a pause costs more than one in a
//! row (cold caches, a sleeping CPU).
//!
//! Not here: limits of any kind. Calibrate where nothing limits the process; CPU time is counted,
//! so other load on the machine matters little.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::h264::{EncodeConfig, EncodeLoop, Waste};
use crate::latency::{ClockConfig, MonotonicNs};

/// Picture sizes near 16:9, both sides multiples of 16; each has at most 12 % more area than the
/// one before.
#[rustfmt::skip]
const LADDER: &[(u32, u32)] = &[
    (160, 96), (176, 96), (192, 96), (176, 112), (192, 112), (208, 112), (224, 112), (208, 128),
    (224, 128), (240, 128), (256, 128), (240, 144), (256, 144), (272, 144), (272, 160), (304, 160),
    (304, 176), (336, 176), (336, 192), (368, 192), (368, 208), (400, 208), (416, 224), (432, 240),
    (448, 256), (464, 272), (496, 272), (512, 288), (528, 304), (560, 320), (592, 336), (624, 352),
    (656, 368), (688, 384), (704, 400), (736, 416), (768, 432), (800, 448), (832, 480), (880, 496),
    (912, 512), (944, 528), (992, 560), (1024, 576), (1072, 608), (1136, 640), (1200, 672), (1248, 704),
    (1312, 736), (1360, 768), (1424, 800), (1504, 848), (1568, 880), (1648, 928), (1728, 976),
    (1824, 1024), (1920, 1088),
];

/// Where the first probe is made: small enough to be quick on a slow machine.
const FIRST_PROBE: (u32, u32) = (320, 176);
const PROBE_FRAMES: u32 = 16;
/// About a second of frames, over several of the scene's swings.
const VERIFY_FRAMES: u32 = 30;
/// A verified cost this near is accepted: half a step of the ladder.
const TOLERANCE: f64 = 0.06;
/// Further away than this, no size fits.
const FAR: f64 = 0.25;

/// A configuration whose cost is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The base configuration with the chosen size.
    pub config: EncodeConfig,
    /// The mean CPU time of a frame, nothing wasted, over the frame interval, as verified with the clock running.
    pub measured_share: f64,
    /// The mean CPU time of a frame.
    pub mean_cpu_ns: u64,
    /// How many frames that mean is of.
    pub frames: u32,
    /// The frame interval.
    pub interval_ns: u64,
}

/// Finds the size for which a frame costs `share` of the clock's interval in CPU time, all threads
/// together, and tells `progress` what it is doing. Takes up to about three seconds at 30 frames
/// a second, and on a machine whose speed changes up to seven.
///
/// What `base` wastes comes on top: the share is that of the frame before somebody was careless.
///
/// # Errors
/// When the settings are not usable, `base` has an input file (whose size cannot be chosen), or no
/// size comes near the share.
pub fn calibrate(
    share: f64,
    clock: &ClockConfig,
    base: &EncodeConfig,
    progress: &mut dyn FnMut(&str),
) -> Result<Calibration, Error> {
    let interval_ns = clock.interval_ns().unwrap_or(0);
    if !(share > 0.0 && share <= f64::from(base.threads)) {
        return Err(Error::Setting {
            name: "share of the frame interval",
            value: share.to_string(),
            hint: "above 0, and up to 1 for each thread",
        });
    }
    if let Some(input) = &base.input {
        return Err(Error::Setting {
            name: "input with a share",
            value: input.display().to_string(),
            hint: "the size of a file cannot be chosen: leave out the input or the share",
        });
    }
    let wanted_ns = share * interval_ns as f64;
    let at = |(width, height)| EncodeConfig { width, height, waste: Waste::default(), ..base.clone() };

    progress(&format!("probing {}x{}", FIRST_PROBE.0, FIRST_PROBE.1));
    let first_ns = mean_cpu_ns(&at(FIRST_PROBE), None, PROBE_FRAMES)?;
    let mut size = nearest(area(FIRST_PROBE) * wanted_ns / first_ns);
    progress(&format!("probing {}x{}", size.0, size.1));
    let second_ns = mean_cpu_ns(&at(size), None, PROBE_FRAMES)?;
    size = nearest(area(size) * wanted_ns / second_ns);

    // The second round corrects for what the pauses between frames cost; a third would chase noise, unless the second is so far
    // off that the machine must have changed its speed in between.
    let mut found = verify(&at(size), clock, interval_ns, progress)?;
    for enough in [TOLERANCE, FAR, FAR, FAR, FAR] {
        let off = found.measured_share / share;
        let next = nearest(area(size) / off);
        if (off - 1.0).abs() <= enough || next == size {
            break;
        }
        size = next;
        found = verify(&at(size), clock, interval_ns, progress)?;
    }
    if (found.measured_share / share - 1.0).abs() > FAR {
        return Err(Error::Share {
            wanted: share,
            measured: found.measured_share,
            width: found.config.width,
            height: found.config.height,
        });
    }
    found.config.waste = base.waste.clone();
    Ok(found)
}

fn verify(
    config: &EncodeConfig,
    clock: &ClockConfig,
    interval_ns: u64,
    progress: &mut dyn FnMut(&str),
) -> Result<Calibration, Error> {
    progress(&format!("verifying {}x{}", config.width, config.height));
    let mean_ns = mean_cpu_ns(config, Some(clock), VERIFY_FRAMES)?;
    Ok(Calibration {
        config: config.clone(),
        measured_share: mean_ns / interval_ns.max(1) as f64,
        mean_cpu_ns: mean_ns as u64,
        frames: VERIFY_FRAMES,
        interval_ns,
    })
}

/// The mean CPU time of the first frames: paced by a clock, or one after the other.
fn mean_cpu_ns(config: &EncodeConfig, clock: Option<&ClockConfig>, frames: u32) -> Result<f64, Error> {
    let short = EncodeConfig { clip_frames: frames.min(config.clip_frames), ..config.clone() };
    let mut encode = EncodeLoop::prepare(&short)?;
    let never = AtomicBool::new(false);
    let mut sum = 0.0;
    let mut add = |record: &crate::latency::FrameRecord| sum += record.cpu_ns as f64;
    match clock {
        Some(clock) => encode.run(clock, MonotonicNs::now()?, frames, &never, &mut add)?,
        None => encode.run_unpaced(frames, &never, &mut add)?,
    }
    Ok(sum / f64::from(frames))
}

fn area((width, height): (u32, u32)) -> f64 {
    f64::from(width) * f64::from(height)
}

/// The size of the ladder nearest to an area, by ratio.
fn nearest(wanted: f64) -> (u32, u32) {
    let off = |&size: &(u32, u32)| (area(size) / wanted).ln().abs();
    LADDER.iter().copied().min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(FIRST_PROBE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_rises_in_small_steps() {
        for pair in LADDER.windows(2) {
            let step = area(pair[1]) / area(pair[0]);
            assert!((1.0..=1.12).contains(&step) && step > 1.0, "{pair:?}: {step:.3}");
        }
        for &(width, height) in LADDER {
            assert!(width % 16 == 0 && height % 16 == 0);
            let aspect = f64::from(width) / f64::from(height);
            assert!((1.4..2.2).contains(&aspect), "{width}x{height}");
        }
        assert_eq!((LADDER[0], LADDER[LADDER.len() - 1]), ((160, 96), (1920, 1088)));
    }

    #[test]
    fn the_nearest_size_is_nearest_by_ratio() {
        assert_eq!(nearest(1.0), (160, 96));
        assert_eq!(nearest(1e9), (1920, 1088));
        assert_eq!(nearest(624.0 * 355.0), (624, 352));
    }

    #[test]
    fn what_cannot_be_calibrated_is_refused() {
        let clock = ClockConfig::default();
        for share in [0.0, -1.0, 1.5, f64::NAN] {
            assert!(calibrate(share, &clock, &EncodeConfig::default(), &mut |_| {}).is_err());
        }
        let with_input = EncodeConfig { input: Some("clip.y4m".into()), ..EncodeConfig::default() };
        assert!(calibrate(0.4, &clock, &with_input, &mut |_| {}).is_err());
    }
}
