//! Machines that do not show `cpuN/topology`, as in a container whose /sys is masked: what can be told from elsewhere.

use std::{collections::BTreeMap, path::Path};

use cgtune_core::{
    CpuSet,
    parse::cpuinfo::{self, Place},
    topology::Machine,
};

use super::{CPUS, MachineError, bare};
use crate::{HostRoot, affinity, error::Shown};

const CPUINFO: &str = "/proc/cpuinfo";
/// Of a description of CPUs, some 1.5 KiB each: 8,192 take 12 MiB. Whatever is in it is passed over once.
const MOST: u64 = 64 << 20;

pub(super) fn read(
    host: &HostRoot,
    online: Option<CpuSet>,
    machine: &mut Machine,
) -> Result<(), MachineError> {
    let described = described(host);
    // Our own bounds are those of the machine only where both are the same one.
    let ours =
        (host.join("/") == Path::new("/") && !host.is_played()).then(|| affinity::get(None).ok()).flatten();
    let from = |what: &str| format!("the machine does not show {CPUS}/cpuN/topology; {what}");
    let listed = || described.keys().copied().collect::<CpuSet>();
    let (cpus, source) = match (online, ours) {
        (Some(online), _) => (online, format!("{CPUS}/online")),
        (None, _) if !described.is_empty() => (listed(), CPUINFO.to_owned()),
        (None, Some(ours)) => (ours, "the CPUs that this process may run on".to_owned()),
        (None, None) => {
            let tried = ["online", "cpuN/topology"].map(|name| format!("{CPUS}/{name}"));
            let tried = tried.iter().map(String::as_str).chain([CPUINFO]);
            return Err(MachineError::NoCpus { tried: tried.map(|path| Shown(host.join(path))).collect() });
        }
    };
    machine.cpus = bare(&cpus);
    let mut lowest: BTreeMap<Place, u32> = BTreeMap::new();
    let place = |cpu: u32| described.get(&cpu).copied().flatten();
    if !cpus.is_empty() && cpus.iter().all(|cpu| place(cpu).is_some()) {
        for cpu in &mut machine.cpus {
            let Some(place) = place(cpu.cpu) else { continue };
            cpu.core = *lowest.entry(place).or_insert(cpu.cpu);
            cpu.socket = place.socket;
        }
        machine
            .notes
            .push(from(&format!("CPUs are those of {source}, cores and sockets those of {CPUINFO}")));
    } else {
        machine.notes.push(from(&format!(
            "CPUs are those of {source}, and each is shown as a core of its own, all on socket 0"
        )));
    }
    Ok(())
}

/// The CPUs of `/proc/cpuinfo`; none where it cannot be read.
fn described(host: &HostRoot) -> BTreeMap<u32, Option<Place>> {
    host.read_start(CPUINFO, MOST).map(|bytes| cpuinfo::parse(&bytes)).unwrap_or_default()
}
