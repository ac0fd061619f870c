//! Labels beside the ends of lines, moved apart where they would collide.

/// Places for labels that want to be at `wanted` (in any order), at least `gap` apart and within `from`..`to`, each
/// as near as the others let it. With too little room the gap shrinks.
pub fn spread(wanted: &[f64], gap: f64, (from, to): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let gap = if wanted.len() > 1 { gap.min((to - from) / (wanted.len() - 1) as f64) } else { gap };
    // Groups of labels that touch: the mean of where their first would want to be, and how many.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &i in &order {
        groups.push((wanted[i], 1));
        while let [.., (a, n), (b, m)] = groups[..] {
            let room = to - gap * (n as f64 - 1.0);
            if a.clamp(from, room.max(from)) + gap * n as f64
                <= b.clamp(from, (to - gap * (m as f64 - 1.0)).max(from))
            {
                break;
            }
            let merged = (a * n as f64 + (b - gap * n as f64) * m as f64) / (n + m) as f64;
            groups.truncate(groups.len() - 2);
            groups.push((merged, n + m));
        }
    }
    let mut places = vec![0.0; wanted.len()];
    let mut labels = order.into_iter();
    for (first, n) in groups {
        let first = first.clamp(from, (to - gap * (n as f64 - 1.0)).max(from));
        for (step, label) in labels.by_ref().take(n).enumerate() {
            places[label] = first + gap * step as f64;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_with_room_stay_where_they_are() {
        assert_eq!(spread(&[50.0, 10.0], 15.0, (0.0, 100.0)), [50.0, 10.0]);
    }

    #[test]
    fn labels_that_collide_share_the_way() {
        assert_eq!(spread(&[50.0, 50.0], 20.0, (0.0, 100.0)), [40.0, 60.0]);
        assert_eq!(spread(&[99.0, 98.0], 20.0, (0.0, 100.0)), [100.0, 80.0]);
    }

    proptest! {
        #[test]
        fn labels_never_collide_nor_leave(wanted in prop::collection::vec(-10.0..110.0f64, 0..6)) {
            let mut places = spread(&wanted, 15.0, (0.0, 100.0));
            places.sort_by(f64::total_cmp);
            for place in &places {
                prop_assert!((-1e-6..=100.0 + 1e-6).contains(place));
            }
            for pair in places.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 15.0 - 1e-6);
            }
        }
    }
}
