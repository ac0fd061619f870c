//! A situation on the kernel: its groups, its loads, and their end, whatever happens.
//!
//! The loads are started before anything is limited, since starting a program takes CPU time too: under 1 ms a period it would
//! take seconds.

use std::{
    collections::hash_map::RandomState,
    ffi::OsString,
    fs,
    hash::{BuildHasher as _, Hasher as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use cgtune_core::{
    CpuControl as _, CpuSet, Layout, Policy, Share, Shares, Weight as KernelWeight, control::apply,
    plan::Write,
};
use cgtune_sys::{
    Cgroup, Hierarchies, HostRoot, affinity, facts,
    lifecycle::{OwnedCgroup, Workshop},
    process::Child,
    spawn::Program,
};

use super::{
    Machine, interrupt,
    programs::Programs,
    situation::{Class, Cpus, Group, Load, Placed, Situation, Stays, Weight},
};

/// How long a load may take to start. An emulated CPU needs a second.
const START: Duration = Duration::from_secs(20);
/// From the last change to the moment from which on a watch tells of the situation and not of its beginning.
const SETTLE: Duration = Duration::from_millis(600);
/// What others may use of the machine, and for how long it must be so before we begin.
const QUIET_CPUS: f64 = 0.2;
const QUIET_FOR: Duration = Duration::from_millis(300);
/// How many times the usual weight a topmost group gets, so that whoever else uses the machine (a compiler) hardly disturbs. Not
/// more: the tool that judges needs its hundredth of a CPU beside our hogs.
const BEFORE_OTHERS: u64 = 16;
/// util-linux, on a bare Debian.
const CHRT: &str = "/usr/bin/chrt";

/// Where groups are made.
#[derive(Debug)]
pub(crate) struct Place {
    workshop: Workshop,
    /// CPUs that we may use, in order.
    cpus: CpuSet,
    pub(crate) machine: Machine,
}

impl Place {
    /// Finds one; with an error that says what to do where there is none.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let hierarchies = Hierarchies::detect(HostRoot::default())
            .context("the scenarios need a mounted cpu controller")?;
        let layout = hierarchies.cpu().layout;
        let workshop = Workshop::open(hierarchies)
            .context("the scenarios need permission to make cgroups: run them as root")?;
        let cpus = affinity::get(None).context("cannot read our CPUs")?;
        let machine = Machine { cpus: u32::try_from(cpus.iter().count())?, layout };
        if machine.cpus < 2 {
            bail!("the scenarios need two CPUs, and there is {}", machine.cpus);
        }
        Ok(Self { workshop, cpus, machine })
    }
}

/// Waits until nobody uses the machine much, but not for ever: whether it was quiet enough is judged afterwards, by what was
/// measured.
pub(crate) fn await_quiet(patience: Duration) -> anyhow::Result<()> {
    let begun = Instant::now();
    let busy = || {
        facts::machine_time(&cgtune_sys::HostRoot::default())
            .context("cannot read /proc/stat")
            .map(|time| time.busy.get())
    };
    loop {
        let (before, at) = (busy()?, Instant::now());
        interrupt::sleep(QUIET_FOR)?;
        let cpus = busy()?.saturating_sub(before) as f64 / at.elapsed().as_nanos() as f64;
        if cpus < QUIET_CPUS || begun.elapsed() >= patience {
            return Ok(());
        }
    }
}

/// A situation that is set up. Dropping it ends the loads and removes the groups.
#[derive(Debug)]
pub(crate) struct Stage {
    loads: Vec<Child>,
    /// Parents before children, so they are removed from the end.
    groups: Vec<OwnedCgroup>,
    watched: usize,
    lineage: Vec<usize>,
    tops: Vec<usize>,
}

impl Stage {
    /// Sets it up, and waits until it runs as meant.
    pub(crate) fn set(place: &Place, programs: &Programs, situation: &Situation) -> anyhow::Result<Self> {
        let mut stage = Self {
            loads: Vec::new(),
            groups: Vec::new(),
            watched: situation.watched,
            lineage: situation.lineage(situation.watched),
            tops: (0..situation.groups.len()).filter(|&at| situation.groups[at].parent.is_none()).collect(),
        };
        for group in &situation.groups {
            let made = match group.parent {
                Some(parent) => place.workshop.group_in(&stage.groups[parent], &nondescript()),
                None => place.workshop.group(&nondescript()),
            };
            stage.groups.push(made.context("cannot make a cgroup")?);
        }
        for (at, group) in situation.groups.iter().enumerate() {
            stage
                .confine(at, place, &cpus_of(situation, at, place)?)
                .with_context(|| format!("cannot give {group:?} its CPUs"))?;
        }
        let mut passing = Vec::new();
        // Beside hogs a program in SCHED_IDLE would not even start.
        let mut loads: Vec<&Placed> = situation.loads.iter().collect();
        loads.sort_by_key(|placed| placed.class != Class::Idle);
        for placed in loads {
            let child = stage.start(programs, placed)?;
            match placed.stays {
                Stays::Throughout => stage.loads.push(child),
                Stays::Before(time) => passing.push((time, child)),
            }
        }
        for (at, group) in situation.groups.iter().enumerate() {
            stage.restrain(at, group).with_context(|| format!("cannot make a cgroup {group:?}"))?;
        }
        let begun = Instant::now();
        for (time, mut child) in passing {
            interrupt::sleep(time.saturating_sub(begun.elapsed()))?;
            child.end(Duration::from_secs(5)).context("cannot end a load")?;
        }
        interrupt::sleep(SETTLE)?;
        Ok(stage)
    }

    /// CPUs and memory nodes: on v1 nobody may enter a group without.
    fn confine(&mut self, at: usize, place: &Place, cpus: &CpuSet) -> anyhow::Result<()> {
        let group = self.groups[at].cgroup()?;
        let whole = *cpus == place.cpus;
        match group.capabilities().cpuset {
            // Nothing to say: a v2 group has its parent's.
            Some(Layout::V2) if whole => return Ok(()),
            None if whole => return Ok(()),
            None => bail!("this scenario needs the cpuset controller"),
            Some(_) => {}
        }
        let mems = facts::memory_nodes(&HostRoot::default());
        apply(group, &Policy { cpus: Some(cpus.clone()), mems, ..Policy::default() })?;
        Ok(())
    }

    /// Limit, weight and class.
    fn restrain(&mut self, at: usize, group: &Group) -> anyhow::Result<()> {
        let cgroup = self.groups[at].cgroup()?;
        let share = match (group.weight, cgroup.capabilities().cpu) {
            (Weight::Usual, _) if group.parent.is_some() => None,
            (Weight::Usual, Layout::V1) => Some(Share::Shares(Shares::new(1024 * BEFORE_OTHERS)?)),
            (Weight::Usual, Layout::V2) => Some(Share::Weight(KernelWeight::new(100 * BEFORE_OTHERS)?)),
            (Weight::Tiny(shares), Layout::V1) => Some(Share::Shares(Shares::new(shares.into())?)),
            (Weight::Tiny(_), Layout::V2) => Some(Share::Weight(KernelWeight::MIN)),
        };
        let bandwidth = group.limit.map(super::situation::Limit::bandwidth).transpose()?;
        apply(cgroup, &Policy { bandwidth, share, ..Policy::default() })?;
        if group.idle {
            cgroup.write(&Write::Idle(true)).context("this scenario needs cpu.idle (Linux 5.15)")?;
        }
        Ok(())
    }

    /// Starts a load and waits until all of its threads are there.
    fn start(&mut self, programs: &Programs, placed: &Placed) -> anyhow::Result<Child> {
        let (args, threads) = command_line(&placed.load);
        let workloads = programs.workloads.clone();
        let program = match placed.class {
            Class::Other => Program { path: workloads, args },
            Class::Idle => {
                let before = ["--idle".into(), "0".into(), workloads.into_os_string()];
                Program { path: CHRT.into(), args: before.into_iter().chain(args).collect() }
            }
        };
        let mut child = self.groups[placed.group].spawn(&program).context("cannot start a load")?;
        let begun = Instant::now();
        while fs::read_dir(format!("/proc/{}/task", child.id())).map_or(0, Iterator::count) < threads {
            if let Some(exit) = child.try_wait()? {
                bail!("a load ended at once, with {exit}: {program:?}");
            }
            if begun.elapsed() > START {
                bail!("a load has not started its {threads} threads after {START:?}: {program:?}");
            }
            interrupt::sleep(Duration::from_millis(5))?;
        }
        Ok(child)
    }

    /// The path of the group to be diagnosed, in the cpu hierarchy.
    pub(crate) fn path(&mut self) -> anyhow::Result<PathBuf> {
        Ok(self.groups[self.watched].cgroup()?.path().to_owned())
    }

    /// The watched group and those above it that are ours, nearest first.
    pub(crate) fn lineage(
        &mut self,
        mut each: impl FnMut(&mut Cgroup) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for &at in &self.lineage {
            each(self.groups[at].cgroup()?)?;
        }
        Ok(())
    }

    /// The topmost groups, which together hold all the loads.
    pub(crate) fn tops(
        &mut self,
        mut each: impl FnMut(&mut Cgroup) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for &at in &self.tops {
            each(self.groups[at].cgroup()?)?;
        }
        Ok(())
    }

    /// Whether every load that should run does.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        for load in &mut self.loads {
            if let Some(exit) = load.try_wait()? {
                bail!("a load has ended, with {exit}");
            }
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for load in &mut self.loads {
            // All at once first: they end side by side.
            load.stdin = None;
        }
        // Under a small quota even ending takes long, and nobody wants what a load would report.
        self.loads.clear();
        while let Some(group) = self.groups.pop() {
            drop(group);
        }
    }
}

/// A name that says nothing of what happens in the group.
fn nondescript() -> String {
    format!("{:08x}", RandomState::new().build_hasher().finish() & 0xffff_ffff)
}

/// What a group may use: its own choice, or what those above it chose.
fn cpus_of(situation: &Situation, at: usize, place: &Place) -> anyhow::Result<CpuSet> {
    for above in situation.lineage(at) {
        if let Cpus::Only(n) = situation.groups[above].cpus {
            let cpu =
                place.cpus.iter().nth(n as usize).with_context(|| format!("there is no CPU number {n}"))?;
            return Ok(std::iter::once(cpu).collect());
        }
    }
    Ok(place.cpus.clone())
}

/// How a load is started, and how many threads tell that it runs: one watches standard input.
fn command_line(load: &Load) -> (Vec<OsString>, usize) {
    let us = |us: u64| format!("{us}us");
    let (mut args, threads): (Vec<String>, usize) = match *load {
        Load::Hog { threads } => {
            (vec!["hog".into(), "--threads".into(), threads.to_string()], threads as usize + 1)
        }
        Load::Pulse(pulse) => {
            let args = [
                ("--threads", pulse.threads.to_string()),
                ("--work", us(pulse.work_us)),
                ("--every", us(pulse.every_us)),
                ("--jitter", format!("{:.3}", pulse.jitter)),
                ("--seed", pulse.seed.to_string()),
                ("--after", us(u64::try_from(pulse.after.as_micros()).unwrap_or(u64::MAX))),
            ];
            let args = args.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
            (std::iter::once("pulse".into()).chain(args).collect(), pulse.threads as usize + 2)
        }
        Load::H264 { width, height, seed } => {
            let args = [
                "h264",
                "--size",
                &format!("{width}x{height}"),
                "--seed",
                &seed.to_string(),
                "--clip-frames",
                "30",
                "--duration",
                "1h",
            ];
            (args.map(str::to_owned).to_vec(), 2)
        }
        Load::Sleep => {
            (["pulse", "--work", "1ms", "--every", "1h", "--after", "1h"].map(str::to_owned).to_vec(), 3)
        }
    };
    args.push("--until-stdin-closes".into());
    (args.into_iter().map(Into::into).collect(), threads)
}
