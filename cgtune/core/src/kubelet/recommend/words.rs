//! The sentences of a recommendation.

mod effect;

use std::fmt;

use super::{Evidence, Expected, Field, Given, Lack, Reason, Remark, Reserve, Risk};
use crate::{
    kubelet::{gates::Gate, options::PolicyOption, release::Release, topology_manager::TopologyScope},
    sim::Spread,
    text::counted,
};

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps() {
            (field, None) => f.pad(field),
            (field, Some(key)) => f.pad(&format!("{field}.{key}")),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.pad(text),
            Self::Bool(truth) => fmt::Display::fmt(truth, f),
            Self::List(list) => f.pad(&format!("[{}]", list.join(", "))),
        }
    }
}

/// `1 CPU`, `3 CPUs`.
fn cpus(count: usize) -> String {
    counted(count, "CPU")
}

fn containers(count: usize) -> String {
    counted(count, "container")
}

/// `1–3`, or `0` where both ends show the same.
fn range(spread: &Spread<f64>) -> String {
    let (low, high) = (format!("{:.0}", spread.min), format!("{:.0}", spread.max));
    if low == high { low } else { format!("{low}–{high}") }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinning => f.write_str(
                "containers of Guaranteed pods that ask for whole CPUs get CPUs of their own, which no other pod runs on",
            ),
            Self::QuotaOnPinned => {
                f.write_str("with this gate closed a pinned container is still throttled by its quota, on CPUs that nobody else uses")
            }
            Self::WholeCores { threads } => write!(
                f,
                "cores have {threads} threads; without it two pinned containers may share a core and slow each other down"
            ),
            Self::OddCount { container, cpus: wanted, threads } => write!(
                f,
                "{container} asks for {}, no multiple of {threads}, and is refused with it (SMTAlignmentError)",
                cpus(*wanted)
            ),
            Self::StrictReservation { reserve: Reserve::Cpus(reserved) } => write!(
                f,
                "without it Burstable and BestEffort pods run on the reserved {reserved} as well, beside the kubelet, the runtime and interrupts"
            ),
            Self::StrictReservation { reserve: Reserve::Amount { cpus: count } } => write!(
                f,
                "without it Burstable and BestEffort pods run on the reserved {} as well, beside the kubelet, the runtime and interrupts",
                cpus(*count)
            ),
            Self::LargerThanNode { container, cpus: wanted, node } => write!(
                f,
                "{container} wants {} and a NUMA node has {node} to give; spread evenly no node becomes its bottleneck",
                cpus(*wanted)
            ),
            Self::SeveralCaches { caches, cpus: each } => write!(
                f,
                "{caches} last-level caches of {} each; a container that is spread over several shares them with more neighbours",
                cpus(*each)
            ),
            Self::AlignWhereItCanBe { nodes } => {
                write!(f, "{nodes} NUMA nodes; CPUs of one node where that can be, and nobody is refused")
            }
            Self::AlignAlways { nodes, node } => write!(
                f,
                "{nodes} NUMA nodes of {} and more; every pinned container fits one, so none needs memory of two",
                cpus(*node)
            ),
            Self::PodTogether => f.write_str(
                "containers of one pod that work together get CPUs of the same NUMA node; without it each is placed for itself",
            ),
            Self::Closest { container, cpus: wanted, node } => write!(
                f,
                "{container} wants {} and a NUMA node has {node} to give; with it the nodes that it gets lie near each other",
                cpus(*wanted)
            ),
            Self::ReserveCores { cpus: reserved } => write!(
                f,
                "the static policy needs reserved CPUs; {reserved} are whole cores, so that no pinned container shares a core with the system"
            ),
            Self::Overridden { cpus: count } => {
                write!(f, "reservedSystemCPUs overrides it: {} are reserved either way", cpus(*count))
            }
            Self::WholeAmount { cpus: count } => write!(
                f,
                "a cgroup is enforced, which excludes reservedSystemCPUs; {} are whole cores, and the scheduler and the static policy \
                 count alike",
                cpus(*count)
            ),
            Self::Enforce => f.write_str("nothing holds pods to what is not reserved, so that all of them together may take the system's CPU"),
            Self::ShorterPeriod => f.write_str("a container whose quota has run out waits for the end of its period; a shorter one ends sooner"),
            Self::NoQuota => f.write_str("without quotas nothing is throttled; what is scarce is divided by shares"),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PodsUnknown => f.write_str("the machine alone; nothing is known of pods"),
            Self::Pinned { containers: count, container, cpus: most } => write!(
                f,
                "{} of Guaranteed pods with whole CPUs, the largest {container} with {most}",
                containers(*count)
            ),
            Self::CouldPin { containers: count } => {
                write!(
                    f,
                    "{} throttled with a whole limit in pods that are not Guaranteed",
                    containers(*count)
                )
            }
            Self::Throttled { nr_periods, nr_throttled } => {
                write!(f, "measured: throttled in {nr_throttled} of {nr_periods} periods")
            }
            Self::ThrottledShared {
                containers: count,
                container,
                nr_periods,
                nr_throttled,
                stall_ms_per_s,
            } => {
                write!(
                    f,
                    "measured: {} throttled that cannot be pinned, most {container}, in {nr_throttled} of {nr_periods} periods",
                    containers(*count)
                )?;
                match stall_ms_per_s {
                    Some(stall) => write!(f, ", {stall} ms per second"),
                    None => Ok(()),
                }
            }
            Self::Threads { threads } => write!(f, "{threads} threads a core"),
            Self::Cpus { cpus: count } => write!(f, "{} online", cpus(*count)),
            Self::Nodes { nodes, smallest, largest } => {
                write!(
                    f,
                    "{nodes} NUMA nodes, the smallest with {}, the largest with {largest}",
                    cpus(*smallest)
                )
            }
            Self::LargestAgainstNodes { scope, cpus: most, smallest, largest } => {
                let of = match scope {
                    TopologyScope::Container => "the largest pinned container has",
                    TopologyScope::Pod => "the pinned containers of the largest pod have together",
                };
                write!(f, "{of} {}, the smallest node {smallest}, the largest {largest}", cpus(*most))
            }
            Self::SeveralPinned { pods: 1, pod, cpus: most, largest } => write!(
                f,
                "{pod} has several pinned containers, {} in all; the largest node has {largest}",
                cpus(*most)
            ),
            Self::SeveralPinned { pods, pod, cpus: most, largest } => write!(
                f,
                "{pods} pods have several pinned containers, the largest {pod} with {} in all; the largest node has {largest}",
                cpus(*most)
            ),
            Self::Distances { nodes, nearest, farthest } => {
                write!(f, "{nodes} NUMA nodes, the nearest two {nearest} apart, the farthest {farthest}")
            }
            Self::Caches { caches, sockets } => write!(f, "{caches} last-level caches in {sockets} sockets"),
            Self::Reserved { amount } => {
                write!(f, "the configuration reserves {amount} today, rounded up to whole cores")
            }
            Self::ReservedCpus { cpus: reserved } => {
                write!(
                    f,
                    "reservedSystemCPUs is {reserved}; the kubelet reserves as many, whatever amounts say"
                )
            }
            Self::UsualReserve { amount, cpus: count } => write!(
                f,
                "nothing is reserved today; GKE's rule gives {amount} for {} (6 %, 1 %, 0.5 %, 0.25 %), rounded up to whole cores",
                cpus(*count)
            ),
            Self::Interrupts { cpus: on, percent, all, time } => {
                write!(f, "measured: {on} take {percent} % of the {all} interrupts of devices")?;
                match time {
                    Some(time) => write!(f, ", in {:.0} s", time.as_secs()),
                    None => Ok(()),
                }
            }
            Self::EnforcesNothing => f.write_str("enforceNodeAllocatable holds nothing"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuotaGone { nr_periods, nr_throttled } => write!(
                f,
                "modelled: 0 throttled periods in place of {nr_throttled} of {nr_periods}, as pinned containers have no quota since \
                 Kubernetes 1.33"
            ),
            Self::OnceGuaranteed { nr_periods, nr_throttled } => write!(
                f,
                "modelled: 0 throttled periods in place of {nr_throttled} of {nr_periods} of those whose pods are not Guaranteed, once they \
                 are"
            ),
            Self::NoQuotas { nr_periods, nr_throttled } => write!(
                f,
                "modelled: 0 throttled periods in place of {nr_throttled} of {nr_periods}, as there is no quota to run out"
            ),
            Self::Stall { container, expected } => write!(
                f,
                "modelled: {container} is throttled for {} ms per second in place of {}",
                range(&expected.stall_ms_per_s),
                range(&expected.stall_ms_per_s_now)
            ),
            Self::Allocatable { before, after } => {
                write!(f, "modelled: allocatable CPU is {after}, before {before}")
            }
            Self::Places(effect) => effect.fmt(f),
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none that is known of"),
            Self::Pinning => f.write_str(
                "all other pods share what is left; the node has to be drained; Guaranteed pods cannot be resized in place",
            ),
            Self::QuotaGone => f.write_str("pinned containers are held by their CPUs alone"),
            Self::OddCounts { threads } => {
                write!(f, "a pod that asks for whole CPUs that are no multiple of {threads} is refused (SMTAlignmentError)")
            }
            Self::SharedCores => {
                f.write_str("two pinned containers may share a core and slow each other down; asking for whole cores avoids it, and the option can stay")
            }
            Self::SmallerPool { left } => write!(
                f,
                "Burstable and BestEffort pods share at most {}; where pinned ones take all of them, none is left",
                cpus(*left)
            ),
            Self::Spread => f.write_str("its memory lies on several nodes; smaller containers are packed as before"),
            Self::BestEffort => f.write_str("no promise: where no cache has room a container is spread all the same"),
            Self::NotAlways => f.write_str("admission takes longer; a container may still be spread over nodes"),
            Self::Refuses => f.write_str(
                "a pod that no NUMA node has room for is refused (TopologyAffinityError), though the scheduler sent it here; its \
                 controller makes another, perhaps here again",
            ),
            Self::PodAsOne { refuses: true } => f.write_str(
                "a pod is refused unless a NUMA node has room for all its pinned containers at once, init containers counted \
                 (podGuaranteedCPUs)",
            ),
            Self::PodAsOne { refuses: false } => f.write_str(
                "where no NUMA node has room for all of a pod's pinned containers, one that would fit a node for itself may be divided",
            ),
            Self::Closest => f.write_str("none for what fits one node; admission looks at distances as well"),
            Self::Allocatable => f.write_str("pods whose requests filled the node do not fit any more"),
            Self::PodsHeld => f.write_str("pods together get less than today where they took the system's CPU"),
            Self::ShorterPeriod => f.write_str(
                "for every container of the node: more timers and accounting, limits below 50m are raised to it (1ms is the \
                 smallest quota), bursts of work are cut into more pieces; try it first: cgtune simulate --period 100ms,20ms",
            ),
            Self::NoQuota => f.write_str(
                "for every container of the node: limits hold nobody back, and pods rely on the CPU of others that is not there on a \
                 busy day",
            ),
        }
    }
}

impl Lack {
    /// The first release that has it by default.
    #[must_use]
    pub fn since(self) -> Option<Release> {
        Release::all().find(|release| match self {
            Self::Option { option, .. } => {
                option.gate(release.version()) != Some(Gate::CPUManagerPolicyAlphaOptions)
                    && option.stage(release.version()).is_some()
            }
            Self::Gate { gate } => gate.open_by_default(release.version()),
        })
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = |f: &mut fmt::Formatter<'_>| match self.since() {
            Some(release) => write!(f, "; from {release} on it would be recommended"),
            None => Ok(()),
        };
        match self {
            Self::Option { option, alpha: true } => write!(f, "{option} is alpha in this release")?,
            Self::Option { option, alpha: false } => write!(f, "{option} is not in this release")?,
            Self::Gate { .. } => {
                write!(
                    f,
                    "in this release pinned containers keep their quota and are throttled on their own CPUs"
                )?;
            }
        }
        match self {
            Self::Option { option: PolicyOption::StrictCpuReservation, .. } => {
                f.write_str("; other pods run on reserved CPUs as well")?;
            }
            Self::Option { .. } | Self::Gate { .. } => {}
        }
        match self {
            Self::Option { .. } => since(f),
            Self::Gate { .. } => match self.since() {
                Some(release) => write!(f, "; {release} takes the quota off"),
                None => Ok(()),
            },
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PodsUnknown => {
                f.write_str("nothing is known of pods; name their manifests with -f, and sizes are held against the machine")
            }
            Self::TooSmall { cpus: count, cores } => {
                let cores = if *cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
                write!(
                    f,
                    "{} on {cores}: a core is reserved for the system, and pinning leaves nothing for anybody else; the CPU manager stays as \
                     it is",
                    cpus(*count)
                )
            }
            Self::NobodyToPin { pods, present } => {
                if *pods == 0 {
                    let present = if *present { "; the static policy that is set gives nobody anything here" } else { "" };
                    return write!(f, "there is no pod, and so none to gain from CPUs of its own{present}");
                }
                let of = if *pods == 1 { "the pod".to_owned() } else { format!("none of {pods} pods") };
                let not = if *pods == 1 { " does not gain" } else { " gains" };
                let present = if *present { "; the static policy that is set gives nobody anything here" } else { "" };
                write!(f, "{of}{not} from CPUs of its own: none is Guaranteed with whole CPUs, or throttled with a whole limit{present}")
            }
            Self::CouldPin { container, limit } => write!(
                f,
                "{container} is throttled at a limit of {limit}; with requests equal to limits, for CPU and memory and in all containers of \
                 its pod, it gets {limit} CPUs of its own"
            ),
            Self::DoesNotFit { container, cpus: wanted, left } => write!(
                f,
                "{container} asks for {}, and {left} are left beside the reserved ones: it cannot run here",
                cpus(*wanted)
            ),
            Self::OddCount { container, cpus: wanted, threads } => write!(
                f,
                "full-pcpus-only is left out: {container} asks for {}, no multiple of {threads}, and would be refused",
                cpus(*wanted)
            ),
            Self::Excluded { option, other } => {
                write!(f, "{option} is left out: it excludes {other}, which is on")
            }
            Self::GateClosed { option, gate } => {
                write!(f, "{option} is left out: the configuration closes {gate}")
            }
            Self::ManyNodes { nodes, since } => write!(
                f,
                "topologyManagerPolicy is left as it is: {nodes} NUMA nodes are more than it starts on, and max-allowable-numa-nodes (since \
                 {since}) makes admission slow"
            ),
            Self::LongerStalls { period, container, expected } => write!(
                f,
                "cpuCFSQuotaPeriod {period} is left out: modelled, {container} is then throttled for {} ms per second in place of {}, since \
                 its work does not fit the smaller quota",
                range(&expected.stall_ms_per_s),
                range(&expected.stall_ms_per_s_now)
            ),
            Self::InterruptsElsewhere { cpus: on, percent, reserved } => write!(
                f,
                "devices interrupt {on}, which may be pinned, with {percent} % of all their interrupts; let them interrupt the reserved \
                 {reserved} (irqbalance, /proc/irq/N/smp_affinity_list: -o runbook)"
            ),
            Self::AllReserved { amount, cpus: count } => {
                write!(f, "{amount} reserved, rounded up to whole cores, are all {}: nothing is left to pin, and the CPU manager stays as it is", cpus(*count))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_pods_has_none_to_gain() {
        let said = |pods| Remark::NobodyToPin { pods, present: false }.to_string();
        assert_eq!(said(0), "there is no pod, and so none to gain from CPUs of its own");
        assert!(said(1).starts_with("the pod does not gain") && said(2).starts_with("none of 2 pods gains"));
    }
}
