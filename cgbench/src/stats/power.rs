//! What a sample could have seen: the smallest shift that its size and spread allow to be found.
//!
//! "No difference" from few and restless blocks means little; this says how little. Normal theory: the power of
//! Welch's test is that of Student's with Welch and Satterthwaite's degrees of freedom, by the non-central t
//! distribution (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 31), at the level
//! that Bonferroni leaves to each hypothesis. For [`max_t`](super::family::max_t) that is near the truth from five
//! blocks a side on, and promises somewhat too much below. Metrics that move together are found more often than said.
//! So are heavy-tailed ones of the same standard deviation, but few blocks of them tend to show too small a one.

use serde::{Deserialize, Serialize};
use statrs::{
    distribution::{ContinuousCDF, Normal, StudentsT},
    function::gamma::ln_gamma,
};

use super::{family::smallest_p, moments::standard_deviation};

/// Size and spread of a sample, in the unit of its values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Standard deviation over blocks.
    pub sd: f64,
    /// How many blocks.
    pub blocks: u64,
}

impl Spread {
    /// Of one value a block; `None` for fewer than two.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self { sd: standard_deviation(values)?, blocks: values.len() as u64 })
    }
}

/// What "could have been found" means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// Bound on the chance of any false alarm in the whole family.
    pub alpha: f64,
    /// Hypotheses in it, each one-sided.
    pub hypotheses: u64,
    /// How often the shift is to be found.
    pub power: f64,
}

impl Default for Demand {
    /// One hypothesis, 5 % and four times in five: customs, not laws.
    fn default() -> Self {
        Self { alpha: 0.05, hypotheses: 1, power: 0.8 }
    }
}

/// The smallest shift of NEW above BASE that would have been found as demanded, in the unit of the standard
/// deviations. A margin, where one was asked for, comes on top.
///
/// `None` where nothing could be found: fewer than two blocks on a side, or so few that even the clearest of all
/// arrangements of labels is more probable than alpha. Also `None` for a standard deviation that is negative or not
/// finite, or a demand that is no probability between 0 and 1 or of no hypothesis.
///
/// ```
/// # use cgbench::stats::power::{Demand, Spread, detectable_shift};
/// let spread = Spread { sd: 2.0, blocks: 8 };
/// let one = detectable_shift(spread, spread, Demand::default()).unwrap();
/// let forty = detectable_shift(spread, spread, Demand { hypotheses: 40, ..Demand::default() }).unwrap();
/// assert!((one / 2.0 - 1.3).abs() < 0.05 && (forty / 2.0 - 2.3).abs() < 0.05);
/// ```
#[must_use]
pub fn detectable_shift(base: Spread, new: Spread, demand: Demand) -> Option<f64> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    let sound = |spread: Spread| spread.blocks >= 2 && spread.sd >= 0.0 && spread.sd.is_finite();
    if ![demand.alpha, demand.power].into_iter().all(inside) || demand.hypotheses == 0 {
        return None;
    }
    let possible = smallest_p(base.blocks, new.blocks, demand.hypotheses) <= demand.alpha;
    if !sound(base) || !sound(new) || !possible {
        return None;
    }
    let error = |spread: Spread| spread.sd * spread.sd / spread.blocks as f64;
    let squared = error(base) + error(new);
    if squared == 0.0 {
        return Some(0.0);
    }
    // Parts of the whole first: squares of tiny standard deviations must not underflow.
    let part = |spread: Spread| (error(spread) / squared).powi(2) / (spread.blocks - 1) as f64;
    let freedom = 1.0 / (part(base) + part(new));
    let level = demand.alpha / demand.hypotheses as f64;
    let critical = -StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(level);
    // Power grows with the shift: from 0 (where it is the level, or more than is asked for) upwards.
    let (mut low, mut high) = (0.0, 1.0);
    while exceeds(critical, freedom, high) < demand.power {
        (low, high) = (high, 2.0 * high);
        if !high.is_finite() {
            return None;
        }
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if exceeds(critical, freedom, middle) < demand.power { low = middle } else { high = middle }
    }
    Some(high * squared.sqrt())
}

/// P(T > critical) where T is non-central t: (Z + shift) / S, with S the root of a χ² over its degrees of freedom.
/// Integrated over S by Simpson's rule.
fn exceeds(critical: f64, freedom: f64, shift: f64) -> f64 {
    const STEPS: usize = 400;
    // Twelve standard deviations of S, which are close to 1 / √(2 · freedom), to either side: the rest is below e⁻⁴⁰.
    let reach = 9.0 / freedom.sqrt();
    let (start, end) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let step = (end - start) / STEPS as f64;
    let constant = std::f64::consts::LN_2 + freedom / 2.0 * (freedom / 2.0).ln() - ln_gamma(freedom / 2.0);
    let normal = Normal::standard();
    let density = |s: f64| {
        if s == 0.0 && freedom > 1.0 {
            return 0.0;
        }
        let power_of_s = if freedom == 1.0 { 0.0 } else { (freedom - 1.0) * s.ln() };
        (constant + power_of_s - freedom * s * s / 2.0).exp()
    };
    let term = |i: usize| {
        let s = start + step * i as f64;
        let weight = if i == 0 || i == STEPS {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        };
        weight * density(s) * normal.cdf(shift - critical * s)
    };
    (0..=STEPS).map(term).sum::<f64>() * step / 3.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};
    use rand_pcg::Pcg64Mcg;

    use super::{
        super::{
            choices::Choices,
            family::{Alternative, Row, max_t_over},
        },
        *,
    };

    /// How often [`max_t`](super::super::family::max_t) finds the stated shift in one of so many independent normal
    /// columns.
    fn found(base: Spread, new: Spread, demand: Demand, times: usize, seed: u64) -> f64 {
        let shift = detectable_shift(base, new, demand).unwrap();
        let width = demand.hypotheses as usize;
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut rows = |spread: Spread, shift: f64| -> Vec<Row> {
            let mut cell = |column: usize| {
                let z: f64 = StandardNormal.sample(&mut random);
                Some(z * spread.sd + if column == 0 { shift } else { 0.0 })
            };
            (0..spread.blocks).map(|_| (0..width).map(&mut cell).collect()).collect()
        };
        let choices = Choices::with_draws((base.blocks + new.blocks) as usize, base.blocks as usize, 499);
        let finds = (0..times).filter(|&i| {
            let (base, new) = (rows(base, 0.0), rows(new, shift));
            let family =
                max_t_over(choices, &base, &new, &vec![0.0; width], Alternative::Greater, i as u64).unwrap();
            family.columns[0].unwrap().p_adjusted <= demand.alpha
        });
        finds.count() as f64 / times as f64
    }

    #[test]
    fn the_stated_shift_is_found_four_times_in_five() {
        // 400 tests have a standard error of 2 points: three of them, and one for the normal theory.
        for (base, new, hypotheses) in [
            (Spread { sd: 1.0, blocks: 6 }, Spread { sd: 1.0, blocks: 6 }, 10),
            (Spread { sd: 2.0, blocks: 8 }, Spread { sd: 2.0, blocks: 8 }, 1),
            (Spread { sd: 1.0, blocks: 10 }, Spread { sd: 2.0, blocks: 10 }, 5),
        ] {
            let demand = Demand { hypotheses, ..Demand::default() };
            let rate = found(base, new, demand, 400, hypotheses);
            assert!((rate - 0.8).abs() < 0.07, "{base:?} {new:?} {hypotheses}: {rate}");
        }
    }

    #[test]
    fn another_power_is_met_as_well() {
        let spread = Spread { sd: 5.0, blocks: 7 };
        let demand = Demand { hypotheses: 4, power: 0.5, alpha: 0.1 };
        let rate = found(spread, spread, demand, 400, 77);
        assert!((rate - 0.5).abs() < 0.085, "{rate}: 400 tests have a standard error of 2.5 points");
    }

    #[test]
    fn too_few_blocks_find_nothing_however_far_apart() {
        let of = |n, m| {
            detectable_shift(Spread { sd: 1.0, blocks: n }, Spread { sd: 1.0, blocks: m }, Demand::default())
        };
        assert_eq!(
            (of(1, 9), of(2, 4), of(3, 2)),
            (None, None, None),
            "15 and 10 arrangements, where 20 are needed"
        );
        assert!(of(3, 3).is_some());
    }

    #[test]
    fn blocks_that_never_vary_find_any_shift() {
        let still = Spread { sd: 0.0, blocks: 5 };
        assert_eq!(detectable_shift(still, still, Demand::default()), Some(0.0));
        assert_eq!(Spread::of(&[1.0]), None);
    }

    #[test]
    fn demands_that_are_none_have_no_answer() {
        let spread = Spread { sd: 1.0, blocks: 8 };
        let usual = Demand::default();
        for demand in [
            Demand { alpha: 0.0, ..usual },
            Demand { power: 1.0, ..usual },
            Demand { power: f64::NAN, ..usual },
            Demand { hypotheses: 0, ..usual },
        ] {
            assert_eq!(detectable_shift(spread, spread, demand), None);
        }
        assert_eq!(detectable_shift(Spread { sd: f64::NAN, ..spread }, spread, usual), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn more_blocks_see_less_and_the_unit_is_that_of_the_spread(
            sd in 1e-9..1e9f64, blocks in 4u64..60, hypotheses in 1u64..200,
        ) {
            let demand = Demand { hypotheses, ..Demand::default() };
            let of = |sd, blocks| detectable_shift(Spread { sd, blocks }, Spread { sd, blocks }, demand).unwrap();
            prop_assert!(of(sd, blocks) > of(sd, blocks + 1));
            prop_assert!((of(sd, blocks) / sd / of(1.0, blocks) - 1.0).abs() < 1e-9);
        }
    }
}
