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
    stat(&host.read(format!("/proc/{pid}/stat")).ok()?).map(|stat| stat.starttime)
}

/// What a `stat` file of /proc says (`do_task_stat`, fs/proc/array.c, 6.12). `None`: it is damaged.
pub(crate) fn stat(bytes: &[u8]) -> Option<procfs::process::Stat> {
    // procfs-core 0.18 panics where the id, the parentheses or the state are not where it takes them to be.
    let open = bytes.iter().position(|&b| b == b'(')?;
    let close = bytes.iter().rposition(|&b| b == b')')?;
    let id = bytes.get(..open)?.strip_suffix(b" ")?;
    let [b' ', state, ..] = bytes.get(close + 1..)? else { return None };
    let is_whole =
        open < close && !id.is_empty() && id.iter().all(u8::is_ascii_digit) && state.is_ascii_alphabetic();
    is_whole.then(|| procfs::process::Stat::from_read(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REAL: &str = "7 (a (b) c) R 1 7 7 0 -1 4194560 150 0 0 0 2 1 0 0 20 0 1 0 4711 2383872 250 18446744073709551615 1 1 0 \
                        0 0 0 0 4096 0 0 0 0 17 1 0 5 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn the_name_may_hold_parentheses() {
        let stat = stat(REAL.as_bytes()).unwrap();
        assert_eq!((&*stat.comm, stat.starttime, stat.policy), ("a (b) c", 4711, Some(5)));
    }

    #[test]
    fn a_damaged_line_is_none() {
        for line in [
            "",
            "(",
            ")",
            "()",
            ")(",
            "(a) R 1",
            "7 (a)",
            "7 (a) ",
            "7 (a)\n",
            "7 (a)R",
            "7(a) R",
            "7 )a( R",
            "7 (a) \u{e9}",
            "\u{e9}(a) R",
            "7 (a)\u{e9} R",
            "x (a) R 1",
        ] {
            assert!(stat(line.as_bytes()).is_none(), "{line}");
        }
        assert!(stat(b"7\xff(a) R 1").is_none() && stat(b"7 (a)\xffR 1").is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            from in 0..=REAL.len(),
            length in 0..8_usize,
            with in prop::collection::vec(prop_oneof![Just(b'('), Just(b')'), Just(b' '), Just(b'7'), any::<u8>()], 0..8),
        ) {
            let mut line = REAL.as_bytes().to_vec();
            let _ = stat(&line[from..]);
            let _ = stat(&line[..from]);
            let _ = stat(&with);
            line.splice(from..(from + length).min(REAL.len()), with);
            let _ = stat(&line);
        }
    }
}
