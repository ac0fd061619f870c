//! The way of a node from its present configuration to the recommended one, and what breaks on it.

use std::io::{self, Write};

use cgtune_core::{
    kubelet::{
        CpuManagerPolicy, Gate,
        recommend::{Change, Field, Remark},
    },
    text::shell,
};
use serde::Serialize;

use super::recommend::{Advised, point};
use crate::streams::HEADING;

/// Where kubeadm puts it.
const USUAL: &str = "/var/lib/kubelet/config.yaml";
/// What the CPU manager remembers (`cpuManagerStateFileName`, pkg/kubelet/cm/cpumanager).
const STATE: &str = "/var/lib/kubelet/cpu_manager_state";

/// One step.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    title: String,
    commands: Vec<String>,
}

impl Step {
    fn new(title: &str, commands: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            commands: commands.iter().map(|&command| command.to_owned()).collect(),
        }
    }
}

/// The steps in order; none where nothing changes.
pub(crate) fn steps(advised: &Advised<'_>) -> Vec<Step> {
    let changes = &advised.done.changes;
    if changes.is_empty() {
        return Vec::new();
    }
    let Some(given) = advised.shown_name() else { return unnamed() };
    // Any other is the name of a copy, which no kubelet reads.
    let own = advised.name.filter(|name| name.starts_with('/'));
    let named = own.unwrap_or(USUAL);
    // A name that no command line can hold is left to the reader.
    let file = shell::quote(named).unwrap_or_else(|| "FILE".to_owned());
    let pinned =
        advised.file.config().effective(advised.release).cpu_manager_policy == CpuManagerPolicy::Static;
    let state = pinned && changes.iter().any(moves_cpus);
    let mut steps = Vec::new();
    let judge = format!("cgtune kubelet check new.yaml --kubernetes {}", advised.release);
    steps.push(Step::new(
        "Write the new configuration beside the present one and judge it, with --topology if you have it",
        &["cgtune kubelet recommend … -o yaml > new.yaml", &judge],
    ));
    steps.push(Step::new(
        "Drain the node: its pods are placed anew on other CPUs",
        &["kubectl drain NODE --ignore-daemonsets --delete-emptydir-data"],
    ));
    steps.push(Step::new(
        "Stop the kubelet (k3s, RKE2 and k0s: their own service)",
        &["systemctl stop kubelet"],
    ));
    if state {
        steps.push(Step::new(
            "Remove what the CPU manager remembers, or the kubelet does not start with the new settings",
            &[&format!("rm -f {STATE}")],
        ));
    }
    let keep = format!("cp -p {file} {file}.before");
    let put = format!("cp new.yaml {file}");
    let copy = match own {
        Some(_) => String::new(),
        None => format!("{given} is taken for a copy of the node's file, which as a rule lies here. "),
    };
    let title = format!(
        "{copy}Keep the present file and put the new one in its place; kubeadm writes its own again at an upgrade, unless the patch \
         (-o kubeadm) is named there"
    );
    steps.push(Step::new(&title, &[&keep, &put]));
    steps.push(Step::new(
        "Start the kubelet; its log says why, if it ends again",
        &["systemctl start kubelet", "systemctl is-active kubelet", "journalctl -u kubelet -n 50 --no-pager"],
    ));
    steps.extend(interrupts(advised));
    let mut looks = vec!["kubectl get node NODE -o jsonpath='{.status.allocatable.cpu}{\"\\n\"}'".to_owned()];
    if pinned {
        looks.push(format!("cat {STATE}"));
    }
    steps.push(Step { title: "See that it holds".to_owned(), commands: looks });
    steps.push(Step::new("Let pods come back", &["kubectl uncordon NODE"]));
    if pinned {
        steps.push(Step::new(
            "Once a Guaranteed pod with whole CPUs runs: see that its CPUs are its own, and stay so",
            &["cgtune pin verify"],
        ));
    }
    let mut back = vec!["systemctl stop kubelet".to_owned()];
    if state {
        back.push(format!("rm -f {STATE}"));
    }
    back.extend([format!("cp -p {file}.before {file}"), "systemctl start kubelet".to_owned()]);
    steps.push(Step { title: "The way back, with the node drained again".to_owned(), commands: back });
    steps
}

/// Where devices interrupt CPUs that may be pinned: how they are kept away from them.
fn interrupts(advised: &Advised<'_>) -> Option<Step> {
    let reserved = advised.done.remarks.iter().find_map(|remark| match remark {
        Remark::InterruptsElsewhere { reserved, .. } => Some(reserved),
        _ => None,
    })?;
    let others = advised.online.difference(reserved);
    let title = format!(
        "Let devices interrupt the reserved {reserved} alone: with irqbalance (its file is /etc/sysconfig/irqbalance on Fedora and its kin; \
         old ones take a mask, IRQBALANCE_BANNED_CPUS), without it until the next boot. Interrupts \
         that a driver has one of for each CPU stay (Input/output error)"
    );
    Some(Step::new(
        &title,
        &[
            &format!("echo IRQBALANCE_BANNED_CPULIST={others} >> /etc/default/irqbalance"),
            "systemctl restart irqbalance",
            &format!("for irq in /proc/irq/[0-9]*; do echo {reserved} > $irq/smp_affinity_list; done"),
        ],
    ))
}

/// Where the present file isn't known. The changes alone in its place would lose all that it says besides.
fn unnamed() -> Vec<Step> {
    let again = format!("cgtune kubelet recommend --config {USUAL} …");
    vec![
        Step::new(
            "Ask again with --config and the node's own file: what is recommended without one holds the changes alone, and in place of \
             that file it would lose everything else",
            &[&again],
        ),
        Step::new(
            "Or, where kubeadm writes that file, let it merge the changes, as a patch",
            &["cgtune kubelet recommend … -o kubeadm"],
        ),
    ]
}

/// Whether the CPU manager's state file does not fit any more.
fn moves_cpus(change: &Change) -> bool {
    matches!(
        change.field,
        Field::CpuManagerPolicy
            | Field::Option(_)
            | Field::ReservedCpus
            | Field::SystemReservedCpu
            | Field::KubeReservedCpu
    )
}

/// What will be different for pods.
pub(crate) fn breaks(advised: &Advised<'_>) -> Vec<String> {
    let (config, release) = (advised.file.config(), advised.release);
    let effective = config.effective(release);
    let mut breaks = Vec::new();
    if advised.done.changes.is_empty() || effective.cpu_manager_policy == CpuManagerPolicy::None {
        return breaks;
    }
    breaks.push(
        "Only containers of Guaranteed pods that ask for whole CPUs are pinned (requests equal limits, CPU and memory, in all \
         containers); everybody else shares what is left, and it becomes less with each pinned pod."
            .to_owned(),
    );
    if effective.options.full_pcpus_only {
        breaks.push(
            "Whole CPUs that are no whole cores are refused (SMTAlignmentError): the pod stays Failed."
                .to_owned(),
        );
    }
    if effective.options.strict_cpu_reservation {
        breaks.push("Burstable and BestEffort pods do not run on the reserved CPUs any more.".to_owned());
    }
    breaks.push(match config.open(Gate::DisableCPUQuotaWithExclusiveCPUs, release) {
        true => "Pinned containers have no quota any more (since 1.33): their CPUs hold them, and throttling ends.".to_owned(),
        false => "Pinned containers keep their quota in this release, and are throttled on their own CPUs.".to_owned(),
    });
    if config.open(Gate::InPlacePodVerticalScaling, release) {
        breaks.push("Guaranteed pods cannot be resized in place (Infeasible).".to_owned());
    }
    breaks.push(
        "A program that sizes itself by the machine's CPUs sees fewer of them, and one that sets its own affinity may leave CPUs idle."
            .to_owned(),
    );
    breaks
}

pub(crate) fn write(advised: &Advised<'_>, out: &mut dyn Write) -> io::Result<()> {
    let steps = steps(advised);
    if steps.is_empty() {
        return writeln!(out, "Nothing to do: nothing changes.");
    }
    for (number, step) in steps.iter().enumerate() {
        for (i, line) in crate::render::paragraph::wrap(&step.title, 76).iter().enumerate() {
            match i {
                0 => writeln!(out, "{HEADING}{:>2}. {line}{HEADING:#}", number + 1)?,
                _ => writeln!(out, "    {HEADING}{line}{HEADING:#}")?,
            }
        }
        for command in &step.commands {
            writeln!(out, "      {command}")?;
        }
    }
    let breaks = breaks(advised);
    if !breaks.is_empty() {
        writeln!(out, "\n{HEADING}What will be different{HEADING:#}")?;
    }
    breaks.iter().try_for_each(|sentence| point(sentence, out))
}
