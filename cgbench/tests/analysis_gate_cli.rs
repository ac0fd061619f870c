//! `cgbench gate` and `compare` as they are typed: exit codes, files, settings, and the examples for CI.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use cgbench::{cli::Cli, gate::settings::Layer, record::Records, store};
use clap::Parser as _;
use granit_parser::{Event, Parser};
use toy::runs;

fn write(records: &Records, folder: &Path) {
    let folder = store::Folder::create(folder).unwrap();
    folder.write_plan(&records.plan).unwrap();
    folder.write_machine(&records.machine).unwrap();
    for pilot in &records.pilots {
        folder.write_pilot(pilot).unwrap();
    }
    for block in &records.blocks {
        folder.write_block(block).unwrap();
    }
    folder.write_run(&records.run).unwrap();
}

/// A folder with `base`, `new` (an equal run), `broken` (its burst is gone), `few` (three repetitions) and `other` (another kernel).
fn workplace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut other = runs::run(1, 5, 60);
    other.machine.kernel = "6.1.0-other".into();
    for (name, records) in [
        ("base", runs::run(0, 5, 60)),
        ("new", runs::run(1, 5, 60)),
        ("broken", runs::without_burst(runs::run(1, 5, 60), 1)),
        ("few", runs::run(2, 3, 60)),
        ("other", other),
    ] {
        write(&records, &dir.path().join(name));
    }
    dir
}

fn cgbench(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cgbench"));
    command.env_clear().env("NO_COLOR", "1").current_dir(dir).args(args).output().unwrap()
}

fn ends(dir: &Path, args: &[&str], code: i32) -> (String, String) {
    let output = cgbench(dir, args);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}{err}");
    (out, err)
}

/// Without the breaks of lines.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn exit_codes_are_0_1_and_2() {
    let dir = workplace();
    let dir = dir.path();
    assert!(ends(dir, &["gate", "base", "base"], 0).0.starts_with("no regression"));
    assert!(ends(dir, &["gate", "base", "new"], 0).0.starts_with("no regression"));
    assert!(ends(dir, &["gate", "base", "broken"], 1).0.starts_with("REGRESSION"));
    assert!(ends(dir, &["compare", "base", "broken"], 0).0.starts_with("REGRESSION"));
    let refused = flat(&ends(dir, &["gate", "base", "other"], 2).0);
    assert!(refused.contains("kernel is synthetic") && refused.contains("6.1.0-other in NEW"), "{refused}");
    ends(dir, &["compare", "base", "other"], 2);
    ends(dir, &["gate", "base", "other", "--across", "kernels"], 0);
    assert!(flat(&ends(dir, &["gate", "base", "few"], 2).0).contains("5 in BASE and 3 in NEW, it takes 5"));
    ends(dir, &["compare", "base", "few"], 0);
    assert!(ends(dir, &["gate", "base", "absent"], 2).1.contains("plan.json"));
}

#[test]
fn a_reader_that_goes_away_makes_no_regression_a_pass() {
    let dir = workplace();
    for (new, code) in [("broken", 1), ("other", 2), ("base", 0)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cgbench"));
        let status =
            command.current_dir(dir.path()).args(["gate", "base", new]).stdout(writer).status().unwrap();
        assert_eq!(status.code(), Some(code), "{new}");
    }
}

#[test]
fn real_records_pass_against_themselves_and_fail_a_bound_that_they_break() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let run = "encoder-linux-6.18";
    let shown = ends(&results, &["gate", run, run, "--absolute"], 0).0;
    assert!(shown.starts_with("no regression: none of 78 numbers is worse"), "{shown}");
    // In the report beside the records the limit was throttled in 37 % of all periods, the same limit with burst in none.
    ends(&results, &["gate", run, "--bound", "limit+burst throttled<=0%"], 0);
    ends(&results, &["gate", run, "--bound", "limit throttled<=30%"], 1);
}

#[test]
fn bounds_judge_one_run() {
    let dir = workplace();
    let dir = dir.path();
    let bound = ["--bound", "limit+burst throttled<=5%"];
    ends(dir, &["gate", "new", bound[0], bound[1]], 0);
    ends(dir, &["gate", "broken", bound[0], bound[1]], 1);
    // With a base they hold as well.
    ends(dir, &["gate", "base", "new", "--bound", "limit throttled<=0.1%"], 1);
    assert!(ends(dir, &["gate", "new"], 2).1.contains("--bound"));
    assert!(ends(dir, &["gate", "new", "--method", "baseline"], 2).1.contains("gate BASE NEW"));
    assert!(ends(dir, &["gate", "new", "--bound", "limit throttled<=5"], 2).1.contains("write 1%"));
    assert!(ends(dir, &["gate", "base", "new", "--method", "fixed"], 2).1.contains("--bound"));
    assert!(ends(dir, &["gate"], 2).1.contains("BASE NEW"));
}

#[test]
fn settings_come_from_a_file_and_what_is_wrong_there_has_its_line() {
    let dir = workplace();
    let dir = dir.path();
    fs::write(dir.join("gate.toml"), "methods = [\"percentage\"]\npercent = 1e6\nmissing = \"ignore\"\n")
        .unwrap();
    let shown = ends(dir, &["gate", "base", "broken", "--config", "gate.toml", "--json"], 1).0;
    assert!(shown.contains("\"percentage\"") && shown.contains("\"rise_frac\": 10000.0"), "{shown}");
    // From nothing to something is more than any percentage; what is typed goes before the file.
    ends(dir, &["gate", "base", "new", "--config", "gate.toml", "--method", "baseline"], 0);
    fs::write(dir.join("gate.toml"), "alpha = 0.01\n\nbounds = [\n  \"limit throtled<=1%\",\n]\n").unwrap();
    let said = ends(dir, &["gate", "base", "new", "--config", "gate.toml"], 2).1;
    assert!(said.contains("gate.toml, line 4, column 3: no metric \"throtled\""), "{said}");
    assert!(ends(dir, &["gate", "base", "new", "--config", "absent.toml"], 2).1.contains("absent.toml"));
}

#[test]
fn each_format_goes_where_it_is_asked_to() {
    let dir = workplace();
    let dir = dir.path();
    fs::write(dir.join("summary.md"), "before\n").unwrap();
    let args = [
        "gate",
        "base",
        "broken",
        "--markdown",
        "summary.md",
        "--append",
        "--junit",
        "gate.xml",
        "--benchmark-json",
        "bench.json",
        "--annotations",
        "github",
    ];
    let out = ends(dir, &args, 1).0;
    assert!(
        out.lines()
            .any(|line| line.starts_with("::error title=cgbench%3A limit+burst%3A throttled is worse::"))
    );
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    assert!(read("summary.md").starts_with("before\n### cgbench: REGRESSION"));
    assert!(roxmltree::Document::parse(&read("gate.xml")).is_ok());
    assert!(serde_json::from_str::<Vec<serde_json::Value>>(&read("bench.json")).unwrap().len() > 10);
    ends(dir, &["gate", "base", "new", "--markdown", "summary.md", "--annotations", "gitlab"], 0);
    assert!(read("summary.md").starts_with("### cgbench: no regression"), "without --append it is replaced");
    assert_eq!(read("gl-code-quality-report.json"), "[]\n");
    assert!(ends(dir, &["gate", "base", "new", "--markdown", "-"], 0).0.starts_with("### cgbench"));
    for args in [
        ["--json", "--markdown", "-"].as_slice(),
        &["--json", "--annotations", "github"],
        &["--append"],
        &["--markdown", "-", "--append"],
        &["--markdown", "no/such/folder.md"],
    ] {
        ends(dir, &[["gate", "base", "new"].as_slice(), args].concat(), 2);
    }
    // What is refused is on the page as well.
    ends(dir, &["gate", "base", "other", "--junit", "gate.xml"], 2);
    assert!(read("gate.xml").contains("not-judged"));
}

#[test]
fn a_history_is_ordered_by_time_and_not_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let nights = dir.path().join("nightly");
    fs::create_dir(&nights).unwrap();
    for number in 0..18 {
        let mut run = runs::run(number, 3, 40);
        if number >= 9 {
            run = runs::without_burst(run, number);
        }
        // Fractions of seconds as they are written: some have none.
        run.run.started =
            format!("2026-03-{:02}T02:00:00{}Z", number + 1, if number % 2 == 0 { "" } else { ".5" });
        write(&run, &nights.join(format!("{:02}", 17 - number)));
    }
    let only = ["--condition", "limit+burst", "--metrics", "throttled,stall"];
    let of = |more: &[&str], code| {
        ends(dir.path(), &[["gate", "--history", "nightly"].as_slice(), &only, more].concat(), code).0
    };
    let shown = of(&[], 1);
    assert!(flat(&shown).contains("since nightly/08 (2026-03-10T02:00:00)"), "{shown}");
    // After the step nothing changes any more; eight runs are enough to look, not to judge two series.
    let later = of(&["--since", "2026-03-10"], 2);
    assert!(flat(&later).contains("too few runs: 9, it takes 12"), "{later}");
    ends(dir.path(), &["gate", "--history", "nightly", "--since", "yesterday"], 2);
    let again = of(&["nightly/00"], 1);
    assert_eq!(shown, again, "a run that is in the history counts once");
    assert!(of(&["--json"], 1).contains("cgbench.gate-history/1"));
    assert!(of(&["--markdown", "-"], 1).starts_with("### cgbench: REGRESSION"));
    ends(dir.path(), &["gate", "--history", "nightly", "--junit", "x.xml"], 2);
    ends(dir.path(), &["gate", "--history", "nightly", "--method", "deviation"], 2);
}

/// The scalars of a YAML file.
fn scalars(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.unwrap();
        if let Event::Scalar(value, ..) = event {
            found.push(value.into_owned());
        }
    }
    found
}

/// The words of a line of shell, quotes taken off; variables stay as they are.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn the_examples_for_ci_are_yaml_whose_commands_cgbench_understands() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/ci");
    for (name, expected) in [("github-actions.yml", 7), ("gitlab-ci.yml", 4)] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let mut commands = 0;
        for line in scalars(&text).iter().flat_map(|scalar| scalar.lines()) {
            let words = words(line);
            // In `cargo build --bin cgbench` it is the last word.
            let Some(at) = words.iter().position(|word| word == "cgbench").filter(|at| at + 1 < words.len())
            else {
                continue;
            };
            let parsed = Cli::try_parse_from(&words[at..]);
            assert!(parsed.is_ok(), "{name}: {line}\n{}", parsed.unwrap_err());
            commands += 1;
            if let Some(config) = words.iter().position(|word| word == "--config") {
                let path: PathBuf = folder.join("../..").join(&words[config + 1]);
                Layer::from_toml(&path, &fs::read_to_string(&path).unwrap()).unwrap();
            }
        }
        assert_eq!(commands, expected, "{name}");
    }
}

#[test]
fn the_guides_commands_are_understood() {
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/gate.md")).unwrap();
    let lines: Vec<&str> =
        guide.lines().filter_map(|line| line.trim_start().strip_prefix("cgbench ")).collect();
    assert!(lines.len() >= 12, "{lines:?}");
    for line in lines {
        let typed: Vec<String> = std::iter::once("cgbench".to_owned()).chain(words(line)).collect();
        let parsed = Cli::try_parse_from(&typed);
        assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
    }
}
