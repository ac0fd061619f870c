//! Names on nodes that are folders: synthetic, in the forms in which the kubelet and each runtime leave them. Sockets are
//! real ones, with nobody behind them or somebody who does not answer; real runtimes are in cgtune/tests/real_names.rs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    fs,
    os::unix::net::UnixListener,
    path::Path,
    time::{Duration, Instant},
};

use cgtune_node::names::{Ask, Kind, Outcome, Register, Resident, Source, When};
use cgtune_sys::HostRoot;
use serde_json::json;

const UID: &str = "6c1a4e95-6bb6-11e6-bc26-28d2444e470d";
const APP: &str = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd";
const PAUSE: &str = "1111111111111111222222222222222233333333333333334444444444444444";
const NODE: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

struct Node(tempfile::TempDir);

impl Node {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn host(&self) -> HostRoot {
        HostRoot::new(self.0.path())
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.host().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// What a kubelet leaves in /var/log of a pod with one container.
    fn logs(&self) -> &Self {
        self.file(&format!("/var/log/pods/prod_web_{UID}/app/0.log"), "");
        self.file(&format!("/var/log/containers/web_prod_app-{APP}.log"), "")
    }

    /// containerd's state of a pod's container, or of its sandbox.
    fn containerd(&self, id: &str, kind: &str) -> &Self {
        let mut annotations = json!({
            "io.kubernetes.cri.container-type": kind,
            "io.kubernetes.cri.sandbox-id": PAUSE,
            "io.kubernetes.cri.sandbox-name": "web",
            "io.kubernetes.cri.sandbox-namespace": "prod",
            "io.kubernetes.cri.sandbox-uid": UID,
        });
        if kind == "container" {
            annotations["io.kubernetes.cri.container-name"] = "app".into();
        }
        let config = json!({ "ociVersion": "1.0.2", "annotations": annotations }).to_string();
        let folder = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
        self.file(&format!("{folder}/{id}/config.json"), &config)
    }

    fn read(&self, paths: &[&str]) -> Register {
        Register::read(&self.host(), paths, &Ask::default())
    }

    /// Who lives in a group, after asking for it alone.
    fn resident(&self, path: &str) -> Resident {
        self.read(&[path]).resident(Path::new(path))
    }
}

fn pod_path(leaf: &str) -> String {
    let uid = UID.replace('-', "_");
    format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid}.slice{leaf}")
}

fn scope(prefix: &str, id: &str) -> String {
    pod_path(&format!("/{prefix}-{id}.scope"))
}

/// `prod/web/app`, `-` for what is not known.
fn names(resident: &Resident) -> String {
    let pod = resident.pod.as_ref();
    let container = resident.container.as_ref().and_then(|container| container.name.clone());
    let parts = [pod.and_then(|pod| pod.namespace.clone()), pod.and_then(|pod| pod.name.clone()), container];
    parts.map(|part| part.unwrap_or_else(|| "-".to_owned())).join("/")
}

#[test]
fn the_kubelets_log_folders_name_pods_and_their_containers() {
    let node = Node::new();
    node.logs();
    let found = node.resident(&scope("cri-containerd", APP));
    assert_eq!((names(&found).as_str(), found.kind), ("prod/web/app", Kind::Container));
    assert_eq!(found.pod.unwrap().source, Source::PodLogs);
    assert_eq!(found.container.unwrap().source, Source::ContainerLogs);
    assert_eq!(names(&node.resident(&pod_path(""))), "prod/web/-");
    assert_eq!(names(&node.resident(&scope("crio-conmon", APP))), "prod/web/app");
    assert_eq!(node.resident(&scope("crio-conmon", APP)).kind, Kind::Monitor);
    // What a container has below its own group is its own.
    let inside = node.resident(&format!("{}/worker", scope("cri-containerd", APP)));
    assert_eq!((names(&inside).as_str(), inside.kind), ("prod/web/app", Kind::Inside));
}

#[test]
fn a_static_pods_hash_and_a_node_in_a_container_are_named_likewise() {
    let node = Node::new();
    let hash = "d41d8cd98f00b204e9800998ecf8427e";
    node.file(&format!("/var/log/pods/kube-system_etcd-node_{hash}/etcd/0.log"), "").logs();
    assert_eq!(names(&node.resident(&format!("/kubepods/burstable/pod{hash}"))), "kube-system/etcd-node/-");
    let nested = format!("/docker/{NODE}/kubelet/kubepods/burstable/pod{UID}/{APP}");
    let found = node.resident(&nested);
    assert_eq!((names(&found).as_str(), found.node.as_deref()), ("prod/web/app", Some(NODE)));
}

#[test]
fn containerds_state_tells_a_sandbox_from_a_container() {
    let node = Node::new();
    node.containerd(APP, "container").containerd(PAUSE, "sandbox");
    let [app, pause] = [APP, PAUSE].map(|id| scope("cri-containerd", id));
    let register = node.read(&[&app, &pause]);
    let [app, pause] = [app, pause].map(|path| register.resident(path.as_ref()));
    assert_eq!((names(&app).as_str(), app.kind), ("prod/web/app", Kind::Container));
    assert_eq!((names(&pause).as_str(), pause.kind), ("prod/web/-", Kind::Sandbox));
    assert_eq!(pause.container.unwrap().source, Source::ContainerdState);
    let told = register.answers().iter().find(|answer| answer.source == Source::ContainerdState).unwrap();
    assert_eq!(told.outcome, Outcome::Told(2));
}

#[test]
fn the_states_of_k3s_and_of_cri_o_are_read_where_they_are() {
    let node = Node::new();
    let config = json!({ "annotations": {
        "io.kubernetes.pod.name": "web", "io.kubernetes.pod.namespace": "prod", "io.kubernetes.pod.uid": UID,
        "io.kubernetes.container.name": "app", "io.kubernetes.cri-o.ContainerType": "container",
    }})
    .to_string();
    node.file(
        &format!("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{APP}/config.json"),
        &config,
    );
    assert_eq!(names(&node.resident(&scope("cri-containerd", APP))), "prod/web/app");
    let node = Node::new();
    let folder = "/var/lib/containers/storage/overlay-containers";
    node.file(&format!("{folder}/{APP}/userdata/config.json"), &config);
    let pause = config.replace("\"container\"", "\"sandbox\"").replace("\"app\"", "\"POD\"");
    node.file(&format!("{folder}/{PAUSE}/userdata/config.json"), &pause);
    let found = node.resident(&format!("{}/container", scope("crio", APP)));
    assert_eq!(
        (names(&found).as_str(), found.container.unwrap().source),
        ("prod/web/app", Source::CrioState)
    );
    let pause = node.resident(&scope("crio", PAUSE));
    assert_eq!((names(&pause).as_str(), pause.kind), ("prod/web/-", Kind::Sandbox));
}

#[test]
fn docker_names_its_own_containers_and_those_of_pods() {
    let node = Node::new();
    let own = json!({ "ID": APP, "Name": "/quirky_name", "Config": { "Labels": {} } }).to_string();
    node.file(&format!("/var/lib/docker/containers/{APP}/config.v2.json"), &own);
    let pods = json!({ "Name": "/k8s_POD_web", "Config": { "Labels": {
        "io.kubernetes.pod.name": "web", "io.kubernetes.pod.namespace": "prod", "io.kubernetes.pod.uid": UID,
        "io.kubernetes.docker.type": "podsandbox", "io.kubernetes.container.name": "POD",
    }}})
    .to_string();
    node.file(&format!("/var/lib/docker/containers/{PAUSE}/config.v2.json"), &pods);
    for path in [format!("/docker/{APP}"), format!("/system.slice/docker-{APP}.scope")] {
        let found = node.resident(&path);
        assert_eq!((names(&found).as_str(), found.kind), ("-/-/quirky_name", Kind::Container));
        assert!(found.pod.is_none() && found.container.unwrap().source == Source::DockerState);
    }
    let pause = node.resident(&scope("docker", PAUSE));
    assert_eq!((names(&pause).as_str(), pause.kind), ("prod/web/-", Kind::Sandbox));
}

#[test]
fn a_label_that_names_another_pod_than_the_path_is_not_believed() {
    let node = Node::new();
    node.containerd(APP, "container");
    let other = format!("/kubepods/pod7d2b5fa6-7cc7-22f7-8d37-39e3555f581e/{APP}");
    assert_eq!(names(&node.resident(&other)), "-/-/app");
}

#[test]
fn a_pods_container_outside_every_pods_group_is_astray() {
    let node = Node::new();
    node.containerd(APP, "container");
    let pod = node.resident(&format!("/somewhere/{APP}")).pod.unwrap();
    assert!(pod.astray && pod.name.as_deref() == Some("web") && pod.source == Source::ContainerdState);
    let uid = UID.replace('-', "_");
    let path =
        format!("/system.slice/containerd.service/kubepods-burstable-pod{uid}.slice:cri-containerd:{APP}");
    let found = node.resident(&path);
    assert_eq!(names(&found), "prod/web/app");
    assert!(found.pod.unwrap().astray);
}

#[test]
fn state_that_is_no_state_is_a_failure_that_says_which_and_costs_no_other_name() {
    let node = Node::new();
    node.logs().containerd(APP, "container");
    let broken = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
    for text in ["", "{", "[7]", "{\"annotations\": 7}", "\u{1b}[2J", &"[".repeat(100_000)] {
        node.file(&format!("{broken}/{PAUSE}/config.json"), text);
        let [app, pause] = [APP, PAUSE].map(|id| scope("cri-containerd", id));
        let register = node.read(&[&app, &pause]);
        assert_eq!(names(&register.resident(app.as_ref())), "prod/web/app", "{text:.20}");
        let failure = register.failures().next().unwrap();
        assert_eq!(failure.source, Source::ContainerdState);
        assert!(failure.place.ends_with(&format!("{PAUSE}/config.json")), "{failure:?}");
        assert!(!format!("{failure:?}").contains('\u{1b}'));
    }
    let long = format!("{{\"annotations\": {{}}, \"x\": \"{}\"}}", "x".repeat(5 << 20));
    node.file(&format!("{broken}/{PAUSE}/config.json"), &long);
    let register = node.read(&[&scope("cri-containerd", PAUSE)]);
    let failure = register.failures().next().unwrap();
    assert!(matches!(&failure.outcome, Outcome::Failed(why) if why.contains("4 MiB")), "{failure:?}");
}

/// 2,000 groups: 500 pods, each with its own group, a sandbox and two containers.
#[test]
fn a_full_node_is_read_in_a_moment() {
    let node = Node::new();
    let mut paths = Vec::new();
    for pod in 0..500 {
        let uid = format!("{pod:08x}-6bb6-11e6-bc26-28d2444e470d");
        let group = format!("/kubepods/burstable/pod{uid}");
        let id = |which: u32| format!("{:064x}", pod * 4 + which);
        node.file(&format!("/var/log/pods/prod_web-{pod}_{uid}/app/0.log"), "");
        for (which, name) in [(1, "app"), (2, "log")] {
            node.file(&format!("/var/log/containers/web-{pod}_prod_{name}-{}.log", id(which)), "");
        }
        node.containerd(&id(3), "sandbox");
        paths.extend([1, 2, 3].map(|which| format!("{group}/{}", id(which))));
        paths.push(group);
    }
    let begun = Instant::now();
    let register = Register::read(&node.host(), &paths, &Ask::default());
    let residents: Vec<Resident> = paths.iter().map(|path| register.resident(path.as_ref())).collect();
    let took = begun.elapsed();
    assert!(residents.iter().all(|resident| !resident.is_nameless()), "{:?}", register.answers());
    // Some 0.1 s without optimisation on two slow cores, when they are free; a look at each folder for each group would take minutes.
    assert!(took < Duration::from_secs(5), "{took:?} for {} groups", paths.len());
}

#[test]
fn where_nobody_lives_nothing_is_read() {
    let node = Node::new();
    node.logs();
    let register = node.read(&["/", "/system.slice/nginx.service", "/kubepods", "/kubepods/burstable", "/x"]);
    assert_eq!(register.answers(), []);
}

/// A socket behind which nobody accepts, where containerd has its own.
struct Deaf(UnixListener);

impl Deaf {
    const PLACE: &str = "/run/containerd/containerd.sock";

    fn on(node: &Node) -> Self {
        let path = node.host().join(Self::PLACE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn was_touched(&self) -> bool {
        self.0.accept().is_ok()
    }
}

#[test]
fn no_socket_is_touched_when_files_tell_everything() {
    let node = Node::new();
    node.logs().containerd(PAUSE, "sandbox");
    let deaf = Deaf::on(&node);
    let paths = [pod_path(""), scope("cri-containerd", APP), scope("cri-containerd", PAUSE)];
    let docker = format!("/docker/{NODE}");
    let paths: Vec<&str> = paths.iter().map(String::as_str).chain([docker.as_str(), "/a.service"]).collect();
    let register = node.read(&paths);
    assert!(!deaf.was_touched(), "{register:?}");
    // Nor where nobody may ask.
    let ask = Ask { sockets: When::Never, ..Ask::default() };
    let register = Register::read(&node.host(), [scope("cri-containerd", NODE)], &ask);
    assert!(!deaf.was_touched(), "{register:?}");
}

#[test]
fn what_comes_is_read_what_goes_is_forgotten_and_what_is_known_is_kept() {
    let node = Node::new();
    node.logs();
    let deaf = Deaf::on(&node);
    let ask = Ask { sockets: When::Needed, limit: Duration::from_millis(50), ..Ask::default() };
    let [app, pause] = [APP, PAUSE].map(|id| scope("cri-containerd", id));
    let mut register = Register::read(&node.host(), [&app], &ask);
    // Known: the folders may go, the name stays.
    fs::remove_dir_all(node.host().join("/var/log")).unwrap();
    register.update(&node.host(), [&app], &ask);
    assert_eq!(names(&register.resident(app.as_ref())), "prod/web/app");
    assert_eq!(register.answers(), []);
    assert!(!deaf.was_touched());
    // New, and told by nobody: its socket is asked once.
    register.update(&node.host(), [&app, &pause], &ask);
    let asked = cfg!(feature = "cri");
    assert_eq!((deaf.was_touched(), register.failures().count()), (asked, 1));
    register.update(&node.host(), [&app, &pause], &ask);
    assert_eq!((deaf.was_touched(), register.failures().count()), (false, 0));
    // Its state comes a little later than its group.
    node.containerd(PAUSE, "sandbox");
    register.update(&node.host(), [&app, &pause], &ask);
    assert_eq!(register.resident(pause.as_ref()).kind, Kind::Sandbox);
    register.update(&node.host(), [&pause], &ask);
    assert_eq!(names(&register.resident(app.as_ref())), "prod/web/-");
}

#[cfg(feature = "cri")]
mod asked {
    use std::{io::Write as _, thread};

    use cgtune_node::names::Socket;

    use super::*;

    fn ask(node: &Node, socket: Option<Socket>) -> (Register, Duration) {
        let begun = Instant::now();
        let ask = Ask { socket, limit: Duration::from_millis(300), ..Ask::default() };
        let register = Register::read(&node.host(), [scope("cri-containerd", APP)], &ask);
        (register, begun.elapsed())
    }

    fn failure(register: &Register) -> String {
        let failures: Vec<_> = register.failures().collect();
        let [failure] = failures[..] else { panic!("{register:?}") };
        let Outcome::Failed(why) = &failure.outcome else { panic!("{failure:?}") };
        format!("{}: {why}", failure.place)
    }

    #[test]
    fn a_runtime_that_hangs_is_left_in_time_and_said() {
        let node = Node::new();
        let deaf = Deaf::on(&node);
        let (register, took) = ask(&node, None);
        assert!(took < Duration::from_secs(2), "{took:?}");
        let why = failure(&register);
        assert!(why.ends_with("/run/containerd/containerd.sock: no answer within 0.3 s"), "{why}");
        assert!(deaf.was_touched(), "the usual socket below the host's root was asked");
        assert_eq!(names(&register.resident(scope("cri-containerd", APP).as_ref())), "-/-/-");
    }

    #[test]
    fn a_socket_without_a_runtime_is_said_with_its_path() {
        let node = Node::new();
        let (register, _) = ask(&node, Some(Socket::new("/nonexistent/cri.sock")));
        let why = failure(&register);
        assert!(why.starts_with("/nonexistent/cri.sock: cannot connect: No such file"), "{why}");
        let path = node.host().join(Deaf::PLACE);
        drop(Deaf::on(&node));
        let (register, _) = ask(&node, Some(Socket::new(path)));
        assert!(failure(&register).contains("Connection refused"), "{}", failure(&register));
        let long = Socket::new(format!("/{}", "x".repeat(200)));
        assert!(failure(&ask(&node, Some(long)).0).contains("cannot connect"));
    }

    #[test]
    fn an_answer_that_is_no_protocol_is_a_failure() {
        let node = Node::new();
        let path = node.host().join("/garbage.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let babble = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // The other side may be gone before all of it is said.
            let _ = stream.write_all(&b"\x1b[2Jgarbage\0\xff".repeat(100));
        });
        let (register, took) = ask(&node, Some(Socket::new(path)));
        let why = failure(&register);
        assert!(took < Duration::from_secs(2) && !why.contains('\u{1b}'), "{why}");
        babble.join().unwrap();
    }
}
