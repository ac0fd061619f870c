//! `cgtune topology` on machines that cannot be read, or say what cannot be: synthetic ones, and descriptions that are none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod machine;
mod tool;

use std::{fs, os::unix::fs::symlink};

use machine::{Tree, column, two_by_two, words};
use serde_json::json;
use tempfile::TempDir;
use tool::{fails, succeeds};

#[test]
fn a_machine_that_says_little_is_shown_with_what_was_assumed() {
    let tree = Tree::new("0-3");
    let text = words(&tree.text());
    assert!(text.contains("4 cores, 1 socket, 1 memory node"), "{text}");
    assert!(text.contains("does not show /sys/devices/system/cpu/cpuN/topology; CPUs are those of /sys/devices/system/cpu/online, and each is shown as a core of its own"), "{text}");
    let processor = |n: u32, socket: u32, core: u32| {
        format!("processor\t: {n}\nphysical id\t: {socket}\ncore id\t\t: {core}\n\n")
    };
    tree.file(
        "proc/cpuinfo",
        &[processor(0, 0, 0), processor(1, 1, 0), processor(2, 0, 0), processor(3, 1, 0)].concat(),
    );
    let document = tree.json();
    assert_eq!(
        (column(&document, "core"), column(&document, "socket")),
        (vec![json!(0), json!(1), json!(0), json!(1)], vec![json!(0), json!(1), json!(0), json!(1)])
    );
    assert!(
        document["notes"][0].as_str().unwrap().contains("cores and sockets those of /proc/cpuinfo"),
        "{document:#}"
    );
}

#[test]
fn interrupts_that_cannot_be_read_are_left_out_with_a_note() {
    let tree = Tree::new("0-1");
    fs::create_dir_all(tree.path("proc/interrupts")).unwrap();
    let document = tree.json();
    assert_eq!(column(&document, "interrupts"), [json!(null), json!(null)]);
    let notes = document["notes"].to_string();
    assert!(notes.contains("interrupts are left out: ") && notes.contains("/proc/interrupts"), "{notes}");
}

#[test]
fn where_nothing_is_shown_it_says_what_was_looked_for() {
    let empty = TempDir::new().unwrap();
    let root = empty.path().to_str().unwrap();
    let error = words(&fails(&["topology", "--sysfs", root]).1);
    assert!(
        error.contains(&format!(
            "there is neither {root}/devices/system/cpu nor {root}/sys/devices/system/cpu"
        )),
        "{error}"
    );
    let error = words(&fails(&["topology", "--host-root", root]).1);
    let looked = format!(
        "looked for {root}/sys/devices/system/cpu/online, {root}/sys/devices/system/cpu/cpuN/topology, {root}/proc/cpuinfo"
    );
    assert!(error.contains(&looked), "{error}");
    fs::create_dir_all(empty.path().join("sys/devices/system/cpu")).unwrap();
    fs::create_dir_all(empty.path().join("proc")).unwrap();
    fs::write(empty.path().join("proc/cpuinfo"), b"processor\t: 4294967296\n\n:::\n\xff\x00").unwrap();
    assert!(
        words(&fails(&["topology", "--host-root", root]).1)
            .contains("nothing here says which CPUs there are")
    );
}

#[test]
fn what_cannot_be_is_refused_with_path_and_value() {
    let broken = |name: &str, text: &str, expected: &[&str]| {
        let tree = two_by_two();
        tree.file(&format!("sys/devices/system/{name}"), text);
        let error = tree.error();
        for part in expected {
            assert!(error.contains(part), "{name}: {error}");
        }
    };
    broken("cpu/online", "garbage\n", &["cpu/online", "found \"garbage\""]);
    broken("cpu/online", "-1\n", &["cpu/online", "found \"-1\""]);
    broken("cpu/online", "0-99999\n", &["cpu/online", "found \"0-99999\""]);
    broken("cpu/isolated", "1-\n", &["cpu/isolated", "found \"1-\""]);
    broken(
        "cpu/online",
        "0-16\n",
        &["CPU 16 is online, but there is no", "cpu16/topology/thread_siblings_list"],
    );
    broken(
        "cpu/cpu3/topology/thread_siblings_list",
        "\n",
        &["cpu3/topology/thread_siblings_list", "a list that holds the CPU itself"],
    );
    broken(
        "cpu/cpu3/topology/thread_siblings_list",
        "3\n",
        &["cpu3/topology/thread_siblings_list says \"3\"", "says \"3,11\"", "a CPU is in both"],
    );
    broken(
        "cpu/cpu11/topology/physical_package_id",
        "1\n",
        &[
            "cpu3/topology/physical_package_id says \"0\"",
            "cpu11/topology/physical_package_id says \"1\"",
            "both are of one core",
        ],
    );
    broken(
        "cpu/cpu4/topology/physical_package_id",
        "4294967296\n",
        &["cpu4/topology/physical_package_id", "found \"4294967296\""],
    );
    broken("cpu/cpu4/topology/physical_package_id", "two\x1b[2J\n", &["found \"two\\x1b[2J\""]);
    broken("cpu/cpu5/cache/index3/level", "-3\n", &["cpu5/cache/index3/level", "found \"-3\""]);
    broken("node/node1/cpulist", "0-\n", &["node1/cpulist", "found \"0-\""]);
    broken(
        "node/node1/cpulist",
        "2-3,10\n",
        &["sys/devices/system/cpu", "CPUs 3 and 11 are one core (3), but on NUMA nodes 1 and 0"],
    );
}

#[test]
fn what_only_adds_to_the_picture_is_passed_over_with_a_note() {
    let tree = two_by_two();
    tree.cpu_file("cpu4/cpufreq/scaling_max_freq", "<unknown>").cpu_file("cpu4/cpu_capacity", "99999999999");
    tree.cpu_file("cpu12/topology/physical_package_id", "-1")
        .cpu_file("cpu4/topology/physical_package_id", "-1");
    tree.cpu_file("cpu6/cache/index3/shared_cpu_list", "6").file("proc/interrupts", "no table\n");
    tree.file("sys/devices/system/node/node1/distance", "10 20\n");
    let notes = words(&tree.json()["notes"].to_string());
    for note in [
        "the sockets of CPUs 4,12 are not known",
        "its last-level caches are left out",
        "cpu4/cpu_capacity holds something else than its format: expected a capacity such as 1024, found",
        "and 1 more",
        "the distances of nodes 1 are left out",
        "interrupts are left out",
    ] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
}

#[test]
fn links_that_lead_nowhere_or_in_a_circle_and_pipes_are_named() {
    let tree = two_by_two();
    let replace = |name: &str, to: &str| {
        let path = tree.path(&format!("sys/devices/system/cpu/{name}"));
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        symlink(to, &path).unwrap();
        tree.error()
    };
    let error = replace("cpu7/topology/physical_package_id", "nowhere");
    assert!(error.contains("cpu7/topology/physical_package_id is a link that leads nowhere"), "{error}");
    let error = replace("cpu5/topology", "../cpu5/topology");
    assert!(error.contains("cpu5/topology"), "{error}");
    let error = replace("cpu2", "../../../gone");
    assert!(error.contains("sys/devices/system/cpu/cpu2 is a link that leads nowhere"), "{error}");
    let path = tree.path("sys/devices/system/cpu/online");
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(tree.error().contains("cannot read"), "a pipe is not waited for");
    let circle = TempDir::new().unwrap();
    fs::create_dir_all(circle.path().join("devices/system")).unwrap();
    symlink("../system/cpu", circle.path().join("devices/system/cpu")).unwrap();
    let error = words(&fails(&["topology", "--sysfs", circle.path().to_str().unwrap()]).1);
    assert!(error.contains("holds no captured /sys"), "{error}");
}

#[test]
fn a_whole_copy_with_circles_in_it_is_read_all_the_same() {
    // As /sys itself has them: from a CPU to its node and back.
    let tree = two_by_two();
    symlink("../../node/node0", tree.path("sys/devices/system/cpu/cpu0/node0")).unwrap();
    symlink("../../cpu/cpu0", tree.path("sys/devices/system/node/node0/cpu0")).unwrap();
    symlink(".", tree.path("sys/devices/system/cpu/subsystem")).unwrap();
    assert_eq!(tree.text(), two_by_two().text());
}

fn described(text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("machine.json");
    fs::write(&file, text).unwrap();
    (folder, file.to_str().unwrap().to_owned())
}

#[test]
fn a_list_of_cpus_is_description_enough() {
    let (_folder, file) = described(
        r#"{"cpus":[{"cpu":2,"core":0,"socket":0,"node":0,"uncore":null},{"cpu":0,"core":0,"socket":0,"node":0}]}"#,
    );
    let text = succeeds(&["topology", "--topology", &file]).0;
    assert!(text.starts_with("2 CPUs online: 1 core, 1 socket, 1 memory node\n"), "{text}");
}

#[test]
fn a_description_that_is_none_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("cpus: []", "at line 1 column 1"),
        ("{}", "missing field `cpus`"),
        ("[1]", "at line 1 column"),
        (r#"{"cpus":[]}"#, "it has no CPU"),
        (
            "{\"cpus\":[\n {\"cpu\":0,\"core\":0,\"socket\":-1,\"node\":0}]}",
            "in cpus[0].socket invalid value: integer `-1`, expected u32 at line 2",
        ),
        (
            "{\"cpus\":[\n{\"cpu\":0,\"core\":0,\"socket\":0,\"node\":0},\n {\"cpu\":\"1\"}]}",
            "in cpus[1].cpu invalid type: string \"1\", expected u32 at line 3",
        ),
        (r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}],"offline":"1-"}"#, "in offline"),
        (
            r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0},{"cpu":0,"core":0,"socket":0,"node":0}]}"#,
            "CPU 0 is listed twice",
        ),
        (
            r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0},{"cpu":1,"core":0,"socket":1,"node":0}]}"#,
            "CPUs 0 and 1 are one core (0), but on sockets 0 and 1",
        ),
        (r#"{"cpus":[{"cpu":70000,"core":0,"socket":0,"node":0}]}"#, "CPU 70000 is above 65535"),
        (r#"{"schema":"cgtune.stat/1","cgroups":[]}"#, "is \"cgtune.stat/1\", not \"cgtune.topology/1\""),
        (r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}]} {}"#, "trailing characters at line 1"),
    ] {
        let (_folder, file) = described(text);
        let error = words(&fails(&["topology", "--from", &file]).1);
        assert!(error.contains(&file) && error.contains(expected), "{text}: {error}");
        assert!(error.contains("hint: it should be what cgtune topology --json prints"), "{error}");
    }
    let error = words(&fails(&["topology", "--from", "/nowhere"]).1);
    assert!(error.starts_with("error: cannot read /nowhere: No such file"), "{error}");
}

#[test]
fn one_machine_is_meant() {
    for args in [["--sysfs", "/sys", "--from", "x"], ["--sysfs", "/sys", "--host-root", "/host"]] {
        fails(&[&["topology"], &args[..]].concat());
    }
}

#[test]
fn what_a_description_says_cannot_steer_the_terminal() {
    let text = r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}],"smt_control":"\u001b[2J","notes":["a\u001b[2Jb\u202e"]}"#;
    let (_folder, file) = described(text);
    let text = succeeds(&["topology", "--from", &file]).0;
    assert!(text.contains(r"up to \x1b[2J threads") && text.contains(r"a\x1b[2Jb\xe2\x80\xae"), "{text}");
}

#[test]
fn holders_that_a_description_makes_up_are_left_out_or_shown_as_they_are() {
    let text = r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}],"cpusets":[
        {"path":"/a\u001b[2J","effective_cpus":"0","partition":"root\u202e","processes":1},{"path":"/b","effective_cpus":"7"}]}"#;
    let (folder, file) = described(text);
    let svg = folder.path().join("it.svg");
    let text = words(&succeeds(&["topology", "--from", &file, "--svg", svg.to_str().unwrap()]).0);
    assert!(text.contains(r"/a\x1b[2J CPU 0, partition: root\xe2\x80\xae, 1 process"), "{text}");
    assert!(text.contains("own /b cannot be, and is left out"), "{text}");
    assert!(!fs::read_to_string(svg).unwrap().contains('\u{202e}'));
    let (_folder, file) = described(
        r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}],"cpusets":[{"path":"/a","effective_cpus":"0","processes":-1}]}"#,
    );
    let error = words(&fails(&["topology", "--from", &file]).1);
    assert!(error.contains("in cpusets[0].processes invalid value: integer `-1`"), "{error}");
}

#[test]
fn a_description_without_end_is_refused_with_its_bound() {
    let error = words(&fails(&["topology", "--from", "/dev/zero"]).1);
    assert!(error.starts_with("error: cannot read /dev/zero: it has more than 64 MiB hint: what cgtune topology --json prints is far smaller"), "{error}");
}

#[test]
fn standard_input_is_read_for_one_option() {
    let machine = r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}]}"#;
    let args = ["kubelet", "check", "-", "--topology", "-"];
    let output = tool::tool().args(args).write_stdin(machine).output().unwrap();
    let error = words(&String::from_utf8(output.stderr).unwrap());
    assert!(
        error.starts_with("error: FILE and --topology both name standard input (-), which can be read once"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(2));
}

/// As long as is read: a fifth of a million descriptions of a CPU, each with a key of its own. It ends.
#[test]
fn a_description_of_cpus_that_somebody_made_up_is_passed_over_once() {
    let tree = Tree::new("0-1");
    let mut text = String::with_capacity(65 << 20);
    let mut number = 0_u64;
    while text.len() < 65 << 20 {
        number += 1;
        text += &format!("processor\t: {}\nkey {number}\t: {number}\nphysical id\t: {number}\n", number % 2);
        text += &"core id\t: 1\n\n".repeat(1 + usize::from(number.is_multiple_of(3)));
    }
    tree.file("proc/cpuinfo", &text);
    let begun = std::time::Instant::now();
    assert_eq!(column(&tree.json(), "socket"), [json!(2), json!(1)], "the first word counts");
    // Seconds in a debug build.
    assert!(begun.elapsed() < std::time::Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[test]
fn as_many_cpus_as_there_may_be_are_no_trouble() {
    let cpu =
        |cpu: u32| json!({ "cpu": cpu, "core": cpu, "socket": cpu % 3, "node": cpu % 7, "uncore": cpu });
    let (_folder, file) =
        described(&json!({ "cpus": (0..65_536).rev().map(cpu).collect::<Vec<_>>() }).to_string());
    let text = words(&succeeds(&["topology", "--from", &file]).0);
    let expected =
        "65,536 CPUs online: 65,536 cores, 65,536 last-level caches, 3 sockets, 7 memory nodes socket 0: CPU";
    assert!(text.starts_with(expected), "{}", &text[..200]);
}
