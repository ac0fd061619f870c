//! Which blocks could have been which: every choice of some of them, or as many as are drawn.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Method, method::DRAWS};

/// The ways to call `chosen` of `all` blocks the first sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choices {
    all: usize,
    chosen: usize,
    draws: u64,
}

impl Choices {
    /// All of them where there are at most [`DRAWS`], else so many at random. `chosen` is at most `all`.
    pub(super) fn new(all: usize, chosen: usize) -> Self {
        Self::with_draws(all, chosen, DRAWS)
    }

    /// The same with fewer draws, for simulations of many tests.
    pub(super) fn with_draws(all: usize, chosen: usize, draws: u64) -> Self {
        Self { all, chosen, draws }
    }

    /// Whether all are gone through, that which was observed among them.
    pub(super) fn method(&self) -> Method {
        if choose(self.all, self.chosen) <= self.draws { Method::Exact } else { Method::MonteCarlo }
    }

    /// Shows each choice, as indices below `all`, and says how many there were. A seed gives one sequence of draws.
    pub(super) fn for_each(&self, seed: u64, mut see: impl FnMut(&[usize])) -> u64 {
        match self.method() {
            Method::Exact => self.enumerate(see),
            _ => {
                let mut random = Pcg64Mcg::seed_from_u64(seed);
                let mut order: Vec<usize> = (0..self.all).collect();
                for _ in 0..self.draws {
                    // The beginning of a Fisher–Yates shuffle; where it starts from does not matter.
                    for i in 0..self.chosen {
                        order.swap(i, random.random_range(i..self.all));
                    }
                    see(&order[..self.chosen]);
                }
                self.draws
            }
        }
    }

    /// In lexicographic order.
    fn enumerate(&self, mut see: impl FnMut(&[usize])) -> u64 {
        let mut choice: Vec<usize> = (0..self.chosen).collect();
        let mut seen = 0;
        loop {
            see(&choice);
            seen += 1;
            // The last index that can still move up, and those behind it close to it.
            let Some(i) = (0..self.chosen).rfind(|&i| choice[i] < self.all - self.chosen + i) else {
                return seen;
            };
            choice[i] += 1;
            for j in i + 1..self.chosen {
                choice[j] = choice[j - 1] + 1;
            }
        }
    }
}

/// How many choices of `k` of `n` there are, or the largest number that fits.
pub(super) fn choose(n: usize, k: usize) -> u64 {
    let k = k.min(n.saturating_sub(k)) as u64;
    // Each step is the number of choices of i of n, so the division leaves nothing.
    (1..=k).try_fold(1_u64, |choices, i| Some(choices.checked_mul(n as u64 - i + 1)? / i)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_choice_is_seen_once() {
        for (all, chosen) in [(1, 1), (5, 2), (7, 7), (9, 4), (3, 0)] {
            let mut seen = BTreeSet::new();
            let count = Choices::new(all, chosen).for_each(0, |choice| {
                assert!(choice.is_sorted() && choice.iter().all(|&i| i < all));
                seen.insert(choice.to_vec());
            });
            assert_eq!((count, seen.len() as u64), (choose(all, chosen), choose(all, chosen)));
        }
    }

    #[test]
    fn eight_against_eight_are_gone_through_and_nine_against_nine_drawn() {
        assert_eq!((choose(16, 8), choose(18, 9), choose(200, 100)), (12_870, 48_620, u64::MAX));
        assert_eq!(Choices::new(16, 8).method(), Method::Exact);
        assert_eq!(Choices::new(18, 9).method(), Method::MonteCarlo);
    }

    #[test]
    fn each_block_is_drawn_as_often_as_any_other() {
        let mut times = [0_u32; 20];
        assert_eq!(
            Choices::new(20, 10).for_each(3, |choice| choice.iter().for_each(|&i| times[i] += 1)),
            DRAWS
        );
        // Binomial of 20,000 and one half: six standard deviations are 424.
        assert!(times.iter().all(|&times| times.abs_diff(10_000) < 424), "{times:?}");
    }
}
