//! `cgbench doctor`: what follows from synthetic machines, and one look at the real one, as any user.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on has failed")]

mod synthetic;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Output},
};

use cgbench::{
    doctor::{Doctor, Finding, Refusal, Severity, finding, findings, text, verdict},
    record::Disturbance,
};
use workloads::gap;

use synthetic::{add_gaps, fit, noise};

/// A finding's name, as in JSON.
fn kind(finding: &Finding) -> String {
    serde_json::to_value(finding).unwrap()["kind"].as_str().unwrap().to_owned()
}

fn kinds(doctor: &Doctor) -> Vec<String> {
    findings(doctor).iter().map(kind).collect()
}

type Change = fn(&mut Doctor);

/// What makes a fit machine worse, and the one finding that it makes.
const CHANGES: [(&str, Severity, Change); 24] = [
    ("no_cgroups", Severity::Unfit, |d| {
        let error =
            "no permission to make cgroups: cannot create the cgroup /sys/fs/cgroup/x: Permission denied";
        d.cgroups.refusal = Some(Refusal { error: error.into(), hint: Some("run it as root (sudo)".into()) });
    }),
    ("no_bandwidth", Severity::Unfit, |d| {
        (d.cgroups.bandwidth, d.cgroups.burst) = (Some(false), Some(false));
    }),
    ("no_burst", Severity::Caution, |d| d.cgroups.burst = Some(false)),
    ("no_cpuset", Severity::Caution, |d| d.cgroups.cpuset_layout = None),
    ("own_limit", Severity::Unfit, |d| {
        let own = d.cgroups.own.as_mut().unwrap();
        (own.limit_cpus, own.limited_by) = (Some(3.99), Some("/ci".into()));
    }),
    ("hidden_above", Severity::Caution, |d| d.cgroups.own.as_mut().unwrap().sees_root = false),
    ("steal", Severity::Unfit, |d| noise(d).disturbance = Some(Disturbance { steal: 0.011, foreign: 0.0 })),
    ("foreign", Severity::Unfit, |d| {
        noise(d).disturbance = Some(Disturbance { steal: 0.0, foreign: 0.051 });
    }),
    // 8 s were listened for in all: 240 frames, of which three meet a gap.
    ("long_gaps", Severity::Unfit, |d| add_gaps(d, 10, 3, 10_300_000)),
    ("long_gaps", Severity::Caution, |d| add_gaps(d, 10, 2, 10_300_000)),
    ("long_gaps", Severity::Caution, |d| add_gaps(d, 12, 1, 41_000_000)),
    ("unexplained", Severity::Caution, |d| add_gaps(d, 6, 100, 1_000_000)),
    ("unexplained", Severity::Unfit, |d| add_gaps(d, 6, 410, 1_000_000)),
    ("late_sleeps", Severity::Caution, |d| d.sleeps.as_mut().unwrap().p95_ns = 1_100_000.0),
    ("late_sleeps", Severity::Unfit, |d| {
        let sleeps = d.sleeps.as_mut().unwrap();
        (sleeps.p95_ns, sleeps.max_ns) = (11_000_000.0, 12_000_000);
    }),
    ("not_measured", Severity::Caution, |d| d.noise = None),
    ("not_counted", Severity::Caution, |d| noise(d).disturbance = None),
    ("few_cpus", Severity::Caution, |d| d.cpus.allowed = Some("3".parse().unwrap())),
    ("coarse_tick", Severity::Caution, |d| d.system.tick_hz = Some(100)),
    ("governor", Severity::Caution, |d| {
        d.cpus.governors = BTreeMap::from([("performance".into(), 3), ("powersave".into(), 1)]);
    }),
    ("turbo", Severity::Caution, |d| d.cpus.turbo = Some(true)),
    ("smt", Severity::Caution, |d| d.cpus.smt_active = Some(true)),
    ("slow_clock", Severity::Caution, |d| {
        d.system.clocksource = Some("hpet".into());
        noise(d).cpus.iter_mut().for_each(|cpu| cpu.gaps.reads = 1_000_000);
    }),
    ("slow_clock", Severity::Caution, |d| {
        d.system.clocksource = None;
        noise(d).cpus.iter_mut().for_each(|cpu| cpu.gaps.reads = 1_000_000);
    }),
];

#[test]
fn nothing_speaks_against_a_machine_that_is_fit() {
    assert_eq!(findings(&fit()), []);
    assert_eq!(verdict(&[]), Severity::Fit);
}

#[test]
fn each_change_for_the_worse_makes_its_finding_and_no_other() {
    for (expected, severity, change) in CHANGES {
        let mut doctor = fit();
        change(&mut doctor);
        let found = findings(&doctor);
        assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), [expected]);
        assert_eq!(found[0].severity(), severity, "{found:?}");
        assert_eq!(verdict(&found), severity);
        assert!(!found[0].to_string().is_empty() && !found[0].remedy().is_empty(), "{found:?}");
    }
}

#[test]
fn at_its_threshold_a_value_is_still_good() {
    let good: [Change; 8] = [
        |d| {
            let (steal, foreign) = (cgbench::study::VOID_STEAL, cgbench::study::VOID_FOREIGN);
            noise(d).disturbance = Some(Disturbance { steal, foreign });
        },
        |d| d.system.tick_hz = Some(finding::FINE_TICK_HZ),
        |d| d.sleeps.as_mut().unwrap().p95_ns = finding::LATE_SLEEP_NS,
        |d| add_gaps(d, finding::SLACK_CLASS - 1, 1, gap::class_from_ns(finding::SLACK_CLASS) - 1),
        |d| d.cgroups.own.as_mut().unwrap().limit_cpus = Some(4.0),
        |d| d.cpus.allowed = Some("0-1".parse().unwrap()),
        |d| noise(d).cpus.iter_mut().for_each(|cpu| cpu.gaps.reads = 2_000_000),
        |d| add_gaps(d, 6, 77, 1_000_000),
    ];
    for (place, change) in good.into_iter().enumerate() {
        let mut doctor = fit();
        change(&mut doctor);
        assert_eq!(findings(&doctor), [], "{place}");
    }
}

#[test]
fn what_is_not_known_is_no_finding_but_where_it_hides_one() {
    let mut doctor = fit();
    doctor.system.hypervisor = Some("unnamed".into());
    doctor.system.container_marks = vec!["/.dockerenv".into()];
    (doctor.system.tick_hz, doctor.system.clocksource, doctor.system.base_slice_ns) = (None, None, None);
    (doctor.system.load_average, doctor.system.memory_bytes, doctor.system.psi) = (None, None, false);
    (doctor.cpus.model, doctor.cpus.smt_active, doctor.cpus.turbo) = (None, None, None);
    (doctor.cpus.frequencies_khz, doctor.cpus.isolated) = (None, None);
    doctor.cpus.governors.clear();
    assert_eq!(findings(&doctor), []);
}

#[test]
fn one_step_of_a_counter_is_no_observation() {
    // 100 ms on 4 CPUs: a step of 10 ms is 2.5 %.
    let mut doctor = fit();
    noise(&mut doctor).wall_ns = 100_000_000;
    noise(&mut doctor).disturbance = Some(Disturbance { steal: 0.025, foreign: 0.0 });
    assert!(!kinds(&doctor).contains(&"steal".to_owned()));
    noise(&mut doctor).disturbance = Some(Disturbance { steal: 0.05, foreign: 0.0 });
    assert!(kinds(&doctor).contains(&"steal".to_owned()));

    // 29 ms of 400 may be three counters, each cut to a step; 31 may not.
    for (count, expected) in [(29, &[][..]), (31, &["unexplained"][..])] {
        let mut doctor = fit();
        for cpu in &mut noise(&mut doctor).cpus {
            cpu.gaps = gap::Gaps { elapsed_ns: 100_000_000, reads: 3_000_000, ..gap::Gaps::default() };
        }
        add_gaps(&mut doctor, 6, count, 1_000_000);
        assert_eq!(kinds(&doctor), expected);
    }
}

#[test]
fn lost_time_is_explained_by_others_by_steal_and_by_a_limit_of_our_own() {
    let explained: [(Change, &[&str]); 3] = [
        (|d| noise(d).disturbance = Some(Disturbance { steal: 0.0, foreign: 0.05 }), &[]),
        (|d| noise(d).disturbance = Some(Disturbance { steal: 0.06, foreign: 0.0 }), &["steal"]),
        (|d| d.cgroups.own.as_mut().unwrap().limit_cpus = Some(2.0), &["own_limit"]),
    ];
    for (change, expected) in explained {
        let mut doctor = fit();
        add_gaps(&mut doctor, 6, 400, 1_000_000);
        assert_eq!(kinds(&doctor), ["unexplained"]);
        change(&mut doctor);
        assert_eq!(kinds(&doctor), expected);
    }
}

/// A machine with all changes that can be at once.
fn worst() -> Doctor {
    let mut doctor = fit();
    let sole = ["no_bandwidth", "not_measured", "not_counted"];
    for (_, _, change) in CHANGES.iter().filter(|(kind, ..)| !sole.contains(kind)) {
        change(&mut doctor);
    }
    noise(&mut doctor).disturbance = Some(Disturbance { steal: 0.011, foreign: 0.051 });
    doctor.cgroups.own.as_mut().unwrap().limit_cpus = Some(0.5);
    doctor.system.hypervisor = Some("Synthetic\u{1b}[31m Inc.\n".into());
    doctor.cpus.isolated = Some("2-3".parse().unwrap());
    noise(&mut doctor).skipped = "9".parse().unwrap();
    doctor
}

#[test]
fn the_worst_comes_first() {
    let found = findings(&worst());
    assert!(found.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity())), "{found:?}");
    let kinds: BTreeSet<String> = found.iter().map(kind).collect();
    assert!(found.len() >= 14 && kinds.len() == found.len(), "{found:?}");
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    for doctor in [fit(), worst()] {
        let text = serde_json::to_string(&doctor).unwrap();
        assert_eq!(serde_json::from_str::<Doctor>(&text).unwrap(), doctor);
    }
}

#[test]
fn the_text_of_a_fit_machine() {
    insta::assert_snapshot!(text::terminal(&fit(), &findings(&fit()), false, 80));
}

#[test]
fn the_text_of_a_machine_with_everything_wrong() {
    let doctor = worst();
    insta::assert_snapshot!(text::terminal(&doctor, &findings(&doctor), false, 80));
}

#[test]
fn text_fits_eighty_columns_and_nothing_in_it_controls_a_terminal() {
    for (_, _, change) in CHANGES.into_iter().chain([("", Severity::Fit, (|d| *d = worst()) as Change)]) {
        let mut doctor = fit();
        change(&mut doctor);
        let evil = || "a\u{1b}]0;b\u{7}\u{202e}".to_owned();
        (doctor.system.kernel, doctor.cpus.model) = (Some(evil()), Some(evil()));
        doctor.system.clocksource = Some(evil());
        doctor.cpus.governors = BTreeMap::from([(evil(), 4)]);
        doctor.cgroups.own.as_mut().unwrap().path = evil();
        let text = text::terminal(&doctor, &findings(&doctor), false, 80);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let doctor = worst();
    let plain = text::terminal(&doctor, &findings(&doctor), false, 80);
    let coloured = text::terminal(&doctor, &findings(&doctor), true, 80);
    assert_ne!(plain, coloured);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

fn cgbench(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cgbench"));
    command.arg("doctor").args(args).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn this_machine_is_looked_at() {
    let output = cgbench(&["--json", "--for", "200ms", "--check"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["schema"], "cgbench.doctor/1");
    let doctor: Doctor = serde_json::from_value(value.clone()).unwrap();

    let uname = Command::new("uname").arg("-r").output().unwrap();
    assert_eq!(doctor.system.kernel.as_deref(), Some(String::from_utf8(uname.stdout).unwrap().trim()));
    let nproc = Command::new("nproc").env_remove("OMP_NUM_THREADS").output().unwrap();
    let allowed = doctor.cpus.allowed.as_ref().unwrap();
    assert_eq!(allowed.len().to_string(), String::from_utf8(nproc.stdout).unwrap().trim());
    let online = doctor.cpus.online.as_ref().unwrap();
    assert!(allowed.iter().all(|cpu| online.contains(cpu)), "{allowed} {online}");
    assert!(doctor.system.memory_available_bytes <= doctor.system.memory_bytes);

    let noise = doctor.noise.as_ref().unwrap();
    assert_eq!(noise.cpus.len() + noise.skipped.len(), allowed.len());
    for cpu in &noise.cpus {
        let gaps = &cpu.gaps;
        assert!(gaps.elapsed_ns >= 200_000_000 && gaps.elapsed_ns <= noise.wall_ns, "{gaps:?}");
        assert!(gaps.lost_ns <= gaps.elapsed_ns && gaps.count() <= gaps.reads, "{gaps:?}");
        assert!(gaps.longest_ns.unwrap_or(0) <= gaps.lost_ns, "{gaps:?}");
        let least: u64 = (0..gap::CLASSES).map(|class| gaps.counts[class] * gap::class_from_ns(class)).sum();
        assert!(least <= gaps.lost_ns, "{gaps:?}");
        assert_eq!(gaps.longest_ns.is_some(), gaps.count() > 0, "{gaps:?}");
    }
    let sleeps = doctor.sleeps.as_ref().unwrap();
    assert!(sleeps.p50_ns <= sleeps.p95_ns && sleeps.p95_ns <= sleeps.max_ns as f64, "{sleeps:?}");

    // The findings are those of the record, and the exit code is theirs.
    let found = findings(&doctor);
    let shown: Vec<&str> =
        value["findings"].as_array().unwrap().iter().map(|found| found["kind"].as_str().unwrap()).collect();
    assert_eq!(shown, found.iter().map(kind).collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(i32::from(verdict(&found) == Severity::Unfit)));
}

#[test]
fn an_impossible_time_is_wrong_use() {
    for time in ["2", "1ms", "2h"] {
        assert_eq!(cgbench(&["--for", time]).status.code(), Some(2), "{time}");
    }
}
