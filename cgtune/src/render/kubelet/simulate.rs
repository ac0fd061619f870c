//! `cgtune kubelet simulate`: for people, and in the format of `schemas/kubelet-simulate-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::{
    CpuSet, MilliCpu,
    assign::place::{Placed, Seat},
    convert::pod::{QosClass, Role},
    kubelet::{PolicyOption, config::CpuManagerPolicy},
    text::{Escaped, counted},
};
use serde::Serialize;

use crate::{
    cmd::kubelet::simulate::{Outcome, Simulation},
    render::{paragraph, stat::row},
    streams::{HEADING, WARNING, labelled},
};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.kubelet-simulate/1";
/// Width of the column of containers' names.
const CONTAINERS: usize = 24;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    kubernetes: String,
    cpu_manager_policy: &'static str,
    cpu_manager_policy_options: Vec<&'static str>,
    topology_manager_policy: &'static str,
    topology_manager_scope: &'static str,
    cpus: &'a CpuSet,
    reserved: CpuSet,
    allocatable_milli: MilliCpu,
    pods: Vec<Pod<'a>>,
    shared: CpuSet,
    shared_requested_milli: MilliCpu,
    free: CpuSet,
    left_milli: MilliCpu,
}

#[derive(Serialize)]
struct Pod<'a> {
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    kind: &'a str,
    copy: Option<u64>,
    admitted: bool,
    refusal: Option<Refusal>,
    qos: Option<QosClass>,
    requested_milli: Option<MilliCpu>,
    containers: Vec<Container<'a>>,
}

#[derive(Serialize)]
struct Refusal {
    reason: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Container<'a> {
    name: &'a str,
    init: bool,
    cpus: Option<&'a CpuSet>,
    /// `null` where it has none alone, or is no init container.
    left_over: Option<&'a CpuSet>,
}

pub(crate) fn json(simulation: &Simulation<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Simulation { kubelet, topology, node, pods, shared_requested } = simulation;
    let document = Document {
        schema: SCHEMA,
        kubernetes: kubelet.release.to_string(),
        cpu_manager_policy: kubelet.cpu_manager_policy.name(),
        cpu_manager_policy_options: kubelet.options.on().map(PolicyOption::name).collect(),
        topology_manager_policy: kubelet.topology_policy.name(),
        topology_manager_scope: kubelet.topology_scope.name(),
        cpus: topology.all(),
        reserved: reserved(simulation),
        allocatable_milli: node.allocatable,
        pods: pods.iter().map(pod).collect(),
        shared: node.shared(),
        shared_requested_milli: *shared_requested,
        free: free(simulation),
        left_milli: node.left(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn pod(outcome: &Outcome) -> Pod<'_> {
    let placed = outcome.result.as_ref().ok();
    let refusal = outcome
        .result
        .as_ref()
        .err()
        .map(|error| Refusal { reason: error.reason(), text: error.to_string() });
    Pod {
        namespace: outcome.workload.namespace.as_deref(),
        name: outcome.workload.name.as_deref(),
        kind: outcome.workload.kind,
        copy: outcome.copy,
        admitted: placed.is_some(),
        refusal,
        qos: placed.map(|placed| placed.class),
        requested_milli: placed.map(|placed| placed.request),
        containers: placed.map(|placed| placed.seats.iter().map(container).collect()).unwrap_or_default(),
    }
}

fn container(seat: &Seat) -> Container<'_> {
    let Seat { container, role, exclusive, left_over, .. } = seat;
    let init = *role == Role::Init;
    let cpus = exclusive.as_ref();
    Container { name: container, init, cpus, left_over: cpus.and(init.then_some(left_over)) }
}

fn reserved(simulation: &Simulation<'_>) -> CpuSet {
    simulation.node.policy.as_ref().map(|policy| policy.reserved().clone()).unwrap_or_default()
}

/// What may still be given to somebody alone.
fn free(simulation: &Simulation<'_>) -> CpuSet {
    let node = &simulation.node;
    node.policy.as_ref().map(|policy| policy.obtainable(&node.state)).unwrap_or_default()
}

/// `before`: how many containers had CPUs alone at the beginning.
pub(crate) fn text(simulation: &Simulation<'_>, before: usize, out: &mut dyn Write) -> io::Result<()> {
    let Simulation { kubelet, topology, pods, .. } = simulation;
    let is_static = kubelet.cpu_manager_policy == CpuManagerPolicy::Static;
    writeln!(
        out,
        "{HEADING}{}, Kubernetes {}{HEADING:#}",
        counted(topology.cpus().len(), "CPU"),
        kubelet.release
    )?;
    let options: Vec<String> = kubelet.options.on().map(|option| format!(", {option}")).collect();
    row(out, "policy", &format!("{}{}", kubelet.cpu_manager_policy, options.concat()))?;
    row(out, "topology", &format!("manager {}, scope {}", kubelet.topology_policy, kubelet.topology_scope))?;
    if is_static {
        row(out, "reserved", &reserved(simulation).to_string())?;
    }
    if before > 0 {
        row(out, "before", &format!("{} had CPUs alone", counted(before, "container")))?;
    }
    for outcome in pods {
        one(outcome, out)?;
    }
    writeln!(out, "{HEADING}left{HEADING:#}")?;
    let shared = simulation.node.shared();
    row(
        out,
        "shared",
        &format!(
            "{}: {} for containers that request {}",
            named(&shared),
            counted(shared.len(), "CPU"),
            simulation.shared_requested
        ),
    )?;
    if is_static {
        let free = free(simulation);
        row(
            out,
            "alone",
            &format!("{}: {} can still be had alone", named(&free), counted(free.len(), "CPU")),
        )?;
    }
    row(
        out,
        "requests",
        &format!("{} of {} can still be requested", simulation.node.left(), simulation.node.allocatable),
    )?;
    warn(simulation, out)
}

fn named(cpus: &CpuSet) -> String {
    if cpus.is_empty() { "none".to_owned() } else { cpus.to_string() }
}

fn one(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let name = Escaped(outcome.name().as_bytes()).to_string();
    match &outcome.result {
        Ok(Placed { class, request, seats }) => {
            writeln!(out, "{HEADING}{name}{HEADING:#}: {class}, requests {request}")?;
            for Seat { container, role, exclusive, left_over, .. } in seats {
                let container = Escaped(container.as_bytes());
                let init = if *role == Role::Init { " (init)" } else { "" };
                let cpus = match exclusive {
                    Some(cpus) if left_over.is_empty() => format!("{cpus} alone"),
                    Some(cpus) if cpus == left_over => {
                        format!("{cpus} alone, kept until the pod is gone")
                    }
                    Some(cpus) => format!("{cpus} alone, {left_over} kept until the pod is gone"),
                    None => "shares".to_owned(),
                };
                writeln!(out, "  {:<CONTAINERS$}{cpus}", format!("{container}{init}"))?;
            }
        }
        Err(error) => {
            writeln!(out, "{HEADING}{name}{HEADING:#}: {WARNING}refused{WARNING:#}")?;
            for line in paragraph::wrap(&error.to_string(), paragraph::WIDTH - 2) {
                writeln!(out, "  {line}")?;
            }
        }
    }
    Ok(())
}

/// What the places alone do not show.
fn warn(simulation: &Simulation<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Simulation { kubelet, node, pods, shared_requested, .. } = simulation;
    let alone = node.state.assignments.len();
    if alone > 0 && kubelet.cpu_cfs_quota {
        let text = match kubelet.exclusive_without_quota {
            true => "containers with CPUs alone have no quota (DisableCPUQuotaWithExclusiveCPUs, since 1.33)",
            false => {
                "containers with CPUs alone keep their quota (before 1.33, or with DisableCPUQuotaWithExclusiveCPUs closed), and \
                 stall when it runs out"
            }
        };
        labelled(out, "note", HEADING, text)?;
    }
    left_over(pods, out)?;
    let shared = MilliCpu::new(node.shared().len() as u64 * 1000);
    if *shared_requested > shared {
        let text = format!(
            "the shared pool has less than what its containers request: {shared} for {shared_requested}"
        );
        labelled(out, "note", HEADING, &text)?;
    }
    Ok(())
}

/// What init containers keep that have ended, and how much more some pods hold by it than they request.
fn left_over(pods: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    let (mut count, mut more) = (0, MilliCpu::ZERO);
    for Placed { request, seats, .. } in pods.iter().filter_map(|outcome| outcome.result.as_ref().ok()) {
        count += seats.iter().map(|seat| seat.left_over.len()).sum::<usize>();
        let alone = seats.iter().filter_map(|seat| seat.exclusive.as_ref());
        let held = alone.fold(CpuSet::new(), |held, cpus| held.union(cpus));
        more = more.saturating_add(MilliCpu::new(held.len() as u64 * 1000).saturating_sub(*request));
    }
    if count == 0 {
        return Ok(());
    }
    let verb = if count == 1 { "stays" } else { "stay" };
    let mut text = format!(
        "{} {verb} with init containers that have ended, until their pods are gone",
        counted(count, "CPU")
    );
    if more > MilliCpu::ZERO {
        text += &format!(
            "; these pods hold {more} CPU more than they request, so that the scheduler may send others for which none is left"
        );
    }
    labelled(out, "note", HEADING, &text)
}
