//! Quota and period, both changing, as single writes between a parent's and a child's ratio (cgroup v1).
//!
//! At each turn one of the two moves as far toward its goal as keeps the ratio legal. Starting with the quota or with
//! the period gives different lengths, so both are tried and the shorter is taken.

use super::{Step, Surroundings, Why, Write};
use crate::{Micros, Quota};

/// The most writes that turns may take before the plan hops through "no quota" instead. A tenfold change between
/// a parent and a child that are 24 % apart takes 22; above 40 the moment without a limit (two writes) is the lesser
/// evil than forty refills of the pool.
pub const MAX_TURNS: usize = 40;

/// The kernel's ratio has 20 fractional bits.
const UNIT: u128 = 1 << 20;

/// Quota and period in µs.
type Pair = (Micros, Micros);

/// The ratios that are legal on the way, in the kernel's units.
struct Corridor {
    lowest: u128,
    highest: Option<u128>,
}

pub(super) fn climb(from: Pair, to: Pair, surroundings: &Surroundings) -> Vec<Step> {
    let corridor = Corridor {
        lowest: surroundings.children.map_or(0, |ratio| u128::from(ratio.raw())),
        highest: surroundings.parent.map(|ratio| u128::from(ratio.raw())),
    };
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

    /// The quota nearest to its goal that keeps `⌊quota·2^20 / period⌋` in the corridor.
    fn furthest_quota(&self, now: Micros, period: Micros, goal: Micros) -> Micros {
        let (now, period, goal) = (u128::from(now.get()), u128::from(period.get()), u128::from(goal.get()));
        micros(if goal > now {
            let top =
                self.highest.map_or(goal, |highest| (((highest + 1) * period).saturating_sub(1)) / UNIT);
            goal.min(top).max(now)
        } else {
            let bottom = (self.lowest * period).div_ceil(UNIT);
            goal.max(bottom).min(now)
        })
    }

    /// The period nearest to its goal that keeps the ratio in the corridor.
    fn furthest_period(&self, quota: Micros, now: Micros, goal: Micros) -> Micros {
        let (quota, now, goal) = (u128::from(quota.get()), u128::from(now.get()), u128::from(goal.get()));
        micros(if goal > now {
            let top = (quota * UNIT).checked_div(self.lowest).unwrap_or(goal);
            goal.min(top).max(now)
        } else {
            let bottom = self.highest.map_or(goal, |highest| quota * UNIT / (highest + 1) + 1);
            goal.max(bottom).min(now)
        })
    }
}

/// Back from the wide arithmetic; every result lies between two values that fitted.
fn micros(us: u128) -> Micros {
    Micros::new(u64::try_from(us).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ratio;

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
