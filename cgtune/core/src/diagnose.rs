//! Why a cgroup's threads stand still: from what was seen of it over a while ([`Watched`]) to findings, ranked by the
//! time they cost.
//!
//! Throttled time is divided among causes by the episodes it came in: a run of throttled periods is looked at
//! as a whole, with what came together in it, how many threads wanted to run, and what had been saved up before. What is
//! not throttled and waits is judged by the threads' run delay, bounded by what others ran meanwhile.

mod above;
pub mod cause;
mod episodes;
mod expected;
pub mod expiry;
pub mod finding;
mod quota;
pub mod remedy;
mod waiting;
pub mod watched;

use above::FromAbove;
pub use cause::Cause;
pub use expiry::Expiry;
pub use finding::{Confidence, Evidence, Finding};
use finding::{MissingEvidence, QuietEvidence};
use quota::{Throttling, used_by_threads};
pub use remedy::Remedy;
pub use watched::{Reading, Series, Watched};

use crate::{Nanos, limit};

/// What costs less than this, in ms per second, is not worth acting on: one hundredth of one CPU's time.
pub const WORTH_MS_PER_S: f64 = 10.0;

/// All that holds, ranked by the time it costs; the first is the verdict. Never empty: a group without a finding is
/// [`Cause::Healthy`], or [`Cause::Unknown`] with what is missing to tell.
#[must_use]
pub fn findings(watched: &Watched) -> Vec<Finding> {
    let mut findings = causes(watched);
    for finding in &mut findings {
        finding.remedies = remedy::against(finding, watched);
    }
    findings
}

/// The same without remedies, for whom the cause is enough: what they would do is modelled, and that takes longer than all
/// the rest.
#[must_use]
pub fn causes(watched: &Watched) -> Vec<Finding> {
    let above = FromAbove::of(watched);
    let own = Throttling::of(watched, above.as_own);
    let throttled = own.as_ref().map_or(Nanos::ZERO, Throttling::stall).saturating_add(above.stall());
    let mut findings = own.map(|own| own.findings(watched)).unwrap_or_default();
    if !watched.inner {
        findings.extend(above.finding(watched));
        findings.extend(waiting::finding(watched, throttled));
    }
    findings.retain(|finding| finding.stall_ms_per_s.is_none_or(|stall| stall >= WORTH_MS_PER_S));
    findings.sort_by(|a, b| {
        let cost = |finding: &Finding| finding.stall_ms_per_s.unwrap_or(0.0);
        cost(b).total_cmp(&cost(a))
    });
    if findings.is_empty() {
        findings.push(nothing(watched, throttled));
    }
    findings
}

/// Of a group without a finding: is it well, or can it not be told?
fn nothing(watched: &Watched, throttled: Nanos) -> Finding {
    let missing = missing(watched);
    let (cause, confidence, evidence) = if missing.is_empty() {
        // PSI says that somebody waited, not how many.
        let confidence = if watched.threads.is_some() { Confidence::High } else { Confidence::Medium };
        (Cause::Healthy, confidence, Evidence::Quiet(quiet(watched, throttled)))
    } else {
        (Cause::Unknown, Confidence::Low, Evidence::Missing(MissingEvidence { missing }))
    };
    let stall_ms_per_s = if cause == Cause::Unknown { None } else { stall(watched, throttled) };
    Finding { cause, stall_ms_per_s, confidence, evidence, remedies: Vec::new() }
}

fn stall(watched: &Watched, time: Nanos) -> Option<f64> {
    let wall = watched.own.wall().as_secs();
    (wall > 0.0).then(|| time.as_secs() * 1e3 / wall)
}

fn quiet(watched: &Watched, throttled: Nanos) -> QuietEvidence {
    let own = watched.observed.bandwidth;
    let path: Vec<_> =
        std::iter::once(own).chain(watched.above.iter().map(|above| Some(above.bandwidth))).collect();
    QuietEvidence {
        used_cpus: watched.own.cpus_used().or_else(|| used_by_threads(watched)),
        limit_cpus: limit::effective(&path).map(|limit| limit.cpus),
        nr_periods: watched.own.nr_periods(),
        nr_throttled: watched.own.nr_throttled(),
        throttled_ms_per_s: stall(watched, throttled),
        run_delay_ms_per_s: waiting::run_delay(watched, throttled)
            .and_then(|waited| stall(watched, Nanos::new(waited as u64))),
        pressure_some_ratio: watched.pressure_ratio(),
    }
}

/// What would have to be there to say that a group is well.
fn missing(watched: &Watched) -> Vec<String> {
    let own = &watched.own;
    let mut missing = Vec::new();
    if own.readings.len() < 2 {
        missing.push("two readings of its counters".to_owned());
        return missing;
    }
    let ran = |of: fn(&Reading) -> bool| {
        own.readings.first().is_some_and(of) && own.readings.last().is_some_and(of)
    };
    if watched.limit().is_some() && own.throttled().is_none() {
        missing.push(if ran(|reading| reading.bandwidth.is_some()) {
            "counters in cpu.stat that do not run backwards".to_owned()
        } else {
            "nr_periods, nr_throttled and throttled time in cpu.stat".to_owned()
        });
    }
    let shows_waiting = watched.threads.is_some() || watched.pressure.is_some();
    if watched.view_limited {
        // Throttling from above shows in cpu.stat.local and wherever waiting shows, even where the groups do not.
        if own.local().is_none() && !shows_waiting {
            missing.push("the groups above, cpu.stat.local (Linux 6.6) or its threads' schedstat".to_owned());
        }
    } else if !shows_waiting {
        missing.push(
            "its threads in /proc (schedstat; they are in another pid namespace or may not be read) or cpu.pressure"
                .to_owned(),
        );
    }
    missing
}
