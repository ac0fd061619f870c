//! The kubelet's drop-ins as those meet them who run `cgtune kubelet`. What is laid over what is synthetic, and lies in kubelet/.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use std::{fs, os::unix::fs::symlink};

use serde_json::Value;
use tool::{schema, tool};

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

/// Exit code, stdout and stderr of a run beside the files.
fn kubelet(args: &[&str]) -> (i32, String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubelet");
    let output = tool().current_dir(folder).arg("kubelet").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Everything on one line: paths are long, and lines are wrapped.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn findings_of_drop_ins_name_their_file_and_line() {
    let args = ["sound.yaml", "--config-dir", "kubelet.conf.d"];
    let (code, out, err) = kubelet(&[&["check"], &args[..]].concat());
    assert_eq!((code, err.as_str()), (1, ""));
    let page = include_str!("../../docs/kubelet.md");
    assert!(page.contains(&format!("$ cgtune kubelet check {}\n{out}", args.join(" "))), "{out}");
    let (_, json, _) = kubelet(&[&["check", "--json"], &args[..]].concat());
    let document: Value = serde_json::from_str(&json).unwrap();
    let published = serde_json::from_str(include_str!("../schemas/kubelet-check-1.schema.json")).unwrap();
    schema::assert_describes(published, &document);
    let found = document["findings"].as_array().unwrap();
    let at = |found: &Value| (found["file"].as_str().unwrap().to_owned(), found["line"].as_u64().unwrap());
    let of = |kind: &str| at(found.iter().find(|found| found["kind"] == kind).unwrap());
    assert_eq!(of("static_without_reserved"), ("kubelet.conf.d/10-pinning.conf".to_owned(), 4));
    assert_eq!(of("unknown_option"), ("kubelet.conf.d/10-pinning.conf".to_owned(), 6));
    assert_eq!(
        document["drop_ins"],
        serde_json::json!(["kubelet.conf.d/10-pinning.conf", "kubelet.conf.d/90-reserve.conf"])
    );
}

#[test]
fn a_folder_of_drop_ins_that_cannot_be_read_is_told_as_the_kubelet_would_take_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let said = |dir: &str| {
        let (code, out, err) = kubelet(&["check", "sound.yaml", "--config-dir", dir]);
        (code, out.replace(dir, "DIR"), words(&err).replace(dir, "DIR"))
    };
    let dir = folder.path().to_str().unwrap();
    let empty = said(dir);
    assert_eq!((empty.0, empty.2.as_str()), (0, ""));
    assert_eq!(empty.1, kubelet(&["check", "sound.yaml"]).1, "nothing is laid over it");
    fs::write(at("90-x.yaml"), "cpuManagerPolicy: none\n").unwrap();
    assert_eq!(
        said(dir).2,
        "warning: DIR/90-x.yaml is passed over, as by the kubelet: the name does not end in .conf"
    );
    fs::remove_file(at("90-x.yaml")).unwrap();
    fs::write(at("10-x.conf"), "kind: Pod\n").unwrap();
    let (code, _, err) = said(dir);
    assert!(code == 2 && err.contains("DIR/10-x.conf is no configuration of a kubelet: line 1"), "{err}");
    fs::write(at("10-x.conf"), "cpuManagerPolicy: none\n").unwrap();
    let (code, out, _) = said(dir);
    assert!(
        code == 1 && out.contains("DIR/10-x.conf:1: error"),
        "without kind the kubelet does not start: {out}"
    );
    symlink("/dev/zero", at("20-zero.conf")).unwrap();
    let (code, _, err) = said(dir);
    assert!(code == 2 && err.contains("cannot read DIR/20-zero.conf: it has more than 16 MiB"), "{err}");
    symlink(folder.path(), at("link")).unwrap();
    let (code, _, err) = said(at("link").to_str().unwrap());
    assert!(code == 2 && err.contains("is a link, and the kubelet looks at nothing behind it"), "{err}");
    let (code, _, err) = said(at("nowhere").to_str().unwrap());
    assert!(code == 2 && err.contains("cannot read DIR: No such file"), "{err}");
}

#[test]
fn what_a_drop_in_says_is_changed_there_and_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("config.yaml"), format!("{HEAD}cgroupDriver: systemd\nsystemReserved: {{cpu: 500m}}\n"))
        .unwrap();
    fs::write(at("10-x.conf"), format!("{HEAD}cpuManagerPolicy: none\ncpuManagerPolicyOptions: {{}}\n"))
        .unwrap();
    let (config, dir) = (at("config.yaml"), folder.path().to_str().unwrap().to_owned());
    let args = ["recommend", "--config", &config, "--config-dir", &dir, "--topology", "machine.json"];
    let (code, out, err) = kubelet(&[&args[..], &["-f", "pods.yaml", "-o", "diff"]].concat());
    let err = words(&err).replace(&dir, "DIR");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("+reservedSystemCPUs: ") && !out.contains("+cpuManagerPolicy: "), "{out}");
    // A map is laid over a map: what it doesn't name is the file's.
    assert!(out.contains("+cpuManagerPolicyOptions:\n+  full-pcpus-only: \"true\""), "{out}");
    let said = "cpuManagerPolicy is said in DIR/10-x.conf, line 3, over the file: the file is not changed there, and it is that place \
                that should say static";
    assert!(err.contains(said), "{err}");
    let (_, out, err) =
        kubelet(&[&args[..], &["-f", "pods.yaml", "-o", "diff", "--flags", "--reserved-cpus=0,8"]].concat());
    assert!(!out.contains("reservedSystemCPUs") && !words(&err).contains("reservedSystemCPUs"), "{out}{err}");
    let (_, out, err) =
        kubelet(&[&args[..], &["-f", "pods.yaml", "-o", "diff", "--flags", "--reserved-cpus=0"]].concat());
    assert!(!out.contains("reservedSystemCPUs"), "{out}");
    let said = "reservedSystemCPUs is said by the flag --reserved-cpus, over the file";
    assert!(words(&err).contains(said), "{err}");
    let (code, _, err) = kubelet(&["recommend", "--config-dir", &dir, "--topology", "machine.json"]);
    assert!(code == 2 && err.contains("name the kubelet's own file with --config"), "{err}");
}

#[test]
fn what_is_wrong_in_a_drop_in_ends_a_recommendation_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let drop_in = folder.path().join("10-x.conf");
    fs::write(&drop_in, format!("{HEAD}cpuCFSQuota: sometimes\n")).unwrap();
    let dir = folder.path().to_str().unwrap();
    let args = ["recommend", "--config", "sound.yaml", "--config-dir", dir, "--topology", "machine.json"];
    let (code, _, err) = kubelet(&args);
    let err = words(&err);
    assert!(code == 2 && err.contains(&format!("{}, line 3: cpuCFSQuota: ", drop_in.display())), "{err}");
}

#[test]
fn flags_override_files_and_are_told_at_their_lines() {
    let line = "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml --config-dir=/etc/k.d --cpu-manager-policy none";
    let (code, out, err) = kubelet(&["check", "sound.yaml", "--flags", line]);
    assert_eq!(code, 1, "{out}");
    assert!(words(&err).contains("names --config-dir /etc/k.d, which is not looked at"), "{err}");
    assert!(
        out.contains(
            "sound.yaml:10: warning: cpuManagerPolicy\n    the flag --cpu-manager-policy overrides it"
        ),
        "{out}"
    );
    assert!(words(&out).contains("sound.yaml with flags, for Kubernetes 1.36: "), "{out}");
    let (code, out, _) = kubelet(&[
        "check",
        "sound.yaml",
        "--flags",
        "--reserved-cpus=0-99 --topology-manager-policy=no",
        "--json",
    ]);
    let document: Value = serde_json::from_str(&out).unwrap();
    let published = serde_json::from_str(include_str!("../schemas/kubelet-check-1.schema.json")).unwrap();
    schema::assert_describes(published, &document);
    let on_the_command_line = |found: &&Value| found["file"] == "the command line";
    let found: Vec<_> = document["findings"].as_array().unwrap().iter().filter(on_the_command_line).collect();
    assert!(
        code == 1 && found.iter().any(|found| found["path"] == "topologyManagerPolicy" && found["line"] == 2),
        "{out}"
    );
    for (line, why) in
        [("'", "a quote in it is not closed"), ("--cpu-cfs-quota=x", "--cpu-cfs-quota takes true or false")]
    {
        let (code, _, err) = kubelet(&["check", "sound.yaml", "--flags", line]);
        assert!(code == 2 && words(&err).contains(why), "{err}");
    }
}
