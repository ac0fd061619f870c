//! `cgtune diagnose` on situations with a known cause, on the kernel that runs the tests, cgroup v1 or v2: one of each cause,
//! watched briefly. All variants, for longer, are `examples/scenarios.rs`' business (`just scenarios`).
//!
//! They need root, two CPUs, and a machine that has little else to do: a situation that does not come about fails, and says so.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they measured"
)]

mod scenarios;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cgtune_core::Controller;
use cgtune_sys::{Hierarchies, HostRoot};
use scenarios::{
    Scenario, interrupt,
    programs::Programs,
    report,
    run::{self, Judge},
    stage::{Place, Stage},
};

/// Of the most common causes one each, such as does not need a long watch; docs/scenarios.md has the rest.
const BRIEF: [&str; 7] = [
    "sustained-demand/e",
    "short-bursts/a",
    "too-many-threads/a",
    "ancestor-limit/b",
    "pinned-and-limited/b",
    "starved/b",
    "healthy/g",
];
/// Neither one that was tuned on nor one to judge with.
const SEED: u64 = 500;
const WATCH: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(5);

/// One test at a time: each wants the machine for itself.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    interrupt::listen().unwrap();
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn each_cause_is_named_by_its_first_finding() {
    let _one = alone();
    let (place, programs) = (Place::find().unwrap(), Programs::find().unwrap());
    println!("{}", report::heading());
    let outcomes: Vec<_> = BRIEF
        .iter()
        .map(|name| {
            let scenario = Scenario::named(name, SEED).unwrap();
            let outcome = run::run(&place, &programs, scenario, Judge::Diagnose, WATCH, PATIENCE).unwrap();
            println!("{}", report::line(&outcome));
            outcome
        })
        .collect();
    let matrix = report::matrix(&outcomes);
    println!("{}", report::text(&matrix));
    assert_eq!(matrix.all_not_made(), 0, "not made, see above: is the machine busy with something else?");
    assert!(matrix.passes(), "{}", report::text(&matrix));
}

#[test]
fn a_situation_is_there_while_it_is_held_and_gone_afterwards_whatever_happens() {
    let _one = alone();
    let (place, programs) = (Place::find().unwrap(), Programs::find().unwrap());
    let hierarchies = Hierarchies::detect(HostRoot::default()).unwrap();
    let there = |path: &Path| {
        Controller::ALL
            .into_iter()
            .filter_map(|controller| hierarchies.of(controller))
            .filter(|hierarchy| hierarchy.open(path).unwrap().is_some())
            .count()
    };
    // A slice, a pod and two containers, with loads in them.
    let situation = Scenario::named("ancestor-limit/c", 2).unwrap().situation(place.machine);
    let mut path = None;
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut stage = Stage::set(&place, &programs, &situation).unwrap();
        run::watched(&mut stage, |watched| -> anyhow::Result<()> {
            path = Some(watched.to_owned());
            assert!(there(watched) > 0);
            panic!("whoever judges may fail")
        })
    }));
    assert!(result.is_err());
    let path = path.unwrap();
    assert_eq!(there(&path), 0, "{}", path.display());
    let top = path.ancestors().nth(2).unwrap();
    assert!(top.to_str().unwrap().starts_with("/cgtune."), "{}", top.display());
    assert_eq!(there(top), 0, "{}", top.display());
}

#[test]
fn the_name_of_a_group_says_nothing_of_what_happens_in_it() {
    let _one = alone();
    let (place, programs) = (Place::find().unwrap(), Programs::find().unwrap());
    for name in ["starved/c", "healthy/h"] {
        let scenario = Scenario::named(name, 1).unwrap();
        let mut stage = Stage::set(&place, &programs, &scenario.situation(place.machine)).unwrap();
        let path = stage.path().unwrap();
        for name in path.iter().skip(1) {
            let own = name.to_str().unwrap().rsplit('-').next().unwrap();
            assert!(own.len() == 8 && own.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", path.display());
        }
    }
}
