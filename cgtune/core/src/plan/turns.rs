//! Quota and period, both changing, as single writes between a parent's and a child's ratio (cgroup v1).
//!
//! At each turn one of the two moves as far toward its goal as keeps the ratio legal. Starting with the quota or with
//! the period gives different lengths, so both are tried and the shorter is taken.

use super::{Step, Surroundings, Why, Write};
use crate::{Micros, Quota, Ratio};

/// The most writes that turns may take before the plan hops through "no quota" instead. A tenfold change between
/// a parent and a child that are 24 % apart takes 22; above 40 the moment without a limit (two writes) is the lesser
/// evil than forty refills of the pool.
pub const MAX_TURNS: usize = 40;

/// Quota and period in µs.
type Pair = (Micros, Micros);

/// The ratios that are legal on the way.
struct Corridor {
    lowest: Option<Ratio>,
    highest: Option<Ratio>,
}

pub(super) fn climb(from: Pair, to: Pair, surroundings: &Surroundings) -> Vec<Step> {
    let corridor = Corridor { lowest: surroundings.children, highest: surroundings.parent };
    // On a tie: quota first if either falls. That order was never refused on its own (FACTS: 20,000 changes).
    let quota_first = to.0 < from.0 || to.1 < from.1;
    let preferred = corridor.turns(from, to, quota_first);
    let other = corridor.turns(from, to, !quota_first);
    let shortest = match (preferred, other) {
        (Some(a), Some(b)) => Some(if b.len() < a.len() { b } else { a }),
        (a, b) => a.or(b),
    };
    let Some(writes) = shortest else {
        let quota = |quota| Step { write: Write::Quota(quota), why: Why::Hop };
        let period = Step { write: Write::Period(to.1), why: Why::Hop };
        return vec![quota(Quota::Unlimited), period, quota(Quota::Limited(to.0))];
    };
    let why = if writes.len() == 2 { Why::KeepsRatioLegal } else { Why::InTurns };
    writes.into_iter().map(|write| Step { write, why }).collect()
}

impl Corridor {
    /// The writes of one strategy, or `None` when it cannot move or takes more than [`MAX_TURNS`].
    fn turns(&self, from: Pair, to: Pair, quota_first: bool) -> Option<Vec<Write>> {
        let (mut quota, mut period) = from;
        let mut writes = Vec::new();
        let mut quotas_turn = quota_first;
        let mut stuck = 0;
        while (quota, period) != to {
            let moved = if quotas_turn {
                let next = self.furthest_quota(quota, period, to.0);
                (next != quota).then(|| {
                    quota = next;
                    Write::Quota(Quota::Limited(next))
                })
            } else {
                let next = self.furthest_period(quota, period, to.1);
                (next != period).then(|| {
                    period = next;
                    Write::Period(next)
                })
            };
            quotas_turn = !quotas_turn;
            match moved {
                Some(write) => {
                    stuck = 0;
                    writes.push(write);
                }
                None => stuck += 1,
            }
            if stuck == 2 || writes.len() > MAX_TURNS {
                return None;
            }
        }
        Some(writes)
    }

    /// The quota nearest to its goal that keeps the ratio in the corridor.
    fn furthest_quota(&self, now: Micros, period: Micros, goal: Micros) -> Micros {
        if goal > now {
            self.highest.map_or(goal, |highest| goal.min(highest.largest_quota(period))).max(now)
        } else {
            self.lowest.map_or(goal, |lowest| goal.max(lowest.smallest_quota(period))).min(now)
        }
    }

    /// The period nearest to its goal that keeps the ratio in the corridor.
    fn furthest_period(&self, quota: Micros, now: Micros, goal: Micros) -> Micros {
        if goal > now {
            self.lowest.map_or(goal, |lowest| goal.min(lowest.longest_period(quota))).max(now)
        } else {
            self.highest.map_or(goal, |highest| goal.max(highest.shortest_period(quota))).min(now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(n: u64) -> Micros {
        Micros::new(n)
    }

    #[test]
    fn both_rising_under_a_parent_is_period_first() {
        let parent = Some(Ratio::of(us(50_000), us(100_000)));
        let steps = climb(
            (us(10_000), us(20_000)),
            (us(50_000), us(100_000)),
            &Surroundings { parent, ..Surroundings::default() },
        );
        assert_eq!(
            steps.iter().map(|s| &s.write).collect::<Vec<_>>(),
            [&Write::Period(us(100_000)), &Write::Quota(Quota::Limited(us(50_000)))]
        );
    }

    #[test]
    fn both_rising_over_a_child_alone_is_quota_first() {
        let children = Some(Ratio::of(us(50_000), us(100_000)));
        let steps = climb(
            (us(10_000), us(20_000)),
            (us(50_000), us(100_000)),
            &Surroundings { children, ..Surroundings::default() },
        );
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[0].write, Write::Quota(Quota::Limited(us(50_000))));
    }

    #[test]
    fn a_tenfold_change_in_a_narrow_corridor_climbs_in_turns() {
        let surroundings = Surroundings {
            parent: Some(Ratio::of(us(62_000), us(100_000))),
            children: Some(Ratio::of(us(50_000), us(100_000))),
            ..Surroundings::default()
        };
        let steps = climb((us(5_500), us(10_000)), (us(55_000), us(100_000)), &surroundings);
        assert!((10..=30).contains(&steps.len()), "{}", steps.len());
        assert!(steps.iter().all(|s| s.why == Why::InTurns));
    }

    #[test]
    fn no_room_at_all_hops_through_no_quota_and_says_so() {
        let same = Some(Ratio::of(us(50_000), us(100_000)));
        let steps = climb(
            (us(10_000), us(20_000)),
            (us(50_000), us(100_000)),
            &Surroundings { parent: same, children: same, ..Surroundings::default() },
        );
        assert_eq!(steps[0], Step { write: Write::Quota(Quota::Unlimited), why: Why::Hop });
        assert_eq!(steps.len(), 3);
    }
}
