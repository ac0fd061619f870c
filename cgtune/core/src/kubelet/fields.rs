//! The names of the fields of KubeletConfiguration v1beta1.
//!
//! Source: config/v1beta1/types.go of k8s.io/kubelet, branches release-1.30 to release-1.36. No field has gone in that time.

use crate::kubelet::release::Release;

/// Fields that all releases from 1.30 on have, in the order of the alphabet; `apiVersion` and `kind` are not counted.
const ALWAYS: &[&str] = &[
    "address",
    "allowedUnsafeSysctls",
    "authentication",
    "authorization",
    "cgroupDriver",
    "cgroupRoot",
    "cgroupsPerQOS",
    "clusterDNS",
    "clusterDomain",
    "configMapAndSecretChangeDetectionStrategy",
    "containerLogMaxFiles",
    "containerLogMaxSize",
    "containerLogMaxWorkers",
    "containerLogMonitorInterval",
    "containerRuntimeEndpoint",
    "contentType",
    "cpuCFSQuota",
    "cpuCFSQuotaPeriod",
    "cpuManagerPolicy",
    "cpuManagerPolicyOptions",
    "cpuManagerReconcilePeriod",
    "enableContentionProfiling",
    "enableControllerAttachDetach",
    "enableDebugFlagsHandler",
    "enableDebuggingHandlers",
    "enableProfilingHandler",
    "enableServer",
    "enableSystemLogHandler",
    "enableSystemLogQuery",
    "enforceNodeAllocatable",
    "eventBurst",
    "eventRecordQPS",
    "evictionHard",
    "evictionMaxPodGracePeriod",
    "evictionMinimumReclaim",
    "evictionPressureTransitionPeriod",
    "evictionSoft",
    "evictionSoftGracePeriod",
    "failSwapOn",
    "featureGates",
    "fileCheckFrequency",
    "hairpinMode",
    "healthzBindAddress",
    "healthzPort",
    "httpCheckFrequency",
    "imageGCHighThresholdPercent",
    "imageGCLowThresholdPercent",
    "imageMaximumGCAge",
    "imageMinimumGCAge",
    "imageServiceEndpoint",
    "iptablesDropBit",
    "iptablesMasqueradeBit",
    "kernelMemcgNotification",
    "kubeAPIBurst",
    "kubeAPIQPS",
    "kubeReserved",
    "kubeReservedCgroup",
    "kubeletCgroups",
    "localStorageCapacityIsolation",
    "logging",
    "makeIPTablesUtilChains",
    "maxOpenFiles",
    "maxParallelImagePulls",
    "maxPods",
    "memoryManagerPolicy",
    "memorySwap",
    "memoryThrottlingFactor",
    "nodeLeaseDurationSeconds",
    "nodeStatusMaxImages",
    "nodeStatusReportFrequency",
    "nodeStatusUpdateFrequency",
    "oomScoreAdj",
    "podCIDR",
    "podLogsDir",
    "podPidsLimit",
    "podsPerCore",
    "port",
    "protectKernelDefaults",
    "providerID",
    "qosReserved",
    "readOnlyPort",
    "registerNode",
    "registerWithTaints",
    "registryBurst",
    "registryPullQPS",
    "reservedMemory",
    "reservedSystemCPUs",
    "resolvConf",
    "rotateCertificates",
    "runOnce",
    "runtimeRequestTimeout",
    "seccompDefault",
    "serializeImagePulls",
    "serverTLSBootstrap",
    "showHiddenMetricsForVersion",
    "shutdownGracePeriod",
    "shutdownGracePeriodByPodPriority",
    "shutdownGracePeriodCriticalPods",
    "staticPodPath",
    "staticPodURL",
    "staticPodURLHeader",
    "streamingConnectionIdleTimeout",
    "syncFrequency",
    "systemCgroups",
    "systemReserved",
    "systemReservedCgroup",
    "tlsCertFile",
    "tlsCipherSuites",
    "tlsMinVersion",
    "tlsPrivateKeyFile",
    "topologyManagerPolicy",
    "topologyManagerPolicyOptions",
    "topologyManagerScope",
    "tracing",
    "volumePluginDir",
    "volumeStatsAggPeriod",
];

/// Those that came later, with the minor version.
const LATER: &[(&str, u32)] = &[
    ("crashLoopBackOff", 32),
    ("failCgroupV1", 31),
    ("imagePullCredentialsVerificationPolicy", 33),
    ("memoryReservationPolicy", 36),
    ("mergeDefaultEvictionSettings", 33),
    ("preloadedImagesVerificationAllowlist", 33),
    ("singleProcessOOMKill", 32),
    ("tlsCurvePreferences", 36),
    ("userNamespaces", 33),
];

/// The release that brought a field; [`Release::OLDEST`] for those that were there before. `None`: no release knows it.
#[must_use]
pub fn since(name: &str) -> Option<Release> {
    if ALWAYS.binary_search(&name).is_ok() {
        return Some(Release::OLDEST);
    }
    LATER.iter().find(|(later, _)| *later == name).map(|&(_, minor)| Release::of_minor(minor))
}

/// A field whose name is nearly this one: the same but for upper and lower case, `-` and `_`, or one letter.
#[must_use]
pub fn like(name: &str) -> Option<&'static str> {
    let all = || ALWAYS.iter().copied().chain(LATER.iter().map(|&(name, _)| name));
    let folded = fold(name);
    all().find(|known| fold(known) == folded).or_else(|| all().find(|known| one_apart(name, known)))
}

fn fold(name: &str) -> String {
    // No name is longer than 40 letters, so that a longer one is like none.
    name.chars().take(64).filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether one slip makes the difference: another letter, one more, one less, or two changed about.
pub(super) fn one_apart(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let (short, long) = (short.as_bytes(), long.as_bytes());
    if long.len() - short.len() > 1 || short.is_empty() {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (a, b) = (short.get(same..).unwrap_or_default(), long.get(same..).unwrap_or_default());
    if let ([a1, a2, a_rest @ ..], [b1, b2, b_rest @ ..]) = (a, b)
        && (a1, a2, a_rest) == (b2, b1, b_rest)
    {
        return true;
    }
    let behind = if short.len() == long.len() { same + 1 } else { same };
    short.get(behind..).unwrap_or_default() == long.get(same + 1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_come_once() {
        assert!(ALWAYS.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(ALWAYS.len() + LATER.len(), 125, "the fields of 1.36");
        assert!(LATER.iter().all(|(name, _)| ALWAYS.binary_search(name).is_err()));
    }

    #[test]
    fn a_field_is_known_from_its_release_on() {
        assert_eq!(since("cpuManagerPolicy"), Some(Release::OLDEST));
        assert_eq!(since("singleProcessOOMKill").map(Release::minor), Some(32));
        assert_eq!(since("cpumanagerpolicy"), None);
    }

    #[test]
    fn a_slip_finds_its_field() {
        assert_eq!(like("cpumanagerPolicy"), Some("cpuManagerPolicy"));
        assert_eq!(like("cpu-manager-policy"), Some("cpuManagerPolicy"));
        assert_eq!(like("reservedSystemCpus"), Some("reservedSystemCPUs"));
        assert_eq!(like("cpuCFSQuotaPeriods"), Some("cpuCFSQuotaPeriod"));
        assert_eq!(like("cgroupDirver"), Some("cgroupDriver"));
        assert_eq!(like("cgroupDiver"), Some("cgroupDriver"));
        assert_eq!(like("enforceNodeAllocateble"), Some("enforceNodeAllocatable"));
        assert_eq!(like("something"), None);
        assert_eq!(like(""), None);
        assert_eq!(like("ä"), None);
    }
}
