//! Names of real containers in groups as a kubelet makes them: made with `ctr`, which the CRI does not list, and made through the CRI socket
//! itself. Needs root and Debian's containerd, runc and busybox-static.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod containerd;
mod tool;

use std::{fs, path::Path};

use cgtune_core::{Bandwidth, Micros, Policy, Quota, control::apply};
use cgtune_node::{
    find,
    names::{Ask, Kind, Outcome, Register, Resident, Socket, Source, When},
};
use cgtune_sys::{Cgroup, Hierarchies, HostRoot};
use containerd::{Containerd, leftovers};
use serde_json::Value;
use tool::{fails, schema, succeeds};

const ID: &str = "c9a1f0e47b3d5826c9a1f0e47b3d5826c9a1f0e47b3d5826c9a1f0e47b3d5826";

/// The kubelet's labels that a person gives by hand.
const LABELS: [(&str, &str); 3] = [
    ("io.kubernetes.pod.name", "web"),
    ("io.kubernetes.pod.namespace", "prod"),
    ("io.kubernetes.container.name", "app"),
];

fn pod_group(uid: &str) -> String {
    format!("{}/kubepods/burstable/pod{uid}", Containerd::top())
}

fn names(resident: &Resident) -> [Option<&str>; 3] {
    let pod = resident.pod.as_ref();
    [
        pod.and_then(|pod| pod.namespace.as_deref()),
        pod.and_then(|pod| pod.name.as_deref()),
        resident.container.as_ref().and_then(|container| container.name.as_deref()),
    ]
}

fn ask(containerd: &Containerd) -> Ask {
    Ask { socket: Some(Socket::new(containerd.socket())), ..Ask::default() }
}

/// `stat --json` of one target, as it is published.
fn stat(containerd: &Containerd, target: &[&str]) -> Value {
    let socket = containerd.socket();
    let mut args = vec!["stat", "--json", "--cri-socket", socket.to_str().unwrap()];
    args.extend(target);
    let document: Value = serde_json::from_str(&succeeds(&args).0).unwrap();
    let published = serde_json::from_str(include_str!("../schemas/stat-1.schema.json")).unwrap();
    schema::assert_describes(published, &document);
    document["cgroups"][0].clone()
}

fn assert_web(group: &Value, path: &str) {
    assert_eq!(group["path"], path);
    let names = ["namespace", "pod", "container_name"].map(|name| group[name].as_str());
    assert_eq!(names, [Some("prod"), Some("web"), Some("app")], "{group:#}");
    assert_eq!(group["policy"]["quota_us"], 20_000, "{group:#}");
}

/// `diagnose --json`, as it is published, of one cgroup in it.
fn diagnosed(containerd: &Containerd, args: &[&str], path: &str) -> Value {
    let socket = containerd.socket();
    let mut line = vec!["diagnose", "--json", "--for", "3s", "--cri-socket", socket.to_str().unwrap()];
    line.extend(args);
    let document: Value = serde_json::from_str(&succeeds(&line).0).unwrap();
    let published = serde_json::from_str(include_str!("../schemas/diagnose-1.schema.json")).unwrap();
    schema::assert_describes(published, &document);
    let groups = document["cgroups"].as_array().unwrap();
    groups.iter().find(|group| group["path"] == path).unwrap_or_else(|| panic!("{document:#}")).clone()
}

/// prod/web/app spins under a limit of 0.2 CPUs of its own: that is the verdict, whatever is limited above it.
fn assert_web_is_named_with_its_cause(containerd: &Containerd, path: &str) {
    for args in [&["--all"][..], &["--pod", "prod/web"], &["pod:prod/web/app"], &["--container", "app"]] {
        let group = diagnosed(containerd, args, path);
        let names = ["namespace", "pod", "container_name"].map(|name| group[name].as_str());
        assert_eq!(names, [Some("prod"), Some("web"), Some("app")], "{group:#}");
        let causes: Vec<_> =
            group["findings"].as_array().unwrap().iter().map(|finding| &finding["cause"]).collect();
        assert_eq!(causes[0], "sustained-demand", "{args:?}: {group:#}");
        assert!(!causes.iter().any(|cause| *cause == "ancestor-limit"), "{args:?}: {group:#}");
    }
    let socket = containerd.socket();
    let all = succeeds(&["diagnose", "--all", "--for", "3s", "--cri-socket", socket.to_str().unwrap()]).0;
    let line = all.lines().find(|line| line.contains("prod/web/app")).unwrap_or_else(|| panic!("{all}"));
    assert!(line.contains("sustained-demand"), "{all}");
    let top = ["top", "--once", "--pods", "--interval", "3s", "--cri-socket", socket.to_str().unwrap()];
    let pods = succeeds(&top).0;
    let pod = pods.lines().position(|line| line.starts_with("prod/web ")).unwrap_or_else(|| panic!("{pods}"));
    let mut inside = pods.lines().skip(pod + 1).take_while(|line| line.starts_with(' '));
    assert!(inside.any(|line| line.contains("  app ") && line.contains("sustained-demand")), "{pods}");
    assert!(!pods.contains("system.slice"), "pods alone: {pods}");
}

/// Gives a pod's group the limit of its only container, as a kubelet does.
fn limit_pod(group: &str) {
    let hierarchies = Hierarchies::detect(HostRoot::default()).unwrap();
    let mut pod = Cgroup::open(&hierarchies, Path::new(group)).unwrap();
    let bandwidth =
        Bandwidth::new(Quota::Limited(Micros::from_ms(20)), Micros::from_ms(100), Micros::ZERO).unwrap();
    apply(&mut pod, &Policy { bandwidth: Some(bandwidth), ..Policy::default() }).unwrap();
}

/// Ends it and checks that nothing of it is left.
fn is_gone(containerd: Containerd) {
    let folder = containerd.path("");
    drop(containerd);
    assert_eq!(leftovers(&folder), [""; 0]);
}

#[test]
fn what_ctr_made_is_named_by_containerds_own_list() {
    let mut containerd = Containerd::start();
    let path = format!("{}/{ID}", pod_group(&Containerd::pod_uid(0)));
    containerd.run_container(ID, &path, &LABELS);

    let host = HostRoot::default();
    let register = Register::read(&host, [Path::new(&path)], &ask(&containerd));
    let found = register.resident(path.as_ref());
    assert_eq!(names(&found), [Some("prod"), Some("web"), Some("app")], "{register:?}");
    assert_eq!(found.container.as_ref().unwrap().source, Source::Containerd);
    assert_eq!(found.pod.as_ref().unwrap().source, Source::Containerd);
    assert_eq!(found.pod.as_ref().unwrap().uid.as_deref(), Some(Containerd::pod_uid(0).as_str()));
    // The CRI was asked first and does not list it.
    let told: Vec<_> = register.answers().iter().map(|answer| (answer.source, &answer.outcome)).collect();
    assert!(told.contains(&(Source::Cri, &Outcome::Told(0))), "{told:?}");
    // Its pod's group has no name of its own and no container to ask for: the register knows it by what lies in it.
    assert_eq!(
        names(&register.resident(pod_group(&Containerd::pod_uid(0)).as_ref()))[..2],
        [Some("prod"), Some("web")]
    );
    // Files alone do not know it.
    let files = Register::read(&host, [Path::new(&path)], &Ask { sockets: When::Never, ..ask(&containerd) });
    assert_eq!(names(&files.resident(path.as_ref())), [None; 3]);

    for target in
        [&["pod:prod/web"][..], &["--pod", "web"], &["pod:prod/web/app"], &["container:app"], &[&ID[..12]]]
    {
        assert_web(&stat(&containerd, target), &path);
    }
    let socket = containerd.socket();
    let all = succeeds(&["stat", "--all", "--for", "1s", "--cri-socket", socket.to_str().unwrap()]).0;
    let line = all
        .lines()
        .map(str::trim_start)
        .find(|line| line.starts_with("prod/web/app"))
        .unwrap_or_else(|| panic!("{all}"));
    // It spins under 0.2 CPUs: throttled, for real.
    let throttled: u32 = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    assert!(throttled > 0, "{all}");
    assert_web_is_named_with_its_cause(&containerd, &path);

    is_gone(containerd);
}

#[test]
fn a_pod_made_through_the_cri_is_named_by_the_cri_and_by_containerds_state() {
    let mut containerd = Containerd::start();
    let pod = containerd.run_pod(
        ["prod", "web", "app"],
        &Containerd::pod_uid(1),
        &pod_group(&Containerd::pod_uid(1)),
    );
    let [app, sandbox] =
        [&pod.container, &pod.sandbox].map(|id| format!("{}/{id}", pod_group(&Containerd::pod_uid(1))));
    let paths = [pod_group(&Containerd::pod_uid(1)), app.clone(), sandbox.clone()];

    let register = Register::read(&HostRoot::default(), &paths, &ask(&containerd));
    let found = register.resident(app.as_ref());
    assert_eq!(names(&found), [Some("prod"), Some("web"), Some("app")], "{register:?}");
    assert_eq!((found.kind, found.container.unwrap().source), (Kind::Container, Source::Cri));
    let pause = register.resident(sandbox.as_ref());
    assert_eq!((pause.kind, names(&pause)), (Kind::Sandbox, [Some("prod"), Some("web"), None]));
    let group = register.resident(paths[0].as_ref());
    assert_eq!((group.kind, names(&group)), (Kind::Pod, [Some("prod"), Some("web"), None]));
    assert_web(&stat(&containerd, &["pod:prod/web"]), &app);
    // Both are throttled, each by its own limit; the pod's is no other than its container's.
    limit_pod(&paths[0]);
    assert_web_is_named_with_its_cause(&containerd, &app);
    let group = diagnosed(&containerd, &["--container", "app"], &app);
    let remedies = group["findings"][0]["remedies"].as_array().unwrap().iter();
    let commands: Vec<&str> = remedies
        .filter(|remedy| remedy["owner"] == "cgtune")
        .map(|remedy| remedy["command"].as_str().unwrap())
        .collect();
    assert!(commands.len() >= 2 && commands.iter().all(|line| line.ends_with(" --with-pod")), "{commands:?}");

    // The same from files alone, of a node whose /run is this containerd's; no socket is asked for what they tell.
    let node = HostRoot::new(containerd.node());
    let register = Register::read(&node, &paths, &ask(&containerd));
    let found = register.resident(app.as_ref());
    assert_eq!(names(&found), [Some("prod"), Some("web"), Some("app")], "{register:?}");
    assert_eq!(found.container.unwrap().source, Source::ContainerdState);
    assert_eq!(register.resident(sandbox.as_ref()).kind, Kind::Sandbox);
    assert!(register.answers().iter().all(|answer| answer.source != Source::Cri), "{register:?}");

    // Another pod of that name, of which an old one may be left: both are told, none is chosen.
    let other = format!("{}/{ID}", pod_group(&Containerd::pod_uid(0)));
    containerd.run_container(ID, &other, &LABELS);
    let socket = containerd.socket();
    let (_, error) = fails(&["stat", "--cri-socket", socket.to_str().unwrap(), "pod:prod/web"]);
    let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        error.contains("2 pods are named prod/web")
            && [0, 1].iter().all(|&n| error.contains(&Containerd::pod_uid(n))),
        "{error}"
    );
    containerd.remove_container(ID);

    move_away(&containerd, &app);
    containerd.take_away(&pod.sandbox).unwrap();
    let (_, error) = fails(&["stat", "--cri-socket", socket.to_str().unwrap(), "pod:prod/web"]);
    assert!(error.contains("belongs to a pod named prod/web"), "{error}");

    is_gone(containerd);
}

/// A container whose processes somebody moved to a group that bears nobody's name: the runtime says which process is its
/// first, and the kernel where that is.
fn move_away(containerd: &Containerd, app: &str) {
    let hierarchies = Hierarchies::detect(HostRoot::default()).unwrap();
    let mount = &hierarchies.cpu().mount_point;
    let away = format!("{}/away", Containerd::top());
    let [from, to] = [app, &away].map(|path| mount.join(path.trim_start_matches('/')));
    fs::create_dir(&to).unwrap();
    for pid in fs::read_to_string(from.join("cgroup.procs")).unwrap().lines() {
        fs::write(to.join("cgroup.procs"), pid).unwrap();
    }
    fs::remove_dir(&from).unwrap();
    let (out, _) = succeeds(&["stat", "--cri-socket", containerd.socket().to_str().unwrap(), "pod:prod/web"]);
    assert!(out.starts_with(&away), "{out}");
}

#[test]
fn a_runtime_of_another_driver_than_the_kubelets_puts_containers_beside_their_pods_limits() {
    let mut containerd = Containerd::start();
    // What a kubelet with systemd's driver asks for, of a runtime that knows no systemd.
    let uid = Containerd::pod_uid(2);
    let slices = ["cgtune", "-kubepods", "-burstable", &format!("-pod{}", uid.replace('-', "_"))];
    let parent =
        (1..=slices.len()).map(|end| format!("/{}.slice", slices[..end].concat())).collect::<String>();
    let pod = containerd.run_pod(["prod", "web", "app"], &uid, &parent);

    let hierarchies = Hierarchies::detect(HostRoot::default()).unwrap();
    let found = find::pod(&hierarchies, &ask(&containerd), &"prod/web".parse().unwrap()).unwrap();
    let [seat] = &found.containers[..] else { panic!("{found:?}") };
    let name = seat.path.file_name().unwrap().to_str().unwrap();
    assert!(name.ends_with(&format!(".slice:cri-containerd:{}", pod.container)), "{name}");
    assert_eq!(names(&seat.resident), [Some("prod"), Some("web"), Some("app")]);
    assert!(seat.resident.pod.as_ref().unwrap().astray && found.group.is_none(), "{found:?}");
    let (out, _) = succeeds(&["stat", "--cri-socket", containerd.socket().to_str().unwrap(), "pod:prod/web"]);
    assert!(out.contains("it lies outside its pod's group"), "{out}");
    is_gone(containerd);
}
