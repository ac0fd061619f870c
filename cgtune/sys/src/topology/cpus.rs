//! Which CPUs are there, and their cores and sockets (`cpuN/topology`).

use std::collections::BTreeMap;

use cgtune_core::{
    CpuSet,
    parse::{ParseError, lists},
    text::Escaped,
    topology::{Machine, MachineCpu},
};

use super::{CPUS, MachineError, files::Files};
use crate::HostRoot;

/// The CPUs with a folder that says where they lie; only those that are online have one. `None`: there is none.
pub(super) fn with_topology(host: &HostRoot) -> Option<CpuSet> {
    let names = host.list(CPUS).ok()?;
    let number = |name: &str| -> Option<u32> {
        let digits = name.strip_prefix("cpu")?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let cpus: CpuSet = names
        .iter()
        .filter_map(|name| number(name.to_str()?))
        .filter(|cpu| host.is_dir(folder(*cpu)))
        .collect();
    (!cpus.is_empty()).then_some(cpus)
}

/// Whether the machine shows of any of these where it lies.
pub(super) fn any_shown(host: &HostRoot, cpus: &CpuSet) -> bool {
    cpus.iter().any(|cpu| host.is_dir(folder(cpu)))
}

fn folder(cpu: u32) -> String {
    format!("{CPUS}/cpu{cpu}/topology")
}

pub(super) fn read(files: &Files<'_>, online: &CpuSet, machine: &mut Machine) -> Result<(), MachineError> {
    let mut cores = Sharing::default();
    let mut packages: BTreeMap<u32, (u32, i64)> = BTreeMap::new();
    let mut unknown = CpuSet::new();
    for cpu in online.iter() {
        let folder = folder(cpu);
        // The first name is the older one, which every kernel still has.
        let names = [format!("{folder}/thread_siblings_list"), format!("{folder}/core_cpus_list")];
        let missing = || MachineError::Missing { cpu, path: files.shown(&names[0]) };
        let name = names.iter().find(|name| files.host().exists(name)).unwrap_or(&names[0]);
        let text = files.bytes(name)?.ok_or_else(missing)?;
        let core = cores.of(files, cpu, name, &text)?;
        let name = format!("{folder}/physical_package_id");
        let package = files.parsed(&name, package)?;
        let (first, other) = *packages.entry(core).or_insert((cpu, package.unwrap_or(-1)));
        if package.unwrap_or(-1) != other {
            return Err(MachineError::Contradiction {
                first: files.shown(&format!("{}/physical_package_id", self::folder(first))),
                first_value: other.to_string(),
                second: files.shown(&name),
                second_value: package.unwrap_or(-1).to_string(),
                why: "both are of one core",
            });
        }
        let socket = package.and_then(|package| u32::try_from(package).ok()).unwrap_or_else(|| {
            unknown.insert(cpu);
            0
        });
        machine.cpus.push(MachineCpu { cpu, core, socket, ..MachineCpu::default() });
    }
    if !unknown.is_empty() {
        machine.notes.push(format!("the sockets of CPUs {unknown} are not known (physical_package_id is -1 or not there); they are shown as on socket 0"));
    }
    Ok(())
}

/// A socket's number; -1 where the firmware does not tell it.
fn package(bytes: &[u8]) -> Result<i64, ParseError> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let number: Option<i64> = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number
        .filter(|number| (-1..=i64::from(u32::MAX)).contains(number))
        .ok_or_else(|| ParseError::new("the number of a socket, or -1", text))
}

/// Groups of CPUs, of which each member lists all. They are known by their lowest CPU.
#[derive(Default)]
pub(super) struct Sharing {
    groups: Vec<Group>,
    /// In which of them a CPU is, as soon as one of its members has said so.
    of: BTreeMap<u32, usize>,
}

struct Group {
    lowest: u32,
    /// Which file said so first, and what it holds.
    name: String,
    text: Vec<u8>,
}

impl Sharing {
    /// The group of a CPU, whose list is in this file.
    pub(super) fn of(
        &mut self,
        files: &Files<'_>,
        cpu: u32,
        name: &str,
        text: &[u8],
    ) -> Result<u32, MachineError> {
        if let Some(group) = self.of.get(&cpu).map(|&place| &self.groups[place]) {
            return match group.text == text {
                true => Ok(group.lowest),
                false => Err(group.contradicts(files, name, text)),
            };
        }
        let format = |source| crate::Error::Format { path: files.shown(name), source };
        let list = lists::parse(text).map_err(format)?;
        let lowest = list.iter().next().filter(|_| list.contains(cpu)).ok_or_else(|| {
            format(ParseError::new("a list that holds the CPU itself", text.trim_ascii_end()))
        })?;
        for member in list.iter() {
            if let Some(&other) = self.of.get(&member) {
                return Err(self.groups[other].contradicts(files, name, text));
            }
            self.of.insert(member, self.groups.len());
        }
        self.groups.push(Group { lowest, name: name.to_owned(), text: text.to_owned() });
        Ok(lowest)
    }
}

impl Group {
    fn contradicts(&self, files: &Files<'_>, name: &str, text: &[u8]) -> MachineError {
        let said = |text: &[u8]| Escaped(text.trim_ascii_end()).to_string();
        MachineError::Contradiction {
            first: files.shown(&self.name),
            first_value: said(&self.text),
            second: files.shown(name),
            second_value: said(text),
            why: "a CPU is in both",
        }
    }
}
