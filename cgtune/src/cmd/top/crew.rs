//! A group's threads between two looks.

use std::collections::HashMap;

use cgtune_core::Nanos;
use cgtune_sys::scan::ThreadTimes;

/// How much longer than the time between two looks a thread may seem to have run and waited: it is read a little later
/// each time, and a throttled thread's delay is booked when it ends.
const TOLERANCE: f64 = 1.5;

/// One thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Member {
    pub(crate) tid: u32,
    /// CPUs used.
    pub(crate) cpus: f64,
    /// Milliseconds a second that it could run and did not, throttled time included.
    pub(crate) delay_ms_per_s: f64,
}

/// All threads of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Crew {
    /// How many there are now.
    pub(crate) count: usize,
    /// Those that were there at both looks or began in between, the busiest and most delayed first.
    pub(crate) members: Vec<Member>,
}

impl Crew {
    /// What happened in `wall` seconds. A thread that is new counts from its beginning; but none can have run and waited for
    /// longer than the time that passed, so one that says so moved in with a past, and counts from now on.
    pub(crate) fn between(before: &[ThreadTimes], now: &[ThreadTimes], wall: f64) -> Self {
        let earlier: HashMap<u32, &ThreadTimes> = before.iter().map(|thread| (thread.tid, thread)).collect();
        let since = |thread: &ThreadTimes| {
            let then = earlier.get(&thread.tid);
            let zero = Nanos::ZERO;
            let cpu = thread.cpu.checked_sub(then.map_or(zero, |then| then.cpu))?.as_secs();
            let delay = thread.run_delay.checked_sub(then.map_or(zero, |then| then.run_delay))?.as_secs();
            let young = then.is_some() || cpu + delay <= wall * TOLERANCE;
            young.then_some(Member { tid: thread.tid, cpus: cpu / wall, delay_ms_per_s: delay * 1e3 / wall })
        };
        let mut members: Vec<Member> = now.iter().filter_map(since).collect();
        let time = |member: &Member| member.cpus + member.delay_ms_per_s / 1e3;
        members.sort_by(|a, b| time(b).total_cmp(&time(a)).then(a.tid.cmp(&b.tid)));
        Self { count: now.len(), members }
    }

    pub(crate) fn cpus(&self) -> f64 {
        self.members.iter().map(|member| member.cpus).sum()
    }

    pub(crate) fn delay_ms_per_s(&self) -> f64 {
        self.members.iter().map(|member| member.delay_ms_per_s).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(tid: u32, cpu_ms: u64, delay_ms: u64) -> ThreadTimes {
        ThreadTimes { tid, cpu: Nanos::new(cpu_ms * 1_000_000), run_delay: Nanos::new(delay_ms * 1_000_000) }
    }

    #[test]
    fn young_threads_count_whole_and_those_with_a_past_from_now_on() {
        let before = [thread(1, 9000, 100), thread(2, 5, 0), thread(4, 700, 0)];
        let now = [thread(1, 9400, 700), thread(3, 100, 0), thread(9, 50_000, 3), thread(4, 10, 0)];
        let crew = Crew::between(&before, &now, 1.0);
        let tids: Vec<u32> = crew.members.iter().map(|member| member.tid).collect();
        // 9 moved in with a past, 4 is another thread under a used id.
        assert_eq!((crew.count, tids), (4, vec![1, 3]));
        assert!((crew.cpus() - 0.5).abs() < 1e-9 && (crew.delay_ms_per_s() - 600.0).abs() < 1e-9);
    }
}
