//! `pin verify` and `pin apply` on the kernel that runs the tests: how they answer, end and give up. They need root and two CPUs, and
//! fail with a message without. What they find is `real_pin`'s business.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared module"
)]

mod node;
mod pin;
#[path = "scenarios/programs.rs"]
mod programs;
#[path = "tool/schema.rs"]
mod schema;

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{sys::signal::Signal, unistd::Pid};
use node::{Node, alone, text};
use pin::{answer, begin, found, path, pin, pinned, sleepers, verify};

#[test]
fn ctrl_c_ends_the_watch_and_what_was_seen_is_said() {
    let _one = alone();
    let mut node = pinned("stopped", "1");
    let own = path(&mut node.group);
    let child = begin(&mut node, &["TARGET", "--cpus", "0", "--watch", "--json"]);
    thread::sleep(Duration::from_millis(700));
    nix::sys::signal::kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let document = answer(&child.wait_with_output().unwrap(), 130);
    assert_eq!(document["watch"]["interrupted"], true);
    assert_eq!(found(&document, &own, "set-differs").len(), 1, "{document:#}");
}

#[test]
fn a_group_that_vanishes_is_said_to_with_what_was_seen_until_then() {
    let _one = alone();
    let mut node = pinned("kept", "0-1");
    let mut gone = node.workshop.group("gone").unwrap();
    pin(&mut gone, "1");
    let path = path(&mut gone);
    let child = begin(&mut node, &[&path, "--watch", "--for", "20s", "--json"]);
    thread::sleep(Duration::from_millis(500));
    gone.remove().unwrap();
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "nobody is left to wait for");
    let document = answer(&output, 2);
    assert!(
        document["cgroups"][0]["gone_ns"].is_u64() && document["cgroups"][0]["effective"] == "1",
        "{document:#}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains(&path), "{}", text(&output));
}

/// A group as the kubelet's cgroupfs driver makes it; its state file and the runtime's links to logs are synthetic.
#[test]
fn what_the_kubelet_gave_away_is_what_is_meant() {
    const UID: &str = "6c1a2b3c-0d4e-4f50-8a61-9b72c3d4e5f6";
    const ID: &str = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
    let _one = alone();
    let mut node = Node::new("kubelet");
    let mut groups = vec![node.workshop.group("node").unwrap()];
    for name in ["kubepods", &format!("pod{UID}"), ID] {
        let next = node.workshop.group_in(groups.last().unwrap(), name).unwrap();
        groups.push(next);
    }
    for group in &mut groups {
        pin(group, "0-1");
    }
    let container = path(groups.last_mut().unwrap());
    let root = tempfile::tempdir().unwrap();
    for name in ["proc", "sys"] {
        std::os::unix::fs::symlink(Path::new("/").join(name), root.path().join(name)).unwrap();
    }
    let file = |name: &str, text: &str| {
        let file: PathBuf = root.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    file(&format!("var/log/pods/prod_web_{UID}/app/0.log"), "");
    file(&format!("var/log/containers/web_prod_app-{ID}.log"), "");
    let state = format!(
        r#"{{"policyName":"static","defaultCpuSet":"0","entries":{{"{UID}":{{"app":"1"}}}},"checksum":7}}"#
    );
    file("var/lib/kubelet/cpu_manager_state", &state);
    let host = root.path().to_str().unwrap();
    for target in [&[container.as_str()][..], &[]] {
        let document = verify(&mut node, 0, &[target, &["--host-root", host]].concat());
        let group = document["cgroups"].as_array().unwrap().iter().find(|group| group["path"] == *container);
        let group = group.unwrap_or_else(|| panic!("{document:#}"));
        assert_eq!(group["intended"]["source"], "kubelet", "{group:#}");
        assert_eq!(
            (&group["intended"]["container"], &group["container_name"]),
            (&"app".into(), &"app".into())
        );
        assert_eq!(found(&document, &container, "set-differs")[0]["intended"], "1");
    }
    file("var/lib/kubelet/cpu_manager_state", "{\"policyName\":");
    let output = begin(&mut node, &[&container, "--host-root", host]).wait_with_output().unwrap();
    assert!(output.status.success() && text(&output).contains("cpu_manager_state"), "{}", text(&output));
    while groups.pop().is_some() {}
}

/// As on a hardened node: a /proc that hides what belongs to others. It is mounted in a mount namespace of its own, and nobody else's
/// changes (since Linux 5.8 each mount has its own option).
#[test]
fn a_proc_that_hides_others_is_told_and_nobody_is_said_to_be_alone() {
    const LOOK: &str = r#"mount -t proc -o "hidepid=$1" proc /proc && shift &&
        exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@""#;
    let _one = alone();
    let mut node = pinned("hidden", "1");
    let mut load = sleepers(&mut node.group, 2);
    let (_public, tool) = node::for_anybody();
    let own = node.path();
    let look = |hidepid: &str, args: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-ec", LOOK, "sh", hidepid]).arg(&tool);
        command.args(["pin", "verify"]).arg(&own).args(args);
        command.stdin(Stdio::null()).env("NO_COLOR", "1").output().unwrap()
    };
    for hidepid in ["1", "2"] {
        let document = answer(&look(hidepid, &["--json"]), 0);
        assert_eq!(document["watch"]["tasks_hidden"], true, "{document:#}");
        let group = &document["cgroups"][0];
        assert_eq!((&group["threads"], &group["threads_looked_at"]), (&4.into(), &0.into()), "{group:#}");
        let shown = text(&look(hidepid, &[])).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            shown.contains("others cannot all be seen: this /proc hides others' tasks (hidepid)"),
            "{shown}"
        );
        assert!(shown.contains("4, which this /proc does not show"), "{shown}");
        assert!(!shown.contains("no thread elsewhere") && !shown.contains("nobody who took"), "{shown}");
    }
    // As from a pod that is not in the host's pid namespace.
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--mount-proc"]).arg(&tool).args(["pin", "verify"]);
    let output = command.arg(&own).stdin(Stdio::null()).env("NO_COLOR", "1").output().unwrap();
    let shown = text(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("or is of a pid namespace of its own"), "{shown}");
    assert!(!shown.contains("no thread elsewhere"), "{shown}");

    let document = answer(&look("0", &["--json"]), 0);
    assert_eq!(document["watch"]["tasks_hidden"], false, "{document:#}");
    assert_eq!(document["cgroups"][0]["threads_looked_at"], 4);
    load.end(Duration::from_secs(5)).unwrap();
}

/// Of more than a thousand threads a thousand are looked at in turn.
#[test]
fn many_threads_take_turns_and_a_bounded_time() {
    const THREADS: usize = 1500;
    let _one = alone();
    let mut node = pinned("crowd", "0-1");
    let load = sleepers(&mut node.group, THREADS);
    let begun = Instant::now();
    let document = verify(&mut node, 0, &["TARGET", "--watch", "--for", "2s"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let group = &document["cgroups"][0];
    let (all, seen) = (group["threads"].as_u64().unwrap(), group["threads_looked_at"].as_u64().unwrap());
    assert!(all >= THREADS as u64 && seen >= THREADS as u64, "{document:#}");
    let cpu = document["watch"]["cpu_ns"].as_f64().unwrap() / document["watch"]["wall_ns"].as_f64().unwrap();
    println!("{all} threads: {} looks in 2 s, {cpu:.3} CPUs", document["watch"]["looks"]);
    drop(load);
}

#[test]
fn wrong_use_is_told_with_what_is_right() {
    let _one = alone();
    let mut node = Node::new("wrong");
    for (args, hint) in [
        (&["--cpus", "1"][..], "TARGET"),
        (&["TARGET", "--cpus", "x"], "0-3,7"),
        (&["TARGET", "--for", "10"], "10s"),
        (&["TARGET", "--for", "1ms"], "200ms"),
        (&["/cgtune-nowhere"], "/cgtune-nowhere"),
        (&["TARGET", "--cpus", ""], "no CPU at all"),
        (&["TARGET", "--cpus", "0,4000"], "the machine has no CPU 4000"),
        (&["/"], "is the root of the hierarchy, which nothing pins"),
    ] {
        let output = begin(&mut node, args).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output));
        assert!(text(&output).contains(hint), "{args:?}: {}", text(&output));
    }
}

#[test]
fn a_pinning_that_cannot_be_is_refused_with_what_can() {
    let _one = alone();
    let mut node = Node::new("refused");
    let before = node.observed();
    for (args, hint) in [
        (&["--cpus", ""][..], "cgtune undo"),
        (&["--cpus", "0,4000"], "--cpus 0"),
        (&["--plan", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["--plan", "/proc/self/stat"], "pin plan --json"),
        (&[], "--cpus"),
        (&["--cpus", "1", "--with-pod"], "--drop-quota"),
    ] {
        let said = node.expect(2, &[&["pin", "apply", "TARGET", "--yes"], args].concat());
        assert!(said.contains(hint), "{args:?}: {said}");
    }
    assert_eq!(node.observed(), before);
    let output = node.run(&["pin", "apply", "TARGET", "--cpus", "1", "--dry-run", "--json"]);
    let published = serde_json::from_str(include_str!("../schemas/apply-1.schema.json")).unwrap();
    schema::assert_describes(published, &serde_json::from_slice(&output.stdout).unwrap());
}

/// Reading needs no right but to read, and no journal.
#[test]
fn nobody_in_particular_can_verify() {
    let _one = alone();
    let mut node = pinned("others", "1");
    let mut load = sleepers(&mut node.group, 2);
    let (_public, tool) = node::for_anybody();
    let mut command = Command::new(&tool);
    command.env_clear().args(["pin", "verify", "--json"]).arg(node.path()).uid(65534).gid(65534);
    let document = answer(&command.stdin(Stdio::null()).output().unwrap(), 0);
    let group = &document["cgroups"][0];
    assert_eq!(
        (&group["intended"]["source"], &group["threads_looked_at"]),
        (&"itself".into(), &4.into()),
        "{group:#}"
    );
    load.end(Duration::from_secs(5)).unwrap();
}
