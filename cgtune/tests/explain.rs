//! `cgtune explain`: the pages as people and programs get them, and that they tell no lies: every command of ours that a page
//! shows is run, on nodes that are folders.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod tool;

use std::{collections::BTreeSet, fs, path::Path};

use cgtune_core::diagnose::Cause;
use serde_json::Value;
use tempfile::TempDir;
use tool::{fails, schema, succeeds, tool};

/// The sections of every page, in their order.
const SECTIONS: [&str; 7] = [
    "What you see",
    "Make sure",
    "Stop the bleeding",
    "The lasting fix",
    "What it costs others",
    "What it is not",
    "Sources",
];

/// A page must fit on a tall terminal, or on two screens of a small one.
const LONGEST: usize = 60;

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/explain-1.schema.json")).unwrap()
}

/// The answer of `cgtune explain CAUSE --json`, checked against its schema.
fn page(cause: Cause) -> Value {
    let document: Value = serde_json::from_str(&succeeds(&["explain", cause.name(), "--json"]).0).unwrap();
    schema::assert_describes(published(), &document);
    document
}

fn markdown(cause: Cause) -> String {
    page(cause)["markdown"].as_str().unwrap().to_owned()
}

/// The text below a section's heading.
fn section<'a>(markdown: &'a str, name: &str) -> &'a str {
    let (_, below) = markdown.split_once(&format!("\n## {name}\n")).expect(name);
    below.split("\n## ").next().unwrap()
}

/// What stands between backticks in the text, and each line of its code blocks, with continued lines joined.
fn code(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (n, part) in markdown.split("```").enumerate() {
        if n % 2 == 1 {
            let body = part.split_once('\n').unwrap().1.replace("\\\n", " ");
            found.extend(body.lines().map(str::to_owned));
        } else {
            found.extend(part.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")));
        }
    }
    found
}

/// The words of every command of ours on a page, without the name of the tool and comments.
fn commands(markdown: &str) -> Vec<Vec<String>> {
    let ours = |line: &String| {
        let words = line.split(" #").next()?.strip_prefix("cgtune ")?.split_whitespace();
        Some(words.map(str::to_owned).collect::<Vec<_>>())
    };
    code(markdown).iter().filter_map(ours).collect()
}

#[test]
fn every_page_has_its_sections_and_fits_a_terminal() {
    for cause in Cause::ALL {
        let document = page(cause);
        let text = |field: &str| document[field].as_str().unwrap().to_owned();
        let (title, summary, markdown) = (text("title"), text("summary"), text("markdown"));
        assert!(markdown.starts_with(&format!("# {cause}: {title}\n\n{summary}\n\n## ")), "{cause}");
        assert!(!title.ends_with('.') && !title.contains('`'), "{title}");
        let plain = !summary.contains('`') && !summary.contains(". ") && summary.ends_with('.');
        assert!(plain, "{cause}: not one sentence of plain text: {summary}");

        let headings: Vec<&str> = markdown.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, SECTIONS, "{cause}");
        for name in SECTIONS {
            assert!(!section(&markdown, name).trim().is_empty(), "{cause}: {name} is empty");
        }

        let (shown, err) = succeeds(&["explain", cause.name()]);
        assert_eq!(err, "");
        assert!(shown.lines().count() <= LONGEST, "{cause}: {} lines", shown.lines().count());
        for line in shown.lines() {
            assert!(line.chars().count() <= 80, "{cause}: too wide: {line}");
            assert_eq!(line.trim_end(), line, "{cause}: blanks at the end");
        }
        for words in SECTIONS.into_iter().chain([title.as_str()]) {
            assert!(shown.contains(words), "{cause}: {words} is not shown");
        }
    }
}

/// What the renderer does not know would be shown as its source.
#[test]
fn pages_keep_to_the_markdown_that_is_rendered() {
    for cause in Cause::ALL {
        let markdown = markdown(cause);
        assert_eq!(markdown.matches("```").count() % 2, 0, "{cause}: an open code block");
        assert!(!markdown.contains('\t') && !markdown.contains('\r'), "{cause}");
        for text in markdown.split("```").step_by(2) {
            assert_eq!(text.matches('`').count() % 2, 0, "{cause}: an open quote in {text}");
            let outside: String = text.split('`').step_by(2).collect();
            for unknown in ["**", "](", "__", "<", "~~"] {
                assert!(!outside.contains(unknown), "{cause}: {unknown} in {outside}");
            }
            for line in text.lines() {
                let begins = |marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
                assert!(!begins(&["###", ">", "|", "* ", "+ ", "1. ", "---", "   "]), "{cause}: {line}");
            }
        }
    }
}

#[test]
fn every_page_says_how_to_be_sure_and_names_the_files_of_both_layouts() {
    for cause in Cause::ALL {
        let markdown = markdown(cause);
        let sure = section(&markdown, "Make sure");
        for needed in [
            "cgtune diagnose TARGET --for ",
            "cgtune stat TARGET --for ",
            "/sys/fs/cgroup/cpu/PATH",
            "/sys/fs/cgroup/PATH",
        ] {
            assert!(sure.contains(needed), "{cause}: {needed}");
        }
        let stop = section(&markdown, "Stop the bleeding");
        assert!(stop.contains("\ncgtune undo\n"), "{cause}: what is tried must be taken back");
    }
}

#[test]
fn what_looks_alike_is_another_cause_that_has_a_page() {
    let names = Cause::ALL.map(Cause::name);
    for cause in Cause::ALL {
        let markdown = markdown(cause);
        let named: BTreeSet<String> = code(section(&markdown, "What it is not"))
            .into_iter()
            .filter(|span| span.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
            .collect();
        assert!(!named.is_empty(), "{cause} is like nothing");
        for name in named {
            assert!(names.contains(&name.as_str()) && name != cause.name(), "{cause} is not {name}?");
        }
    }
}

/// A node as a folder: a pod of two groups, with limits, on one layout.
struct Node {
    root: TempDir,
    journal: TempDir,
}

const POD: &str = "/kubepods/burstable/pod11112222-3333-4444-5555-666677778888";
const ID: &str = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";

impl Node {
    fn new(mountinfo: &str) -> Self {
        let node = Self { root: TempDir::new().unwrap(), journal: TempDir::new().unwrap() };
        node.file("/proc/1/mountinfo", mountinfo);
        node.file("/proc/sys/kernel/random/boot_id", "00112233-4455-6677-8899-aabbccddeeff\n");
        node.file("/sys/devices/system/cpu/online", "0-15\n");
        node.file("/sys/devices/system/cpu/possible", "0-15\n");
        node
    }

    fn v1() -> Self {
        let node = Self::new(
            "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
             33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n",
        );
        let (cpus, mems) = (("cpuset.cpus", "0-15\n"), ("cpuset.mems", "0\n"));
        // On v1 the root has all the files too.
        for path in Self::groups().into_iter().chain([String::new()]) {
            let quota = if Self::limited(&path) { "200000\n" } else { "-1\n" };
            node.group(
                &format!("/sys/fs/cgroup/cpu{path}"),
                &[
                    ("tasks", ""),
                    ("cpu.shares", "1024\n"),
                    ("cpu.idle", "0\n"),
                    ("cpu.cfs_quota_us", quota),
                    ("cpu.cfs_period_us", "100000\n"),
                    ("cpu.cfs_burst_us", "0\n"),
                    (
                        "cpu.stat",
                        "nr_periods 9\nnr_throttled 4\nthrottled_time 7000\nnr_bursts 0\nburst_time 0\n",
                    ),
                    ("cpuacct.usage", "10000\n"),
                ],
            );
            node.group(
                &format!("/sys/fs/cgroup/cpuset{path}"),
                &[("tasks", ""), cpus, mems, ("cpuset.effective_cpus", cpus.1)],
            );
        }
        node
    }

    fn v2() -> Self {
        let node = Self::new("25 22 0:22 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n");
        node.group(
            "/sys/fs/cgroup",
            &[
                ("cgroup.controllers", "cpuset cpu\n"),
                ("cpu.stat", "usage_usec 10\nuser_usec 6\nsystem_usec 4\n"),
            ],
        );
        node.file("/sys/fs/cgroup/cpuset.cpus.effective", "0-15\n");
        node.file("/sys/fs/cgroup/cpuset.mems.effective", "0\n");
        for path in Self::groups() {
            let max = if Self::limited(&path) { "200000 100000\n" } else { "max 100000\n" };
            node.group(&format!("/sys/fs/cgroup{path}"), &[
                ("cgroup.type", "domain\n"),
                ("cgroup.controllers", "cpuset cpu\n"),
                ("cpu.weight", "100\n"),
                ("cpu.idle", "0\n"),
                ("cpu.max", max),
                ("cpu.max.burst", "0\n"),
                ("cpu.stat", "usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 9\nnr_throttled 4\nthrottled_usec 7\nnr_bursts 0\nburst_usec 0\n"),
                ("cpuset.cpus", "\n"),
                ("cpuset.cpus.effective", "0-15\n"),
                ("cpuset.mems", "\n"),
                ("cpuset.mems.effective", "0\n"),
            ]);
        }
        node
    }

    fn groups() -> Vec<String> {
        let above = Path::new(POD).ancestors().filter(|path| path.parent().is_some());
        let mut groups: Vec<String> = above.map(|path| path.to_str().unwrap().to_owned()).collect();
        groups.extend([format!("{POD}/{ID}"), "/web.slice".into(), "/neighbour".into()]);
        groups
    }

    /// The pod and the container, whose quotas are equal, and the slice.
    fn limited(path: &str) -> bool {
        path.starts_with(POD) || path == "/web.slice"
    }

    fn group(&self, dir: &str, files: &[(&str, &str)]) {
        for (name, text) in files.iter().chain(&[("cgroup.procs", "")]) {
            self.file(&format!("{dir}/{name}"), text);
        }
    }

    fn file(&self, path: &str, text: &str) {
        let full = self.root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }

    /// What a page shows, as it is run here: placeholders filled, on this node, in no time, and without writing.
    fn here(&self, shown: &[String]) -> Vec<String> {
        // A synthetic node has no kernel to try; `real_diagnose` tries one.
        let shown: Vec<&String> = shown.iter().filter(|word| *word != "--probe-kernel").collect();
        let mut words: Vec<String> = shown.iter().map(|word| Self::filled(word)).collect();
        let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
        let (root, journal) = (self.root.path().to_str().unwrap(), self.journal.path().to_str().unwrap());
        match shown[0].as_str() {
            "apply" => add(&["--host-root", root, "--journal", journal, "--dry-run"]),
            "undo" | "history" => add(&["--host-root", root, "--journal", journal]),
            "stat" | "diagnose" => add(&["--host-root", root]),
            "simulate" if shown[1] == "interference" => add(&["--periods", "1000"]),
            "simulate" => add(&["--for", "1s"]),
            _ => {}
        }
        let brief = match shown[0].as_str() {
            "stat" => "5ms",
            _ => "300ms",
        };
        if matches!(shown[0].as_str(), "stat" | "diagnose")
            && let Some(at) = words.iter().position(|word| word == "--for")
        {
            words[at + 1] = brief.to_owned();
        }
        words
    }

    fn filled(word: &str) -> String {
        match word {
            "TARGET" => ID[..12].to_owned(),
            "NEIGHBOUR" => "/neighbour".to_owned(),
            "/ANCESTOR" | "/POD_GROUP" => POD.to_owned(),
            "LOAD" => "service:rate=100,mean=4ms,fan-out=8,threads=32".to_owned(),
            _ => word.replace("NAME.slice", "web.slice"),
        }
    }
}

#[test]
fn every_command_of_ours_on_a_page_works_on_both_layouts() {
    let mut shown: BTreeSet<Vec<String>> = BTreeSet::new();
    for cause in Cause::ALL {
        let all = commands(&markdown(cause));
        assert!(all.len() >= 3, "{cause}: {all:?}");
        shown.extend(all);
    }
    let (v1, v2) = (Node::v1(), Node::v2());
    let mut run = 0;
    for command in &shown {
        let verb = command[0].as_str();
        // One alone has no node in it, and takes its time.
        let nodes: &[&Node] = if verb == "simulate" { &[&v1] } else { &[&v1, &v2] };
        for node in nodes {
            let (out, err) = succeeds(&node.here(command).iter().map(String::as_str).collect::<Vec<_>>());
            assert!(!out.is_empty(), "{command:?}");
            // `convert` may warn: of that its example is about.
            assert!(err.is_empty() || verb == "convert", "{command:?}: {err}");
            // A change that changes nothing would be no remedy.
            let changes = verb != "apply" || out.contains("dry run: nothing was written");
            assert!(changes, "{command:?}: {out}");
            run += 1;
        }
    }
    assert!(run >= 40, "{run} commands of {}: are they still found?", shown.len());
}

#[test]
fn without_a_cause_all_are_listed() {
    insta::assert_snapshot!(succeeds(&["explain"]).0);
    let document: Value = serde_json::from_str(&succeeds(&["explain", "--json"]).0).unwrap();
    schema::assert_describes(published(), &document);
    let named: Vec<&str> =
        document["causes"].as_array().unwrap().iter().map(|entry| entry["cause"].as_str().unwrap()).collect();
    assert_eq!(named, Cause::ALL.map(Cause::name));
}

#[test]
fn a_typo_is_told_with_the_nearest_name_and_shells_complete_it() {
    for (typed, nearest) in [
        ("short-burst", "'short-bursts'"),
        ("to-many-threads", "'too-many-threads'"),
        ("starve", "'starved'"),
    ] {
        let (out, err) = fails(&["explain", typed]);
        assert_eq!(out, "");
        assert!(err.contains("similar") && err.contains(nearest), "{typed}: {err}");
    }
    for shell in ["bash", "zsh"] {
        assert!(succeeds(&["completions", shell]).0.contains("pinned-and-limited"), "{shell}");
    }
    let (_, err) = fails(&["explain", "4711"]);
    assert!(Cause::ALL.iter().all(|cause| err.contains(cause.name())), "{err}");
}

#[test]
fn the_schema_refuses_what_it_should() {
    assert!(jsonschema::meta::is_valid(&published()));
    let validator = jsonschema::validator_for(&published()).unwrap();
    let good = page(Cause::Healthy);
    for (pointer, bad) in
        [("/schema", "cgtune.explain/2"), ("/cause", "throttled"), ("/title", ""), ("/markdown", "")]
    {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = Value::from(bad);
        assert!(!validator.is_valid(&document), "{pointer}");
    }
}

#[test]
fn a_page_is_bold_on_a_terminal_alone() {
    let shown = |command: &mut assert_cmd::Command| {
        String::from_utf8(command.args(["explain", "starved"]).output().unwrap().stdout).unwrap()
    };
    let plain = shown(&mut tool());
    assert!(!plain.contains('\x1b') && !plain.contains('`'), "{plain}");
    let forced = shown(tool().env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1"));
    assert!(
        forced.contains("\x1b[1mMake sure\x1b[0m\n") && forced.contains("\x1b[1mnr_throttled\x1b[0m"),
        "{forced}"
    );
    assert_eq!(anstream::adapter::strip_str(&forced).to_string(), plain);
}
