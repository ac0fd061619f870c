//! Exact distributions of rank statistics when there is no difference, by counting arrangements.
//!
//! All of them are sums of non-negative terms, so nothing cancels: counts are exact up to 2⁵³ and beyond that good to
//! about a dozen digits. Ties cost nothing, since the ranks that are there are counted, not those of a table (the
//! shift algorithm, Streitberg and Röhmel 1986).

/// How many of the choices of `k` ranks have each sum; the index is the sum of the (doubled) ranks.
pub(super) fn sums_of_choices(ranks: &[u32], k: usize) -> Vec<f64> {
    let total: usize = ranks.iter().map(|&rank| rank as usize).sum();
    // counts[j] are the choices of j ranks among those seen so far.
    let mut counts = vec![vec![0.0; total + 1]; k + 1];
    counts[0][0] = 1.0;
    let (mut seen, mut highest) = (0, 0);
    for &rank in ranks {
        let rank = rank as usize;
        for j in (0..k.min(seen + 1)).rev() {
            let (fewer, more) = counts.split_at_mut(j + 1);
            for (target, source) in more[0][rank..=rank + highest].iter_mut().zip(&fewer[j]) {
                *target += source;
            }
        }
        seen += 1;
        highest += rank;
    }
    counts.swap_remove(k)
}

/// How many of the 2ⁿ choices of signs give the positive ranks each sum.
pub(super) fn sums_of_signs(ranks: &[u32]) -> Vec<f64> {
    let mut counts = vec![1.0];
    for &rank in ranks {
        let mut next = counts.clone();
        next.resize(counts.len() + rank as usize, 0.0);
        for (sum, &count) in counts.iter().enumerate() {
            next[sum + rank as usize] += count;
        }
        counts = next;
    }
    counts
}

/// How many of the arrangements of `n` lower and `m` upper values have each number of pairs in the wrong order: Mann
/// and Whitney's U without ties (the coefficients of a Gaussian binomial).
pub(super) fn inversions_of_two(n: usize, m: usize) -> Vec<f64> {
    // Row by row of c(i, j, u) = c(i − 1, j, u − j) + c(i, j − 1, u): the last is of the first kind, or of the second.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        for j in 1..=m {
            let mut counts = vec![0.0; i * j + 1];
            for (u, &count) in row[j].iter().enumerate() {
                counts[u + j] += count;
            }
            for (u, &count) in row[j - 1].iter().enumerate() {
                counts[u] += count;
            }
            row[j] = counts;
        }
    }
    row.swap_remove(m)
}

/// How many of the distinguishable orders of values, of which `groups` say how many are equal, have each number of
/// pairs in the wrong order: Kendall's distribution, with ties in one of the rankings (a Gaussian multinomial).
pub(super) fn inversions(groups: &[usize]) -> Vec<f64> {
    let mut counts = vec![1.0];
    let mut placed = 0;
    for &group in groups {
        let among = inversions_of_two(placed, group);
        let mut next = vec![0.0; counts.len() + among.len() - 1];
        for (i, x) in counts.iter().enumerate() {
            for (j, y) in among.iter().enumerate() {
                next[i + j] += x * y;
            }
        }
        counts = next;
        placed += group;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sums of every subset, by brute force: (how many were taken, sum).
    fn subsets(ranks: &[u32]) -> Vec<(u32, usize)> {
        (0_u32..1 << ranks.len())
            .map(|mask| {
                let taken = ranks.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
                (mask.count_ones(), taken.map(|(_, &rank)| rank as usize).sum())
            })
            .collect()
    }

    #[test]
    fn small_distributions_are_those_of_the_tables() {
        // Mann and Whitney 1947, table for n = m = 3: P(U ≤ 0) = .05, P(U ≤ 1) = .1, P(U ≤ 2) = .2, P(U ≤ 3) = .35.
        assert_eq!(inversions_of_two(3, 3), [1.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 2.0, 1.0, 1.0]);
        // Kendall 1938 for four ranks: 1, 3, 5, 6, 5, 3, 1 of 24.
        assert_eq!(inversions(&[1; 4]), [1.0, 3.0, 5.0, 6.0, 5.0, 3.0, 1.0]);
        // aab in its three orders.
        assert_eq!(inversions(&[2, 1]), [1.0, 1.0, 1.0]);
        assert_eq!(sums_of_signs(&[1, 2, 3]), [1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn without_ties_sums_of_ranks_and_pairs_in_the_wrong_order_are_one_distribution() {
        let sums = sums_of_choices(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 4);
        assert_eq!(sums[10..=30], inversions_of_two(4, 5)[..]);
    }

    proptest! {
        #[test]
        fn counts_are_those_of_brute_force(ranks in prop::collection::vec(1u32..9, 1..10), k in 0usize..10) {
            let k = k.min(ranks.len());
            let total = ranks.iter().sum::<u32>() as usize;
            let (mut choices, mut signs) = (vec![0.0; total + 1], vec![0.0; total + 1]);
            for (taken, sum) in subsets(&ranks) {
                signs[sum] += 1.0;
                if taken as usize == k {
                    choices[sum] += 1.0;
                }
            }
            prop_assert_eq!(sums_of_choices(&ranks, k), choices);
            prop_assert_eq!(sums_of_signs(&ranks), signs);
        }
    }
}
