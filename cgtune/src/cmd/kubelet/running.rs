//! The pods that run on the node, by their cgroups: what they ask for, and how they are throttled while they are watched.

use std::{collections::BTreeMap, path::PathBuf};

use cgtune_core::{
    CpuControl as _, Interval, Observed, Snapshot,
    convert::pod::QosClass,
    kubelet::recommend::{KnownContainer, KnownPod, Throttled},
    text::Escaped,
};
use cgtune_node::names::{Qos, Register, Resident, resident::Kind};
use cgtune_sys::{Cgroup, Hierarchies, HostRoot, clock};

use crate::{cli, cmd::stat, render, streams::Streams, target};

/// Whether to look at the node's own pods.
#[derive(Debug, clap::Args)]
pub(super) struct Running {
    /// The pods that run here, by their cgroups, and how they are throttled
    #[arg(long, help_heading = "Pods")]
    running: bool,
    /// Watch them for so long
    #[arg(
        long = "for",
        value_name = "DURATION",
        default_value = "10s",
        requires = "running",
        help_heading = "Pods"
    )]
    duration: String,
}

/// A container's group at the beginning of the watch.
struct Watched {
    cgroup: Cgroup,
    path: PathBuf,
    observed: Observed,
    first: Snapshot,
}

impl Running {
    /// The pods; `None` where nobody asked. `quotas`: whether limits become quotas here.
    pub(super) fn read(
        &self,
        node: &cli::Node,
        quotas: bool,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Option<Vec<KnownPod>>> {
        if !self.running {
            return Ok(None);
        }
        let duration = stat::watch_time(&self.duration)?;
        let ask = node.ask()?;
        let hierarchies = Hierarchies::detect(HostRoot::new(&node.host_root)).map_err(target::kernel)?;
        let mut watched = containers(&hierarchies)?;
        stat::wait(clock::now(), duration);
        let register = Register::read(hierarchies.host(), watched.iter().map(|one| &one.path), &ask);
        let residents: Vec<Resident> = watched.iter().map(|one| register.resident(&one.path)).collect();
        let mut pods: BTreeMap<String, KnownPod> = BTreeMap::new();
        for (one, resident) in watched.iter_mut().zip(&residents) {
            let Some((pod, qos)) = named(resident) else { continue };
            // What vanished meanwhile is not there to be recommended for.
            let Some(last) = target::present(one.cgroup.sample())? else { continue };
            let throttled = Interval::between(&one.first, &last)
                .ok()
                .and_then(|interval| interval.bandwidth)
                .map(|bandwidth| Throttled {
                    nr_periods: bandwidth.nr_periods,
                    nr_throttled: bandwidth.nr_throttled,
                });
            let container = resident.container.as_ref();
            let name = container.map_or_else(
                || "-".to_owned(),
                |container| container.name.clone().unwrap_or_else(|| container.id.chars().take(12).collect()),
            );
            let name = Escaped(name.as_bytes()).to_string();
            let known = KnownContainer::running(name, qos, &one.observed, quotas, throttled);
            let empty =
                || KnownPod { name: pod.clone(), qos, whole: false, request: None, containers: Vec::new() };
            pods.entry(pod.clone()).or_insert_with(empty).containers.push(known);
        }
        render::resident::warn(residents.iter(), &register, streams)?;
        Ok(Some(pods.into_values().collect()))
    }
}

/// The groups of containers in pods.
fn containers(hierarchies: &Hierarchies) -> anyhow::Result<Vec<Watched>> {
    let mut paths = Vec::new();
    let mut keep = |path: &std::path::Path| {
        let resident = Resident::of(path);
        if resident.kind == Kind::Container && resident.pod.is_some() {
            paths.push(path.to_owned());
        }
    };
    hierarchies.walk(|path, _| keep(path)).map_err(target::kernel)?;
    let mut watched = Vec::new();
    for path in paths {
        let open = || {
            let mut cgroup = Cgroup::open(hierarchies, &path)?;
            let (observed, first) = (cgroup.observe()?, cgroup.sample()?);
            Ok(Watched { cgroup, path: path.clone(), observed, first })
        };
        watched.extend(target::present(open())?);
    }
    Ok(watched)
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
