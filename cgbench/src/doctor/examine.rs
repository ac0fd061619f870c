//! The look itself.

use std::{sync::atomic::AtomicBool, time::Duration};

use cgtune_sys::{HostRoot, affinity, clock, facts};

use super::{Cpus, Doctor, System, cgroups, noise};

/// How long [`examine`] takes about, in seconds.
#[must_use]
pub fn seconds(duration: Duration) -> f64 {
    (duration + noise::SLEEPING).as_secs_f64()
}

/// Reads the facts, then sleeps for a fifth of a second, then listens for `duration`, all CPUs that we may use busy.
/// `progress` is told the seconds since it began. When `stop` is set it ends soon, and what it has not done is `None`.
///
/// It never fails: what cannot be read is `None`, and [`super::findings`] says where that matters.
pub fn examine(duration: Duration, stop: &AtomicBool, progress: &mut dyn FnMut(f64)) -> Doctor {
    let began = clock::now();
    let mut tick = || progress(clock::now().saturating_sub(began).as_secs());
    let host = HostRoot::default();
    let taken = jiff::Timestamp::now().to_string();
    let system = system(&host);
    let cpus = cpus(&host);
    let cgroups = cgroups::look();
    tick();
    // First, while the CPUs are as idle as they come.
    let sleeps = noise::sleep(stop);
    tick();
    let online = cpus.online.as_ref().or(cpus.allowed.as_ref()).map_or(0, cgtune_core::CpuSet::len);
    let noise =
        cpus.allowed.as_ref().and_then(|allowed| noise::listen(allowed, online, duration, stop, &mut tick));
    Doctor { schema: Doctor::SCHEMA.to_owned(), taken, system, cpus, cgroups, sleeps, noise }
}

fn system(host: &HostRoot) -> System {
    System {
        kernel: facts::kernel_release(),
        hypervisor: facts::hypervisor(host),
        container_marks: facts::container_marks(host),
        root: facts::is_root(),
        tick_hz: facts::tick_hz(),
        clocksource: facts::clocksource(host),
        base_slice_ns: facts::base_slice_ns(host),
        bandwidth_slice_us: facts::bandwidth_slice_us(host),
        psi: facts::has_psi(host),
        load_average: facts::load_average(host),
        memory_bytes: facts::memory_bytes(),
        memory_available_bytes: facts::memory_available_bytes(),
    }
}

fn cpus(host: &HostRoot) -> Cpus {
    let online = facts::online_cpus(host);
    let allowed = affinity::get(None).ok();
    let seen = online.clone().or_else(|| allowed.clone()).unwrap_or_default();
    Cpus {
        model: facts::cpu_model(),
        isolated: facts::isolated(host),
        nohz_full: facts::nohz_full(host),
        smt_active: facts::smt_active(host),
        governors: facts::governors(host, &seen),
        frequencies_khz: facts::frequencies_khz(host, &seen),
        turbo: facts::turbo(host),
        online,
        allowed,
    }
}
