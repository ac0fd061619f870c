//! Which cgroups hold CPUs of their own: those whose CPUs in force are others than those of the group above, and v2 partitions.

use std::path::{Path, PathBuf};

use cgtune_core::{
    Controller, CpuSet, Layout,
    layout::Knob,
    parse::{ParseError, lists},
    text::Escaped,
};

use crate::{Error, Hierarchies, cgroup::parsed, dir::Dir};

/// A cgroup with CPUs of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpuset {
    /// Its path in the cpuset hierarchy.
    pub path: PathBuf,
    /// The CPUs that it asks for; empty on v2: those of the group above.
    pub cpus: CpuSet,
    /// The CPUs that it has.
    pub effective: CpuSet,
    /// What kind of partition it is, in the kernel's words; `None`: this layout has none.
    pub partition: Option<String>,
    /// How many processes are directly in it. `None`: it does not say, as where threads are grouped.
    pub processes: Option<usize>,
}

impl Cpuset {
    /// Whether it takes its CPUs away from the groups beside it, or is meant to.
    #[must_use]
    pub fn is_partition(&self) -> bool {
        self.partition.as_deref().is_some_and(|state| state != MEMBER)
    }
}

/// How a group is called that is no partition.
const MEMBER: &str = "member";

/// Reads those that can be seen, parents before children. `None`: no hierarchy carries the cpuset controller.
///
/// # Errors
/// The kernel's refusal; a file that holds something else than its format.
pub fn read(hierarchies: &Hierarchies) -> Result<Option<Vec<Cpuset>>, Error> {
    let Some(hierarchy) = hierarchies.of(Controller::Cpuset) else { return Ok(None) };
    let layout = hierarchy.layout;
    // Of the groups on the way down to the one that is visited.
    let mut above: Vec<(PathBuf, CpuSet)> = Vec::new();
    let mut found = Vec::new();
    let mut failed = Ok(());
    hierarchy.walk(|path, dir| {
        if failed.is_err() {
            return;
        }
        while above.last().is_some_and(|(parent, _)| !path.starts_with(parent)) {
            above.pop();
        }
        match visit(path, dir, layout, above.last().map(|(_, effective)| effective)) {
            Ok(Some((cpuset, own))) => {
                above.push((path.to_owned(), cpuset.effective.clone()));
                if own {
                    found.push(cpuset);
                }
            }
            // Without the controller, or gone.
            Ok(None) | Err(Error::Gone(_)) => {}
            Err(error) => failed = Err(error),
        }
    })?;
    failed?;
    for cpuset in &mut found {
        if let Ok(Some(dir)) = hierarchy.open(&cpuset.path) {
            cpuset.processes = processes(&dir);
        }
    }
    Ok(Some(found))
}

/// A group, and whether it has CPUs of its own. `None`: the controller is not here.
fn visit(
    path: &Path,
    dir: &Dir,
    layout: Layout,
    above: Option<&CpuSet>,
) -> Result<Option<(Cpuset, bool)>, Error> {
    let list = |knob| parsed(dir, layout.file(knob).map(|(_, name)| name), lists::parse);
    let cpus = list(Knob::Cpus)?;
    let Some(effective) = list(Knob::EffectiveCpus)?.or_else(|| cpus.clone()) else { return Ok(None) };
    let partition = dir.parse("cpuset.cpus.partition", partition)?;
    let parted = partition.as_deref().is_some_and(|state| state != MEMBER);
    let own = above.is_some_and(|above| parted || *above != effective);
    let path = path.to_owned();
    Ok(Some((Cpuset { path, cpus: cpus.unwrap_or_default(), effective, partition, processes: None }, own)))
}

/// `member`, `root`, `isolated`, and of the latter two `root invalid (why)` (`sched_partition_show`, kernel/cgroup/cpuset.c, 6.12).
fn partition(bytes: &[u8]) -> Result<String, ParseError> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let known = [&b"member"[..], b"root", b"isolated"].iter().any(|word| line.starts_with(word));
    match known {
        true => Ok(Escaped(line).to_string()),
        false => Err(ParseError::new("member, root or isolated", line)),
    }
}

fn processes(dir: &Dir) -> Option<usize> {
    let bytes = dir.read("cgroup.procs").ok()??;
    Some(bytes.iter().filter(|&&byte| byte == b'\n').count())
}
