//! The scenarios of `real_scenarios` without a kernel: what is drawn stays within its ranges, and who was right is counted
//! rightly.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod scenarios;

use std::{fs, path::Path};

use cgtune_core::Layout;
use proptest::prelude::*;
use scenarios::{
    Cause, Machine, Scenario, diagnosis,
    matrix::{Matrix, Verdict},
    report::{self, Setting},
    situation::{Class, Cpus, Limit, Load, Pulse, Situation, Stays, Weight},
    variants,
};

fn drawn(variant: &'static variants::Variant, seed: u64, layout: Layout) -> Situation {
    Scenario { variant, seed }.situation(Machine { cpus: 2, layout })
}

/// What docs/scenarios.md quotes is what is committed; and that meets the bar.
#[test]
fn the_committed_matrices_are_quoted_as_they_are_and_meet_the_bar() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read =
        |path: &str| fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let quoted = read("docs/scenarios.md");
    for (name, seeds) in [("scenarios-v1", 3), ("scenarios-v2", 2)] {
        let text = read(&format!("results/{name}/scenarios.md"));
        let mut parts = text.split("\n\n").skip(1);
        for part in [parts.next().unwrap(), parts.next().unwrap()] {
            assert!(quoted.contains(part), "{name}: {part}");
        }
        let json: serde_json::Value =
            serde_json::from_str(&read(&format!("results/{name}/scenarios.json"))).unwrap();
        let count = |key: &str| json[key].as_u64().unwrap();
        assert_eq!(json["scenarios"].as_array().unwrap().len(), variants::ALL.len() * seeds, "{name}");
        assert!(count("right") * 20 >= count("judged") * 19, "{name}");
        assert_eq!([count("healthy_called_ill"), count("ill_called_healthy")], [0, 0], "{name}");
        let judged = json["scenarios"].as_array().unwrap().iter();
        assert!(judged.clone().all(|one| one["seed"].as_u64().unwrap() >= 1000), "{name}: tuned on");
    }
}

/// The only pulses of the watched group.
fn pulse(situation: &Situation) -> Option<Pulse> {
    let mut pulses =
        situation.loads.iter().filter(|placed| placed.group == situation.watched).filter_map(|placed| {
            match placed.load {
                Load::Pulse(pulse) => Some(pulse),
                _ => None,
            }
        });
    pulses.next().filter(|_| pulses.next().is_none())
}

fn hogs(situation: &Situation, of: impl Fn(usize) -> bool) -> u32 {
    let hog = |placed: &scenarios::situation::Placed| match placed.load {
        Load::Hog { threads } if of(placed.group) && placed.stays == Stays::Throughout => threads,
        _ => 0,
    };
    situation.loads.iter().map(hog).sum()
}

/// What must hold of every situation whatever its cause: it can be made at all.
fn possible(situation: &Situation, layout: Layout) -> Result<(), TestCaseError> {
    for (at, group) in situation.groups.iter().enumerate() {
        prop_assert!(group.parent.is_none_or(|parent| parent < at), "parents come first");
        let Some(limit) = group.limit else { continue };
        prop_assert!(limit.bandwidth().is_ok(), "{limit}");
        // v1 refuses a child more than any above it (`tg_cfs_schedulable_down`, kernel/sched/core.c).
        for above in situation.lineage(at) {
            if let (Layout::V1, Some(above)) = (layout, situation.groups[above].limit) {
                prop_assert!(limit.cpus() <= above.cpus() + 1e-9, "{limit} below {above}");
            }
        }
    }
    for placed in &situation.loads {
        // On v2 a group with groups in it may hold no process.
        prop_assert!(situation.groups.iter().all(|group| group.parent != Some(placed.group)), "{situation}");
        if let Load::Pulse(pulse) = placed.load {
            prop_assert!(pulse.threads > 0 && pulse.work_us > 0 && (0.0..0.5).contains(&pulse.jitter));
            prop_assert!((1_000..=3_600_000_000).contains(&pulse.every_us));
        }
    }
    prop_assert!(situation.loads.iter().any(|placed| placed.group == situation.watched), "nobody to watch");
    Ok(())
}

fn within(value: f64, low: f64, high: f64) -> Result<(), TestCaseError> {
    // Quotas and work are whole microseconds.
    prop_assert!((low * 0.99..=high * 1.01).contains(&value), "{value} is not in {low}..={high}");
    Ok(())
}

/// What makes a cause the true one.
fn true_to_its_cause(cause: Cause, letter: char, situation: &Situation) -> Result<(), TestCaseError> {
    let watched = situation.watched();
    let (limit, pulse) = (watched.limit, pulse(situation));
    // Work of one pulse in quotas, average demand over the limit.
    let of_quota = |pulse: Pulse, limit: Limit| {
        (f64::from(pulse.threads) * pulse.work_us as f64 / limit.quota_us as f64, pulse.cpus() / limit.cpus())
    };
    let here = |group: usize| group == situation.watched;
    match cause {
        Cause::SustainedDemand => {
            let limit = limit.unwrap();
            match (letter, pulse) {
                ('b', Some(pulse)) => within(of_quota(pulse, limit).1, 1.15, 1.6)?,
                ('d', Some(pulse)) => {
                    let busy_s = pulse.work_us as f64 / limit.cpus() / 1e6;
                    within(busy_s, 3.0, 3.0)?;
                    within(pulse.every_us as f64 / 1e6 - busy_s, 1.0, 2.0)?;
                }
                _ => prop_assert!(f64::from(hogs(situation, here)) > limit.cpus()),
            }
        }
        Cause::ShortBursts => {
            let (limit, pulse) = (limit.unwrap(), pulse.unwrap());
            let (quotas, part) = of_quota(pulse, limit);
            within(quotas, 1.1, 1.8)?;
            within(part, 0.35, 0.7)?;
            prop_assert!(
                f64::from(pulse.threads) < limit.cpus() + 1.0,
                "no more threads than the limit has room for"
            );
        }
        Cause::TooManyThreads => {
            let (limit, pulse) = (limit.unwrap(), pulse.unwrap());
            let (quotas, part) = of_quota(pulse, limit);
            within(limit.cpus(), 0.5, 1.0)?;
            within(quotas, 1.1, 1.9)?;
            within(part, 0.3, 0.6)?;
            prop_assert!((4..=12).contains(&pulse.threads));
        }
        Cause::AncestorLimit => {
            let above = situation.lineage(situation.watched).into_iter().skip(1);
            let above =
                above.filter_map(|at| situation.groups[at].limit).map(Limit::cpus).fold(2.0, f64::min);
            within(above, 0.3, 0.8)?;
            let below = |group: usize| group != situation.watched;
            match limit {
                // Its own load stays far below its own limit, or the pod's stops it first.
                Some(own) if own.cpus() <= above => {
                    prop_assert!(pulse.unwrap().cpus() < 0.25 * own.cpus() && hogs(situation, below) > 0);
                }
                Some(own) => prop_assert!(own.cpus() >= 1.9 * above),
                None => prop_assert!(hogs(situation, |_| true) > 0),
            }
        }
        Cause::PinnedAndLimited => {
            let limit = limit.unwrap();
            within(limit.cpus(), 0.6, 0.95)?;
            prop_assert!(matches!(watched.cpus, Cpus::Only(0 | 1)));
            if let Some(pulse) = pulse {
                let (quotas, part) = of_quota(pulse, limit);
                prop_assert!(quotas >= 1.7 && part <= 0.75, "{quotas} {part}");
            }
        }
        Cause::QuotaTooSmall => {
            let (limit, pulse) = (limit.unwrap(), pulse.unwrap());
            let (quotas, part) = of_quota(pulse, limit);
            within(part, 0.0, 0.6)?;
            prop_assert!(limit.quota_us <= 5000, "not above the slice");
            if letter == 'c' {
                prop_assert!(quotas < 0.8 && pulse.every_us as f64 * (1.0 - 2.0 * pulse.jitter) > 1e5);
                prop_assert!(pulse.work_us > 1400, "more than a CPU may keep");
            }
        }
        Cause::Starved => {
            let beside = hogs(situation, |group| group != situation.watched);
            let alone_on_one = matches!(watched.cpus, Cpus::Only(_));
            let enough = if alone_on_one { 1 } else { 2 };
            prop_assert!(limit.is_none() && beside >= enough);
            let tiny = matches!(watched.weight, Weight::Tiny(2..=10));
            prop_assert!(tiny || alone_on_one || beside >= 4);
        }
        Cause::IdleClass => {
            let idle = situation.lineage(situation.watched).into_iter().any(|at| situation.groups[at].idle);
            let threads = situation.loads.iter().any(|placed| placed.class == Class::Idle);
            prop_assert!((idle || threads) && limit.is_none());
            // Threads yield within their group, a group beside its siblings.
            prop_assert!(hogs(situation, |group| here(group) == threads) >= 2);
        }
        Cause::Healthy => {
            // Nothing lasting wants more than there is.
            let demand: f64 = situation
                .loads
                .iter()
                .map(|placed| match placed.load {
                    Load::Pulse(pulse) => pulse.cpus(),
                    _ => 0.0,
                })
                .sum();
            if let Some(limit) = situation.effective_limit() {
                prop_assert!(demand <= 0.35 * limit, "{situation}");
                prop_assert!(f64::from(hogs(situation, |_| true)) <= limit);
            }
        }
        Cause::KernelExpiryBug | Cause::Unknown => prop_assert!(false, "cannot be made"),
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_drawn_can_be_made_and_is_what_it_is_called(seed: u64, layout in prop_oneof![Just(Layout::V1), Just(Layout::V2)]) {
        for variant in variants::ALL {
            let situation = drawn(variant, seed, layout);
            possible(&situation, layout)
                .and_then(|()| true_to_its_cause(variant.cause, variant.letter, &situation))
                .map_err(|error| TestCaseError::fail(format!("{variant}:{seed} {situation}: {error}")))?;
        }
    }

    #[test]
    fn every_verdict_is_counted_once(verdicts in prop::collection::vec((0..11_usize, prop::option::of(0..11_usize)), 0..200)) {
        let verdict = |&(truth, said): &(usize, Option<usize>)| Verdict {
            truth: Cause::ALL[truth],
            said: said.map(|said| Cause::ALL[said]),
        };
        let matrix: Matrix = verdicts.iter().map(verdict).collect();
        prop_assert_eq!(matrix.judged() + matrix.all_not_made(), verdicts.len());
        let by_cell: usize = Cause::ALL.iter().flat_map(|&truth| Cause::ALL.map(|said| matrix.count(truth, said))).sum();
        prop_assert_eq!(by_cell, matrix.judged());
        let by_row: usize = Cause::ALL.iter().map(|&truth| matrix.judged_of(truth)).sum();
        prop_assert_eq!(by_row, matrix.judged());
        let right = verdicts.iter().filter(|(truth, said)| Some(*truth) == *said).count();
        prop_assert_eq!(matrix.right(), right);
        prop_assert!(matrix.right_frac().is_none_or(|frac| (0.0..=1.0).contains(&frac)));
    }
}

#[test]
fn a_seed_gives_one_situation_and_another_seed_another() {
    let of = |name: &str, seed| {
        Scenario::named(name, seed).unwrap().situation(Machine { cpus: 2, layout: Layout::V2 })
    };
    for variant in variants::ALL {
        let name = variant.to_string();
        assert_eq!(of(&name, 7).to_string(), of(&name, 7).to_string());
        let different = (8..40).any(|seed| of(&name, seed).to_string() != of(&name, 7).to_string());
        assert!(different, "{name} is always the same");
    }
}

#[test]
fn every_cause_that_can_be_made_has_three_variants_with_names_of_their_own() {
    for cause in Cause::ALL {
        let letters: Vec<char> = variants::ALL
            .iter()
            .filter(|variant| variant.cause == cause)
            .map(|variant| variant.letter)
            .collect();
        let cannot = matches!(cause, Cause::KernelExpiryBug | Cause::Unknown);
        assert!(if cannot { letters.is_empty() } else { letters.len() >= 3 }, "{cause}: {letters:?}");
        assert!(letters.is_sorted_by(|a, b| a < b), "{cause}: {letters:?}");
    }
    let error = Scenario::named("short-bursts/z", 1).unwrap_err().to_string();
    assert!(error.contains("short-bursts/z") && error.contains("short-bursts/a"), "{error}");
}

#[test]
fn seeds_are_typed_as_one_or_as_a_range() {
    assert_eq!(scenarios::seeds("7").unwrap(), [7]);
    assert_eq!(scenarios::seeds("1000-1002").unwrap(), [1000, 1001, 1002]);
    for bad in ["", "a", "3-1", "1-", "-1", "0-18446744073709551615"] {
        assert!(scenarios::seeds(bad).is_err(), "{bad}");
    }
}

fn verdicts(of: &[(Cause, Option<Cause>, usize)]) -> Matrix {
    of.iter().flat_map(|&(truth, said, times)| std::iter::repeat_n(Verdict { truth, said }, times)).collect()
}

#[test]
fn the_bar_is_19_of_20_and_none_healthy_called_ill_or_ill_called_healthy() {
    use Cause::{Healthy, ShortBursts, Starved, SustainedDemand, Unknown};
    let right = (ShortBursts, Some(ShortBursts), 19);
    assert!(verdicts(&[right, (ShortBursts, Some(SustainedDemand), 1)]).passes());
    assert!(!verdicts(&[right, (ShortBursts, Some(SustainedDemand), 2)]).passes());
    assert!(!verdicts(&[right, (ShortBursts, Some(Healthy), 1)]).passes());
    assert!(!verdicts(&[right, (Healthy, Some(Starved), 1)]).passes());
    assert!(verdicts(&[right, (Healthy, Some(Unknown), 1)]).passes(), "not known is not ill");
    assert!(verdicts(&[right, (Healthy, None, 30)]).passes(), "nobody is judged by what did not come about");
    assert!(!verdicts(&[(ShortBursts, None, 3)]).passes(), "nothing judged is nothing shown");
}

#[test]
fn the_matrix_is_shown_with_its_setting_and_its_sums() {
    use Cause::{Healthy, ShortBursts, Starved};
    let matrix = verdicts(&[
        (ShortBursts, Some(ShortBursts), 3),
        (Starved, Some(ShortBursts), 1),
        (Healthy, Some(Healthy), 2),
        (Healthy, None, 1),
    ]);
    let setting = Setting {
        command: "scenarios matrix".into(),
        kernel: "6.1.0".into(),
        machine: Machine { cpus: 2, layout: Layout::V2 },
        watch_ms: 10_000,
    };
    let expected = "\
| is \\ said | short-bursts | healthy | judged | not made |
|---|---:|---:|---:|---:|
| short-bursts | 3 | · | 3 | · |
| starved | 1 | · | 1 | · |
| healthy | · | 2 | 2 | 1 |

5 of 6 right (83.3 %), 0 healthy called ill, 0 ill called healthy, 1 not made.
";
    assert_eq!(report::table(&matrix), expected);
    assert_eq!(setting.line(), "`scenarios matrix`, Linux 6.1.0, cgroup v2, 2 CPUs, 10 s each");
    let text = report::text(&matrix);
    assert!(text.contains("1 short-bursts, 2 healthy") && text.contains("5 of 6 right"), "{text}");
}

#[test]
fn a_verdict_is_taken_from_the_group_asked_for_and_nothing_is_guessed() {
    let document = |findings: &str| {
        format!(
            r#"{{"schema":"cgtune.diagnose/1","cgroups":[{{"path":"/other","findings":[]}},{{"path":"/a/b","findings":{findings}}}]}}"#
        )
    };
    let finding = |cause: &str| format!(r#"{{"cause":"{cause}","stall_ms_per_s":12.5,"confidence":"high"}}"#);
    let path = Path::new("/a/b");
    let two = document(&format!("[{},{}]", finding("starved"), finding("short-bursts")));
    let diagnosis = diagnosis::read(&two, path).unwrap();
    assert_eq!((diagnosis.verdict, diagnosis.stall_ms_per_s), (Cause::Starved, Some(12.5)));
    assert_eq!(diagnosis.others, [Cause::ShortBursts]);
    for bad in [
        "not json".to_owned(),
        "{}".to_owned(),
        two.replace("diagnose/1", "diagnose/2"),
        two.replace("/a/b", "/a/c"),
        document("[]"),
        document("[{}]"),
        document(&format!("[{}]", finding("moon-phase"))),
    ] {
        assert!(diagnosis::read(&bad, path).is_err(), "{bad}");
    }
}
