//! Machines that do not show `cpuN/topology`, as in a container whose /sys is masked: what can be told from elsewhere.

use std::{collections::BTreeMap, path::Path};

use cgtune_core::{CpuSet, topology::Machine};
use procfs::FromRead as _;

use super::{CPUS, MachineError, bare};
use crate::{HostRoot, affinity, error::Shown};

const CPUINFO: &str = "/proc/cpuinfo";
/// Of a description of CPUs, some 1.5 KiB each.
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
    let listed = || described.iter().map(|cpu| cpu.number).collect::<CpuSet>();
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
    let mut lowest: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let places: BTreeMap<u32, (u32, u32)> =
        described.iter().filter_map(|cpu| Some((cpu.number, cpu.socket_and_core?))).collect();
    if !cpus.is_empty() && cpus.iter().all(|cpu| places.contains_key(&cpu)) {
        for cpu in &mut machine.cpus {
            let Some(place) = places.get(&cpu.cpu) else { continue };
            cpu.core = *lowest.entry(*place).or_insert(cpu.cpu);
            cpu.socket = place.0;
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

/// A CPU as `/proc/cpuinfo` describes it.
struct Described {
    number: u32,
    /// x86 says so. The number of a core begins anew in each socket.
    socket_and_core: Option<(u32, u32)>,
}

fn described(host: &HostRoot) -> Vec<Described> {
    let Ok(bytes) = host.read_start(CPUINFO, MOST) else { return Vec::new() };
    let Ok(info) = procfs::CpuInfo::from_read(bytes.as_slice()) else { return Vec::new() };
    (0..info.num_cores())
        .filter_map(|place| {
            let field = |name: &str| info.get_field(place, name)?.parse().ok();
            let socket_and_core = field("physical id").zip(field("core id"));
            Some(Described { number: field("processor")?, socket_and_core })
        })
        .collect()
}
