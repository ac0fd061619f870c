//! Whether two runs may be held against each other, and what differs.
//!
//! What differs is found by [`differences`](crate::differences); here is what of it matters, and to whom.

use serde::{Deserialize, Serialize};

use super::{metric::Family, settings::Settings};
use crate::{
    differences::{Differing, of_machines, of_plans},
    record::{BackendKind, Records},
};

/// In what two runs may differ, and are refused unless it is said that this is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Facet {
    /// Who measured: the kernel, or the model of it
    Backends,
    /// `uname -r`
    Kernels,
    /// CPU, CPUs online, hypervisor, governor, cgroup version, bandwidth slice
    Machines,
    /// How the limit follows, frames and warm-up of a block, the neighbour
    Plans,
    /// What is encoded, its size, the frame clock
    Loads,
    /// The seed of the order, of the jitter and of the pictures
    Seeds,
}

impl Facet {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backends => "backends",
            Self::Kernels => "kernels",
            Self::Machines => "machines",
            Self::Plans => "plans",
            Self::Loads => "loads",
            Self::Seeds => "seeds",
        }
    }
}

/// One thing in which two runs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which kind.
    pub facet: Facet,
    /// Which field: `kernel`, `encode.width`.
    pub field: String,
    /// In BASE.
    pub base: String,
    /// In NEW.
    pub new: String,
    /// Whether it was said that this is meant.
    pub accepted: bool,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use super::escape::terminal;
        write!(
            f,
            "{} differ: {} is {} in BASE, {} in NEW",
            self.facet.name(),
            terminal(&self.field),
            terminal(&self.base),
            terminal(&self.new)
        )
    }
}

/// How far one side of a calibrated picture may be from another and still be the same load: calibration ends on the nearest rung of a ladder
/// of sizes, and neighbours on it differ by up to 9 % in one direction (`workloads::calibrate`).
const RUNG: f64 = 0.1;

/// Everything in which two runs differ, as far as it bears on a comparison. Accepted is what the settings say is meant, and a picture that was
/// calibrated to the same share of the frame interval and came out a little larger or smaller, or, where machines may differ, of any size:
/// that moves absolute times, and neither counters nor ratios, since the quota follows the pilot. With absolute metrics, or a quota that is fixed, it is refused.
///
/// Not among them: the number of repetitions, since it changes no block; the conditions, which are compared one by one; how
/// many blocks may be run again; the threads of a neighbour that neither has; memory, of which a virtual machine has a little more or less each time.
#[must_use]
pub fn differences(base: &Records, new: &Records, settings: &Settings) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |facet, field: &str, base: String, new: String| {
        if base != new {
            let accepted = settings.across.contains(&facet);
            found.push(Difference { facet, field: field.to_owned(), base, new, accepted });
        }
    };
    let backend = |records: &Records| match records.run.backend {
        BackendKind::Kernel => "the kernel".to_owned(),
        BackendKind::Simulated => "SIMULATED".to_owned(),
    };
    add(Facet::Backends, "backend", backend(base), backend(new));
    for Differing { field, one, other } in of_machines(&base.machine, &new.machine) {
        let facet = if field == "kernel" { Facet::Kernels } else { Facet::Machines };
        add(facet, &field, one, other);
    }
    let beside = |records: &Records| records.plan.conditions.iter().any(|condition| condition.neighbour);
    for differing in of_plans(&base.plan, &new.plan) {
        let nobody_beside = differing.first() == "neighbour_threads" && !beside(base) && !beside(new);
        if let Some(facet) = facet(&differing).filter(|_| !nobody_beside) {
            add(facet, &differing.field, differing.one, differing.other);
        }
    }
    let absolute = settings.metrics.iter().any(|metric| metric.family() == Family::Absolute);
    let any_machine = settings.across.contains(&Facet::Machines);
    let follows = [base, new].iter().all(|records| records.plan.limit.headroom().is_some());
    let calibrated = |difference: &Difference| {
        follows && difference.facet == Facet::Loads && is_side(difference, any_machine)
    };
    if !absolute && found.iter().all(|difference| difference.facet != Facet::Loads || calibrated(difference))
    {
        found.iter_mut().filter(|difference| calibrated(difference)).for_each(|d| d.accepted = true);
    }
    found
}

/// Whether this is a side of a picture that is nearly as long, or as long as another machine makes it.
fn is_side(difference: &Difference, any_machine: bool) -> bool {
    let side = ["encode.width", "encode.height"].iter().any(|name| difference.field.ends_with(name));
    let (base, new) = (difference.base.parse::<f64>(), difference.new.parse::<f64>());
    let near = |base: f64, new: f64| base > 0.0 && (new / base - 1.0).abs() <= RUNG;
    side && (any_machine || base.is_ok_and(|base| new.is_ok_and(|new| near(base, new))))
}

/// Whether repetition i of both runs had the same pictures at the same moments: the same seeds and the same load.
#[must_use]
pub fn paired(differences: &[Difference]) -> bool {
    !differences
        .iter()
        .any(|difference| matches!(difference.facet, Facet::Plans | Facet::Loads | Facet::Seeds))
}

/// Which kind of difference a field of the plan makes; `None`: none that bears on a block.
fn facet(differing: &Differing) -> Option<Facet> {
    const NO_MATTER: [&str; 5] = ["schema", "name", "conditions", "repetitions", "reruns"];
    const OF_THE_PLAN: [&str; 4] = ["limit", "frames", "warmup_frames", "neighbour_threads"];
    let (first, last) = (differing.first(), differing.last());
    if NO_MATTER.contains(&first) {
        None
    } else if last == "seed" || first == "merged" {
        Some(Facet::Seeds)
    } else if OF_THE_PLAN.contains(&first) {
        Some(Facet::Plans)
    } else {
        Some(Facet::Loads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facet(field: &str) -> Option<Facet> {
        let (one, other) = (String::new(), String::new());
        super::facet(&Differing { field: field.to_owned(), one, other })
    }

    #[test]
    fn what_changes_no_block_is_no_difference() {
        for field in ["repetitions", "reruns", "name", "conditions"] {
            assert_eq!(facet(field), None, "{field}");
        }
    }

    #[test]
    fn what_a_plan_has_and_nobody_named_is_the_loads() {
        for (field, expected) in [
            ("seed", Facet::Seeds),
            ("clock.seed", Facet::Seeds),
            ("merged.1.repetitions", Facet::Seeds),
            ("load.service.seed", Facet::Seeds),
            ("limit.headroom", Facet::Plans),
            ("frames", Facet::Plans),
            ("encode.width", Facet::Loads),
            ("load.service.threads", Facet::Loads),
            ("share", Facet::Loads),
        ] {
            assert_eq!(facet(field), Some(expected), "{field}");
        }
    }
}
