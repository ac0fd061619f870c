//! What of the owners is visible on the node, beside the path.

use cgtune_sys::{
    HostRoot,
    processes::{self, Named},
};
use serde::Serialize;

use super::agents;

/// Whether somebody whom a path names is there. The view may be narrower than the node (a container's /proc and /run),
/// so "not seen" is a sentence for a person, not a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is.
    Seen,
    /// We could look, and it is not.
    NotSeen,
    /// We could not look.
    Unknown,
}

/// systemd's own test of whether it runs the machine: sd_booted(3).
const SYSTEMD: &str = "/run/systemd/system";
/// Programs that are a kubelet or carry one inside: k3s names itself after its role, `MicroK8s` has kubelite.
const KUBELETS: [&[u8]; 5] = [b"kubelet", b"k3s-server", b"k3s-agent", b"rke2", b"kubelite"];

/// What one look at the node saw.
pub(super) struct Seen {
    pub(super) systemd: Presence,
    pub(super) kubelet: Presence,
    /// The processes with a name that [`agents`] knows.
    pub(super) agents: Vec<Named>,
}

impl Seen {
    pub(super) fn on(host: &HostRoot) -> Self {
        let systemd = match host.is_dir("/run") {
            _ if host.is_dir(SYSTEMD) => Presence::Seen,
            true => Presence::NotSeen,
            false => Presence::Unknown,
        };
        // One pass over /proc for both: it is the expensive part.
        let known = |name: &[u8]| KUBELETS.contains(&name) || agents::knows(name);
        let Some(processes) = processes::named(host, known) else {
            return Self { systemd, kubelet: Presence::Unknown, agents: Vec::new() };
        };
        let (kubelets, agents): (Vec<_>, Vec<_>) =
            processes.into_iter().partition(|process| KUBELETS.contains(&process.name.as_slice()));
        let kubelet = if kubelets.is_empty() { Presence::NotSeen } else { Presence::Seen };
        Self { systemd, kubelet, agents }
    }
}
