//! A load as it is typed, `encoder:fps=60,mean=8ms`, or a file of what was recorded.

use anyhow::anyhow;
use cgtune_core::{
    Bandwidth, Micros, Nanos,
    sim::{
        Pattern, SystemCalls,
        pattern::{Encoder, Periodic, Recorded, Service},
        scenario::Neighbour,
    },
};

use super::recorded;
use crate::failure::Hinted;

/// Reads a load.
pub(super) fn read(text: &str) -> anyhow::Result<Pattern> {
    let (name, settings) = text.split_once(':').unwrap_or((text, ""));
    let mut settings = Settings::of(settings)?;
    let pattern = match name {
        "encoder" => {
            let usual = Encoder::default();
            let fps = settings.number("fps", 1e9 / usual.interval.get() as f64, 0.01, 100_000.0)?;
            Pattern::Encoder(Encoder {
                interval: nanos(1e9 / fps),
                jitter: settings.number("jitter", usual.jitter, 0.0, 1.0)?,
                mean: settings.time("mean", usual.mean)?,
                cv: settings.number("cv", usual.cv, 0.0, 10.0)?,
                lag1: settings.number("lag1", usual.lag1, 0.0, 0.99)?,
                i_over_p: settings.number("ip", usual.i_over_p, 0.01, 100.0)?,
                gop: settings.count("gop", usual.gop, 1_000_000)?,
                slices: settings.count("slices", usual.slices, 1024)?,
                serial: settings.number("serial", usual.serial, 0.0, 1.0)?,
            })
        }
        "service" => {
            let rate = settings.number("rate", 100.0, 0.001, 1e6)?;
            Pattern::Service(Service {
                between: nanos(1e9 / rate),
                mean: settings.time("mean", Nanos::new(5_000_000))?,
                fan_out: settings.count("fan-out", 1, 1024)?,
                threads: settings.count("threads", 4, 1024)?,
            })
        }
        "periodic" => Pattern::Periodic(periodic(&mut settings, 100, 20, 1)?),
        "gc" => Pattern::Periodic(periodic(&mut settings, 2_000, 50, 4)?),
        "fork-join" => Pattern::Periodic(periodic(&mut settings, 50, 5, 4)?),
        "hog" => Pattern::Hog { threads: settings.count("threads", 1, 1024)? },
        // A name may have a colon in it.
        _ => return recorded::read(text),
    };
    settings.end(name)?;
    Ok(pattern)
}

/// Work on all threads at once, again and again: by default every so many ms, so many ms on each thread.
fn periodic(settings: &mut Settings<'_>, every: u64, each: u64, threads: u32) -> anyhow::Result<Periodic> {
    let ms = |ms: u64| Micros::from_ms(ms).to_nanos();
    Ok(Periodic {
        every: settings.time("every", ms(every))?,
        each: settings.time("each", ms(each))?,
        threads: settings.count("threads", threads, 1024)?,
    })
}

/// The setting by which a load as typed says how many threads it has, if it does.
pub(super) fn own_threads(text: &str) -> Option<&'static str> {
    let (name, settings) = text.split_once(':')?;
    let key = match name {
        "encoder" => "slices",
        "service" | "periodic" | "gc" | "fork-join" | "hog" => "threads",
        _ => return None,
    };
    let sets = |part: &str| part.split_once('=').is_some_and(|(name, _)| name == key);
    settings.split(',').any(sets).then_some(key)
}

/// The same load on so many threads.
pub(super) fn on_threads(pattern: &Pattern, threads: u32) -> Pattern {
    match pattern.clone() {
        Pattern::Encoder(encoder) => Pattern::Encoder(Encoder { slices: threads, ..encoder }),
        Pattern::Service(service) => Pattern::Service(Service { threads, ..service }),
        Pattern::Periodic(periodic) => Pattern::Periodic(Periodic { threads, ..periodic }),
        Pattern::Hog { .. } => Pattern::Hog { threads },
        Pattern::Recorded(recorded) => Pattern::Recorded(Recorded { threads, ..recorded }),
    }
}

/// A load in a group of its own, without a limit.
pub(super) fn neighbour(text: &str) -> anyhow::Result<Neighbour> {
    Ok(Neighbour { pattern: read(text)?, bandwidth: Bandwidth::unlimited(), weight: 100, cpus: None })
}

/// CPU time of each system call, and in user mode between two: `500us/2ms`.
pub(super) fn system_calls(text: &str) -> anyhow::Result<SystemCalls> {
    let wrong = || anyhow!("--system-calls {text}: not two times such as 500us/2ms");
    let (lasting, every) = text.split_once('/').ok_or_else(wrong)?;
    let time = |text: &str| {
        let time = Micros::parse(text).map_err(|error| anyhow!("--system-calls: {error}"))?;
        if time > LONGEST {
            Err(anyhow!("--system-calls: {time} is longer than 1h"))
        } else {
            Ok(time.to_nanos())
        }
    };
    Ok(SystemCalls { every: time(every)?, lasting: time(lasting)? })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
fn nanos(ns: f64) -> Nanos {
    Nanos::new(ns.round() as u64)
}

/// `key=value` pairs, of which each is taken once.
struct Settings<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Settings<'a> {
    fn of(text: &'a str) -> anyhow::Result<Self> {
        let pair = |part: &'a str| {
            part.split_once('=')
                .ok_or_else(|| anyhow!("\"{part}\" is no setting of a load: write name=value"))
        };
        text.split(',').filter(|part| !part.is_empty()).map(pair).collect::<Result<_, _>>().map(Self)
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(name, _)| *name == key)?;
        Some(self.0.remove(at).1)
    }

    fn number(&mut self, key: &str, usual: f64, least: f64, most: f64) -> anyhow::Result<f64> {
        let Some(text) = self.take(key) else { return Ok(usual) };
        text.parse()
            .ok()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| anyhow!("{key}={text} is not a number between {least} and {most}"))
    }

    fn count(&mut self, key: &str, usual: u32, most: u32) -> anyhow::Result<u32> {
        let Some(text) = self.take(key) else { return Ok(usual) };
        text.parse()
            .ok()
            .filter(|number| (1..=most).contains(number))
            .ok_or_else(|| anyhow!("{key}={text} is not a whole number between 1 and {most}"))
    }

    fn time(&mut self, key: &str, usual: Nanos) -> anyhow::Result<Nanos> {
        let Some(text) = self.take(key) else { return Ok(usual) };
        let time = Micros::parse(text).map_err(|error| anyhow!("{key}: {error}"))?;
        if time == Micros::ZERO || time > LONGEST {
            return Err(anyhow!("{key}={text} is not between 1us and 1h"));
        }
        Ok(time.to_nanos())
    }

    /// What is left was meant for something that this load has not.
    fn end(self, load: &str) -> anyhow::Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => {
                let error = anyhow!("{load} has no setting {key}, or it is given twice");
                Err(Hinted::new(error, "cgtune simulate --help lists the settings of each load").into())
            }
        }
    }
}

/// Longest time of one part of a load.
pub(super) const LONGEST: Micros = Micros::from_ms(3600 * 1000);
