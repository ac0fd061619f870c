//! Reading what a captured node should hold beside what a watch reads: the machine's shape, and which groups its processes are
//! in. Nothing is made of it here; whoever asks a played node later finds it.

use crate::{Cgroup, HostRoot, members};

/// How much of a file is read: a list of CPUs or a table, never a log.
const MOST: u64 = 64 * 1024;
/// How many CPUs, or memory nodes, are looked at: the kernel's own bound (`CONFIG_NR_CPUS`) on large machines.
const UNITS: usize = 8192;

const FILES: [&str; 21] = [
    "/proc/cgroups",
    "/proc/loadavg",
    "/proc/pressure/cpu",
    "/proc/sys/kernel/sched_autogroup_enabled",
    "/proc/sys/kernel/sched_cfs_bandwidth_slice_us",
    "/proc/uptime",
    "/proc/version",
    "/sys/class/dmi/id/sys_vendor",
    "/sys/devices/system/cpu/isolated",
    "/sys/devices/system/cpu/nohz_full",
    "/sys/devices/system/cpu/offline",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/possible",
    "/sys/devices/system/cpu/present",
    "/sys/devices/system/cpu/smt/active",
    "/sys/devices/system/cpu/smt/control",
    "/sys/devices/system/node/has_cpu",
    "/sys/devices/system/node/has_memory",
    "/sys/devices/system/node/has_normal_memory",
    "/sys/devices/system/node/online",
    "/sys/devices/system/node/possible",
];
const OF_A_CPU: [&str; 11] = [
    "online",
    "cpufreq/scaling_governor",
    "topology/cluster_id",
    "topology/core_cpus_list",
    "topology/core_id",
    "topology/core_siblings_list",
    "topology/die_cpus_list",
    "topology/die_id",
    "topology/package_cpus_list",
    "topology/physical_package_id",
    "topology/thread_siblings_list",
];
const OF_A_CACHE: [&str; 5] = ["id", "level", "shared_cpu_list", "size", "type"];
const OF_A_NODE: [&str; 3] = ["cpulist", "distance", "meminfo"];

/// Reads the machine's shape. What cannot be read is not there.
pub fn machine(host: &HostRoot) {
    let glance = |path: String| {
        let _ = host.read_start(path, MOST);
    };
    for file in FILES {
        glance(file.to_owned());
    }
    let below = |folder: &str, kind: &str| -> Vec<String> {
        let names = host.list(folder).unwrap_or_default().into_iter();
        let numbered = |name: &String| {
            name.strip_prefix(kind).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        };
        let names = names.filter_map(|name| name.into_string().ok()).filter(numbered);
        names.take(UNITS).map(|name| format!("{folder}/{name}")).collect()
    };
    for cpu in below("/sys/devices/system/cpu", "cpu") {
        for file in OF_A_CPU {
            glance(format!("{cpu}/{file}"));
        }
        for cache in below(&format!("{cpu}/cache"), "index") {
            for file in OF_A_CACHE {
                glance(format!("{cache}/{file}"));
            }
        }
    }
    for node in below("/sys/devices/system/node", "node") {
        for file in OF_A_NODE {
            glance(format!("{node}/{file}"));
        }
    }
}

/// Reads which processes are in a group, and in which groups each of them is, of at most so many. How many it were.
pub fn processes(cgroup: &Cgroup, host: &HostRoot, most: usize) -> usize {
    let ids = members::ids(cgroup.cpu_dir(), "cgroup.procs").unwrap_or_default();
    let read = |pid: &u32| host.read_start(format!("/proc/{pid}/cgroup"), MOST).is_ok();
    ids.iter().take(most).filter(|pid| read(pid)).count()
}
