//! Plans as people write and vary them: the guide's examples, the command line, and what is said of mistakes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::process::{Command, Output};

use cgbench::{
    experiment::{Experiment, ExperimentError, SHIPPED, Setting},
    plan::{Condition, Item, Load, PolicyKind, QuotaRule},
};

const GUIDE: &str = include_str!("../../docs/plans.md");

/// The guide's TOML blocks, in order.
fn examples() -> Vec<&'static str> {
    GUIDE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn read(text: &str) -> Experiment {
    Experiment::read("the guide", text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refused(text: &str, settings: &[&str]) -> String {
    let settings: Vec<Setting> = settings.iter().map(|text| text.parse().unwrap()).collect();
    match Experiment::read("it", text, &settings) {
        Ok(_) => panic!("accepted: {text} {settings:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_guides_examples_are_plans() {
    let [whole, service, sweep, points] = examples()[..] else { panic!("four examples") };
    let experiment = read(whole);
    assert_eq!(experiment.points.len(), 1);
    let plan = &experiment.points[0].plan;
    assert_eq!(plan.conditions.len(), 2 * PolicyKind::ALL.len());
    assert_eq!((plan.load.item(), plan.limit.headroom()), (Item::Frame, Some(1.08)));
    let (before, after) = (whole.split("[load]").next().unwrap(), whole.split("[limit]").nth(1).unwrap());
    let served = read(&format!("{before}{service}[limit]{after}"));
    let plan = &served.points[0].plan;
    assert_eq!(
        (plan.load.item(), plan.load.threads(), plan.frames, plan.warmup_frames),
        (Item::Request, 4, 400, 25)
    );
    assert_eq!(plan.load.deadline_ns(), Some(50_000_000));
    assert_eq!(read(&format!("{whole}\n{sweep}")).points.len(), 6);
    let of_base = whole.replace("need_of = \"load\"", "need_of = \"base\"");
    let listed = read(&format!("{of_base}\n{points}"));
    let slugs: Vec<String> = listed.points.iter().map(|point| point.slug().unwrap()).collect();
    assert_eq!(slugs, ["as-it-was", "five-percent-more"]);
    // With `need_of = "base"` the limit follows from the load as it was, and so does the size.
    let (was, more) = (&listed.points[0], &listed.points[1]);
    assert_eq!(more.plan.pilot.as_ref(), Some(&was.plan.load));
    assert_eq!((was.plan.pilot.as_ref(), was.sized_as()), (None, more.sized_as()));
}

#[test]
fn the_guide_names_every_plan_and_every_plan_says_what_it_needs() {
    for shipped in SHIPPED {
        assert!(GUIDE.contains(&format!("| `{}` |", shipped.name)), "{} is not in the guide", shipped.name);
        let experiment = Experiment::find(shipped.name, &[]).unwrap();
        let any = |of: fn(&Condition) -> bool| {
            experiment.points.iter().flat_map(|point| &point.plan.conditions).any(of)
        };
        let says = |need: &str| experiment.requires.iter().any(|said| said == need);
        assert_eq!(says("burst"), any(|condition| condition.policy.bursts()), "{}", shipped.name);
        assert_eq!(says("cpuset"), any(|condition| condition.policy.confines()), "{}", shipped.name);
        assert_eq!(says("2 CPUs"), any(|condition| condition.policy.pins()), "{}", shipped.name);
    }
}

#[test]
fn mistakes_are_said_with_their_place_or_their_setting() {
    let text = "name = \"x\"\nabout = \"y\"\nrepetitions = 2\npolicies = [\"limit\"]\n[load]\nkind = \"encode\"\nframes = 60\n[limit]\nheadroom = 1.1\n";
    read(text);
    let cases: [(&str, String, &[&str]); 13] = [
        ("line 3, column 15", text.replace("= 2", "= \"two\""), &[]),
        ("line 9", text.replace("headroom", "hedroom"), &[]),
        ("unknown variant `limits`", text.replace("[\"limit\"]", "[\"limits\"]"), &[]),
        ("headroom is 0", text.to_owned(), &["limit.headroom=0"]),
        ("a headroom and a quota", text.to_owned(), &["limit.quota=50ms"]),
        ("repetitions: at least one", text.to_owned(), &["repetitions=0"]),
        ("limit.period is \"100\"", text.to_owned(), &["limit.period=100"]),
        ("limit.burst is \"120%\"", text.to_owned(), &["limit.burst=120%"]),
        ("load.share is 2", text.to_owned(), &["load.share=2"]),
        ("frame rate 0/1", text.to_owned(), &["load.fps=0"]),
        ("said twice", text.to_owned(), &["policies=limit,limit"]),
        ("unknown field `demand`", text.to_owned(), &["load.demand=3ms"]),
        ("cannot set load.frames.x", text.to_owned(), &["load.frames.x=3"]),
    ];
    for (expected, text, settings) in cases {
        let message = refused(&text, settings);
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let message = refused(text, &["sweep.limit.headroom=1.2,0.001"]);
    assert!(message.contains("at headroom 0.001: limit.headroom is 0.001"), "{message}");
    let wide = (1..=300).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let message = refused(text, &[&format!("sweep.repetitions={wide}")]);
    assert!(message.contains("300 points"), "{message}");
    assert!(matches!(Experiment::find("nonsense", &[]), Err(ExperimentError::Unknown { .. })));
    assert!(matches!(Experiment::find("/nowhere/plan.toml", &[]), Err(ExperimentError::Read { .. })));
}

#[test]
fn settings_take_the_place_of_what_is_said_and_are_in_the_text_that_is_kept() {
    let settings = ["limit.headroom=1.3", "policies=shares", "seed=9"].map(|text| text.parse().unwrap());
    let experiment = Experiment::find("burst-sweep", &settings).unwrap();
    assert_eq!(experiment.points.len(), 1, "what is set is not varied");
    let plan = &experiment.points[0].plan;
    assert_eq!((plan.limit.headroom(), plan.seed, plan.conditions.len()), (Some(1.3), 9, 1));
    let again = Experiment::read("again", &experiment.text, &[]).unwrap();
    assert_eq!(again.points, experiment.points);
    let quota = ["limit.quota=50ms".parse().unwrap()];
    let fixed = Experiment::find("exponential", &quota).unwrap();
    assert!(matches!(fixed.points[0].plan.limit.quota, QuotaRule::Fixed { .. }));
    assert!(!fixed.points[0].plan.has_pilots(), "nothing to find out");
    assert!(matches!(fixed.points[0].plan.load, Load::Service(_)));
}

fn cgbench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cgbench")).args(args).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn the_list_is_for_people_and_for_programs() {
    let text = String::from_utf8(cgbench(&["list"]).stdout).unwrap();
    for shipped in SHIPPED {
        assert!(text.contains(&format!("\n{}\n", shipped.name)) || text.starts_with(shipped.name), "{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let json = cgbench(&["list", "threads", "--set", "load.share=0.5", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["schema"], "cgbench.list/1");
    assert_eq!(value["plans"][0]["points"], serde_json::json!(["threads 1", "threads 2", "threads 4"]));
    let wrong = cgbench(&["list", "nonsense"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("cgbench has quick, encoder"));
}

#[test]
fn a_service_runs_on_the_model_and_speaks_of_requests() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let path = out.to_str().unwrap();
    let args = ["run", "exponential", "--backend", "sim", "--quiet", "--set", "repetitions=2", "--out", path];
    let output = cgbench(&args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("late requests") && flat.contains("more than the deadline of 100 ms"), "{text}");
    for file in ["report.md", "report.html", "percentiles.svg"] {
        let text = std::fs::read_to_string(out.join(file)).unwrap();
        assert!(!text.contains("frame interval"), "{file}");
        assert!(!text.to_lowercase().contains("encode"), "{file}");
    }
    assert!(!out.join("doctor.json").exists(), "the model has no machine to be judged");
}

#[test]
fn a_sweep_leaves_a_folder_a_point_and_one_page_over_all() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let path = out.to_str().unwrap();
    let args = ["run", "burst-sweep", "--backend", "sim", "--quiet", "--set", "repetitions=1", "--out", path];
    let output = cgbench(&args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(cgbench::store::runs(&out).unwrap().len(), 6);
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("headroom-1.02") && page.contains("headroom-1.6"));
    let kept = std::fs::read_to_string(out.join("experiment.toml")).unwrap();
    assert_eq!(Experiment::read("kept", &kept, &[]).unwrap().points.len(), 6);
    // A folder that holds a sweep is not written over.
    assert_eq!(cgbench(&args).status.code(), Some(2));
}
