//! The lists of CPUs and nodes that `pin plan` takes, held against the machine.

use anyhow::{Context as _, anyhow};
use cgtune_core::{
    CpuSet, MilliCpu, Topology,
    assign::fragment::Shared,
    text::Escaped,
    topology::{Level, Machine},
};

use crate::{
    failure::Hinted,
    streams::Streams,
    typed::{list, quantity},
};

/// CPUs that the machine does not have are a mistake, not a wish.
pub(super) fn refuse_unknown(topology: &Topology, flag: &str, cpus: Option<&CpuSet>) -> anyhow::Result<()> {
    let unknown = cpus.map(|cpus| cpus.difference(topology.all())).unwrap_or_default();
    if unknown.is_empty() {
        return Ok(());
    }
    let error = anyhow!("{flag}: the machine has no CPU {unknown} that is online");
    Err(Hinted::new(error, format!("its CPUs are {}", topology.all())).into())
}

pub(super) fn known_nodes(topology: &Topology, nodes: &CpuSet) -> anyhow::Result<Vec<u32>> {
    let known: CpuSet = topology.each(Level::Node).map(|(node, _)| node).collect();
    if nodes.is_empty() {
        let error = anyhow!("--numa-node: no node is named");
        return Err(Hinted::new(
            error,
            format!("its nodes with CPUs are {known}; without the flag it is any"),
        )
        .into());
    }
    let unknown = nodes.difference(&known);
    if unknown.is_empty() {
        return Ok(nodes.iter().collect());
    }
    let error = anyhow!("--numa-node: the machine has no node {unknown} with a CPU");
    Err(Hinted::new(error, format!("its nodes with CPUs are {known}")).into())
}

pub(super) fn shared(typed: &[String], topology: &Topology) -> anyhow::Result<Shared> {
    let mut shared = Shared::default();
    for text in typed {
        let (cpu, part) = text.split_once('=').unwrap_or((text, "0"));
        let cpus = list("--shared", cpu)?;
        if cpus.is_empty() {
            let error = anyhow!("--shared: \"{}\" names no CPU", Escaped(text.as_bytes()));
            return Err(Hinted::new(error, "a CPU and what is given away of it, as in 3=500m").into());
        }
        refuse_unknown(topology, "--shared", Some(&cpus))?;
        let part = quantity("--shared", part)?.milli();
        if part > MilliCpu::new(1000) {
            let error = anyhow!("--shared: {part} of one CPU is more than there is");
            return Err(Hinted::new(error, "a part is at most 1, as in 3=500m").into());
        }
        cpus.iter().for_each(|cpu| shared.give(cpu, part));
    }
    Ok(shared)
}

/// `--avoid`. What the machine does not show cannot be avoided, which whoever asks for it should know.
pub(super) fn avoided(
    typed: &[String],
    machine: &Machine,
    topology: &Topology,
    streams: &mut Streams<'_>,
) -> anyhow::Result<CpuSet> {
    let mut avoided = CpuSet::new();
    for text in typed {
        let counted = || machine.cpus.iter().any(|cpu| cpu.interrupts.is_some());
        let shown = match text.as_str() {
            "irqs" => counted().then(|| machine.interrupt_heavy()),
            "isolated" => machine.isolated.clone(),
            "nohz_full" => machine.nohz_full.clone(),
            text => {
                let what = "--avoid takes a list of CPUs, irqs, isolated or nohz_full";
                let cpus = list("--avoid", text).context(what)?;
                refuse_unknown(topology, "--avoid", Some(&cpus))?;
                Some(cpus)
            }
        };
        match shown {
            Some(cpus) => avoided = avoided.union(&cpus),
            None => {
                streams.warn(&format!("--avoid {text}: the machine does not show which CPUs these are"))?;
            }
        }
    }
    Ok(avoided)
}
