//! `apply`, `undo` and `history` on the kernel that runs the tests, cgroup v1 or v2.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared module"
)]

mod node;
mod tool;

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _, process::CommandExt as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use cgtune_core::{CpuControl as _, Layout, Quota, control::apply};
use nix::{sys::signal::Signal, unistd::Pid};
use node::{Node, alone, bandwidth, binary, entries, limited, text};

const CHANGE: &[&str] = &["apply", "TARGET", "--quota", "20ms", "--burst", "5ms", "--yes"];

#[test]
fn a_change_is_shown_made_read_back_and_taken_back() {
    let _one = alone();
    let mut node = Node::new("apply");
    let before = node.observed();
    let dry = node.expect(0, &["apply", "TARGET", "--quota", "20ms", "--burst", "5ms", "--dry-run"]);
    assert!(dry.contains("burst falls, so it goes first") && dry.contains("nothing was written"), "{dry}");
    assert_eq!(node.observed(), before);
    assert_eq!(entries(node.journal.path()).len(), 0);

    let done = node.expect(0, CHANGE);
    assert_eq!(node.observed().bandwidth.unwrap(), limited(20, 100, 5).into());
    // Of this journal, on one line: half of it would undo a change of another.
    let undo = node.undo_command(1);
    assert!(done.lines().any(|line| line.trim().ends_with(&undo)), "{done}");
    let again = node.expect(0, CHANGE);
    assert!(again.contains("nothing differs"), "{again}");
    let undone = node.expect(0, &["undo"]);
    assert!(undone.contains("undone: change 1"), "{undone}");
    assert_eq!(node.observed(), before);
    assert!(node.expect(0, &["undo"]).contains("nothing to undo"));
    assert!(node.expect(0, &["history"]).contains("undone"));
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_written() {
    let _one = alone();
    let mut node = Node::new("unasked");
    let before = node.observed();
    let said = node.expect(2, &["apply", "TARGET", "--quota", "20ms"]);
    assert!(said.contains("--yes") && said.contains("--dry-run"), "{said}");
    let said = node.expect(2, &["apply", "TARGET", "--quota", "20ms", "--json"]);
    assert!(said.contains("--yes") && !said.contains('{'), "{said}");
    assert_eq!(node.observed(), before);
}

#[test]
fn what_the_kernel_would_refuse_is_refused_with_the_nearest_that_it_takes() {
    let _one = alone();
    let mut node = Node::new("refused");
    let before = node.observed();
    let v1 = node.layout() == Layout::V1;
    let mut cases = vec![
        (vec!["--quota", "999us"], "the nearest that the kernel takes is --quota 1ms"),
        (vec!["--period", "2s", "--quota", "50ms"], "--period 1s"),
        (vec!["--burst", "41ms"], "--burst 40ms"),
        (vec!["--quota", "5ms"], "--burst 5ms"),
        (vec!["--quota", "max", "--burst", "5ms"], "without a quota"),
        (vec!["--period", "20ms"], "--quota 8ms to keep the limit of 0.400"),
        (vec!["--cpuset-cpus", "0,4000"], "--cpuset-cpus 0"),
        (vec!["--cpuset-mems", "0,63"], "--cpuset-mems 0"),
        (vec!["--cpu-limit", "-1"], "--cpu-limit"),
        (vec!["--quota", "20"], "20ms"),
        (vec![], "nothing to change"),
    ];
    cases.push(if v1 {
        (vec!["--weight", "50"], "cgroup v2")
    } else {
        (vec!["--shares", "50"], "cgroup v1")
    });
    if v1 {
        cases.push((vec!["--shares", "1"], "--shares 2"));
    } else {
        cases.push((vec!["--weight", "10001"], "--weight 10000"));
    }
    for (args, expected) in cases {
        let line: Vec<&str> = ["apply", "TARGET", "--yes"].into_iter().chain(args.iter().copied()).collect();
        // Wrapped for a terminal; the words are what counts.
        let said = node.expect(2, &line).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(expected), "{args:?}: {said}");
        assert_eq!(node.observed(), before, "{args:?}");
    }
    assert_eq!(entries(node.journal.path()).len(), 0, "nothing was begun");
}

#[test]
fn undo_refuses_what_somebody_else_has_changed_and_force_overrides() {
    let _one = alone();
    let mut node = Node::new("foreign");
    let before = node.observed();
    node.expect(0, CHANGE);
    apply(node.group.cgroup().unwrap(), &bandwidth(limited(30, 100, 5))).unwrap();
    let said = node.expect(1, &["undo"]);
    assert!(
        said.contains("quota: cgtune left 20ms, there is 30ms now") && said.contains("--force"),
        "{said}"
    );
    assert_eq!(node.observed().bandwidth.unwrap().quota, limited(30, 100, 5).quota());
    assert!(node.expect(0, &["history"]).contains("somebody else"));
    node.expect(0, &["undo", "--force"]);
    assert_eq!(node.observed(), before);
}

#[test]
fn changes_of_ours_are_undone_from_the_newest_and_an_older_one_says_so() {
    let _one = alone();
    let mut node = Node::new("stack");
    let before = node.observed();
    node.expect(0, CHANGE);
    node.expect(0, &["apply", "TARGET", "--quota", "15ms", "--yes"]);
    let said = node.expect(1, &["undo", "1"]);
    assert!(said.contains("change 2 of ours is newer"), "{said}");
    let path = node.path();
    let out = node.expect(0, &["undo", path.to_str().unwrap()]);
    assert!(out.contains("change 2") && out.contains("change 1"), "{out}");
    assert_eq!(node.observed(), before);
    node.expect(0, CHANGE);
    node.expect(0, &["apply", "TARGET", "--quota", "15ms", "--yes"]);
    node.expect(0, &["undo", "--all"]);
    assert_eq!(node.observed(), before);
}

/// The upper one leads back to where the lower one began: there would be nothing to write for the lower one, and undoing the upper one
/// after it would bring back what the lower one had set.
#[test]
fn a_change_is_not_undone_under_a_newer_one_of_the_same_values_whatever_they_are() {
    let _one = alone();
    let mut node = Node::new("under");
    let before = node.observed();
    node.expect(0, &["apply", "TARGET", "--cpuset-cpus", "1", "--yes"]);
    node.expect(0, &["apply", "TARGET", "--quota", "20ms", "--burst", "0us", "--yes"]);
    node.expect(0, &["apply", "TARGET", "--cpuset-cpus", "0-1", "--yes"]);
    let history = node.expect(0, &["history"]);
    assert!(history.contains("under change 3"), "{history}");
    for force in [&["undo", "1"][..], &["undo", "1", "--force"]] {
        let said = node.expect(1, force);
        assert!(said.contains("change 3 of ours is newer"), "{force:?}: {said}");
    }
    // Another value of the same group lies under nothing.
    node.expect(0, &["undo", "2"]);
    let out = node.expect(0, &["undo", "--all"]);
    assert!(out.contains("change 3") && out.contains("change 1"), "{out}");
    assert_eq!(node.observed(), before);

    // One that ends by itself waits for nobody, and says what lies over it.
    let timed = node
        .command(&["apply", "TARGET", "--cpuset-cpus", "1", "--yes", "--for", "2s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(&mut node, |now| now != &before);
    node.expect(0, &["apply", "TARGET", "--cpuset-cpus", "0-1", "--yes"]);
    let output = timed.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("change 5 of ours is newer"), "{}", text(&output));
    node.expect(0, &["undo", "--all"]);
    assert_eq!(node.observed(), before);
}

/// Until a change has been made, and written down as made.
fn wait_until(node: &mut Node, made: impl Fn(&cgtune_core::Observed) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !made(&node.observed()) {
        assert!(Instant::now() < deadline, "it was not applied");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Past the read-back, so that it waits.
    std::thread::sleep(Duration::from_millis(300));
}

#[test]
fn a_change_that_nobody_could_be_told_of_is_undone_or_its_number_is_said() {
    let _one = alone();
    let mut node = Node::new("untold");
    let before = node.observed();
    // Of our own: as /dev/full (drivers/char/mem.c, 6.12).
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("full");
    let made = Command::new("mknod").arg(&device).args(["c", "1", "7"]).status().unwrap();
    assert!(made.success(), "this test needs permission to make a device: run it as root");
    let full = || fs::File::options().write(true).open(&device).unwrap();
    for json in [&[][..], &["--json"]] {
        let begun = Instant::now();
        let line = [CHANGE, &["--for", "10m"], json].concat();
        let output = node.command(&line).stdout(full()).output().unwrap();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{json:?}: {said}");
        assert!(said.contains("is undone") && said.contains("No space left"), "{json:?}: {said}");
        assert_eq!(node.observed(), before, "{json:?}");
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    let output = node.command(CHANGE).stdout(full()).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let undo = node.undo_command(3);
    assert!(said.contains(&undo) && said.contains("No space left"), "{said}");
    node.expect(0, &["undo", "3"]);
    assert_eq!(node.observed(), before);

    // Nor does it wait for a reader of what is said beside the answer.
    let line = [CHANGE, &["--for", "300ms"]].concat();
    let output = node.command(&line).stderr(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(node.observed(), before);
}

#[test]
fn who_waits_for_somebody_unknown_names_nobody() {
    let _one = alone();
    let mut node = Node::new("locked");
    // Locked, and the process not written yet.
    let lock = fs::File::create(node.journal.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let child = node.command(&["undo"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    drop(lock);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "waiting for another cgtune …\n");
}

#[test]
fn a_change_that_does_not_end_as_another_has_the_lock_says_so() {
    let _one = alone();
    let mut node = Node::new("kept");
    let before = node.observed();
    let line = [CHANGE, &["--for", "1s"]].concat();
    let child = node.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(&mut node, |now| now != &before);
    let lock = fs::File::open(node.journal.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let output = child.wait_with_output().unwrap();
    drop(lock);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let undo = node.undo_command(1);
    assert!(said.contains("change 1 is still in force") && said.contains(&undo), "{said}");
    node.expect(0, &["undo"]);
    assert_eq!(node.observed(), before);
}

#[test]
fn one_that_was_killed_before_its_end_is_told_with_what_to_type() {
    let _one = alone();
    let mut node = Node::new("overdue");
    let before = node.observed();
    let line = [CHANGE, &["--for", "1s"]].concat();
    let mut child = node.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(&mut node, |now| now != &before);
    child.kill().unwrap();
    child.wait().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let history = node.expect(0, &["history"]);
    let undo = node.undo_command(1);
    assert!(history.contains("was to end"), "{history}");
    assert!(history.lines().any(|line| line.trim().ends_with(&undo)), "{history}");
    node.expect(0, &["undo"]);
    assert_eq!(node.observed(), before);
}

#[test]
fn a_change_for_a_time_undoes_itself_also_when_interrupted() {
    let _one = alone();
    let mut node = Node::new("timed");
    let before = node.observed();
    let begun = Instant::now();
    let said =
        node.expect(0, &["apply", "TARGET", "--quota", "20ms", "--burst", "5ms", "--yes", "--for", "700ms"]);
    assert!(begun.elapsed() >= Duration::from_millis(700) && said.contains("undone: change 1"), "{said}");
    assert_eq!(node.observed(), before);

    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let child = node
            .command(&["apply", "TARGET", "--quota", "20ms", "--burst", "5ms", "--yes", "--for", "10m"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until(&mut node, |now| now != &before);
        nix::sys::signal::kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}: {}", text(&output));
        assert_eq!(node.observed(), before, "{signal}");
    }
}

#[test]
fn of_many_at_once_none_corrupts_another() {
    let _one = alone();
    let mut node = Node::new("race");
    let before = node.observed();
    for round in 0..5 {
        let quotas: Vec<String> = (11..19).map(|ms| format!("{ms}ms")).collect();
        let children: Vec<_> = quotas
            .iter()
            .map(|quota| {
                let mut command = node.command(&[
                    "apply", "TARGET", "--quota", quota, "--period", "50ms", "--burst", "5ms", "--yes",
                ]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let made = outputs.iter().filter(|output| output.status.success()).count();
        for output in outputs.iter().filter(|output| !output.status.success()) {
            assert_eq!(output.status.code(), Some(2));
            let said = text(output).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("changed by somebody else since the plan"), "{said}");
        }
        assert!(made >= 1, "round {round}");
        let now = node.observed().bandwidth.unwrap();
        let Quota::Limited(quota) = now.quota else { panic!("{now:?}") };
        assert!(quotas.contains(&quota.to_string()) && now.period.to_string() == "50ms", "{now:?}");
        node.expect(0, &["undo", "--all"]);
        assert_eq!(node.observed(), before, "round {round}");
    }
}

#[test]
fn where_the_journal_cannot_be_written_nothing_is_changed() {
    let _one = alone();
    let mut node = Node::new("full");
    let before = node.observed();
    let path = node.path();
    // A disk with room for the folder and for no entry, in a mount namespace of its own.
    let script = "mount -t tmpfs -o size=8k none \"$1\" && head -c 1000000 /dev/zero > \"$1/fill\" 2>/dev/null; \
                  exec \"$2\" apply \"$3\" --quota 20ms --burst 5ms --yes --journal \"$1/j\"";
    let output = Command::new("/usr/bin/unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(node.journal.path())
        .arg(binary())
        .arg(&path)
        .output()
        .expect("this test needs util-linux's unshare");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("No space left"), "{}", text(&output));
    assert_eq!(node.observed(), before);
}

#[test]
fn the_tool_needs_no_capability_where_the_files_are_its_own() {
    let _one = alone();
    let mut node = Node::new("bare");
    let before = node.observed();
    let bare = |node: &mut Node, args: &[&str]| {
        let mut command = Command::new("/usr/bin/setpriv");
        command
            .args(["--bounding-set", "-all", "--inh-caps", "-all", "--"])
            .arg(binary())
            .args(node.args(args));
        let output =
            command.env("NO_COLOR", "1").stdin(Stdio::null()).output().expect("this test needs setpriv");
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output));
    };
    let caps = Command::new("/usr/bin/setpriv")
        .args(["--bounding-set", "-all", "--inh-caps", "-all", "--", "cat", "/proc/self/status"])
        .output()
        .unwrap();
    assert!(text(&caps).contains("CapEff:\t0000000000000000"), "{}", text(&caps));
    bare(&mut node, CHANGE);
    bare(&mut node, &["apply", "TARGET", "--cpuset-cpus", "0", "--yes"]);
    bare(&mut node, &["history"]);
    bare(&mut node, &["undo", "--all"]);
    assert_eq!(node.observed(), before);
    // `stat` writes no journal, and takes no such flag.
    let path = node.path();
    let stat = Command::new("/usr/bin/setpriv")
        .args(["--bounding-set", "-all", "--inh-caps", "-all", "--"])
        .arg(binary())
        .arg("stat")
        .arg(path)
        .output()
        .unwrap();
    assert!(stat.status.success(), "{}", text(&stat));
}

#[test]
fn without_permission_nothing_changes_and_the_file_is_named() {
    let _one = alone();
    let mut node = Node::new("nobody");
    let before = node.observed();
    let file = fs::canonicalize(binary()).unwrap();
    // Readable and executable for everybody, outside a home folder that may be closed.
    let copy = tempfile::tempdir().unwrap();
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let tool = copy.path().join("cgtune");
    fs::copy(file, &tool).unwrap();
    let output = Command::new(&tool)
        .args([
            "apply",
            node.path().to_str().unwrap(),
            "--quota",
            "20ms",
            "--burst",
            "5ms",
            "--yes",
            "--journal",
        ])
        .arg(copy.path().join("journal"))
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("burst") && said.contains("root"), "{said}");
    assert_eq!(node.observed(), before);
}

#[test]
fn names_are_shown_safely_and_lead_nowhere_else() {
    let _one = alone();
    let mut node = Node::new("names");
    let parent = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
    if node.layout() == Layout::V2 {
        fs::write(parent.join("cgroup.subtree_control"), "+cpu").unwrap();
    }
    // The kernel itself refuses a newline in a name (cgroup_mkdir, kernel/cgroup/cgroup.c).
    for name in [&b"car\rriage\ttab"[..], b"\x1b[2Jclear", b"stray\xff", b"--quota", b"a b'c\"d$(e)"] {
        let directory = parent.join(OsStr::from_bytes(name));
        fs::create_dir(&directory).unwrap();
        let path = node.path().join(OsStr::from_bytes(name));
        let run = |node: &mut Node, verb: &[&str]| {
            let mut command = Command::new(binary());
            command
                .args(verb)
                .arg("--journal")
                .arg(node.journal.path())
                .env("NO_COLOR", "1")
                .stdin(Stdio::null());
            if verb[0] == "apply" {
                command.arg("--").arg(&path);
            }
            command.output().unwrap()
        };
        for verb in [&["apply", "--quota", "3ms", "--yes"][..], &["history"], &["undo"]] {
            let output = run(&mut node, verb);
            let said = text(&output);
            fs::metadata(&directory).unwrap();
            assert!(output.status.success(), "{verb:?} {name:?}: {said}");
            assert!(
                !said.contains('\x1b') && !said.contains('\r') && !said.contains('\t'),
                "{verb:?}: {said}"
            );
        }
        fs::remove_dir(&directory).unwrap();
    }
    for path in ["/..", "/../x", "cgroup:../..", "/./..//etc"] {
        let said = node.expect(2, &["apply", path, "--quota", "3ms", "--yes"]);
        assert!(said.contains(".."), "{said}");
    }
}

#[test]
fn a_group_that_was_made_anew_or_is_gone_has_nothing_to_undo() {
    let _one = alone();
    let mut node = Node::new("gone");
    let parent = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
    if node.layout() == Layout::V2 {
        fs::write(parent.join("cgroup.subtree_control"), "+cpu").unwrap();
    }
    let directory = parent.join("child");
    fs::create_dir(&directory).unwrap();
    let child = node.path().join("child");
    let child = child.to_str().unwrap();
    node.expect(0, &["apply", child, "--quota", "3ms", "--yes"]);
    fs::remove_dir(&directory).unwrap();
    assert!(node.expect(2, &["undo", "1"]).contains("is gone"));
    fs::create_dir(&directory).unwrap();
    assert!(node.expect(2, &["undo", "1"]).contains("made anew"));
    assert!(node.expect(0, &["undo"]).contains("nothing to undo"));
    assert!(node.expect(0, &["history"]).contains("made anew"));
    fs::remove_dir(&directory).unwrap();
}

#[test]
fn damaged_entries_are_reported_and_left_alone() {
    let _one = alone();
    let mut node = Node::new("damaged");
    let before = node.observed();
    node.expect(0, CHANGE);
    let garbage = node.journal.path().join("000002.json");
    fs::write(&garbage, "{\"schema\": \"cgtune.journal/9\"").unwrap();
    let said = node.expect(0, &["undo"]);
    assert!(said.contains("000002.json"), "{said}");
    assert_eq!(node.observed(), before);
    assert_eq!(fs::read_to_string(&garbage).unwrap(), "{\"schema\": \"cgtune.journal/9\"");
    // The number is not used again.
    node.expect(0, CHANGE);
    assert!(node.journal.path().join("000003.json").exists());
    node.expect(0, &["undo"]);
}

/// A pod with two containers below our group, as the kubelet names them; their directories, innermost first.
struct Pod {
    directories: Vec<std::path::PathBuf>,
}

impl Pod {
    fn new(node: &mut Node) -> Self {
        let layout = node.layout();
        let top = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
        let mut directories = Vec::new();
        for below in ["kubepods", "kubepods/poda1-b2", "kubepods/poda1-b2/app", "kubepods/poda1-b2/side"] {
            let directory = top.join(below);
            if layout == Layout::V2 {
                fs::write(directory.parent().unwrap().join("cgroup.subtree_control"), "+cpu").unwrap();
            }
            fs::create_dir(&directory).unwrap();
            directories.insert(0, directory);
        }
        Self { directories }
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        for directory in &self.directories {
            let _ = fs::remove_dir(directory);
        }
    }
}

#[test]
fn a_container_and_its_pod_change_together_and_come_back_together() {
    const CHANGES: u32 = 60;
    let _one = alone();
    let mut node = Node::new("pod");
    // Room for the pod: v1 refuses it above its ancestors.
    apply(node.group.cgroup().unwrap(), &bandwidth(limited(1000, 100, 0))).unwrap();
    let pod = Pod::new(&mut node);
    let open = |node: &mut Node, below: &str| {
        let path = node.path().join("kubepods/poda1-b2").join(below);
        cgtune_sys::Cgroup::open(node.workshop.hierarchies(), &path).unwrap()
    };
    let seen = |node: &mut Node, below: &str| open(node, below).observe().unwrap().bandwidth.unwrap();
    for (below, quota) in [("", 80), ("app", 50), ("side", 30)] {
        apply(&mut open(&mut node, below), &bandwidth(limited(quota, 100, 0))).unwrap();
    }
    let start = (seen(&mut node, ""), seen(&mut node, "app"));
    let app = node.path().join("kubepods/poda1-b2/app");
    let app = app.to_str().unwrap();
    let mut seeded = node::Seeded(7);
    for change in 0..CHANGES {
        let before = (seen(&mut node, ""), seen(&mut node, "app"));
        let limit = format!("{}m", 20 + seeded.below(1980));
        let period = ["20ms", "50ms", "100ms", "250ms"][seeded.below(4) as usize];
        let burst = ["0us", "30%", "100%"][seeded.below(3) as usize];
        let args = [
            "apply",
            app,
            "--with-pod",
            "--cpu-limit",
            &limit,
            "--period",
            period,
            "--burst",
            burst,
            "--yes",
        ];
        let said = node.expect(0, &args);
        let (above, now) = (seen(&mut node, ""), seen(&mut node, "app"));
        let (cpus, expected) = (above.cpus().unwrap(), now.cpus().unwrap() + 0.3);
        assert!((cpus - expected).abs() < 0.001 * f64::from(change + 1), "{limit}, {period}: {cpus}\n{said}");
        if seeded.below(3) == 0 {
            node.expect(0, &["undo"]);
            assert_eq!((seen(&mut node, ""), seen(&mut node, "app")), before, "{limit}, {period}, {burst}");
        }
    }
    node.expect(0, &["undo", "--all"]);
    assert_eq!((seen(&mut node, ""), seen(&mut node, "app")), start);
    let said = node.expect(2, &["apply", "TARGET", "--with-pod", "--cpu-limit", "1", "--yes"]);
    assert!(said.contains("named like a pod"), "{said}");
    drop(pod);
}

#[test]
fn idle_and_back_keeps_the_weight() {
    let _one = alone();
    let mut node = Node::new("idle");
    let (flag, value) = if node.layout() == Layout::V1 { ("--shares", "333") } else { ("--weight", "33") };
    node.expect(0, &["apply", "TARGET", flag, value, "--yes"]);
    let before = node.observed();
    node.expect(0, &["apply", "TARGET", "--idle", "--yes"]);
    assert_eq!(node.observed().idle, Some(true));
    let said = node.expect(2, &["apply", "TARGET", flag, "50", "--yes"]);
    assert!(said.contains("--idle false"), "{said}");
    node.expect(0, &["undo"]);
    assert_eq!(node.observed(), before);
    node.expect(2, &["apply", "TARGET", "--idle", flag, "50", "--yes"]);
}

#[test]
fn json_answers_are_what_their_schemas_describe() {
    let _one = alone();
    let mut node = Node::new("json");
    let published = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (apply, history, undo) = (
        published(include_str!("../schemas/apply-1.schema.json")),
        published(include_str!("../schemas/history-1.schema.json")),
        published(include_str!("../schemas/undo-1.schema.json")),
    );
    let mut check = |schema: &serde_json::Value, args: &[&str]| {
        let output = node.run(args);
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        tool::schema::assert_describes(schema.clone(), &document);
        document
    };
    let change =
        ["apply", "TARGET", "--cpu-limit", "200m", "--burst", "0us", "--cpu-request", "100m", "--json"];
    let dry = check(&apply, &[&change[..], &["--dry-run"]].concat());
    assert!(dry["id"].is_null() && dry["cgroups"][0]["writes"].as_array().unwrap().len() >= 3, "{dry:#}");
    let done = check(&apply, &[&change[..], &["--yes"]].concat());
    assert_eq!(done["id"], 1);
    let again = check(&apply, &[&change[..], &["--yes"]].concat());
    assert_eq!(again["cgroups"][0]["writes"], serde_json::json!([]));
    assert_eq!(check(&history, &["history", "--json"])["changes"][0]["state"], "done");
    let timed = check(&apply, &["apply", "TARGET", "--quota", "30ms", "--for", "50ms", "--json", "--yes"]);
    assert!(timed["until"].is_string());
    assert_eq!(check(&undo, &["undo", "--json"])["changes"][0]["state"], "undone");
    assert_eq!(check(&undo, &["undo", "--json"])["changes"], serde_json::json!([]));
}
