//! The options of container tools that set CPU: one vocabulary with small differences.
//!
//! Here live the names of options and their order, for `run` and `update` alike. Deliberately absent: which tool a
//! container on this machine needs, which is the business of `cgtune-node`, and what a tool falls short of, which whoever
//! shows a command says.
//!
//! Sources: runc's update.go, crun's src/update.c, nerdctl's `container_update.go` and `run_cgroup_linux.go`, docker-run(1),
//! docker-update(1), podman-run(1), podman-update(1), `crictl update --help`. All take v1's shares, also on v2, and convert.

use crate::{CpuSet, Micros, Quota};

/// A program that gives a container its CPU settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Docker's client.
    Docker,
    /// containerd's, with Docker's command line.
    Nerdctl,
    /// Podman.
    Podman,
    /// The CRI's client.
    Crictl,
    /// runc. Burst and idle need 1.2.
    Runc,
    /// crun.
    Crun,
}

/// What a command sets. `None`: the tool leaves it as it is, or at its own default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options<'a> {
    /// The period.
    pub period: Option<Micros>,
    /// The quota; none is −1.
    pub quota: Option<Quota>,
    /// Shares as v1 has them.
    pub shares: Option<u64>,
    /// CPUs. An empty set is left out: it means "unchanged" to all of them.
    pub cpus: Option<&'a CpuSet>,
    /// Memory nodes; an empty set as for CPUs.
    pub mems: Option<&'a CpuSet>,
    /// The burst, left out where the tool has no option for it.
    pub burst: Option<Micros>,
    /// `cpu.idle`, left out as burst is.
    pub idle: Option<bool>,
}

impl Tool {
    /// What to type.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Nerdctl => "nerdctl",
            Self::Podman => "podman",
            Self::Crictl => "crictl",
            Self::Runc => "runc",
            Self::Crun => "crun",
        }
    }

    /// Whether it has `--cpu-burst` and `--cpu-idle`.
    #[must_use]
    pub const fn burst_and_idle(self) -> bool {
        matches!(self, Self::Runc)
    }

    /// Whether its `run` takes any file of cgroup v2 (`--cgroup-conf`), which becomes an entry of the spec's `unified` map.
    #[must_use]
    pub const fn cgroup_conf(self) -> bool {
        matches!(self, Self::Nerdctl | Self::Podman)
    }

    const fn shares(self) -> &'static str {
        match self {
            Self::Docker | Self::Nerdctl | Self::Podman => "--cpu-shares",
            Self::Crictl | Self::Runc | Self::Crun => "--cpu-share",
        }
    }
}

impl Options<'_> {
    /// As words of a tool's command line, each option before its value.
    #[must_use]
    pub fn words(&self, tool: Tool) -> Vec<String> {
        let text = |value: Option<u64>| value.map(|value| value.to_string());
        let set = |set: Option<&CpuSet>| set.filter(|set| !set.is_empty()).map(ToString::to_string);
        let quota = self.quota.map(|quota| match quota {
            Quota::Unlimited => "-1".to_owned(),
            Quota::Limited(quota) => quota.get().to_string(),
        });
        let mut options = vec![
            ("--cpu-period", text(self.period.map(Micros::get))),
            ("--cpu-quota", quota),
            (tool.shares(), text(self.shares)),
            ("--cpuset-cpus", set(self.cpus)),
            ("--cpuset-mems", set(self.mems)),
        ];
        if tool.burst_and_idle() {
            options.push(("--cpu-burst", text(self.burst.map(Micros::get))));
            options.push(("--cpu-idle", self.idle.map(|idle| u8::from(idle).to_string())));
        }
        options
            .into_iter()
            .filter_map(|(option, value)| Some([option.to_owned(), value?]))
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_has_its_own_words_for_the_same() {
        let cpus = "0-1".parse().unwrap();
        let options = Options {
            period: Some(Micros::from_ms(20)),
            quota: Some(Quota::Unlimited),
            shares: Some(512),
            cpus: Some(&cpus),
            mems: Some(&CpuSet::new()),
            burst: Some(Micros::new(7)),
            idle: Some(true),
        };
        let words = |tool| options.words(tool).join(" ");
        let docker = "--cpu-period 20000 --cpu-quota -1 --cpu-shares 512 --cpuset-cpus 0-1";
        for tool in [Tool::Docker, Tool::Nerdctl, Tool::Podman] {
            assert_eq!(words(tool), docker);
        }
        let low = docker.replace("shares", "share");
        assert_eq!(words(Tool::Crictl), low);
        assert_eq!(words(Tool::Crun), low);
        assert_eq!(words(Tool::Runc), format!("{low} --cpu-burst 7 --cpu-idle 1"));
        assert_eq!(Options::default().words(Tool::Runc), Vec::<String>::new());
    }
}
