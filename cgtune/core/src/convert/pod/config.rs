//! A pod's numbers: what the kubelet writes for its group, and what becomes of each container.
//!
//! Source: `ResourceConfigForPod` in pkg/kubelet/cm/helpers_linux.go at 9283b256, `getCPULimit` in
//! pkg/kubelet/kuberuntime/kuberuntime_container_linux.go, and the static policy's condition for exclusive CPUs
//! (`guaranteedCPUs` in pkg/kubelet/cm/cpumanager/policy_static.go).

use crate::{
    Micros, MilliCpu, Quota, Shares, Weight,
    convert::{
        burst::Burst,
        container::{ContainerCpu, Conversion, ConvertError},
        kubelet::{self, MILLI_PER_CPU},
        kubernetes::{Availability, Feature},
        pod::{Container, Effective, Pod, QosClass, Role},
        quantity::{CpuQuantity, Quantity},
        resources::ResourceList,
        setting::Setting,
        warning::Warning,
    },
};

/// What the kubelet writes for a pod's group. What is `None` it leaves as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodConfig {
    /// What the pod requests in all.
    pub request: MilliCpu,
    /// What it is limited to in all, whether that becomes a quota or not.
    pub limit: Option<MilliCpu>,
    /// `cpu.shares`.
    pub shares: Shares,
    /// The quota.
    pub quota: Option<Quota>,
    /// The period, written with the quota.
    pub period: Option<Micros>,
    /// The memory limit, in bytes.
    pub memory: Option<u128>,
}

/// Whether limits become quotas (`enforceCPULimits`), and over which period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enforcement {
    /// Whether they do.
    pub limits: bool,
    /// The kubelet's period.
    pub period: Micros,
}

impl PodConfig {
    /// Of a pod after defaulting.
    #[must_use]
    pub fn of(pod: &Pod, enforcement: Enforcement) -> Self {
        let effective = Effective::default();
        let (requests, limits) = (effective.requests(pod), effective.limits(pod));
        let request = requests.cpu.map_or(MilliCpu::ZERO, CpuQuantity::milli);
        let limit = limits.cpu.map(CpuQuantity::milli);
        let mut config =
            Self { request, limit, shares: Shares::MIN, quota: None, period: None, memory: None };
        let class = QosClass::of(pod);
        if class == QosClass::BestEffort {
            return config;
        }
        config.shares = kubelet::shares(request);
        let guaranteed = class == QosClass::Guaranteed;
        if guaranteed || declares(pod, |cpu, _| cpu) {
            config.quota = Some(match limit {
                Some(limit) if enforcement.limits => kubelet::quota(limit, enforcement.period),
                _ => Quota::Unlimited,
            });
            config.period = Some(enforcement.period);
        }
        if guaranteed || declares(pod, |_, memory| memory) {
            config.memory = limits.memory().map(Quantity::units);
        }
        config
    }

    /// `cpu.weight`, by the kubelet's own formula.
    #[must_use]
    pub fn weight(&self) -> Weight {
        kubelet::weight(self.shares)
    }
}

/// Whether every container has a limit above zero, or the pod as a whole.
fn declares(pod: &Pod, which: impl Fn(bool, bool) -> bool) -> bool {
    let limited = |limits: &ResourceList| {
        which(
            limits.cpu.is_some_and(|cpu| cpu.milli() > MilliCpu::ZERO),
            limits.memory().is_some_and(|memory| memory > Quantity::ZERO),
        )
    };
    pod.whole().is_some_and(|own| limited(&own.limits))
        || pod.counted().all(|container| limited(&container.resources.limits))
}

/// One container's part of a [`PodConversion`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerConfig {
    /// Its name.
    pub name: String,
    /// What it is to the pod.
    pub role: Role,
    /// Whether it gets CPUs of its own.
    pub exclusive: bool,
    /// What it asks for, as the kubelet sees it.
    pub asked: ContainerCpu,
    /// What becomes of it.
    pub cpu: Conversion,
}

/// What becomes of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodConversion {
    /// Its class.
    pub qos: QosClass,
    /// Its group.
    pub config: PodConfig,
    /// Its containers, in the manifest's order within each list: init containers first.
    pub containers: Vec<ContainerConfig>,
    /// What will surprise and is about the pod as a whole.
    pub warnings: Vec<Warning>,
}

impl PodConversion {
    /// Of a pod *after* defaulting and LimitRanges.
    ///
    /// # Errors
    /// As for [`ContainerCpu::convert`], with the container's name.
    pub fn of(pod: &Pod, setting: &Setting, burst: Option<Burst>) -> Result<Self, (String, ConvertError)> {
        let mut warnings = Vec::new();
        let stripped;
        let pod = match setting.kubernetes.has(Feature::PodLevelResources) {
            Availability::On => pod,
            _ if pod.whole().is_none() => pod,
            _ => {
                warnings.push(Warning::needs(Feature::PodLevelResources, setting.kubernetes));
                stripped = Pod { resources: None, ..pod.clone() };
                &stripped
            }
        };
        if setting.kubernetes.has(Feature::SidecarContainers) != Availability::On
            && pod.with_role(Role::Sidecar).next().is_some()
        {
            warnings.push(Warning::needs(Feature::SidecarContainers, setting.kubernetes));
        }
        let qos = QosClass::of(pod);
        let exclusive = |container: &Container| setting.static_cpus && owns_cpus(qos, container);
        let lose_quota =
            setting.kubernetes.has(Feature::DisableCPUQuotaWithExclusiveCPUs) == Availability::On;
        let any_exclusive = lose_quota && pod.counted().any(exclusive);
        let limits = setting.cfs_quota && !any_exclusive;
        let mut config = PodConfig::of(pod, Enforcement { limits, period: setting.period });
        config.quota = config.quota.map(|quota| setting.pod_quota(quota));
        let mut containers = Vec::new();
        for container in &pod.containers {
            let asked = ContainerCpu {
                request: container.resources.requests.cpu,
                limit: container.resources.limits.cpu,
                pod_limit: pod.whole().and_then(|own| own.limits.cpu),
                exclusive: lose_quota && exclusive(container),
                ..ContainerCpu::default()
            };
            // A burst for all is one for those that have a quota to save from.
            let limited = asked.limit.or(asked.pod_limit).is_some_and(|limit| limit.milli() > MilliCpu::ZERO);
            let asked = ContainerCpu { burst: burst.filter(|_| limited && !asked.exclusive), ..asked };
            let mut cpu = asked.convert(setting).map_err(|error| (container.name.clone(), error))?;
            cpu.warnings.extend(pending(container));
            containers.push(ContainerConfig {
                name: container.name.clone(),
                role: container.role,
                exclusive: exclusive(container),
                asked,
                cpu,
            });
        }
        warnings.extend(Warning::of_pod(pod));
        Ok(Self { qos, config, containers, warnings })
    }
}

/// A running container whose limit is not (or not yet) the one that its spec asks for.
fn pending(container: &Container) -> Option<Warning> {
    let given = container.status.as_ref()?.resources.as_ref()?;
    let milli = |list: &ResourceList| list.cpu.map(CpuQuantity::milli);
    let (limit, actual) = (milli(&container.resources.limits), milli(&given.limits));
    (limit != actual).then_some(Warning::ResizePending { limit, actual })
}

/// Whether the static policy gives a container whole CPUs: Guaranteed, and a whole number of them.
fn owns_cpus(qos: QosClass, container: &Container) -> bool {
    let whole = container.resources.requests.cpu.is_some_and(|cpu| {
        let milli = cpu.milli().get();
        milli > 0 && milli.is_multiple_of(MILLI_PER_CPU)
    });
    qos == QosClass::Guaranteed && container.role != Role::Ephemeral && whole
}
