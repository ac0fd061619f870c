//! Quantiles over the pooled samples of several blocks, with a band from resampling whole blocks.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use super::{
    Level,
    quantile::{at_fraction, of_sorted},
};

/// Blocks below which there is no band: of fewer, resampling sees almost no other choices than the one that was
/// made (MEASURING asks for at least five blocks a policy).
pub const MIN_BLOCKS: usize = 5;

/// Resamples. The ends of a band then stand on 25 values each.
const RESAMPLES: usize = 1000;

/// The middle 95 % of what resampled blocks give: percentile bootstrap over blocks. With few blocks such a band is
/// rather too narrow than too wide, so bands that touch must not be read as a difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Band {
    /// Whether every value of this band is above every value of the other.
    #[must_use]
    pub fn is_above(&self, other: &Self) -> bool {
        self.low > other.high
    }
}

/// The samples of several blocks, sorted together, each with its block.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    sorted: Vec<f64>,
    block: Vec<usize>,
    sizes: Vec<usize>,
}

impl Pool {
    /// Pools blocks. A block without samples counts as none.
    #[must_use]
    pub fn new<'a>(blocks: impl IntoIterator<Item = &'a [f64]>) -> Self {
        let blocks: Vec<&[f64]> = blocks.into_iter().filter(|block| !block.is_empty()).collect();
        let mut tagged: Vec<(f64, usize)> = blocks
            .iter()
            .enumerate()
            .flat_map(|(b, values)| values.iter().map(move |&value| (value, b)))
            .collect();
        tagged.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (sorted, block) = tagged.into_iter().unzip();
        Self { sorted, block, sizes: blocks.iter().map(|values| values.len()).collect() }
    }

    /// All samples, in order.
    #[must_use]
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// How many samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The pooled quantile; `None` with fewer than [`Level::needed`] samples.
    #[must_use]
    pub fn quantile(&self, level: Level) -> Option<f64> {
        of_sorted(&self.sorted, level)
    }

    /// The pooled quantile at any fraction, whatever the number of samples.
    #[must_use]
    pub fn at(&self, fraction: f64) -> Option<f64> {
        at_fraction(&self.sorted, fraction)
    }

    /// A 95 % band for each of the ascending `fractions`, by drawing as many blocks as there are, with repetition,
    /// 1,000 times. `None` below [`MIN_BLOCKS`] blocks.
    ///
    /// In a resample a quantile is the smallest value with at least that part of the samples at or below it.
    #[must_use]
    pub fn bands(&self, fractions: &[f64], seed: u64) -> Option<Vec<Band>> {
        let blocks = self.sizes.len();
        if blocks < MIN_BLOCKS {
            return None;
        }
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut found: Vec<Vec<f64>> = vec![Vec::with_capacity(RESAMPLES); fractions.len()];
        let mut times = vec![0_usize; blocks];
        let steps = Steps::of(self);
        for _ in 0..RESAMPLES {
            times.fill(0);
            for _ in 0..blocks {
                times[random.random_range(0..blocks)] += 1;
            }
            self.resample(&steps, &times, fractions, &mut found);
        }
        found
            .iter_mut()
            .map(|values| {
                values.sort_by(f64::total_cmp);
                Some(Band { low: at_fraction(values, 0.025)?, high: at_fraction(values, 0.975)? })
            })
            .collect()
    }

    /// Finds the ranks of one resample, in which each sample counts as often as its block was drawn.
    fn resample(&self, steps: &Steps, times: &[usize], fractions: &[f64], found: &mut [Vec<f64>]) {
        let total: usize = times.iter().zip(&self.sizes).map(|(times, size)| times * size).sum();
        // Ranks ascend: each is looked for from where the one before was found.
        let mut place = Some(0);
        for (fraction, values) in fractions.iter().zip(found) {
            let rank = ((fraction * total as f64).ceil().max(1.0) as usize).min(total);
            place = place.and_then(|from| self.reaching(steps, times, rank, from));
            values.extend(place.and_then(|place| self.sorted.get(place)));
        }
    }

    /// The first sample from `from` on that counts and with which at least `rank` are seen.
    fn reaching(&self, steps: &Steps, times: &[usize], rank: usize, from: usize) -> Option<usize> {
        let step = steps.before(rank, times, from / steps.stride);
        let first = step * steps.stride;
        let mut seen = steps.seen(step, times);
        for (place, &block) in self.block.iter().enumerate().skip(first) {
            seen += times[block];
            if place >= from && seen >= rank && times[block] > 0 {
                return Some(place);
            }
        }
        None
    }
}

/// How many samples of each block lie before every so many samples: then a rank of any resample is found by halving, and not by
/// walking all samples.
struct Steps {
    stride: usize,
    blocks: usize,
    /// A row a step, a count a block.
    before: Vec<u32>,
}

impl Steps {
    /// A walk of a stride costs about as much as a step's sum over blocks.
    fn of(pool: &Pool) -> Self {
        let blocks = pool.sizes.len();
        let stride = blocks.max(16);
        let mut counts = vec![0_u32; blocks];
        let mut before = Vec::with_capacity((pool.block.len() / stride + 1) * blocks);
        for (place, &block) in pool.block.iter().enumerate() {
            if place % stride == 0 {
                before.extend_from_slice(&counts);
            }
            counts[block] += 1;
        }
        Self { stride, blocks, before }
    }

    /// What counts before a step.
    fn seen(&self, step: usize, times: &[usize]) -> usize {
        let row = &self.before[step * self.blocks..(step + 1) * self.blocks];
        row.iter().zip(times).map(|(&before, times)| before as usize * times).sum()
    }

    /// The last step, from `first` on, before which fewer than `rank` are seen; `first` where that has them already.
    fn before(&self, rank: usize, times: &[usize], first: usize) -> usize {
        let (mut low, mut high) = (first, self.before.len() / self.blocks);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if self.seen(middle, times) < rank { low = middle } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pool(blocks: &[Vec<f64>]) -> Pool {
        Pool::new(blocks.iter().map(Vec::as_slice))
    }

    #[test]
    fn equal_blocks_have_a_band_without_width() {
        let blocks = vec![(0..100).map(f64::from).collect::<Vec<_>>(); 8];
        let bands = pool(&blocks).bands(&[0.5, 0.95], 1).unwrap();
        assert_eq!(bands, [Band { low: 49.0, high: 49.0 }, Band { low: 94.0, high: 94.0 }]);
    }

    #[test]
    fn one_bad_block_in_eight_widens_the_band_upwards() {
        let mut blocks = vec![vec![10.0; 200]; 8];
        blocks[3] = vec![60.0; 200];
        let pool = pool(&blocks);
        let bands = pool.bands(&[0.5, 0.95], 7).unwrap();
        assert_eq!(bands[0], Band { low: 10.0, high: 10.0 });
        assert_eq!(
            bands[1],
            Band { low: 10.0, high: 60.0 },
            "the tail hangs on whether that block was drawn"
        );
        assert_eq!(pool.bands(&[0.5, 0.95], 7).unwrap(), bands, "a seed gives one band");
    }

    #[test]
    fn four_blocks_have_no_band() {
        assert_eq!(pool(&vec![vec![1.0; 50]; 4]).bands(&[0.5], 1), None);
        assert_eq!(pool(&[]).bands(&[0.5], 1), None);
    }

    #[test]
    fn empty_blocks_are_no_blocks() {
        let mut blocks = vec![vec![1.0; 50]; 4];
        blocks.extend(vec![vec![]; 4]);
        assert_eq!(pool(&blocks).bands(&[0.5], 1), None);
    }

    /// What a rank is, told by walking all samples.
    fn walked(pool: &Pool, times: &[usize], fractions: &[f64]) -> Vec<Vec<f64>> {
        let total: usize = times.iter().zip(&pool.sizes).map(|(times, size)| times * size).sum();
        let mut found = vec![Vec::new(); fractions.len()];
        let mut ranks = fractions
            .iter()
            .map(|fraction| (fraction * total as f64).ceil().max(1.0) as usize)
            .zip(&mut found);
        let Some((mut rank, mut values)) = ranks.next() else { return found };
        let mut seen = 0;
        'samples: for (&value, &block) in pool.sorted.iter().zip(&pool.block) {
            seen += times[block];
            while seen >= rank.min(total) && times[block] > 0 {
                values.push(value);
                match ranks.next() {
                    Some(next) => (rank, values) = next,
                    None => break 'samples,
                }
            }
        }
        drop(ranks);
        found
    }

    proptest! {
        #[test]
        fn a_rank_is_the_same_by_halving_as_by_walking(
            blocks in prop::collection::vec(prop::collection::vec(0.0..50.0f64, 1..90), 1..24),
            times in prop::collection::vec(0..4usize, 24),
            mut fractions in prop::collection::vec(0.0..=1.0f64, 0..20),
        ) {
            let pool = pool(&blocks);
            let mut times = times[..blocks.len()].to_vec();
            times[0] = times[0].max(1);
            fractions.sort_by(f64::total_cmp);
            let mut found = vec![Vec::new(); fractions.len()];
            pool.resample(&Steps::of(&pool), &times, &fractions, &mut found);
            prop_assert_eq!(found, walked(&pool, &times, &fractions));
        }

        #[test]
        fn a_band_lies_within_the_samples(
            blocks in prop::collection::vec(prop::collection::vec(0.0..1e6f64, 0..40), 0..9), seed: u64,
        ) {
            let pool = pool(&blocks);
            let fractions = [0.0, 0.5, 0.9, 0.999, 1.0];
            if let Some(bands) = pool.bands(&fractions, seed) {
                prop_assert_eq!(bands.len(), fractions.len());
                for band in bands {
                    prop_assert!(band.low <= band.high);
                    prop_assert!(pool.sorted()[0] <= band.low && band.high <= pool.sorted()[pool.len() - 1]);
                }
            }
        }
    }
}
