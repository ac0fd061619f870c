//! The threads in a cgroup and the CPU time of each: the usage of a v1 group that exists in `cpu` alone.

use cgtune_core::{
    Layout, Nanos,
    parse::ParseError,
    snapshot::{ThreadUsage, Usage},
};

use procfs::FromRead as _;

use crate::{
    HostRoot,
    dir::Dir,
    error::{Error, Shown},
};

/// How many groups below one are searched for threads.
const GROUPS_BELOW: usize = 1000;

/// Reads the ids in `tasks` or `cgroup.procs`.
///
/// # Errors
/// A file that cannot be read or holds something else than ids.
pub fn ids(dir: &Dir, file: &str) -> Result<Vec<u32>, Error> {
    let Some(bytes) = dir.read(file)? else { return Ok(Vec::new()) };
    let format = || Error::Format {
        path: Shown(dir.path().join(file)),
        source: ParseError::new("a list of ids", &bytes),
    };
    std::str::from_utf8(&bytes)
        .map_err(|_| format())?
        .lines()
        .map(|line| line.parse().map_err(|_| format()))
        .collect()
}

/// Reads the ids of the threads directly in a group.
///
/// # Errors
/// As [`ids`].
pub(crate) fn thread_ids(dir: &Dir, layout: Layout) -> Result<Vec<u32>, Error> {
    ids(
        dir,
        match layout {
            Layout::V1 => "tasks",
            Layout::V2 => "cgroup.threads",
        },
    )
}

/// A group and the groups below it, itself first. Those that vanish meanwhile are not among them.
pub(crate) fn below(dir: &Dir) -> Vec<Dir> {
    let mut found = Vec::new();
    let mut open: Vec<Dir> = dir.descend(std::path::Path::new("")).ok().flatten().into_iter().collect();
    while let Some(dir) = open.pop() {
        let children = dir.children().unwrap_or_default();
        open.extend(children.iter().filter_map(|name| dir.child(name).ok().flatten()));
        found.push(dir);
        if found.len() + open.len() > GROUPS_BELOW {
            break;
        }
    }
    found
}

/// The threads of a group and of those below it, given group by group, itself first. `None`: more than `most`, gone, or not
/// in our pid namespace (the kernel shows 0).
pub(crate) fn together(
    groups: impl Iterator<Item = Result<Vec<u32>, Error>>,
    most: usize,
) -> Option<Vec<u32>> {
    let mut tids = Vec::new();
    for (number, ids) in groups.enumerate() {
        match ids {
            Ok(ids) if ids.contains(&0) => return None,
            Ok(ids) => tids.extend(ids),
            // One below may vanish; without the group itself there is nothing to say.
            Err(_) if number > 0 => {}
            Err(_) => return None,
        }
        if tids.len() > most {
            return None;
        }
    }
    Some(tids)
}

/// CPU time of the threads in this group (not of its descendants).
///
/// # Errors
/// As [`ids`]. A thread that ends meanwhile is simply not among them.
pub fn usage(dir: &Dir, host: &HostRoot) -> Result<Usage, Error> {
    let at_ticks = ticks_since_boot(host);
    let mut threads: Vec<ThreadUsage> =
        ids(dir, "tasks")?.into_iter().filter_map(|tid| thread(host, tid)).collect();
    threads.sort_by_key(|thread| thread.tid);
    Ok(Usage::Members { threads, at_ticks })
}

fn thread(host: &HostRoot, tid: u32) -> Option<ThreadUsage> {
    let (cpu, _) = schedstat(host, tid)?;
    Some(ThreadUsage { tid, started_ticks: started_ticks(host, tid)?, cpu })
}

/// A thread's time on a CPU and its time waiting for one, throttled time included (`proc_pid_schedstat`, fs/proc/base.c,
/// 6.12). `None`: there is no such thread, or the kernel has no CONFIG_SCHED_INFO.
pub(crate) fn schedstat(host: &HostRoot, tid: u32) -> Option<(Nanos, Nanos)> {
    let bytes = thread_file(host, tid, "schedstat")?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let mut numbers = text.split_whitespace().map(|number| number.parse().ok().map(Nanos::new));
    Some((numbers.next()??, numbers.next()??))
}

/// A file of one thread. `None`: it has ended, or its files may not be read.
///
/// `/proc/<tid>/stat` sums over all threads of the process (`proc_tgid_stat`, fs/proc/array.c, 6.12), which of ten thousand
/// threads takes milliseconds; the same below `task` is the thread's own.
pub(crate) fn thread_file(host: &HostRoot, tid: u32, name: &str) -> Option<Vec<u8>> {
    let own = host.read(format!("/proc/{tid}/task/{tid}/{name}"));
    own.or_else(|_| host.read(format!("/proc/{tid}/{name}"))).ok()
}

/// Now, in the clock ticks since boot in which the kernel dates a thread's start.
pub(crate) fn ticks_since_boot(host: &HostRoot) -> u64 {
    let ticks = u128::from(host.since_boot().get()) * u128::from(procfs::ticks_per_second()) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(0)
}

/// When a process or thread began, in clock ticks since boot. `None`: there is none, or it is not readable.
#[must_use]
pub fn started_ticks(host: &HostRoot, pid: u32) -> Option<u64> {
    let stat = host.read(format!("/proc/{pid}/stat")).ok()?;
    procfs::process::Stat::from_read(stat.as_slice()).ok().map(|stat| stat.starttime)
}
