//! What to do about a finding, as a sentence with what to type.

use super::{Culprit, Finding, Kind, Name};
use crate::{CpuSet, text::shell};

impl Finding {
    /// What to do about it, for the group of this path. `elsewhere`: CPUs that are online and not meant for it.
    #[must_use]
    pub fn remedy(&self, path: &Name, elsewhere: &CpuSet) -> String {
        let own = word(path);
        if elsewhere.is_empty() && matches!(self, Self::ForeignTask { .. } | Self::Interrupts { .. }) {
            return "there is no other CPU to go to: pin to fewer, or let weights decide (cgtune apply --cpu-request)".to_owned();
        }
        match self {
            Self::NoCpuset { intended } => format!(
                "it needs a group in the cpuset hierarchy (v2: \"+cpuset\" in the cgroup.subtree_control above), and then cgtune pin apply {own} --cpus {intended}"
            ),
            Self::SetDiffers { intended, .. } => format!(
                "cgtune pin apply {own} --cpus {intended} sets it again; cgtune history shows whether one of our changes is older than what is there"
            ),
            Self::Narrowed { intended, missing, culprit, .. } => match culprit {
                Culprit::Offline => {
                    let cpu = missing.iter().next().unwrap_or_default();
                    format!(
                        "echo 1 > /sys/devices/system/cpu/cpu{cpu}/online brings a CPU back; v2 then gives it to the group again, v1 does not: cgtune pin apply {own} --cpus {intended}"
                    )
                }
                Culprit::Above { path, .. } => {
                    format!("add {missing} to the set of {}, or pin to CPUs that it has", word(path))
                }
                Culprit::Partition { path, .. } => format!(
                    "pin to other CPUs, or give it back: echo member > cpuset.cpus.partition in {}",
                    word(path)
                ),
                Culprit::Unknown { .. } => {
                    "see cpuset.cpus.partition and cpuset.cpus.exclusive of the groups beside it and above"
                        .to_owned()
                }
            },
            Self::PartitionInvalid { partition, why } => valid_again(partition, why),
            Self::Overlap { other, shared } => {
                format!("move one of them off {shared}: cgtune pin apply {} --cpus …", word(other))
            }
            Self::ThreadAstray { task, .. } => format!(
                "whoever started it put it into one hierarchy alone: echo {} > tasks of {own} in the cpuset hierarchy",
                task.tid
            ),
            Self::ThreadOutside { task, group, .. }
            | Self::ThreadNarrowed { task, group, .. }
            | Self::ThreadDrifted { task, group, .. } => format!(
                "the program itself or taskset did that: taskset -pc {group} {} takes it back until it does so again",
                task.tid
            ),
            Self::ForeignTask { kind, group, task, cpus, .. } => match kind {
                Kind::KernelWorker => {
                    format!("take CPU {cpus} out of /sys/devices/virtual/workqueue/cpumask")
                }
                Kind::KernelInterrupt => {
                    "its interrupt's /proc/irq/N/smp_affinity_list says where it runs".to_owned()
                }
                Kind::Kernel => format!(
                    "taskset -pc {elsewhere} {} moves it, where the kernel lets it; isolcpus= or a v2 isolated partition keeps such away from the start",
                    task.tid
                ),
                Kind::KernelPerCpu => "nothing: each CPU has its own".to_owned(),
                Kind::Process => match group {
                    // Of a group around this one the CPUs are this one's, too.
                    Some(group) if group.0 != b"/" && group.holds(path) => format!(
                        "{} holds this group as well: put it into another group, or taskset -pc {elsewhere} {}",
                        word(group),
                        task.tid
                    ),
                    Some(group) if group.0 != b"/" => format!(
                        "keep that group off CPU {cpus}: cgtune pin apply {} --cpus {elsewhere}",
                        word(group)
                    ),
                    _ => format!(
                        "it is in no group that could be pinned: put it into one, or taskset -pc {elsewhere} {}",
                        task.tid
                    ),
                },
            },
            Self::Interrupts { number, .. } => format!(
                "let other CPUs take it: echo {elsewhere} > /proc/irq/{number}/smp_affinity_list (and stop irqbalance from taking that back)"
            ),
            Self::Steal { .. } => "a host that is less full, or CPUs that are dedicated there".to_owned(),
        }
    }
}

/// What makes an invalid partition one again, by the kernel's words (`perr_strings`, kernel/cgroup/cpuset.c, 6.1 and 6.12).
fn valid_again(partition: &Name, why: &Name) -> String {
    let says = |words: &str| String::from_utf8_lossy(&why.0).contains(words);
    if says("hotplug") {
        "echo 1 > /sys/devices/system/cpu/cpuN/online brings its CPUs back, and the kernel makes it one again"
            .to_owned()
    } else if says("not exclusive") {
        format!(
            "take its CPUs out of cpuset.cpus of the groups beside it; then echo {partition} > cpuset.cpus.partition"
        )
    } else if says("Parent is") {
        "make the group above a partition root itself, or since 6.7 write the CPUs to cpuset.cpus.exclusive there".to_owned()
    } else {
        "it needs CPUs in cpuset.cpus that the group above has and no group beside it".to_owned()
    }
}

/// A path as a word of a command line; one that no terminal should see is shown escaped.
fn word(path: &Name) -> String {
    let text = std::str::from_utf8(&path.0).ok().and_then(shell::quote);
    text.unwrap_or_else(|| path.to_string())
}
