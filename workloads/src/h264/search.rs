//! Motion search: whole samples by sums of absolute differences, then half and quarter samples by
//! transformed ones.
//!
//! Not prescribed by ITU-T H.264, which only says what a decoder does with the vector. Candidates
//! from neighbours first; where none fits, rings of growing radius, since real motion of that
//! kind is as often far as near; then a hexagon that walks downhill, and a square.

use super::Luma;
use super::distortion::{sad, satd};
use super::motion::{Mv, lambda};
use super::reference::{Bounds, Reference};
use super::stages::{Laps, Stage};

/// The six corners of a hexagon around a point, in order, so that each step of the walk could be
/// three new points.
const HEXAGON: [(i32, i32); 6] = [(-2, 0), (-1, -2), (1, -2), (2, 0), (1, 2), (-1, 2)];
const SQUARE: [(i32, i32); 8] = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];
const DIAMOND: [(i16, i16); 4] = [(0, -1), (-1, 0), (1, 0), (0, 1)];
/// Sixteen points around a circle of radius 4.
const RING: [(i32, i32); 16] = [
    (0, -4),
    (2, -4),
    (3, -3),
    (4, -2),
    (4, 0),
    (4, 2),
    (3, 3),
    (2, 4),
    (0, 4),
    (-2, 4),
    (-3, 3),
    (-4, 2),
    (-4, 0),
    (-4, -2),
    (-3, -3),
    (-2, -4),
];
/// Rings of 1 to this many times the radius are looked at.
const RINGS: i32 = 4;
/// The hexagon takes at most so many steps.
const HEXAGON_STEPS: usize = 12;
/// A diamond of fractions takes at most so many steps at each resolution.
const FRACTION_STEPS: usize = 2;

/// What a search looks for and where.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) source: &'a Luma,
    pub(super) reference: &'a Reference,
    /// The macroblock's place in luma samples.
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) predicted: Mv,
    pub(super) qp: u8,
}

/// What it found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    pub(super) mv: Mv,
    /// The transformed difference of the prediction.
    pub(super) satd: u32,
    /// How many positions were looked at.
    pub(super) points: u32,
}

/// The best whole-sample position so far.
struct Best<'a> {
    search: Search<'a>,
    bounds: Bounds,
    lambda: u32,
    at: (i32, i32),
    cost: u32,
    points: u32,
}

impl Best<'_> {
    /// Looks at a position in the reference; says whether it is better.
    fn look(&mut self, x: i32, y: i32) -> bool {
        if !self.bounds.contains(x, y) {
            return false;
        }
        self.points += 1;
        let luma = self.search.reference.luma();
        let mv = Mv { x: (4 * (x - self.search.x)) as i16, y: (4 * (y - self.search.y)) as i16 };
        let cost = sad(self.search.source, luma.window(x, y), luma.stride())
            + self.lambda * mv.bits(self.search.predicted);
        let better = cost < self.cost;
        if better {
            (self.at, self.cost) = ((x, y), cost);
        }
        better
    }

    fn look_around(&mut self, offsets: &[(i32, i32)], scale: i32) -> bool {
        let (x, y) = self.at;
        let mut better = false;
        for &(dx, dy) in offsets {
            better |= self.look(x + dx * scale, y + dy * scale);
        }
        better
    }
}

impl<'a> Search<'a> {
    /// Finds the best vector, starting from the predicted one, zero, and the `candidates`.
    pub(super) fn run(self, candidates: impl Iterator<Item = Mv>, laps: &mut Laps) -> Match {
        let whole = self.whole(candidates);
        laps.mark(Stage::Search);
        self.fraction(&whole, laps)
    }

    fn whole(self, candidates: impl Iterator<Item = Mv>) -> Best<'a> {
        let mut best = Best {
            search: self,
            bounds: self.reference.bounds(self.x, self.y),
            lambda: lambda(self.qp),
            at: (self.x, self.y),
            cost: u32::MAX,
            points: 0,
        };
        best.look(self.x, self.y);
        let mut seen = [(self.x, self.y); 6];
        for (slot, mv) in (1..).zip([self.predicted].into_iter().chain(candidates).take(5)) {
            let at = (self.x + i32::from((mv.x + 2) >> 2), self.y + i32::from((mv.y + 2) >> 2));
            if !seen[..slot].contains(&at) {
                best.look(at.0, at.1);
            }
            seen[slot] = at;
        }
        if best.cost > self.poor() {
            let center = best.at;
            for scale in 1..=RINGS {
                for (dx, dy) in RING {
                    best.look(center.0 + dx * scale, center.1 + dy * scale);
                }
            }
        }
        for _ in 0..HEXAGON_STEPS {
            if !best.look_around(&HEXAGON, 1) {
                break;
            }
        }
        best.look_around(&SQUARE, 1);
        best
    }

    /// The cost from which on a position is no match but a guess: about what a residual costs
    /// that keeps a quantised coefficient or two in each block.
    fn poor(self) -> u32 {
        512 + 40 * lambda(self.qp)
    }

    fn fraction(self, whole: &Best<'_>, laps: &mut Laps) -> Match {
        let lambda = whole.lambda;
        let mut points = whole.points;
        let mut measure = |mv: Mv, laps: &mut Laps| {
            points += 1;
            let prediction = self.reference.luma_block(self.x, self.y, mv);
            laps.mark(Stage::Interpolation);
            let satd = satd(self.source, &prediction);
            laps.mark(Stage::Satd);
            (satd + lambda * mv.bits(self.predicted), satd)
        };
        let mut mv = Mv { x: (4 * (whole.at.0 - self.x)) as i16, y: (4 * (whole.at.1 - self.y)) as i16 };
        let (mut cost, mut satd) = measure(mv, laps);
        // The prediction itself costs least to code and is often right to the quarter.
        if self.predicted != mv && self.reference.reaches(self.x, self.y, self.predicted) {
            let at_predicted = measure(self.predicted, laps);
            if at_predicted.0 < cost {
                mv = self.predicted;
                (cost, satd) = at_predicted;
            }
        }
        for step in [2, 1] {
            for _ in 0..FRACTION_STEPS {
                let center = mv;
                for (dx, dy) in DIAMOND {
                    let next = Mv { x: center.x + dx * step, y: center.y + dy * step };
                    if self.reference.reaches(self.x, self.y, next) {
                        let at_next = measure(next, laps);
                        if at_next.0 < cost {
                            mv = next;
                            (cost, satd) = at_next;
                        }
                    }
                }
                if mv == center {
                    break;
                }
            }
        }
        Match { mv, satd, points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waves that are long against the shifts that are looked for, and of several directions, so
    /// that no other place looks alike.
    fn waves() -> Reference {
        let mut reference = Reference::new(96, 96);
        for plane in reference.planes_mut() {
            for y in 0..plane.height() {
                for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                    let (x, y) = (x as f64, y as f64);
                    let sum = (x / 4.0).sin() + (y / 5.0).sin() + ((x + y) / 9.0).sin();
                    *sample = (128.0 + 40.0 * sum) as u8;
                }
            }
        }
        reference.complete(&mut Vec::new());
        reference
    }

    #[test]
    fn it_finds_a_shift_to_the_quarter_sample() {
        let reference = waves();
        for true_mv in [Mv { x: 0, y: 0 }, Mv { x: 9, y: -6 }, Mv { x: -31, y: 14 }] {
            let source = reference.luma_block(32, 48, true_mv);
            let search = Search {
                source: &source,
                reference: &reference,
                x: 32,
                y: 48,
                predicted: Mv::default(),
                qp: 12,
            };
            let found = search.run(std::iter::empty(), &mut Laps::default());
            let off = (found.mv.x - true_mv.x).abs().max((found.mv.y - true_mv.y).abs());
            assert!(off <= 1, "{true_mv:?}: {found:?}");
            assert!(found.satd < 100 && found.points > 8);
        }
    }
}
