//! What is recommended is written into a configuration's own lines, and changes nothing else.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Topology,
    kubelet::{
        Machine, Release, Severity,
        recommend::{Recommendation, Situation, recommend},
    },
    topology::Cpu,
};
use cgtune_manifest::{Edited, Format, KubeletFile};
use proptest::prelude::*;

/// Two sockets, four cores of two threads each.
fn machine() -> Topology {
    let cpu = |cpu: u32| {
        let core = cpu % 8;
        Cpu { cpu, core, socket: core / 4, node: core / 4, uncore: Some(core / 4 * 4) }
    };
    Topology::new((0..16).map(cpu)).unwrap()
}

fn recommended(file: &KubeletFile, release: Release) -> Recommendation {
    let topology = machine();
    recommend(&Situation { release, topology: &topology, machine: None, config: file.config(), pods: None })
}

fn edited(text: &str) -> Edited {
    let file = KubeletFile::read(text.as_bytes(), Format::Unknown).unwrap();
    file.edited(text, &recommended(&file, Release::NEWEST)).unwrap()
}

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

#[test]
fn lines_that_need_no_change_stay_with_their_comments() {
    let text = "# ours\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\n# who may ask\nauthentication:\n  \
                anonymous: {enabled: false}   # never\ncpuManagerPolicy: none   # to be changed some day\n\n# what the system gets\n\
                systemReserved:\n  # half a CPU\n  cpu: 500m   # measured\n  memory: \"1Gi\"\nzzz: 1\n# the end\n";
    let done = edited(text);
    assert!(done.kept);
    assert_eq!(
        done.text,
        "# ours\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\n# who may ask\nauthentication:\n  anonymous: \
         {enabled: false}   # never\ncpuManagerPolicy: static   # to be changed some day\ncpuManagerPolicyOptions:\n  \
         full-pcpus-only: \"true\"\n  strict-cpu-reservation: \"true\"\nreservedSystemCPUs: \"0,8\"\n\n# what the system \
         gets\nsystemReserved:\n  # half a CPU\n  memory: \"1Gi\"\ntopologyManagerPolicy: best-effort\nzzz: 1\n# the end\n"
    );
}

/// Found by fuzzing.
#[test]
fn a_field_whose_name_needs_quotes_costs_no_edit() {
    let json = r#"{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","cgroup Driver":"x","":1,"12":{}}"#;
    assert!(edited(json).text.contains("\"cgroup Driver\": x\n\"\": 1\n\"12\": {}\n"));
    let lines = format!("{HEAD}\"cgroup Driver\": x   # odd\n");
    let done = edited(&lines);
    assert!(done.kept && done.text.starts_with(&lines), "{}", done.text);
}

/// Found by fuzzing.
#[test]
fn a_map_of_nothing_but_nulls_goes_as_an_empty_one_does() {
    for text in
        ["kubeReserved:\n  memory: null\n  cpu: 1500m\n", "kubeReserved: {memory: null, cpu: 1500m} # both\n"]
    {
        let done = edited(&format!("{HEAD}{text}"));
        assert!(done.kept && !done.text.contains("kubeReserved"), "{}", done.text);
    }
}

#[test]
fn a_map_in_braces_is_written_out_and_an_empty_one_goes() {
    let text = format!(
        "{HEAD}cpuManagerPolicyOptions: {{full-pcpus-only: 'true'}} # one\ncpuManagerPolicy: static\nkubeReserved: {{cpu: 1500m}}\n"
    );
    let done = edited(&text);
    assert!(done.kept);
    assert_eq!(
        done.text,
        format!(
            "{HEAD}cpuManagerPolicyOptions:\n  full-pcpus-only: \"true\"\n  strict-cpu-reservation: \"true\"\ncpuManagerPolicy: \
             static\nreservedSystemCPUs: \"0,8\"\ntopologyManagerPolicy: best-effort\n"
        )
    );
}

#[test]
fn windows_line_ends_stay_and_a_missing_last_one_is_no_matter() {
    let text = format!("{HEAD}cpuManagerPolicy: none").replace('\n', "\r\n");
    let done = edited(&text);
    assert!(
        done.kept && done.text.contains("cpuManagerPolicy: static\r\n") && done.text.ends_with("\r\n"),
        "{done:?}"
    );
    assert!(!done.text.replace("\r\n", "").contains(['\r', '\n']));
}

#[test]
fn json_becomes_yaml() {
    let text = "{\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"kind\": \"KubeletConfiguration\", \"maxPods\": 110,\n \
                \"clusterDNS\": [\"10.96.0.10\"], \"authentication\": {\"x509\": {\"clientCAFile\": \"/etc/ca\"}, \"a\": {}},\n \
                \"registerWithTaints\": [{\"key\": \"a: b\", \"effect\": \"NoSchedule\"}], \"note\": \"\\u0007 on\"}\n";
    let done = edited(text);
    assert!(!done.kept);
    assert_eq!(
        done.text,
        format!(
            "{HEAD}maxPods: 110\nclusterDNS:\n- \"10.96.0.10\"\nauthentication:\n  x509:\n    clientCAFile: /etc/ca\n  a: \
             {{}}\nregisterWithTaints:\n- key: \"a: b\"\n  effect: NoSchedule\nnote: \"\\x07 on\"\ncpuManagerPolicy: \
             static\ncpuManagerPolicyOptions:\n  full-pcpus-only: \"true\"\n  strict-cpu-reservation: \"true\"\nreservedSystemCPUs: \
             \"0,8\"\ntopologyManagerPolicy: best-effort\n"
        )
    );
}

#[test]
fn without_a_file_there_is_one_with_the_changes_alone() {
    let file = KubeletFile::read(HEAD.as_bytes(), Format::Unknown).unwrap();
    let done = Edited::fresh(&recommended(&file, Release::NEWEST)).unwrap();
    assert_eq!(done, edited(HEAD));
    assert!(done.text.starts_with(HEAD));
}

#[test]
fn other_documents_stay_where_they_are() {
    let text = format!("# the kubelet's\n---\n{HEAD}cpuManagerPolicy: none\n---\nkind: Other\n");
    let done = edited(&text);
    assert!(done.kept);
    assert!(done.text.starts_with("# the kubelet's\n---\n") && done.text.ends_with("---\nkind: Other\n"));
    assert!(done.text.contains("topologyManagerPolicy: best-effort\n---\nkind: Other"), "{}", done.text);
}

/// Fields as people write them.
const FIELDS: [&str; 18] = [
    "cpuManagerPolicy: static\nreservedSystemCPUs: 0-1\n",
    "cpuManagerPolicy: \"none\"   # for now\n",
    "systemReserved: {cpu: 200m, memory: 1Gi}\n",
    "systemReserved:\n    cpu: 1\\\n",
    "kubeReserved:\n  memory: 1Gi\n\n  # below a comment\n  cpu: \"1500m\"\n",
    "kubeReserved:\n  cpu:\n    1300m\n",
    "enforceNodeAllocatable: [none]\n",
    "enforceNodeAllocatable:\n- none\n# a comment\n",
    "topologyManagerPolicy:\n  none\n",
    "maxPods: 110\n",
    "clusterDNS:\n- 10.96.0.10\n- '10.96.0.11'\n",
    "authentication:\n  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}\n  anonymous:\n    enabled: false\n",
    "logging: &log\n  format: json\n",
    "evictionHard: {memory.available: \"100Mi\", \"nodefs.available\": 10%}\n",
    "providerID: |\n  # no comment\n  text\n",
    "featureGates: {DisableCPUQuotaWithExclusiveCPUs: false}\n",
    "featureGates:\n  DisableCPUQuotaWithExclusiveCPUs: false\n  MemoryQoS: false\n",
    "\"registerNode\": true\n",
];

proptest! {
    #[test]
    fn an_edited_file_says_what_is_recommended_and_keeps_the_rest(
        fields in prop::sample::subsequence(FIELDS.to_vec(), 0..8).prop_shuffle(),
        comment in prop::sample::select(vec!["", "# a comment\n", "\n", "\n# one\n\n"]),
        release in prop::sample::select(Release::all().collect::<Vec<_>>()),
    ) {
        let text = format!("{HEAD}cgroupDriver: systemd\n{comment}{}", fields.join(comment));
        let file = KubeletFile::read(text.as_bytes(), Format::Unknown).unwrap();
        // Some of the fields are there twice: which of them is to be changed nobody knows.
        let found = file.check(release, Machine::default());
        prop_assume!(found.iter().all(|finding| finding.fault.kind() != "repeated"));
        let done = recommended(&file, release);
        let edited = file.edited(&text, &done).unwrap();
        let after = KubeletFile::read(edited.text.as_bytes(), Format::Unknown).unwrap();
        prop_assert_eq!(after.config(), &done.applied(file.config()));
        let quoted_key = text.contains("\"registerNode\"");
        prop_assert!(edited.kept || quoted_key, "{}\n{}", text, edited.text);
        if edited.kept {
            for line in text.lines().filter(|line| line.starts_with('#') || line.contains("10.96")) {
                prop_assert!(edited.text.lines().any(|one| one == line), "{}", edited.text);
            }
        }
        // What passes the check still does.
        let topology = machine();
        let gating = |file: &KubeletFile| {
            let found = file.check(release, Machine { topology: Some(&topology), cgroup_v1: None });
            found.iter().filter(|f| f.severity() != Severity::Note).map(|f| f.fault.kind()).collect::<Vec<_>>()
        };
        if gating(&file).is_empty() {
            prop_assert_eq!(gating(&after), [""; 0], "{}", edited.text);
        }
        // And nothing is left to do.
        prop_assert!(recommended(&after, release).changes.is_empty(), "{}", edited.text);
    }
}
