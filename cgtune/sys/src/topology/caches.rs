//! Last-level caches (`cpuN/cache/indexM`): the highest level that holds data, above the first.
//!
//! Virtual machines and odd firmware show caches that cannot be; then none are taken from them, and a note says why.

use std::collections::BTreeMap;

use cgtune_core::{
    parse::{ParseError, scalar},
    topology::{Cache, Machine},
};

use super::{CPUS, MachineError, cpus::Sharing, files::Files};

/// A cache is shared beyond a core from this level on.
const LEAST_LEVEL: u64 = 2;

pub(super) fn read(files: &Files<'_>, machine: &mut Machine) -> Result<(), MachineError> {
    let mut sharing = Sharing::default();
    let mut found = Vec::with_capacity(machine.cpus.len());
    let mut caches: BTreeMap<u32, Cache> = BTreeMap::new();
    let mut without = None;
    for cpu in machine.cpus.iter().map(|cpu| cpu.cpu) {
        let Some((index, level)) = last_level(files, cpu)? else {
            without.get_or_insert(cpu);
            continue;
        };
        let name = format!("{index}/shared_cpu_list");
        let Some(text) = files.bytes(&name)? else {
            without.get_or_insert(cpu);
            continue;
        };
        let uncore = match sharing.of(files, cpu, &name, &text) {
            Err(error @ MachineError::Contradiction { .. }) => {
                machine.notes.push(format!("its last-level caches are left out: {error}"));
                return Ok(());
            }
            shared => shared?,
        };
        found.push(uncore);
        let size = || files.aside(&format!("{index}/size"), size);
        caches.entry(uncore).or_insert_with(|| Cache {
            uncore,
            level: u32::try_from(level).unwrap_or(u32::MAX),
            size_bytes: size(),
        });
    }
    match without {
        Some(_) if found.is_empty() => {
            machine.notes.push("it does not show its last-level caches".to_owned());
        }
        Some(cpu) => machine.notes.push(format!(
            "its last-level caches are left out: some CPUs show theirs, but there is none in {}",
            files.shown(&format!("{CPUS}/cpu{cpu}/cache"))
        )),
        None => give(machine, &found, caches),
    }
    Ok(())
}

/// Unless they part the threads of a core, which no cache does.
fn give(machine: &mut Machine, found: &[u32], caches: BTreeMap<u32, Cache>) {
    let mut of_core: BTreeMap<u32, u32> = BTreeMap::new();
    for (cpu, &uncore) in machine.cpus.iter().zip(found) {
        if *of_core.entry(cpu.core).or_insert(uncore) != uncore {
            machine.notes.push(format!(
                "its last-level caches are left out: CPU {} and another thread of its core ({}) have different ones",
                cpu.cpu, cpu.core
            ));
            return;
        }
    }
    for (cpu, &uncore) in machine.cpus.iter_mut().zip(found) {
        cpu.uncore = Some(uncore);
    }
    machine.caches = caches.into_values().collect();
}

/// The folder of a CPU's last-level cache and its level.
fn last_level(files: &Files<'_>, cpu: u32) -> Result<Option<(String, u64)>, MachineError> {
    let folder = format!("{CPUS}/cpu{cpu}/cache");
    let names = files.host().list(&folder).unwrap_or_default();
    let mut last: Option<(String, u64)> = None;
    for name in names.iter().filter_map(|name| name.to_str()).filter(|name| name.starts_with("index")) {
        let index = format!("{folder}/{name}");
        let Some(level) = files.parsed(&format!("{index}/level"), scalar::unsigned)? else { continue };
        if level < LEAST_LEVEL || last.as_ref().is_some_and(|(_, highest)| *highest >= level) {
            continue;
        }
        let kind = files.bytes(&format!("{index}/type"))?;
        if kind.is_none_or(|kind| kind.trim_ascii_end() != b"Instruction") {
            last = Some((index, level));
        }
    }
    Ok(last)
}

/// `32768K` (drivers/base/cacheinfo.c, `size_show`).
fn size(bytes: &[u8]) -> Result<u64, ParseError> {
    let text = bytes.trim_ascii_end();
    let kib = text.strip_suffix(b"K").and_then(|digits| scalar::unsigned(digits).ok());
    kib.and_then(|kib| kib.checked_mul(1024)).ok_or_else(|| ParseError::new("a size such as 32768K", text))
}
