//! What is wrong with where a group is placed: by its own files, and beside others.

use std::collections::BTreeMap;

use super::{
    Culprit, Finding, Intent, Name, Pinned, Source, culprit,
    seen::{Partition, Placed},
};
use crate::CpuSet;

/// What is wrong with where a group is placed, whoever is in it.
pub(super) fn states(pinned: &Pinned, placed: &Placed, online: Option<&CpuSet>) -> Vec<Finding> {
    let intended = &pinned.intent.cpus;
    let mut findings = Vec::new();
    let offline = placed.set.as_ref().and_then(|set| taken_offline(intended, set, placed, online));
    match (&placed.set, offline) {
        // A v2 root has no such file, and all CPUs.
        (None, _) if placed.effective.is_some() => {}
        (None, _) => findings.push(Finding::NoCpuset { intended: intended.clone() }),
        (Some(set), Some(missing)) => findings.push(Finding::Narrowed {
            intended: intended.clone(),
            effective: placed.effective.as_ref().unwrap_or(set).clone(),
            missing,
            culprit: Culprit::Offline,
        }),
        (Some(set), None)
            if set != intended && !(set.is_empty() && pinned.intent.source == Source::Itself) =>
        {
            let by_kernel = placed.exclusive.is_some() && set.difference(intended).is_empty();
            findings.push(Finding::SetDiffers { intended: intended.clone(), set: set.clone(), by_kernel });
        }
        (Some(_), None) => {}
    }
    if let Some(Partition { kind, invalid: Some(why) }) = &placed.partition {
        findings.push(Finding::PartitionInvalid { partition: kind.clone(), why: why.clone() });
    }
    let Some(effective) = &placed.effective else { return findings };
    let mut by_culprit: BTreeMap<Culprit, CpuSet> = BTreeMap::new();
    for cpu in placed.missing(intended).iter() {
        by_culprit.entry(culprit::of(cpu, placed, online)).or_default().insert(cpu);
    }
    findings.extend(by_culprit.into_iter().map(|(culprit, missing)| Finding::Narrowed {
        intended: intended.clone(),
        effective: effective.clone(),
        missing,
        culprit,
    }));
    findings
}

/// What the kernel itself took out of a v1 set as it went offline (`hotplug_update_tasks_legacy`, kernel/cgroup/cpuset-v1.c, 6.12). A v2
/// set keeps such CPUs. `None`: that does not explain how the set differs.
fn taken_offline(
    intended: &CpuSet,
    set: &CpuSet,
    placed: &Placed,
    online: Option<&CpuSet>,
) -> Option<CpuSet> {
    // Every v1 cpuset has this file, and no other.
    placed.exclusive?;
    let missing = intended.difference(set);
    let explained = set.difference(intended).is_empty() && missing.intersection(online?).is_empty();
    (explained && !missing.is_empty()).then_some(missing)
}

/// The CPUs that a group is to have alone: those that are meant, though less be in force; where but the kernel is told so, those in
/// force. `None`: others may have them, too.
pub(super) fn alone<'a>(intent: &'a Intent, placed: &'a Placed) -> Option<&'a CpuSet> {
    match intent.exclusive {
        true => Some(&intent.cpus),
        false => placed.in_force().filter(|_| placed.is_alone()),
    }
}

/// Two groups of which one is to have its CPUs alone; a group above or below shares by its nature.
pub(super) fn overlap(own: &Name, cpus: &CpuSet, other: &Name, theirs: &CpuSet) -> Option<Finding> {
    let shared = cpus.intersection(theirs);
    let related = own.holds(other) || other.holds(own);
    (!shared.is_empty() && !related).then(|| Finding::Overlap { other: other.clone(), shared })
}
