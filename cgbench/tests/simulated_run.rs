//! `cgbench run` on the model: the whole pipeline, labelled everywhere; and in place of the kernel only for a person.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, Output},
};

use cgbench::{
    agree::{Agreement, Verdict},
    store,
};
use cgtune_core::sim::{Kernel, Phases};
use serde_json::Value;

fn cgbench() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cgbench"));
    command.env_clear().env("NO_COLOR", "1");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_simulated_run_is_whole_and_labelled_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let args = ["run", "--backend", "sim", "--repetitions", "5", "--frames", "250", "--quiet", "--out"];
    let output = cgbench().args(args).arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).starts_with("SIMULATED"), "{}", text(&output));
    assert_eq!(json(&out.join("run.json"))["backend"], "simulated");
    assert_eq!(json(&out.join("summary.json"))["backend"], "simulated");
    for file in ["report.md", "overview.svg", "percentiles.svg", "timeline.svg"] {
        assert!(fs::read_to_string(out.join(file)).unwrap().contains("SIMULATED"), "{file}");
    }
    // The same stages from the records alone, and the same records from the same seed.
    let study = cgbench().args(["study", "--json"]).arg(&out).output().unwrap();
    let summary: Value = serde_json::from_slice(&study.stdout).unwrap();
    assert_eq!(summary, json(&out.join("summary.json")));
    let again = folder.path().join("again");
    assert!(cgbench().args(args).arg(&again).output().unwrap().status.success());
    let block = |run: &Path| fs::read(run.join("blocks/000-pinned.json")).unwrap();
    assert_eq!(block(&out), block(&again));
    // What the model plays through itself it agrees with; but that is no evidence, and is refused as such.
    let records = store::read(&out).unwrap();
    let kernel = Kernel::of(records.machine.kernel.parse().unwrap());
    let agreement = Agreement::of(&records, kernel, &Phases::grid(6, 4));
    let verdict = Verdict::of([&agreement].into_iter());
    assert!(verdict.agrees && verdict.throttled.of == 30, "{verdict}");
    let refused = cgbench().args(["agree", "--check"]).arg(&out).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(text(&refused).contains("these are SIMULATED records"), "{}", text(&refused));
}

#[test]
fn the_model_takes_the_kernels_place_for_a_person_and_not_in_ci() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Nobody may make cgroups; nor perhaps read the build's own folder.
    let binary = folder.path().join("cgbench");
    fs::copy(env!("CARGO_BIN_EXE_cgbench"), &binary).unwrap();
    let run = |out: &str, env: Option<&str>, args: &[&str]| {
        let mut command = Command::new(&binary);
        command.env_clear().env("NO_COLOR", "1");
        command.uid(65534).gid(65534).current_dir(folder.path());
        command.envs(env.map(|ci| ("CI", ci)));
        command.args(["run", "--quick", "--quiet", "--out", out]).args(args);
        command.output().unwrap()
    };
    let person = run("person", None, &[]);
    assert!(person.status.success(), "{}", text(&person));
    let said = String::from_utf8_lossy(&person.stderr).into_owned();
    assert!(said.starts_with("note: no cgroup can be written here") && said.contains("SIMULATED"), "{said}");
    for refused in [run("ci", Some("true"), &[]), run("kernel", None, &["--backend", "kernel"])] {
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    }
    assert!(run("sim", Some("true"), &["--backend", "sim"]).status.success());
}
