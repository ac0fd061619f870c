//! Any bytes as a kubelet's configuration: judged for every release, and where it can be decoded changed as is recommended; the changed
//! text is read again and says what was meant. What stands behind a byte that no text has is a drop-in, which is laid over it, and behind
//! another one a command line. The machine and the pods stand still: all choice is in the bytes.

#![no_main]

use cgtune_core::{
    MilliCpu, Topology,
    convert::pod::{QosClass, Role},
    kubelet::{
        Fault, Machine, Release, Severity,
        recommend::{KnownContainer, KnownPod, Situation, Throttled, recommend},
    },
    topology::Cpu,
};
use cgtune_manifest::{Edited, Flags, Format, KubeletFile, Layers, kubeadm_patch};
use libfuzzer_sys::fuzz_target;

/// Two nodes of four cores of two threads.
fn machine() -> Topology {
    let cpu = |cpu: u32| {
        let core = cpu % 8;
        Cpu { cpu, core, socket: 0, node: core / 4, uncore: Some(core / 4 * 4) }
    };
    Topology::new((0..16).map(cpu)).unwrap()
}

/// A pod of one container with that many CPUs, throttled.
fn pod(milli: u64) -> KnownPod {
    let amount = Some(MilliCpu::new(milli));
    let throttled = Some(Throttled { nr_periods: 100, nr_throttled: 50 });
    let name = "main".into();
    let container =
        KnownContainer { name, role: Role::App, request: amount, limit: amount, throttled, watched: None };
    let (name, containers) = ("shop/web".into(), vec![container]);
    KnownPod { name, qos: QosClass::Guaranteed, whole: false, request: None, containers }
}

/// What no text holds.
const BORDER: u8 = 0xff;

fuzz_target!(|bytes: &[u8]| {
    let mut texts = bytes.splitn(3, |&byte| byte == BORDER);
    let bytes = texts.next().unwrap_or_default();
    let file = match KubeletFile::read(bytes, Format::Unknown) {
        Ok(file) => file,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
    let topology = machine();
    let on = Machine { topology: Some(&topology), cgroup_v1: Some(false) };
    if let Some(over) = texts.next() {
        laid_over((&file, bytes), over, texts.next().unwrap_or_default(), on);
    }
    let mut decodable = true;
    for release in Release::all() {
        let findings = file.check(release, on);
        for finding in &findings {
            assert!((1..=lines).contains(&file.line(&finding.place)), "{finding:?} of {lines} lines");
            assert!(!file.path(&finding.place).chars().any(char::is_control), "{finding:?}");
            let _ = (finding.severity() == Severity::Error, finding.fault.to_string(), finding.fault.advice());
            decodable &= !matches!(finding.fault, Fault::Type { .. });
        }
        assert!(findings.is_sorted_by_key(|finding| file.line(&finding.place)));
    }
    // What cannot be decoded is not changed: cgtune kubelet recommend refuses it.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if !decodable {
        return;
    }
    for pods in [None, Some(vec![pod(2000)]), Some(vec![pod(3000), pod(500)])] {
        let situation = Situation {
            release: Release::NEWEST,
            topology: &topology,
            config: file.config(),
            machine: None,
            pods: pods.as_deref(),
        };
        let done = recommend(&situation);
        let Edited { text: edited, .. } = file.edited(text, &done).unwrap();
        let again = KubeletFile::read(edited.as_bytes(), Format::Yaml).unwrap();
        assert_eq!(again.config(), &done.applied(file.config()));
        // The changes alone are a configuration, too.
        KubeletFile::read(kubeadm_patch(&done).as_bytes(), Format::Yaml).unwrap();
        // Nothing is left to do.
        let situation = Situation { config: again.config(), ..situation };
        assert!(recommend(&situation).changes.is_empty(), "{edited}");
    }
});

/// Each finding is in a line of one of the texts, and what a drop-in or a flag says of a field is what is said.
fn laid_over((own, text): (&KubeletFile, &[u8]), over: &[u8], flags: &[u8], on: Machine<'_>) {
    let (Ok(drop_in), Ok(text), Ok(over), Ok(flags)) = (
        KubeletFile::read(over, Format::Unknown),
        std::str::from_utf8(text),
        std::str::from_utf8(over),
        std::str::from_utf8(flags),
    ) else {
        return;
    };
    let layers = Layers::of((own.clone(), text), Some(&[(drop_in.clone(), over)]));
    let lines = |text: &str| text.bytes().filter(|&byte| byte == b'\n').count() as u64 + 1;
    in_their_texts(&layers, &[lines(text), lines(over)], on);
    let merged = layers.file().config().cpu_manager_policy.clone();
    if let Some(policy) = &drop_in.config().cpu_manager_policy {
        assert_eq!(merged.as_ref(), Some(policy));
    }
    if drop_in.says_of(&["cpuManagerPolicy"]).is_none() {
        assert_eq!(merged, own.config().cpu_manager_policy);
    }
    let Ok(flags_read) = Flags::read(flags.split(' ')) else { return };
    let layers = layers.under(&flags_read);
    in_their_texts(&layers, &[lines(text), lines(over), flags.split(' ').count() as u64], on);
    if flags_read.says_of(&["cpuManagerPolicy"]).is_none() {
        assert_eq!(layers.file().config().cpu_manager_policy, merged);
    }
}

/// Of each text its number of lines.
fn in_their_texts(layers: &Layers, lines: &[u64], on: Machine<'_>) {
    for finding in layers.file().check(Release::NEWEST, on) {
        let (which, line) = layers.origin(layers.file().line(&finding.place));
        assert!((1..=lines[which]).contains(&line), "{finding:?}: line {line} of text {which}, {lines:?}");
    }
}
