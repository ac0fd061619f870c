//! Facts about the machine that a measurement is worthless without. What cannot be read is `None`.

mod cpus;
mod present;
mod timing;

use cgtune_core::{CpuSet, Nanos, parse::lists};
use procfs::{Current as _, FromReadSI as _};

use crate::HostRoot;

pub use cpus::{frequencies_khz, governors, isolated, nohz_full, smt_active, turbo};
pub use present::{container_marks, has_psi, load_average, memory_available_bytes};
pub use timing::{base_slice_ns, clocksource, tick_hz};

/// `uname -r`.
#[must_use]
pub fn kernel_release() -> Option<String> {
    nix::sys::utsname::uname().ok().and_then(|name| name.release().to_str().map(str::to_owned))
}

/// The same of the kernel below whose root `host` is, which is another where a captured node is read.
#[must_use]
pub fn kernel_release_of(host: &HostRoot) -> Option<String> {
    let text = host.read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(text.trim_end().to_owned())
}

/// The model of the first CPU.
#[must_use]
pub fn cpu_model() -> Option<String> {
    procfs::CpuInfo::current().ok()?.model_name(0).map(str::to_owned)
}

/// Whether we run as root.
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The CPUs that are online.
#[must_use]
pub fn online_cpus(host: &HostRoot) -> Option<CpuSet> {
    lists::parse(&host.read("/sys/devices/system/cpu/online").ok()?).ok()
}

/// The CPUs that this machine can have, offline ones included (`cpu_possible_mask`).
#[must_use]
pub fn possible_cpus(host: &HostRoot) -> Option<CpuSet> {
    lists::parse(&host.read("/sys/devices/system/cpu/possible").ok()?).ok()
}

/// The memory nodes that this machine has memory on (`node_states[N_MEMORY]`, which the top cpuset holds). Without NUMA
/// there is one.
#[must_use]
pub fn memory_nodes(host: &HostRoot) -> Option<CpuSet> {
    match host.read("/sys/devices/system/node/has_memory") {
        Ok(bytes) => lists::parse(&bytes).ok(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            host.exists("/sys/devices/system/cpu").then(|| [0].into_iter().collect())
        }
        Err(_) => None,
    }
}

/// Memory in all, in bytes.
#[must_use]
pub fn memory_bytes() -> Option<u64> {
    procfs::Meminfo::current().ok().map(|memory| memory.mem_total)
}

/// How much a CPU takes from its group's pool at a time, in µs (`kernel.sched_cfs_bandwidth_slice_us`).
#[must_use]
pub fn bandwidth_slice_us(host: &HostRoot) -> Option<u64> {
    number(host, "/proc/sys/kernel/sched_cfs_bandwidth_slice_us")
}

/// A file that holds one number.
fn number(host: &HostRoot, path: &str) -> Option<u64> {
    host.read_to_string(path).ok()?.trim().parse().ok()
}

/// The frequency governor of CPU 0.
#[must_use]
pub fn governor(host: &HostRoot) -> Option<String> {
    let text = host.read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").ok()?;
    Some(text.trim().to_owned())
}

/// What the firmware or the CPU's flags say of a hypervisor.
#[must_use]
pub fn hypervisor(host: &HostRoot) -> Option<String> {
    let flagged = procfs::CpuInfo::current().ok()?.flags(0)?.contains(&"hypervisor");
    let product = host.read_to_string("/sys/class/dmi/id/sys_vendor").ok().map(|text| text.trim().to_owned());
    flagged.then(|| product.filter(|name| !name.is_empty()).unwrap_or_else(|| "unnamed".to_owned()))
}

/// CPU time of the machine since boot (`/proc/stat`), in ticks of USER_HZ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineTime {
    /// Doing something, steal not included.
    pub busy: Nanos,
    /// Wanted to run, but the hypervisor ran somebody else.
    pub steal: Nanos,
    /// Of each CPU that is online, by its number, the time it did something.
    pub each: Vec<(u32, Nanos)>,
    /// Of each CPU that is online what the hypervisor withheld.
    pub each_steal: Vec<(u32, Nanos)>,
}

/// Reads it.
#[must_use]
pub fn machine_time(host: &HostRoot) -> Option<MachineTime> {
    let stat = host.read("/proc/stat").ok()?;
    let stat = procfs::KernelStats::from_read(stat.as_slice(), &procfs::LocalSystemInfo).ok()?;
    let tick = 1_000_000_000 / procfs::ticks_per_second();
    let busy = |time: &procfs::CpuTime| {
        // user includes guest time already (account_guest_time, kernel/sched/cputime.c).
        // Another node's numbers may be any.
        let ticks = [time.user, time.nice, time.system, time.irq.unwrap_or(0), time.softirq.unwrap_or(0)];
        Nanos::new(ticks.into_iter().fold(0, u64::saturating_add).saturating_mul(tick))
    };
    // The kernel lists the CPUs that are online, in order.
    let online = online_cpus(host).unwrap_or_default();
    let steal = |time: &procfs::CpuTime| Nanos::new(time.steal.unwrap_or(0).saturating_mul(tick));
    let each = |of: &dyn Fn(&procfs::CpuTime) -> Nanos| {
        let numbered = online.len() == stat.cpu_time.len();
        online.iter().zip(stat.cpu_time.iter().map(of)).filter(|_| numbered).collect()
    };
    let (each, each_steal) = (each(&busy), each(&steal));
    Some(MachineTime { busy: busy(&stat.total), steal: steal(&stat.total), each, each_steal })
}
