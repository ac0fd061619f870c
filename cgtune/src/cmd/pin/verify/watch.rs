//! The looks themselves: how often, for how long, and what they cost.

use std::io::IsTerminal as _;

use cgtune_core::{
    CpuSet, Micros, Nanos,
    pinning::{Pinned, Reports, Watch},
};
use cgtune_sys::{Cgroup, Hierarchies, affinity, clock, pinning::Lookout};

use crate::{interrupt::Interrupt, progress, streams::Streams, target};

/// From one look to the next.
const EVERY: Nanos = Nanos::new(100_000_000);
/// From the first to the second where nobody wants more.
const ONCE: Nanos = Nanos::new(250_000_000);
/// A look begins no sooner than after so many times what the last one took: looking may take a tenth of a CPU.
const REST: u64 = 9;

/// How long to look.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// Twice: what runs shows only in what has moved.
    Once,
    /// For so long.
    For(Micros),
    /// Until somebody asks to stop.
    Endless,
}

/// What looking took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// When it began.
    pub(crate) begun: jiff::Timestamp,
    /// CPU time that looking took.
    pub(crate) cpu: Nanos,
}

/// Looks again and again.
pub(super) fn look(
    hierarchies: &Hierarchies,
    groups: Vec<(Cgroup, Pinned)>,
    pace: Pace,
    interrupt: &Interrupt,
    streams: &mut Streams<'_>,
) -> anyhow::Result<(Reports, Effort)> {
    let (cgroups, pinned): (Vec<_>, Vec<_>) =
        groups.into_iter().map(|(cgroup, pinned)| ((cgroup, pinned.intent.cpus.clone()), pinned)).unzip();
    keep_off(pinned.iter().map(|pinned| &pinned.intent.cpus));
    let effort = (jiff::Timestamp::now(), clock::process_cpu());
    let mut lookout = Lookout::new(hierarchies, cgroups);
    let mut watch = Watch::new(pinned);
    let begin = clock::now();
    let (every, end) = match pace {
        Pace::Once => (ONCE, Some(begin.saturating_add(ONCE))),
        Pace::For(duration) => (EVERY, Some(begin.saturating_add(duration.to_nanos()))),
        Pace::Endless => (EVERY, None),
    };
    let shown = std::io::stderr().is_terminal();
    if end.is_none() && shown {
        writeln!(streams.err, "watching; Ctrl-C ends that and says what was seen")?;
    }
    let length = end.map(|end| end.saturating_sub(begin)).filter(|_| shown);
    let bar = match length.filter(|length| u128::from(length.get()) > progress::SHOW_AFTER.as_nanos()) {
        Some(length) => progress::bar(length.get(), "watching {bar:24} {eta} left"),
        None => indicatif::ProgressBar::hidden(),
    };
    loop {
        let at = clock::now();
        let last = interrupt.asked() || end.is_some_and(|end| at >= end);
        let look = lookout.look(last).map_err(target::kernel)?;
        let looked = clock::process_cpu();
        watch.look(&look);
        lookout.took(&look, clock::process_cpu().saturating_sub(looked));
        if last || !lookout.anybody() {
            break;
        }
        bar.set_position(at.saturating_sub(begin).get());
        let rest = Nanos::new(lookout.cost().get().saturating_mul(REST));
        let rest = clock::now().saturating_add(rest);
        let next = at.saturating_add(every).max(rest);
        interrupt.sleep_until(end.map_or(next, |end| next.min(end)));
    }
    bar.finish_and_clear();
    if let Some(unread) = lookout.unread() {
        streams.warn(unread)?;
    }
    let (begun, before) = effort;
    Ok((watch.report(), Effort { begun, cpu: clock::process_cpu().saturating_sub(before) }))
}

/// Whoever looks should not be what is seen. Where there is no other CPU, or none that we may use, it cannot be helped.
fn keep_off<'a>(pinned: impl Iterator<Item = &'a CpuSet>) {
    let taken: CpuSet = pinned.flat_map(CpuSet::iter).collect();
    if let Ok(ours) = affinity::get(None) {
        let rest = ours.difference(&taken);
        if !rest.is_empty() {
            let _ = affinity::set(None, &rest);
        }
    }
}
