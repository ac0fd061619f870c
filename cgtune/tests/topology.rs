//! `cgtune topology` on machines that are folders, for shapes that no machine at hand has: synthetic, but for one from QEMU. Some tests
//! look at the machine they run on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod machine;
mod tool;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use machine::{Tree, column, published, qemu, two_by_two, words};
use serde_json::{Value, json};
use tool::{fails, schema, succeeds};

#[test]
fn two_sockets_of_two_nodes_with_two_threads_a_core() {
    let tree = two_by_two();
    insta::assert_snapshot!("two_by_two", tree.text());
    let document = tree.json();
    let cpu = &document["cpus"][11];
    assert_eq!(
        [&cpu["cpu"], &cpu["core"], &cpu["socket"], &cpu["node"], &cpu["uncore"], &cpu["interrupts"]],
        [&json!(11), &json!(3), &json!(0), &json!(1), &json!(2), &json!(20)]
    );
    assert_eq!(document["nodes"][2]["distances"], json!([21, 21, 10, 11]));
    assert_eq!(document["caches"][1], json!({ "uncore": 2, "level": 3, "size_bytes": 32 << 20 }));
    assert_eq!((&document["interrupts_ms"], &document["cpusets"]), (&json!(1_000_500), &Value::Null));
}

#[test]
fn the_copy_may_be_the_sys_itself() {
    let tree = two_by_two();
    let sys = tree.path("sys");
    let (out, _) = succeeds(&["topology", "--json", "--sysfs", sys.to_str().unwrap()]);
    let (inner, mut outer): (Value, Value) = (serde_json::from_str(&out).unwrap(), tree.json());
    // There is no /proc in a /sys.
    outer["interrupts_ms"] = Value::Null;
    outer["cpus"].as_array_mut().unwrap().iter_mut().for_each(|cpu| cpu["interrupts"] = Value::Null);
    assert_eq!(inner, outer);
}

#[test]
fn big_and_little_cores_have_their_clocks() {
    let tree = Tree::new("0-7");
    for cpu in 0..8 {
        tree.cpu(cpu, &cpu.to_string(), "0");
        let shared = if cpu < 4 { "0-3" } else { "4-7" };
        tree.cache(cpu, 2, 2, "Unified", shared);
        let (capacity, khz) = match cpu {
            0..4 => ("446", "1800000"),
            4..7 => ("871", "2400000"),
            _ => ("1024", "2800000"),
        };
        tree.cpu_file(&format!("cpu{cpu}/cpu_capacity"), capacity);
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/cpuinfo_min_freq"), "300000");
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/cpuinfo_max_freq"), khz);
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/scaling_min_freq"), "300000");
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/scaling_max_freq"), if cpu == 7 { "2000000" } else { khz });
    }
    insta::assert_snapshot!("big_little", tree.text());
    let kinds = column(&tree.json(), "kind");
    assert_eq!((&kinds[0], &kinds[5], &kinds[7]), (&json!("little"), &json!("middle"), &json!("big")));
}

#[test]
fn a_hybrid_is_told_by_its_lists_and_odd_threads_do_not_disturb() {
    let tree = Tree::new("0-7");
    for cpu in 0..8 {
        let core = if cpu < 4 { format!("{}-{}", cpu / 2 * 2, cpu / 2 * 2 + 1) } else { cpu.to_string() };
        tree.cpu(cpu, &core, "0").cache(cpu, 3, 3, "Unified", "0-7");
    }
    tree.file("sys/devices/cpu_core/cpus", "0-3\n").file("sys/devices/cpu_atom/cpus", "4-7\n");
    let text = words(&tree.text());
    assert!(text.contains("2 big cores of 2 threads: 0-1 2-3 4 little cores: 4-7"), "{text}");
}

#[test]
fn holes_offline_cpus_and_nodes_without_memory_or_cpus() {
    let tree = Tree::new("1,4-5,9");
    for (cpu, core, socket) in [(1, "1,9", "7"), (9, "1,9", "7"), (4, "4-5", "2"), (5, "4-5", "2")] {
        tree.cpu(cpu, core, socket);
    }
    // A CPU that is switched off keeps its folder, without what is in it.
    fs::create_dir_all(tree.path("sys/devices/system/cpu/cpu3")).unwrap();
    tree.cpu_file("possible", "0-63").cpu_file("present", "1,3-5,9").cpu_file("offline", "0,2-3,6-8,10-63");
    tree.node(0, "4-5", 0, "10 20 40").node(3, "1,9", 1 << 20, "20 10 40").node(8, "", 4 << 20, "40 40 10");
    tree.file("sys/devices/system/node/online", "0,3,8\n")
        .file("sys/devices/system/node/has_memory", "3,8\n");
    insta::assert_snapshot!("holes", tree.text());
    let document = tree.json();
    assert_eq!(column(&document, "cpu"), [1, 4, 5, 9]);
    assert_eq!(column(&document, "node"), [3, 0, 0, 3]);
    assert_eq!((&document["offline"], &document["possible"]), (&json!("3"), &json!("0-63")));
    let memory: Vec<_> = (0..3).map(|node| document["nodes"][node]["memory_bytes"].clone()).collect();
    assert_eq!(memory, [json!(0), json!(1 << 30), json!(4_u64 << 30)]);
}

#[test]
fn thousands_of_cpus_are_read_quickly_and_fit_a_screen_or_two() {
    const CPUS: u32 = 8192;
    let tree = Tree::new(&format!("0-{}", CPUS - 1));
    for cpu in 0..CPUS {
        let core = cpu % (CPUS / 2);
        let first = core / 8 * 8;
        let shared = format!("{first}-{},{}-{}", first + 7, first + CPUS / 2, first + 7 + CPUS / 2);
        tree.cpu(cpu, &format!("{core},{}", core + CPUS / 2), &(core / 512).to_string());
        tree.cache(cpu, 3, 3, "Unified", &shared);
    }
    for node in 0..8 {
        let first = node * 512;
        let cpus = format!("{first}-{},{}-{}", first + 511, first + CPUS / 2, first + 511 + CPUS / 2);
        tree.node(node, &cpus, 1 << 30, "10 20 20 20 20 20 20 20");
    }
    let begun = Instant::now();
    let text = tree.text();
    // Under a second where nothing else runs; the bound is for a machine that is busy.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(text.starts_with("8,192 CPUs online: 4,096 cores, 512 last-level caches, 8 sockets"), "{text}");
    assert!(text.lines().count() < 300, "{}", text.lines().count());
    assert_eq!(tree.json()["cpus"].as_array().unwrap().len(), CPUS as usize);
}

#[test]
fn this_machine_is_shown_as_the_kernel_lists_it() {
    let (out, _) = succeeds(&["topology", "--json"]);
    let document: Value = serde_json::from_str(&out).unwrap();
    schema::assert_describes(published(), &document);
    let online: cgtune_core::CpuSet =
        fs::read_to_string("/sys/devices/system/cpu/online").unwrap().parse().unwrap();
    assert_eq!(column(&document, "cpu"), online.iter().map(Value::from).collect::<Vec<_>>());
    for cpu in document["cpus"].as_array().unwrap() {
        let list = format!("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu["cpu"]);
        let siblings: cgtune_core::CpuSet = fs::read_to_string(list).unwrap().parse().unwrap();
        assert_eq!(cpu["core"], siblings.iter().next().unwrap());
        assert!(cpu["interrupts"].is_u64(), "{cpu}");
    }
    assert!(Path::new("/proc/interrupts").exists() && document["interrupts_ms"].as_u64() > Some(0));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let unified = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let has_cpusets = mounts.contains("cpuset") || unified.contains("cpuset");
    assert_eq!(document["cpusets"].is_array(), has_cpusets, "{document:#}");
    assert!(succeeds(&["topology"]).0.starts_with(&format!("{} CPU", online.len())));
}

#[test]
fn the_picture_names_every_cpu_and_is_light_and_dark() {
    let tree = two_by_two();
    let file = tree.path("node.svg");
    succeeds(&tree.args(&["--svg", file.to_str().unwrap()]));
    let svg = fs::read_to_string(&file).unwrap();
    for text in (0..16)
        .map(|cpu| cpu.to_string())
        .chain(["socket 1", "node 3, 16 GiB", "L3 32 MiB", "isolated"].map(str::to_owned))
    {
        assert!(svg.contains(&format!(">{text}</text>")), "{text}: {svg}");
    }
    assert!(svg.contains("prefers-color-scheme:dark"));
    let (out, err) = fails(&tree.args(&["--svg", "/nowhere/at/all.svg"]));
    assert!(out.starts_with("16 CPUs online"), "what was asked is answered all the same: {out}");
    assert!(err.starts_with("error: cannot write /nowhere/at/all.svg: "), "{err}");
}

#[test]
fn the_picture_replaces_files_and_nothing_else() {
    use std::{
        io::Read as _,
        os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink},
        process::Command,
    };

    let tree = two_by_two();
    let root = tree.0.path().to_str().unwrap();
    let at = |name: &str| tree.path(name);
    let draw = |to: &str| succeeds(&["topology", "--host-root", root, "--svg", to]).0;
    fs::write(at("kept.svg"), "old").unwrap();
    fs::set_permissions(at("kept.svg"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("kept.svg", at("link.svg")).unwrap();
    let text = draw(at("link.svg").to_str().unwrap());
    let svg = fs::read_to_string(at("kept.svg")).unwrap();
    assert!(svg.starts_with("<svg"), "{svg}");
    assert_eq!(fs::metadata(at("kept.svg")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(at("link.svg").is_symlink());

    assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    let mut reader = fs::File::options().read(true).write(true).open(at("fifo")).unwrap();
    draw(at("fifo").to_str().unwrap());
    let mut read = vec![0; svg.len()];
    reader.read_exact(&mut read).unwrap();
    assert_eq!(read, svg.as_bytes());

    // Of our own: as /dev/full (drivers/char/mem.c, 6.12).
    let made = Command::new("mknod").arg(at("full")).args(["c", "1", "7"]).status().unwrap();
    assert!(made.success(), "this test needs permission to make a device: run it as root");
    let (out, said) = fails(&["topology", "--host-root", root, "--svg", at("full").to_str().unwrap()]);
    assert_eq!(out, text, "a picture that cannot be written costs no answer");
    assert!(said.contains("No space left"), "{said}");
    assert!(fs::symlink_metadata(at("full")).unwrap().file_type().is_char_device());

    // The answer goes before, where both go to the same place.
    assert_eq!(draw("/dev/stdout"), format!("{text}{svg}"));
    let (out, said) = fails(&["topology", "--host-root", root, "--svg", "-"]);
    assert!(out.is_empty() && said.contains("--svg FILE"), "{said}");
}

#[test]
fn interrupts_of_a_while_are_fewer_than_since_boot() {
    let json = |args: &[&str]| -> Value {
        serde_json::from_str(&succeeds(&[&["topology", "--json"], args].concat()).0).unwrap()
    };
    let (watched, all) = (json(&["--for", "300ms"]), json(&[]));
    let sum =
        |document: &Value| column(document, "interrupts").iter().map(|n| n.as_u64().unwrap()).sum::<u64>();
    assert!((300..5000).contains(&watched["interrupts_ms"].as_u64().unwrap()), "{watched}");
    assert!(sum(&watched) < sum(&all), "{watched} {all}");
    assert!(fails(&["topology", "--for", "300"]).1.contains("--for"));
}

#[test]
fn a_count_that_is_interrupted_says_what_was_counted() {
    use std::{
        os::unix::process::ExitStatusExt as _,
        process::{Command, Stdio},
        time::Duration,
    };
    for signal in ["-INT", "-TERM"] {
        let mut tool = Command::new(assert_cmd::cargo::cargo_bin!("cgtune"));
        tool.env_clear().args(["topology", "--for", "1h", "--json"]);
        let child = tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = child.id().to_string();
        // It heeds signals from before it counts.
        let heeds = || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let caught =
                status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
            u64::from_str_radix(&caught, 16).unwrap() & (1 << 14) != 0
        };
        let begun = std::time::Instant::now();
        while !heeds() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.status.signal()), (Some(130), None), "{said}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        schema::assert_describes(published(), &document);
        assert!((200..20_000).contains(&document["interrupts_ms"].as_u64().unwrap()), "{document}");
        let said = words(&said);
        assert!(
            said.contains("interrupted after ") && said.contains(": interrupts are of that time"),
            "{said}"
        );
    }
}

/// A node with cgroup v2: a partition, a container with CPUs of its own, one inside with the same, and one without.
fn with_cpusets() -> Tree {
    let tree = Tree::new("0-3");
    for cpu in 0..4 {
        tree.cpu(cpu, &cpu.to_string(), "0");
    }
    tree.file("proc/1/mountinfo", "25 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    let root = "sys/fs/cgroup";
    tree.file(&format!("{root}/cgroup.controllers"), "cpuset cpu\n");
    tree.file(&format!("{root}/cgroup.procs"), "1\n").file(&format!("{root}/cpuset.cpus.effective"), "0-2\n");
    let id = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
    let pod = "kubepods/pod6c1a4e95-0000-4000-8000-000000000000";
    for (path, cpus, effective, partition, procs) in [
        ("quiet", "3", "3", "isolated", "7\n"),
        ("kubepods", "", "0-2", "member", ""),
        (pod, "", "0-2", "member", ""),
        (&format!("{pod}/{id}"), "1-3", "1-2", "member", "8\n9\n"),
        (&format!("{pod}/{id}/inner"), "", "1-2", "member", "10\n"),
        ("odd\x1b[2J", "2", "2", "root invalid (Cpu list in cpuset.cpus not exclusive)", ""),
    ] {
        for (file, text) in [
            ("cgroup.type", "domain"),
            ("cpuset.cpus", cpus),
            ("cpuset.cpus.effective", effective),
            ("cpuset.cpus.partition", partition),
        ] {
            tree.file(&format!("{root}/{path}/{file}"), &format!("{text}\n"));
        }
        tree.file(&format!("{root}/{path}/cgroup.procs"), procs);
    }
    tree
}

#[test]
fn cgroups_with_cpus_of_their_own_are_listed_with_names_and_partitions() {
    let tree = with_cpusets();
    let args = ["topology", "--host-root", tree.0.path().to_str().unwrap()];
    let document: Value = serde_json::from_str(&succeeds(&[&args[..], &["--json"]].concat()).0).unwrap();
    schema::assert_describes(published(), &document);
    let cpusets = document["cpusets"].as_array().unwrap();
    let of = |field: &str| cpusets.iter().map(|cpuset| cpuset[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("effective_cpus"), ["1-2", "2", "3"]);
    assert_eq!(of("cpus"), ["1-3", "2", "3"]);
    assert_eq!(of("processes"), [2, 0, 1]);
    assert_eq!(cpusets[1]["path"], "/odd\\x1b[2J");
    assert_eq!(cpusets[2]["partition"], "isolated");
    assert!(cpusets[0]["container"].as_str().unwrap().starts_with("3b2e7f9d0c1a"));
    let text = succeeds(&args).0;
    assert!(text.contains("CPUs 1-2 of 1-3 that it asks for, 2 processes"), "{text}");
    assert!(
        words(&text).contains("CPU 2, partition: root invalid (Cpu list in cpuset.cpus not exclusive)"),
        "{text}"
    );
}

/// Text, JSON and picture of a machine.
fn every_form(args: &[&str], stdin: &str, svg: &Path) -> [String; 3] {
    let run = |more: &[&str]| {
        let output = tool::tool().args(args).args(more).write_stdin(stdin).output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(&["--svg", svg.to_str().unwrap()]);
    [text, run(&["--json"]), fs::read_to_string(svg).unwrap()]
}

#[test]
fn a_description_is_shown_as_the_machine_was_with_those_who_held_cpus() {
    let tree = with_cpusets();
    // A name that a source tells: the kubelet's folders of logs.
    let id = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
    let folder = tree.path("var/log/pods/prod_web-0_6c1a4e95-0000-4000-8000-000000000000/app");
    fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(format!("/x/{id}-json.log"), folder.join("0.log")).unwrap();
    let svg = tree.path("node.svg");
    let live = every_form(&["topology", "--host-root", tree.0.path().to_str().unwrap()], "", &svg);
    assert!(live[0].contains("prod/web-0/"), "{}", live[0]);
    assert_eq!(every_form(&["topology", "--from", "-"], &live[1], &svg), live);
    let file = tree.path("node.json");
    fs::write(&file, &live[1]).unwrap();
    assert_eq!(every_form(&["topology", "--from", file.to_str().unwrap()], "", &svg), live);
    // Of a copy of a /sys nobody knows who holds what.
    assert_eq!(tree.json()["cpusets"], Value::Null);
}

#[test]
fn a_cgroup_that_cannot_be_understood_is_told_of_and_costs_no_other() {
    let tree = with_cpusets();
    tree.file("sys/fs/cgroup/quiet/cpuset.cpus.partition", "0-3 or so\n");
    let args = ["topology", "--host-root", tree.0.path().to_str().unwrap()];
    let (out, err) = succeeds(&args);
    assert!(out.contains("CPUs 1-2 of 1-3 that it asks for") && !out.contains("isolated"), "{out}");
    assert!(words(&err).starts_with("warning: which CPUs one cgroup holds is not known: "), "{err}");
    assert!(err.contains("quiet/cpuset.cpus.partition"), "{err}");
}

#[test]
fn of_many_cgroups_the_first_are_shown_and_the_others_counted() {
    let tree = with_cpusets();
    for number in 0..30 {
        for (file, text) in [("cgroup.procs", ""), ("cpuset.cpus", "0"), ("cpuset.cpus.effective", "0")] {
            tree.file(&format!("sys/fs/cgroup/g{number}/{file}"), &format!("{text}\n").replace("\n\n", ""));
        }
    }
    let args = ["topology", "--host-root", tree.0.path().to_str().unwrap()];
    let text = succeeds(&args).0;
    assert!(text.contains("and 13 more: --json lists all"), "{text}");
    let document: Value = serde_json::from_str(&succeeds(&[&args[..], &["--json"]].concat()).0).unwrap();
    assert_eq!(document["cpusets"].as_array().unwrap().len(), 33);
}

#[test]
fn a_real_machine_of_two_sockets_and_four_nodes_in_qemu() {
    let tree = qemu();
    insta::assert_snapshot!("qemu", tree.text());
    let document = tree.json();
    // What the same tool said in the guest.
    assert_eq!(column(&document, "cpu"), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(column(&document, "core"), [0, 0, 2, 2, 4, 4, 6]);
    assert_eq!(column(&document, "socket"), [0, 0, 0, 0, 1, 1, 1]);
    assert_eq!(column(&document, "node"), [0, 0, 1, 1, 2, 2, 3]);
    assert_eq!(column(&document, "uncore"), [0, 0, 0, 0, 4, 4, 4]);
    assert_eq!(
        (&document["offline"], &document["isolated"], &document["nohz_full"]),
        (&json!("7"), &json!("5"), &json!(""))
    );
    assert_eq!(document["interrupts_ms"], 10_650);
}
