//! `cgtune top` on the kernel that runs the tests: beside a throttled group of ours, on a terminal, and in a storm of
//! groups that come and go. The storm in full is `tests/storm`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared modules"
)]

mod node;
mod pty;
mod tool;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use cgtune_core::control::apply;
use cgtune_sys::{process::Child, spawn::Program};
use nix::sys::signal::Signal;
use node::{Node, alone, bandwidth, binary, limited};
use pty::Terminal;
use serde_json::Value;
use tool::schema;

/// A group with 10 ms of every 100 ms, and one thread in it that wants it all: so little that it is throttled also on a busy
/// machine.
fn throttled(what: &str) -> (Node, Child) {
    let mut node = Node::new(what);
    apply(node.group.cgroup().unwrap(), &bandwidth(limited(10, 100, 0))).unwrap();
    let program = Program { path: "/bin/sh".into(), args: vec!["-c".into(), "while :; do :; done".into()] };
    let load = node.group.spawn(&program).unwrap();
    (node, load)
}

fn top(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("top").args(args).env("NO_COLOR", "1").env("COLUMNS", "80").stdin(Stdio::null());
    command
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", node::text(&output));
    assert!(output.stderr.is_empty(), "{}", node::text(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_throttled_group_is_there_with_its_numbers() {
    let _one = alone();
    let (mut node, load) = throttled("seen");
    let path = node.path().to_str().unwrap().to_owned();
    let out = stdout(&mut top(&["--json", "--ticks", "3"]));
    let published: Value = serde_json::from_str(include_str!("../schemas/top-1.schema.json")).unwrap();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let (mut throttled, mut stalled) = (0.0, 0.0);
    for line in &lines {
        schema::assert_describes(published.clone(), line);
        let group = line["cgroups"].as_array().unwrap().iter().find(|group| group["path"] == path.as_str());
        let group = group.unwrap_or_else(|| panic!("{path} is not in {line:#}"));
        assert_eq!((&group["quota_us"], &group["period_us"]), (&10_000.into(), &100_000.into()), "{group:#}");
        assert_eq!(group["effective_limit"]["set_by"], path.as_str());
        assert_eq!(group["threads"], 1, "{group:#}");
        let number = |name: &str| group[name].as_f64().unwrap_or_else(|| panic!("{name}: {group:#}"));
        assert!(number("cpus_used") > 0.0 && number("nr_periods") > 0.0, "{group:#}");
        throttled += number("nr_throttled");
        stalled += number("stall_ms_per_s");
        assert!(number("run_delay_ms_per_s") > 0.0, "{group:#}");
        let ratio = number("nr_throttled") / number("nr_periods");
        assert!((number("throttled_ratio") - ratio).abs() < 1e-9, "{group:#}");
    }

    // It wants a whole CPU and has a tenth.
    assert!(throttled > 0.0 && stalled > 0.0, "{lines:#?}");

    let out = stdout(&mut top(&["--once", "--filter", &path]));
    let line = out.lines().find(|line| line.contains("/0.10")).unwrap_or_else(|| panic!("{out}"));
    assert!(line.contains(" %") && line.contains(" ms"), "{out}");
    drop((load, node));
}

#[test]
fn keys_do_what_the_footer_says_and_the_terminal_is_given_back() {
    let _one = alone();
    let (mut node, load) = throttled("keys");
    let path = node.path();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut terminal = Terminal::start(&binary(), &["top"], 100, 30);
    terminal.until("the table", |text| text.contains("▼STALL/s") && text.contains("/0.10"));
    terminal.press("c");
    terminal
        .until("another order", |text| text.contains("by CPU, most first") && text.contains("▼CPU/LIMIT"));
    terminal.press("r");
    terminal.until("the order reversed", |text| text.contains("least first"));
    terminal.press("v");
    terminal.until("a tree", |text| text.contains("tree by CPU"));
    terminal.press("o");
    terminal.until("pods", |text| text.contains("pods by CPU"));
    terminal.press("ors/keys");
    terminal.until("a filter being typed", |text| text.contains("filter: keys"));
    terminal.press("\r");
    terminal.until("the filter", |text| text.contains("with \"keys\" in name or path"));
    terminal.press(" ");
    terminal.until("a pause", |text| text.contains("PAUSED"));
    terminal.press(" ");
    terminal.press("\r");
    let page = terminal
        .until("one group with its threads", |text| text.contains("1 THREADS") && text.contains(" sh "));
    assert!(page.contains(&name) && page.contains("10ms/100ms") && page.contains("◀ limit"), "{page}");
    assert!(page.contains("CPUs USED, OF 0.10") && page.contains("LAST MINUTE"), "{page}");
    terminal.press("?");
    terminal.until("the help", |text| text.contains("any key goes back") && text.contains("sort by stall"));
    terminal.press("x");
    terminal.resize(20, 5);
    terminal.until("a message on a tiny terminal", |text| text.contains("cgtune top needs"));
    terminal.resize(100, 30);
    terminal.until("the page again", |text| text.contains("◀ limit"));
    drop(load);
    drop(node);
    terminal.until("that the group has left", |text| text.contains("has vanished"));
    terminal.press("\x1b");
    terminal.until("the table again", |text| text.contains("no name or path contains this"));
    terminal.press("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn signals_end_it_and_the_terminal_is_given_back() {
    let _one = alone();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let terminal = Terminal::start(&binary(), &["top"], 80, 24);
        terminal.until("the table", |text| text.contains("CGROUP") && text.contains("scan"));
        terminal.signal(signal);
        assert_eq!(terminal.end().code(), Some(130), "{signal}");
    }
    let mut terminal = Terminal::start(&binary(), &["top", "--interval", "1h"], 80, 24);
    terminal.until("the table", |text| text.contains("CGROUP"));
    terminal.press("\x03");
    assert_eq!(terminal.end().code(), Some(130), "Ctrl-C");
    let terminal = Terminal::start(&binary(), &["top", "--ticks", "2", "--interval", "100ms"], 80, 24);
    assert_eq!(terminal.end().code(), Some(0), "ends by itself");
}

#[test]
fn a_terminal_that_hangs_up_ends_it_also_without_a_signal() {
    let _one = alone();
    let pty = pty::open(80, 24);
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut command = Command::new(binary());
    // Not the leader of a session, so that no SIGHUP comes.
    command.args(["top", "--interval", "1h"]).env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
    let mut child = command.spawn().unwrap();
    drop((command, pty.slave));
    let mut master = fs::File::from(pty.master);
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("scan") {
        let mut bytes = [0; 4096];
        let n = std::io::Read::read(&mut master, &mut bytes).unwrap();
        seen.extend_from_slice(&bytes[..n]);
    }
    drop(master);
    let deadline = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_terminal_that_cannot_place_its_cursor_is_told_what_to_use_instead() {
    let _one = alone();
    let terminal = Terminal::start_as("dumb", &binary(), &["top"], 80, 24);
    terminal.until("the hint", |text| text.contains("TERM=dumb") && text.contains("cgtune top --once"));
    assert_eq!(terminal.end().code(), Some(2));
}

#[test]
fn a_storm_of_groups_leaves_no_trace_in_the_process() {
    const A_SECOND: u32 = 100;
    let _one = alone();
    let mut node = Node::new("storm");
    let below = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
    let mut child = top(&["--json", "--interval", "100ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let descriptors = {
        let folder = PathBuf::from(format!("/proc/{}/fd", child.id()));
        move || fs::read_dir(&folder).unwrap().count()
    };
    let out = BufReader::new(child.stdout.take().unwrap());
    let lines = std::thread::spawn(move || {
        out.lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()).collect::<Vec<_>>()
    });
    std::thread::sleep(Duration::from_millis(500));
    let before = descriptors();
    let end = Instant::now() + Duration::from_secs(5);
    let (mut made, mut number) = (Vec::new(), 0);
    while Instant::now() < end {
        let group = below.join(format!("storm{number}"));
        fs::create_dir(&group).unwrap();
        made.push(group);
        number += 1;
        // Some live for a moment, some until the next one.
        if made.len() > 10 || number % 7 == 0 {
            fs::remove_dir(made.remove(0)).unwrap();
        }
        std::thread::sleep(Duration::from_secs(1) / A_SECOND);
    }
    for group in made {
        fs::remove_dir(group).unwrap();
    }
    std::thread::sleep(Duration::from_millis(500));
    let after = descriptors();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM)
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let lines = lines.join().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", node::text(&output));
    assert!(output.stderr.is_empty(), "{}", node::text(&output));
    assert!(number > 50 && lines.len() > 5, "{number} groups, {} lines", lines.len());
    for line in &lines {
        assert_eq!((&line["scan"]["unreadable"], &line["scan"]["trouble"]), (&0.into(), &Value::Null));
    }
    let most = lines.iter().map(|line| line["scan"]["cgroups"].as_u64().unwrap()).max().unwrap();
    let last = lines.last().unwrap()["scan"]["cgroups"].as_u64().unwrap();
    assert!(most > last, "some were seen ({most}), none are left ({last})");
    // Each that is kept has three or four; other tests' groups may come and go by a few.
    assert!(after <= before + 8, "{before} descriptors became {after}");
}
