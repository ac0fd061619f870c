//! The threads in a cgroup and the CPU time of each: the usage of a v1 group that exists in `cpu` alone.

use cgtune_core::{
    Nanos,
    parse::ParseError,
    snapshot::{ThreadUsage, Usage},
};

use procfs::FromRead as _;

use crate::{
    HostRoot,
    dir::Dir,
    error::{Error, Shown},
};

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
    let schedstat = host.read_to_string(format!("/proc/{tid}/schedstat")).ok()?;
    let cpu = Nanos::new(schedstat.split_whitespace().next()?.parse().ok()?);
    Some(ThreadUsage { tid, started_ticks: started_ticks(host, tid)?, cpu })
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
