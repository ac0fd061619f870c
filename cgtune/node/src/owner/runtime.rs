//! Container runtimes: groups that are containers.
//!
//! Names: `cri-containerd-<id>.scope`, `crio-<id>[.scope]`, `docker-<id>.scope`, `libpod-<id>[.scope]`,
//! `nerdctl-<id>.scope`, Docker's `/docker/<id>`, a bare id of containerd's, and the triples `slice:prefix:id` of a runtime without systemd's
//! driver. Where the low-level runtimes keep their state: `RuncRoot` of containerd's shim, Docker's
//! libcontainerd, and the defaults of runc and crun.

use cgtune_core::convert::tool;
use cgtune_sys::HostRoot;
use serde::Serialize;

use super::{
    BURST, CPUSET, IDLE, Lasting, Overwrite, Owner, QUOTA, Role, Touched, WEIGHT, Wanted, around,
    update::Tool,
};
use crate::names::path::container_id;
pub use crate::names::runtime::Runtime;

/// A container's group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Who runs it.
    pub runtime: Runtime,
    /// Its id: 64 hex digits.
    pub id: String,
    /// The container in which its whole node runs (kind).
    pub node: Option<String>,
    /// The user in whose session it runs, where that is not root's.
    pub rootless_uid: Option<u32>,
    /// The runtime below, where its state is visible.
    pub low_level: Option<LowLevel>,
    /// Whether nerdctl is installed.
    pub nerdctl: bool,
}

/// runc or crun, with the state of this container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LowLevel {
    /// `runc` or `crun`.
    pub program: &'static str,
    /// The folder of its state (`--root`).
    pub root: String,
    /// containerd's namespace, where the folder belongs to one.
    pub namespace: Option<String>,
}

/// containerd's shim keeps runc's and crun's state here, one folder a namespace.
const CONTAINERD_ROOT: &str = "/run/containerd/runc";
/// Other folders of state, those of Docker first.
const OTHER_ROOTS: [&str; 3] = ["/run/docker/runtime-runc/moby", "/run/runc", "/run/crun"];
/// How many namespaces of containerd are looked at: usually one to three.
const NAMESPACES: usize = 64;
/// Where programs lie.
const PATH: [&str; 4] = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"];

impl Container {
    pub(super) fn of(names: &[&str], host: &HostRoot) -> Option<Self> {
        // crun nests `<scope>/container`.
        let names = match names {
            [scope @ .., "container"] if scope.last().is_some_and(|last| last.ends_with(".scope")) => scope,
            names => names,
        };
        let (leaf, above) = names.split_last()?;
        let id = container_id(leaf.as_ref())?;
        let runtime = Runtime::of(leaf, id, above.last());
        let node = around(above);
        let rootless_uid = above.iter().rev().find_map(|name| {
            name.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok().filter(|&uid| uid != 0)
        });
        // The state of a node in a container, or of a user, lies elsewhere.
        let here = node.is_none() && rootless_uid.is_none();
        let low_level = if here { LowLevel::of(id, host) } else { None };
        let nerdctl = here && installed(host, "nerdctl");
        Some(Self { runtime, id: id.to_owned(), node, rootless_uid, low_level, nerdctl })
    }

    pub(super) fn owner(self) -> Owner {
        let name = self.runtime.name();
        let state = match &self.low_level {
            Some(low) => format!("; {} keeps its state in {}", low.program, low.root),
            None => "; no state of it is visible here".to_owned(),
        };
        let node =
            self.node.as_ref().map(|id| format!(", in the node in container {id}")).unwrap_or_default();
        Owner {
            name: name.to_owned(),
            evidence: format!("by its name a container of {name}{node}{state}"),
            role: Role::Container(self),
        }
    }

    pub(super) fn overwrites(&self, touched: &Touched) -> Vec<Overwrite> {
        let update = match self.runtime {
            Runtime::Docker => "on `docker update` of this container",
            Runtime::Podman => "on `podman update` of this container",
            _ => "when it is told to update this container (nerdctl, crictl, the kubelet)",
        };
        let updated = Overwrite::new(self.runtime.name(), touched.among(&[QUOTA, WEIGHT, CPUSET]), update);
        let restarted = Overwrite::new(
            self.runtime.name(),
            touched.among(&[QUOTA, BURST, WEIGHT, CPUSET, IDLE]),
            "when the container starts again: its group is made anew",
        );
        [updated, restarted].into_iter().flatten().collect()
    }

    /// First the tool that keeps the values; the low-level runtime where that one falls short.
    pub(super) fn lasting(&self, goal: &Wanted) -> Vec<Lasting> {
        let manager = self.manager(goal);
        let more = goal.touched.burst || goal.touched.idle;
        let low = (manager.is_none() || more).then(|| self.low_tool(more)).flatten();
        let mut found: Vec<Lasting> =
            [manager, low].into_iter().flatten().map(|tool| tool.lasting(&self.id, goal)).collect();
        if found.is_empty() {
            let unknown = "no tool is known by its name, and no state of runc or crun is visible here";
            found.push(Lasting {
                owner: self.runtime.name().to_owned(),
                command: None,
                cannot: vec![unknown.to_owned()],
            });
        }
        for lasting in found.iter_mut().filter(|lasting| lasting.command.is_some()) {
            if let Some(id) = &self.node {
                lasting.cannot.push(format!("the node is container {id}: run the command in there"));
            }
            if let Some(uid) = self.rootless_uid {
                lasting
                    .cannot
                    .push(format!("it runs without root: run the command as the user with id {uid}"));
            }
        }
        found
    }

    /// The tool of whoever keeps the container's values.
    fn manager(&self, goal: &Wanted) -> Option<Tool> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let tool =
            |name: &str, words, vocabulary, notes| Tool { owner: name.to_owned(), words, vocabulary, notes };
        match self.runtime {
            Runtime::Docker => {
                let cpus = "quota: for a container that was started with --cpus, Docker refuses --cpu-quota and \
                            --cpu-period: `docker update --cpus` is then the way, at the period of 100ms";
                let notes = if goal.touched.quota { vec![cpus.to_owned()] } else { Vec::new() };
                Some(tool("docker", words(&["docker", "update"]), tool::Tool::Docker, notes))
            }
            Runtime::Podman => {
                let short = "podman 4 keeps the change only until the container stops";
                let notes = vec![short.to_owned()];
                Some(tool("podman", words(&["podman", "update"]), tool::Tool::Podman, notes))
            }
            Runtime::Containerd if self.nerdctl => {
                let mut line: Vec<String> = words(&["nerdctl"]);
                let namespace = self.low_level.as_ref().and_then(|low| low.namespace.clone());
                line.extend([
                    "--namespace".to_owned(),
                    namespace.unwrap_or_else(|| "<namespace>".to_owned()),
                ]);
                line.push("update".to_owned());
                Some(tool("containerd (nerdctl)", line, tool::Tool::Nerdctl, Vec::new()))
            }
            Runtime::Crio => {
                Some(tool("CRI-O (crictl)", words(&["crictl", "update"]), tool::Tool::Crictl, Vec::new()))
            }
            Runtime::Containerd | Runtime::Unknown => None,
        }
    }

    /// `more`: whether what runc has newer options for is wanted.
    fn low_tool(&self, more: bool) -> Option<Tool> {
        let low = match (&self.low_level, self.runtime) {
            (Some(low), _) => low.clone(),
            // Its state cannot be seen from here; that it is containerd's tells the folder, short of the namespace.
            (None, Runtime::Containerd) => {
                LowLevel { program: "runc", root: format!("{CONTAINERD_ROOT}/<namespace>"), namespace: None }
            }
            (None, _) => return None,
        };
        let mut notes = vec![format!(
            "{} is not told: it writes its own record again when it updates the container",
            self.runtime.name()
        )];
        if low.program == "runc" && more {
            notes.push("--cpu-burst and --cpu-idle need runc 1.2 or newer".to_owned());
        }
        if self.low_level.is_none() {
            notes.push(
                "namespace: containerd's, k8s.io for a pod's container; with crun it is crun's command"
                    .to_owned(),
            );
        }
        Some(Tool {
            owner: format!("{} below {}", low.program, self.runtime.name()),
            words: [low.program, "--root", &low.root, "update"].map(str::to_owned).into(),
            vocabulary: if low.program == "runc" { tool::Tool::Runc } else { tool::Tool::Crun },
            notes,
        })
    }
}

impl LowLevel {
    /// Looks where the state of a container lies.
    fn of(id: &str, host: &HostRoot) -> Option<Self> {
        let namespaces = host.list(CONTAINERD_ROOT).unwrap_or_default();
        let ours = namespaces.into_iter().take(NAMESPACES).filter_map(|name| {
            let name = name.into_string().ok()?;
            // containerd's own rule for namespaces (pkg/identifiers), so that nothing odd is shown.
            let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
            valid.then(|| (format!("{CONTAINERD_ROOT}/{name}"), Some(name)))
        });
        let others = OTHER_ROOTS.map(|root| (root.to_owned(), None));
        ours.chain(others).find_map(|(root, namespace)| {
            // runc writes state.json, crun status (libcontainer/container_linux.go; crun's src/libcrun/status.c).
            let program = [("state.json", "runc"), ("status", "crun")]
                .into_iter()
                .find_map(|(file, program)| host.exists(format!("{root}/{id}/{file}")).then_some(program))?;
            Some(Self { program, root, namespace })
        })
    }
}

fn installed(host: &HostRoot, program: &str) -> bool {
    PATH.iter().any(|folder| host.exists(format!("{folder}/{program}")))
}

#[cfg(test)]
mod tests {
    use cgtune_core::{CpuSet, Micros, Quota};

    use super::*;

    const ID: &str = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";

    fn container(form: &str) -> Option<Container> {
        let path = form.replace("ID", ID);
        Container::of(&super::super::names(path.as_ref()), &HostRoot::new("/nonexistent"))
    }

    fn goal() -> Wanted {
        Wanted {
            touched: Touched { share: true, quota: true, cpuset: true, ..Touched::default() },
            shares: Some(512),
            quota: Some(Quota::Limited(Micros::new(10_000))),
            period: Some(Micros::new(20_000)),
            cpus: Some("0-1".parse().unwrap()),
            mems: Some(CpuSet::new()),
            ..Wanted::default()
        }
    }

    #[test]
    fn the_name_tells_the_runtime() {
        use Runtime::*;
        for (form, runtime) in [
            ("/docker/ID", Docker),
            ("/system.slice/docker-ID.scope", Docker),
            ("/x/system.slice:docker:ID", Docker),
            ("/machine.slice/libpod-ID.scope", Podman),
            ("/libpod_parent/libpod-ID", Podman),
            ("/kubepods/podx/ID", Containerd),
            ("/default/ID", Containerd),
            ("/x/nerdctl-ID.scope", Containerd),
            ("/kubepods.slice/kubepods-podx.slice/cri-containerd-ID.scope", Containerd),
            ("/system.slice/containerd.service/kubepods-podx.slice:cri-containerd:ID", Containerd),
            ("/kubepods.slice/kubepods-podx.slice/crio-ID.scope", Crio),
            ("/kubepods.slice/kubepods-podx.slice/crio-ID.scope/container", Crio),
            ("/kubepods/podx/crio-ID", Crio),
            ("/x/pouch-ID.scope", Unknown),
        ] {
            let found = container(form).unwrap_or_else(|| panic!("{form}"));
            assert_eq!((found.runtime, found.id.as_str()), (runtime, ID), "{form}");
        }
        for form in
            ["/", "/docker", "/x/crio-conmon-ID.scope", "/docker/ID/init.scope", "/docker/ID/container"]
        {
            assert_eq!(container(form), None, "{form}");
        }
    }

    #[test]
    fn docker_and_podman_update() {
        let docker = container("/docker/ID").unwrap().lasting(&goal());
        let options = "--cpu-period 20000 --cpu-quota 10000 --cpu-shares 512 --cpuset-cpus 0-1";
        assert_eq!(docker[0].command.as_deref(), Some(format!("docker update {options} {ID}").as_str()));
        assert!(docker[0].cannot[0].contains("--cpus"));
        let podman = container("/user.slice/user@1000.service/user.slice/libpod-ID.scope").unwrap();
        let podman = podman.lasting(&goal());
        assert_eq!(podman[0].command.as_deref(), Some(format!("podman update {options} {ID}").as_str()));
        assert!(podman[0].cannot.iter().any(|text| text.contains("id 1000")));
    }

    #[test]
    fn what_docker_has_no_option_for_is_said() {
        let burst = Wanted {
            touched: Touched { burst: true, ..Touched::default() },
            burst: Some(Micros::new(5000)),
            ..Wanted::default()
        };
        let docker = container("/docker/ID").unwrap().lasting(&burst);
        assert_eq!(docker[0].command, None);
        assert_eq!(docker[0].cannot, ["burst: docker has no option for it"]);
        let runc = container("/default/ID").unwrap().lasting(&burst);
        assert_eq!(
            runc[0].command.as_deref(),
            Some(
                format!("runc --root '/run/containerd/runc/<namespace>' update --cpu-burst 5000 {ID}")
                    .as_str()
            )
        );
    }

    #[test]
    fn no_quota_is_minus_one() {
        let unlimited = Wanted {
            touched: Touched { quota: true, ..Touched::default() },
            quota: Some(Quota::Unlimited),
            ..Wanted::default()
        };
        let docker = container("/docker/ID").unwrap().lasting(&unlimited);
        assert_eq!(docker[0].command.as_deref(), Some(format!("docker update --cpu-quota -1 {ID}").as_str()));
    }

    #[test]
    fn a_runtime_of_nobody_has_no_command() {
        let found = container("/x/pouch-ID.scope").unwrap().lasting(&goal());
        assert_eq!(found[0].command, None);
    }
}
