//! `--probe-kernel`: whether this kernel takes unused quota away, tried out in a cgroup of our own.

use anyhow::{Context as _, anyhow};
use cgtune_core::{
    CpuControl as _, CpuSet, Interval, Policy,
    control::apply,
    diagnose::expiry::{Expiry, PERIOD, Probe},
};
use cgtune_sys::{Hierarchies, affinity, clock, lifecycle::Workshop, spawn::Program};
use indicatif::ProgressBar;

use crate::{failure::Hinted, interrupt::Interrupt, progress, target};

/// From a change to the moment from which on the counters tell of it, and how long they are watched without a limit and
/// with one, in periods.
const SETTLE: u64 = 3;
const FREE: u64 = 10;
const LIMITED: u64 = 20;
/// How often it is tried where others get in its way.
const ATTEMPTS: u32 = 3;

/// Tries it. `None`: interrupted.
pub(crate) fn kernel(hierarchies: &Hierarchies, interrupt: &Interrupt) -> anyhow::Result<Option<Expiry>> {
    let cpus = affinity::get(None).context("cannot read on which CPUs we may run")?;
    let Some(probe) = Probe::on(cpus.len()) else {
        let error = anyhow!("--probe-kernel: we may run on one CPU only, on which nothing could be lost");
        return Err(
            Hinted::new(error, "leave --probe-kernel out, or start cgtune on two CPUs or more").into()
        );
    };
    let workshop = Workshop::open(hierarchies.clone())
        .map_err(target::kernel)
        .context("--probe-kernel makes a cgroup of its own")?;
    for _ in 1..ATTEMPTS {
        let said = attempt(probe, &cpus, &workshop, interrupt)?;
        if said != Some(Expiry::Unclear) {
            return Ok(said);
        }
    }
    attempt(probe, &cpus, &workshop, interrupt)
}

fn attempt(
    probe: Probe,
    cpus: &CpuSet,
    workshop: &Workshop,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Expiry>> {
    let mut group = workshop.group("probe").map_err(target::kernel)?;
    let program = Program {
        path: std::env::current_exe().context("cannot find our own program file")?,
        args: vec!["visit-cpus".into(), cpus.to_string().into()],
    };
    // Unlimited at first: what it uses here is to be known, and to start takes more than the quota has.
    let _load = group.spawn(&program).map_err(target::kernel)?;
    let bar = progress::bar(FREE + LIMITED + 2 * SETTLE, "trying this kernel {bar:24} {eta} left");
    if !rest(SETTLE, &bar, interrupt) {
        return Ok(None);
    }
    let cgroup = group.cgroup().map_err(target::kernel)?;
    let begun = cgroup.sample().map_err(target::kernel)?;
    if !rest(FREE, &bar, interrupt) {
        return Ok(None);
    }
    let free = Interval::between(&begun, &cgroup.sample().map_err(target::kernel)?)?;
    let limit = Policy { bandwidth: Some(probe.bandwidth()), ..Policy::default() };
    apply(cgroup, &limit).context("cannot limit the probe's cgroup")?;
    if !rest(SETTLE, &bar, interrupt) {
        return Ok(None);
    }
    let before = cgroup.sample().map_err(target::kernel)?;
    if !rest(LIMITED, &bar, interrupt) {
        return Ok(None);
    }
    let after = cgroup.sample().map_err(target::kernel)?;
    bar.finish_and_clear();
    let limited = Interval::between(&before, &after)?;
    Ok(Some(probe.judge(&free, &limited)))
}

/// Sleeps for so many periods; `false` when somebody asked to stop.
fn rest(periods: u64, bar: &ProgressBar, interrupt: &Interrupt) -> bool {
    for _ in 0..periods {
        if !interrupt.sleep_until(clock::now().saturating_add(PERIOD.to_nanos())) {
            bar.finish_and_clear();
            return false;
        }
        bar.inc(1);
    }
    true
}
