//! Pods as text: for each its class, its group, and a line a container.

use std::io::{self, Write};

use cgtune_core::{
    Micros, MilliCpu, Quota,
    convert::{
        CgroupDriver,
        cgroup_name::CgroupName,
        pod::{ContainerConfig, PodConversion, Role},
    },
    text::Escaped,
};

use crate::streams::HEADING;

/// Room for a container's name in 80 columns.
const NAME: usize = 25;

/// A pod and where it comes from, ready to be shown.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    /// `Pod`, `Deployment`, …
    pub(crate) kind: &'a str,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    /// How many pods there will be; `None`: not said, or one a node.
    pub(crate) replicas: Option<u64>,
    /// The pod's group.
    pub(crate) cgroup: &'a CgroupName,
    pub(crate) done: &'a PodConversion,
}

impl Shown<'_> {
    /// `namespace/name`, safe for a terminal.
    pub(crate) fn label(&self) -> String {
        let name = self.name.unwrap_or("<no name>");
        let name = match self.namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        Escaped(name.as_bytes()).to_string()
    }
}

pub(crate) fn write(pod: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let replicas = match pod.replicas {
        _ if pod.kind == "Pod" => String::new(),
        Some(1) => ", 1 replica".to_owned(),
        Some(count) => format!(", {count} replicas"),
        None if pod.kind == "DaemonSet" => ", 1 on each node".to_owned(),
        None => String::new(),
    };
    let kind = Escaped(pod.kind.as_bytes());
    writeln!(out, "{HEADING}{}{HEADING:#}  {kind}{replicas}, {}", pod.label(), pod.done.qos)?;
    let config = &pod.done.config;
    line(out, ["", "request", "limit", "shares", "weight", "quota", "period", "burst"])?;
    line(
        out,
        [
            "pod",
            &config.request.to_string(),
            &amount(config.limit),
            &config.shares.get().to_string(),
            &config.weight().get().to_string(),
            &quota(config.quota.unwrap_or(Quota::Unlimited)),
            &config.period.map_or_else(|| "-".to_owned(), |period| period.get().to_string()),
            "-",
        ],
    )?;
    pod.done.containers.iter().try_for_each(|container| write_container(container, out))?;
    for driver in [CgroupDriver::Cgroupfs, CgroupDriver::Systemd] {
        writeln!(out, "  {}", Escaped(pod.cgroup.path(driver).as_bytes()))?;
    }
    writeln!(out)
}

fn write_container(container: &ContainerConfig, out: &mut dyn Write) -> io::Result<()> {
    let cpu = &container.cpu;
    let role = match container.role {
        Role::App => "",
        Role::Init => " (init)",
        Role::Sidecar => " (sidecar)",
        Role::Ephemeral => " (ephemeral)",
    };
    let name = Escaped(container.name.as_bytes()).to_string();
    let room = NAME - role.len();
    let name = if name.chars().count() > room {
        format!("{}…", name.chars().take(room - 1).collect::<String>())
    } else {
        name
    };
    let burst = match cpu.bandwidth.burst() {
        Micros::ZERO => "-".to_owned(),
        burst => burst.get().to_string(),
    };
    line(
        out,
        [
            &format!("{name}{role}"),
            &cpu.request.to_string(),
            &amount(cpu.limit),
            &cpu.shares.get().to_string(),
            &cpu.weight().map_or_else(|| "?".to_owned(), |weight| weight.get().to_string()),
            &quota(cpu.bandwidth.quota()),
            &cpu.sent.map_or_else(|| "-".to_owned(), |sent| sent.period.get().to_string()),
            &burst,
        ],
    )
}

fn line(out: &mut dyn Write, cells: [&str; 8]) -> io::Result<()> {
    let [name, request, limit, shares, weight, quota, period, burst] = cells;
    writeln!(
        out,
        "  {name:<NAME$} {request:>7} {limit:>6} {shares:>6} {weight:>6} {quota:>7} {period:>7} {burst:>6}"
    )
}

fn amount(cpu: Option<MilliCpu>) -> String {
    cpu.map_or_else(|| "-".to_owned(), |cpu| cpu.to_string())
}

fn quota(quota: Quota) -> String {
    quota.limited().map_or_else(|| "max".to_owned(), |quota| quota.get().to_string())
}
