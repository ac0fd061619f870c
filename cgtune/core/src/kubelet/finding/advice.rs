//! How bad a fault is, what it is called in JSON, and what to do about it.

use super::{Fault, Finding, Severity};
use crate::convert::kubelet::QUOTA_PERIOD;

impl Finding {
    /// How bad it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.fault.severity()
    }
}

impl Fault {
    /// How bad it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::OptionsWithoutTopologyPolicy
            | Self::PeriodWithoutQuota
            | Self::PeriodRaisesLimits { .. }
            | Self::QuotaOff
            | Self::QuotaKept
            | Self::NothingLeft { .. }
            | Self::HalfCore { .. }
            | Self::ReservedOverridden { .. }
            | Self::ReservedRounded { .. }
            | Self::ReservedPartOfCore { .. }
            | Self::CgroupUnused { .. }
            | Self::EnforcesNothing { .. }
            | Self::DriverDefault
            | Self::FlagOverrides { .. }
            | Self::StableGate { .. } => Severity::Warning,
            Self::NothingToAlign { .. }
            | Self::LargestNode { .. }
            | Self::QuotaStays { .. }
            | Self::NoResize
            | Self::StateFile
            | Self::StrictReservation
            | Self::CgroupMustExist => Severity::Note,
            _ => Severity::Error,
        }
    }

    /// A short name for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Type { .. } => "type",
            Self::Untyped { .. } => "untyped",
            Self::OtherVersion { .. } => "other_version",
            Self::SecondDocument => "second_document",
            Self::Repeated { .. } => "repeated",
            Self::FlagOverrides { .. } => "flag_overrides",
            Self::UnknownField { .. } => "unknown_field",
            Self::LaterField { .. } => "later_field",
            Self::Value { .. } => "value",
            Self::StaticWithoutReserved => "static_without_reserved",
            Self::OptionsWithoutStatic => "options_without_static",
            Self::UnknownOption { .. } => "unknown_option",
            Self::OptionValue { .. } => "option_value",
            Self::LaterOption { .. } => "later_option",
            Self::OptionNeedsGate { .. } => "option_needs_gate",
            Self::Excluded(_) => "excluded",
            Self::Unfit(_) => "unfit",
            Self::TopologyOptionValue { .. } => "topology_option_value",
            Self::OptionsWithoutTopologyPolicy => "options_without_topology_policy",
            Self::TooManyNodes { .. } => "too_many_nodes",
            Self::NothingToAlign { .. } => "nothing_to_align",
            Self::LargestNode { .. } => "largest_node",
            Self::PeriodNeedsGate { .. } => "period_needs_gate",
            Self::PeriodRange { .. } => "period_range",
            Self::PeriodWithoutQuota => "period_without_quota",
            Self::PeriodRaisesLimits { .. } => "period_raises_limits",
            Self::QuotaOff => "quota_off",
            Self::QuotaStays { .. } => "quota_stays",
            Self::QuotaKept => "quota_kept",
            Self::NoResize => "no_resize",
            Self::StateFile => "state_file",
            Self::CpuList { .. } => "cpu_list",
            Self::ReservedExcludes { .. } => "reserved_excludes",
            Self::ReservedNotOnline { .. } => "reserved_not_online",
            Self::NothingLeft { .. } => "nothing_left",
            Self::HalfCore { .. } => "half_core",
            Self::ReservedOverridden { .. } => "reserved_overridden",
            Self::ReservedRounded { .. } => "reserved_rounded",
            Self::ReservedPartOfCore { .. } => "reserved_part_of_core",
            Self::MoreThanThereIs { .. } => "more_than_there_is",
            Self::ReservedResource => "reserved_resource",
            Self::ReservedQuantity { .. } => "reserved_quantity",
            Self::StrictReservation => "strict_reservation",
            Self::Twice { .. } => "twice",
            Self::NoneAndOthers => "none_and_others",
            Self::BothForms { .. } => "both_forms",
            Self::LaterEnforcement { .. } => "later_enforcement",
            Self::NeedsCgroup { .. } => "needs_cgroup",
            Self::CgroupUnused { .. } => "cgroup_unused",
            Self::CgroupMustExist => "cgroup_must_exist",
            Self::EnforcesNothing { .. } => "enforces_nothing",
            Self::NeedsCgroupsPerQos => "needs_cgroups_per_qos",
            Self::NeedsCgroupRoot => "needs_cgroup_root",
            Self::DriverDefault => "driver_default",
            Self::FailsOnV1 { .. } => "fails_on_v1",
            Self::GroupKillOnV1 => "group_kill_on_v1",
            Self::NeedsMemoryQos => "needs_memory_qos",
            Self::LaterGate { .. } => "later_gate",
            Self::GoneGate { .. } => "gone_gate",
            Self::StableGate { .. } => "stable_gate",
            Self::LockedGate { .. } => "locked_gate",
            Self::OptionsGateClosed => "options_gate_closed",
            Self::OffNeedsGate { .. } => "off_needs_gate",
            Self::More { .. } => "more",
        }
    }

    /// What to do.
    #[must_use]
    pub fn advice(&self) -> String {
        let fixed = match self {
            Self::Type { .. } => {
                "write the value in the type of the field; options and amounts are strings, \"true\" and \"500m\""
            }
            Self::Untyped { field: "kind" } => "begin the file with kind: KubeletConfiguration",
            Self::Untyped { .. } | Self::OtherVersion { .. } => {
                "write apiVersion: kubelet.config.k8s.io/v1beta1"
            }
            Self::SecondDocument => "keep one document in the file",
            Self::Repeated { .. } => "keep one of them",
            Self::FlagOverrides { .. } => {
                "write here what it should be, and take the flag away: it is deprecated"
            }
            Self::UnknownField { like: Some(field) } | Self::UnknownOption { like: Some(field) } => {
                return format!("write {field}");
            }
            Self::UnknownField { like: None } => "take it out, or mend its name",
            Self::LaterField { .. }
            | Self::LaterOption { .. }
            | Self::LaterEnforcement { .. }
            | Self::LaterGate { .. } => {
                "take it out until the node is upgraded, or name the node's release with --kubernetes"
            }
            Self::Value { .. } => "write one of them",
            Self::StaticWithoutReserved => {
                "name CPUs in reservedSystemCPUs, or give systemReserved or kubeReserved an amount of cpu"
            }
            Self::OptionsWithoutStatic => "write cpuManagerPolicy: static, or take the options out",
            Self::UnknownOption { like: None } => "take it out, or mend its name",
            Self::OptionValue { .. } => "write \"true\" or \"false\", in quotes",
            Self::OptionNeedsGate { gate } => {
                return format!("write featureGates: {{{gate}: true}}, or take the option out");
            }
            Self::OffNeedsGate { .. } => "take the option out",
            Self::OptionsGateClosed => "take the gate out of featureGates; it is open by default",
            Self::Excluded(exclusion) => return format!("keep one of {} and {}", exclusion.0, exclusion.1),
            Self::Unfit(_) => "take align-by-socket out",
            Self::TopologyOptionValue { .. } => {
                "write \"true\" or \"false\" for prefer-closest-numa-nodes, and a number from \"8\" on for max-allowable-numa-nodes"
            }
            Self::OptionsWithoutTopologyPolicy => "choose a topologyManagerPolicy, or take the options out",
            Self::TooManyNodes { nodes, .. } => {
                return format!(
                    "write topologyManagerPolicyOptions: {{max-allowable-numa-nodes: \"{nodes}\"}} (since 1.31; admission \
                     becomes slow), or topologyManagerPolicy: none"
                );
            }
            Self::NothingToAlign { .. } => "cpuManagerPolicy: static gives it CPUs to align",
            Self::LargestNode { .. } => "take best-effort or restricted if larger containers are to run here",
            Self::PeriodNeedsGate { .. } => {
                "write featureGates: {CustomCPUCFSQuotaPeriod: true}, or take the period out"
            }
            Self::PeriodRange { .. } => {
                return format!("write a period from 1ms to 1s; the usual one is {QUOTA_PERIOD}");
            }
            Self::PeriodWithoutQuota => "take the period out, or write cpuCFSQuota: true",
            Self::PeriodRaisesLimits { .. } => "take a longer period, or see to it that no limit is smaller",
            Self::QuotaOff => {
                "keep it only if nothing on this node has to be held to its limit; shares still divide what is scarce"
            }
            Self::QuotaStays { .. } => {
                "upgrade, or take the limit's throttling on pinned containers into account"
            }
            Self::QuotaKept => "take DisableCPUQuotaWithExclusiveCPUs out of featureGates",
            Self::NoResize => "replace such pods in place of resizing them",
            Self::StateFile => {
                "drain the node, stop the kubelet, remove /var/lib/kubelet/cpu_manager_state, start it: cgtune kubelet \
                 recommend -o runbook"
            }
            Self::CpuList { .. } => "write numbers and ranges with commas, without blanks",
            Self::ReservedExcludes { .. } => {
                "keep one of them; CPUs that are named cannot be enforced on a cgroup"
            }
            Self::ReservedNotOnline { .. } => "name CPUs that are online: cgtune topology shows them",
            Self::NothingLeft { .. } => "reserve fewer",
            Self::HalfCore { others, .. } => {
                return format!("reserve {others} as well, or other whole cores");
            }
            Self::ReservedOverridden { .. } => "take cpu out of systemReserved and kubeReserved",
            Self::ReservedRounded { cpus, .. } => {
                return format!("reserve {cpus} CPUs in all, or name them in reservedSystemCPUs");
            }
            Self::ReservedPartOfCore { threads, .. } => {
                return format!("reserve a multiple of {threads} CPUs");
            }
            Self::MoreThanThereIs { .. } => "reserve less",
            Self::ReservedResource => "take it out",
            Self::ReservedQuantity { error } => error.hint(),
            Self::StrictReservation => "see that what is left is enough for them",
            Self::Twice { .. } => "keep one",
            Self::NoneAndOthers => "take none out, or everything else",
            Self::BothForms { .. } => "keep one of them; the compressible form leaves memory and pids alone",
            Self::NeedsCgroup { field, .. } => {
                return format!("give {field} a cgroup that exists, or take it out of the list");
            }
            Self::CgroupUnused { value } => {
                return format!("add {value} to enforceNodeAllocatable, or take the cgroup out");
            }
            Self::CgroupMustExist => {
                "see that it is made before the kubelet starts, in each controller on cgroup v1"
            }
            Self::EnforcesNothing { field } => {
                return format!("give {field} an amount of cpu, or take it out of the list");
            }
            Self::NeedsCgroupsPerQos => {
                "take cgroupsPerQOS: false out, or write enforceNodeAllocatable: [none]"
            }
            Self::NeedsCgroupRoot => "give cgroupRoot, or take systemCgroups out",
            Self::DriverDefault => {
                "write cgroupDriver: systemd where systemd is the init system, and let the runtime say the same"
            }
            Self::FailsOnV1 { .. } => "move the node to cgroup v2, or write failCgroupV1: false for a while",
            Self::GroupKillOnV1 => "take it out",
            Self::NeedsMemoryQos => {
                "write featureGates: {MemoryQoS: true} (alpha), or memoryReservationPolicy: None"
            }
            Self::More { .. } => "mend those that are told, and check again",
            Self::GoneGate { .. } | Self::StableGate { .. } | Self::LockedGate { .. } => {
                "take it out of featureGates"
            }
        };
        fixed.to_owned()
    }
}
