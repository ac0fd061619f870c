//! A KubeletConfiguration is read with its lines, and what is none is told apart.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::kubelet::{Machine, Release};
use cgtune_manifest::{Format, KubeletFile};
use proptest::prelude::*;

fn read(text: &str) -> KubeletFile {
    KubeletFile::read(text.as_bytes(), Format::Unknown).unwrap()
}

/// Line, path and name of each finding.
fn found(text: &str) -> Vec<String> {
    let file = read(text);
    file.check(Release::NEWEST, Machine::default())
        .iter()
        .map(|f| format!("{} {} {}", file.line(&f.place), file.path(&f.place), f.fault.kind()))
        .collect()
}

fn refused(text: &[u8]) -> String {
    let error = KubeletFile::read(text, Format::Unknown).unwrap_err();
    let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{error}{cause}")
}

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

#[test]
fn fields_are_taken_in_their_types() {
    let file = read(&format!(
        "{HEAD}cpuManagerPolicy: static\ncpuManagerPolicyOptions:\n  full-pcpus-only: \"true\"\ncpuCFSQuotaPeriod: 50ms\n\
         cpuCFSQuota: true\nreservedSystemCPUs: 0-1\nenforceNodeAllocatable: [pods]\nfeatureGates: {{MemoryQoS: false}}\n"
    ));
    let config = file.config();
    assert_eq!(config.cpu_manager_policy.as_deref(), Some("static"));
    assert_eq!(config.cpu_manager_policy_options.as_ref().unwrap()["full-pcpus-only"], "true");
    assert_eq!(config.cpu_cfs_quota_period.unwrap().nanos(), 50_000_000);
    assert_eq!(config.reserved_system_cpus.as_deref(), Some("0-1"));
    assert_eq!(config.cpu_cfs_quota, Some(true));
    assert!(!config.feature_gates["MemoryQoS"]);
    assert_eq!(config.cgroup_root, None);
}

#[test]
fn what_is_wrong_has_its_line_and_path() {
    let text = format!(
        "# kubelet\n{HEAD}cpuManagerPolicy: static\ncpuManagerPolicyOptions:\n  full-pcpus-only: true\n  nonsense: \"true\"\n\
         cpumanagerReconcilePeriod: 5s\nreservedSystemCPUs: 0\nsystemReserved:\n  cpu: 1\ncpuCFSQuota: \"yes\"\n\
         cpuCFSQuotaPeriod: 100\nenforceNodeAllocatable:\n- pods\n- ports\n"
    );
    assert_eq!(
        found(&text),
        [
            "4 cpuManagerPolicy static_without_reserved",
            "4 cpuManagerPolicy no_resize",
            "4 cpuManagerPolicy state_file",
            "6 cpuManagerPolicyOptions.full-pcpus-only type",
            "7 cpuManagerPolicyOptions.nonsense unknown_option",
            "8 cpumanagerReconcilePeriod unknown_field",
            "9 reservedSystemCPUs type",
            "11 systemReserved.cpu type",
            "12 cpuCFSQuota type",
            "13 cpuCFSQuotaPeriod type",
            "16 enforceNodeAllocatable[1] value",
        ]
    );
}

#[test]
fn json_is_read_as_well() {
    let text = "{\n  \"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",\n  \"kind\": \"KubeletConfiguration\",\n  \
                \"cpuManagerPolicy\": \"Static\"\n}\n";
    assert_eq!(found(text), ["4 cpuManagerPolicy value"]);
}

#[test]
fn fields_come_with_their_release() {
    let file =
        read(&format!("{HEAD}cgroupDriver: systemd\nfailCgroupV1: false\nmemoryReservationPolicy: None\n"));
    let kinds = |minor: &str| {
        let release = Release::try_from(minor.parse::<cgtune_core::convert::Version>().unwrap()).unwrap();
        let findings = file.check(release, Machine::default());
        findings.iter().map(|f| (file.line(&f.place), f.fault.kind())).collect::<Vec<_>>()
    };
    assert_eq!(kinds("1.30"), [(4, "later_field"), (5, "later_field")]);
    assert_eq!(kinds("1.35"), [(5, "later_field")]);
    assert_eq!(kinds("1.36"), []);
}

#[test]
fn the_kubelet_reads_one_document_that_says_what_it_is() {
    assert_eq!(found(&format!("{HEAD}---\n{HEAD}")), ["4  second_document"]);
    // A file for kubeadm, in which others come first: the kubelet knows no such kind.
    let kubeadm = format!("kind: ClusterConfiguration\n---\n{HEAD}maxPods: 10\n");
    assert_eq!(
        refused(kubeadm.as_bytes()),
        "line 1: expected kind KubeletConfiguration, found \"ClusterConfiguration\""
    );
    let error = KubeletFile::read(kubeadm.as_bytes(), Format::Unknown).unwrap_err();
    assert!(matches!(error, cgtune_manifest::KubeletFileError::Kind { later: Some(3), .. }), "{error:?}");
    assert_eq!(found("maxPods: 10\n"), ["1  untyped", "1 apiVersion untyped"]);
    assert_eq!(
        found("apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n"),
        ["1 apiVersion other_version"]
    );
}

/// As in configfiles_test.go, `duplicate field`: strict decoding fails, the lenient one takes the last.
#[test]
fn of_a_key_that_stands_twice_the_last_one_counts() {
    let text = format!(
        "{HEAD}cpuManagerPolicy: static\nsystemReserved: {{cpu: 100m, memory: 1Gi}}\ncpuManagerPolicy: none\n\
         systemReserved:\n  cpu: 200m\n  cpu: 300m\n"
    );
    assert_eq!(
        found(&text),
        ["5 cpuManagerPolicy repeated", "6 systemReserved repeated", "8 systemReserved.cpu repeated"]
    );
    let file = read(&text);
    assert_eq!(file.config().cpu_manager_policy.as_deref(), Some("none"));
    let reserved = |file: &KubeletFile| file.config().system_reserved.clone().unwrap();
    assert_eq!(reserved(&file), [("cpu".to_owned(), "300m".to_owned())].into());
    // Go decodes JSON into the map that is there.
    let json = "{\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"kind\": \"KubeletConfiguration\",\n\
                \"systemReserved\": {\"cpu\": \"100m\", \"memory\": \"1Gi\"},\n\"systemReserved\": {\"cpu\": \"2\"},\n\
                \"maxPods\": 1, \"maxPods\": 2}";
    assert_eq!(found(json), ["3 systemReserved repeated", "4 maxPods repeated"]);
    let both = [("cpu", "2"), ("memory", "1Gi")].map(|(key, amount)| (key.to_owned(), amount.to_owned()));
    assert_eq!(reserved(&read(json)), both.into());
    // What is passed over is not looked at.
    assert_eq!(found(&format!("{HEAD}---\na: 1\na: 2\n")), ["4  second_document"]);
}

#[test]
fn what_is_none_is_told_with_its_line() {
    for (text, said) in [
        ("", "there is nothing in it"),
        ("# nothing\n", "there is nothing in it"),
        ("just words\n", "it cannot be read: line 1: expected an object, found a string"),
        ("- a\n- b\n", "it cannot be read: line 1: expected an object, found a list"),
        ("apiVersion: v1\nkind: Pod\n", "line 2: expected kind KubeletConfiguration, found \"Pod\""),
        ("kind: \"\\e[2J\"\n", r#"line 1: expected kind KubeletConfiguration, found "\x1b[2J""#),
        ("kind: [1]\n", "line 1: expected kind KubeletConfiguration, found a list"),
        ("a: 1\nb: 2\n", "line 1: expected kind KubeletConfiguration, found none"),
        ("kind: &a\n  b: *a\n", "it cannot be read: line 2"),
        ("kind: KubeletConfiguration\n\tx: 1\n", "it cannot be read: line 2"),
        ("{\"kind\": ", "it cannot be read: line 1"),
    ] {
        let error = refused(text.as_bytes());
        assert!(error.starts_with(said), "{text:?}: {error}");
    }
    assert!(refused(b"kind: KubeletConfiguration\nx: \xff\n").contains("UTF-8"));
    assert!(refused(b"\x7fELF\0\0").contains("it cannot be read"));
}

#[test]
fn of_a_flood_of_mistakes_some_are_told_and_the_rest_is_counted() {
    let options: String = (0..20_000).map(|n| format!("  option-{n}: \"true\"\n")).collect();
    let names: String = (0..20_000).map(|n| format!("cpuManagerPolic{n}: 1\n")).collect();
    for text in [
        format!("{HEAD}cpuManagerPolicy: static\ncpuManagerPolicyOptions:\n{options}"),
        format!("{HEAD}{names}"),
    ] {
        let found = found(&text);
        assert_eq!(found.len(), 201);
        assert!(found.contains(&"1  more".to_owned()), "{found:?}");
    }
}

proptest! {
    #[test]
    fn whatever_stands_in_a_field_is_judged_without_a_panic(
        field in prop::sample::select(vec![
            "cpuManagerPolicy", "cpuManagerPolicyOptions", "reservedSystemCPUs", "systemReserved", "cpuCFSQuotaPeriod",
            "enforceNodeAllocatable", "featureGates", "topologyManagerPolicyOptions", "kind", "apiVersion", "x",
        ]),
        value in "[-a-z0-9:,\\[\\]{}\"'&*|> ]{0,20}",
    ) {
        if let Ok(file) = KubeletFile::read(format!("{HEAD}{field}: {value}\n").as_bytes(), Format::Unknown) {
            for release in Release::all() {
                for finding in file.check(release, Machine::default()) {
                    prop_assert!(!finding.fault.to_string().chars().any(char::is_control));
                    prop_assert!(!file.path(&finding.place).chars().any(char::is_control));
                    prop_assert!(!finding.fault.advice().is_empty());
                    prop_assert!(file.line(&finding.place) >= 1);
                }
            }
        }
    }
}
