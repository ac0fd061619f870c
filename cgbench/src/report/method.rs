//! How it was measured, with the numbers of this run.

use crate::{
    record::Records,
    stats::{bootstrap::MIN_BLOCKS, level::SAMPLES_BEYOND},
    study::{VOID_FOREIGN, VOID_STEAL},
    summary::figures::{bound, count, counted, ms},
};

/// The section on method.
pub(super) fn method(records: &Records) -> String {
    let plan = &records.plan;
    let interval = plan
        .clock
        .interval_ns()
        .map_or_else(String::new, |ns| format!(", one every {} ms", ms(ns as f64 / 1e3)));
    let points = [
        format!(
            "A **block** is one policy, once, in a cgroup made for it: {} and then {} measured{interval}. {} a \
             condition, in an order shuffled with seed {} so that drift of the machine meets all alike. The block is the \
             unit of evidence: bands come from resampling or ordering whole blocks (seeded), and none is drawn from \
             fewer than {MIN_BLOCKS}.",
            counted(u64::from(plan.warmup_frames), "warm-up frame"),
            count(u64::from(plan.frames)),
            counted(u64::from(plan.repetitions), "block"),
            plan.seed,
        ),
        format!(
            "**Latency** counts from a frame's *intended* start to its end, so that a frame which waits for the one \
             before is charged with the waiting. Intended starts move by up to {} of the frame interval either way, \
             seeded, since a load in step with the quota's period would be throttled by its phase alone. All \
             conditions of a repetition share the same starts and pictures.",
            bound(plan.clock.jitter),
        ),
        format!(
            "The **quota** is {:.2} times the mean CPU use of a pilot block ({:.3} CPUs; {} ms of CPU time a frame), \
             per period of {} ms. Burst, where there is one, is one quota.",
            plan.limit.headroom,
            records.run.pilot_cpus,
            ms(records.run.pilot_cpu_ns_per_frame as f64 / 1e3),
            plan.limit.period_us.get() / 1000,
        ),
        format!(
            "The **neighbour** is {} of pure CPU use in a cgroup beside the load's.",
            counted(u64::from(plan.neighbour_threads), "thread")
        ),
        format!(
            "A **quantile** is given only where {SAMPLES_BEYOND} frames lie beyond it. Nothing is left out as an outlier. \
             Blocks in which the hypervisor took more than {}, or other programs more than {}, of the machine are \
             marked, and counted in; so are those in which a second of frames took more than {} × the CPU time that \
             the same frames usually took.",
            bound(VOID_STEAL),
            bound(VOID_FOREIGN),
            plan.limit.headroom,
        ),
        awake(records),
        "A difference of latency is **claimed** only where the bands of both lie apart and the ratio is at least 1.1. \
         Throttled periods are the kernel's own count, and always stand beside how many periods there were."
            .to_owned(),
    ];
    format!("## Method\n\n{}", points.map(|point| format!("- {point}")).join("\n"))
}

/// What the CPUs did while nobody wanted them.
fn awake(records: &Records) -> String {
    if records.machine.kept_awake {
        "**Idle CPUs were kept awake** by one busy thread each, in a cgroup that runs only when nobody else wants to \
         (`cpu.idle`): what a host does with a virtual CPU that sleeps between frames is charged to the load, and no \
         counter shows it. `--let-sleep` goes without."
            .to_owned()
    } else {
        "**Idle CPUs could sleep** between frames. On a virtual machine what its host does meanwhile is charged to the \
         load, and no counter shows it."
            .to_owned()
    }
}
