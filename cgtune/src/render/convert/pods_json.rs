//! Pods as JSON: one document that is written pod by pod, a line each, so that a cluster's worth of them needs no more
//! memory than one.

use std::io::{self, Write};

use cgtune_core::{
    Micros, Quota, Shares, Weight,
    convert::{
        CgroupDriver, Setting,
        explain::Step,
        pod::{ContainerConfig, QosClass, Role},
    },
};
use serde::Serialize;

use super::{
    SCHEMA,
    json::{Assumed, Container, Explained, Said},
    pods::Shown,
};
use crate::manifests::{Failure, Source};

#[derive(Serialize)]
struct Pod<'a> {
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    kind: &'a str,
    replicas: Option<u64>,
    source: &'a Source,
    qos: QosClass,
    pod: Group,
    containers: Vec<Member<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Vec<Explained<'a>>>,
    warnings: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Group {
    request_milli: cgtune_core::MilliCpu,
    limit_milli: Option<cgtune_core::MilliCpu>,
    shares: Shares,
    weight: Weight,
    quota_us: Option<Micros>,
    period_us: Option<Micros>,
    cgroup: Paths,
}

#[derive(Serialize)]
struct Paths {
    cgroupfs: String,
    systemd: String,
}

#[derive(Serialize)]
struct Member<'a> {
    name: &'a str,
    role: &'static str,
    init: bool,
    exclusive_cpus: bool,
    request_milli: cgtune_core::MilliCpu,
    limit_milli: Option<cgtune_core::MilliCpu>,
    #[serde(flatten)]
    cpu: Container,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Vec<Explained<'a>>>,
}

impl<'a> Member<'a> {
    fn of(container: &'a ContainerConfig, steps: Option<&'a [Step]>) -> Self {
        let role = match container.role {
            Role::App => "app",
            Role::Init => "init",
            Role::Sidecar => "sidecar",
            Role::Ephemeral => "ephemeral",
        };
        Self {
            name: &container.name,
            role,
            init: matches!(container.role, Role::Init | Role::Sidecar),
            exclusive_cpus: container.exclusive,
            request_milli: container.cpu.request,
            limit_milli: container.cpu.limit,
            cpu: Container::of(&container.cpu),
            explain: steps.map(Explained::all),
        }
    }
}

/// How the numbers of a pod come about.
#[derive(Debug)]
pub(crate) struct Steps {
    /// Of its group.
    pub(crate) pod: Vec<Step>,
    /// Of each container, in their order.
    pub(crate) containers: Vec<Vec<Step>>,
}

/// A document under way.
pub(crate) struct Writer<'a> {
    out: &'a mut dyn Write,
    any: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn begin(setting: &Setting, out: &'a mut dyn Write) -> io::Result<Self> {
        write!(out, "{{\"schema\":\"{SCHEMA}\",\"assumed\":")?;
        serde_json::to_writer(&mut *out, &Assumed::of(setting))?;
        write!(out, ",\"pods\":[")?;
        Ok(Self { out, any: false })
    }

    /// One more pod; `warnings` with the container's name where they are about one.
    pub(crate) fn pod(
        &mut self,
        pod: &Shown<'_>,
        source: &Source,
        warnings: Vec<Said<'_>>,
        steps: Option<&Steps>,
    ) -> io::Result<()> {
        let config = &pod.done.config;
        let document = Pod {
            namespace: pod.namespace,
            name: pod.name,
            kind: pod.kind,
            replicas: pod.replicas,
            source,
            qos: pod.done.qos,
            pod: Group {
                request_milli: config.request,
                limit_milli: config.limit,
                shares: config.shares,
                weight: config.weight(),
                quota_us: config.quota.and_then(Quota::limited),
                period_us: config.period,
                cgroup: Paths {
                    cgroupfs: pod.cgroup.path(CgroupDriver::Cgroupfs),
                    systemd: pod.cgroup.path(CgroupDriver::Systemd),
                },
            },
            containers: (pod.done.containers.iter().enumerate())
                .map(|(at, container)| {
                    Member::of(container, steps.and_then(|steps| steps.containers.get(at)).map(Vec::as_slice))
                })
                .collect(),
            explain: steps.map(|steps| Explained::all(&steps.pod)),
            warnings,
        };
        self.out.write_all(if self.any { b",\n" } else { b"\n" })?;
        self.any = true;
        Ok(serde_json::to_writer(&mut *self.out, &document)?)
    }

    pub(crate) fn end(self, failures: &[Failure]) -> io::Result<()> {
        write!(self.out, "\n],\"errors\":")?;
        serde_json::to_writer(&mut *self.out, failures)?;
        writeln!(self.out, "}}")
    }
}
