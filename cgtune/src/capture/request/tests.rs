//! A node that is a folder, recorded while its files change, and its tape played as it is and maltreated.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cgtune_sys::{
    HostRoot,
    tape::{Answer, Event, Recorded},
};
use proptest::prelude::*;

use super::*;
use crate::{cmd::diagnose::diagnoses, render};

/// A v1 node with a pod and a container in it that has a quota and one thread.
fn node(root: &Path) {
    for (path, text) in [
        ("proc/1/mountinfo", "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"),
        ("proc/sys/kernel/random/boot_id", "00112233-4455-6677-8899-aabbccddeeff\n"),
        ("proc/sys/kernel/osrelease", "6.18.0\n"),
        ("proc/stat", "cpu 1 2 3 4 5 6 7 8 9 10\n"),
        ("sys/devices/system/cpu/online", "0-3\n"),
        ("sys/fs/cgroup/cpu/cgroup.sane_behavior", "0\n"),
        ("proc/77/schedstat", "1000 2000 3\n"),
        ("proc/77/stat", &format!("77 (a) R{}\n", " 1".repeat(49))),
    ] {
        write(&root.join(path), text);
    }
    for group in ["", "pod", "pod/app", "other"] {
        let folder = root.join("sys/fs/cgroup/cpu").join(group);
        let quota = if group == "pod/app" { "20000\n" } else { "-1\n" };
        for (file, text) in [
            ("cgroup.procs", ""),
            ("tasks", if group == "pod/app" { "77\n" } else { "" }),
            ("cpu.shares", "1024\n"),
            ("cpu.cfs_quota_us", quota),
            ("cpu.cfs_period_us", "100000\n"),
        ] {
            write(&folder.join(file), text);
        }
        counters(root, group, 0);
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Whole or not there, as the kernel shows it.
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

fn counters(root: &Path, group: &str, round: u64) {
    let folder = root.join("sys/fs/cgroup/cpu").join(group);
    let stat = format!("nr_periods {round}\nnr_throttled {round}\nthrottled_time {}\n", round * 80_000_000);
    write(&folder.join("cpu.stat"), &stat);
    write(&folder.join("cpuacct.usage"), &format!("{}\n", round * 20_000_000));
}

fn interrupt() -> Interrupt {
    Interrupt::watch().unwrap()
}

/// What `stat` and `diagnose` say, as JSON.
fn said(request: &Request, host: &HostRoot) -> anyhow::Result<String> {
    let hierarchies = Hierarchies::detect(host.clone())?;
    let session = request.carry_out(&hierarchies, &Ask::default(), &interrupt())?;
    let mut text = Vec::new();
    render::stat_json::write(&session.readings, &mut text)?;
    let effort = crate::cmd::diagnose::Effort { cpu: cgtune_core::Nanos::ZERO, ..session.seen.effort };
    render::diagnose_json::write(
        &diagnoses(session.seen.watched, &session.register),
        &effort,
        host,
        &mut text,
    )?;
    Ok(String::from_utf8(text)?)
}

fn request(all: bool) -> Request {
    let targets = if all { Vec::new() } else { vec!["/pod/app".into()] };
    Request { all, targets, duration: Micros::from_ms(400) }
}

/// Records the node while a group is busy; what was said, and the tape.
fn record(root: &Path, request: &Request) -> (String, Recorded) {
    node(root);
    let host = HostRoot::new(root).recorded(64 << 20);
    let done = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !done.load(Ordering::Relaxed) {
                round += 1;
                counters(root, "pod/app", round);
                counters(root, "other", round / 3);
                std::thread::sleep(Duration::from_millis(7));
            }
        });
        let said = said(request, &host);
        done.store(true, Ordering::Relaxed);
        said
    });
    (said.unwrap(), host.take_tape().unwrap())
}

#[test]
fn the_tape_says_what_the_node_said() {
    for all in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let request = request(all);
        let (live, recorded) = record(folder.path(), &request);
        assert!(live.contains("\"nr_throttled\": "), "{live}");
        // What the files say now no longer matters.
        counters(folder.path(), "pod/app", 1_000_000);
        let played = said(&request, &HostRoot::played(folder.path(), recorded)).unwrap();
        assert_eq!(played, live);
    }
}

const UID: &str = "6c1a4e95-6bb6-11e6-bc26-28d2444e470d";

/// A pod of the kubelet's with one container, whose environment is nobody's business.
fn pod(root: &Path) {
    let id = "0123456789abcdef".repeat(4);
    let folder = format!("sys/fs/cgroup/cpu/kubepods/pod{UID}/{id}");
    for group in Path::new(&folder).ancestors().take(3) {
        for (file, text) in [
            ("cgroup.procs", ""),
            ("tasks", ""),
            ("cpu.shares", "1024\n"),
            ("cpu.cfs_quota_us", "20000\n"),
            ("cpu.cfs_period_us", "100000\n"),
            ("cpu.stat", "nr_periods 1\nnr_throttled 0\nthrottled_time 0\n"),
            ("cpuacct.usage", "1000\n"),
        ] {
            write(&root.join(group).join(file), text);
        }
    }
    fs::create_dir_all(root.join(format!("var/log/pods/prod_web_{UID}/app"))).unwrap();
    let state = r#"{"process":{"args":["app","--password=hunter2"],"env":["TOKEN=opensesame"]},"annotations":{
        "io.kubernetes.cri.container-name":"app","io.kubernetes.cri.container-type":"container"}}"#;
    let folder = format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}");
    write(&root.join(folder).join("config.json"), state);
}

#[test]
fn a_pod_is_known_by_its_name_on_the_tape_too_and_its_environment_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    pod(folder.path());
    let request = Request { targets: vec!["pod:prod/web".into()], ..request(false) };
    let (live, recorded) = record(folder.path(), &request);
    let known = |key: &str, name: &str| live.matches(&format!("\"{key}\": \"{name}\"")).count();
    // The pod's group and its container's, by stat and by diagnose.
    assert_eq!((known("pod", "web"), known("container_name", "app")), (4, 2), "{live}");
    let on_tape = format!("{recorded:?}");
    let bytes = |text: &str| format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned();
    assert!(on_tape.contains(&bytes("io.kubernetes.cri.container-name")), "the test itself");
    assert!(["hunter2", "opensesame"].iter().all(|secret| !on_tape.contains(&bytes(secret))));
    for gone in ["var", "run"] {
        fs::remove_dir_all(folder.path().join(gone)).unwrap();
    }
    assert_eq!(said(&request, &HostRoot::played(folder.path(), recorded)).unwrap(), live);
}

#[test]
fn a_tape_that_is_full_ends_the_watch() {
    let folder = tempfile::tempdir().unwrap();
    node(folder.path());
    let host = HostRoot::new(folder.path()).recorded(4000);
    let long = Request { duration: Micros::from_ms(60_000), ..request(false) };
    let begun = std::time::Instant::now();
    said(&long, &host).unwrap();
    assert!(host.is_tape_full() && begun.elapsed() < Duration::from_secs(30));
}

/// Digits become others, answers become refusals, times jump, moments go.
#[derive(Debug, Clone)]
enum Blow {
    Digit(prop::sample::Index, prop::sample::Index, u8),
    Refuse(prop::sample::Index, i32),
    Text(prop::sample::Index, Vec<u8>),
    Time(prop::sample::Index, u64),
    Drop(prop::sample::Index),
}

fn blow() -> impl Strategy<Value = Blow> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), at(), b'0'..=b'9').prop_map(|(event, byte, digit)| Blow::Digit(event, byte, digit)),
        (at(), prop_oneof![Just(2), Just(19), Just(13), any::<i32>()]).prop_map(|(e, errno)| Blow::Refuse(e, errno)),
        (at(), prop_oneof![
            Just(format!("{}\n", u64::MAX).into_bytes()),
            Just(b"cpu  18446744073709551615 1 1 1 1 1 1 18446744073709551615 1 1\n".to_vec()),
            Just(b"nr_periods 18446744073709551615\nnr_throttled 18446744073709551615\nthrottled_time 18446744073709551615\n".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..40),
        ]).prop_map(|(e, text)| Blow::Text(e, text)),
        (at(), prop_oneof![Just(0), Just(u64::MAX), any::<u64>()]).prop_map(|(e, at)| Blow::Time(e, at)),
        at().prop_map(Blow::Drop),
    ]
}

fn strike(recorded: &mut Recorded, blow: &Blow) {
    let (Blow::Digit(at, ..) | Blow::Refuse(at, _) | Blow::Text(at, _) | Blow::Time(at, _) | Blow::Drop(at)) =
        blow;
    if recorded.events.is_empty() {
        return;
    }
    let place = at.index(recorded.events.len());
    let event = &mut recorded.events[place];
    match (blow, event) {
        (Blow::Digit(_, byte, digit), Event::Asked { answer: Some(Answer::Bytes(bytes)), .. })
            if !bytes.is_empty() =>
        {
            let byte = byte.index(bytes.len());
            bytes[byte] = *digit;
        }
        (Blow::Refuse(_, errno), Event::Asked { answer, .. }) => *answer = Some(Answer::Errno(*errno)),
        (Blow::Text(_, text), Event::Asked { answer, .. }) => *answer = Some(Answer::Bytes(text.clone())),
        (Blow::Time(_, to), Event::Asked { at, .. } | Event::Moment(at) | Event::Clock(at)) => {
            *at = cgtune_core::Nanos::new(*to);
        }
        (Blow::Drop(_), _) => {
            recorded.events.remove(place);
        }
        _ => {}
    }
}

#[test]
fn no_tape_makes_it_panic() {
    let folder = tempfile::tempdir().unwrap();
    let tapes: Vec<(Request, Recorded)> = [false, true]
        .map(request)
        .into_iter()
        .map(|request| {
            let (_, recorded) = record(folder.path(), &request);
            (request, recorded)
        })
        .collect();
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let (answered, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let blows = (any::<bool>(), proptest::collection::vec(blow(), 1..30));
    runner
        .run(&blows, |(all, blows)| {
            let (request, recorded) = &tapes[usize::from(all)];
            let mut recorded = recorded.clone();
            for blow in &blows {
                strike(&mut recorded, blow);
            }
            match said(request, &HostRoot::played(folder.path(), recorded)) {
                Ok(_) => answered.set(answered.get() + 1),
                Err(_) => refused.set(refused.get() + 1),
            }
            Ok(())
        })
        .unwrap();
    let (answered, refused) = (answered.get(), refused.get());
    assert!(answered > 10 && refused > 10, "{answered} answered, {refused} refused");
}
