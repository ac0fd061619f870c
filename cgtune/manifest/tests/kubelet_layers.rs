//! Drop-ins are laid over a kubelet's configuration as the kubelet lays them, and each line is told with its text.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::kubelet::{Machine, Release};
use cgtune_manifest::{Flags, Format, KubeletFile, Layers, Node, Value};
use proptest::prelude::*;

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

fn read(text: &str) -> KubeletFile {
    KubeletFile::read(text.as_bytes(), Format::Unknown).unwrap()
}

/// Texts, of which the first is the configuration's own; the others get the head that they need.
fn layers(texts: &[&str]) -> Layers {
    let texts: Vec<String> = texts.iter().map(|text| format!("{HEAD}{text}")).collect();
    layers_of(&texts)
}

fn layers_of(texts: &[String]) -> Layers {
    let mut files = texts.iter().map(|text| (read(text), text.as_str()));
    let own = files.next().unwrap();
    let drop_ins: Vec<_> = files.collect();
    Layers::of(own, (!drop_ins.is_empty()).then_some(&drop_ins))
}

/// Text, line, path and name of each finding.
fn found(layers: &Layers) -> Vec<String> {
    let file = layers.file();
    file.check(Release::NEWEST, Machine::default())
        .iter()
        .map(|finding| {
            let (text, line) = layers.origin(file.line(&finding.place));
            format!("{text}:{line} {} {}", file.path(&finding.place), finding.fault.kind())
        })
        .collect()
}

#[test]
fn maps_are_merged_and_all_else_is_replaced_in_the_order_in_which_they_come() {
    let layers = layers(&[
        "cpuManagerPolicy: none\nenforceNodeAllocatable: [pods, system-reserved]\nsystemReserved: {cpu: 500m, memory: 1Gi}\n\
         cpuCFSQuotaPeriod: 50ms\nfeatureGates: {A: true}\n",
        "cpuManagerPolicy: static\nsystemReserved: {cpu: \"1\"}\nenforceNodeAllocatable: [pods]\ncpuCFSQuotaPeriod: null\n",
        "systemReserved: {memory: null, ephemeral-storage: 2Gi}\nfeatureGates: {B: false}\n",
    ]);
    let config = layers.file().config();
    assert_eq!(config.cpu_manager_policy.as_deref(), Some("static"));
    assert_eq!(config.enforce_node_allocatable.as_deref(), Some(&["pods".to_owned()][..]));
    let system: Vec<_> = config.system_reserved.iter().flatten().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(system, ["cpu=1", "ephemeral-storage=2Gi"]);
    assert_eq!(config.cpu_cfs_quota_period, None, "null takes it away");
    assert_eq!((config.feature_gates["A"], config.feature_gates["B"]), (true, false));
}

/// What `TestMergeKubeletConfigurations` (cmd/kubelet/app/server_test.go) expects, of the fields that are looked at or known by name.
#[test]
fn upstreams_own_cases_come_out_as_there() {
    let reserved = layers(&[
        "readOnlyPort: 10256\nkubeReserved:\n  memory: 70Mi\n",
        "readOnlyPort: 10255\nkubeReserved:\n  memory: 150Mi\n  cpu: 200m\n",
        "readOnlyPort: 10257\nkubeReserved:\n  memory: 100Mi\n",
    ]);
    let kube: Vec<_> =
        reserved.file().config().kube_reserved.iter().flatten().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(kube, ["cpu=200m", "memory=100Mi"]);
    let lists = layers(&[
        "port: 9090\nclusterDNS:\n- 192.168.1.3\n- 192.168.1.4\n",
        "port: 9090\nsystemReserved:\n  memory: 1Gi\n",
        "port: 8080\nsystemReserved:\n  memory: 2Gi\nclusterDNS:\n- 192.168.1.1\n- 192.168.1.5\n- 192.168.1.8\n",
    ]);
    let map = lists.file().root().as_map().unwrap();
    let Value::List(dns) = map.get("clusterDNS").unwrap().value() else { unreachable!() };
    let dns: Vec<_> = dns.iter().filter_map(Node::as_text).collect();
    assert_eq!(dns, ["192.168.1.1", "192.168.1.5", "192.168.1.8"]);
    let Value::Number(port) = map.get("port").unwrap().value() else { unreachable!() };
    assert_eq!(port.written(), "8080");
    assert_eq!(lists.file().config().system_reserved.as_ref().unwrap()["memory"], "2Gi");
}

#[test]
fn a_finding_is_told_with_the_text_and_line_that_it_comes_from() {
    let layers = layers(&[
        "cgroupDriver: systemd\ncpuManagerPolicy: none\n",
        "# a comment\ncpuManagerPolicy: static\n",
        "cpuManagerPolicyOptions:\n  full-pcpus-only: true\ncpuCfsQuota: true",
    ]);
    assert_eq!(
        found(&layers),
        [
            "1:4 cpuManagerPolicy static_without_reserved",
            "1:4 cpuManagerPolicy no_resize",
            "1:4 cpuManagerPolicy state_file",
            "2:4 cpuManagerPolicyOptions.full-pcpus-only type",
            "2:5 cpuCfsQuota unknown_field",
        ]
    );
}

#[test]
fn what_is_overridden_is_no_mistake_of_a_drop_in_but_one_of_the_configuration() {
    let overridden = layers(&["cgroupDriver: systemd\n", "cpuCFSQuota: \"no\"\n", "cpuCFSQuota: true\n"]);
    assert_eq!(found(&overridden), [""; 0], "what comes out is decoded, and nothing before");
    let own = layers(&["cgroupDriver: systemd\ncpuCFSQuota: \"no\"\n", "cpuCFSQuota: true\n"]);
    assert_eq!(found(&own), ["0:4 cpuCFSQuota type"], "it is decoded before it is overridden");
    let once = layers(&["cgroupDriver: systemd\ncpuCFSQuota: \"no\"\n", "cpuManagerPolicy: none\n"]);
    assert_eq!(found(&once), ["0:4 cpuCFSQuota type"], "and told once");
}

#[test]
fn a_drop_in_says_what_it_is() {
    let layers =
        layers_of(&[format!("{HEAD}cgroupDriver: systemd\n"), "cpuManagerPolicy: none\n".to_owned()]);
    assert_eq!(found(&layers), ["1:1  untyped", "1:1 apiVersion untyped"]);
}

#[test]
fn an_empty_list_that_enforces_nothing_is_lost_where_drop_ins_are_laid_over_it() {
    let own = "enforceNodeAllocatable: []\n";
    let given = |texts: &[&str]| layers(texts).file().config().enforce_node_allocatable.clone();
    assert_eq!(given(&[own]), Some(Vec::new()));
    assert_eq!(given(&[own, "cpuManagerPolicy: none\n"]), None);
    assert_eq!(given(&["", own]), Some(Vec::new()), "a drop-in's own holds");
    let text = format!("{HEAD}{own}");
    let empty = Layers::of((read(&text), &text), Some(&[]));
    assert_eq!(empty.file().config().enforce_node_allocatable, None, "a folder with nothing in it is enough");
}

#[test]
fn many_fields_are_laid_over_as_many_others_at_once() {
    let many = |letter: char| (0..200_000).map(|n| format!("{letter}{n}: 1\n")).collect::<String>();
    let layers = layers(&[&many('a'), &format!("{}{}", many('b'), many('a').replace(": 1", ": 2"))]);
    assert!(layers.file().root().as_map().unwrap().len() > 400_000);
}

fn flags(line: &str) -> Flags {
    Flags::read(line.split(' ')).unwrap()
}

#[test]
fn flags_override_fields_and_whole_maps_and_are_added_to_gates() {
    let layers = layers(&[
        "cgroupDriver: systemd\ncpuManagerPolicy: none\nsystemReserved: {cpu: \"1\", memory: 1Gi}\nfeatureGates: {A: true, B: true}\n\
         kubeReserved: null\n",
        "cpuCFSQuota: true\n",
    ]);
    let layers = layers.under(&flags(
        "/usr/bin/kubelet --v 2 --cpu_manager_policy static --system-reserved=memory=2Gi --feature-gates=B=false,C=1 \
         --kube-reserved=cpu=1 --kube-reserved memory=1Gi --cpu-cfs-quota=false --cpu-manager-policy-options=full-pcpus-only=true,x=y",
    ));
    let config = layers.file().config();
    assert_eq!((config.cpu_manager_policy.as_deref(), config.cpu_cfs_quota), (Some("static"), Some(false)));
    let pairs = |map: &Option<std::collections::BTreeMap<String, String>>| -> Vec<String> {
        map.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect()
    };
    assert_eq!(pairs(&config.system_reserved), ["memory=2Gi"], "the file's cpu is gone");
    assert_eq!(pairs(&config.kube_reserved), ["cpu=1", "memory=1Gi"]);
    assert_eq!(pairs(&config.cpu_manager_policy_options), ["full-pcpus-only=true,x=y"], "one entry a flag");
    let gates: Vec<_> = config.feature_gates.iter().map(|(gate, open)| (gate.as_str(), *open)).collect();
    assert_eq!(gates, [("A", true), ("B", false), ("C", true)]);
    let found: Vec<String> = found(&layers).into_iter().filter(|found| found.contains("flag")).collect();
    let expected = [
        "0:4 cpuManagerPolicy flag_overrides",
        "0:5 systemReserved flag_overrides",
        "0:6 featureGates.B flag_overrides",
        "1:3 cpuCFSQuota flag_overrides",
    ];
    assert_eq!(found, expected, "kubeReserved: null says nothing");
    let option = found_of(&layers, "option");
    assert_eq!(option, ["2:12 cpuManagerPolicyOptions.full-pcpus-only option_value"], "the word of the flag");
}

#[test]
fn a_flag_that_says_what_the_file_says_is_no_surprise() {
    let file = "cgroupDriver: systemd\nsystemReserved: {memory: 1Gi, cpu: \"1\"}\nfeatureGates: {A: true}\nenforceNodeAllocatable: [pods]\n";
    let line = "--cgroup-driver=systemd --system-reserved=cpu=1,memory=1Gi --feature-gates=A=true --enforce-node-allocatable=pods";
    assert_eq!(found_of(&layers(&[file]).under(&flags(line)), "flag"), [""; 0]);
    let line =
        "--system-reserved=cpu=1 --feature-gates=A=false --enforce-node-allocatable=pods,system-reserved";
    assert_eq!(found_of(&layers(&[file]).under(&flags(line)), "flag").len(), 3);
}

/// The findings whose name holds a word.
fn found_of(layers: &Layers, word: &str) -> Vec<String> {
    found(layers)
        .into_iter()
        .filter(|found| found.rsplit(' ').next().is_some_and(|kind| kind.contains(word)))
        .collect()
}

#[test]
fn a_flag_that_the_kubelet_does_not_start_with_is_refused() {
    for (line, why) in [
        ("--cpu-manager-policy", "--cpu-manager-policy needs a value"),
        ("--cpu-cfs-quota=maybe", "--cpu-cfs-quota takes true or false, not \"maybe\""),
        ("--feature-gates A", "--feature-gates takes pairs such as a=1, not \"A\""),
        ("--feature-gates A=x", "--feature-gates takes true or false, not \"x\""),
        ("--system-reserved=cpu", "--system-reserved takes pairs such as a=1, not \"cpu\""),
    ] {
        assert_eq!(Flags::read(line.split(' ')).unwrap_err().to_string(), why);
    }
    assert!(flags("kubelet -- --cpu-manager-policy=static").is_empty(), "no flags stand behind it");
    assert_eq!(flags("kubelet --config-dir /etc/x.d --cpu-cfs-quota").config_dir(), Some("/etc/x.d"));
    let said = flags("a --system-reserved=cpu=1 --feature-gates=A=true");
    assert_eq!(
        said.says_of(&["systemReserved", "memory"]),
        Some(("system-reserved", 2)),
        "a map counts as a whole"
    );
    assert_eq!(
        (said.says_of(&["featureGates", "A"]), said.says_of(&["featureGates", "B"])),
        (Some(("feature-gates", 3)), None)
    );
}

fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "cpuManagerPolicy: static",
        "cpuManagerPolicy: null",
        "cpuCFSQuota: 1",
        "systemReserved: {cpu: 500m}",
        "systemReserved: {cpu: null, memory: 1Gi}",
        "systemReserved: 7",
        "kubeReserved: {cpu: {x: 1}}",
        "unknown: [1, {a: 2}]",
    ]);
    prop::collection::btree_map(0..3_u8, line, 0..3).prop_map(|lines| {
        let mut keys = std::collections::BTreeSet::new();
        let own = |line: &&&str| keys.insert(line.split(':').next().unwrap().to_owned());
        let lines: Vec<&str> = lines.values().filter(own).copied().collect();
        format!("{HEAD}{}\n", lines.join("\n"))
    })
}

proptest! {
    #[test]
    fn no_command_line_is_trouble(words in prop::collection::vec("(--)?(system-reserved|feature_gates|cpu-cfs-quota|--|x)?[=,a-c]{0,5}", 0..6)) {
        if let Ok(flags) = Flags::read(words.iter().map(String::as_str)) {
            let _ = found(&layers(&["systemReserved: {cpu: 500m}\nfeatureGates: {a: true}\n"]).under(&flags));
        }
    }

    /// Laid over one after the other they are what one is, over what the others gave.
    #[test]
    fn the_last_word_counts_and_lines_lie_in_their_texts(texts in prop::collection::vec(text(), 1..4)) {
        let layers = layers_of(&texts);
        let last = read(texts.last().unwrap());
        if let (Some(policy), true) = (&last.config().cpu_manager_policy, texts.len() > 1) {
            prop_assert_eq!(layers.file().config().cpu_manager_policy.as_ref(), Some(policy));
        }
        for finding in layers.file().check(Release::NEWEST, Machine::default()) {
            let (text, line) = layers.origin(layers.file().line(&finding.place));
            let lines = texts[text].lines().count() as u64;
            prop_assert!((1..=lines).contains(&line), "{:?} is line {} of {}", finding, line, text);
        }
    }
}
