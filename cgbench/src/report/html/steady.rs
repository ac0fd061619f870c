//! How steady the machine was: what else happened, block by block, in the order in which they ran.

use super::markup::Markup;
use crate::{
    record::Records,
    report::facts,
    summary::{
        BlockSummary, Measured, Summary, Worst,
        figures::{count, counted, ms, percent},
    },
};

/// The section's text and its table.
pub(super) fn steady(m: &mut Markup, records: &Records, summary: &Summary) {
    m.said("p", &[], &sentence(records, summary));
    fitness(m, records);
    let mut blocks: Vec<(&Measured, &BlockSummary)> = summary
        .all_measured()
        .flat_map(|measured| measured.blocks.iter().map(move |block| (measured, block)))
        .collect();
    blocks.sort_by_key(|(_, block)| block.index);
    if blocks.is_empty() {
        return;
    }
    m.element("details", &[], |m| {
        m.leaf(
            "summary",
            &[],
            &format!("All {}, in the order in which they ran", counted(blocks.len() as u64, "block")),
        );
        m.table("blocks", "What was seen of each block that counts", |m| {
            m.element("thead", &[], |m| {
                m.element("tr", &[], |m| {
                    for heading in HEADINGS {
                        m.leaf("th", &[("scope", "col")], heading);
                    }
                });
            });
            m.element("tbody", &[], |m| {
                for (measured, block) in &blocks {
                    row(m, records, measured, block);
                }
            });
        });
    });
}

/// What the doctor found before the first block.
fn fitness(m: &mut Markup, records: &Records) {
    match facts::fitness(records) {
        None => {}
        Some(found) if found.is_empty() => {
            m.leaf(
                "p",
                &[],
                "Before the first block the doctor found the machine fit for measuring latency.",
            );
        }
        Some(found) => {
            m.leaf("p", &[], "What the doctor found before the first block:");
            m.element("ul", &[], |m| found.iter().for_each(|finding| m.leaf("li", &[], finding)));
        }
    }
}

const HEADINGS: [&str; 9] = [
    "block",
    "condition",
    "try",
    "throttled periods",
    "p95 ms",
    "max ms",
    "CPU time over the pilot's",
    "in its slowest second",
    "taken by others",
];

fn row(m: &mut Markup, records: &Records, measured: &Measured, block: &BlockSummary) {
    let unknown = || "–".to_owned();
    let disturbance =
        records.blocks.iter().find(|one| one.index == block.index).and_then(|one| one.disturbance);
    let others = disturbance.map_or_else(unknown, |seen| percent((seen.steal + seen.foreign).max(0.0)));
    let cells = [
        (block.attempt + 1).to_string(),
        match (block.nr_throttled, block.nr_periods) {
            (Some(throttled), Some(periods)) if periods > 0 => {
                format!("{} of {}", count(throttled), count(periods))
            }
            _ => unknown(),
        },
        block.p95_us.map_or_else(|| "n/a".into(), ms),
        block.max_us.map_or_else(unknown, ms),
        block.speed.map_or_else(unknown, |speed| format!("{:.2} ×", speed.mean)),
        block.speed.map_or_else(unknown, |speed| format!("{:.2} ×", speed.slowest_second)),
        match block.void {
            Some(true) => format!("{others}, disturbed"),
            _ => others,
        },
    ];
    m.element("tr", &[], |m| {
        m.leaf("th", &[("scope", "row")], &block.index.to_string());
        m.leaf("td", &[("class", "text")], &measured.condition.to_string());
        for cell in cells {
            m.leaf("td", &[], &cell);
        }
    });
}

fn sentence(records: &Records, summary: &Summary) -> String {
    let sum = |of: fn(&Measured) -> u64| summary.all_measured().map(of).sum::<u64>();
    let (void, moved) = (sum(|m| m.void_blocks), sum(|m| m.moved_blocks));
    let worst = summary
        .all_measured()
        .filter_map(|measured| measured.worst)
        .reduce(|a, b| Worst { steal: a.steal.max(b.steal), foreign: a.foreign.max(b.foreign) });
    let others = match worst {
        Some(worst) => format!(
            "At worst the hypervisor took {} of the machine during a block, and other programs {}. ",
            percent(worst.steal.max(0.0)),
            percent(worst.foreign.max(0.0))
        ),
        None => "What others took of the machine is not known. ".into(),
    };
    let pilots = match summary.pilots {
        Some(pilots) => format!(
            "What the load needed without a policy lay between {:.3} and {:.3} CPUs over {}. ",
            pilots.lowest_cpus,
            pilots.highest_cpus,
            counted(pilots.count, "pilot")
        ),
        None => "No pilot was recorded. ".into(),
    };
    let counted_in = match (void, moved) {
        (0, 0) => format!(
            "No block that counts was disturbed, and in none did the machine's speed move by more than the limit's headroom ({} were run again).",
            count(records.set_aside.len() as u64)
        ),
        (void, moved) => format!(
            "Counted in all the same: {} disturbed, {} during which the machine's speed moved ({} were run again).",
            counted(void, "block"),
            counted(moved, "block"),
            count(records.set_aside.len() as u64)
        ),
    };
    format!("{others}{pilots}{counted_in}")
}
