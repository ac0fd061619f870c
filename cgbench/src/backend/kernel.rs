//! Blocks in real cgroups. Each gets a fresh one: a fresh pool, fresh counters, and since 6.4 a fresh phase of the
//! period timer.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cgtune_core::{
    CpuControl as _, CpuSet, Interval, Layout, Nanos, Observed, Policy, Snapshot, control::apply,
};
use cgtune_sys::{
    Hierarchies, HostRoot, affinity, clock,
    facts::{self, MachineTime},
    lifecycle::{OwnedCgroup, Workshop},
};
use workloads::{
    hog::Manner,
    latency::{JobRecord, MonotonicNs},
};

use super::{
    Backend, BlockOrder, RunError,
    keeper::Keeper,
    policy::{of_load, of_neighbour, of_pilot, room_for},
    sampler::Sampler,
};
use crate::{
    load::{Answer, Load, LoadConfig, Start},
    plan::{Condition, Instrument, Plan},
    record::{BackendKind, Block, Disturbance, FrameTable, Machine, Neighbour},
};

/// From "go" to the first frame: time for the load to reach its sleep, and for a saved burst to fill.
const LEAD: Nanos = Nanos::new(250_000_000);

/// The kernel as a backend.
pub struct Kernel {
    keeper: Option<Keeper>,
    workshop: Workshop,
    cpus: CpuSet,
    machine: Machine,
    /// Whether the counters are read while a block runs.
    samples: bool,
}

impl Kernel {
    /// Finds the hierarchies and a place for cgroups; keeps the CPUs awake from here on if asked to.
    ///
    /// # Errors
    /// No cpu controller; no permission to make cgroups, with the file that refused.
    pub fn open(keep_awake: bool) -> Result<Self, RunError> {
        let workshop = Workshop::open(Hierarchies::detect(HostRoot::default())?)?;
        let mut probe = workshop.group("probe")?;
        let capabilities = probe.cgroup()?.capabilities();
        let effective = probe.cgroup()?.observe()?.effective_cpus.filter(|cpus| !cpus.is_empty());
        probe.remove()?;
        let cpus = match effective {
            Some(cpus) => cpus,
            None => affinity::get(None)?,
        };
        let threads = u32::try_from(cpus.len()).unwrap_or(1);
        let keeper = if keep_awake { Keeper::start(&workshop, threads)? } else { None };
        let host = workshop.hierarchies().host();
        let name = |layout| match layout {
            Layout::V1 => "v1".to_owned(),
            Layout::V2 => "v2".to_owned(),
        };
        let machine = Machine {
            schema: Machine::SCHEMA.to_owned(),
            kernel: facts::kernel_release().unwrap_or_else(|| "unknown".to_owned()),
            cpu_model: facts::cpu_model(),
            online_cpus: facts::online_cpus(host).unwrap_or_else(|| cpus.clone()),
            memory_bytes: facts::memory_bytes(),
            slice_us: facts::bandwidth_slice_us(host),
            cpu_layout: name(capabilities.cpu),
            cpuset_layout: capabilities.cpuset.map(name),
            burst: capabilities.burst,
            hypervisor: facts::hypervisor(host),
            governor: facts::governor(host),
            kept_awake: keeper.is_some(),
        };
        Ok(Self { keeper, workshop, cpus, machine, samples: true })
    }

    /// Without readings of the counters while blocks run, for who looks at no chart of them: they are four fifths of a record.
    #[must_use]
    pub fn without_samples(self) -> Self {
        Self { samples: false, ..self }
    }

    /// Starts the hog beside the load.
    fn neighbour(&self, order: &BlockOrder<'_>) -> Result<(OwnedCgroup, Load, Observed), RunError> {
        let condition = order.slot.condition;
        let mut group = self.workshop.group("neighbour")?;
        let layout = group.cgroup()?.capabilities().cpu;
        let policy =
            of_neighbour(condition.policy, order.entitlement.as_ref(), layout, &self.cpus, order.plan);
        let observed = put(&mut group, &policy, condition)?;
        let load = Load::hog(&mut group, order.plan.neighbour_threads, Manner::Greedy)?;
        Ok((group, load, observed))
    }
}

/// Puts a policy in force; what was read back.
fn put(group: &mut OwnedCgroup, policy: &Policy, condition: Condition) -> Result<Observed, RunError> {
    apply(group.cgroup()?, policy)
        .map(|applied| applied.after)
        .map_err(|cause| RunError::Policy { condition, cause: Box::new(cause) })
}

/// Everything read at one edge of the measured part.
struct Edge {
    load: Snapshot,
    neighbour: Option<Snapshot>,
    keeper: Option<Snapshot>,
    machine: Option<MachineTime>,
    /// CPU time of this process, which is the instrument.
    instrument: Nanos,
}

impl Edge {
    fn read(
        load: &mut OwnedCgroup,
        neighbour: Option<&mut OwnedCgroup>,
        keeper: Option<&mut Keeper>,
    ) -> Result<Self, RunError> {
        Ok(Self {
            load: load.cgroup()?.sample()?,
            neighbour: neighbour.map(|group| group.cgroup()?.sample()).transpose()?,
            keeper: keeper.map(Keeper::sample).transpose()?,
            machine: facts::machine_time(&HostRoot::default()),
            instrument: clock::process_cpu(),
        })
    }
}

/// What the load told so far.
#[derive(Default)]
struct Told {
    frames: FrameTable,
    requests: Vec<JobRecord>,
    /// Whether that is all.
    all: bool,
}

impl Told {
    fn take(&mut self, answer: Answer) -> Result<(), RunError> {
        match answer {
            Answer::Frame(frame) => self.frames.push(&frame),
            Answer::Request(request) => self.requests.push(request),
            Answer::Done => self.all = true,
            Answer::Ready => return Err(RunError::Protocol("ready".to_owned())),
        }
        Ok(())
    }

    /// In the order of their intended starts: requests end in another.
    fn table(mut self) -> FrameTable {
        self.requests.sort_by_key(|request| request.index);
        self.requests.iter().for_each(|request| self.frames.push_request(request));
        self.frames
    }
}

impl Backend for Kernel {
    fn kind(&self) -> BackendKind {
        BackendKind::Kernel
    }

    fn machine(&self) -> Machine {
        self.machine.clone()
    }

    fn provides(&self, plan: &Plan, condition: Condition) -> Result<(), String> {
        let policy = condition.policy;
        if policy.bursts() && !self.machine.burst {
            return Err("this kernel provides no burst file (Linux 5.14)".to_owned());
        }
        if (policy.confines() || plan.cpus.is_some()) && self.machine.cpuset_layout.is_none() {
            return Err("no cpuset controller is available here".to_owned());
        }
        room_for(policy, plan, self.cpus.len(), "can be used here")
    }

    fn run(
        &mut self,
        order: &BlockOrder<'_>,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Option<Block>, RunError> {
        let began = clock::now();
        let mut tick = || progress(clock::now().checked_sub(began).unwrap_or_default().as_secs());
        let (plan, condition) = (order.plan, order.slot.condition);

        let mut group = self.workshop.group("load")?;
        let policy = match &order.entitlement {
            Some(entitlement) => {
                of_load(condition.policy, entitlement, &group.cgroup()?.capabilities(), &self.cpus, plan)?
            }
            None => of_pilot(&self.cpus, plan),
        };
        let observed = put(&mut group, &policy, condition)?;
        // Held to the end of the block: dropping the load ends it, dropping its group removes that.
        let mut neighbour = condition.neighbour.then(|| self.neighbour(order)).transpose()?;
        let seeded = order.load.seeded(crate::order::jitter_seed(plan, order.slot.repetition));
        let interval_ns = seeded.interval_ns().unwrap_or(0);
        let config = LoadConfig::Planned { load: Box::new(seeded), instrument: plan.instrument };
        let mut load = Load::start(&mut group, &config)?;
        load.wait_ready()?;

        let origin = clock::now().saturating_add(LEAD);
        let sample = |group: &mut OwnedCgroup| {
            Sampler::start(self.workshop.hierarchies(), group.cgroup()?.path(), origin)
        };
        let sampler =
            (self.samples && plan.instrument == Instrument::Full).then(|| sample(&mut group)).transpose()?;
        load.start_clock(&Start { origin: MonotonicNs::from_ns(origin.get()), count: plan.items() })?;

        let measured_from_ns = u64::from(plan.warmup_frames) * interval_ns;
        let measured_from = origin.saturating_add(Nanos::new(measured_from_ns));
        let mut told = Told::default();
        let mut before = None;
        while !told.all && !stop.load(Ordering::Relaxed) {
            if before.is_none() && clock::now() >= measured_from {
                before = Some(Edge::read(
                    &mut group,
                    neighbour.as_mut().map(|(group, ..)| group),
                    self.keeper.as_mut(),
                )?);
            }
            // While warming up, wake for the edge; later, for Ctrl-C and the progress bar.
            let until_edge = measured_from.checked_sub(clock::now()).unwrap_or_default();
            let patience = if before.is_none() { until_edge.min(TICK) } else { TICK };
            if let Some(answer) = load.next(Duration::from_nanos(patience.get()))? {
                told.take(answer)?;
            }
            tick();
        }
        let Some(before) = before else {
            return if told.all { Err(RunError::NothingMeasured) } else { Ok(None) };
        };
        let after =
            Edge::read(&mut group, neighbour.as_mut().map(|(group, ..)| group), self.keeper.as_mut())?;
        let samples = sampler.map(Sampler::finish).unwrap_or_default();
        let partial = !told.all;
        load.end()?.into_iter().try_for_each(|answer| told.take(answer))?;

        let interval = Interval::between(&before.load, &after.load)?;
        let neighbour_usage = usage(before.neighbour.as_ref(), after.neighbour.as_ref());
        let disturbance = before.machine.zip(after.machine).and_then(|(a, b)| {
            let keeper = usage(before.keeper.as_ref(), after.keeper.as_ref()).unwrap_or_default();
            let ours =
                interval.usage?.saturating_add(neighbour_usage.unwrap_or_default()).saturating_add(keeper);
            disturbance(a, b, ours, interval.wall, self.machine.online_cpus.len())
        });
        let neighbour = neighbour.map(|(_, load, observed)| {
            drop(load);
            Neighbour { threads: plan.neighbour_threads, observed, usage_ns: neighbour_usage.map(Nanos::get) }
        });
        Ok(Some(Block {
            schema: Block::SCHEMA.to_owned(),
            index: order.index,
            condition,
            repetition: order.slot.repetition,
            attempt: order.attempt,
            pilot: order.pilot,
            observed,
            neighbour,
            interval,
            warmup_frames: plan.warmup_frames,
            measured_from_ns,
            frames: told.table(),
            samples,
            disturbance,
            instrument_cpu_ns: after.instrument.checked_sub(before.instrument).map(Nanos::get),
            partial,
        }))
    }
}

/// How often a waiting block looks up.
const TICK: Nanos = Nanos::new(50_000_000);

fn usage(before: Option<&Snapshot>, after: Option<&Snapshot>) -> Option<Nanos> {
    Interval::between(before?, after?).ok()?.usage
}

/// What the machine did besides, as parts of all its CPU time.
#[allow(clippy::cast_precision_loss, reason = "parts, for people and thresholds")]
pub(crate) fn disturbance(
    before: MachineTime,
    after: MachineTime,
    ours: Nanos,
    wall: Nanos,
    cpus: usize,
) -> Option<Disturbance> {
    let busy = after.busy.checked_sub(before.busy)?;
    let steal = after.steal.checked_sub(before.steal)?;
    let all = wall.get() as f64 * cpus as f64;
    // Ticks against nanoseconds: a small negative rest is their rounding.
    let foreign = busy.get().saturating_sub(ours.get());
    Some(Disturbance { steal: steal.get() as f64 / all, foreign: foreign as f64 / all })
}
