//! The pods that run on the node, by their cgroups: what they ask for, and how they are throttled while they are watched.

use std::{collections::BTreeMap, sync::Arc};

use cgtune_core::{
    CpuControl as _,
    convert::pod::QosClass,
    diagnose::Watched,
    kubelet::recommend::{KnownContainer, KnownPod},
    text::Escaped,
};
use cgtune_node::names::{Qos, Register, Resident, resident::Kind};
use cgtune_sys::{Cgroup, Hierarchies, HostRoot};

use crate::{
    cli,
    cmd::diagnose::{self, watch::Watch},
    interrupt::Interrupt,
    render,
    streams::Streams,
    target,
};

/// Whether to look at the node's own pods.
#[derive(Debug, clap::Args)]
pub(super) struct Running {
    /// The pods that run here, by their cgroups, and how they are throttled
    #[arg(long, help_heading = "Pods")]
    running: bool,
    /// Watch them for so long, from 300ms to 10m
    #[arg(
        long = "for",
        value_name = "DURATION",
        default_value = "10s",
        requires = "running",
        help_heading = "Pods"
    )]
    duration: String,
}

/// The pods, and whether somebody asked to stop while they were watched.
pub(super) struct Ran {
    pub(super) pods: Vec<KnownPod>,
    pub(super) interrupted: bool,
}

impl Running {
    /// The pods; `None` where nobody asked. `quotas`: whether limits become quotas here.
    ///
    /// They are watched as `cgtune diagnose --all` does it: all roughly, and those that stand still closely.
    pub(super) fn read(
        &self,
        node: &cli::Node,
        quotas: bool,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Option<Ran>> {
        if !self.running {
            return Ok(None);
        }
        let duration = diagnose::watch_time(&self.duration)?;
        let ask = node.ask()?;
        let hierarchies = Hierarchies::detect(HostRoot::new(&node.host_root)).map_err(target::kernel)?;
        let interrupt = Interrupt::watch()?;
        let seen = Watch { duration, interrupt: &interrupt }.all(&hierarchies)?;
        let containers = seen.watched.into_iter().filter(|(path, _)| is_container(&Resident::of(path)));
        let containers: Vec<_> = containers.collect();
        let paths = containers.iter().map(|(path, _)| path);
        let register = Register::read(hierarchies.host(), paths, &ask);
        let residents: Vec<Resident> = containers.iter().map(|(path, _)| register.resident(path)).collect();
        let mut pods: BTreeMap<String, KnownPod> = BTreeMap::new();
        for ((path, mut watched), resident) in containers.into_iter().zip(&residents) {
            let Some((pod, qos)) = named(resident) else { continue };
            // What was watched roughly has its limit alone. What vanished meanwhile is not there to be recommended for.
            let observed = Cgroup::open(&hierarchies, &path).and_then(|mut cgroup| cgroup.observe());
            let Some(observed) = target::present(observed)? else { continue };
            watched.observed = observed;
            let known = known(resident, qos, watched, quotas);
            let empty =
                || KnownPod { name: pod.clone(), qos, whole: false, request: None, containers: Vec::new() };
            pods.entry(pod.clone()).or_insert_with(empty).containers.push(known);
        }
        render::resident::warn(residents.iter(), &register, streams)?;
        Ok(Some(Ran { pods: pods.into_values().collect(), interrupted: interrupt.asked() }))
    }
}

fn is_container(resident: &Resident) -> bool {
    resident.kind == Kind::Container && resident.pod.is_some()
}

fn known(resident: &Resident, qos: QosClass, watched: Watched, quotas: bool) -> KnownContainer {
    let name = resident.container.as_ref().map_or_else(
        || "-".to_owned(),
        |container| container.name.clone().unwrap_or_else(|| container.id.chars().take(12).collect()),
    );
    KnownContainer::running(Escaped(name.as_bytes()).to_string(), qos, Arc::new(watched), quotas)
}

/// The pod that a container lies in, and its class. A pod's sandbox asks for nothing and is not among its containers.
fn named(resident: &Resident) -> Option<(String, QosClass)> {
    if resident.kind != Kind::Container {
        return None;
    }
    let pod = resident.pod.as_ref()?;
    let name = match (&pod.namespace, &pod.name, &pod.uid) {
        (Some(namespace), Some(name), _) => format!("{namespace}/{name}"),
        (_, _, Some(uid)) => format!("pod {uid}"),
        _ => return None,
    };
    let qos = match pod.qos? {
        Qos::Guaranteed => QosClass::Guaranteed,
        Qos::Burstable => QosClass::Burstable,
        Qos::BestEffort => QosClass::BestEffort,
    };
    Some((Escaped(name.as_bytes()).to_string(), qos))
}
