//! Motion vectors, their prediction from neighbours (ITU-T H.264 8.4.1) and their cost.
//!
//! Not here: finding them (`search`), fetching the samples they point to (`reference`).

use super::bits::se_bits;

/// A motion vector, in quarters of a luma sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mv {
    pub(super) x: i16,
    pub(super) y: i16,
}

impl Mv {
    /// The bits of its difference to a prediction: mvd_l0.
    pub(super) fn bits(self, predicted: Self) -> u32 {
        se_bits(i32::from(self.x) - i32::from(predicted.x))
            + se_bits(i32::from(self.y) - i32::from(predicted.y))
    }
}

/// What a neighbouring macroblock tells about motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Neighbour {
    /// Outside the slice, or not coded yet.
    Unavailable,
    /// There, but without motion.
    Intra,
    /// Predicted from the one reference picture.
    Inter(Mv),
}

impl Neighbour {
    const fn mv(self) -> Mv {
        match self {
            Self::Inter(mv) => mv,
            Self::Intra | Self::Unavailable => Mv { x: 0, y: 0 },
        }
    }
}

/// The macroblocks left (A), above (B) and above right (C); where C is unavailable, the one above
/// left (D) takes its place (6.4.12, 8.4.1.3.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbours {
    pub(super) a: Neighbour,
    pub(super) b: Neighbour,
    pub(super) c: Neighbour,
}

impl Neighbours {
    /// The predicted vector of a 16x16 partition (8.4.1.3).
    pub(super) fn predict(&self) -> Mv {
        let Self { a, mut b, mut c } = *self;
        if b == Neighbour::Unavailable && c == Neighbour::Unavailable && a != Neighbour::Unavailable {
            (b, c) = (a, a);
        }
        // If only one neighbour uses our reference, it alone counts.
        let inter = |n: &Neighbour| matches!(n, Neighbour::Inter(_));
        let mut with_motion = [a, b, c].into_iter().filter(inter);
        if let (Some(only), None) = (with_motion.next(), with_motion.next()) {
            return only.mv();
        }
        let median = |a: i16, b: i16, c: i16| a.max(b).min(a.min(b).max(c));
        let (a, b, c) = (a.mv(), b.mv(), c.mv());
        Mv { x: median(a.x, b.x, c.x), y: median(a.y, b.y, c.y) }
    }

    /// The vector of a P_Skip macroblock (8.4.1.1).
    pub(super) fn predict_skip(&self) -> Mv {
        let still = Neighbour::Inter(Mv::default());
        let stands = |n: Neighbour| n == Neighbour::Unavailable || n == still;
        if stands(self.a) || stands(self.b) { Mv::default() } else { self.predict() }
    }
}

/// What a bit is worth in absolute differences, at a QP: 2^((QP − 12) / 6), as is customary.
pub(super) fn lambda(qp: u8) -> u32 {
    const SIXTHS: [u32; 6] = [256, 287, 323, 362, 406, 456];
    let over = u32::from(qp.max(12) - 12);
    ((SIXTHS[(over % 6) as usize] << (over / 6)) + 128) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn inter(x: i16, y: i16) -> Neighbour {
        Neighbour::Inter(Mv { x, y })
    }

    const NONE: Neighbour = Neighbour::Unavailable;

    #[test]
    fn three_neighbours_vote_by_median() {
        let all = Neighbours { a: inter(4, -8), b: inter(0, 2), c: inter(9, 1) };
        assert_eq!(all.predict(), Mv { x: 4, y: 1 });
    }

    #[test]
    fn the_only_neighbour_with_motion_decides() {
        let one = Neighbours { a: Neighbour::Intra, b: inter(5, 6), c: Neighbour::Intra };
        assert_eq!(one.predict(), Mv { x: 5, y: 6 });
        let left = Neighbours { a: inter(5, 6), b: NONE, c: NONE };
        assert_eq!(left.predict(), Mv { x: 5, y: 6 });
        let none = Neighbours { a: NONE, b: NONE, c: NONE };
        assert_eq!(none.predict(), Mv::default());
    }

    #[test]
    fn a_neighbour_without_motion_votes_for_zero_when_two_have_some() {
        let two = Neighbours { a: inter(8, 8), b: Neighbour::Intra, c: inter(4, 4) };
        assert_eq!(two.predict(), Mv { x: 4, y: 4 });
    }

    #[test]
    fn a_skip_stands_still_at_edges_and_beside_what_stands_still() {
        for (a, b) in [(NONE, inter(4, 4)), (inter(4, 4), NONE), (inter(0, 0), inter(4, 4))] {
            assert_eq!(Neighbours { a, b, c: inter(4, 4) }.predict_skip(), Mv::default());
        }
        let moving = Neighbours { a: inter(4, 4), b: inter(4, 4), c: NONE };
        assert_eq!(moving.predict_skip(), Mv { x: 4, y: 4 });
    }

    #[test]
    fn a_bit_is_worth_twice_as_much_every_6_qp() {
        assert_eq!([12, 18, 24, 28, 30].map(lambda), [1, 2, 4, 6, 8]);
    }
}
