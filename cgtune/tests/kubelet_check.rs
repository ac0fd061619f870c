//! `cgtune kubelet check` as its users meet it. The configurations are synthetic and lie in kubelet/.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use std::fmt::Write as _;

use serde_json::Value;
use tool::{schema, tool};

/// Exit code, stdout and stderr of a run beside the configurations.
fn check(args: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubelet");
    let output =
        tool().current_dir(folder).args(["kubelet", "check"]).args(args).write_stdin(stdin).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// All three, one under the other.
fn shown(args: &[&str]) -> String {
    let (code, out, err) = check(args, b"");
    for line in out.lines().chain(err.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    format!("{out}--- stderr\n{err}--- exit code {code}\n")
}

fn document(args: &[&str], stdin: &[u8]) -> Value {
    serde_json::from_str(&check(&[args, &["--json"]].concat(), stdin).1).unwrap()
}

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/kubelet-check-1.schema.json")).unwrap()
}

#[test]
fn a_sound_file_has_notes_alone() {
    insta::assert_snapshot!(shown(&["sound.yaml", "--topology", "machine.json", "--cgroup", "v2"]));
}

#[test]
fn every_mistake_has_its_line() {
    insta::assert_snapshot!(shown(&["broken.yaml", "--kubernetes", "1.34", "--topology", "machine.json"]));
}

#[test]
fn json_is_what_the_schema_describes_and_nothing_else() {
    assert!(jsonschema::meta::is_valid(&published()));
    for args in [
        ["broken.yaml"].as_slice(),
        &["broken.yaml", "--kubernetes", "v1.30.2", "--cgroup", "v1"],
        &["sound.yaml", "--topology", "machine.json"],
    ] {
        let document = document(args, b"");
        schema::assert_describes(published(), &document);
        assert!(document["findings"].as_array().unwrap().is_sorted_by_key(|found| found["line"].as_u64()));
    }
    let mut bad = document(&["sound.yaml"], b"");
    bad["findings"][0]["line"] = 0.into();
    assert!(!jsonschema::validator_for(&published()).unwrap().is_valid(&bad));
}

#[test]
fn the_release_decides() {
    let codes: Vec<i32> = ["1.30", "1.31", "1.36"]
        .iter()
        .map(|minor| check(&["sound.yaml", "--kubernetes", minor], b"").0)
        .collect();
    assert_eq!(codes, [0, 0, 0]);
    let strict = b"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncpuManagerPolicy: static\n\
        cpuManagerPolicyOptions: {strict-cpu-reservation: \"true\"}\nreservedSystemCPUs: \"0\"\ncgroupDriver: systemd\n";
    let code = |minor| check(&["-", "--kubernetes", minor], strict).0;
    assert_eq!((code("1.31"), code("1.32"), code("1.33"), code("1.36")), (1, 1, 0, 0));
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_do() {
    let mut told = String::new();
    let huge = format!("kind: KubeletConfiguration\nx: \"{}\"\n", "y".repeat(17 << 20));
    let deep = format!("kind: KubeletConfiguration\nx: {}\n", "[".repeat(200));
    let bomb = "kind: KubeletConfiguration\na: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
    for (args, stdin) in [
        (vec!["missing.yaml"], b"".as_slice()),
        (vec!["."], b""),
        (vec!["-"], b""),
        (vec!["-"], b"kind: Pod\nmetadata: {name: x}\n"),
        (vec!["-"], b"a: &a\n  b: *a\n"),
        (vec!["-"], b"\x7fELF\x02\x01\0\0"),
        (vec!["-"], b"kind: \xff\n"),
        (vec!["-"], b"{\"kind\": \"KubeletConfiguration\", "),
        (vec!["-"], b"kind: \"\\e[2J\"\n"),
        (vec!["-"], huge.as_bytes()),
        (vec!["-"], deep.as_bytes()),
        (vec!["-"], bomb.as_bytes()),
        (vec!["sound.yaml", "--topology", "sound.yaml"], b""),
        (vec!["sound.yaml", "--topology", "missing.json"], b""),
        (vec!["sound.yaml", "--kubernetes", "1.29"], b""),
    ] {
        let (code, out, err) = check(&args, stdin);
        assert_eq!(out, "", "{args:?}");
        writeln!(told, "$ cgtune kubelet check {}\n{err}exit code {code}\n", args.join(" ")).unwrap();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_key_that_stands_twice_is_an_error_with_its_line_and_the_last_is_judged() {
    let head =
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\n";
    let text = format!("{head}cpuManagerPolicy: nobody\ncpuManagerPolicy: none\n");
    let (code, out, err) = check(&["-"], text.as_bytes());
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(
        out.contains("standard input:5: error: cpuManagerPolicy\n    this key stands on line 4 as well"),
        "{out}"
    );
    assert!(out.contains("1 error") && !out.contains("nobody"), "{out}");
    let document = document(&["-"], text.as_bytes());
    schema::assert_describes(published(), &document);
    assert_eq!(document["findings"][0]["kind"], "repeated");
}

#[test]
fn of_another_document_before_it_the_kubelet_knows_nothing() {
    let text = b"kind: ClusterConfiguration\n---\nkind: KubeletConfiguration\nmaxPods: 10\n";
    let (code, out, err) = check(&["-"], text);
    let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("found \"ClusterConfiguration\"") && err.contains("begins on line 3 into a file"),
        "{err}"
    );
}

#[test]
fn a_limit_of_ours_is_not_called_the_kubelets() {
    let deep = format!("kind: KubeletConfiguration\nx: {}{}\n", "[".repeat(150), "]".repeat(150));
    let (code, _, err) = check(&["-"], deep.as_bytes());
    let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 2);
    assert!(err.contains("a limit of cgtune") && !err.contains("cannot read it either"), "{err}");
}

#[test]
fn nothing_of_a_file_steers_the_terminal() {
    let text = b"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\"\\e[2J\": 1\n\
        cpuManagerPolicy: \"\\e[2J\\u202e\"\ncpuManagerPolicyOptions: {\"\\e[31m\": \"\\e[0m\"}\n\
        systemReserved: {cpu: \"\\e[2J\", \"\\n\": x}\nenforceNodeAllocatable: [\"\\a\"]\n";
    let (code, out, err) = check(&["-"], text);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(!out.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{out:?}");
    schema::assert_describes(published(), &document(&["-"], text));
}
