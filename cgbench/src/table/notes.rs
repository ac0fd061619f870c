//! What a reader must know beside the numbers.

use crate::{
    record::BackendKind,
    stats::Level,
    study::{VOID_FOREIGN, VOID_STEAL},
    summary::{
        Measured, SetAside, Summary,
        figures::{bound, count, counted, ms, percent},
    },
};

/// What everything of a simulated run is labelled.
pub const SIMULATED: &str = "SIMULATED";
/// What the label means.
pub const WHAT_THAT_IS: &str = "a model of the kernel's controller ran this, not a kernel; it knows limits, bursts, CPUs and weights, and \
                                nothing of caches, frequencies and interrupts";

/// The notes of a summary, each a sentence.
#[must_use]
pub fn notes(summary: &Summary) -> Vec<String> {
    let mut notes = Vec::new();
    match summary.backend {
        BackendKind::Kernel => {}
        BackendKind::Simulated => notes.push(format!("{SIMULATED}: {WHAT_THAT_IS}")),
    }
    if let Some(interval) = summary.frame_interval_us {
        notes.push(format!(
            "latency: from a {}'s intended start to its end; late: more than the {} of {} ms; throttled: part of the \
             active periods of {} ms",
            summary.item.name(),
            summary.item.deadline(),
            ms(interval),
            summary.period_us / 1000,
        ));
    }
    for level in Level::REPORTED {
        let lacking =
            summary.all_measured().filter(|measured| measured.latency.get(level).pooled_us.is_none());
        if let Some(fewest) = lacking.map(|measured| measured.frames).min().filter(|_| level <= Level::P99) {
            notes.push(format!(
                "n/a: {level} takes {} so that ten lie beyond it, the fewest here are {}",
                counted(level.needed(), summary.item.name()),
                count(fewest)
            ));
            break;
        }
    }
    let sum = |of: fn(&Measured) -> u64| summary.all_measured().map(of).sum::<u64>();
    let (void, unwatched) = (sum(|measured| measured.void_blocks), sum(|measured| measured.unwatched_blocks));
    if void > 0 {
        let names: Vec<String> = summary
            .all_measured()
            .filter(|measured| measured.void_blocks > 0)
            .map(|measured| format!("{} {}", measured.void_blocks, measured.condition))
            .collect();
        notes.push(format!(
            "disturbed, and counted in: {} (steal above {} or other programs above {} of the machine): {}",
            counted(void, "block"),
            bound(VOID_STEAL),
            bound(VOID_FOREIGN),
            names.join("; "),
        ));
    }
    notes.extend(unsteady(summary));
    notes.extend(drifted(summary));
    if unwatched > 0 {
        notes.push(format!("not known whether disturbed: {}", counted(unwatched, "block")));
    }
    notes
}

/// Above this no drift is called one: at a hundredth, a run of ten conditions would be called drifting once in ten.
const DRIFT_P: f64 = 0.001;

/// Conditions whose median latency rose or fell from block to block.
fn drifted(summary: &Summary) -> Option<String> {
    let names: Vec<String> = summary
        .all_measured()
        .filter_map(|measured| {
            let drift = measured.drift.filter(|drift| drift.p_two_sided < DRIFT_P)?;
            let way = if drift.s > 0 { "rose" } else { "fell" };
            Some(format!("{} {way} (p = {:.4})", measured.condition, drift.p_two_sided))
        })
        .collect();
    let what = "the median latency drifted over the run, so its bands tell of the machine as well";
    (!names.is_empty()).then(|| format!("{what}: {}", names.join("; ")))
}

/// What became of blocks during which the machine did not keep still.
fn unsteady(summary: &Summary) -> impl Iterator<Item = String> {
    let aside: Vec<(&Measured, SetAside)> =
        summary.all_measured().filter_map(|measured| Some((measured, measured.set_aside?))).collect();
    let again = (!aside.is_empty()).then(|| {
        let names: Vec<String> = aside
            .iter()
            .map(|(measured, aside)| {
                let throttled = match aside.nr_periods {
                    0 => String::new(),
                    periods => format!(
                        " ({} of {} throttled)",
                        percent(aside.nr_throttled as f64 / periods as f64),
                        counted(periods, "period")
                    ),
                };
                format!("{} {}{throttled}", aside.tries, measured.condition)
            })
            .collect();
        format!(
            "run again, and not counted in: {} during which others took too much of the machine, or the same {} took \
             more than {} × the CPU time of the pilot before it for a second, or less by as much all along: {}",
            counted(aside.iter().map(|(_, aside)| aside.tries).sum(), "block"),
            summary.item.work(),
            summary.tolerance,
            names.join("; "),
        )
    });
    let moved: Vec<&Measured> = summary.all_measured().filter(|measured| measured.moved_blocks > 0).collect();
    let left = (!moved.is_empty()).then(|| {
        let names: Vec<String> = moved
            .iter()
            .map(|measured| format!("{} {}", measured.moved_blocks, measured.condition))
            .collect();
        format!(
            "the machine's speed moved by as much, and counted in: {}: {}",
            counted(moved.iter().map(|measured| measured.moved_blocks).sum(), "block"),
            names.join("; ")
        )
    });
    again.into_iter().chain(left)
}

/// The note of a partial run, which stands above everything else.
#[must_use]
pub fn partial(summary: &Summary) -> String {
    format!("PARTIAL: {} of {}", count(summary.blocks), counted(summary.blocks_planned, "block"))
}
