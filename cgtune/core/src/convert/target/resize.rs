//! A resize of a running pod: a patch of its `resize` subresource.
//!
//! Source: the e2e tests of in-place resize, test/e2e/common/node/pod_resize.go in 1.35 (neither a limit nor a request
//! can be removed, the QoS class may not change). Numbers are requests and limits, not what becomes of them.

use std::fmt;

use serde::Serialize;

use crate::{
    MilliCpu,
    convert::{
        container::{Conversion, RequestOrigin},
        kubernetes::{Availability, Feature},
        setting::Setting,
        target::Form,
    },
    policy::DEFAULT_PERIOD,
    text::shell,
};

/// Why no period can be asked for.
pub const PERIOD: &str =
    "period: the kubelet has one for the whole node (cpuCFSQuotaPeriod, 100ms unless set)";

/// A strategic merge patch: `{"spec":{"containers":[{"name":"<container>","resources":…}]}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Patch {
    spec: Spec,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Spec {
    containers: [Container; 1],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Container {
    name: &'static str,
    resources: Resources,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Resources {
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<Cpu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Cpu>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Cpu {
    #[serde(serialize_with = "quantity")]
    cpu: MilliCpu,
}

impl Patch {
    /// For a container whose name is not known. What is `None` stays as it is.
    #[must_use]
    pub fn new(request: Option<MilliCpu>, limit: Option<MilliCpu>) -> Self {
        let cpu = |cpu| Cpu { cpu };
        let resources = Resources { requests: request.map(cpu), limits: limit.map(cpu) };
        Self { spec: Spec { containers: [Container { name: "<container>", resources }] } }
    }

    /// The line that sends it.
    #[must_use]
    pub fn command(&self) -> String {
        let words =
            ["kubectl", "patch", "pod", "<pod>", "-n", "<namespace>", "--subresource", "resize", "--patch"];
        let words: Vec<String> = words.into_iter().map(str::to_owned).chain([self.to_string()]).collect();
        // Never nothing: these words are ours, and hold no control characters.
        shell::line(&words).unwrap_or_default()
    }
}

/// The same JSON as it serialises to, without a serialiser: nothing in it needs escaping.
impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [Container { name, resources }] = self.spec.containers;
        let fields = [("requests", resources.requests), ("limits", resources.limits)];
        let fields: Vec<String> = fields
            .into_iter()
            .filter_map(|(field, cpu)| Some(format!("\"{field}\":{{\"cpu\":\"{}\"}}", cpu?.cpu)))
            .collect();
        write!(
            f,
            "{{\"spec\":{{\"containers\":[{{\"name\":\"{name}\",\"resources\":{{{}}}}}]}}}}",
            fields.join(",")
        )
    }
}

fn quantity<S: serde::Serializer>(cpu: &MilliCpu, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(cpu)
}

pub(super) fn of(conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let own_request = matches!(conversion.request_origin, RequestOrigin::Given | RequestOrigin::Limit);
    let request = Some(conversion.request).filter(|_| own_request);
    let limit = conversion.limit.filter(|&limit| limit != MilliCpu::ZERO && !conversion.limit_of_pod);
    let mut cannot = Vec::new();
    let (feature, kubernetes) = (Feature::InPlacePodVerticalScaling, setting.kubernetes);
    match kubernetes.has(feature) {
        Availability::On => {}
        Availability::Gated => cannot.push(format!(
            "resize: Kubernetes {kubernetes} has it only behind the feature gate {feature}, {} by default",
            feature.since()
        )),
        Availability::Absent => {
            cannot.push(format!(
                "resize: Kubernetes {kubernetes} has none; {} has it by default",
                feature.since()
            ));
        }
    }
    if limit.is_none() {
        cannot.push(if conversion.limit_of_pod {
            "limit: it is the pod's own, which a patch of containers does not change".to_owned()
        } else {
            "no limit: a resize cannot take away a limit that is there".to_owned()
        });
    }
    if request.is_none() {
        cannot.push("no request: a resize cannot take away a request that is there".to_owned());
    }
    cannot.push(
        "class: a resize that would change the pod's QoS class is refused, so a BestEffort pod takes none"
            .to_owned(),
    );
    if setting.static_cpus && limit.is_some() && request == limit {
        cannot.push(
            "Guaranteed: the static CPU manager makes a resize infeasible, if the pod is of that class"
                .to_owned(),
        );
    }
    if setting.period != DEFAULT_PERIOD {
        cannot.push(PERIOD.to_owned());
    }
    if conversion.wanted_burst().is_some() {
        cannot.push(
            "burst: Kubernetes has no field for it; lower a present one first, since a quota below it fails half way"
                .to_owned(),
        );
    }
    let patch = Patch::new(request, limit);
    (Form::Patch { patch, command: patch.command() }, cannot)
}
