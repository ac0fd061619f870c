//! The formats of the gate: what they look like, that others can read them, and that nobody's text breaks out of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use cgbench::{
    gate::{
        Report, Run, Settings,
        bound::Bound,
        history, judge,
        method::Method,
        render::{annotations, benchmark, history as shown_history, json, junit, markdown, text},
        settings::{Layer, Missing},
    },
    record::{BackendKind, Missed, Records},
};
use serde_json::Value;
use toy::runs;

fn layer() -> Layer {
    let conditions = ["limit", "limit+burst", "limit+burst,neighbour", "pinned"];
    let conditions = conditions.map(|name| cgbench::gate::bound::Target::parse(name).unwrap()).to_vec();
    Layer { conditions: Some(conditions), ..Layer::default() }
}

fn settings() -> Settings {
    Settings::of(layer(), Layer::default())
}

fn judged(base: &Records, new: &Records, settings: &Settings) -> Report {
    judge(
        Some(Run { name: "results/base", records: base }),
        Run { name: "results/new", records: new },
        settings,
    )
}

fn regression() -> Report {
    let new = runs::without_burst(runs::run(1, 6, 220), 1);
    judged(&runs::run(0, 6, 220), &new, &settings())
}

/// All methods, an improvement, a lack, and differences that are accepted.
fn everything() -> Report {
    let base = runs::with_work(runs::run(0, 6, 220), 1.2);
    let mut new = toy::without_pinning(runs::without_burst(runs::run(1, 6, 220), 1));
    new.machine.cpu_model = Some("another".into());
    let layer = Layer {
        methods: Some(vec![Method::Baseline, Method::Percentage, Method::Deviation, Method::Fixed]),
        bounds: vec![Bound::parse("limit+burst throttled<=1%").unwrap()],
        across: Some(vec![cgbench::gate::comparable::Facet::Machines]),
        missing: Some(Missing::Ignore),
        ..layer()
    };
    judged(&base, &new, &Settings::of(layer, Layer::default()))
}

fn undecided() -> Report {
    let mut new = runs::run(1, 3, 220);
    new.run.backend = BackendKind::Simulated;
    judged(&runs::run(0, 3, 220), &new, &settings())
}

/// Records in which every text is somebody's attempt.
fn hostile() -> Report {
    let attempt = "x\u{1b}[2J</failure>]]>|`<script>&\"\n::error::%0A @team \u{202e}";
    let base = runs::run(0, 8, 220);
    let mut new = toy::without_pinning(runs::without_burst(runs::run(1, 8, 220), 1));
    new.machine.kernel = attempt.into();
    new.run.started = attempt.into();
    new.run.missed = new
        .run
        .missed
        .iter()
        .map(|missed| Missed { condition: missed.condition, reason: attempt.into() })
        .collect();
    let layer = Layer { across: Some(vec![cgbench::gate::comparable::Facet::Kernels]), ..Layer::default() };
    let settings = Settings::of(layer, Layer::default());
    judge(Some(Run { name: attempt, records: &base }), Run { name: attempt, records: &new }, &settings)
}

#[test]
fn text_of_a_regression_fits_eighty_columns() {
    let shown = text::text(&regression(), false, 80);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn text_says_what_differs_and_what_is_missing() {
    let shown = text::text(&everything(), false, 80);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown);
    insta::assert_snapshot!("text_of_what_was_not_judged", text::text(&undecided(), false, 80));
}

#[test]
fn a_narrow_table_has_no_interval_and_colour_adds_nothing_but_colour() {
    let report = regression();
    let narrow = text::text(&report, false, 60);
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    assert!(!narrow.contains("base        new") && narrow.contains("sees"), "{narrow}");
    let mut plain = String::new();
    let coloured = text::text(&report, true, 80);
    let mut rest = coloured.as_str();
    while let Some((text, code)) = rest.split_once("\u{1b}[") {
        plain.push_str(text);
        rest = code.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_ne!(plain, coloured);
    assert_eq!(plain, text::text(&report, false, 80));
}

#[test]
fn markdown_begins_with_the_verdict() {
    let shown = markdown::markdown(&everything());
    assert!(shown.starts_with("### cgbench: REGRESSION"));
    insta::assert_snapshot!(shown);
}

#[test]
fn junit_is_xml_whose_counts_are_its_cases() {
    insta::assert_snapshot!(junit::junit(&regression()));
    for report in [regression(), everything(), undecided(), hostile()] {
        let text = junit::junit(&report);
        let document = roxmltree::Document::parse(&text).unwrap();
        let suite = document.root_element().first_element_child().unwrap();
        let count =
            |name: &str| suite.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
        for (attribute, element) in
            [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
        {
            assert_eq!(suite.attribute(attribute).unwrap(), count(element), "{attribute}");
        }
        let failures = report.with(cgbench::gate::method::Outcome::Worse).count().to_string();
        assert_eq!(count("failure"), failures);
        let names: Vec<_> = suite
            .children()
            .filter(|node| node.has_tag_name("testcase"))
            .map(|node| (node.attribute("classname").unwrap(), node.attribute("name").unwrap()))
            .collect();
        assert!(names.iter().enumerate().all(|(i, name)| !names[..i].contains(name)), "{names:?}");
    }
    let text = junit::junit(&undecided());
    assert!(text.contains("not-judged") && text.contains("errors=\"1\""), "a page that is red: {text}");
}

#[test]
fn annotations_are_a_line_each() {
    insta::assert_snapshot!(annotations::github(&everything()));
    let shown = annotations::github(&hostile());
    assert!(shown.lines().all(|line| line.starts_with("::")), "{shown}");
    assert!(shown.lines().filter(|line| line.starts_with("::error")).count() >= 2, "{shown}");
}

#[test]
fn code_quality_has_what_gitlab_asks_for() {
    for report in [everything(), undecided(), hostile()] {
        let issues = serde_json::to_value(annotations::gitlab(&report)).unwrap();
        let issues = issues.as_array().unwrap();
        assert!(!issues.is_empty());
        let mut prints = Vec::new();
        for issue in issues {
            for field in ["description", "check_name", "fingerprint", "severity"] {
                assert!(issue[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {issue}");
            }
            assert!(issue.pointer("/location/path").unwrap().as_str().unwrap().ends_with("/plan.json"));
            assert_eq!(issue.pointer("/location/lines/begin"), Some(&Value::from(1)));
            prints.push(issue["fingerprint"].clone());
        }
        let all = prints.len();
        prints.sort_by_key(ToString::to_string);
        prints.dedup();
        assert_eq!(prints.len(), all, "fingerprints are unique: {issues:#?}");
    }
}

#[test]
fn benchmark_entries_have_name_unit_and_value() {
    let report = everything();
    let entries = serde_json::to_value(benchmark::benchmark(&report)).unwrap();
    let entries = entries.as_array().unwrap();
    assert_eq!(entries.len(), report.lines.len());
    for (entry, line) in entries.iter().zip(&report.lines) {
        assert_eq!(entry["name"], Value::from(line.key().to_string()));
        assert!(entry["value"].is_number() && entry["unit"].is_string() && entry["extra"].is_string());
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&entries[..3]).unwrap());
}

#[test]
fn nobodys_text_reaches_the_terminal_or_the_page_as_markup() {
    let report = hostile();
    let (shown, page) = (text::text(&report, false, 80), markdown::markdown(&report));
    for text in [&shown, &page] {
        assert!(text.contains("\\x1b") && !text.contains('\u{1b}') && !text.contains('\u{202e}'));
        assert!(!text.lines().any(|line| line.starts_with("::")), "no workflow command by accident: {text}");
    }
    assert!(!page.contains("<script") && !page.contains("@team"));
}

fn night(number: u32, broken: bool) -> Records {
    let mut run = runs::run(number, 3, 60);
    if broken {
        run = runs::without_burst(run, number);
    }
    run.run.started = format!("2026-03-{:02}T02:00:00Z", number + 1);
    run
}

fn followed(nights: &[Records], settings: &Settings) -> history::History {
    let names: Vec<String> = (0..nights.len()).map(|i| format!("nightly/{:02}", i + 1)).collect();
    let runs: Vec<Run<'_>> = nights.iter().zip(&names).map(|(records, name)| Run { name, records }).collect();
    history::follow(&runs, settings)
}

#[test]
fn a_history_says_since_when_and_by_how_much() {
    let nights: Vec<Records> = (0..20).map(|i| night(i, i >= 12)).collect();
    let found = followed(&nights, &settings());
    let shown = shown_history::text::text(&found, false, 80);
    assert_eq!(found.verdict, cgbench::gate::Verdict::Regression, "{shown}");
    let track = found
        .with(cgbench::gate::method::Outcome::Worse)
        .find(|track| track.condition.to_string() == "limit+burst")
        .unwrap();
    assert_eq!(track.step.unwrap().since, 12);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown);
    let page = shown_history::markdown::markdown(&found);
    let columns = |line: &&str| line.starts_with('|');
    assert!(page.lines().filter(columns).all(|line| line.matches('|').count() == 10), "{page}");
    insta::assert_snapshot!("a_history_for_the_page_of_a_job", page);
}

#[test]
fn a_history_of_equal_runs_passes_and_a_short_one_is_not_judged() {
    let nights: Vec<Records> = (0..20).map(|i| night(i, false)).collect();
    let found = followed(&nights, &settings());
    assert_eq!(
        found.verdict,
        cgbench::gate::Verdict::Pass,
        "{}",
        shown_history::text::text(&found, false, 80)
    );
    let short = followed(&nights[..6], &settings());
    assert_eq!(short.verdict, cgbench::gate::Verdict::Undecided);
    assert!(
        short.obstacles[0].to_string().contains("too few runs: 6, it takes 14"),
        "{}",
        short.obstacles[0]
    );
    let mut interrupted = nights.clone();
    interrupted[19].run.partial = true;
    let found = followed(&interrupted, &settings());
    assert_eq!(found.verdict, cgbench::gate::Verdict::Undecided);
    assert!(found.obstacles[0].to_string().contains("was interrupted"), "{}", found.obstacles[0]);
    let mut lately = nights.clone();
    lately[..12].iter_mut().for_each(|night| *night = toy::without_pinning(night.clone()));
    let found = followed(&lately, &settings());
    assert_eq!(found.verdict, cgbench::gate::Verdict::Undecided);
    assert!(found.obstacles[0].to_string().contains("runs have"), "{}", found.obstacles[0]);
    let mut other = nights;
    other[3].machine.kernel = "6.1".into();
    let refused = followed(&other, &settings());
    assert_eq!((refused.verdict, refused.tracks.len()), (cgbench::gate::Verdict::Undecided, 0));
}

#[test]
fn an_improvement_over_time_is_told_and_never_fails() {
    let nights: Vec<Records> = (0..20).map(|i| night(i, i < 8)).collect();
    let found = followed(&nights, &settings());
    assert_eq!(found.verdict, cgbench::gate::Verdict::Pass);
    assert!(found.with(cgbench::gate::method::Outcome::Better).count() > 0);
}

/// The schema with every object closed that lists its properties, so that an undescribed field is an error.
fn closed(schema: Value) -> Value {
    match schema {
        Value::Object(mut fields) => {
            if fields.get("type") == Some(&Value::from("object")) && fields.contains_key("properties") {
                fields.insert("additionalProperties".into(), Value::Bool(false));
            }
            fields.into_iter().map(|(name, value)| (name, closed(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(closed).collect(),
        other => other,
    }
}

fn described(schema: &str, document: &str) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&closed(schema)).unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0], "{document:#}");
}

const GATE: &str = include_str!("../schemas/gate-1.schema.json");
const HISTORY: &str = include_str!("../schemas/gate-history-1.schema.json");

#[test]
fn json_is_what_the_schemas_describe_and_nothing_else() {
    let alone = judge(
        None,
        Run { name: "new", records: &runs::run(0, 5, 220) },
        &Settings::of(
            Layer {
                methods: Some(vec![Method::Fixed]),
                bounds: vec![
                    Bound::parse("* throttled<=1%").unwrap(),
                    Bound::parse("limit p99<=1s").unwrap(),
                ],
                absolute: Some(true),
                ..Layer::default()
            },
            Layer::default(),
        ),
    );
    for report in [regression(), everything(), undecided(), hostile(), alone] {
        described(GATE, &json::json(&report).unwrap());
    }
    let few = judged(&runs::run(0, 2, 60), &runs::run(1, 2, 60), &settings());
    described(GATE, &json::json(&few).unwrap());
    let nights: Vec<Records> = (0..10).map(|i| night(i, i >= 5)).collect();
    described(HISTORY, &json::json(&followed(&nights, &settings())).unwrap());
    let mut other = nights;
    other[3].machine.kernel = "6.1".into();
    described(HISTORY, &json::json(&followed(&other, &settings())).unwrap());
}

#[test]
fn the_schemas_refuse_what_they_should() {
    let validator = jsonschema::validator_for(&serde_json::from_str(GATE).unwrap()).unwrap();
    let good = serde_json::to_value(everything()).unwrap();
    assert!(validator.is_valid(&good));
    for (pointer, bad) in [
        ("/schema", Value::from("cgbench.gate/2")),
        ("/verdict", Value::from("fine")),
        ("/lines/0/metric", Value::from("p42")),
        ("/lines/0/new/blocks", Value::from(-1)),
        ("/settings/alpha", Value::from(0)),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = bad;
        assert!(!validator.is_valid(&document), "{pointer}");
    }
}
