//! Which bars stand above which.

/// For each bar, given in order of its beginning, the lowest lane that is free; and how many lanes there are.
pub(super) fn lanes(bars: impl IntoIterator<Item = (u64, u64)>) -> (Vec<usize>, usize) {
    let mut free_from: Vec<u64> = Vec::new();
    let places = bars
        .into_iter()
        .map(|(from, to)| {
            let lane = free_from.iter().position(|free| *free <= from).unwrap_or(free_from.len());
            match free_from.get_mut(lane) {
                Some(free) => *free = to,
                None => free_from.push(to),
            }
            lane
        })
        .collect();
    (places, free_from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_that_overlap_stand_above_each_other() {
        assert_eq!(lanes([(0, 10), (12, 30), (20, 40), (25, 28), (30, 50)]), (vec![0, 0, 1, 2, 0], 3));
    }
}
