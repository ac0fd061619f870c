//! `cgtune simulate` as its users meet it. The model is deterministic, so its answers are snapshots.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use serde_json::Value;
use tool::{fails, schema, succeeds};

/// A machine that is the same wherever the tests run.
const MACHINE: [&str; 4] = ["--cpus", "2", "--kernel", "6.18"];

fn simulate(args: &[&str]) -> String {
    let (out, err) = succeeds(&[&["simulate"], args, &MACHINE].concat());
    assert_eq!(err, "");
    for line in out.lines() {
        assert!(line.chars().count() <= 80 && !line.ends_with(' '), "{line}");
    }
    out
}

#[test]
fn an_encoder_under_limits_with_and_without_burst() {
    insta::assert_snapshot!(simulate(&[
        "encoder",
        "--cpu-limit",
        "390m,420m,500m,max",
        "--burst",
        "0%,50%,100%",
        "--for",
        "30s"
    ]));
}

#[test]
fn threads_periods_and_neighbours() {
    let told = [
        vec!["encoder:slices=4", "--cpu-limit", "500m", "--period", "100ms,20ms,5ms"],
        vec!["service:rate=50,mean=8ms,fan-out=2,threads=4", "--cpu-limit", "600m", "--above", "500m"],
        vec!["periodic:every=100ms,each=20ms,threads=2", "--cpu-limit", "300m", "--burst", "100%"],
        vec!["encoder", "--cpu-limit", "max", "--neighbour", "hog:threads=2"],
    ]
    .iter()
    .map(|args| {
        format!(
            "$ cgtune simulate {}\n{}\n",
            args.join(" "),
            simulate(&[args.as_slice(), &["--for", "30s"]].concat())
        )
    })
    .collect::<String>();
    insta::assert_snapshot!(told);
}

#[test]
fn threads_are_varied_like_everything_else() {
    let args =
        ["encoder", "--cpu-limit", "420m,max", "--threads", "1,2,4,2", "--burst", "0%,100%", "--for", "40s"];
    insta::assert_snapshot!(simulate(&args));
    let json = succeeds(&[&["simulate", "--json"], args.as_slice(), &MACHINE].concat()).0;
    let answer: Value = serde_json::from_str(&json).unwrap();
    let threads: Vec<u64> =
        answer["policies"].as_array().unwrap().iter().map(|row| row["threads"].as_u64().unwrap()).collect();
    assert_eq!(threads, [1, 1, 1, 2, 2, 2, 4, 4, 4]);
    // What a load says of itself is the same as what the flag says of it.
    let row = |args: &[&str]| {
        let args = [&["simulate", "--json", "--cpu-limit", "500m", "--for", "5s"], args, &MACHINE].concat();
        serde_json::from_str::<Value>(&succeeds(&args).0).unwrap()["policies"][0].clone()
    };
    assert_eq!(row(&["encoder:slices=3"]), row(&["encoder", "--threads", "3"]));
    assert_eq!(row(&["hog:threads=2"]), row(&["hog", "--threads", "2"]));
}

#[test]
fn a_sweep_becomes_a_figure() {
    let folder = tempfile::tempdir().unwrap();
    let (svg, png) = (folder.path().join("a.svg"), folder.path().join("a.png"));
    std::fs::write(&svg, "old").unwrap();
    let args =
        ["encoder", "--cpu-limit", "400m,max,500m", "--burst", "0%,50%", "--for", "40s", "--threads", "1,2"];
    let files = ["--svg", svg.to_str().unwrap(), "--png", png.to_str().unwrap()];
    assert_eq!(simulate(&[args.as_slice(), &files].concat()), simulate(&args));
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    let svg = std::fs::read_to_string(&svg).unwrap();
    for said in [
        "SIMULATED: encoder, throttling",
        "2 CPUs",
        "24 ways",
        "40s",
        "no limit",
        "2 threads, burst 50 %",
        "p99",
    ] {
        assert!(svg.contains(said), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left behind");
}

#[test]
fn a_figure_goes_to_a_file_and_never_in_place_of_a_device() {
    use std::{io::Read as _, os::unix::fs::FileTypeExt as _};

    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("null");
    // Of our own: as /dev/null (drivers/char/mem.c, 6.12).
    let made = std::process::Command::new("mknod").arg(&device).args(["c", "1", "3"]).status().unwrap();
    assert!(made.success(), "this test needs permission to make a device: run it as root");
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let read = std::fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let args = ["encoder", "--cpu-limit", "400m,500m", "--for", "4s"];
    simulate(
        &[args.as_slice(), &["--png", device.to_str().unwrap(), "--svg", fifo.to_str().unwrap()]].concat(),
    );
    assert!(std::fs::symlink_metadata(&device).unwrap().file_type().is_char_device());
    assert!(std::fs::symlink_metadata(&fifo).unwrap().file_type().is_fifo());
    let mut begin = [0; 4];
    (&read).read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"<svg");

    for flag in ["--svg", "--png"] {
        let refused = fails(&[&["simulate"], args.as_slice(), &[flag, "-"]].concat());
        assert!(refused.0.is_empty() && refused.1.contains(&format!("{flag} FILE")), "{refused:?}");
    }
}

#[test]
fn a_figure_that_cannot_be_is_refused_before_anything_is_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let long =
        ["simulate", "encoder", "--cpu-limit", "400m,500m,600m,700m", "--for", "24h", "--phases", "10000"];
    let many = ["--burst", "0%,10%,20%", "--period", "10ms,20ms,40ms", "--svg", "never.svg"];
    let told = fails(&[long.as_slice(), &many].concat()).1;
    let nowhere = fails(&[long.as_slice(), &["--svg", "/nowhere/at/all.svg"]].concat()).1;
    let a_folder = fails(&[long.as_slice(), &["--png", folder.path().to_str().unwrap()]].concat()).1;
    insta::assert_snapshot!((told + &nowhere + &a_folder).replace(folder.path().to_str().unwrap(), "FOLDER"));
}

/// From 6.18 on a system call is finished before the task parks: a job that is one long call is done at once, and its time is owed
/// while nobody wants any. Before, it waits in the middle.
#[test]
fn system_calls_are_finished_from_6_18_on() {
    let middle = |kernel: &str| {
        let load = ["simulate", "periodic:every=200ms,each=15ms", "--cpu-limit", "100m", "--for", "60s"];
        let calls = ["--system-calls", "1m/1ms", "--cpus", "1", "--json", "--kernel", kernel];
        let answer: Value =
            serde_json::from_str(&succeeds(&[load.as_slice(), calls.as_slice()].concat()).0).unwrap();
        answer["policies"][0]["latency_us"]["p50"]["median"].as_f64().unwrap()
    };
    let (old, new) = (middle("6.17"), middle("6.18"));
    assert!(old > 2.0 * new && new < 20_000.0, "{old} {new}");
}

#[test]
fn a_file_of_what_was_recorded_is_a_load() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("frames.csv");
    let lines: String = (0..300).map(|frame| format!("{}us,13ms\n", frame * 33_367)).collect();
    std::fs::write(&file, format!("intended,cpu\n{lines}")).unwrap();
    let args = ["simulate", file.to_str().unwrap(), "--cpu-limit", "420m", "--for", "10s", "--json"];
    let answer: Value = serde_json::from_str(&succeeds(&[&args, MACHINE.as_slice()].concat()).0).unwrap();
    let used = answer["policies"][0]["cpus_used"]["median"].as_f64().unwrap();
    assert!((used - 13.0 / 33.367).abs() < 0.01, "{used}");
}

/// A block of the reference run, which used so much of its limit: the model fed with it uses as much.
#[test]
fn a_block_that_cgbench_recorded_is_a_load() {
    let run = concat!(env!("CARGO_MANIFEST_DIR"), "/../results/encoder-linux-6.18/blocks");
    let names = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
    let block = names.filter(|path| path.to_str().unwrap().ends_with("-limit.json")).min().unwrap();
    let record: Value = serde_json::from_str(&std::fs::read_to_string(&block).unwrap()).unwrap();
    let frames = |column: &str| record["frames"][column].as_array().unwrap().clone();
    let cpu: f64 = frames("cpu_ns").iter().map(|ns| ns.as_f64().unwrap()).sum();
    let took = frames("intended_ns").last().unwrap().as_f64().unwrap();
    let args = ["simulate", block.to_str().unwrap(), "--cpu-limit", "max", "--for", "1m", "--json"];
    let answer: Value = serde_json::from_str(&succeeds(&[&args, MACHINE.as_slice()].concat()).0).unwrap();
    let used = answer["policies"][0]["cpus_used"]["median"].as_f64().unwrap();
    assert!((used / (cpu / took) - 1.0).abs() < 0.02, "{used} {}", cpu / took);
}

#[test]
fn answers_are_what_the_schema_describes_and_nothing_else() {
    let published: Value = serde_json::from_str(include_str!("../schemas/simulate-1.schema.json")).unwrap();
    assert!(jsonschema::meta::is_valid(&published));
    for args in [
        "encoder --cpu-limit 420m,max --burst 50%",
        "encoder --cpu-limit 420m --threads 1,2 --for 1s",
        "hog --cpu-limit 1 --for 1s",
        "service --cpu-limit 1m --for 1s",
    ] {
        let args: Vec<&str> =
            ["simulate", "--json"].into_iter().chain(args.split(' ')).chain(MACHINE).collect();
        schema::assert_describes(published.clone(), &serde_json::from_str(&succeeds(&args).0).unwrap());
    }
}

#[test]
fn wrong_use_is_told_with_what_to_write_instead() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let frames = |columns: &str| format!(r#"{{"schema":"cgbench.block/1","frames":{{{columns}}}}}"#);
    let (other, uneven, cut) = (
        file("other.json", r#"{"schema":"cgbench.plan/1","frames":{"intended_ns":[],"cpu_ns":[]}}"#),
        file("uneven.json", &frames(r#""intended_ns":[0,5],"cpu_ns":[1]"#)),
        file("cut.json", &frames(r#""intended_ns":[0,5],"cpu_ns":[1,-2]"#)),
    );
    let (empty, late, absurd) = (
        file("empty.csv", "intended,cpu\n"),
        file("late.csv", "40ms,1ms\n20ms,1ms\n"),
        file("absurd.csv", "0us,-5ms\n"),
    );
    let mut told = String::new();
    for args in [
        vec!["decoder", "--cpu-limit", "1"],
        vec!["encoder:fsp=30", "--cpu-limit", "1"],
        vec!["encoder:fps=0", "--cpu-limit", "1"],
        vec!["encoder:mean=13", "--cpu-limit", "1"],
        vec!["encoder:mean=-13ms", "--cpu-limit", "1"],
        vec!["encoder", "--cpu-limit", "1K"],
        vec!["encoder", "--cpu-limit", "500m", "--burst", "150%"],
        vec!["encoder", "--cpu-limit", "500m", "--period", "2s"],
        vec!["encoder", "--cpu-limit", "500m", "--for", "10ms"],
        vec!["encoder", "--cpu-limit", "500m", "--kernel", "new"],
        vec!["encoder", "--cpu-limit", "500m", "--system-calls", "2ms"],
        vec!["encoder", "--cpu-limit", "500m", "--system-calls", "2/5ms"],
        vec!["encoder:fps=60,slices=4", "--cpu-limit", "500m", "--threads", "1,2"],
        vec!["hog:threads=4", "--cpu-limit", "500m", "--threads", "2"],
        vec!["encoder", "--cpu-limit", "500m", "--threads", "0"],
        vec![&empty, "--cpu-limit", "1"],
        vec![&late, "--cpu-limit", "1"],
        vec![&absurd, "--cpu-limit", "1"],
        vec![&other, "--cpu-limit", "1"],
        vec![&uneven, "--cpu-limit", "1"],
        vec![&cut, "--cpu-limit", "1"],
    ] {
        let (out, err) = fails(&[&["simulate"], args.as_slice()].concat());
        assert_eq!(out, "", "{args:?}");
        let folder = folder.path().to_str().unwrap();
        told += &format!("$ cgtune simulate {}\n{err}\n", args.join(" ")).replace(folder, "FOLDER");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn the_readme_shows_what_is_printed() {
    let out = simulate(&["encoder", "--cpu-limit", "390m,420m,500m", "--burst", "0%,100%"]);
    assert!(include_str!("../../README.md").contains(out.trim_end()), "{out}");
}

#[test]
fn interference_is_a_table_and_json() {
    let args = ["simulate", "interference", "--use", "70", "--burst", "0,100,max", "--periods", "100000"];
    insta::assert_snapshot!(succeeds(&args).0);
    let json: Value = serde_json::from_str(&succeeds(&[&args, ["--json"].as_slice()].concat()).0).unwrap();
    assert_eq!(json["rows"][0]["probability"], 0.0);
    assert_eq!(json["rows"][2]["burst_percent"], Value::Null);
    assert!(fails(&["simulate", "interference", "--burst", "much"]).1.contains("not a percentage"));
}
