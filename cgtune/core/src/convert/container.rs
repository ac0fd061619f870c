//! One container's CPU request, limit, burst and period → what its cgroup holds.
//!
//! Source: `calculateLinuxResources` in pkg/kubelet/kuberuntime/kuberuntime_container_linux.go at b94367ca, and the
//! API server's defaulting (pkg/apis/core/v1/defaults.go at 023f88a3). Pod-level limits, exclusive CPUs and
//! `cpuCFSQuota: false` are facts about a pod or a node and not looked at here.

use serde::Serialize;

use crate::{
    Bandwidth, Layout, Micros, MilliCpu, Policy, PolicyError, Quota, Share, Shares, Weight,
    convert::{burst::Burst, kubelet, quantity::CpuQuantity, warning::Warning, weight::WeightFormula},
    plan::Write,
};

/// What is asked for one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerCpu {
    /// `resources.requests.cpu`. Absent is not zero: an absent one is taken from the limit.
    pub request: Option<CpuQuantity>,
    /// `resources.limits.cpu`.
    pub limit: Option<CpuQuantity>,
    /// A burst, which Kubernetes has no field for.
    pub burst: Option<Burst>,
    /// The node's `cpuCFSQuotaPeriod`.
    pub period: Micros,
}

impl Default for ContainerCpu {
    /// Nothing asked for, at the kubelet's usual period.
    fn default() -> Self {
        Self { request: None, limit: None, burst: None, period: kubelet::QUOTA_PERIOD }
    }
}

/// Where the request in force comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestOrigin {
    /// It was asked for.
    Given,
    /// None was asked for, so Kubernetes takes the limit.
    Limit,
    /// Neither was asked for: best effort, as a request of zero.
    Nothing,
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
    /// `cpu.shares` of the container, and of a pod that holds nothing else.
    pub shares: Shares,
    /// `cpu.weight` of the container.
    pub weight: Weight,
    /// How [`weight`](Self::weight) came from the shares.
    pub formula: WeightFormula,
    /// Quota, period and burst: what the kernel takes together.
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
    /// What this becomes under a runtime that weighs containers by `formula`.
    ///
    /// # Errors
    /// [`ConvertError`] where the kernel would refuse the result: a period outside 1 ms..1 s, a burst above the
    /// quota or without one, a quota beyond 2^44 µs.
    pub fn convert(&self, formula: WeightFormula) -> Result<Conversion, ConvertError> {
        let (request, request_origin) = match (self.request, self.limit) {
            (Some(request), _) => (request.milli(), RequestOrigin::Given),
            (None, Some(limit)) => (limit.milli(), RequestOrigin::Limit),
            (None, None) => (MilliCpu::ZERO, RequestOrigin::Nothing),
        };
        let limit = self.limit.map(CpuQuantity::milli);
        let quota = limit.map_or(Quota::Unlimited, |limit| kubelet::quota(limit, self.period));
        let burst = match self.burst {
            Some(burst) if quota == Quota::Unlimited => return Err(ConvertError::BurstWithoutLimit(burst)),
            Some(burst) => burst.amount(quota, self.period).unwrap_or(Micros::ZERO),
            None => Micros::ZERO,
        };
        let shares = kubelet::shares(request);
        let mut conversion = Conversion {
            request,
            request_origin,
            limit,
            shares,
            weight: formula.weight(shares),
            formula,
            bandwidth: Bandwidth::new(quota, self.period, burst)?,
            warnings: Vec::new(),
        };
        conversion.warnings = Warning::all(self, &conversion);
        Ok(conversion)
    }
}

impl Conversion {
    /// The weight that the kubelet gives a pod holding this container alone: by its own formula, not the runtime's.
    #[must_use]
    pub fn pod_weight(&self) -> Weight {
        kubelet::weight(self.shares)
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
            Layout::V2 => Share::Weight(self.weight),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(request: Option<&str>, limit: Option<&str>) -> ContainerCpu {
        let read = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        ContainerCpu { request: read(request), limit: read(limit), ..ContainerCpu::default() }
    }

    fn converted(asked: ContainerCpu) -> Conversion {
        asked.convert(WeightFormula::Logarithmic).unwrap()
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
        assert!(matches!(burst.convert(WeightFormula::Linear), Err(ConvertError::BurstWithoutLimit(_))));
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
    fn a_burst_above_the_quota_is_refused_with_the_largest_legal_one() {
        let greedy = ContainerCpu { burst: Some("101%".parse().unwrap()), ..asked(None, Some("500m")) };
        let error = greedy.convert(WeightFormula::Logarithmic).unwrap_err();
        let (burst, quota) = (Micros::new(50_500), Micros::from_ms(50));
        assert_eq!(error, ConvertError::Policy(PolicyError::BurstAboveQuota { burst, quota }));
        assert!(error.to_string().contains("at most one quota (50ms)"), "{error}");
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
            warnings(None, Some("10500u")),
            [Warning::LimitRounded { asked_nano: 10_500_000, in_force: milli(11) }]
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
        let short = ContainerCpu { period: Micros::from_ms(5), ..asked(None, Some("150m")) };
        let floor = Warning::LimitBelowFloor {
            limit: MilliCpu::new(150),
            quota: Micros::from_ms(1),
            smallest: MilliCpu::new(200),
        };
        assert_eq!(converted(short).warnings, [floor, Warning::CustomPeriod { period: Micros::from_ms(5) }]);
    }

    #[test]
    fn the_limit_that_a_warning_names_is_itself_above_the_floor() {
        for period in [1000, 1500, 30_000, 99_999, 100_000, 1_000_000] {
            let at = |milli| {
                let limit = Some(CpuQuantity::from(MilliCpu::new(milli)));
                converted(ContainerCpu { limit, period: Micros::new(period), ..ContainerCpu::default() })
                    .warnings
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
            huge.convert(WeightFormula::Linear),
            Err(ConvertError::Policy(PolicyError::TooLarge { .. }))
        ));
    }

    proptest! {
        #[test]
        fn any_request_and_limit_convert_or_are_refused(
            request in proptest::option::of(0..=i64::MAX.unsigned_abs()),
            limit in proptest::option::of(0..=i64::MAX.unsigned_abs()),
            period in any::<u32>(),
            burst in proptest::option::of("[0-9]{1,3}(%|ms|m)"),
        ) {
            let read = |milli: u64| CpuQuantity::from(MilliCpu::new(milli));
            let asked = ContainerCpu {
                request: request.map(read),
                limit: limit.map(read),
                burst: burst.map(|text| text.parse().unwrap()),
                period: Micros::new(u64::from(period)),
            };
            if let Ok(done) = asked.convert(WeightFormula::Logarithmic) {
                let _ = done.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
                let _ = (done.files(Layout::V1), done.files(Layout::V2));
            }
        }
    }
}
