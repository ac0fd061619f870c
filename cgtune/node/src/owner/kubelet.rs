//! The kubelet: groups below `kubepods`.
//!
//! Shapes: pkg/kubelet/cm/cgroup_manager_linux.go (both drivers; a cgroupRoot goes in front, so that kind has
//! `kubelet-kubepods.slice`). What it rewrites: qos_container_manager_linux.go (every minute), the CPU manager's
//! reconcile (cpuManagerReconcilePeriod, 10 s), in-place resize (GA in 1.35).

use cgtune_core::{
    Micros, MilliCpu, Quota, Shares,
    convert::{kubelet, target::resize},
    text::Escaped,
};
use cgtune_sys::HostRoot;
use serde::Serialize;

use super::{
    CPUSET, IDLE, Lasting, Overwrite, Owner, Presence, QUOTA, Role, Touched, WEIGHT, Wanted, around,
    presence::Seen, update,
};
use crate::names::kubepods::Place;
pub use crate::names::kubepods::{Level, Qos};

/// Where the CPU manager keeps its decisions (pkg/kubelet/cm/cpumanager, below the kubelet's default root directory).
const CPU_MANAGER_STATE: &str = "/var/lib/kubelet/cpu_manager_state";
/// As much of it as is read: the policy's name comes first.
const STATE_READ: u64 = 4096;

/// A group that the kubelet owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kubelet {
    /// Which of its groups.
    pub level: Level,
    /// The class that the path names.
    pub qos: Qos,
    /// The pod's UID with dashes, made safe to show.
    pub pod_uid: Option<String>,
    /// The container in which the whole node runs (kind).
    pub node: Option<String>,
    /// Whether a kubelet is visible.
    pub running: Presence,
    /// Whether its CPU manager hands out exclusive CPUs (the static policy). `None`: not known.
    pub static_cpus: Option<bool>,
}

impl Kubelet {
    pub(super) fn of(names: &[&str], seen: &Seen, host: &HostRoot) -> Option<Self> {
        let place = Place::of(names)?;
        let node = around(&names[..place.at]);
        // The state of a node in a container lies in that container.
        let static_cpus = if node.is_none() { static_cpus(host) } else { None };
        // The kubelet forbids underscores in names, so that slices can have them for dashes.
        let uid = place.uid.map(|uid| Escaped(uid.replace('_', "-").as_bytes()).to_string());
        Some(Self {
            level: place.level,
            qos: place.qos,
            pod_uid: uid,
            node,
            running: seen.kubelet,
            static_cpus,
        })
    }

    pub(super) fn owner(self) -> Owner {
        let group = match (self.level, self.qos) {
            (Level::Node, _) => "the group of all pods".to_owned(),
            (Level::Qos, Qos::BestEffort) => "the group of all BestEffort pods".to_owned(),
            (Level::Qos, _) => "the group of all Burstable pods".to_owned(),
            (Level::Pod, _) => format!("the group of the pod with UID {}", self.uid()),
            (Level::Container, _) => format!("a container of the pod with UID {}", self.uid()),
        };
        let node = self.node.as_ref().map(|id| format!(" of the node in container {id}")).unwrap_or_default();
        let running = match self.running {
            Presence::Seen => "and a kubelet is running",
            Presence::NotSeen => "but no kubelet is visible here",
            Presence::Unknown => "and whether a kubelet is running cannot be seen from here",
        };
        Owner {
            name: "kubelet".to_owned(),
            evidence: format!("by its path {group}{node}, {running}"),
            role: Role::Kubelet(self),
        }
    }

    fn uid(&self) -> &str {
        self.pod_uid.as_deref().unwrap_or_default()
    }

    /// A static pod's UID is a hash of its manifest, 32 digits without dashes.
    fn is_static(&self) -> bool {
        let uid = self.uid();
        uid.len() == 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    pub(super) fn overwrites(&self, touched: &Touched) -> Vec<Overwrite> {
        let who = match self.running {
            Presence::Seen => "kubelet",
            Presence::NotSeen | Presence::Unknown => "kubelet, if one runs (none is visible from here)",
        };
        let said = |what, when: &str| Overwrite::new(who, what, when);
        let resize = "when the pod is resized in place";
        let found = match self.level {
            Level::Node => {
                [said(touched.among(&[WEIGHT]), "when it starts: shares of the node's allocatable CPU"), None]
            }
            Level::Qos => [said(touched.among(&[WEIGHT]), "every minute, by its QoS loop"), None],
            Level::Pod => [said(touched.among(&[QUOTA, WEIGHT]), resize), None],
            Level::Container => {
                let cpus = match self.static_cpus {
                    Some(false) => None,
                    Some(true) => said(
                        touched.among(&[CPUSET]),
                        "by its CPU manager (static policy), which looks every 10 s: older kubelets write the set \
                         again each time, newer ones when their own choice changes",
                    ),
                    None => said(
                        touched.among(&[CPUSET]),
                        "by its CPU manager, which looks every 10 s, if its policy is static",
                    ),
                };
                [said(touched.among(&[QUOTA, WEIGHT]), resize), cpus]
            }
        };
        found.into_iter().flatten().collect()
    }

    pub(super) fn lasting(&self, goal: &Wanted) -> Lasting {
        let owner = "kubelet".to_owned();
        let instead = match self.level {
            Level::Node => {
                "its shares follow from the node: systemReserved and kubeReserved in the kubelet's configuration"
            }
            Level::Qos => {
                "its shares follow every minute from the requests of its pods; nothing sets them otherwise"
            }
            Level::Pod => "a pod's group follows from its containers: resize those",
            Level::Container if self.is_static() => {
                "this is a static pod: its manifest on the node is what lasts"
            }
            Level::Container => return self.resize(goal),
        };
        let mut cannot = vec![instead.to_owned()];
        cannot.extend(idle_stops_it(goal));
        Lasting { owner, command: None, cannot }
    }

    /// `kubectl patch --subresource resize`.
    fn resize(&self, goal: &Wanted) -> Lasting {
        let mut cannot = Vec::new();
        let limit = goal.bandwidth().and_then(|(quota, period)| limit(quota, period, &mut cannot));
        let request = request(goal, &mut cannot);
        if goal.bandwidth().is_none() && goal.period().is_some() {
            cannot.push(resize::PERIOD.to_owned());
        }
        if goal.touched.burst {
            cannot.push(
                "burst: Kubernetes has no field for it, and a resize to a quota below the burst fails"
                    .to_owned(),
            );
        }
        cannot.extend(idle_stops_it(goal));
        if goal.touched.cpuset {
            cannot.push(
                "cpuset: only the kubelet's static CPU manager policy pins, and it chooses the CPUs itself"
                    .to_owned(),
            );
        }
        let any = limit.or(request).is_some();
        if any {
            self.warn_of_class(request, limit, &mut cannot);
            cannot.push(format!(
                "names: the path has none, only the pod's UID {} (kubectl get pods -A -o wide shows this node's pods); \
                 a pod made from a template is made anew from that",
                self.uid()
            ));
        }
        let command = any.then(|| resize::Patch::new(request, limit).command());
        Lasting { owner: "kubelet".to_owned(), command, cannot }
    }

    /// A resize may not change the pod's class, nor ask for more than the limit.
    fn warn_of_class(&self, request: Option<MilliCpu>, limit: Option<MilliCpu>, cannot: &mut Vec<String>) {
        match (self.qos, request, limit) {
            (Qos::BestEffort, ..) => cannot.push(
                "the pod is BestEffort by its path: a request or limit would change its class, which a resize may not"
                    .to_owned(),
            ),
            (Qos::Guaranteed, request, limit) if request != limit => cannot.push(
                "the pod is Guaranteed by its path: the resize is refused unless request and limit stay equal"
                    .to_owned(),
            ),
            (_, Some(request), Some(limit)) if request > limit => {
                cannot.push(format!("a request of {request} above the limit of {limit} is refused"));
            }
            _ => {}
        }
    }
}

/// The limit whose quota this is, with what is lost on the way.
fn limit(quota: Quota, period: Micros, cannot: &mut Vec<String>) -> Option<MilliCpu> {
    let Some(limit) = kubelet::limit_of(quota, period).filter(|&limit| limit != MilliCpu::ZERO) else {
        cannot.push("quota: a limit that a container has cannot be taken away by a resize".to_owned());
        return None;
    };
    if period != kubelet::QUOTA_PERIOD {
        cannot.push(resize::PERIOD.to_owned());
    }
    if kubelet::quota(limit, period) != quota {
        cannot.push(format!(
            "quota: {quota} is no whole number of thousandths; {limit} is what comes next below"
        ));
    }
    Some(limit)
}

/// The request whose shares these are, or whose weight, by the newest formula.
fn request(goal: &Wanted, cannot: &mut Vec<String>) -> Option<MilliCpu> {
    let shares = match (goal.shares(), goal.weight()) {
        (Some(shares), _) => Some(shares),
        (None, Some(weight)) => update::shares_of(weight, cannot),
        (None, None) => None,
    };
    Shares::new(shares?).ok().map(kubelet::request_of)
}

fn idle_stops_it(goal: &Wanted) -> Option<String> {
    // koordinator#2732.
    let text = "idle: Kubernetes has no field for it, and while cpu.idle is 1 the kernel refuses the kubelet's \
                weights: kubelets have failed to start on that";
    (!goal.touched.among(&[IDLE]).is_empty()).then(|| text.to_owned())
}

/// Whether the CPU manager's state file names the static policy.
fn static_cpus(host: &HostRoot) -> Option<bool> {
    let text = host.read_start(CPU_MANAGER_STATE, STATE_READ).ok()?;
    let has = |policy: &str| {
        let needle = format!("\"policyName\":\"{policy}\"");
        text.windows(needle.len()).any(|window| window == needle.as_bytes())
    };
    if has("static") { Some(true) } else { has("none").then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "6c1a4e95-6bb6-11e6-bc26-28d2444e470d";

    fn kubelet(path: &str) -> Option<Kubelet> {
        let path = path.replace("ID", ID);
        let seen = Seen { systemd: Presence::Seen, kubelet: Presence::Seen, agents: Vec::new() };
        Kubelet::of(&super::super::names(path.as_ref()), &seen, &HostRoot::new("/nonexistent"))
    }

    #[test]
    fn both_drivers_shapes_are_known() {
        use super::{
            Level::{Container, Node, Pod},
            Qos::{BestEffort, Burstable, Guaranteed},
        };
        // The rules of pkg/kubelet/cm/cgroup_manager_linux.go, and kind's cgroupRoot.
        for (path, level, qos) in [
            ("/kubepods", Node, Guaranteed),
            ("/custom/kubepods", Node, Guaranteed),
            ("/kubepods.slice", Node, Guaranteed),
            ("/kubelet.slice/kubelet-kubepods.slice", Node, Guaranteed),
            ("/kubepods/burstable", Level::Qos, Burstable),
            ("/kubepods/besteffort", Level::Qos, BestEffort),
            ("/kubepods.slice/kubepods-besteffort.slice", Level::Qos, BestEffort),
            ("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice", Level::Qos, Burstable),
        ] {
            let found = kubelet(path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((found.level, found.qos, found.pod_uid), (level, qos, None), "{path}");
        }
        for (path, level, qos) in [
            ("/kubepods/podU", Pod, Guaranteed),
            ("/kubepods/burstable/podU", Pod, Burstable),
            ("/kubepods/burstable/podU/ID", Container, Burstable),
            ("/kubepods/podU/crio-ID", Container, Guaranteed),
            ("/kubepods.slice/kubepods-podV.slice", Pod, Guaranteed),
            ("/kubepods.slice/kubepods-podV.slice/crio-ID.scope/container", Container, Guaranteed),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podV.slice/cri-containerd-ID.scope",
                Container,
                Burstable,
            ),
            (
                "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/\
                 kubelet-kubepods-besteffort-podV.slice/cri-containerd-ID.scope",
                Container,
                BestEffort,
            ),
            (
                "/system.slice/containerd.service/kubepods-burstable-podV.slice:cri-containerd:ID",
                Container,
                Burstable,
            ),
        ] {
            let path = path.replace('U', UID).replace('V', &UID.replace('-', "_"));
            let found = kubelet(&path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((found.level, found.qos, found.pod_uid.as_deref()), (level, qos, Some(UID)), "{path}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_the_kubelets() {
        for path in [
            "/",
            "/system.slice/kubelet.service",
            "/kubepods/other",
            "/kubepods/podx/notacontainer",
            "/kubepods/podx/ID/init.scope",
            "/mykubepods/podx",
            "/system.slice/docker-ID.scope",
        ] {
            assert_eq!(kubelet(path), None, "{path}");
        }
    }

    #[test]
    fn a_node_in_a_container_is_found_by_the_last_kubepods() {
        let outer = "f".repeat(64);
        let path = format!(
            "/kubepods/podout/{outer}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podin.slice"
        );
        let found = kubelet(&path).unwrap();
        assert_eq!((found.level, found.pod_uid.as_deref()), (Level::Pod, Some("in")));
        assert_eq!(found.node, Some(outer));
    }

    fn container() -> Kubelet {
        kubelet("/kubepods/burstable/podx-y/ID").unwrap()
    }

    fn goal(shares: Option<u64>, quota_us: u64, period_us: u64) -> Wanted {
        Wanted {
            touched: Touched { quota: true, share: shares.is_some(), ..Touched::default() },
            shares,
            quota: Some(Quota::Limited(Micros::new(quota_us))),
            period: Some(Micros::new(period_us)),
            ..Wanted::default()
        }
    }

    #[test]
    fn a_container_is_resized() {
        let lasting = container().lasting(&goal(Some(256), 50_000, 100_000));
        assert_eq!(
            lasting.command.unwrap(),
            "kubectl patch pod '<pod>' -n '<namespace>' --subresource resize --patch \
             '{\"spec\":{\"containers\":[{\"name\":\"<container>\",\"resources\":\
             {\"requests\":{\"cpu\":\"250m\"},\"limits\":{\"cpu\":\"500m\"}}}]}}'"
        );
        assert_eq!(lasting.cannot.len(), 1, "{:?}", lasting.cannot);
        assert!(lasting.cannot[0].contains("UID x-y"));
    }

    #[test]
    fn what_a_resize_cannot_say_is_said() {
        let mut wish = goal(None, 10_000, 20_000);
        wish.touched = Touched { share: false, quota: true, burst: true, idle: true, cpuset: true };
        let lasting = container().lasting(&wish);
        assert!(lasting.command.unwrap().contains("\"limits\":{\"cpu\":\"500m\"}"));
        for word in ["period:", "burst:", "idle:", "cpuset:"] {
            assert!(lasting.cannot.iter().any(|text| text.starts_with(word)), "{word} {:?}", lasting.cannot);
        }
        wish.quota = Some(Quota::Unlimited);
        assert_eq!(container().lasting(&wish).command, None);
    }

    #[test]
    fn only_containers_have_a_command() {
        for path in [
            "/kubepods",
            "/kubepods/burstable",
            "/kubepods/podx",
            "/kubepods/podd41d8cd98f00b204e9800998ecf8427e/ID",
        ] {
            let lasting = kubelet(path).unwrap().lasting(&goal(None, 1000, 1000));
            assert_eq!(lasting.command, None, "{path}");
            assert!(!lasting.cannot.is_empty());
        }
    }

    #[test]
    fn each_level_is_overwritten_on_its_own_occasions() {
        let all = Touched { share: true, quota: true, burst: true, idle: true, cpuset: true };
        let what = |path: &str| -> Vec<Vec<&str>> {
            kubelet(path).unwrap().overwrites(&all).into_iter().map(|found| found.what).collect()
        };
        assert_eq!(what("/kubepods/besteffort"), [vec![WEIGHT]]);
        assert_eq!(what("/kubepods/podx"), [vec![QUOTA, WEIGHT]]);
        assert_eq!(what("/kubepods/podx/ID"), [vec![QUOTA, WEIGHT], vec![CPUSET]]);
        assert_eq!(container().overwrites(&Touched { burst: true, ..Touched::default() }), []);
    }

    #[test]
    fn a_uid_is_shown_safely() {
        let found = kubelet("/kubepods/pod\x1b[2J").unwrap();
        assert_eq!(found.pod_uid.as_deref(), Some(r"\x1b[2J"));
    }
}
