//! What a burst costs the neighbours: the Monte-Carlo of the discussion that brought burst into the kernel.
//!
//! `groups` groups share one CPU's worth of time, each with a quota of its part. In every period each demands CPU time, exponentially
//! distributed around `use` × its quota; it is entitled to that as far as its tokens go, of which it has a quota more each
//! period and may keep `burst` × the quota. Where all that they are entitled to is more than there is, somebody's
//! deadline is missed; what is there is then shared fairly, and the rest is demanded again. Without burst that never happens.
//!
//! Source: the numbers in the cover letter of "sched/fair: Burstable CFS bandwidth controller" (2021) and its discussion; of the
//! variants of this description only the one that carries what was not done into the next period gives those numbers.

use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Exp1};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interference {
    /// Groups that share the CPU.
    pub groups: u32,
    /// Mean demand over quota.
    pub mean_use: f64,
    /// What may be kept over quota; infinite: everything.
    pub burst: f64,
    /// Periods.
    pub periods: u64,
    /// What chance does.
    pub seed: u64,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Missed {
    /// The part of the periods in which entitled demand was more than there is.
    pub probability: f64,
    /// Mean over periods of the periods until the next deadline that is met, itself counted.
    pub expected_periods: f64,
}

/// One group, in units of its quota.
#[derive(Clone, Copy)]
struct Member {
    tokens: f64,
    /// Demanded and not done.
    left: f64,
    /// What it is entitled to and has not got in this period.
    need: f64,
}

impl Interference {
    /// Plays it through.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts of periods")]
    pub fn run(self) -> Missed {
        let groups = self.groups.max(1);
        // Everything in units of one quota: there are as many of them as groups.
        let all = f64::from(groups);
        let mut random = Pcg64Mcg::seed_from_u64(self.seed);
        let mut members = vec![Member { tokens: 0.0, left: 0.0, need: 0.0 }; groups as usize];
        let (mut missed, mut waiting, mut waited) = (0_u64, 0_u64, 0.0);
        for _ in 0..self.periods {
            let mut entitled = 0.0;
            for member in &mut members {
                let fresh: f64 = Exp1.sample(&mut random);
                member.tokens = (member.tokens + 1.0).min(1.0 + self.burst);
                member.left += self.mean_use * fresh;
                member.need = member.left.min(member.tokens);
                entitled += member.need;
            }
            if entitled > all + 1e-9 {
                missed += 1;
                waiting += 1;
                share(&mut members, all);
            } else {
                for member in &mut members {
                    member.spend(member.need);
                }
                // Each period that waited, and this one, was so many away from here.
                let run = (waiting + 1) as f64;
                waited += run * (run + 1.0) / 2.0;
                waiting = 0;
            }
        }
        let periods = self.periods.max(1) as f64;
        Missed { probability: missed as f64 / periods, expected_periods: waited / periods }
    }
}

impl Member {
    fn spend(&mut self, time: f64) {
        self.tokens -= time;
        self.left -= time;
        self.need -= time;
    }
}

/// Everybody's quota first, then what is spare in equal parts among those who need more.
fn share(members: &mut [Member], all: f64) {
    let mut spare = all;
    for member in members.iter_mut() {
        let own = member.need.min(1.0);
        member.spend(own);
        spare -= own;
    }
    loop {
        let needy = members.iter().filter(|member| member.need > 1e-12).count();
        if needy == 0 || spare <= 1e-12 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "a count of groups")]
        let part = spare / needy as f64;
        for member in members.iter_mut().filter(|member| member.need > 1e-12) {
            let got = member.need.min(part);
            member.spend(got);
            spare -= got;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mean_use: f64, burst: f64) -> Missed {
        Interference { groups: 20, mean_use, burst, periods: 200_000, seed: 3 }.run()
    }

    /// Published for 20 groups at 70 %: 0.59, 2.05 and 4.18 % for a burst of one quota, of two, and of any.
    #[test]
    fn the_published_numbers_come_out() {
        for (burst, probability, expected) in
            [(1.0, 0.0059, 1.0060), (2.0, 0.0205, 1.0217), (f64::INFINITY, 0.0418, 1.0476)]
        {
            let got = run(0.7, burst);
            assert!((got.probability - probability).abs() < 0.0015, "{burst}: {got:?}");
            assert!((got.expected_periods / expected - 1.0).abs() < 0.01, "{burst}: {got:?}");
        }
    }

    #[test]
    fn without_burst_nobody_pays() {
        assert_eq!(run(0.9, 0.0), Missed { probability: 0.0, expected_periods: 1.0 });
    }
}
