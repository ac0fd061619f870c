//! One container's CPU request, limit and burst → what its cgroup holds.
//!
//! Source: `generateLinuxContainerResources` and `calculateLinuxResources` in pkg/kubelet/kuberuntime/kuberuntime_container_linux.go at
//! b94367ca, and the API server's defaulting (pkg/apis/core/v1/defaults.go at 023f88a3). What follows from the other
//! containers of a pod is [`pod`](crate::convert::pod)'s to say.

use serde::Serialize;

use crate::{
    Bandwidth, Layout, Micros, MilliCpu, Policy, PolicyError, Quota, Share, Shares, Weight,
    convert::{
        burst::Burst, kubelet, quantity::CpuQuantity, setting::Setting, warning::Warning,
        weight::WeightFormula,
    },
    plan::Write,
    policy::DEFAULT_PERIOD,
};

/// What is asked for one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContainerCpu {
    /// `resources.requests.cpu`. Absent is not zero: an absent one is taken from the limit.
    pub request: Option<CpuQuantity>,
    /// `resources.limits.cpu`.
    pub limit: Option<CpuQuantity>,
    /// The limit of the pod as a whole, which is the quota of a container that has none of its own.
    pub pod_limit: Option<CpuQuantity>,
    /// Whether the static CPU manager gives it CPUs of its own, so that it has no quota.
    pub exclusive: bool,
    /// A burst, which Kubernetes has no field for.
    pub burst: Option<Burst>,
    /// How many threads want to run at once, where that is known.
    pub threads: Option<u32>,
    /// The burst that its group has now, where it runs already.
    pub present_burst: Option<Micros>,
}

/// Where the request in force comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestOrigin {
    /// It was asked for.
    Given,
    /// None was asked for, so Kubernetes takes the limit.
    Limit,
    /// Neither was asked for, but the pod has a limit as a whole, and the kubelet takes that.
    PodLimit,
    /// Nothing was asked for: best effort, as a request of zero.
    Nothing,
}

/// What the kubelet sends over the CRI: `cpu_period` and `cpu_quota` of LinuxContainerResources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The period, also where there is no quota.
    pub period: Micros,
    /// The quota; none is sent as 0, or as −1 for exclusive CPUs.
    pub quota: Quota,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The request in force.
    pub request: MilliCpu,
    /// Where it comes from.
    pub request_origin: RequestOrigin,
    /// The limit, rounded up to thousandths; `None` if there is none. A limit of zero is kept as zero, and is no quota.
    pub limit: Option<MilliCpu>,
    /// Whether that is the limit of the pod as a whole, the container having none of its own.
    pub limit_of_pod: bool,
    /// `cpu.shares` of the container, and of a pod that holds nothing else.
    pub shares: Shares,
    /// How the runtime turns shares into a weight; `None`: it is not known.
    pub formula: Option<WeightFormula>,
    /// What the kubelet sends; `None`: with `cpuCFSQuota: false` it sends neither.
    pub sent: Option<Sent>,
    /// Quota, period and burst as they end up in the files: what the kernel takes together.
    pub bandwidth: Bandwidth,
    /// What will surprise.
    pub warnings: Vec<Warning>,
}

/// Why there is no conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A burst where nothing limits.
    #[error("a burst of {0} needs a CPU limit: without a quota there is nothing to save up")]
    BurstWithoutLimit(Burst),
    /// A rule of the kernel.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl ContainerCpu {
    /// What this becomes on a node that is set up like this.
    ///
    /// A burst above the quota is held at the quota, the most that the kernel takes, and warned of.
    ///
    /// # Errors
    /// [`ConvertError`] where the kernel would refuse the result: a period outside 1 ms..1 s, a burst without a
    /// quota, a quota beyond 2^44 µs.
    pub fn convert(&self, setting: &Setting) -> Result<Conversion, ConvertError> {
        let quota_limit = self.limit.or(self.pod_limit);
        let (request, request_origin) = match (self.request, self.limit, self.pod_limit) {
            (Some(request), ..) => (request.milli(), RequestOrigin::Given),
            (None, Some(limit), _) => (limit.milli(), RequestOrigin::Limit),
            (None, None, Some(limit)) => (limit.milli(), RequestOrigin::PodLimit),
            (None, None, None) => (MilliCpu::ZERO, RequestOrigin::Nothing),
        };
        let asked = match quota_limit {
            Some(limit) if !self.exclusive => kubelet::quota(limit.milli(), setting.period),
            _ => Quota::Unlimited,
        };
        let sent = setting.cfs_quota.then_some(Sent { period: setting.period, quota: asked });
        let (quota, period) = sent.map_or((Quota::Unlimited, DEFAULT_PERIOD), |sent| {
            (setting.container_quota(sent.quota), sent.period)
        });
        let burst = match self.burst {
            Some(burst) if asked == Quota::Unlimited => return Err(ConvertError::BurstWithoutLimit(burst)),
            // What the kubelet sends is the smaller one, and an OCI spec may not hold a burst above its quota.
            Some(burst) if quota != Quota::Unlimited => burst
                .amount(asked, period)
                .unwrap_or(Micros::ZERO)
                .min(asked.limited().unwrap_or(Micros::ZERO)),
            _ => Micros::ZERO,
        };
        let mut conversion = Conversion {
            request,
            request_origin,
            limit: quota_limit.map(CpuQuantity::milli),
            limit_of_pod: self.limit.is_none() && self.pod_limit.is_some(),
            shares: kubelet::shares(request),
            formula: setting.runtime.formula(),
            sent,
            bandwidth: Bandwidth::new(quota, period, burst)?,
            warnings: Vec::new(),
        };
        conversion.warnings = Warning::of_container(self, setting, &conversion);
        Ok(conversion)
    }
}

impl Conversion {
    /// `cpu.weight` of the container; `None` where the runtime's formula is not known.
    #[must_use]
    pub fn weight(&self) -> Option<Weight> {
        self.formula.map(|formula| formula.weight(self.shares))
    }

    /// The weight that the kubelet gives a pod holding this container alone: by its own formula, not the runtime's.
    #[must_use]
    pub fn pod_weight(&self) -> Weight {
        kubelet::weight(self.shares)
    }

    /// The weight with which targets are written: the newest formula's where the runtime's is not known, which a
    /// warning says.
    #[must_use]
    pub fn assumed_weight(&self) -> Weight {
        self.formula.unwrap_or(WeightFormula::Logarithmic).weight(self.shares)
    }

    /// As a policy for the container's group.
    #[must_use]
    pub fn policy(&self, layout: Layout) -> Policy {
        Policy { share: Some(self.share(layout)), bandwidth: Some(self.bandwidth), ..Policy::default() }
    }

    /// The files of the container's group and the text each gets, for reading: what order they may be *written*
    /// in depends on what they hold now, and is [`plan`](crate::plan::plan)'s to say.
    #[must_use]
    pub fn files(&self, layout: Layout) -> Vec<(&'static str, String)> {
        let (quota, period) = (self.bandwidth.quota(), self.bandwidth.period());
        let mut writes = vec![Write::Share(self.share(layout))];
        if layout.joint_quota_and_period() {
            writes.push(Write::Max { quota, period });
        } else {
            writes.extend([Write::Period(period), Write::Quota(quota)]);
        }
        if quota != Quota::Unlimited {
            writes.push(Write::Burst(self.bandwidth.burst()));
        }
        writes.iter().filter_map(|write| layout.encode(write)).map(|(_, file, text)| (file, text)).collect()
    }

    fn share(&self, layout: Layout) -> Share {
        match layout {
            Layout::V1 => Share::Shares(self.shares),
            Layout::V2 => Share::Weight(self.assumed_weight()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::{CgroupDriver, Feature, Kubernetes, Version};

    fn asked(request: Option<&str>, limit: Option<&str>) -> ContainerCpu {
        let read = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        ContainerCpu { request: read(request), limit: read(limit), ..ContainerCpu::default() }
    }

    fn converted(asked: ContainerCpu) -> Conversion {
        asked.convert(&Setting::default()).unwrap()
    }

    fn with_period(ms: u64) -> Setting {
        Setting { period: Micros::from_ms(ms), ..Setting::default() }
    }

    #[test]
    fn an_absent_request_is_the_limit_and_a_request_of_zero_is_not_absent() {
        let absent = converted(asked(None, Some("2")));
        assert_eq!((absent.request_origin, absent.shares.get()), (RequestOrigin::Limit, 2048));
        let zero = converted(asked(Some("0"), Some("2")));
        assert_eq!((zero.request_origin, zero.shares.get()), (RequestOrigin::Given, 2));
        let nothing = converted(asked(None, None));
        assert_eq!((nothing.request_origin, nothing.shares.get()), (RequestOrigin::Nothing, 2));
    }

    #[test]
    fn without_a_limit_there_is_no_quota_and_no_burst_file_to_write() {
        let unlimited = converted(asked(Some("500m"), None));
        assert_eq!(unlimited.bandwidth.quota(), Quota::Unlimited);
        assert_eq!(
            unlimited.files(Layout::V2),
            [("cpu.weight", "59".to_owned()), ("cpu.max", "max 100000".to_owned())]
        );
        let burst = ContainerCpu { burst: Some("50%".parse().unwrap()), ..asked(Some("500m"), None) };
        assert!(matches!(burst.convert(&Setting::default()), Err(ConvertError::BurstWithoutLimit(_))));
    }

    #[test]
    fn files_hold_what_each_layout_takes() {
        let wanted = ContainerCpu { burst: Some("50%".parse().unwrap()), ..asked(Some("500m"), Some("2")) };
        let files = |layout| {
            converted(wanted).files(layout).into_iter().map(|(f, t)| format!("{f}={t}")).collect::<Vec<_>>()
        };
        let v1 = [
            "cpu.shares=512",
            "cpu.cfs_period_us=100000",
            "cpu.cfs_quota_us=200000",
            "cpu.cfs_burst_us=100000",
        ];
        assert_eq!(files(Layout::V1), v1);
        assert_eq!(files(Layout::V2), ["cpu.weight=59", "cpu.max=200000 100000", "cpu.max.burst=100000"]);
    }

    #[test]
    fn a_burst_above_the_quota_is_held_at_it_and_said() {
        let greedy = ContainerCpu { burst: Some("101%".parse().unwrap()), ..asked(None, Some("500m")) };
        let done = converted(greedy);
        let (wanted, quota) = (Micros::new(50_500), Micros::from_ms(50));
        assert_eq!(done.bandwidth.burst(), quota);
        assert!(
            done.warnings.contains(&Warning::BurstAboveQuota { asked: wanted, quota }),
            "{:?}",
            done.warnings
        );
    }

    #[test]
    fn the_systemd_driver_rounds_what_is_in_force_and_not_what_is_sent() {
        let systemd = Setting { driver: CgroupDriver::Systemd, ..Setting::default() };
        let third = ContainerCpu { burst: Some("100%".parse().unwrap()), ..asked(None, Some("333m")) };
        let done = third.convert(&systemd).unwrap();
        assert_eq!(done.sent.unwrap().quota, Quota::Limited(Micros::new(33_300)));
        assert_eq!(done.bandwidth.quota(), Quota::Limited(Micros::from_ms(34)));
        assert_eq!(
            done.bandwidth.burst(),
            Micros::new(33_300),
            "an OCI spec takes no burst above its own quota"
        );
        let rounds = |in_use| Warning::DriverRounds {
            quota: Micros::new(33_300),
            in_force: Micros::from_ms(34),
            in_use,
        };
        assert!(done.warnings.contains(&rounds(true)));
        assert!(converted(third).warnings.contains(&rounds(false)));
        // crun hands it on as it is.
        let crun = Setting { runtime: "crun".parse().unwrap(), ..systemd };
        assert_eq!(third.convert(&crun).unwrap().bandwidth.quota(), Quota::Limited(Micros::new(33_300)));
    }

    #[test]
    fn a_kubelet_without_quotas_sends_none() {
        let off = Setting { cfs_quota: false, ..Setting::default() };
        let limited = ContainerCpu { burst: Some("50%".parse().unwrap()), ..asked(Some("1"), Some("2")) };
        let done = limited.convert(&off).unwrap();
        assert_eq!((done.sent, done.bandwidth), (None, Bandwidth::unlimited()));
        assert_eq!(done.warnings, [Warning::QuotasOff]);
    }

    #[test]
    fn a_pods_limit_is_the_quota_and_the_request_of_a_container_without_any() {
        let pod = ContainerCpu { pod_limit: Some("3".parse().unwrap()), ..asked(None, None) };
        let done = converted(pod);
        assert_eq!((done.request_origin, done.shares.get()), (RequestOrigin::PodLimit, 3072));
        assert_eq!(done.bandwidth.quota(), Quota::Limited(Micros::from_ms(300)));
    }

    #[test]
    fn threads_and_a_present_burst_are_measured_against_the_quota() {
        let busy = ContainerCpu {
            threads: Some(11),
            present_burst: Some(Micros::new(50_001)),
            ..asked(None, Some("500m"))
        };
        let quota = Micros::from_ms(50);
        let said = [
            Warning::QuotaBelowSlices { quota, threads: 11, slice: Micros::from_ms(5) },
            Warning::ResizeBelowBurst { burst: Micros::new(50_001), quota },
        ];
        assert_eq!(converted(busy).warnings, said);
        let less = ContainerCpu { threads: Some(10), present_burst: Some(quota), ..busy };
        assert_eq!(converted(less).warnings, []);
    }

    #[test]
    fn warnings_carry_the_numbers_they_are_about() {
        let milli = MilliCpu::new;
        let warnings = |request, limit| converted(asked(request, limit)).warnings;
        assert_eq!(
            warnings(Some("3"), Some("2")),
            [Warning::RequestAboveLimit { request: milli(3000), limit: milli(2000) }]
        );
        assert_eq!(
            warnings(None, Some("5m")),
            [Warning::LimitBelowFloor { limit: milli(5), quota: Micros::from_ms(1), smallest: milli(10) }]
        );
        assert_eq!(
            warnings(None, Some("19500u")),
            [Warning::LimitRounded { asked_nano: 19_500_000, in_force: milli(20) }]
        );
        assert_eq!(warnings(None, Some("0")), [Warning::LimitIsZero]);
        assert_eq!(
            warnings(Some("300"), None),
            [Warning::RequestBeyondShares { request: milli(300_000), shares: Shares::MAX }]
        );
        // 0.2 % more than asked for: not worth a word.
        assert_eq!(warnings(Some("500m"), Some("0.4991")), []);
    }

    #[test]
    fn a_short_period_lifts_the_floor_under_the_limit() {
        let short = asked(None, Some("150m")).convert(&with_period(5)).unwrap();
        let floor = Warning::LimitBelowFloor {
            limit: MilliCpu::new(150),
            quota: Micros::from_ms(1),
            smallest: MilliCpu::new(200),
        };
        assert!(short.warnings.contains(&floor));
        assert!(short.warnings.contains(&Warning::CustomPeriod { period: Micros::from_ms(5) }));
        let old = Setting { kubernetes: Kubernetes::new(Version::new(1, 33, 0)), ..with_period(5) };
        let gated = asked(None, Some("2")).convert(&old).unwrap();
        assert_eq!(gated.warnings, [Warning::needs(Feature::CustomCPUCFSQuotaPeriod, old.kubernetes)]);
    }

    #[test]
    fn the_limit_that_a_warning_names_is_itself_above_the_floor() {
        for period in [1000, 1500, 30_000, 99_999, 100_000, 1_000_000] {
            let setting = Setting { period: Micros::new(period), ..Setting::default() };
            let at = |milli| {
                let limit = Some(CpuQuantity::from(MilliCpu::new(milli)));
                ContainerCpu { limit, ..ContainerCpu::default() }.convert(&setting).unwrap().warnings
            };
            let smallest = kubelet::smallest_limit(Micros::new(period)).unwrap().get();
            let floored = |warnings: Vec<Warning>| {
                warnings.iter().any(|w| matches!(w, Warning::LimitBelowFloor { .. }))
            };
            assert!(smallest == 1 || floored(at(smallest - 1)), "{period}");
            assert!(!floored(at(smallest)), "{period}");
        }
        assert_eq!(kubelet::smallest_limit(kubelet::QUOTA_PERIOD), Some(kubelet::SMALLEST_LIMIT));
    }

    #[test]
    fn a_limit_beyond_the_kernel_is_refused_not_wrapped() {
        let huge = asked(None, Some("9223372036854775807m"));
        assert!(matches!(
            huge.convert(&Setting::default()),
            Err(ConvertError::Policy(PolicyError::TooLarge { .. }))
        ));
    }

    proptest! {
        #[test]
        fn any_request_and_limit_convert_or_are_refused(
            request in proptest::option::of(0..=i64::MAX.unsigned_abs()),
            limit in proptest::option::of(0..=i64::MAX.unsigned_abs()),
            period in any::<u32>(),
            systemd in any::<bool>(),
            burst in proptest::option::of("[0-9]{1,3}(%|ms|m)"),
        ) {
            let read = |milli: u64| CpuQuantity::from(MilliCpu::new(milli));
            let asked = ContainerCpu {
                request: request.map(read),
                limit: limit.map(read),
                burst: burst.map(|text| text.parse().unwrap()),
                ..ContainerCpu::default()
            };
            let driver = if systemd { CgroupDriver::Systemd } else { CgroupDriver::Cgroupfs };
            let setting = Setting { period: Micros::new(u64::from(period)), driver, ..Setting::default() };
            if let Ok(done) = asked.convert(&setting) {
                let _ = done.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
                let _ = (done.files(Layout::V1), done.files(Layout::V2));
            }
        }
    }
}
