//! What an experiment's text may say, and the plan that it means.

use std::path::PathBuf;

use cgtune_core::Micros;
use serde::Deserialize;
use workloads::{
    h264::{EncodeConfig, Waste},
    latency::ClockConfig,
    service::{Arrivals, ServiceConfig, Spread},
    video::SceneConfig,
};

use super::error::one_line;
use crate::plan::{
    Condition, EncodeLoad, Instrument, LimitRule, Load, Plan, PolicyKind, QuotaRule, ServiceLoad,
};

/// More than anybody waits for: at a second a block a day, at a thousand requests a second a quarter of an hour.
const MOST_REPETITIONS: u32 = 100_000;
const MOST_ITEMS: u32 = 1_000_000;

/// The text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) about: String,
    #[serde(default)]
    pub(super) requires: Vec<String>,
    #[serde(default = "one")]
    pub(super) seed: u64,
    repetitions: u32,
    reruns: Option<u32>,
    policies: Vec<PolicyKind>,
    #[serde(default = "alone")]
    neighbours: Vec<Neighbour>,
    neighbour_threads: Option<u32>,
    cpus: Option<u32>,
    #[serde(default)]
    instrument: Instrument,
    pub(super) load: LoadSpec,
    pub(super) limit: LimitSpec,
    /// Read by [`super::point::variations`]; here so that nothing else is taken for a mistake.
    #[serde(default, rename = "sweep")]
    _sweep: toml::Table,
    #[serde(default, rename = "point")]
    _point: Vec<PointSpec>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PointSpec {
    #[serde(rename = "name")]
    _name: String,
    #[serde(default, rename = "set")]
    _set: toml::Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Neighbour {
    None,
    Hog,
}

const fn one() -> u64 {
    1
}

fn alone() -> Vec<Neighbour> {
    vec![Neighbour::None]
}

/// `[load]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum LoadSpec {
    /// The encode loop.
    Encode {
        #[serde(default = "usual_share")]
        share: f64,
        #[serde(default)]
        fps: Option<Rate>,
        jitter: Option<f64>,
        threads: Option<u32>,
        frames: u32,
        #[serde(default = "usual_warmup")]
        warmup: u32,
        clip_frames: Option<u32>,
        gop: Option<u32>,
        qp: Option<u8>,
        /// `640x360`, in place of looking for the size that costs `share`.
        size: Option<String>,
        input: Option<PathBuf>,
        /// What a careless change would waste.
        #[serde(default)]
        waste: WasteSpec,
    },
    /// A service.
    Service {
        /// Worker threads.
        #[serde(default = "one_thread")]
        threads: u32,
        /// Pieces of a request.
        #[serde(default = "one_thread")]
        fan_out: u32,
        /// Mean CPU time of a request.
        demand: Plain,
        /// `constant`, `exponential`, or `lognormal` with a `cv`.
        #[serde(default)]
        spread: SpreadSpec,
        cv: Option<f64>,
        demand_max: Option<Plain>,
        /// Mean time from one request to the next.
        every: Plain,
        /// `poisson` or `periodic`.
        #[serde(default)]
        arrivals: ArrivalsSpec,
        jitter: Option<f64>,
        deadline: Option<Plain>,
        requests: u32,
        #[serde(default)]
        warmup: u32,
    },
}

/// `[load.waste]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WasteSpec {
    /// `5%` of a frame's CPU time.
    compute: Option<Plain>,
    /// MiB that are gone through after each frame.
    memory_mib: u64,
    /// Whether the stream is written byte by byte.
    one_by_one: bool,
}

impl WasteSpec {
    fn waste(&self) -> Result<Waste, String> {
        let compute_frac = match &self.compute {
            None => 0.0,
            Some(Plain(text)) => percent(text)
                .ok_or_else(|| format!("load.waste.compute is \"{text}\": a part such as 5% is needed"))?,
        };
        let memory_bytes = self.memory_mib.saturating_mul(1 << 20);
        Ok(Waste { compute_frac, memory_bytes, one_by_one: self.one_by_one })
    }
}

/// `5%` as 0.05.
fn percent(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
    Some(number / 100.0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SpreadSpec {
    #[default]
    Constant,
    Exponential,
    LogNormal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ArrivalsSpec {
    #[default]
    Poisson,
    Periodic,
}

const fn one_thread() -> u32 {
    1
}

/// A time of the load's, in nanoseconds.
fn time(name: &str, Plain(text): &Plain) -> Result<Micros, String> {
    Micros::parse(text).map_err(|error| format!("load.{name} is \"{text}\": {error}"))
}

const fn usual_share() -> f64 {
    0.4
}

const fn usual_warmup() -> u32 {
    15
}

/// `30`, `"30000/1001"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Rate {
    Whole(u32),
    Text(String),
}

impl Rate {
    fn parts(&self) -> Result<(u32, u32), String> {
        match self {
            Self::Whole(rate) => Ok((*rate, 1)),
            Self::Text(text) => {
                let parts = text.split_once('/').unwrap_or((text, "1"));
                match (parts.0.trim().parse(), parts.1.trim().parse()) {
                    (Ok(num), Ok(den)) => Ok((num, den)),
                    _ => {
                        Err(format!("load.fps is \"{text}\": a rate such as 30 or \"30000/1001\" is needed"))
                    }
                }
            }
        }
    }
}

/// `[limit]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitSpec {
    headroom: Option<f64>,
    quota: Option<Plain>,
    #[serde(default = "usual_period")]
    period: Plain,
    #[serde(default = "whole")]
    burst: Plain,
    #[serde(default)]
    need_of: NeedOf,
}

/// Whose need the limit follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NeedOf {
    /// The load's own.
    #[default]
    Load,
    /// That of the load as it stands before anything is varied.
    Base,
}

fn usual_period() -> Plain {
    Plain("100ms".to_owned())
}

fn whole() -> Plain {
    Plain("100%".to_owned())
}

/// A text with a unit. A bare number is taken as text too, so that what is said of it is that the unit is missing.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Written")]
pub(super) struct Plain(String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Whole(i64),
    Part(f64),
}

impl From<Written> for Plain {
    fn from(written: Written) -> Self {
        Self(match written {
            Written::Text(text) => text,
            Written::Whole(number) => number.to_string(),
            Written::Part(number) => number.to_string(),
        })
    }
}

impl LimitSpec {
    pub(super) fn need_of_base(&self) -> bool {
        self.need_of == NeedOf::Base
    }

    fn rule(&self) -> Result<LimitRule, String> {
        let time = |name: &str, Plain(text): &Plain| {
            Micros::parse(text).map_err(|error| format!("limit.{name} is \"{text}\": {error}"))
        };
        let period_us = time("period", &self.period)?;
        let quota = match (self.headroom, &self.quota) {
            (Some(headroom), None) if (0.05..=100.0).contains(&headroom) => QuotaRule::OfNeed { headroom },
            (Some(headroom), None) => {
                return Err(format!("limit.headroom is {headroom}: a factor from 0.05 to 100 is needed"));
            }
            (None, Some(quota)) => QuotaRule::Fixed { quota_us: time("quota", quota)? },
            (None, None) => return Err("limit needs a headroom (over need) or a quota".to_owned()),
            (Some(_), Some(_)) => return Err("limit has a headroom and a quota: one of them".to_owned()),
        };
        let burst_frac = percent(&self.burst.0).filter(|part| (0.0..=1.0).contains(part));
        let burst_frac = burst_frac.ok_or_else(|| {
            format!("limit.burst is \"{}\": a part of the quota from 0% to 100% is needed", self.burst.0)
        })?;
        Ok(LimitRule { quota, period_us, burst_frac })
    }
}

impl LoadSpec {
    /// Whether the encoder's size is to be looked for.
    pub(super) fn looks_for_size(&self) -> bool {
        match self {
            Self::Encode { size, input, .. } => size.is_none() && input.is_none(),
            Self::Service { .. } => false,
        }
    }

    /// The load, seeded.
    pub(super) fn load(&self, seed: u64) -> Result<Load, String> {
        match self {
            Self::Encode {
                share, fps, jitter, threads, clip_frames, gop, qp, size, input, waste, ..
            } => {
                let usual = ClockConfig::default();
                let (fps_num, fps_den) = match fps {
                    Some(rate) => rate.parts()?,
                    None => (usual.fps_num, usual.fps_den),
                };
                let clock = ClockConfig { fps_num, fps_den, jitter: jitter.unwrap_or(usual.jitter), seed };
                workloads::latency::Schedule::new(&clock).map_err(|error| error.to_string())?;
                let usual = EncodeConfig::default();
                let mut encode = EncodeConfig {
                    threads: threads.unwrap_or(usual.threads),
                    clip_frames: clip_frames.unwrap_or(usual.clip_frames),
                    gop: gop.unwrap_or(usual.gop),
                    qp: qp.unwrap_or(usual.qp),
                    waste: waste.waste()?,
                    scene: SceneConfig { seed, ..SceneConfig::default() },
                    ..usual
                };
                if !(*share > 0.0 && *share <= f64::from(encode.threads)) {
                    return Err(format!(
                        "load.share is {share}: above 0, and up to 1 for each of {} threads, is needed",
                        encode.threads
                    ));
                }
                if let Some(size) = size {
                    let parts =
                        size.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
                    (encode.width, encode.height) = parts.ok_or_else(|| {
                        format!("load.size is \"{size}\": a size such as 640x360 is needed")
                    })?;
                }
                if let Some(clip) = input {
                    encode = encode.with_input(clip).map_err(|error| error.to_string())?;
                }
                Ok(Load::Encode(EncodeLoad { share: *share, clock, encode }))
            }
            Self::Service {
                threads,
                fan_out,
                demand,
                spread,
                cv,
                demand_max,
                every,
                arrivals,
                jitter,
                deadline,
                ..
            } => {
                let ns = |name, text: &Plain| Ok::<_, String>(time(name, text)?.to_nanos().get());
                let every_ns = ns("every", every)?;
                let service = ServiceConfig {
                    threads: *threads,
                    fan_out: *fan_out,
                    demand_ns: ns("demand", demand)?,
                    spread: match (spread, cv) {
                        (SpreadSpec::Constant, None) => Spread::Constant,
                        (SpreadSpec::Exponential, None) => Spread::Exponential,
                        (SpreadSpec::LogNormal, Some(cv)) => Spread::LogNormal { cv: *cv },
                        (SpreadSpec::LogNormal, None) => {
                            return Err("load.spread lognormal needs a cv".to_owned());
                        }
                        (_, Some(_)) => return Err("load.cv is of the spread lognormal alone".to_owned()),
                    },
                    demand_max_ns: demand_max.as_ref().map(|text| ns("demand_max", text)).transpose()?,
                    arrivals: match (arrivals, jitter) {
                        (ArrivalsSpec::Poisson, None) => Arrivals::Poisson { every_ns },
                        (ArrivalsSpec::Poisson, Some(_)) => {
                            return Err("load.jitter is of periodic arrivals alone".to_owned());
                        }
                        (ArrivalsSpec::Periodic, jitter) => {
                            let jitter = jitter.unwrap_or(ClockConfig::default().jitter);
                            Arrivals::Periodic { every_ns, jitter }
                        }
                    },
                    seed,
                };
                service.requests().map_err(|error| error.to_string())?;
                let deadline_us = deadline.as_ref().map(|text| time("deadline", text)).transpose()?;
                Ok(Load::Service(ServiceLoad { deadline_us, service }))
            }
        }
    }

    fn counts(&self) -> (u32, u32) {
        match self {
            Self::Encode { frames, warmup, .. } => (*frames, *warmup),
            Self::Service { requests, warmup, .. } => (*requests, *warmup),
        }
    }
}

impl Spec {
    /// From a table whose places in a text are not known any more.
    pub(super) fn deserialised(table: &toml::Table) -> Result<Self, String> {
        table.clone().try_into().map_err(|error: toml::de::Error| one_line(&error.to_string()))
    }

    /// The plan with this load.
    pub(super) fn plan(
        &self,
        load: Load,
        pilot: Option<Load>,
        point: Option<String>,
    ) -> Result<Plan, String> {
        let (frames, warmup_frames) = self.load.counts();
        let conditions: Vec<Condition> = self
            .neighbours
            .iter()
            .flat_map(|neighbour| {
                let neighbour = *neighbour == Neighbour::Hog;
                self.policies.iter().map(move |&policy| Condition { neighbour, policy })
            })
            .collect();
        let mut once = conditions.clone();
        once.sort_unstable();
        once.dedup();
        if once.len() != conditions.len() {
            return Err("a policy or neighbour is said twice".to_owned());
        }
        for (name, value) in [
            ("repetitions", self.repetitions),
            ("load.frames (or requests)", frames),
            ("policies", u32::try_from(conditions.len()).unwrap_or(u32::MAX)),
        ] {
            if value == 0 {
                return Err(format!("{name}: at least one is needed"));
            }
        }
        for (name, value, most) in [
            ("repetitions", self.repetitions, MOST_REPETITIONS),
            ("load.frames (or requests)", frames, MOST_ITEMS),
            ("load.warmup", warmup_frames, MOST_ITEMS),
        ] {
            if value > most {
                return Err(format!("{name} is {value}: {most} at most"));
            }
        }
        if self.cpus == Some(0) {
            return Err("cpus is 0: at least one is needed".to_owned());
        }
        let blocks = u32::try_from(conditions.len()).unwrap_or(u32::MAX).saturating_mul(self.repetitions);
        let usual_neighbour = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Plan {
            schema: Plan::SCHEMA.to_owned(),
            name: self.name.clone(),
            point,
            seed: self.seed,
            conditions,
            repetitions: self.repetitions,
            merged: Vec::new(),
            frames,
            warmup_frames,
            reruns: self.reruns.unwrap_or(blocks / 2),
            limit: self.limit.rule()?,
            neighbour_threads: self
                .neighbour_threads
                .unwrap_or_else(|| u32::try_from(usual_neighbour).unwrap_or(1)),
            cpus: self.cpus,
            instrument: self.instrument,
            pilot,
            load,
        })
    }
}
