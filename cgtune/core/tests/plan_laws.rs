//! Laws of the write plan, against the kernel's rules as a model: every prefix of a plan is legal, its end is what
//! was wanted, and it goes through "no quota" only where nothing short avoids that.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use cgtune_core::{
    Bandwidth, Layout, Micros, ObservedBandwidth, Policy, Quota, Ratio, Surroundings,
    control::{self, ApplyError},
    plan::{self, MAX_TURNS, Why, Write},
    policy::MAX_RUNTIME,
    rules::{RuleModel, write_bandwidth},
};
use proptest::prelude::*;

/// Periods of every magnitude the kernel takes.
fn period() -> impl Strategy<Value = u64> {
    prop_oneof![1_000_u64..=1_000_000, 1_000_u64..10_000, Just(100_000), Just(1_000), Just(1_000_000)]
}

/// Any bandwidth that the kernel accepts, extreme ones included.
fn any_bandwidth() -> impl Strategy<Value = Bandwidth> {
    let quota = prop_oneof![1_000_u64..2_000_000, 1_000..=MAX_RUNTIME.get(), Just(1_000)];
    (proptest::option::weighted(0.9, quota), period(), 0.0_f64..=1.0).prop_map(|(quota, period, part)| {
        let quota = quota.map_or(Quota::Unlimited, |us| Quota::Limited(Micros::new(us)));
        let room = quota.limited().map_or(0, |q| q.get().min(MAX_RUNTIME.get() - q.get()));
        let burst = (room as f64 * part) as u64;
        Bandwidth::new(quota, Micros::new(period), Micros::new(burst.min(room))).unwrap()
    })
}

/// Two bandwidths and neighbours between which both are legal; the corridor may be as narrow as one ratio.
fn case() -> impl Strategy<Value = (Bandwidth, Bandwidth, Surroundings)> {
    let corridor = (0.02_f64..8.0, 1.0_f64..1.6, any::<(bool, bool)>());
    let inside = || (period(), 0.0_f64..=1.0, 0.0_f64..=1.0, proptest::bool::weighted(0.1));
    (corridor, inside(), inside()).prop_filter_map(
        "a quota below the kernel's smallest",
        |((low, width, sides), a, b)| {
            let raw = |cpus: f64| Ratio::of(Micros::new((cpus * 1e6) as u64), Micros::new(1_000_000));
            let surroundings = Surroundings {
                parent: sides.0.then(|| raw(low * width)),
                children: sides.1.then(|| raw(low)),
                ..Surroundings::default()
            };
            let make = |(period, at, part, unlimited): (u64, f64, f64, bool)| {
                let quota = (period as f64 * low * (1.0 + (width - 1.0) * at)).round() as u64;
                let quota = if unlimited { Quota::Unlimited } else { Quota::Limited(Micros::new(quota)) };
                let burst = quota.limited().map_or(0, |q| (q.get() as f64 * part) as u64);
                let made = Bandwidth::new(quota, Micros::new(period), Micros::new(burst)).ok()?;
                surroundings.check(made.into()).is_ok().then_some(made)
            };
            Some((make(a)?, make(b)?, surroundings))
        },
    )
}

fn observed(bandwidth: Bandwidth) -> ObservedBandwidth {
    bandwidth.into()
}

fn check(
    from: Bandwidth,
    to: Bandwidth,
    layout: Layout,
    surroundings: &Surroundings,
) -> Result<(), TestCaseError> {
    let steps = plan::bandwidth(&observed(from), to.into(), layout, surroundings);
    let mut state = observed(from);
    for (n, step) in steps.iter().enumerate() {
        state = write_bandwidth(layout, state, &step.write, surroundings)
            .map_err(|refusal| TestCaseError::fail(format!("step {n} of {steps:?}: {refusal}")))?;
    }
    prop_assert_eq!(state, observed(to));
    prop_assert!(steps.len() <= MAX_TURNS + 2, "{} steps", steps.len());
    if from == to {
        prop_assert!(steps.is_empty(), "writes nothing that does not differ");
    }
    let unlimited_on_the_way = steps.iter().filter(|step| step.why == Why::Hop).count();
    prop_assert!(unlimited_on_the_way == 0 || unlimited_on_the_way == 3);
    if layout == Layout::V2 || surroundings.parent.is_none() || surroundings.children.is_none() {
        prop_assert_eq!(unlimited_on_the_way, 0, "one neighbour always leaves an order");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_prefix_of_a_plan_is_legal_between_neighbours((from, to, surroundings) in case()) {
        check(from, to, Layout::V1, &surroundings)?;
        check(from, to, Layout::V2, &Surroundings::default())?;
    }

    #[test]
    fn every_prefix_of_a_plan_is_legal_for_extreme_values(from in any_bandwidth(), to in any_bandwidth()) {
        for layout in [Layout::V1, Layout::V2] {
            check(from, to, layout, &Surroundings::default())?;
        }
    }

    /// From what no constructor allows: a stale burst under no quota, a vendor's burst above the quota.
    #[test]
    fn plans_start_from_whatever_is_observed(to in any_bandwidth(), stale in 0_u64..1 << 43, layout in any::<bool>()) {
        let layout = if layout { Layout::V1 } else { Layout::V2 };
        let from = ObservedBandwidth { quota: Quota::Unlimited, period: Micros::from_ms(100), burst: Some(Micros::new(stale)) };
        let mut state = from;
        for step in plan::bandwidth(&from, to.into(), layout, &Surroundings::default()) {
            state = write_bandwidth(layout, state, &step.write, &Surroundings::default()).unwrap();
        }
        prop_assert_eq!(state, observed(to));
    }

    #[test]
    fn applying_to_the_rule_model_reads_back_what_was_wanted((from, to, surroundings) in case()) {
        let mut model = RuleModel::new(Layout::V1, surroundings);
        let set = |bandwidth| Policy { bandwidth: Some(bandwidth), ..Policy::default() };
        control::apply(&mut model, &set(from)).unwrap();
        let applied = control::apply(&mut model, &set(to)).unwrap();
        prop_assert_eq!(applied.after.bandwidth, Some(observed(to)));
    }
}

/// A model whose kernel changes its mind: it refuses the nth write, once.
struct Refusing {
    model: RuleModel,
    at: usize,
}

impl cgtune_core::CpuControl for Refusing {
    type Error = cgtune_core::rules::Refusal;

    fn capabilities(&self) -> cgtune_core::Capabilities {
        self.model.capabilities()
    }

    fn surroundings(&mut self) -> Result<Surroundings, Self::Error> {
        self.model.surroundings()
    }

    fn observe(&mut self) -> Result<cgtune_core::Observed, Self::Error> {
        self.model.observe()
    }

    fn write(&mut self, write: &Write) -> Result<(), Self::Error> {
        if self.model.writes.len() == self.at {
            self.at = usize::MAX;
            return Err(cgtune_core::rules::Refusal::TooLarge);
        }
        self.model.write(write)
    }

    fn sample(&mut self) -> Result<cgtune_core::Snapshot, Self::Error> {
        self.model.sample()
    }
}

#[test]
fn a_refusal_part_way_takes_back_what_was_written() {
    let set = |quota, period, burst| Policy {
        bandwidth: Bandwidth::new(
            Quota::Limited(Micros::from_ms(quota)),
            Micros::from_ms(period),
            Micros::from_ms(burst),
        )
        .ok(),
        ..Policy::default()
    };
    for at in 0..3 {
        let mut model = RuleModel::new(Layout::V1, Surroundings::default());
        control::apply(&mut model, &set(50, 100, 10)).unwrap();
        let before = model.observed.clone();
        model.writes.clear();
        let mut refusing = Refusing { model, at };
        let error = control::apply(&mut refusing, &set(20, 40, 20)).unwrap_err();
        assert!(matches!(error, ApplyError::Refused { done, restored: true, .. } if done == at), "{error:?}");
        assert_eq!(refusing.model.observed, before);
    }
}
