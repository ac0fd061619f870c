//! `pin apply` and `pin verify` on the kernel that runs the tests, cgroup v1 or v2, with real groups and threads: what depends on the
//! kernel. They need root and two CPUs, and fail with a message without.
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

use std::{fs, path::Path, thread, time::Duration};

use cgtune_core::{Layout, Quota};
use cgtune_sys::{affinity, lifecycle::OwnedCgroup};
use node::{Node, alone, text};
use pin::{OWN, answer, begin, cpus, found, hog, path, pin, pinned, planned, sleepers, tids, verify};
use serde_json::Value;

#[test]
fn a_pinning_is_planned_made_and_taken_back() {
    let _one = alone();
    let mut node = Node::new("pinned");
    let before = node.observed();
    let dry = node.expect(0, &["pin", "apply", "TARGET", "--cpus", "1", "--dry-run"]);
    assert!(
        dry.contains("0-1 → 1") && dry.contains("--drop-quota") && dry.contains("nothing was written"),
        "{dry}"
    );
    assert_eq!(node.observed(), before);
    // The advice names the flags of this verb.
    let refused = node.expect(2, &["pin", "apply", "TARGET", "--cpus", "0,4000", "--yes"]);
    assert!(refused.contains("takes is --cpus 0") && !refused.contains("--cpuset"), "{refused}");
    node.expect(0, &["pin", "apply", "TARGET", "--cpus", "1", "--drop-quota", "--yes"]);
    let now = node.observed();
    assert_eq!((now.cpus, now.bandwidth.unwrap().quota), (Some(cpus("1")), Quota::Unlimited));
    node.expect(0, &["undo"]);
    assert_eq!(node.observed(), before);

    // A CPU, and a share of one beside it, of this machine.
    let chosen = planned(&["--cpus", "1.2", "--available", "0-1"]);
    let plan = node.journal.path().join("plan");
    fs::write(&plan, &chosen).unwrap();
    let chosen: Value = serde_json::from_str(&chosen).unwrap();
    assert_eq!((&chosen["cpus"], &chosen["shares"]), (&"0-1".into(), &205.into()), "{chosen}");
    let done = node.expect(0, &["pin", "apply", "TARGET", "--plan", plan.to_str().unwrap(), "--yes"]);
    let share = match node.layout() {
        Layout::V1 => "1024 → 205",
        Layout::V2 => "by the logarithmic formula",
    };
    assert!(done.contains(share) && done.contains("stays"), "{done}");
    node.expect(0, &["pin", "apply", "TARGET", "--cpus", "1", "--for", "100ms", "--yes"]);
    assert_eq!(node.observed().cpus, Some(cpus("0-1")));
    node.expect(0, &["undo", "--all"]);
    assert_eq!(node.observed(), before);
}

#[test]
fn a_group_that_has_its_cpus_is_said_to_and_what_was_looked_at() {
    let _one = alone();
    let mut node = pinned("clean", "1");
    let _load = hog(&mut node.group, 2);
    let own = path(&mut node.group);
    let before = node.observed();
    // Without a target ours is among all that are pinned, since our journal says so.
    for args in [&["TARGET", "--watch", "--for", "1s"][..], &[]] {
        let document = verify(&mut node, 0, args);
        for kind in OWN {
            assert!(found(&document, &own, kind).is_empty(), "{document:#}");
        }
        let groups = document["cgroups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["path"] == *own).unwrap();
        assert_eq!(
            (&group["intended"]["source"], &group["intended"]["cpus"]),
            (&"journal".into(), &"1".into())
        );
        assert_eq!((&group["threads"], &group["threads_looked_at"]), (&3.into(), &3.into()));
        assert!(document["watch"]["looks"].as_u64().unwrap() >= 2, "{document:#}");
        assert!(document["watch"]["tasks"].as_u64().unwrap() > 3);
        // Its own threads are no strangers.
        assert!(
            found(&document, &own, "foreign-task").iter().all(|task| task["group"] != *own),
            "{document:#}"
        );
    }
    let shown = text(&begin(&mut node, &["TARGET"]).wait_with_output().unwrap());
    assert!(shown.contains("meant     CPU 1, by change 1") && shown.contains("in force  CPU 1"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert_eq!(node.observed(), before, "it only reads");
}

#[test]
fn a_thread_that_is_narrowed_and_reset_is_named() {
    let _one = alone();
    let mut node = pinned("narrowed", "0-1");
    let load = sleepers(&mut node.group, 2);
    let own = path(&mut node.group);
    let tid = *tids(&load).last().unwrap();

    let watch = begin(&mut node, &["TARGET", "--watch", "--for", "2500ms", "--json"]);
    thread::sleep(Duration::from_millis(800));
    affinity::set(Some(tid), &cpus("1")).unwrap();
    thread::sleep(Duration::from_millis(800));
    affinity::set(Some(tid), &cpus("0-1")).unwrap();
    let document = answer(&watch.wait_with_output().unwrap(), 0);
    let name = fs::read_to_string(format!("/proc/{tid}/comm")).unwrap().trim().to_owned();
    let drifted = found(&document, &own, "thread-drifted");
    let [thread] = drifted[..] else { panic!("{document:#}") };
    assert_eq!(
        (&thread["tid"], &thread["name"], &thread["pid"]),
        (&tid.into(), &name.into(), &load.id().into())
    );
    let way: Vec<&str> =
        thread["held"].as_array().unwrap().iter().map(|held| held["cpus"].as_str().unwrap()).collect();
    assert_eq!(way, ["0-1", "1", "0-1"], "{document:#}");
    assert_eq!((&thread["changes"], &thread["still"]), (&2.into(), &false.into()));

    affinity::set(Some(tid), &cpus("1")).unwrap();
    let document = verify(&mut node, 1, &["TARGET", "--check"]);
    let narrowed = found(&document, &own, "thread-narrowed");
    assert_eq!((narrowed.len(), &narrowed[0]["tid"]), (1, &tid.into()), "{document:#}");
    assert_eq!(narrowed[0]["confidence"], "high");
    drop(load);
}

#[test]
fn a_stranger_on_a_pinned_cpu_is_named_with_its_group_and_its_time() {
    let _one = alone();
    let mut node = pinned("home", "1");
    let own = path(&mut node.group);
    let mut stranger = node.workshop.group("stranger").unwrap();
    pin(&mut stranger, "0-1");
    let mut load = hog(&mut stranger, 1);
    for tid in tids(&load) {
        affinity::set(Some(tid), &cpus("1")).unwrap();
    }
    let document = verify(&mut node, 0, &["TARGET", "--watch", "--for", "2s"]);
    let strangers = found(&document, &own, "foreign-task");
    let task =
        strangers.iter().find(|task| task["pid"] == load.id()).unwrap_or_else(|| panic!("{document:#}"));
    assert_eq!((&task["group"], &task["cpus"]), (&path(&mut stranger).into(), &"1".into()));
    assert_eq!((&task["kind"], &task["confidence"]), (&"process".into(), &"high".into()));
    // Beside whatever else this machine does; never more than there is.
    let ms_per_s = task["ms_per_s"].as_f64().unwrap();
    assert!((50.0..=1010.0).contains(&ms_per_s), "{task:#}");
    assert!(task["remedy"].as_str().unwrap().contains(&path(&mut stranger)), "{task:#}");
    load.end(Duration::from_secs(5)).unwrap();
}

#[test]
fn groups_that_are_to_be_alone_and_share_are_named_both() {
    let _one = alone();
    let mut node = pinned("alone", "1");
    let mut second = node.workshop.group("second").unwrap();
    pin(&mut second, "0-1");
    let (own, other) = (path(&mut node.group), path(&mut second));
    let document = verify(&mut node, 1, &["TARGET", &other, "--exclusive", "--check"]);
    let overlaps = found(&document, &own, "overlap");
    assert_eq!(overlaps.len(), 1, "{document:#}");
    assert_eq!((&overlaps[0]["other"], &overlaps[0]["shared"]), (&other.clone().into(), &"1".into()));
    let document = verify(&mut node, 0, &["TARGET", &other]);
    assert!(found(&document, &own, "overlap").is_empty(), "nobody said that they are to be alone");
}

#[test]
fn a_set_that_somebody_else_wrote_is_found_and_when_it_was_so() {
    let _one = alone();
    let mut node = pinned("rewritten", "1");
    let own = path(&mut node.group);
    let file = node.group.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus");
    let watch = begin(&mut node, &["TARGET", "--watch", "--for", "2500ms", "--json"]);
    thread::sleep(Duration::from_millis(800));
    fs::write(&file, "0-1").unwrap();
    thread::sleep(Duration::from_millis(800));
    fs::write(&file, "1").unwrap();
    let document = answer(&watch.wait_with_output().unwrap(), 0);
    let differs = found(&document, &own, "set-differs");
    let [differs] = differs[..] else { panic!("{document:#}") };
    assert_eq!(
        (&differs["intended"], &differs["set"], &differs["still"]),
        (&"1".into(), &"0-1".into(), &false.into())
    );
    let seen = |key: &str| differs[key].as_u64().unwrap() / 1_000_000;
    assert!((300..2500).contains(&seen("first_seen_ns")) && seen("last_seen_ns") < 3000, "{differs:#}");
    fs::write(&file, "0").unwrap();
    let document = verify(&mut node, 1, &["TARGET", "--check"]);
    assert_eq!(found(&document, &own, "set-differs")[0]["still"], true);
    // What is asked goes before what the journal says.
    let document = verify(&mut node, 0, &["TARGET", "--cpus", "0"]);
    assert!(found(&document, &own, "set-differs").is_empty(), "{document:#}");
}

/// v2: a partition elsewhere in the tree takes a CPU out of all groups around it (beside each other the kernel refuses both).
/// v1 has nobody who could: it refuses to take a CPU from a group whose child has it.
#[test]
fn who_takes_a_cpu_away_is_named() {
    let _one = alone();
    let mut node = Node::new("robbed");
    let mut outer = node.workshop.group("outer").unwrap();
    if node.layout() == Layout::V1 {
        pin(&mut outer, "0-1");
    }
    let mut inner = node.workshop.group_in(&outer, "inner").unwrap();
    pin(&mut inner, "1");
    let own = path(&mut inner);
    if node.layout() == Layout::V1 {
        let file = outer.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus");
        assert!(fs::write(file, "0").is_err(), "v1 takes no CPU from a child");
        let document = verify(&mut node, 0, &[&own, "--cpus", "1"]);
        assert!(found(&document, &own, "narrowed").is_empty(), "{document:#}");
        return;
    }
    // The usual group has both CPUs, and partitions may not share with those beside them.
    let beside = node.group.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus");
    fs::write(beside, "0").unwrap();
    let mut taker = node.workshop.group("taker").unwrap();
    pin(&mut taker, "1");
    let directory = taker.cgroup().unwrap().cpuset_dir().unwrap().path().to_owned();
    let watch = begin(&mut node, &[&own, "--cpus", "1", "--watch", "--for", "2s", "--json"]);
    thread::sleep(Duration::from_millis(700));
    fs::write(directory.join("cpuset.cpus.partition"), "root").unwrap();
    let state = fs::read_to_string(directory.join("cpuset.cpus.partition")).unwrap();
    assert_eq!(state.trim(), "root", "this kernel makes no partition of it");
    let document = answer(&watch.wait_with_output().unwrap(), 0);
    let narrowed = found(&document, &own, "narrowed");
    let [narrowed] = narrowed[..] else { panic!("{document:#}") };
    assert_eq!((&narrowed["culprit"], &narrowed["path"]), (&"partition".into(), &path(&mut taker).into()));
    assert_eq!(
        (&narrowed["missing"], &narrowed["partition"], &narrowed["still"]),
        (&"1".into(), &"root".into(), &true.into())
    );
    let said = narrowed["says"].as_str().unwrap();
    assert!(said.contains(&path(&mut taker)), "{said}");
    fs::write(directory.join("cpuset.cpus.partition"), "member").unwrap();
    let document = verify(&mut node, 0, &[&own, "--cpus", "1"]);
    assert!(found(&document, &own, "narrowed").is_empty(), "{document:#}");

    // A group above that has fewer.
    fs::write(outer.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus"), "0").unwrap();
    let document = verify(&mut node, 0, &[&own, "--cpus", "1"]);
    let narrowed = found(&document, &own, "narrowed");
    assert_eq!((&narrowed[0]["culprit"], &narrowed[0]["path"]), (&"above".into(), &path(&mut outer).into()));
}

/// A group in the cpu hierarchy alone (v1), or to which the one above passes no cpuset on (v2).
#[test]
fn a_group_that_nothing_confines_is_told_with_its_threads() {
    let _one = alone();
    let mut node = Node::new("loose");
    let bare = node.group.cgroup().unwrap().cpu_dir().path().join("bare");
    fs::create_dir(&bare).unwrap();
    let own = format!("{}/bare", path(&mut node.group));
    let mut load = sleepers(&mut node.group, 1);
    fs::write(bare.join("cgroup.procs"), load.id().to_string()).unwrap();
    let document = verify(&mut node, 0, &[&own, "--cpus", "1"]);
    assert_eq!(found(&document, &own, "no-cpuset").len(), 1, "{document:#}");
    let outside = found(&document, &own, "thread-outside");
    let named: Vec<u64> = outside.iter().map(|thread| thread["tid"].as_u64().unwrap()).collect();
    assert_eq!(named, tids(&load).into_iter().map(u64::from).collect::<Vec<_>>(), "{document:#}");
    assert_eq!((&outside[0]["group_cpus"], &outside[0]["cpus"]), (&"1".into(), &"0-1".into()));
    load.end(Duration::from_secs(5)).unwrap();
    fs::remove_dir(&bare).unwrap();
}

/// v2: a partition below a group that is none, and one whose CPU a group beside takes. v1 has no partitions.
#[test]
fn a_partition_that_the_kernel_does_not_make_is_told_in_its_words() {
    let _one = alone();
    let mut node = Node::new("parted");
    let mut outer = node.workshop.group("outer").unwrap();
    if node.layout() == Layout::V1 {
        pin(&mut outer, "0-1");
    }
    let mut inner = node.workshop.group_in(&outer, "inner").unwrap();
    pin(&mut inner, "1");
    let file =
        |group: &mut OwnedCgroup, name: &str| group.cgroup().unwrap().cpuset_dir().unwrap().path().join(name);
    let (own, state) = (path(&mut inner), file(&mut inner, "cpuset.cpus.partition"));
    if node.layout() == Layout::V1 {
        assert!(!state.exists());
        let document = verify(&mut node, 0, &[&own]);
        assert!(document["cgroups"][0]["partition"].is_null(), "{document:#}");
        assert!(found(&document, &own, "partition-invalid").is_empty(), "{document:#}");
        return;
    }
    let words = |state: &Path| {
        let shown = fs::read_to_string(state).unwrap();
        let why = shown.trim().strip_prefix("root invalid (").and_then(|why| why.strip_suffix(')'));
        why.unwrap_or_else(|| panic!("this kernel made a partition of it: {shown}")).to_owned()
    };
    let told = |document: &Value, group: &str, why: &str| {
        let invalid = found(document, group, "partition-invalid");
        let [invalid] = invalid[..] else { panic!("{document:#}") };
        assert_eq!((&invalid["partition"], &invalid["why"]), (&"root".into(), &why.into()));
        assert!(invalid["says"].as_str().unwrap().ends_with(why), "{invalid:#}");
    };
    fs::write(&state, "root").unwrap();
    let document = verify(&mut node, 0, &[&own]);
    told(&document, &own, &words(&state));

    // The usual group has both CPUs, and partitions may not share with those beside them.
    fs::write(file(&mut node.group, "cpuset.cpus"), "0").unwrap();
    let mut parted = node.workshop.group("robbed").unwrap();
    pin(&mut parted, "1");
    let mut taker = node.workshop.group("taker").unwrap();
    let (own, state) = (path(&mut parted), file(&mut parted, "cpuset.cpus.partition"));
    fs::write(&state, "root").unwrap();
    assert_eq!(fs::read_to_string(&state).unwrap().trim(), "root", "this kernel makes no partition of it");
    let watch = begin(&mut node, &[&own, "--watch", "--for", "2s", "--json"]);
    thread::sleep(Duration::from_millis(700));
    fs::write(file(&mut taker, "cpuset.cpus"), "1").unwrap();
    let document = answer(&watch.wait_with_output().unwrap(), 0);
    told(&document, &own, &words(&state));
    let invalid = found(&document, &own, "partition-invalid")[0];
    assert!(invalid["first_seen_ns"].as_u64().unwrap() > 0 && invalid["still"] == true, "{invalid:#}");
    // Who took it is told of where it is looked at, or somebody lives there.
    let other = path(&mut taker);
    let document = verify(&mut node, 0, &[&own, &other]);
    assert_eq!(found(&document, &own, "overlap")[0]["other"], *other, "{document:#}");
}

/// v1 has a hierarchy of cpusets of its own, so that a thread can be in a group and not in its cpuset. v2 refuses to part them.
#[test]
fn a_thread_that_its_cpuset_does_not_hold_is_named() {
    let _one = alone();
    let mut node = pinned("astray", "1");
    let load = sleepers(&mut node.group, 2);
    let tid = *tids(&load).last().unwrap();
    let own = path(&mut node.group);
    let above = node.group.cgroup().unwrap().cpuset_dir().unwrap().path().parent().unwrap().to_owned();
    if node.layout() == Layout::V2 {
        assert!(fs::write(above.join("cgroup.threads"), tid.to_string()).is_err());
        return;
    }
    fs::write(above.join("tasks"), tid.to_string()).unwrap();
    let document = verify(&mut node, 0, &["TARGET"]);
    let astray = found(&document, &own, "thread-astray");
    assert_eq!(
        (astray.len(), &astray[0]["tid"], &astray[0]["cpuset"]),
        (1, &tid.into(), &"/".into()),
        "{document:#}"
    );
    // As of a service that has a cpu group and no cpuset: whoever else has none is no thread of its group.
    for tid in tids(&load) {
        fs::write(above.join("tasks"), tid.to_string()).unwrap();
    }
    let document = verify(&mut node, 0, &[&load.id().to_string()]);
    let group = &document["cgroups"][0];
    assert_eq!(
        (&group["path"], &group["threads"]),
        (&own.as_str().into(), &tids(&load).len().into()),
        "{document:#}"
    );
    for kind in ["thread-astray", "thread-outside", "thread-narrowed"] {
        assert!(found(&document, &own, kind).is_empty(), "{document:#}");
    }
}
