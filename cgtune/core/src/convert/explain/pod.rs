//! The steps of a pod's own group.

use super::{
    Step, Subject,
    container::{driver, pod_weight, quota, shares},
    source,
};
use crate::{
    MilliCpu, Quota,
    convert::{
        kubelet,
        pod::{Container, Pod, PodConversion, Resources, Role},
        quantity::CpuQuantity,
        resources::ResourceList,
        setting::Setting,
        systemd::CgroupDriver,
    },
};

impl PodConversion {
    /// How the pod group's numbers come about, from the pod after defaulting.
    #[must_use]
    pub fn explain(&self, pod: &Pod, setting: &Setting) -> Vec<Step> {
        let mut steps = vec![total("request", pod, self.config.request, |own| &own.requests)];
        steps.push(shares(Subject::Pod, self.config.request, self.config.shares));
        steps.push(pod_weight(self.config.shares));
        match (self.config.quota, self.config.limit) {
            (Some(written), Some(limit)) => {
                steps.push(total("limit", pod, limit, |own| &own.limits));
                let sent = if written == Quota::Unlimited {
                    Quota::Unlimited
                } else {
                    kubelet::quota(limit, setting.period)
                };
                steps.push(quota(Subject::Pod, limit, sent, setting.period));
                if let (CgroupDriver::Systemd, Quota::Limited(before)) = (setting.driver, sent) {
                    steps.push(driver(Subject::Pod, before, setting.period));
                }
            }
            _ => steps.push(unlimited(pod)),
        }
        steps
    }
}

fn unlimited(pod: &Pod) -> Step {
    let without: Vec<_> = pod
        .counted()
        .filter(|container| container.resources.limits.cpu.is_none_or(|cpu| cpu.milli() == MilliCpu::ZERO))
        .map(|container| shown(&container.name))
        .collect();
    Step {
        value: "quota",
        of: Subject::Pod,
        result: "none".to_owned(),
        formula: "only where every container has a limit, or the pod as a whole",
        arithmetic: format!("no limit: {}", without.join(", ")),
        writer: "kubelet".to_owned(),
        since: "all versions",
        source: source::POD_CONFIG,
    }
}

/// What the pod asks for in all, container by container.
fn total(value: &'static str, pod: &Pod, result: MilliCpu, of: fn(&Resources) -> &ResourceList) -> Step {
    let cpu = |list: &ResourceList| list.cpu.map_or(MilliCpu::ZERO, CpuQuantity::milli);
    let named =
        |container: &Container| format!("{} {}", shown(&container.name), cpu(of(&container.resources)));
    let list = |roles: &[Role]| {
        let those = pod.containers.iter().filter(|container| roles.contains(&container.role));
        those.map(named).collect::<Vec<_>>().join(" + ")
    };
    let running = list(&[Role::App, Role::Sidecar]);
    let mut arithmetic = if running.is_empty() { "0".to_owned() } else { running };
    let init: Vec<_> = pod.with_role(Role::Init).map(named).collect();
    if !init.is_empty() {
        let beside = if pod.with_role(Role::Sidecar).next().is_some() {
            " (beside the sidecars before it)"
        } else {
            ""
        };
        arithmetic = format!("max({arithmetic}; {}{beside})", init.join("; "));
    }
    if let Some(own) = pod.whole().and_then(|own| of(own).cpu) {
        arithmetic = format!("{} of the pod as a whole, in place of {arithmetic}", own.milli());
    }
    if let Some(overhead) = pod.overhead.cpu {
        arithmetic = format!("{arithmetic} + overhead {}", overhead.milli());
    }
    Step {
        value,
        of: Subject::Pod,
        result: result.to_string(),
        formula: "all that run together, or the largest init container if that is more",
        arithmetic: format!("{arithmetic} = {result}"),
        writer: "kubelet".to_owned(),
        since: "all versions",
        source: if value == "request" { source::POD_REQUESTS } else { source::POD_LIMITS },
    }
}

fn shown(name: &str) -> String {
    crate::text::Escaped(name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, role: Role, request: &str, limit: &str) -> Container {
        let list = |text: &str| ResourceList {
            cpu: (!text.is_empty()).then(|| text.parse().unwrap()),
            ..ResourceList::default()
        };
        let resources = Resources { requests: list(request), limits: list(limit) };
        Container { name: name.to_owned(), role, resources, status: None }
    }

    fn explained(pod: &Pod) -> Vec<String> {
        let setting = Setting::default();
        let steps = PodConversion::of(pod, &setting, None).unwrap().explain(pod, &setting);
        steps.into_iter().map(|step| format!("{} {}: {}", step.value, step.result, step.arithmetic)).collect()
    }

    #[test]
    fn a_pods_request_is_shown_container_by_container() {
        let mut pod = Pod {
            containers: vec![
                container("migrate", Role::Init, "1", "1"),
                container("mesh", Role::Sidecar, "100m", "100m"),
                container("app", Role::App, "500m", "2"),
            ],
            ..Pod::default()
        };
        pod.overhead = ResourceList::of_cpu("120m".parse().unwrap());
        let steps = explained(&pod);
        assert_eq!(
            steps[0],
            "request 1120m: max(mesh 100m + app 500m; migrate 1 (beside the sidecars before it)) + overhead 120m = 1120m"
        );
        assert_eq!(steps[4], "quota 222000: 2220 × 100000 / 1000 = 222000");
        pod.containers[2].resources.limits = ResourceList::default();
        assert_eq!(explained(&pod)[3], "quota none: no limit: app");
    }
}
