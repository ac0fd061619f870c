//! How it was measured, with the numbers of this run.

use workloads::service::Arrivals;

use crate::{
    plan::{Load, Plan, QuotaRule},
    record::Records,
    stats::{bootstrap::MIN_BLOCKS, level::SAMPLES_BEYOND},
    study::{VOID_FOREIGN, VOID_STEAL},
    summary::{
        Summary,
        figures::{bound, count, counted, ms, percent},
    },
};

/// How it was measured, point by point; `**` around what a point is about.
pub(super) fn points(records: &Records, summary: &Summary) -> [String; 8] {
    let plan = &records.plan;
    let item = plan.load.item().name();
    let interval = plan
        .load
        .interval_ns()
        .map_or_else(String::new, |ns| format!(", one every {} ms", ms(ns as f64 / 1e3)));
    [
        format!(
            "A **block** is one policy, once, in a cgroup made for it: {} and then {} measured{interval}. {} a \
             condition, in an order shuffled with seed {} so that drift of the machine meets all alike. The block is the \
             unit of evidence: bands come from resampling or ordering whole blocks (seeded), and none is drawn from \
             fewer than {MIN_BLOCKS}.",
            counted(u64::from(plan.warmup_frames), &format!("warm-up {item}")),
            count(u64::from(plan.frames)),
            counted(u64::from(plan.repetitions), "block"),
            plan.seed,
        ),
        format!(
            "**Latency** counts from a {item}'s *intended* start to its end, so that a {item} which waits for the one \
             before is charged with the waiting. {}All conditions of a repetition share the same starts and {}.",
            starts(&plan.load),
            plan.load.item().work(),
        ),
        format!(
            "The **quota** is {}. {}Burst, where there is one, is {}.",
            quota(plan),
            pilots(plan, summary),
            if plan.limit.burst_frac < 1.0 {
                format!("{} of a quota", percent(plan.limit.burst_frac))
            } else {
                "one quota".to_owned()
            },
        ),
        format!(
            "The **neighbour** is {} of pure CPU use in a cgroup beside the load's.",
            counted(u64::from(plan.neighbour_threads), "thread")
        ),
        format!(
            "A **quantile** is given only where {SAMPLES_BEYOND} {item}s lie beyond it. Nothing is left out as an outlier."
        ),
        format!(
            "A block is **run again**, {} of the run at most, when the hypervisor took more than {} or other \
             programs more than {} of the machine, or when the machine's speed moved: its {} took more than \
             {:.2} × the CPU time that they took in the pilot, in any second, or less by that factor on average. What \
             was throttled or late has no part in that judgement. The tries before the last are kept in `blocks/`, \
             and counted in the notes above only; what remains unsteady is counted in, and marked.",
            counted(u64::from(plan.reruns), "block"),
            bound(VOID_STEAL),
            bound(VOID_FOREIGN),
            plan.load.item().work(),
            plan.limit.tolerance(),
        ),
        awake(records),
        "A difference of latency is **claimed** only where the bands of both lie apart and the ratio is at least 1.1. \
         Throttled periods are the kernel's own count, and always stand beside how many periods there were."
            .to_owned(),
    ]
}

/// When frames are meant to start.
fn starts(load: &Load) -> String {
    match load {
        Load::Encode(load) => format!(
            "Intended starts move by up to {} of the frame interval either way, seeded, since a load in step with the \
             quota's period would be throttled by its phase alone. ",
            bound(load.clock.jitter)
        ),
        Load::Service(load) => match load.service.arrivals {
            Arrivals::Poisson { .. } => "Requests come as a Poisson process, seeded. ".to_owned(),
            Arrivals::Periodic { jitter, .. } => {
                format!(
                    "Requests come at a clock's pace, moved by up to {} of it either way, seeded. ",
                    bound(jitter)
                )
            }
        },
    }
}

/// How large it is.
fn quota(plan: &Plan) -> String {
    let period = plan.limit.period_us;
    match plan.limit.quota {
        QuotaRule::Fixed { quota_us } => format!("{quota_us} of every {period}, fixed"),
        QuotaRule::OfNeed { headroom } => {
            format!(
                "{headroom:.2} times the mean CPU use of a pilot, per period of {} ms",
                period.get() / 1000
            )
        }
    }
}

/// What pilots are, and what they measured.
fn pilots(plan: &Plan, summary: &Summary) -> String {
    if !plan.has_pilots() {
        return String::new();
    }
    let measured = summary.pilots.map_or_else(
        || "none was recorded".to_owned(),
        |pilots| {
            format!(
                "{}: {:.3} to {:.3} CPUs",
                counted(pilots.count, "pilot"),
                pilots.lowest_cpus,
                pilots.highest_cpus
            )
        },
    );
    format!(
        "A pilot has the same {} as a block, under no policy; one runs before each repetition, and whenever the machine was \
         found to have moved ({measured}). ",
        plan.load.item().work()
    )
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
