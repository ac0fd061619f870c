//! The binary as a user or a parent process meets it.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

fn workloads(arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("workloads"));
    command.args(arguments);
    command
}

const SMALL: [&str; 5] = ["h264", "--size", "64x48", "--clip-frames", "4"];

fn small(more: &[&str]) -> Command {
    workloads(&[&SMALL, more].concat())
}

#[test]
fn json_holds_each_frame_and_the_summary() {
    let output = small(&["--frames", "5", "--fps", "500", "--json"]).output().unwrap();
    assert!(output.status.success());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], "cgtune.workload-h264/1");
    let frames = document["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 5);
    assert_eq!((&frames[0]["kind"], &frames[1]["kind"]), (&"I".into(), &"P".into()));
    for frame in frames {
        let at = |name: &str| frame[name].as_u64().unwrap();
        assert!(at("intended_ns") <= at("start_ns") && at("start_ns") < at("end_ns") && at("bits") > 0);
    }
    assert_eq!(document["summary"]["frames"], 5);
    assert_eq!(document["summary"]["latency_p99_ns"], Value::Null);
    assert_eq!(document["interrupted"], false);
}

#[test]
fn the_table_says_what_it_cannot_tell() {
    let output = small(&["--frames", "5", "--no-clock", "--stages"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("CPU p99/p50") && text.contains("n/a") && text.contains("search"), "{text}");
    assert!(!text.contains("latency"), "without a clock there is no latency: {text}");
    assert!(output.stderr.is_empty());
}

#[test]
fn waste_is_asked_for_and_told() {
    let arguments =
        ["--frames", "2", "--no-clock", "--waste-compute", "5%", "--waste-memory", "64KiB", "--waste-writes"];
    let output = small(&[&arguments[..], &["--json"]].concat()).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!({ "compute_frac": 0.05, "memory_bytes": 65_536, "one_by_one": true });
    assert_eq!(document["config"]["waste"], expected);
    let text = String::from_utf8(small(&arguments).output().unwrap().stdout).unwrap();
    assert!(text.contains("5.0 % CPU time, 64 KiB of memory, a write each byte"), "{text}");
}

#[test]
fn wrong_use_exits_with_2_and_a_hint() {
    for (arguments, expected) in [
        (&["--duration", "10"][..], "needs a unit"),
        (&["--qp", "99"], "hint: 15 (fine) to 49 (coarse)"),
        (&["--threads", "9"], "rows of macroblocks"),
        (&["--jitter", "0.7"], "below 0.5"),
        (&["--fps", "0"], "not a frame rate"),
        (&["--waste-compute", "half"], "not a part"),
        (&["--waste-compute", "2000%"], "hint: a part of the frame's own"),
        (&["--waste-memory", "8"], "8KiB or 8MiB"),
        (&["--waste-memory", "2GiB"], "hint: 0 to 1 GiB"),
    ] {
        let output = small(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_file_is_encoded_at_its_own_size_and_garbage_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, stream) = (folder.path().join("clip.y4m"), folder.path().join("clip.264"));
    let mut bytes = b"YUV4MPEG2 W48 H32 F25:1 C420jpeg\n".to_vec();
    for frame in 0..3u8 {
        bytes.extend(b"FRAME\n");
        bytes.extend((0..48 * 32 * 3 / 2).map(|i| (i % 200) as u8 + frame));
    }
    std::fs::write(&clip, &bytes).unwrap();
    let run = |path: &std::path::Path| {
        workloads(&["h264", "--frames", "4", "--no-clock", "--input"])
            .arg(path)
            .arg("--output")
            .arg(&stream)
            .output()
            .unwrap()
    };
    let output = run(&clip);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("48x32"));
    assert!(std::fs::read(&stream).unwrap().starts_with(&[0, 0, 0, 1, 0x67]));

    std::fs::write(&clip, "not a clip\n").unwrap();
    for path in [clip, folder.path().join("missing.y4m")] {
        let output = run(&path);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("hint: "));
    }
}

#[test]
fn an_interrupted_run_shows_what_it_has() {
    for signal in ["INT", "TERM"] {
        let child = small(&["--duration", "1h", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["interrupted"], true);
        assert!(!document["frames"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_load_ends_when_its_parent_hangs_up() {
    for load in [
        &["hog", "--until-stdin-closes"][..],
        &["pulse", "--work", "1ms", "--every", "1h", "--until-stdin-closes"],
        &["service", "--demand", "1ms", "--every", "1h", "--until-stdin-closes"],
        &[&SMALL[..], &["--duration", "1h", "--until-stdin-closes"]].concat(),
    ] {
        let mut child = workloads(load).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"ignored").unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        let closed = Instant::now();
        drop(stdin);
        assert!(child.wait().unwrap().success());
        assert!(closed.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_broken_pipe_ends_quietly() {
    let mut child = small(&["--frames", "3", "--no-clock", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(message, "");
}

#[test]
fn pulses_are_told_as_json_and_as_a_table() {
    let pulse = [
        "pulse",
        "--threads",
        "2",
        "--work",
        "1ms",
        "--every",
        "20ms",
        "--jitter",
        "30%",
        "--duration",
        "500ms",
    ];
    let output = workloads(&[&pulse[..], &["--json"]].concat()).output().unwrap();
    assert!(output.status.success());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], "cgtune.workload-pulse/1");
    assert_eq!(document["config"]["jitter"], 0.3);
    let pulses = document["pulses"].as_array().unwrap();
    assert!(pulses.len() >= 10, "{}", pulses.len());
    assert_eq!(document["summary"]["pulses"], pulses.len());
    for pulse in pulses {
        let at = |name: &str| pulse[name].as_u64().unwrap();
        assert!(at("intended_ns") <= at("start_ns") && at("start_ns") < at("end_ns"));
        assert!(at("cpu_ns") >= 2_000_000, "both threads: {pulse}");
    }
    let text = String::from_utf8(workloads(&pulse).output().unwrap().stdout).unwrap();
    assert!(text.contains("1.00 ms each, every 20.00 ms") && text.contains("latency p50"), "{text}");
}

#[test]
fn the_first_pulse_comes_when_it_is_told_to() {
    for (after, pulses) in [("0s", 1), ("1h", 0)] {
        let output =
            workloads(&["pulse", "--work", "1ms", "--every", "1h", "--jitter", "0", "--after", after])
                .args(["--duration", "300ms", "--json"])
                .output()
                .unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["pulses"].as_array().unwrap().len(), pulses, "{document}");
    }
}

#[test]
fn an_interrupted_pulse_load_ends_though_it_sleeps() {
    let mut child = workloads(&["pulse", "--work", "1ms", "--every", "1h", "--jitter", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it ended too early");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stdout).contains("by a signal"));
}

#[test]
fn impossible_pulses_exit_with_2_and_a_hint() {
    for (arguments, expected) in [
        (&["--work", "1ms", "--every", "10us"][..], "hint: 1 ms to 1 h"),
        (&["--work", "0s", "--every", "1s"], "hint: some CPU time"),
        (&["--work", "1ms", "--every", "1s", "--threads", "0"], "at least one thread"),
        (&["--work", "1ms"], "--every"),
        (&["--work", "1ms", "--every", "1s", "--jitter", "half"], "not a part"),
    ] {
        let output = workloads(&[&["pulse"], arguments].concat()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

const SERVICE: [&str; 9] =
    ["service", "--threads", "2", "--fan-out", "2", "--demand", "1ms", "--every", "10ms"];

#[test]
fn requests_are_told_as_json_and_as_a_table() {
    let arguments = [&SERVICE[..], &["--poisson", "--spread", "log-normal:0.5", "--requests", "30"]].concat();
    let output = workloads(&[&arguments[..], &["--json"]].concat()).output().unwrap();
    assert!(output.status.success());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], "cgtune.workload-service/1");
    assert_eq!(document["config"]["spread"]["log_normal"]["cv"], 0.5);
    assert_eq!(document["config"]["arrivals"]["poisson"]["every_ns"], 10_000_000);
    let requests = document["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &document["summary"]["requests"]), (30, &Value::from(30)));
    for (index, request) in requests.iter().enumerate() {
        let at = |name: &str| request[name].as_u64().unwrap();
        assert_eq!(at("index"), index as u64);
        assert!(at("intended_ns") <= at("start_ns") && at("start_ns") < at("end_ns"), "{request}");
    }
    let cpu_ns: u64 = requests.iter().map(|request| request["cpu_ns"].as_u64().unwrap()).sum();
    assert_eq!(document["summary"]["cpu_mean_ns"], cpu_ns / 30);
    let text = String::from_utf8(workloads(&arguments).output().unwrap().stdout).unwrap();
    for expected in ["1.00 ms, log-normal, CV 0.5", "every 10.00 ms, at random", "latency p50"] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_service_serves_what_comes_in_its_time() {
    let arguments = ["--jitter", "0", "--duration", "95ms", "--json"];
    let output = workloads(&[&SERVICE[..], &arguments].concat()).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let requests = document["requests"].as_array().unwrap();
    let starts: Vec<u64> = requests.iter().map(|request| request["intended_ns"].as_u64().unwrap()).collect();
    assert!(starts.into_iter().eq((0..10).map(|i| i * 10_000_000)), "{document}");
}

#[test]
fn an_interrupted_service_shows_what_it_has() {
    for signal in ["INT", "TERM"] {
        let mut child = workloads(&["service", "--demand", "1ms", "--every", "1h", "--jitter", "0"])
            .arg("--json")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["interrupted"], true);
        assert_eq!(document["requests"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn impossible_services_exit_with_2_and_a_hint() {
    for (arguments, expected) in [
        (&["--demand", "1ms", "--every", "10us"][..], "hint: 1 ms to 1 h"),
        (&["--demand", "0s", "--every", "1s"], "hint: 1 µs for each piece"),
        (&["--demand", "1ms", "--every", "1s", "--threads", "0"], "hint: 1 to 1024"),
        (&["--demand", "2ms", "--every", "1s", "--demand-max", "1ms"], "hint: the mean demand or more"),
        (&["--demand", "1ms", "--every", "1s", "--spread", "log-normal:0"], "hint: above 0"),
        (&["--demand", "1ms", "--every", "1s", "--spread", "wide"], "log-normal:CV"),
        (&["--demand", "1ms", "--every", "1s", "--poisson", "--jitter", "0"], "cannot be used with"),
        (&["--demand", "1ms"], "--every"),
    ] {
        let output = workloads(&[&["service"], arguments].concat()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_hog_burns_for_as_long_as_asked() {
    let start = Instant::now();
    assert!(workloads(&["hog", "--threads", "2", "--duration", "200ms"]).status().unwrap().success());
    assert!(start.elapsed() >= Duration::from_millis(200));
}
