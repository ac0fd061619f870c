//! Blocks in a model of the kernel's controller: the whole pipeline in seconds, wherever no cgroup can be written.
//!
//! The frames' CPU times are drawn, not encoded: log-normal, correlated from frame to frame, with I frames that cost more. Policies are
//! put in force through the same `apply` as on a kernel. What comes out says what the controller does to such a load,
//! and nothing of this machine's caches, frequencies or interrupts; everything that is shown of it says SIMULATED.

use std::sync::atomic::{AtomicBool, Ordering};

use cgtune_core::{
    Bandwidth, CpuControl as _, CpuSet, Interval, Layout, Nanos, Observed, Policy,
    control::apply,
    convert::Version,
    sim::{
        Crew, Demand, GroupId, Job, Kernel, Machine as SimulatedMachine, Pattern, SimulatedCgroup,
        pattern::Encoder,
    },
};
use cgtune_sys::{HostRoot, facts};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use workloads::{
    latency::{FrameKind, FrameRecord, JobRecord, Schedule},
    service::ServiceConfig,
};

use super::{
    Backend, BlockOrder, RunError,
    policy::{of_load, of_neighbour, of_pilot, room_for},
    sampler,
};
use crate::{
    plan::{Condition, EncodeLoad, Load, Plan},
    record::{BackendKind, Block, Disturbance, FrameTable, Machine, Neighbour, SampleTable},
};

/// Ticks a second of the kernel that is modelled.
const HZ: u64 = 250;
/// Simulated CPUs where this machine's cannot be counted.
const USUAL_CPUS: u32 = 2;
/// The kernel where this machine's version cannot be read.
const USUAL_KERNEL: Version = Version::new(6, 18, 0);
/// Frames from one I frame to the next.
const GOP: u32 = 60;
/// Bits of a frame: the model encodes nothing.
const BITS: u64 = 0;

/// The model.
#[derive(Debug)]
pub struct Model {
    kernel: Kernel,
    machine: Machine,
}

impl Model {
    /// Of this machine's kernel version and number of CPUs.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let host = HostRoot::default();
        let release = facts::kernel_release();
        let version = release.as_deref().and_then(|text| text.parse::<Version>().ok());
        let kernel =
            Kernel { tick: Nanos::new(1_000_000_000 / HZ), ..Kernel::of(version.unwrap_or(USUAL_KERNEL)) };
        let usual = || (0..USUAL_CPUS).collect();
        let machine = Machine {
            schema: Machine::SCHEMA.to_owned(),
            kernel: release.unwrap_or_else(|| USUAL_KERNEL.to_string()),
            cpu_model: None,
            online_cpus: facts::online_cpus(&host).filter(|cpus| !cpus.is_empty()).unwrap_or_else(usual),
            memory_bytes: None,
            slice_us: Some(cgtune_core::sim::kernel::SLICE.get() / 1000),
            cpu_layout: "v2".to_owned(),
            cpuset_layout: Some("v2".to_owned()),
            burst: true,
            hypervisor: None,
            governor: None,
            kept_awake: true,
        };
        Self { kernel, machine }
    }

    /// The model's CPUs: as many as are online, counted from 0.
    fn cpus(&self) -> CpuSet {
        (0..).take(self.machine.online_cpus.len()).collect()
    }
}

/// What a block has to do, and the table of it with all but the ends.
fn jobs(order: &BlockOrder<'_>) -> Result<(Vec<Job>, FrameTable), RunError> {
    match order.load.seeded(crate::order::jitter_seed(order.plan, order.slot.repetition)) {
        Load::Encode(load) => frames(order.plan, &load),
        Load::Service(load) => requests(order.plan, &load.service),
    }
}

/// Requests, each of as many pieces as the service makes of them.
fn requests(plan: &Plan, service: &ServiceConfig) -> Result<(Vec<Job>, FrameTable), RunError> {
    let count = plan.items() as usize;
    let mut table = FrameTable::default();
    let mut jobs = Vec::new();
    let coming = service.requests().map_err(refused)?.take(count);
    for (index, request) in (0..).zip(coming) {
        let (intended_ns, cpu_ns) = (request.intended_ns, request.demand_ns);
        let piece = Nanos::new(cpu_ns / u64::from(service.fan_out.max(1)));
        let demand = Demand::Staged(vec![vec![piece; service.fan_out as usize]]);
        jobs.push(Job { intended: Nanos::new(intended_ns), demand });
        table.push_request(&JobRecord { index, intended_ns, start_ns: intended_ns, end_ns: 0, cpu_ns });
    }
    Ok((jobs, table))
}

/// The frames of a block: the same pictures for every block of a plan, started when the block's clock says.
fn frames(plan: &Plan, load: &EncodeLoad) -> Result<(Vec<Job>, FrameTable), RunError> {
    let EncodeLoad { share, clock, encode } = load;
    let interval = clock.interval_ns().unwrap_or(1);
    let i_over_p = Encoder::default().i_over_p;
    // The mean over a whole GOP is the plan's share of the interval.
    let mean = share * interval as f64 / (1.0 + (i_over_p - 1.0) / f64::from(GOP));
    let encoder = Encoder {
        interval: Nanos::new(interval),
        jitter: 0.0,
        mean: Nanos::new(mean.round() as u64),
        gop: GOP,
        slices: encode.threads,
        ..Encoder::default()
    };
    let pattern = Pattern::Encoder(encoder);
    let count = plan.items();
    let schedule = Schedule::new(clock).map_err(refused)?;
    let jobs = pattern.jobs(plan.seed).zip(schedule).take(count as usize);
    let jobs: Vec<Job> = jobs.map(|(job, intended)| Job { intended: Nanos::new(intended), ..job }).collect();
    let record = |(index, job): (u32, &Job)| FrameRecord {
        index,
        intended_ns: job.intended.get(),
        start_ns: 0,
        end_ns: 0,
        cpu_ns: job.demand.total().get(),
        kind: if index.is_multiple_of(GOP) { FrameKind::I } else { FrameKind::P },
        bits: BITS,
        scene_cut: false,
    };
    let mut table = FrameTable::default();
    (0..).zip(&jobs).map(record).for_each(|frame| table.push(&frame));
    Ok((jobs, table))
}

/// What the model, or the clock, does not take.
fn refused(error: impl std::fmt::Display) -> RunError {
    RunError::Model(error.to_string())
}

/// Puts a policy in force; what was read back.
fn put(machine: &mut SimulatedMachine<'_>, group: GroupId, policy: &Policy) -> Result<Observed, RunError> {
    // Where threads run is set with the crew: the model has no cpuset files.
    let plain = Policy { cpus: None, mems: None, ..policy.clone() };
    let mut cgroup = SimulatedCgroup::new(machine, group, Layout::V2);
    let applied = apply(&mut cgroup, &plain).map_err(refused)?;
    Ok(Observed { cpus: policy.cpus.clone(), ..applied.after })
}

impl Backend for Model {
    fn kind(&self) -> BackendKind {
        BackendKind::Simulated
    }

    fn machine(&self) -> Machine {
        self.machine.clone()
    }

    fn provides(&self, plan: &Plan, condition: Condition) -> Result<(), String> {
        room_for(condition.policy, plan, self.cpus().len(), "are simulated")
    }

    fn run(
        &mut self,
        order: &BlockOrder<'_>,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Option<Block>, RunError> {
        let (plan, condition) = (order.plan, order.slot.condition);
        // Each block begins somewhere else, and the same plan always in the same places.
        let seed = plan.seed ^ (u64::from(order.index) << 8) ^ u64::from(order.attempt);
        let mut random = Pcg64::seed_from_u64(seed);
        let mut phase = |of: u64| Nanos::new(random.random_range(0..of.max(1)));
        let tick = phase(self.kernel.tick.get());
        let period = phase(plan.limit.period_us.to_nanos().get());
        let all = self.cpus();
        let mut machine = SimulatedMachine::new(self.kernel, all.len(), tick);
        let group = machine.group(None, Bandwidth::unlimited(), 100, period);
        let capabilities = SimulatedCgroup::new(&mut machine, group, Layout::V2).capabilities();
        let policy = match &order.entitlement {
            Some(entitlement) => of_load(condition.policy, entitlement, &capabilities, &all, plan)?,
            None => of_pilot(&all, plan),
        };
        let observed = put(&mut machine, group, &policy)?;
        let (jobs, mut frames) = jobs(order)?;
        let one_by_one = matches!(order.load, Load::Encode(_));
        let at_once = if one_by_one { 1 } else { usize::MAX };
        let crew = Crew { at_once, cpus: policy.cpus.clone(), ..Crew::of(order.load.threads()) };
        let load = machine.crew(group, &crew, jobs.into_iter());
        let neighbour = if condition.neighbour {
            let beside = machine.group(None, Bandwidth::unlimited(), 100, Nanos::ZERO);
            let policy = of_neighbour(condition.policy, order.entitlement.as_ref(), Layout::V2, &all, plan);
            let observed = put(&mut machine, beside, &policy)?;
            let hog = Pattern::Hog { threads: plan.neighbour_threads };
            let jobs: Vec<Job> = hog.jobs(seed).collect();
            machine.crew(beside, &Crew { cpus: policy.cpus, ..hog.crew() }, jobs.into_iter());
            Some((beside, observed))
        } else {
            None
        };

        let interval_ns = order.load.interval_ns().unwrap_or(0);
        let measured_from_ns = u64::from(plan.warmup_frames) * interval_ns;
        let mut ended: Vec<(u64, u64)> = Vec::new();
        let mut samples = SampleTable::default();
        let mut edge = None;
        let mut complete = false;
        while !complete && !stop.load(Ordering::Relaxed) {
            if edge.is_none() && machine.now().get() >= measured_from_ns {
                let before = SimulatedCgroup::new(&mut machine, group, Layout::V2).sample();
                let beside = neighbour.as_ref().map(|(beside, _)| machine.counters(*beside).usage_ns);
                edge = Some((before.map_err(refused)?, beside));
            }
            let next = machine.now().get() + sampler::EVERY.get();
            let until = if edge.is_none() { next.min(measured_from_ns.max(1)) } else { next };
            machine.run_until(Nanos::new(until), |done| {
                if done.crew == load {
                    ended.push((done.intended.get(), done.at.get()));
                }
            });
            let counters = machine.counters(group);
            samples.at_ns.push(machine.now().get());
            samples.nr_periods.push(counters.nr_periods);
            samples.nr_throttled.push(counters.nr_throttled);
            samples.throttled_ns.push(counters.throttled_ns);
            samples.usage_ns.push(counters.usage_ns);
            complete = ended.len() >= frames.len();
            progress(machine.now().as_secs());
        }
        let Some((before, beside_before)) = edge else { return Ok(None) };
        let after = SimulatedCgroup::new(&mut machine, group, Layout::V2).sample().map_err(refused)?;
        ended.sort_unstable();
        let mut free = 0;
        for (place, (intended, end)) in ended.into_iter().enumerate() {
            // Frames are encoded one after the other.
            frames.start_ns[place] = if one_by_one { intended.max(free) } else { intended };
            frames.end_ns[place] = end;
            free = end;
        }
        Ok(Some(Block {
            schema: Block::SCHEMA.to_owned(),
            index: order.index,
            condition,
            repetition: order.slot.repetition,
            attempt: order.attempt,
            pilot: order.pilot,
            observed,
            neighbour: neighbour.map(|(beside, observed)| Neighbour {
                threads: plan.neighbour_threads,
                observed,
                usage_ns: beside_before.map(|before| machine.counters(beside).usage_ns - before),
            }),
            interval: Interval::between(&before, &after)?,
            warmup_frames: plan.warmup_frames,
            measured_from_ns,
            frames,
            samples,
            // Nobody else is there.
            disturbance: Some(Disturbance { steal: 0.0, foreign: 0.0 }),
            instrument_cpu_ns: None,
            partial: !complete,
        }))
    }
}
