//! What is wrong with a configuration in a release, and what will surprise.
//!
//! Sources, Kubernetes 1.30 to 1.36: pkg/kubelet/apis/config/validation/validation.go for what the kubelet says before it
//! starts; pkg/kubelet/cm (cpumanager, topologymanager, container_manager_linux.go) and cmd/kubelet/app/server.go for what it says
//! while it does. Everything is judged, not up to the first mistake alone.

mod cgroups;
mod cpu_manager;
mod gates;
mod quota;
mod reserved;
mod topology_manager;

use crate::{
    Topology,
    kubelet::{
        config::{Effective, KubeletConfig},
        finding::{Fault, Finding, Place},
        release::Release,
    },
    text::Escaped,
};

/// What is known of the machine that the configuration is for. What isn't known is not judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine<'a> {
    /// Its CPUs.
    pub topology: Option<&'a Topology>,
    /// Whether it is on cgroup v1.
    pub cgroup_v1: Option<bool>,
}

/// Everything that is to be said of a configuration, in no particular order.
///
/// ```
/// use cgtune_core::kubelet::{KubeletConfig, Machine, Release, check};
///
/// let config = KubeletConfig { cpu_manager_policy: Some("static".into()), ..KubeletConfig::default() };
/// let findings = check(&config, Release::NEWEST, Machine::default());
/// assert!(findings.iter().any(|finding| finding.fault.kind() == "static_without_reserved"));
/// ```
#[must_use]
pub fn check(config: &KubeletConfig, release: Release, machine: Machine<'_>) -> Vec<Finding> {
    let mut case =
        Case { config, effective: config.effective(release), release, machine, findings: Vec::new() };
    cpu_manager::check(&mut case);
    topology_manager::check(&mut case);
    quota::check(&mut case);
    reserved::check(&mut case);
    cgroups::check(&mut case);
    gates::check(&mut case);
    case.findings
}

/// What is judged, and what was found so far.
struct Case<'a> {
    config: &'a KubeletConfig,
    effective: Effective,
    release: Release,
    machine: Machine<'a>,
    findings: Vec<Finding>,
}

impl Case<'_> {
    /// Adds what is wrong with a field, or with what stands in it.
    fn found<const N: usize>(&mut self, at: [&str; N], fault: Fault) {
        self.findings.push(Finding { place: Place::at(at), fault });
    }

    /// Whether a text is one of those that a field takes; reports it if not. Nothing and `""` are the default.
    fn one_of<T>(
        &mut self,
        field: &str,
        text: Option<&String>,
        named: impl Fn(&str) -> Option<T>,
        allowed: &'static str,
    ) {
        if let Some(text) = text.filter(|text| !text.is_empty())
            && named(text).is_none()
        {
            self.found([field], Fault::Value { found: shown(text), allowed });
        }
    }
}

/// Most characters of a file's text that a finding repeats.
const SHOWN: usize = 60;

/// A text fit to show.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let mark = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{mark}", Escaped(cut.as_bytes()))
}
