//! The variants of each cause: what is made, with parameters drawn from ranges that stay clear of the borders between
//! causes. `L` is a limit in CPUs, a demand is an average in CPUs of a load that nothing restrains.

mod elsewhere;
mod healthy;
mod limited;

use std::fmt;

use super::{Cause, Machine, draw::Draw, situation::Situation};

/// One way to bring a cause about.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) cause: Cause,
    /// Tells it from the others of the same cause.
    pub(crate) letter: char,
    /// What it is, in a few words.
    pub(crate) what: &'static str,
    pub(crate) make: fn(&mut Draw, Machine) -> Situation,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.cause, self.letter))
    }
}

const fn variant(
    cause: Cause,
    letter: char,
    what: &'static str,
    make: fn(&mut Draw, Machine) -> Situation,
) -> Variant {
    Variant { cause, letter, what, make }
}

/// All of them.
#[rustfmt::skip]
pub(crate) static ALL: &[Variant] = {
    use Cause::*;
    &[
        variant(SustainedDemand, 'a', "a hog under a limit", limited::hog),
        variant(SustainedDemand, 'b', "pulses that want more than the limit, on average", limited::overload),
        variant(SustainedDemand, 'c', "two hogs under a limit above one CPU", limited::two_hogs),
        variant(SustainedDemand, 'd', "seconds of work, then a rest", limited::on_and_off),
        variant(SustainedDemand, 'e', "a hog, the pod's quota equals the container's", limited::hog_in_equal_pod),
        variant(ShortBursts, 'a', "one thread, bursts above a quota of 100 ms", limited::bursts),
        variant(ShortBursts, 'b', "one thread, a period of 20 to 50 ms", limited::bursts_in_short_periods),
        variant(ShortBursts, 'c', "two threads under a limit above one CPU", limited::wide_bursts),
        variant(ShortBursts, 'e', "bursts, the pod's quota equals the container's", limited::bursts_in_equal_pod),
        variant(TooManyThreads, 'a', "4 to 6 threads at once", limited::some_threads),
        variant(TooManyThreads, 'b', "8 to 12 threads at once", limited::many_threads),
        variant(TooManyThreads, 'c', "4 to 8 threads, a period of 50 ms", limited::threads_in_short_periods),
        variant(AncestorLimit, 'a', "no limit of its own, the pod's is used up by itself", elsewhere::pod),
        variant(AncestorLimit, 'b', "a sibling uses up the pod's limit", elsewhere::sibling),
        variant(AncestorLimit, 'c', "the slice above the pod is limited", elsewhere::slice),
        variant(AncestorLimit, 'd', "a limit of its own that is never reached", elsewhere::own_limit),
        variant(PinnedAndLimited, 'a', "pulses on one CPU", limited::pinned_pulses),
        variant(PinnedAndLimited, 'b', "a hog on one CPU", limited::pinned_hog),
        variant(PinnedAndLimited, 'c', "two threads on one CPU", limited::pinned_threads),
        variant(QuotaTooSmall, 'a', "a limit of 10m to 20m", limited::floor),
        variant(QuotaTooSmall, 'b', "1 to 2 ms of every 10 ms", limited::below_a_slice),
        variant(QuotaTooSmall, 'c', "one CPU holds the whole quota, the other waits", limited::stranded),
        variant(Starved, 'a', "a tiny weight beside hogs", elsewhere::tiny_weight),
        variant(Starved, 'b', "one of five groups, the others hog", elsewhere::neighbours),
        variant(Starved, 'c', "pinned to the CPU of a neighbour that hogs it", elsewhere::overlap),
        variant(IdleClass, 'a', "an idle group beside hogs", elsewhere::idle_group),
        variant(IdleClass, 'b', "an idle pod beside hogs", elsewhere::idle_pod),
        variant(IdleClass, 'c', "threads in SCHED_IDLE in one group with hogs", elsewhere::idle_threads),
        variant(Healthy, 'a', "mostly idle, throttled in most of its few periods", healthy::high_ratio),
        variant(Healthy, 'b', "throttled once", healthy::once),
        variant(Healthy, 'c', "hogs under no limit", healthy::busy),
        variant(Healthy, 'd', "pulses well below the limit", healthy::below),
        variant(Healthy, 'e', "a hog under a limit as large as the machine", healthy::whole_machine),
        variant(Healthy, 'f', "the encode loop with much headroom", healthy::encoder),
        variant(Healthy, 'g', "throttled in the past, quiet now", healthy::past),
        variant(Healthy, 'h', "asleep", healthy::asleep),
    ]
};
