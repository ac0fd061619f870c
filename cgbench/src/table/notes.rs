//! What a reader must know beside the numbers.

use crate::{
    record::BackendKind,
    stats::Level,
    study::{VOID_FOREIGN, VOID_STEAL},
    summary::{
        Summary,
        figures::{bound, count, counted, ms, percent},
    },
};

/// The notes of a summary, each a sentence.
#[must_use]
pub fn notes(summary: &Summary) -> Vec<String> {
    let mut notes = Vec::new();
    match summary.backend {
        BackendKind::Kernel => {}
    }
    if let Some(interval) = summary.frame_interval_us {
        notes.push(format!(
            "latency: from a frame's intended start to its end; late: more than the frame interval of {} ms; \
             throttled: part of the active periods of {} ms",
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
                counted(level.needed(), "frame"),
                count(fewest)
            ));
            break;
        }
    }
    let sum = |of: fn(&crate::summary::Measured) -> u64| summary.all_measured().map(of).sum::<u64>();
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
    notes.extend(steady(summary));
    if unwatched > 0 {
        notes.push(format!("not known whether disturbed: {}", counted(unwatched, "block")));
    }
    notes
}

/// The same counts where the machine kept still: what a policy does, apart from what the machine did meanwhile. Silent
/// where every block was steady, since it would say everything twice.
fn steady(summary: &Summary) -> Option<String> {
    let known: Vec<_> = summary
        .all_measured()
        .filter(|measured| measured.limit_cpus.is_some())
        .filter_map(|measured| Some((measured, measured.steady?)))
        .collect();
    if known.iter().all(|(measured, steady)| steady.blocks == measured.blocks.len() as u64) {
        return None;
    }
    let figures: Vec<String> = known
        .iter()
        .map(|(measured, steady)| {
            let throttled = match steady.nr_periods {
                0 => "no period".to_owned(),
                periods => {
                    format!(
                        "{} of {}",
                        percent(steady.nr_throttled as f64 / periods as f64),
                        counted(periods, "period")
                    )
                }
            };
            let blocks = counted(measured.blocks.len() as u64, "block");
            format!("{}: {throttled} throttled ({} of {blocks})", measured.condition, steady.blocks)
        })
        .collect();
    Some(format!(
        "blocks during which the machine was steady (nobody else above the bounds, and no second of frames took more than \
         {} × its usual CPU time), which the table counts in with all others: {}",
        summary.headroom,
        figures.join("; "),
    ))
}

/// The note of a partial run, which stands above everything else.
#[must_use]
pub fn partial(summary: &Summary) -> String {
    format!("PARTIAL: {} of {}", count(summary.blocks), counted(summary.blocks_planned, "block"))
}
