//! The raw record: what was measured, apart from everything derived from it. Written once, never changed.
//!
//! One file a block. All instants are nanoseconds since the block's own origin (the intended start of its clock);
//! counters are those of the load's cgroup.

use cgtune_core::{CpuSet, Interval, Observed};
use serde::{Deserialize, Serialize};
use workloads::latency::{FrameKind, FrameRecord, JobRecord};

use crate::{
    doctor::Doctor,
    plan::{Condition, Plan},
};

/// Who did the measuring. Never mixed in one table without saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendKind {
    /// Real cgroups on a real kernel.
    Kernel,
    /// A model of the kernel's controller.
    Simulated,
}

/// What is known of the machine. `None` is "could not be read".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// `cgbench.machine/1`.
    pub schema: String,
    /// `uname -r`.
    pub kernel: String,
    /// Of /proc/cpuinfo.
    pub cpu_model: Option<String>,
    /// CPUs online.
    pub online_cpus: CpuSet,
    /// Memory in all.
    pub memory_bytes: Option<u64>,
    /// Slice that a CPU takes from the group's pool (`kernel.sched_cfs_bandwidth_slice_us`).
    pub slice_us: Option<u64>,
    /// Where the cpu controller is: `v1` or `v2`.
    pub cpu_layout: String,
    /// Where the cpuset controller is; `None`: nowhere.
    pub cpuset_layout: Option<String>,
    /// Whether burst is provided.
    pub burst: bool,
    /// Hypervisor, as the CPU's flags and DMI tell; `None`: none seen.
    pub hypervisor: Option<String>,
    /// Frequency governor of CPU 0.
    pub governor: Option<String>,
    /// Whether an idle-class busy thread on each CPU kept the machine awake while blocks ran.
    #[serde(default)]
    pub kept_awake: bool,
}

impl Machine {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.machine/1";
}

/// A condition that could not be run, and why. Said in every table, never left out in silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// The cell.
    pub condition: Condition,
    /// What stood in the way.
    pub reason: String,
}

/// How a run went as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// `cgbench.run/1`.
    pub schema: String,
    /// Who measured.
    pub backend: BackendKind,
    /// Version of cgbench.
    pub version: String,
    /// The command line.
    pub command: Vec<String>,
    /// RFC 3339, UTC.
    pub started: String,
    /// Wall time that the run took so far.
    pub seconds: f64,
    /// Whether the run was interrupted before its last block.
    pub partial: bool,
    /// Cells that this kernel or machine does not provide.
    pub missed: Vec<Missed>,
    /// Each time that the run went on after it was cut off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Session>,
}

/// One start of a run that had been cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The command line.
    pub command: Vec<String>,
    /// Version of cgbench.
    pub version: String,
    /// RFC 3339, UTC.
    pub started: String,
}

impl RunRecord {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.run/1";
}

/// Frames, or requests, as columns, in the order in which they were due; those of the warm-up included.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameTable {
    /// When the frame was due.
    pub intended_ns: Vec<u64>,
    /// When encoding began.
    pub start_ns: Vec<u64>,
    /// When it ended.
    pub end_ns: Vec<u64>,
    /// CPU time of the whole process in between.
    pub cpu_ns: Vec<u64>,
    /// Intra or predicted; empty where requests are served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<FrameKind>,
    /// Bits written; empty where requests are served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bits: Vec<u64>,
}

impl FrameTable {
    /// Adds a frame.
    pub fn push(&mut self, frame: &FrameRecord) {
        self.intended_ns.push(frame.intended_ns);
        self.start_ns.push(frame.start_ns);
        self.end_ns.push(frame.end_ns);
        self.cpu_ns.push(frame.cpu_ns);
        self.kind.push(frame.kind);
        self.bits.push(frame.bits);
    }

    /// Adds a request. Requests end in any order, and belong here in that of their numbers.
    pub fn push_request(&mut self, request: &JobRecord) {
        self.intended_ns.push(request.intended_ns);
        self.start_ns.push(request.start_ns);
        self.end_ns.push(request.end_ns);
        self.cpu_ns.push(request.cpu_ns);
    }

    /// How many frames; the shortest column decides, so that a record cut short reads without panic.
    #[must_use]
    pub fn len(&self) -> usize {
        let always = [self.intended_ns.len(), self.start_ns.len(), self.end_ns.len(), self.cpu_ns.len()];
        let of_frames = [self.kind.len(), self.bits.len()].into_iter().filter(|len| *len > 0);
        always.into_iter().chain(of_frames).min().unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Latency of each frame from its intended start to its end.
    pub fn latencies_ns(&self) -> impl Iterator<Item = u64> + '_ {
        self.intended_ns.iter().zip(&self.end_ns).map(|(intended, end)| end.saturating_sub(*intended))
    }
}

/// Counters sampled while the block ran, as columns. A counter that this kernel lacks is an empty column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleTable {
    /// When it was read.
    pub at_ns: Vec<u64>,
    /// Active periods.
    pub nr_periods: Vec<u64>,
    /// Throttled periods.
    pub nr_throttled: Vec<u64>,
    /// Time throttled; the kernel adds a span when it *ends*.
    pub throttled_ns: Vec<u64>,
    /// CPU time used.
    pub usage_ns: Vec<u64>,
}

/// The hog beside the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Busy threads.
    pub threads: u32,
    /// Its policy as read back.
    pub observed: Observed,
    /// CPU time that it used over the measured part.
    pub usage_ns: Option<u64>,
}

/// What else happened on the machine over the measured part, as parts of all its CPU time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Disturbance {
    /// Taken by the hypervisor (`steal` of /proc/stat).
    pub steal: f64,
    /// Used by anybody but the load and its neighbour.
    pub foreign: f64,
}

/// One block: one condition, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// `cgbench.block/1`.
    pub schema: String,
    /// Place in the run's order, from 0.
    pub index: u32,
    /// The cell.
    pub condition: Condition,
    /// Which repetition, from 0. All conditions of one repetition share the jitter of the frame clock.
    pub repetition: u32,
    /// Which try, from 0: a block during which the machine did not keep still is run again.
    pub attempt: u32,
    /// The pilot before it, by its index: the limit follows from that. A pilot names itself; `None` where a plan has none.
    pub pilot: Option<u32>,
    /// Policy of the load's cgroup as read back before the load began.
    pub observed: Observed,
    /// The neighbour, where there is one.
    pub neighbour: Option<Neighbour>,
    /// Counters over the measured part (without warm-up).
    pub interval: Interval,
    /// How many of the first frames are warm-up.
    pub warmup_frames: u32,
    /// When the measured part began.
    pub measured_from_ns: u64,
    /// The frames.
    pub frames: FrameTable,
    /// The counters over time.
    pub samples: SampleTable,
    /// What else happened.
    pub disturbance: Option<Disturbance>,
    /// CPU time that cgbench itself used over the measured part, to read counters and take what the load reports: part of what
    /// is `foreign` in the disturbance. `None` where no version measured it, and for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument_cpu_ns: Option<u64>,
    /// Whether the block was interrupted.
    pub partial: bool,
}

impl Block {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.block/1";
}

/// Everything that one results folder holds before analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Records {
    /// The plan as run.
    pub plan: Plan,
    /// The machine.
    pub machine: Machine,
    /// The run.
    pub run: RunRecord,
    /// The pilots: what the load needs when nothing limits it, measured again before each repetition and whenever the
    /// machine's speed has moved.
    pub pilots: Vec<Block>,
    /// The blocks that count, in the order in which they ran: of each condition and repetition the last try.
    pub blocks: Vec<Block>,
    /// The tries before those.
    pub set_aside: Vec<Block>,
    /// How fit the machine was before the first block; `None` where nobody asked.
    pub doctor: Option<Doctor>,
}

impl Records {
    /// Sorts the blocks into those that count and those that were run again. A try that was interrupted counts only
    /// where there is no whole one.
    #[must_use]
    pub fn new(
        plan: Plan,
        machine: Machine,
        run: RunRecord,
        pilots: Vec<Block>,
        mut tries: Vec<Block>,
    ) -> Self {
        tries.sort_by_key(|block| block.index);
        let counts = |block: &Block| {
            let rank = |other: &Block| (!other.partial, other.attempt, other.index);
            !tries.iter().any(|other| {
                (other.condition, other.repetition) == (block.condition, block.repetition)
                    && rank(other) > rank(block)
            })
        };
        let counted: Vec<bool> = tries.iter().map(counts).collect();
        let mut counted = counted.into_iter();
        let (blocks, set_aside) = tries.into_iter().partition(|_| counted.next().unwrap_or(true));
        Self { plan, machine, run, pilots, blocks, set_aside, doctor: None }
    }

    /// The pilot that a block's limit follows from.
    #[must_use]
    pub fn pilot_of(&self, block: &Block) -> Option<&Block> {
        self.pilots.iter().find(|pilot| Some(pilot.index) == block.pilot)
    }
}
