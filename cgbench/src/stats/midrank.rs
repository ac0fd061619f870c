//! Ranks, where equal values share the mean of theirs.

/// Ranks of one sample.
///
/// Kept doubled, because the mean of two whole ranks may end in a half: so sums of ranks are exact and can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Midranks {
    /// Twice the rank of each value, in the order of the values. The smallest of distinct values has 2.
    pub(super) doubled: Vec<u32>,
    /// How many values are equal, from the smallest value on. Without ties each is 1.
    pub(super) groups: Vec<usize>,
}

impl Midranks {
    /// Of these values, of which none may be NaN. Both zeros are equal.
    pub(super) fn of(values: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
        let mut doubled = vec![0; values.len()];
        let mut groups = Vec::new();
        let mut ranked = 0;
        for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
            // Ranks ranked + 1 … ranked + len; twice their mean.
            let shared = (2 * ranked + tied.len() + 1) as u32;
            for &i in tied {
                doubled[i] = shared;
            }
            groups.push(tied.len());
            ranked += tied.len();
        }
        Self { doubled, groups }
    }

    /// Σ (t³ − t) over the groups of equal values: what ties take from the variance of a rank statistic.
    pub(super) fn tie_term(&self) -> f64 {
        self.groups.iter().map(|&t| (t as f64).powi(3) - t as f64).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_values_share_their_mean_rank() {
        let found = Midranks::of(&[3.0, 1.0, 3.0, -0.0, 0.0, f64::INFINITY]);
        assert_eq!(found.doubled, [9, 6, 9, 3, 3, 12]);
        assert_eq!(found.groups, [2, 1, 2, 1]);
        assert_eq!(found.tie_term(), 12.0);
    }

    proptest! {
        #[test]
        fn ranks_always_add_up_to_the_same(values in prop::collection::vec(-4i8..4, 0..40)) {
            let n = values.len() as u32;
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            prop_assert_eq!(Midranks::of(&values).doubled.iter().sum::<u32>(), n * (n + 1));
        }
    }
}
