//! What a picture will cost, estimated before it is encoded, from pictures of half the size.
//!
//! Serial, as in an encoder with sliced threads: type and QP of a picture must be known before its
//! slices can start.

use super::distortion::sad_8x8;
use crate::video::Plane;

const PAD: usize = 16;
/// Steps of the downhill walk for each block.
const STEPS: usize = 4;
/// What an inter block costs beyond its difference: its vector.
const VECTOR_COST: u32 = 20;

/// The estimated cost of a picture: sums of absolute differences at half size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Estimate {
    /// When predicted from itself.
    pub(super) intra: u64,
    /// When predicted from the picture before; `None` when there is none.
    pub(super) inter: Option<u64>,
}

/// Keeps the picture before at half size.
#[derive(Clone, Debug)]
pub(super) struct Lookahead {
    now: Plane,
    before: Plane,
    has_before: bool,
    /// The vectors of the row of blocks above, and of the last block.
    vectors: Vec<(i32, i32)>,
}

impl Lookahead {
    /// For pictures of this size, a multiple of 16 both ways.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let plane = Plane::new(width / 2, height / 2, PAD);
        Self { now: plane.clone(), before: plane, has_before: false, vectors: vec![(0, 0); width / 16] }
    }

    /// Forgets the picture before.
    pub(super) fn reset(&mut self) {
        self.has_before = false;
    }

    /// Estimates the next picture.
    pub(super) fn estimate(&mut self, luma: &Plane) -> Estimate {
        std::mem::swap(&mut self.now, &mut self.before);
        halve(luma, &mut self.now);
        self.now.extend_border();
        self.vectors.fill((0, 0));
        let (mut intra_sum, mut inter_sum) = (0, 0);
        for y in (0..self.now.height() as i32).step_by(8) {
            let mut left = (0, 0);
            for x in (0..self.now.width() as i32).step_by(8) {
                let intra = self.intra_cost(x, y);
                intra_sum += u64::from(intra);
                if self.has_before {
                    let (vector, cost) = self.inter_cost(x, y, left);
                    self.vectors[x as usize / 8] = vector;
                    left = vector;
                    // Either way of prediction is open to a block of a P picture.
                    inter_sum += u64::from(intra.min(cost + VECTOR_COST));
                }
            }
        }
        let inter = self.has_before.then_some(inter_sum);
        self.has_before = true;
        Estimate { intra: intra_sum, inter }
    }

    /// The difference to the best of the predictions from above, from the left and by the mean.
    fn intra_cost(&self, x: i32, y: i32) -> u32 {
        let block: [[u8; 8]; 8] = self.now.block(x, y);
        let [top]: [[u8; 8]; 1] = self.now.block(x, y - 1);
        let left = self.now.block::<1, 8>(x - 1, y).map(|[sample]| sample);
        let mean = (top.iter().chain(&left).map(|&s| u32::from(s)).sum::<u32>() + 8) >> 4;
        let cost = |prediction: &[[u8; 8]; 8]| sad_8x8(block.as_flattened(), 8, prediction.as_flattened(), 8);
        let vertical = cost(&[top; 8]);
        let horizontal = cost(&left.map(|sample| [sample; 8]));
        vertical.min(horizontal).min(cost(&[[mean as u8; 8]; 8]))
    }

    /// The best of zero and the neighbours' vectors, then downhill from there.
    fn inter_cost(&self, x: i32, y: i32, left: (i32, i32)) -> ((i32, i32), u32) {
        let window = self.now.window(x, y);
        let (width, height) = (self.now.width() as i32, self.now.height() as i32);
        let reach = PAD as i32 - 8;
        let measure = |(dx, dy): (i32, i32)| {
            let (x, y) = (x + dx, y + dy);
            let inside = x >= -reach && y >= -reach && x <= width - 8 + reach && y <= height - 8 + reach;
            if inside {
                sad_8x8(window, self.now.stride(), self.before.window(x, y), self.before.stride())
            } else {
                u32::MAX
            }
        };
        let mut best = ((0, 0), measure((0, 0)));
        let consider = |best: &mut ((i32, i32), u32), vector| {
            let cost = measure(vector);
            if cost < best.1 {
                *best = (vector, cost);
            }
        };
        for vector in [left, self.vectors[x as usize / 8]] {
            if vector != best.0 {
                consider(&mut best, vector);
            }
        }
        for _ in 0..STEPS {
            let center = best.0;
            for (dx, dy) in [(0, -1), (-1, 0), (1, 0), (0, 1)] {
                consider(&mut best, (center.0 + dx, center.1 + dy));
            }
            if best.0 == center {
                break;
            }
        }
        best
    }
}

/// Each sample the mean of four.
fn halve(from: &Plane, to: &mut Plane) {
    for y in 0..to.height() {
        let (upper, lower) = (from.row(2 * y).as_chunks::<2>().0, from.row(2 * y + 1).as_chunks::<2>().0);
        for ((to, a), b) in to.row_mut(y).iter_mut().zip(upper).zip(lower) {
            let sum: u16 = a.iter().chain(b).map(|&sample| u16::from(sample)).sum();
            *to = ((sum + 2) >> 2) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::{Clip, SceneConfig};

    #[test]
    fn a_picture_costs_nothing_after_itself() {
        let clip = Clip::from_scene(&SceneConfig::default(), 96, 96, 1);
        let mut lookahead = Lookahead::new(96, 96);
        let first = lookahead.estimate(&clip.picture(0).luma);
        assert!(first.intra > 0 && first.inter.is_none());
        let again = lookahead.estimate(&clip.picture(0).luma);
        assert_eq!(again.intra, first.intra);
        assert_eq!(again.inter, Some(36 * u64::from(VECTOR_COST)));
    }

    #[test]
    fn motion_costs_less_than_a_cut() {
        let scene = SceneConfig { cut_every: Some(2), ..SceneConfig::default() };
        let clip = Clip::from_scene(&scene, 160, 96, 4);
        let mut lookahead = Lookahead::new(160, 96);
        let shares: Vec<f64> = (0..4)
            .filter_map(|i| {
                let estimate = lookahead.estimate(&clip.picture(i).luma);
                Some(estimate.inter? as f64 / estimate.intra as f64)
            })
            .collect();
        assert!(shares[0] < 0.8 && shares[1] > 0.85 && shares[2] < 0.8, "{shares:?}");
    }
}
