//! What we say values become, against what runc and crun make of them on this kernel.
//!
//! Both are Debian's, fetched by `testbed/runtimes`. On v1 that leaves shares, quota, period and burst as they are; on v2 (in
//! the test bed) shares become a weight, by a formula that depends on the version. `docs/differential.md` holds the results.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod request;
mod runtimes;

use cgtune_core::{
    Bandwidth, Layout, Micros, Observed, ObservedBandwidth, ObservedShare, Quota, Shares,
    convert::WeightFormula,
};
use request::Seeded;
use runtimes::{Container, Cpu, Name, Runtime, World};

const SEED: u64 = 20_261_121;

/// Containers and updates of each runtime. v2 is met on emulated CPUs.
fn cases(layout: Layout) -> (usize, usize) {
    match layout {
        Layout::V1 => (100, 300),
        Layout::V2 => (6, 30),
    }
}

fn shown(observed: &Observed) -> String {
    let share = match observed.share.unwrap() {
        ObservedShare::Shares(shares) => format!("shares {shares}"),
        ObservedShare::Weight(weight) => format!("weight {weight}"),
    };
    let ObservedBandwidth { quota, period, burst } = observed.bandwidth.unwrap();
    let quota = quota.limited().map_or("none".to_owned(), |quota| quota.get().to_string());
    format!("{share}, quota {quota}, period {}, burst {}", period.get(), burst.unwrap().get())
}

/// What of it matters in a row of a table.
fn reason(said: &str) -> String {
    let said = said.trim().rsplit("msg=").next().unwrap().trim_matches('"');
    let long = ["runc run failed: ", "unable to start container process: ", "error during container init: "];
    let said = long.iter().fold(said.to_owned(), |said, prefix| said.replace(prefix, ""));
    said.split_whitespace()
        .map(|word| if word.contains("cgtune-runtimes.") { "…" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_new_container_has_what_convert_says() {
    let world = World::new();
    let layout = world.layout();
    let (containers, _) = cases(layout);
    for runtime in Runtime::all() {
        let (mut seeded, formula) = (Seeded(SEED), runtime.formula());
        for _ in 0..containers {
            let conversion = request::random(&mut seeded, formula, runtime.takes_burst());
            let mut asked = Cpu::new(conversion.shares, conversion.bandwidth);
            // As the kubelet and containerd leave it out.
            if asked.quota == Some(-1) && (seeded.once_in(2) || runtime.has_no_minus_one(layout)) {
                asked.quota = None;
            }
            if !runtime.takes_burst() {
                asked.burst = None;
            }
            let container = Container::run(runtime, &world, asked)
                .unwrap_or_else(|said| panic!("{runtime} refuses {asked}: {said}"));
            let cgroup = container.cgroup();
            for (file, text) in conversion.files(layout) {
                let found = String::from_utf8(cgroup.cpu_dir().read(file).unwrap().unwrap()).unwrap();
                assert_eq!(found.trim(), text, "{runtime}: {file} of {asked}, from {conversion:?}");
            }
        }
        println!(
            "{runtime:<12} {layout:?}: {containers} containers (seed {SEED}), {formula}: all as convert says"
        );
    }
}

#[test]
fn updates_of_a_living_container_do_what_the_rules_say_in_the_runtimes_order() {
    let world = World::new();
    let layout = world.layout();
    let (_, updates) = cases(layout);
    for runtime in Runtime::all() {
        let (mut seeded, mut refused) = (Seeded(SEED), 0);
        let container = Container::run(runtime, &world, Cpu::default()).unwrap();
        for _ in 0..updates {
            let now = container.observed();
            let wanted = request::random(&mut seeded, runtime.formula(), runtime.takes_burst());
            let mut asked = Cpu::new(wanted.shares, wanted.bandwidth);
            if !runtime.takes_burst() {
                asked.burst = None;
            }
            let (bandwidth, fails) = runtime.writes(layout, now.bandwidth.unwrap(), wanted.bandwidth.into());
            let said = container.update(asked);
            // Both write the shares first.
            let share = match layout {
                Layout::V1 => ObservedShare::Shares(wanted.shares.get()),
                Layout::V2 => ObservedShare::Weight(wanted.weight().unwrap().get()),
            };
            let expected = Observed { share: Some(share), bandwidth: Some(bandwidth), ..now.clone() };
            let found = container.observed();
            let context = format!("{runtime}: from {} to {asked}: {said:?}", shown(&now));
            assert_eq!(said.is_err(), fails, "{context}");
            assert_eq!(shown(&found), shown(&expected), "{context}");
            refused += usize::from(fails);
        }
        println!(
            "{runtime:<12} {layout:?}: {updates} updates (seed {SEED}), {refused} refused: all as the rules say"
        );
    }
}

/// What is asked for one by one, and what core says of it.
fn edges() -> Vec<Cpu> {
    let none = Cpu::default();
    let shares = |shares| Cpu { shares: Some(shares), ..none };
    let quota = |quota, period| Cpu { quota, period, ..none };
    vec![
        shares(0),
        shares(1),
        shares(2),
        shares(262_144),
        shares(262_145),
        quota(Some(0), None),
        quota(Some(-1), None),
        quota(Some(20_000), None),
        quota(None, Some(50_000)),
        quota(Some(0), Some(50_000)),
        quota(Some(999), Some(100_000)),
        quota(Some(20_000), Some(999)),
        quota(Some(20_000), Some(1_000_001)),
        quota(Some(20_000), Some(0)),
        quota(Some(1 << 44), Some(100_000)),
        Cpu { quota: Some(20_000), period: Some(100_000), burst: Some(20_000), ..none },
        Cpu { quota: Some(20_000), period: Some(100_000), burst: Some(20_001), ..none },
        Cpu { burst: Some(10_000), ..none },
    ]
}

/// Whether core has such values. To runtimes 0 is absent, except for a burst.
fn legal(cpu: Cpu) -> bool {
    let shares = cpu.shares.filter(|&shares| shares != 0);
    let quota = match cpu.quota.filter(|&quota| quota > 0) {
        Some(quota) => Quota::Limited(Micros::new(quota as u64)),
        None => Quota::Unlimited,
    };
    let period = cpu.period.filter(|&period| period != 0).unwrap_or(100_000);
    shares.is_none_or(|shares| Shares::new(shares).is_ok())
        && Bandwidth::new(quota, Micros::new(period), Micros::new(cpu.burst.unwrap_or(0))).is_ok()
}

/// Whether the group has what was asked.
fn holds(cpu: Cpu, observed: &Observed, formula: WeightFormula) -> bool {
    let bandwidth = observed.bandwidth.unwrap();
    let share = match (cpu.shares.filter(|&shares| shares != 0), observed.share.unwrap()) {
        (None, ObservedShare::Shares(found)) => found == 1024,
        (None, ObservedShare::Weight(found)) => found == 100,
        (Some(shares), ObservedShare::Shares(found)) => found == shares,
        (Some(shares), ObservedShare::Weight(found)) => {
            Shares::new(shares).is_ok_and(|shares| formula.weight(shares).get() == found)
        }
    };
    let quota = cpu.quota.filter(|&quota| quota > 0).map(|quota| quota as u64);
    let period = cpu.period.filter(|&period| period != 0).unwrap_or(100_000);
    share
        && bandwidth.quota.limited().map(Micros::get) == quota
        && bandwidth.period.get() == period
        && bandwidth.burst.unwrap().get() == cpu.burst.unwrap_or(0)
}

#[test]
fn what_core_refuses_no_group_has_and_what_it_takes_every_group_has() {
    let world = World::new();
    for runtime in Runtime::all() {
        for asked in edges() {
            if asked.burst.is_some() && !runtime.takes_burst() {
                continue;
            }
            let made = Container::run(runtime, &world, asked);
            let found = made.as_ref().map(Container::observed);
            match &found {
                Ok(found) => println!("{runtime:<12} {asked:<48} {}", shown(found)),
                Err(said) => println!("{runtime:<12} {asked:<48} refused: {}", reason(said)),
            }
            let has = found.is_ok_and(|found| holds(asked, &found, runtime.formula()));
            // The one rule that is ours and not the kernel's: a burst with nothing to save up from is a trap.
            let ours = asked.burst.is_some() && asked.quota.is_none();
            let lost = asked.quota == Some(-1) && runtime.has_no_minus_one(world.layout());
            assert_eq!(has, (legal(asked) || ours) && !lost, "{runtime}: {asked}");
        }
    }
}

/// `now` with what is asked for. On v2 crun knows nothing of what was there: half of `cpu.max` alone makes the other half
/// its default, so that a new period takes the limit away, and -1 alone is not written. runc remembers.
fn changed(now: ObservedBandwidth, asked: Cpu, forgets: bool) -> ObservedBandwidth {
    let (mut next, half) = (now, asked.quota.is_some() != asked.period.is_some());
    if forgets && asked.quota == Some(-1) && asked.period.is_none() {
        return now;
    }
    if forgets && half {
        (next.quota, next.period) = (Quota::Unlimited, Micros::from_ms(100));
    }
    if let Some(quota) = asked.quota {
        next.quota = u64::try_from(quota).map_or(Quota::Unlimited, |us| Quota::Limited(Micros::new(us)));
    }
    next.period = asked.period.map_or(next.period, Micros::new);
    next.burst = asked.burst.map(Micros::new).or(now.burst);
    next
}

#[test]
fn an_update_of_one_value_keeps_the_others_except_where_it_is_known_not_to() {
    let world = World::new();
    let layout = world.layout();
    let start = Cpu { shares: Some(500), quota: Some(50_000), period: Some(200_000), burst: None };
    let one = Cpu::default();
    let mut differ = Vec::new();
    for runtime in Runtime::all() {
        let forgets = layout == Layout::V2 && runtime.name == Name::Crun;
        let start = Cpu { burst: runtime.takes_burst().then_some(10_000), ..start };
        for asked in [
            Cpu { shares: Some(300), ..one },
            Cpu { quota: Some(60_000), ..one },
            Cpu { quota: Some(-1), ..one },
            Cpu { period: Some(50_000), ..one },
            Cpu { burst: Some(20_000), ..one },
            // Below the burst.
            Cpu { quota: Some(5_000), ..one },
        ] {
            if asked.burst.is_some() && !runtime.takes_burst() {
                continue;
            }
            let container = Container::run(runtime, &world, start).unwrap();
            let now = container.observed().bandwidth.unwrap();
            let said = container.update(asked);
            let observed = container.observed();
            let refused =
                said.as_ref().err().map_or(String::new(), |said| format!("; refused: {}", reason(said)));
            println!("{runtime:<12} {asked:<20} {}{refused}", shown(&observed));
            let (expected, fails) = runtime.writes(layout, now, changed(now, asked, forgets));
            let found = observed.bandwidth.unwrap();
            if (found, said.is_err()) != (expected, fails) {
                differ.push(format!("{runtime}: {asked}: expected {expected:?}, refused: {fails}"));
            }
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}
