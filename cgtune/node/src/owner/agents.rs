//! Programs that are known to write cgroup files on their own account, beside the owners.
//!
//! Known by the name of their process, which any process may give itself: the sentences say "a process named".
//! What each writes: koordinator's koordlet (pkg/koordlet: cpuBurst, cpu suppression, batch resources, CPU sets, `cpu.idle`),
//! openEuler's rubik (quotaBurst, quotaTurbo), Volcano's agent (cpuburst, cputhrottle, QoS), and plugins of
//! the runtimes' node resource interface, NRI.

use cgtune_core::text::Escaped;
use cgtune_sys::HostRoot;
use serde::Serialize;

use super::{BURST, CPUSET, IDLE, Overwrite, Owner, QUOTA, Role, Touched, WEIGHT, presence::Seen};

/// A program that writes such files and keeps no record of what they held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// What to call it.
    pub name: String,
    /// What was seen of it.
    pub evidence: String,
    #[serde(skip)]
    writes: &'static [&'static str],
    #[serde(skip)]
    reach: Reach,
    #[serde(skip)]
    occasion: &'static str,
}

/// Whose groups it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Those below `kubepods`.
    Pods,
    /// Those of any container whose runtime speaks NRI: containerd and CRI-O.
    Containers,
}

struct Known {
    comm: &'static [u8],
    name: &'static str,
    writes: &'static [&'static str],
}

const ALL: &[&str] = &[QUOTA, BURST, WEIGHT, CPUSET, IDLE];

const KNOWN: [Known; 4] = [
    Known { comm: b"koordlet", name: "koordlet", writes: ALL },
    Known { comm: b"rubik", name: "rubik", writes: &[QUOTA, BURST] },
    Known { comm: b"vc-agent", name: "volcano-agent", writes: &[QUOTA, BURST, WEIGHT, IDLE] },
    Known { comm: b"volcano-agent", name: "volcano-agent", writes: &[QUOTA, BURST, WEIGHT, IDLE] },
];

/// How the processes of the collection of NRI plugins begin (containers/nri-plugins: `nri-resource-policy-…`).
const PLUGIN: &[u8] = b"nri-";
/// Where a runtime that has NRI enabled listens (pkg/api of containerd/nri, `DefaultSocketPath`). /run is tried too,
/// as /var/run may be a symbolic link that leads out of the host's root.
const SOCKETS: [&str; 2] = ["/run/nri/nri.sock", "/var/run/nri/nri.sock"];
/// What a plugin may adjust: LinuxCPU and, on v2, any file through `unified` (NRI 8ec8b28).
const NRI_WRITES: &[&str] = &[QUOTA, BURST, WEIGHT, CPUSET, IDLE];

pub(super) fn knows(comm: &[u8]) -> bool {
    comm.starts_with(PLUGIN) || KNOWN.iter().any(|known| known.comm == comm)
}

/// The agents that are visible.
pub(super) fn on(host: &HostRoot, seen: &Seen) -> Vec<Agent> {
    let mut agents: Vec<Agent> = Vec::new();
    let mut plugins = Vec::new();
    for process in &seen.agents {
        let shown = format!("a process named {} is running (pid {})", Escaped(&process.name), process.pid);
        match KNOWN.iter().find(|known| known.comm == process.name) {
            None => plugins.push(shown),
            // Several processes of one agent (threads of a container, two replicas) are one agent.
            Some(known) if agents.iter().any(|agent| agent.name == known.name) => {}
            Some(known) => agents.push(Agent {
                name: known.name.to_owned(),
                evidence: shown,
                writes: known.writes,
                reach: Reach::Pods,
                occasion: "at any reconcile",
            }),
        }
    }
    // An open socket is a door, not a visitor: containerd 2 opens it without any plugin.
    if let Some(socket) = SOCKETS.iter().find(|path| host.exists(path)) {
        plugins.push(format!("the runtime takes NRI plugins ({socket})"));
    }
    if !plugins.is_empty() {
        agents.push(Agent {
            name: "NRI plugins".to_owned(),
            evidence: plugins.join("; "),
            writes: NRI_WRITES,
            reach: Reach::Containers,
            occasion: "when the container is created or updated, or of its own accord",
        });
    }
    agents
}

impl Agent {
    /// What of the touched files it may rewrite, where the group is one that it looks after.
    pub(super) fn overwrite(&self, owners: &[Owner], touched: &Touched) -> Option<Overwrite> {
        let reached = owners.iter().any(|owner| match (&owner.role, self.reach) {
            (Role::Kubelet(_), Reach::Pods) => true,
            (Role::Container(container), Reach::Containers) => container.runtime.speaks_nri(),
            _ => false,
        });
        let what = touched.among(if reached { self.writes } else { &[] });
        let when = format!("{}; it may rewrite {} {}", self.evidence, super::listed(&what), self.occasion);
        Overwrite::new(&self.name, what, when)
    }
}
