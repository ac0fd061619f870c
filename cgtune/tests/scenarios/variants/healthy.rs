//! Groups that are well and look ill, to somebody who goes by one number.

use std::time::Duration;

use super::super::{
    Machine,
    draw::Draw,
    situation::{Class, Group, Limit, Load, Placed, Pulse, Situation, Stays},
};

fn one(draw: &mut Draw, limit: Option<Limit>, load: Load) -> Situation {
    let mut situation = Situation::alone(draw, Group { limit, ..Group::below(None) });
    situation.load(situation.watched, load);
    situation
}

/// A moment that lies within every watch of four seconds or more: a load is started up to two seconds earlier.
fn moment(draw: &mut Draw) -> Duration {
    Duration::from_millis(u64::from(draw.whole(2500, 4000)))
}

/// One pulse of three quotas and a half: throttled in three of its five periods or so, for 10 to 12 ms in all.
pub(super) fn high_ratio(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.6, 0.66), 10);
    let work_us = draw.between(3.4, 3.6) * limit.quota_us as f64;
    let pulse = Pulse::once(1, work_us, moment(draw));
    one(draw, Some(limit), Load::Pulse(pulse))
}

/// Pulses of a fifth of the quota at most, and one of two quotas: throttled once or twice, for 6 to 10 ms.
pub(super) fn once(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.90, 0.94), 100);
    let quota_us = limit.quota_us as f64;
    let (work_us, average) = (draw.between(0.1, 0.2) * quota_us, draw.between(0.1, 0.15) * limit.cpus());
    let usual = Pulse::averaging(draw, 1, work_us, average);
    let mut situation = one(draw, Some(limit), Load::Pulse(usual));
    let (work_us, after) = (draw.between(2.0, 2.1) * quota_us, moment(draw));
    situation.load(situation.watched, Load::Pulse(Pulse::once(1, work_us, after)));
    situation
}

pub(super) fn busy(draw: &mut Draw, _: Machine) -> Situation {
    let threads = draw.one(&[2, 4]);
    one(draw, None, Load::Hog { threads })
}

pub(super) fn below(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.4, 1.0), draw.one(&[50, 100]));
    let (work_us, average) =
        (draw.between(0.1, 0.3) * limit.quota_us as f64, draw.between(0.1, 0.3) * limit.cpus());
    let pulse = Pulse::averaging(draw, draw_threads(limit), work_us, average);
    one(draw, Some(limit), Load::Pulse(pulse))
}

/// As many threads as the limit has room for.
fn draw_threads(limit: Limit) -> u32 {
    limit.cpus().ceil() as u32
}

pub(super) fn whole_machine(draw: &mut Draw, machine: Machine) -> Situation {
    let limit = Limit::of(f64::from(machine.cpus), 100);
    one(draw, Some(limit), Load::Hog { threads: 1 })
}

/// Small pictures, since an emulated CPU takes twenty times as long: 160x96 takes most of one.
pub(super) fn encoder(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.8, 1.0), 100);
    let (width, height) = draw.one(&[(64, 48), (80, 64), (96, 64)]);
    let seed = draw.seed();
    one(draw, Some(limit), Load::H264 { width, height, seed })
}

/// The counters still tell of a hog that is gone.
pub(super) fn past(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.3, 0.5), 100);
    let (work_us, average) =
        (draw.between(0.1, 0.2) * limit.quota_us as f64, draw.between(0.1, 0.2) * limit.cpus());
    let now = Pulse::averaging(draw, 1, work_us, average);
    let mut situation = one(draw, Some(limit), Load::Pulse(now));
    situation.loads.push(Placed {
        group: situation.watched,
        load: Load::Hog { threads: 2 },
        class: Class::Other,
        stays: Stays::Before(Duration::from_millis(1500)),
    });
    situation
}

pub(super) fn asleep(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.1, 1.0), 100);
    one(draw, Some(limit), Load::Sleep)
}
