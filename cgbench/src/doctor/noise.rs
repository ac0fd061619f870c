//! Listening: who else takes the CPUs, and what a sleep costs.
//!
//! All CPUs that we may use are listened on at once, each by a thread that is pinned there and does nothing but read the
//! clock. One after the other would find interrupts and threads that are bound to a CPU just as well. But it would leave room:
//! other threads go where it is quiet, and the host of a virtual machine has cores to spare while one of its CPUs is busy; and a
//! run is busy on several. So for as long as it takes nobody else has a CPU to himself.

use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use cgtune_core::{CpuSet, Nanos};
use cgtune_sys::{HostRoot, affinity, clock, facts, thread::involuntary_switches};
use serde::{Deserialize, Serialize};
use workloads::gap::{self, Gaps};

use crate::{
    backend::kernel::disturbance,
    record::Disturbance,
    stats::{Level, quantile},
};

/// What was heard on all CPUs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Wall time.
    pub wall_ns: u64,
    /// Of each CPU that was listened on.
    pub cpus: Vec<CpuNoise>,
    /// CPUs that we were said to have but could not be pinned to.
    pub skipped: CpuSet,
    /// Meanwhile taken by the hypervisor and by everybody but us, as parts of all CPU time of the machine.
    pub disturbance: Option<Disturbance>,
}

/// What was heard on one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CpuNoise {
    /// Its number.
    pub cpu: u32,
    /// When the loop was kept from running.
    pub gaps: Gaps,
    /// How often another thread took the CPU away from it.
    pub involuntary_switches: Option<u64>,
}

impl Noise {
    /// The gaps of all CPUs together.
    #[must_use]
    pub fn gaps(&self) -> Gaps {
        self.cpus.iter().fold(Gaps::default(), |mut all, cpu| {
            all.add(&cpu.gaps);
            all
        })
    }

    /// The CPU that lost most, where any lost something.
    #[must_use]
    pub fn worst(&self) -> Option<&CpuNoise> {
        self.cpus.iter().filter(|cpu| cpu.gaps.lost_ns > 0).max_by_key(|cpu| cpu.gaps.lost_ns)
    }

    /// How often another thread took a CPU away, on all together; `None` unless known of each.
    #[must_use]
    pub fn involuntary_switches(&self) -> Option<u64> {
        self.cpus.iter().map(|cpu| cpu.involuntary_switches).sum()
    }
}

/// How late sleeps end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sleeps {
    /// How many.
    pub count: u64,
    /// How long each was to be.
    pub asked_ns: u64,
    /// Half of them were later.
    pub p50_ns: f64,
    /// One in twenty was later.
    pub p95_ns: f64,
    /// The latest.
    pub max_ns: u64,
}

/// So many carry a p95 ([`Level::needed`]).
const SLEEPS: u64 = 200;

/// Long enough for a CPU to go idle, short enough for 200 of them.
const ASKED: Nanos = Nanos::new(1_000_000);

/// How long the sleeps take, were none of them late.
pub(super) const SLEEPING: Duration = Duration::from_nanos(SLEEPS * ASKED.get());

/// Between two looks at how far we are. Each look takes some microseconds from one of the CPUs that are listened on.
const LOOK: Duration = Duration::from_millis(250);

/// Listens for so long on these CPUs. `None` when it could be pinned to none, or was stopped before it began.
pub(super) fn listen(
    cpus: &CpuSet,
    online: usize,
    duration: Duration,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(),
) -> Option<Noise> {
    let duration_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let host = HostRoot::default();
    // Nobody begins before everybody is in place: they wait for this to be let go.
    let gate = RwLock::new(());
    let (say_ready, ready) = mpsc::channel();
    let (say_done, done) = mpsc::channel();
    let (mut heard, mut ours) = (Vec::new(), Nanos::ZERO);
    let (before, after, began, ended) = thread::scope(|scope| {
        let shut = gate.write().unwrap_or_else(PoisonError::into_inner);
        let mut threads = 0;
        for cpu in cpus.iter() {
            let (gate, say_ready, say_done) = (&gate, say_ready.clone(), say_done.clone());
            let one = move || {
                if let Some(one) = listen_on(cpu, gate, &say_ready, duration_ns, stop) {
                    let _ = say_done.send(one);
                }
            };
            let started = thread::Builder::new().name(format!("listen-{cpu}")).spawn_scoped(scope, one);
            threads += usize::from(started.is_ok());
        }
        // What is left of them ends with the threads, and with it the waiting.
        drop((say_ready, say_done));
        for _ in 0..threads {
            let _ = ready.recv();
        }
        let (before, began) = (facts::machine_time(&host), clock::now());
        drop(shut);
        loop {
            match done.recv_timeout(LOOK) {
                Ok((one, cpu_time)) => {
                    heard.push(one);
                    ours = ours.saturating_add(cpu_time);
                }
                Err(RecvTimeoutError::Timeout) => progress(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        (before, facts::machine_time(&host), began, clock::now())
    });
    heard.sort_by_key(|one| one.cpu);
    let wall = ended.saturating_sub(began);
    let disturbance = before.zip(after).and_then(|(a, b)| disturbance(a, b, ours, wall, online));
    let listened: CpuSet = heard.iter().map(|one| one.cpu).collect();
    let any = heard.iter().any(|one| one.gaps.reads > 0);
    any.then(|| Noise { wall_ns: wall.get(), cpus: heard, skipped: cpus.difference(&listened), disturbance })
}

/// One thread's part: what it heard, and the CPU time that it took for that.
fn listen_on(
    cpu: u32,
    gate: &RwLock<()>,
    say_ready: &Sender<()>,
    duration_ns: u64,
    stop: &AtomicBool,
) -> Option<(CpuNoise, Nanos)> {
    let pinned = affinity::set(None, &[cpu].into_iter().collect());
    let _ = say_ready.send(());
    drop(gate.read());
    pinned.ok()?;
    let (switches, cpu_time) = (involuntary_switches(), clock::thread_cpu());
    let gaps = gap::watch(duration_ns, stop).ok()?;
    let cpu_time = clock::thread_cpu().saturating_sub(cpu_time);
    let switches = involuntary_switches().zip(switches).map(|(after, before)| after.saturating_sub(before));
    Some((CpuNoise { cpu, gaps, involuntary_switches: switches }, cpu_time))
}

/// Sleeps again and again, each time to an instant, on whichever CPU the scheduler chooses. `None` when stopped.
pub(super) fn sleep(stop: &AtomicBool) -> Option<Sleeps> {
    let mut late_ns = Vec::new();
    for _ in 0..SLEEPS {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let until = clock::now().saturating_add(ASKED);
        clock::sleep_until(until);
        late_ns.push(clock::now().saturating_sub(until).get());
    }
    late_ns.sort_unstable();
    let sorted: Vec<f64> = late_ns.iter().map(|&ns| ns as f64).collect();
    Some(Sleeps {
        count: SLEEPS,
        asked_ns: ASKED.get(),
        p50_ns: quantile::of_sorted(&sorted, Level::P50)?,
        p95_ns: quantile::of_sorted(&sorted, Level::P95)?,
        max_ns: late_ns.last().copied()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cpu_that_we_have_is_heard_and_one_that_is_not_there_is_skipped() {
        let allowed = affinity::get(None).unwrap();
        let mut cpus = allowed.clone();
        cpus.insert(cgtune_core::cpus::MAX_CPU);
        let stop = AtomicBool::new(false);
        let noise = listen(&cpus, allowed.len(), Duration::from_millis(20), &stop, &mut || ()).unwrap();
        assert_eq!(noise.cpus.iter().map(|one| one.cpu).collect::<CpuSet>(), allowed);
        assert_eq!(noise.skipped.to_string(), cgtune_core::cpus::MAX_CPU.to_string());
        for one in &noise.cpus {
            assert!(one.gaps.elapsed_ns >= 20_000_000 && one.gaps.elapsed_ns <= noise.wall_ns, "{one:?}");
            assert!(one.gaps.lost_ns <= one.gaps.elapsed_ns, "{one:?}");
        }
        assert_eq!(noise.gaps().reads, noise.cpus.iter().map(|one| one.gaps.reads).sum::<u64>());
    }

    #[test]
    fn who_is_stopped_before_it_began_has_heard_nothing() {
        let cpus = affinity::get(None).unwrap();
        let stop = AtomicBool::new(true);
        assert_eq!(listen(&cpus, cpus.len(), Duration::from_secs(60), &stop, &mut || ()), None);
        assert_eq!(sleep(&stop), None);
    }

    #[test]
    fn no_sleep_ends_before_its_time_and_the_latest_is_the_latest() {
        let sleeps = sleep(&AtomicBool::new(false)).unwrap();
        assert!(sleeps.p50_ns > 0.0 && sleeps.p50_ns <= sleeps.p95_ns, "{sleeps:?}");
        assert!(sleeps.p95_ns <= sleeps.max_ns as f64, "{sleeps:?}");
    }
}
