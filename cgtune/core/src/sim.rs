//! A model of the kernel's CPU bandwidth control: what a limit does to a load, without touching anything.
//!
//! # Terms
//! A *group* has a *quota* of CPU time for each *period*; what it may have saved up beyond that is its *burst*. The quota lies in a
//! *pool*. A CPU on which the group runs takes a *slice* of 5 ms out of the pool at a time, and uses it up as its *balance*. That
//! it is used up is only noticed at a *tick*, or when a thread sleeps or wakes; then the CPU asks for more, and where the
//! pool is empty it is *throttled* until the next *refill*, or until somebody gives something back (*slack*).
//!
//! # An example
//! A quota of 20 ms in every 100 ms, one thread that never rests, ticks every 4 ms, and a period that begins at 0:
//!
//! | ms | event | pool | balance |
//! |---|---|---|---|
//! | 0 | wakes; its balance is a nanosecond, so it just runs | 20 | 0 |
//! | 4 | tick: 4 ms are owed; takes 9, of which 5 are to come | 11 | 5 |
//! | 12 | at the tick at 8 a millisecond was left; now 3 are owed: takes 8 | 3 | 5 |
//! | 20 | tick: 3 owed; takes the 3 that are there, and has the first nanosecond left | 0 | 0 |
//! | 24 | tick: 4 owed and nothing there: throttled, 4 ms beyond the quota | 0 | −4 |
//! | 100 | refill: what is owed goes off first, then it runs on; `nr_periods` and `nr_throttled` are 1, throttled time 76 ms | 16 | 0 |
//! | 120 | throttled again, after 20 ms this time: it still owes 4 ms, and always will | 0 | −4 |
//!
//! # Events
//! The end of a period, the slack timer, a job that arrives, a part of a job that is done, a tick. [`Machine`] moves from one to the
//! next. What is not known of a real machine (where periods and ticks begin) are [`Phases`] here, and a [`Scenario`] is run
//! over many of them.
//!
//! # Kernels
//! | version | what is other than today |
//! |---|---|
//! | to 5.3 | what a CPU holds is lost at the end of the period |
//! | to 6.3 | all periods of one length end together, on a grid from boot |
//! | to 6.5 | throttled time also passes for a CPU on which nobody waits |
//! | to 6.17 | a throttled task stops in the middle of a system call; from 6.18 on it finishes that, which is charged, and parks |
//!
//! # What is left out
//! Interrupts, migration by load balancing other than an idle CPU taking a waiting thread, and the details of EEVDF: which of several
//! threads runs first is decided by weighted CPU time. Time in the kernel is left out unless a load says how much there is
//! ([`SystemCalls`]).
//!
//! Source: kernel/sched/fair.c, Linux 6.12 and 6.18; the functions are named where they are modelled.

pub mod control;
pub mod interference;
pub mod kernel;
mod latency;
pub mod load;
pub mod machine;
pub mod pattern;
mod pool;
pub mod scenario;

pub use control::SimulatedCgroup;
pub use interference::{Interference, Missed};
pub use kernel::{Kernel, Throttle};
pub use latency::Latencies;
pub use load::{Crew, Demand, Job, Stage, SystemCalls};
pub use machine::{CrewId, Done, GroupId, Machine};
pub use pattern::Pattern;
pub use pool::Counters;
pub use scenario::{Outcome, Phases, Scenario, Spread};
