//! The gate on the toy's records: what it alarms at, what it lets pass, and what it refuses to judge.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use cgbench::{
    gate::{
        Report, Run, Settings, Verdict,
        bound::Bound,
        comparable::Facet,
        judge,
        matrix::{Key, Matrix},
        method::{Basis, Method, Outcome, opinions},
        metric::Metric,
        report::{Obstacle, Side},
        settings::{Combine, Layer, Missing},
    },
    plan::{Condition, PolicyKind},
    record::{BackendKind, Records},
};
use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;
use toy::runs;

fn settings(layer: Layer) -> Settings {
    Settings::of(layer, Layer::default())
}

fn with_methods(methods: &[Method]) -> Settings {
    settings(Layer { methods: Some(methods.to_vec()), ..Layer::default() })
}

fn judged(base: &Records, new: &Records, settings: &Settings) -> Report {
    judge(Some(Run { name: "base", records: base }), Run { name: "new", records: new }, settings)
}

fn against_bounds(new: &Records, bounds: &[&str]) -> Report {
    let bounds = bounds.iter().map(|text| Bound::parse(text).unwrap()).collect();
    let settings = settings(Layer { methods: Some(vec![Method::Fixed]), bounds, ..Layer::default() });
    judge(None, Run { name: "new", records: new }, &settings)
}

fn worse(report: &Report) -> Vec<String> {
    report.with(Outcome::Worse).map(|line| line.key().to_string()).collect()
}

#[test]
fn a_run_against_itself_passes_by_every_method() {
    let run = runs::run(0, 6, 220);
    for method in [Method::Baseline, Method::Percentage, Method::Deviation] {
        let report = judged(&run, &run, &with_methods(&[method]));
        assert_eq!((report.verdict, worse(&report)), (Verdict::Pass, vec![]), "{method:?}");
        assert_eq!(report.verdict.exit_code(), 0);
        assert_eq!(report.with(Outcome::Better).count(), 0);
        assert!(report.lines.iter().all(|line| line.shift.unwrap().shift.abs() < 1e-9));
    }
}

#[test]
fn five_percent_more_work_is_found_by_the_baseline_and_nothing_else_is_alarmed() {
    let (base, new) = (runs::run(0, 6, 220), runs::with_work(runs::run(1, 6, 220), 1.05));
    let report = judged(&base, &new, &Settings::default());
    assert_eq!((report.verdict, report.verdict.exit_code()), (Verdict::Regression, 1));
    let found = worse(&report);
    assert_eq!(found.len(), 10, "{found:?}: the work of every condition");
    assert!(found.iter().all(|name| name.ends_with(": work")), "{found:?}");
    let line = report.with(Outcome::Worse).next().unwrap();
    let change = line.shift.unwrap();
    assert!((change.shift - 0.05).abs() < 0.01, "{change:?}");
    let percentage = judged(&base, &new, &with_methods(&[Method::Percentage]));
    assert!(!worse(&percentage).iter().any(|name| name.ends_with(": work")), "5 % is below 10 %");
}

#[test]
fn a_worsening_within_its_margin_is_none() {
    let (base, new) = (runs::run(0, 6, 220), runs::with_work(runs::run(1, 6, 220), 1.05));
    let margins = vec![cgbench::gate::settings::Margin::parse("work=10%").unwrap()];
    let report = judged(&base, &new, &settings(Layer { margins, ..Layer::default() }));
    assert_eq!(report.verdict, Verdict::Pass);
}

#[test]
fn an_improvement_is_told_and_never_fails() {
    let (base, new) = (runs::with_work(runs::run(0, 6, 220), 1.05), runs::run(1, 6, 220));
    let report = judged(&base, &new, &Settings::default());
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(report.with(Outcome::Better).count(), 10);
}

#[test]
fn a_burst_that_is_gone_is_found_by_each_method() {
    let base = runs::run(0, 8, 220);
    let new = runs::without_burst(runs::run(1, 8, 220), 1);
    for method in [Method::Baseline, Method::Percentage, Method::Deviation] {
        let report = judged(&base, &new, &with_methods(&[method]));
        assert_eq!(report.verdict, Verdict::Regression, "{method:?}");
        assert!(
            worse(&report).contains(&"limit+burst: throttled".to_owned()),
            "{method:?} {:?}",
            worse(&report)
        );
    }
    let bounded = against_bounds(&new, &["limit+burst throttled<=5%"]);
    assert_eq!(
        (bounded.verdict, worse(&bounded)),
        (Verdict::Regression, vec!["limit+burst: throttled".into()])
    );
    assert_eq!(against_bounds(&base, &["limit+burst throttled<=5%"]).verdict, Verdict::Pass);
}

#[test]
fn any_alarms_with_one_method_and_all_only_with_every() {
    let (base, new) = (runs::run(0, 6, 220), runs::with_work(runs::run(1, 6, 220), 1.05));
    let methods = Some(vec![Method::Baseline, Method::Percentage]);
    let of = |combine| {
        let layer = Layer { methods: methods.clone(), combine: Some(combine), ..Layer::default() };
        judged(&base, &new, &settings(layer))
    };
    assert_eq!(of(Combine::Any).verdict, Verdict::Regression);
    let all = of(Combine::All);
    assert_eq!(all.verdict, Verdict::Pass);
    assert!(all.lines.iter().all(|line| line.opinions.len() == 2));
    // Twenty percent are beyond both.
    let new = runs::with_work(runs::run(1, 6, 220), 1.2);
    let layer = Layer { methods: methods.clone(), combine: Some(Combine::All), ..Layer::default() };
    assert_eq!(judged(&base, &new, &settings(layer)).verdict, Verdict::Regression);
}

#[test]
fn a_small_share_that_doubles_is_no_alarm() {
    let base = runs::run(0, 6, 220);
    let mut new = base.clone();
    let set = |records: &mut Records, throttled: u64| {
        for block in
            records.blocks.iter_mut().filter(|block| block.condition.policy == PolicyKind::LimitBurst)
        {
            let bandwidth = block.interval.bandwidth.as_mut().unwrap();
            (bandwidth.nr_periods, bandwidth.nr_throttled) = (1000, throttled);
        }
    };
    let mut base = base;
    set(&mut base, 1);
    set(&mut new, 2);
    for method in [Method::Baseline, Method::Percentage, Method::Deviation] {
        let report = judged(&base, &new, &with_methods(&[method]));
        assert!(!worse(&report).contains(&"limit+burst: throttled".into()), "{method:?}");
    }
    set(&mut new, 200);
    for method in [Method::Baseline, Method::Percentage, Method::Deviation] {
        let report = judged(&base, &new, &with_methods(&[method]));
        assert!(worse(&report).contains(&"limit+burst: throttled".into()), "{method:?}");
    }
}

#[test]
fn too_few_blocks_are_an_error_that_says_how_many_it_takes() {
    let run = runs::run(0, 4, 220);
    let report = judged(&run, &run, &Settings::default());
    assert_eq!((report.verdict, report.verdict.exit_code()), (Verdict::Undecided, 2));
    let said: Vec<String> = report.obstacles.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("4 in BASE and 4 in NEW, it takes 5 each"), "{said:?}");
    // At five percent they will do.
    let layer = Layer { alpha: Some(0.05), ..Layer::default() };
    assert_eq!(judged(&run, &run, &settings(layer)).verdict, Verdict::Pass);
    let report = judged(&run, &run, &with_methods(&[Method::Deviation]));
    assert!(report.obstacles[0].to_string().contains("for deviation: 4 in BASE"), "{}", report.obstacles[0]);
}

#[test]
fn pairs_need_more_blocks_and_find_what_the_pictures_hide() {
    let layer = || Layer { paired: Some(true), metrics: Some(vec![Metric::Work]), ..Layer::default() };
    let (base, new) = (runs::run(0, 6, 220), runs::with_work(runs::run(1, 6, 220), 1.05));
    let report = judged(&base, &new, &settings(layer()));
    assert_eq!(report.verdict, Verdict::Undecided);
    assert!(report.obstacles[0].to_string().contains("it takes 10 each"), "{}", report.obstacles[0]);
    let (base, new) = (runs::run(0, 10, 220), runs::with_work(runs::run(1, 10, 220), 1.05));
    assert_eq!(judged(&base, &new, &settings(layer())).verdict, Verdict::Regression);
    assert_eq!(judged(&base, &base, &settings(layer())).verdict, Verdict::Pass);
    let mut other = new;
    other.plan.seed += 1;
    let across = Some(vec![Facet::Seeds]);
    let report = judged(&base, &other, &settings(Layer { across, ..layer() }));
    assert_eq!(report.obstacles, [Obstacle::NotPaired]);
}

#[test]
fn runs_that_do_not_compare_are_refused_with_both_values_unless_it_is_meant() {
    let base = runs::run(0, 5, 220);
    type Change = fn(&mut Records);
    let cases: [(Facet, &str, Change); 7] = [
        (Facet::Backends, "SIMULATED", |records| records.run.backend = BackendKind::Simulated),
        (Facet::Kernels, "6.1.0", |records| records.machine.kernel = "6.1.0".into()),
        (Facet::Machines, "another CPU", |records| records.machine.cpu_model = Some("another CPU".into())),
        (Facet::Machines, "false", |records| records.machine.kept_awake = false),
        (Facet::Plans, "231", |records| records.plan.frames = 231),
        (Facet::Loads, "0.7", |records| toy::encoder(&mut records.plan).share = 0.7),
        (Facet::Seeds, "99", |records| records.plan.seed = 99),
    ];
    for (facet, value, change) in cases {
        let mut new = base.clone();
        change(&mut new);
        let report = judged(&base, &new, &Settings::default());
        assert_eq!((report.verdict, report.lines.len()), (Verdict::Undecided, 0), "{facet:?}");
        let difference = &report.differences[0];
        assert_eq!((difference.facet, difference.accepted), (facet, false));
        assert!(difference.to_string().contains(value) && difference.new == value, "{difference}");
        let meant = settings(Layer { across: Some(vec![facet]), ..Layer::default() });
        let report = judged(&base, &new, &meant);
        assert_eq!(report.verdict, Verdict::Pass, "{facet:?}");
        assert!(report.differences[0].accepted);
    }
    let mut more = base.clone();
    more.plan.reruns = 0;
    more.plan.name = "nightly".into();
    assert_eq!(judged(&base, &more, &Settings::default()).differences, []);
}

#[test]
fn a_picture_calibrated_to_the_next_size_is_the_same_load_but_for_absolute_times() {
    let base = runs::run(0, 5, 220);
    let mut new = base.clone();
    toy::encoder(&mut new.plan).encode.width += 16;
    let report = judged(&base, &new, &Settings::default());
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.differences.iter().all(|difference| difference.accepted) && report.differences.len() == 1);
    let absolute = settings(Layer { absolute: Some(true), ..Layer::default() });
    assert_eq!(judged(&base, &new, &absolute).verdict, Verdict::Undecided);
    toy::encoder(&mut new.plan).encode.qp += 1;
    assert_eq!(
        judged(&base, &new, &Settings::default()).verdict,
        Verdict::Undecided,
        "another quality is another load"
    );
}

#[test]
fn so_few_blocks_that_no_alarm_is_possible_are_not_called_a_pass() {
    let few = Settings { alpha: 0.05, ..Settings::default() };
    let (base, new) = (runs::run(0, 3, 220), runs::with_work(runs::run(1, 3, 220), 2.0));
    assert_eq!(judged(&base, &new, &few).verdict, Verdict::Undecided);
    let (base, new) = (runs::run(0, 4, 220), runs::with_work(runs::run(1, 4, 220), 2.0));
    assert_eq!(judged(&base, &new, &few).verdict, Verdict::Regression);
}

#[test]
fn the_work_of_another_loads_pilot_is_none_of_this_one() {
    let mut records = runs::run(0, 5, 220);
    let works = |records: &cgbench::record::Records| {
        let of = |block| cgbench::gate::metric::Metric::Work.of(block, records);
        records.blocks.iter().filter_map(of).count()
    };
    assert_eq!(works(&records), records.blocks.len());
    let mut other = records.plan.load.clone();
    if let cgbench::plan::Load::Encode(encode) = &mut other {
        encode.share /= 2.0;
    }
    records.plan.pilot = Some(other);
    assert_eq!(works(&records), 0);
}

#[test]
fn repetitions_of_merged_runs_are_paired_only_with_their_like() {
    let merged = |seeds: [u32; 2]| {
        let run = |seed: u32| {
            let mut run = runs::run(seed, 6, 220);
            run.plan.seed = seed.into();
            run
        };
        cgbench::merge::merge(seeds.map(run).to_vec(), Vec::new()).unwrap()
    };
    let paired = Settings { paired: true, ..Settings::default() };
    let one = merged([1, 2]);
    assert_ne!(judged(&one, &merged([1, 2]), &paired).verdict, Verdict::Undecided);
    let report = judged(&one, &merged([1, 3]), &paired);
    assert!(report.differences.iter().any(|difference| difference.facet == Facet::Seeds), "{report:?}");
    assert_eq!(report.verdict, Verdict::Undecided);
}

#[test]
fn on_machines_that_may_differ_a_share_is_the_load_whatever_picture_costs_it() {
    let base = runs::run(0, 5, 220);
    let mut new = base.clone();
    toy::encoder(&mut new.plan).encode.width *= 2;
    assert_eq!(judged(&base, &new, &Settings::default()).verdict, Verdict::Undecided);
    let across = |absolute| {
        let across = Some(vec![Facet::Machines]);
        settings(Layer { across, absolute: Some(absolute), ..Layer::default() })
    };
    assert_eq!(judged(&base, &new, &across(false)).verdict, Verdict::Pass);
    assert_eq!(judged(&base, &new, &across(true)).verdict, Verdict::Undecided, "times do not compare");
}

#[test]
fn a_neighbour_that_neither_has_makes_no_difference() {
    let mut base = runs::run(0, 5, 220);
    let alone = |records: &mut cgbench::record::Records| {
        records.plan.conditions.retain(|condition| !condition.neighbour);
        records.blocks.retain(|block| !block.condition.neighbour);
    };
    let mut new = base.clone();
    new.plan.neighbour_threads += 1;
    assert_eq!(judged(&base, &new, &Settings::default()).verdict, Verdict::Undecided);
    alone(&mut base);
    alone(&mut new);
    let report = judged(&base, &new, &Settings::default());
    assert_eq!((report.verdict, report.differences.len()), (Verdict::Pass, 0));
}

#[test]
fn what_one_side_lacks_fails_the_gate_unless_it_is_ignored() {
    let base = runs::run(0, 5, 220);
    let new = toy::without_pinning(base.clone());
    let report = judged(&base, &new, &Settings::default());
    assert_eq!(report.verdict, Verdict::Undecided);
    assert_eq!(report.missing.len(), 4);
    let lack = &report.missing[0];
    assert_eq!((lack.side, lack.metric), (Side::New, None));
    assert!(lack.to_string().contains("not provided there: no cpuset controller in reach"), "{lack}");
    let ignored = settings(Layer { missing: Some(Missing::Ignore), ..Layer::default() });
    let report = judged(&base, &new, &ignored);
    assert_eq!((report.verdict, report.missing.len()), (Verdict::Pass, 4));
    // A worsening of what there is stays one.
    let broken = runs::with_work(new, 1.1);
    assert_eq!(judged(&base, &broken, &Settings::default()).verdict, Verdict::Regression);
    // Nobody who asked for other conditions misses these.
    let conditions = Some(vec![cgbench::gate::bound::Target::parse("limit").unwrap()]);
    let report = judged(
        &base,
        &toy::without_pinning(base.clone()),
        &settings(Layer { conditions, ..Layer::default() }),
    );
    assert_eq!((report.verdict, report.missing.len()), (Verdict::Pass, 0));
}

#[test]
fn counters_that_one_kernel_lacks_are_missing_and_never_zero() {
    let base = runs::run(0, 5, 220);
    let mut new = base.clone();
    new.blocks.iter_mut().for_each(|block| block.interval.bandwidth = None);
    let report = judged(&base, &new, &Settings::default());
    assert_eq!(report.verdict, Verdict::Undecided);
    assert!(report.missing.iter().all(|lack| matches!(lack.metric, Some(Metric::Throttled | Metric::Stall))));
    assert!(report.lines.iter().all(|line| line.metric != Metric::Throttled));
}

#[test]
fn an_interrupted_run_is_no_pass() {
    let base = runs::run(0, 6, 220);
    let mut new = base.clone();
    new.run.partial = true;
    let last = new.blocks.len() - 1;
    new.blocks[last].partial = true;
    let report = judged(&base, &new, &Settings::default());
    assert_eq!(report.verdict, Verdict::Undecided);
    assert!(report.obstacles.contains(&Obstacle::Partial { side: Side::New, blocks: 59, planned: 60 }));
    assert_eq!(report.new.interrupted_blocks, 1);
    let key = Key { condition: new.blocks[last].condition, metric: Metric::Work };
    assert_eq!(Matrix::of(&new, &[Metric::Work]).values(key).len(), 5, "an interrupted block is no block");
}

#[test]
fn bounds_need_no_base_and_what_they_ask_for_must_be_there() {
    let run = runs::run(0, 1, 220);
    assert_eq!(against_bounds(&run, &["* throttled<=100%", "*,neighbour p95<=10s"]).verdict, Verdict::Pass);
    let report = against_bounds(&run, &["* throttled<=100%", "limit+half-burst throttled<=1%"]);
    assert_eq!(report.verdict, Verdict::Undecided);
    assert!(
        report.missing[0].to_string().contains("limit+half-burst throttled<=1%"),
        "{}",
        report.missing[0]
    );
    // p99 takes a thousand frames: no number is no pass.
    assert_eq!(against_bounds(&run, &["limit p99<=1s"]).verdict, Verdict::Undecided);
}

#[test]
fn numbers_that_a_block_cannot_carry_have_no_column() {
    let run = runs::run(0, 2, 220);
    let matrix = Matrix::of(&run, &Metric::ALL);
    let has = |policy, metric| {
        matrix.column(Key { condition: Condition { neighbour: false, policy }, metric }).is_some()
    };
    assert!(!has(PolicyKind::Limit, Metric::P99), "220 frames carry no p99");
    assert!(has(PolicyKind::Limit, Metric::P95) && has(PolicyKind::Limit, Metric::Throttled));
    assert!(
        !has(PolicyKind::Pinned, Metric::Throttled) && !has(PolicyKind::Shares, Metric::Stall),
        "no quota"
    );
    assert!(!has(PolicyKind::Shares, Metric::P95Ratio), "shares over itself is 1 and says nothing");
    let short = Matrix::of(&runs::run(0, 2, 199), &[Metric::P95Ratio, Metric::P50Ratio]);
    assert!(short.keys().all(|key| key.metric == Metric::P50Ratio) && short.keys().count() == 8);
    let mut alone = run;
    alone.blocks.retain(|block| block.condition.policy != PolicyKind::Shares);
    assert_eq!(Matrix::of(&alone, &[Metric::P95Ratio]).keys().count(), 0, "no shares to divide by");
}

#[test]
fn ratios_are_those_of_the_same_repetition() {
    let run = runs::run(0, 3, 220);
    let absolute = Matrix::of(&run, &[Metric::P95]);
    let ratios = Matrix::of(&run, &[Metric::P95Ratio]);
    let p95 = |policy| {
        absolute.values(Key { condition: Condition { neighbour: true, policy }, metric: Metric::P95 })
    };
    let condition = Condition { neighbour: true, policy: PolicyKind::Limit };
    let found = ratios.values(Key { condition, metric: Metric::P95Ratio });
    for ((limit, shares), found) in p95(PolicyKind::Limit).iter().zip(p95(PolicyKind::Shares)).zip(found) {
        assert!((limit / shares - found).abs() < 1e-12);
    }
}

#[test]
fn the_smallest_detectable_change_is_beyond_the_margin_and_shrinks_with_blocks() {
    let few = judged(&runs::run(0, 5, 220), &runs::run(1, 5, 220), &Settings::default());
    let many = judged(&runs::run(0, 16, 220), &runs::run(1, 16, 220), &Settings::default());
    let of = |report: &Report, name: &str| {
        report.lines.iter().find(|line| line.key().to_string() == name).unwrap().detectable.unwrap()
    };
    for name in ["limit: throttled", "limit: p95-ratio", "pinned: work"] {
        assert!(of(&many, name) < of(&few, name), "{name}");
        assert!(of(&many, name) > 0.02, "{name}");
    }
}

/// Draws of blocks from one long run of the toy, of one against another that nothing sets apart.
#[test]
fn equal_runs_alarm_at_most_as_often_as_alpha_says_and_a_lost_burst_nearly_always() {
    const DRAWS: usize = 300;
    let of = |records: &Records| Matrix::of(records, &Metric::usual());
    let base = of(&runs::run(0, 60, 200));
    let broken = of(&runs::without_burst(runs::run(0, 60, 200), 3));
    let settings = settings(Layer { alpha: Some(0.05), ..Layer::default() });
    let alarms = |base: &Matrix, new: &Matrix| {
        let found = opinions(Some(base), new, &settings);
        assert!(found.values().flatten().all(|opinion| matches!(opinion.basis, Basis::Test { .. })));
        found.values().flatten().any(|opinion| opinion.outcome == Outcome::Worse)
    };
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let mut rows: Vec<usize> = (0..60).collect();
    let (mut false_alarms, mut found) = (0, 0);
    for _ in 0..DRAWS {
        rows.shuffle(&mut random);
        let (old, new) = (&rows[..5], &rows[5..10]);
        false_alarms += usize::from(alarms(&base.rows(old), &base.rows(new)));
        found += usize::from(alarms(&base.rows(old), &broken.rows(new)));
    }
    // 5 % of 300 is 15, three standard errors more is 26.
    assert!(false_alarms <= 26, "{false_alarms} of {DRAWS}");
    assert!(found >= 290, "{found} of {DRAWS}");
}
