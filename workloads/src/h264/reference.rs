//! The reference picture: the last decoded one, with borders and half-sample planes, and fetching
//! predictions from it (ITU-T H.264 8.4.2.2).

use super::interpolation::{self, HalfPlanes};
use super::motion::Mv;
use super::{Chroma, Luma};
use crate::video::Plane;

/// Border of the luma planes. A block may lie [`REACH`] outside, with room for the samples right of
/// and below it that fractional positions need.
const PAD: usize = 32;
/// How far outside the picture the left or upper edge of a block may lie, in luma samples; beyond
/// it there is nothing new to find.
const REACH: i32 = 24;
/// The longest vector in luma samples: within Table A-1 for every level from 1.1 on.
const MAX_MV: i32 = 64;

/// A decoded picture to predict from.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// Whole samples, and half samples to the right, below and diagonally.
    luma: [Plane; 4],
    chroma: [Plane; 2],
    /// The vectors of its macroblocks, where they had one: candidates for the next picture's.
    pub(super) motion: Vec<Option<Mv>>,
}

/// Where the whole-sample positions of a block may lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) min: (i32, i32),
    pub(super) max: (i32, i32),
}

impl Bounds {
    pub(super) const fn contains(&self, x: i32, y: i32) -> bool {
        x >= self.min.0 && x <= self.max.0 && y >= self.min.1 && y <= self.max.1
    }
}

impl Reference {
    /// For pictures of this size, a multiple of 16 both ways.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let chroma = Plane::new(width / 2, height / 2, PAD / 2);
        Self {
            luma: [(); 4].map(|()| Plane::new(width, height, PAD)),
            chroma: [chroma.clone(), chroma],
            motion: vec![None; width / 16 * (height / 16)],
        }
    }

    /// Whole luma samples.
    pub(super) const fn luma(&self) -> &Plane {
        &self.luma[0]
    }

    /// The decoded planes, to be filled.
    pub(super) fn planes_mut(&mut self) -> [&mut Plane; 3] {
        let [cb, cr] = &mut self.chroma;
        [&mut self.luma[0], cb, cr]
    }

    /// The decoded planes.
    pub(super) const fn planes(&self) -> [&Plane; 3] {
        [&self.luma[0], &self.chroma[0], &self.chroma[1]]
    }

    /// Extends the borders and fills the half-sample planes, once the picture is complete.
    pub(super) fn complete(&mut self, sums: &mut Vec<i16>) {
        let [whole, right, below, diagonal] = &mut self.luma;
        whole.extend_border();
        interpolation::fill_half_planes(whole, HalfPlanes { right, below, diagonal }, sums);
        for plane in &mut self.chroma {
            plane.extend_border();
        }
    }

    /// Where the prediction of the macroblock at (x, y) may lie.
    pub(super) fn bounds(&self, x: i32, y: i32) -> Bounds {
        let [width, height] = [self.luma[0].width(), self.luma[0].height()].map(|side| side as i32);
        Bounds {
            min: ((-REACH).max(x - MAX_MV), (-REACH).max(y - MAX_MV)),
            max: ((width - 16 + REACH).min(x + MAX_MV), (height - 16 + REACH).min(y + MAX_MV)),
        }
    }

    /// Whether a vector stays within what may be fetched for the macroblock at (x, y).
    pub(super) fn reaches(&self, x: i32, y: i32, mv: Mv) -> bool {
        let bounds = self.bounds(x, y);
        let (left, top) = (4 * x + i32::from(mv.x), 4 * y + i32::from(mv.y));
        left >= 4 * bounds.min.0
            && left <= 4 * bounds.max.0
            && top >= 4 * bounds.min.1
            && top <= 4 * bounds.max.1
    }

    /// The luma prediction of the macroblock at (x, y): Table 8-12, each quarter sample the average
    /// of its two nearest whole or half samples.
    pub(super) fn luma_block(&self, x: i32, y: i32, mv: Mv) -> Luma {
        const WHOLE: usize = 0;
        const RIGHT: usize = 1;
        const BELOW: usize = 2;
        const DIAGONAL: usize = 3;
        let (x, y) = (x + i32::from(mv.x >> 2), y + i32::from(mv.y >> 2));
        let stride = self.luma[0].stride();
        let at = |plane: usize, dx, dy| self.luma[plane].window(x + dx, y + dy);
        let (a, b) = match (mv.x & 3, mv.y & 3) {
            (0, 0) => return self.luma[WHOLE].block(x, y),
            (2, 0) => return self.luma[RIGHT].block(x, y),
            (0, 2) => return self.luma[BELOW].block(x, y),
            (2, 2) => return self.luma[DIAGONAL].block(x, y),
            (1, 0) => (at(WHOLE, 0, 0), at(RIGHT, 0, 0)),
            (3, 0) => (at(RIGHT, 0, 0), at(WHOLE, 1, 0)),
            (0, 1) => (at(WHOLE, 0, 0), at(BELOW, 0, 0)),
            (0, 3) => (at(BELOW, 0, 0), at(WHOLE, 0, 1)),
            (1, 1) => (at(RIGHT, 0, 0), at(BELOW, 0, 0)),
            (3, 1) => (at(RIGHT, 0, 0), at(BELOW, 1, 0)),
            (1, 3) => (at(BELOW, 0, 0), at(RIGHT, 0, 1)),
            (3, 3) => (at(BELOW, 1, 0), at(RIGHT, 0, 1)),
            (2, 1) => (at(RIGHT, 0, 0), at(DIAGONAL, 0, 0)),
            (2, _) => (at(DIAGONAL, 0, 0), at(RIGHT, 0, 1)),
            (1, _) => (at(BELOW, 0, 0), at(DIAGONAL, 0, 0)),
            _ => (at(DIAGONAL, 0, 0), at(BELOW, 1, 0)),
        };
        interpolation::average(a, b, stride)
    }

    /// The chroma predictions of the macroblock at (x, y): a quarter of a luma sample is an eighth
    /// of a chroma sample.
    pub(super) fn chroma_blocks(&self, x: i32, y: i32, mv: Mv) -> [Chroma; 2] {
        let (cx, cy) = (x / 2 + i32::from(mv.x >> 3), y / 2 + i32::from(mv.y >> 3));
        let (fx, fy) = ((mv.x & 7) as u16, (mv.y & 7) as u16);
        [0, 1].map(|i| {
            let plane = &self.chroma[i];
            interpolation::chroma_block(plane.window(cx, cy), plane.stride(), fx, fy)
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn noisy() -> Reference {
        let mut reference = Reference::new(48, 32);
        let mut random = Pcg64Mcg::seed_from_u64(9);
        for plane in reference.planes_mut() {
            for y in 0..plane.height() {
                random.fill(plane.row_mut(y));
            }
        }
        reference.complete(&mut Vec::new());
        reference
    }

    /// A luma sample at a quarter position, straight from the equations of 8.4.2.2.1.
    fn quarter_sample(plane: &Plane, qx: i32, qy: i32) -> u8 {
        let whole = |x: i32, y: i32| i32::from(plane.samples()[plane.index(x.clamp(0, 47), y.clamp(0, 31))]);
        let six = |s: [i32; 6]| s[0] - 5 * s[1] + 20 * s[2] + 20 * s[3] - 5 * s[4] + s[5];
        let clip = |v: i32| v.clamp(0, 255);
        const D: [i32; 6] = [-2, -1, 0, 1, 2, 3];
        let right = |x: i32, y: i32| clip((six(D.map(|d| whole(x + d, y))) + 16) >> 5);
        let below = |x: i32, y: i32| clip((six(D.map(|d| whole(x, y + d))) + 16) >> 5);
        let diagonal =
            |x: i32, y: i32| clip((six(D.map(|dy| six(D.map(|dx| whole(x + dx, y + dy))))) + 512) >> 10);
        let (x, y) = (qx >> 2, qy >> 2);
        let mean = |a: i32, b: i32| (a + b + 1) >> 1;
        let value = match (qx & 3, qy & 3) {
            (0, 0) => whole(x, y),
            (0, 1) => mean(whole(x, y), below(x, y)),
            (0, 2) => below(x, y),
            (0, 3) => mean(below(x, y), whole(x, y + 1)),
            (1, 0) => mean(whole(x, y), right(x, y)),
            (1, 1) => mean(right(x, y), below(x, y)),
            (1, 2) => mean(below(x, y), diagonal(x, y)),
            (1, 3) => mean(below(x, y), right(x, y + 1)),
            (2, 0) => right(x, y),
            (2, 1) => mean(right(x, y), diagonal(x, y)),
            (2, 2) => diagonal(x, y),
            (2, 3) => mean(diagonal(x, y), right(x, y + 1)),
            (3, 0) => mean(right(x, y), whole(x + 1, y)),
            (3, 1) => mean(right(x, y), below(x + 1, y)),
            (3, 2) => mean(diagonal(x, y), below(x + 1, y)),
            _ => mean(below(x + 1, y), right(x, y + 1)),
        };
        value as u8
    }

    #[test]
    fn every_quarter_position_is_the_one_of_the_standard() {
        let reference = noisy();
        for (bx, by) in [(16i32, 16i32), (0, 0), (32, 16)] {
            for dy in -6..=6i16 {
                for dx in -6..=6i16 {
                    let mv = Mv { x: dx * 7, y: dy * 5 };
                    if !reference.reaches(bx, by, mv) {
                        continue;
                    }
                    let block = reference.luma_block(bx, by, mv);
                    for (y, row) in block.iter().enumerate() {
                        for (x, &sample) in row.iter().enumerate() {
                            let qx = 4 * (bx + x as i32) + i32::from(mv.x);
                            let qy = 4 * (by + y as i32) + i32::from(mv.y);
                            assert_eq!(sample, quarter_sample(reference.luma(), qx, qy), "{mv:?} ({x}, {y})");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_bounds_keep_blocks_inside_the_border() {
        let reference = noisy();
        let bounds = reference.bounds(0, 0);
        assert!(bounds.contains(-24, -24) && !bounds.contains(-25, 0));
        let far = Mv { x: -96, y: -96 };
        assert!(reference.reaches(0, 0, far));
        assert_eq!(reference.luma_block(0, 0, far), [[reference.luma().row(0)[0]; 16]; 16]);
        let corner = Mv { x: 4 * 56, y: 4 * 40 };
        assert!(reference.reaches(0, 0, corner));
        assert_eq!(reference.luma_block(0, 0, corner), [[reference.luma().row(31)[47]; 16]; 16]);
        assert_eq!(reference.chroma_blocks(0, 0, corner)[1], [[reference.planes()[2].row(15)[23]; 8]; 8]);
    }
}
