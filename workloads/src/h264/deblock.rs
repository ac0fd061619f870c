//! The deblocking filter (ITU-T H.264 8.7), over a whole picture, also over slice boundaries.
//!
//! Macroblocks are filtered in raster order, since each reads samples that the one before it
//! changed: left edges first, then upper ones. All macroblocks of a picture have the same QP and
//! the same reference, so that neither enters the boundary strength.

use super::macroblock::Macroblock;
use super::quantization::chroma_qp;
use crate::video::Plane;

/// α′ by indexA (Table 8-16).
const ALPHA: [u8; 52] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 17, 20, 22, 25, 28,
    32, 36, 40, 45, 50, 56, 63, 71, 80, 90, 101, 113, 127, 144, 162, 182, 203, 226, 255, 255,
];

/// β′ by indexB (Table 8-16).
const BETA: [u8; 52] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 6, 6, 7, 7, 8, 8, 9, 9, 10,
    10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18,
];

/// t′C0 by indexA from 17 on, for bS 1, 2 and 3 (Table 8-17); zero below.
const TC0: [[u8; 3]; 35] = [
    [0, 0, 1],
    [0, 0, 1],
    [0, 0, 1],
    [0, 0, 1],
    [0, 1, 1],
    [0, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 2],
    [1, 1, 2],
    [1, 1, 2],
    [1, 1, 2],
    [1, 2, 3],
    [1, 2, 3],
    [2, 2, 3],
    [2, 2, 4],
    [2, 3, 4],
    [2, 3, 4],
    [3, 3, 5],
    [3, 4, 6],
    [3, 4, 6],
    [4, 5, 7],
    [4, 5, 8],
    [4, 6, 9],
    [5, 7, 10],
    [6, 8, 11],
    [6, 8, 13],
    [7, 10, 14],
    [8, 11, 16],
    [9, 12, 18],
    [10, 13, 20],
    [11, 15, 23],
    [13, 17, 25],
];

/// bS of the four 4-sample parts of an edge.
type Strengths = [u8; 4];

/// The thresholds at one QP.
#[derive(Clone, Copy, Debug)]
struct Thresholds {
    alpha: i16,
    beta: i16,
    tc0: [u8; 3],
}

impl Thresholds {
    fn new(qp: u8) -> Self {
        let index = usize::from(qp.min(51));
        Self {
            alpha: i16::from(ALPHA[index]),
            beta: i16::from(BETA[index]),
            tc0: index.checked_sub(17).map_or([0; 3], |at| TC0[at]),
        }
    }
}

/// Filters a decoded picture: Y, Cb, Cr, with its macroblocks in raster order.
pub(super) fn filter_picture(planes: [&mut Plane; 3], macroblocks: &[Macroblock], mbs_wide: usize, qp: u8) {
    let [luma, cb, cr] = planes;
    let (for_luma, for_chroma) = (Thresholds::new(qp), Thresholds::new(chroma_qp(qp)));
    for (index, macroblock) in macroblocks.iter().enumerate() {
        let (column, row) = (index % mbs_wide, index / mbs_wide);
        let left = (column > 0).then(|| &macroblocks[index - 1]);
        let above = (row > 0).then(|| &macroblocks[index - mbs_wide]);
        for (vertical, neighbour) in [(true, left), (false, above)] {
            for edge in 0..4 {
                let strengths = match (edge, neighbour) {
                    (0, None) => continue,
                    (0, Some(neighbour)) => outer_strengths(macroblock, neighbour, vertical),
                    _ => inner_strengths(macroblock, edge, vertical),
                };
                if strengths == [0; 4] {
                    continue;
                }
                let (x, y) = (column * 16, row * 16);
                let (dx, dy) = if vertical { (edge * 4, 0) } else { (0, edge * 4) };
                filter_edge(luma, (x + dx, y + dy), vertical, strengths, &for_luma, filter_luma);
                if edge % 2 == 0 {
                    for plane in [&mut *cb, &mut *cr] {
                        let at = (x / 2 + dx / 2, y / 2 + dy / 2);
                        filter_edge(plane, at, vertical, strengths, &for_chroma, filter_chroma);
                    }
                }
            }
        }
    }
}

/// bS on the edge to another macroblock (8.7.2.1).
fn outer_strengths(macroblock: &Macroblock, neighbour: &Macroblock, vertical: bool) -> Strengths {
    let (Some(mv), Some(other)) = (macroblock.mv, neighbour.mv) else { return [4; 4] };
    // A whole sample or more apart, in quarters.
    let apart = mv.x.abs_diff(other.x) >= 4 || mv.y.abs_diff(other.y) >= 4;
    std::array::from_fn(|part| {
        let (ours, theirs) = if vertical { (part * 4, part * 4 + 3) } else { (part, 12 + part) };
        if macroblock.luma_counts[ours] > 0 || neighbour.luma_counts[theirs] > 0 {
            2
        } else {
            u8::from(apart)
        }
    })
}

/// bS on an edge inside a macroblock, whose parts all move alike.
fn inner_strengths(macroblock: &Macroblock, edge: usize, vertical: bool) -> Strengths {
    if macroblock.mv.is_none() {
        return [3; 4];
    }
    std::array::from_fn(|part| {
        let (q, p) = if vertical {
            (part * 4 + edge, part * 4 + edge - 1)
        } else {
            (edge * 4 + part, edge * 4 + part - 4)
        };
        if macroblock.luma_counts[q] > 0 || macroblock.luma_counts[p] > 0 { 2 } else { 0 }
    })
}

/// The samples across an edge, `S` of them (p3 to q3 in luma, p1 to q1 in chroma), each for all
/// `L` lines along it: an operation on one of the arrays is done for all lines at once.
type Lines<const S: usize, const L: usize> = [[i16; L]; S];

/// Filters the edge at (x, y). A part has `L / 4` lines, and all parts are alike in whether they
/// have strength 4: it comes from the macroblocks on both sides.
fn filter_edge<const S: usize, const L: usize>(
    plane: &mut Plane,
    (x, y): (usize, usize),
    vertical: bool,
    strengths: Strengths,
    thresholds: &Thresholds,
    filter: impl Fn(&mut Lines<S, L>, [i16; L], [i16; L], bool, &Thresholds),
) {
    let stride = plane.stride();
    let half = (S / 2) as i32;
    let (x, y) = (x as i32, y as i32);
    let start = if vertical { plane.index(x - half, y) } else { plane.index(x, y - half) };
    let samples = &mut plane.samples_mut()[start..];
    let mut lines = [[0; L]; S];
    if vertical {
        for (line, row) in samples.chunks(stride).take(L).enumerate() {
            let Some(row) = row.first_chunk::<S>() else { return };
            for i in 0..S {
                lines[i][line] = i16::from(row[i]);
            }
        }
    } else {
        for (to, row) in lines.iter_mut().zip(samples.chunks(stride)) {
            let Some(row) = row.first_chunk::<L>() else { return };
            *to = row.map(i16::from);
        }
    }
    let tc0 = std::array::from_fn(|line| match strengths[line * 4 / L] {
        strength @ 1..=3 => i16::from(thresholds.tc0[usize::from(strength) - 1]),
        _ => 0,
    });
    let on = std::array::from_fn(|line| below(0, i16::from(strengths[line * 4 / L])));
    filter(&mut lines, tc0, on, strengths[0] == 4, thresholds);
    if vertical {
        for (line, row) in samples.chunks_mut(stride).take(L).enumerate() {
            if let Some(row) = row.first_chunk_mut::<S>() {
                for i in 0..S {
                    row[i] = lines[i][line] as u8;
                }
            }
        }
    } else {
        for (from, row) in lines.iter().zip(samples.chunks_mut(stride)) {
            if let Some(row) = row.first_chunk_mut::<L>() {
                *row = from.map(|sample| sample as u8);
            }
        }
    }
}

/// Whether the samples next to the edge differ little enough to be an artefact (8.7.2.2), as a mask.
#[inline(always)]
const fn is_artefact(p1: i16, p0: i16, q0: i16, q1: i16, thresholds: &Thresholds) -> i16 {
    below((p0 - q0).abs(), thresholds.alpha)
        & below((p1 - p0).abs(), thresholds.beta)
        & below((q1 - q0).abs(), thresholds.beta)
}

/// A mask, all ones or all zeros: what vector comparisons give. With `bool`s the compiler falls
/// back to a branch for each lane, three times as slow.
#[inline(always)]
const fn below(a: i16, b: i16) -> i16 {
    -((a < b) as i16)
}

#[inline(always)]
const fn select(mask: i16, yes: i16, no: i16) -> i16 {
    no ^ ((yes ^ no) & mask)
}

#[inline(never)]
fn filter_luma(
    lines: &mut Lines<8, 16>,
    tc0: [i16; 16],
    on: [i16; 16],
    strong: bool,
    thresholds: &Thresholds,
) {
    if strong {
        filter_luma_strong(lines, thresholds);
    } else {
        filter_luma_normal(lines, tc0, on, thresholds);
    }
}

/// bS below 4 (8.7.2.3).
fn filter_luma_normal(lines: &mut Lines<8, 16>, tc0: [i16; 16], on: [i16; 16], thresholds: &Thresholds) {
    let [_, p2, p1, p0, q0, q1, q2, _] = *lines;
    for i in 0..16 {
        let (p2, p1, p0, q0, q1, q2, tc0) = (p2[i], p1[i], p0[i], q0[i], q1[i], q2[i], tc0[i]);
        let on = on[i] & is_artefact(p1, p0, q0, q1, thresholds);
        let near_p = below((p2 - p0).abs(), thresholds.beta);
        let near_q = below((q2 - q0).abs(), thresholds.beta);
        // A mask is −1.
        let tc = tc0 - near_p - near_q;
        let delta = ((((q0 - p0) << 2) + (p1 - q1) + 4) >> 3).max(-tc).min(tc);
        let middle = (p0 + q0 + 1) >> 1;
        let delta_p = ((p2 + middle - (p1 << 1)) >> 1).max(-tc0).min(tc0);
        let delta_q = ((q2 + middle - (q1 << 1)) >> 1).max(-tc0).min(tc0);
        lines[2][i] = select(on & near_p, p1 + delta_p, p1);
        lines[3][i] = select(on, (p0 + delta).clamp(0, 255), p0);
        lines[4][i] = select(on, (q0 - delta).clamp(0, 255), q0);
        lines[5][i] = select(on & near_q, q1 + delta_q, q1);
    }
}

/// bS 4 (8.7.2.4).
fn filter_luma_strong(lines: &mut Lines<8, 16>, thresholds: &Thresholds) {
    let [p3, p2, p1, p0, q0, q1, q2, q3] = *lines;
    for i in 0..16 {
        let (p3, p2, p1, p0) = (p3[i], p2[i], p1[i], p0[i]);
        let (q3, q2, q1, q0) = (q3[i], q2[i], q1[i], q0[i]);
        let on = is_artefact(p1, p0, q0, q1, thresholds);
        let small_step = below((p0 - q0).abs(), (thresholds.alpha >> 2) + 2);
        let deep_p = small_step & below((p2 - p0).abs(), thresholds.beta);
        let deep_q = small_step & below((q2 - q0).abs(), thresholds.beta);
        let p = select(deep_p, (p2 + 2 * p1 + 2 * p0 + 2 * q0 + q1 + 4) >> 3, (2 * p1 + p0 + q1 + 2) >> 2);
        let q = select(deep_q, (p1 + 2 * p0 + 2 * q0 + 2 * q1 + q2 + 4) >> 3, (2 * q1 + q0 + p1 + 2) >> 2);
        lines[1][i] = select(on & deep_p, (2 * p3 + 3 * p2 + p1 + p0 + q0 + 4) >> 3, p2);
        lines[2][i] = select(on & deep_p, (p2 + p1 + p0 + q0 + 2) >> 2, p1);
        lines[3][i] = select(on, p, p0);
        lines[4][i] = select(on, q, q0);
        lines[5][i] = select(on & deep_q, (p0 + q0 + q1 + q2 + 2) >> 2, q1);
        lines[6][i] = select(on & deep_q, (2 * q3 + 3 * q2 + q1 + q0 + p0 + 4) >> 3, q2);
    }
}

#[inline(never)]
fn filter_chroma(
    lines: &mut Lines<4, 8>,
    tc0: [i16; 8],
    on: [i16; 8],
    strong: bool,
    thresholds: &Thresholds,
) {
    let [p1, p0, q0, q1] = *lines;
    let strong = -i16::from(strong);
    for i in 0..8 {
        let (p1, p0, q0, q1, tc) = (p1[i], p0[i], q0[i], q1[i], tc0[i] + 1);
        let on = on[i] & is_artefact(p1, p0, q0, q1, thresholds);
        let delta = ((((q0 - p0) << 2) + (p1 - q1) + 4) >> 3).max(-tc).min(tc);
        let p = select(strong, (2 * p1 + p0 + q1 + 2) >> 2, (p0 + delta).clamp(0, 255));
        let q = select(strong, (2 * q1 + q0 + p1 + 2) >> 2, (q0 - delta).clamp(0, 255));
        lines[1][i] = select(on, p, p0);
        lines[2][i] = select(on, q, q0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::motion::Mv;
    use super::*;

    const INTRA: Macroblock = Macroblock::empty(None);
    const STILL: Macroblock = Macroblock::empty(Some(Mv { x: 0, y: 0 }));

    /// Two macroblocks side by side, each of one value.
    fn two(left: u8, right: u8) -> [Plane; 3] {
        let mut planes = [Plane::new(32, 16, 8), Plane::new(16, 8, 4), Plane::new(16, 8, 4)];
        for plane in &mut planes {
            let half = plane.width() / 2;
            for y in 0..plane.height() {
                plane.row_mut(y)[..half].fill(left);
                plane.row_mut(y)[half..].fill(right);
            }
        }
        planes
    }

    fn filtered(mut planes: [Plane; 3], macroblocks: [Macroblock; 2], qp: u8) -> [Plane; 3] {
        let [luma, cb, cr] = &mut planes;
        filter_picture([luma, cb, cr], &macroblocks, 2, qp);
        planes
    }

    #[test]
    fn flat_areas_stay_as_they_are() {
        assert_eq!(filtered(two(77, 77), [INTRA; 2], 40), two(77, 77));
    }

    #[test]
    fn a_real_edge_is_left_alone() {
        assert_eq!(filtered(two(20, 220), [INTRA; 2], 40), two(20, 220));
    }

    #[test]
    fn a_small_step_between_intra_macroblocks_becomes_a_ramp() {
        let [luma, cb, _] = filtered(two(100, 108), [INTRA; 2], 36);
        let row = &luma.row(5)[12..20];
        assert_eq!(row[..1], [100]);
        assert_eq!(row[7..], [108]);
        assert!(row.is_sorted() && row[3] > 101 && row[4] < 107, "{row:?}");
        assert_eq!(cb.row(3)[7..9], [102, 106]);
    }

    #[test]
    fn between_skipped_macroblocks_that_move_alike_nothing_is_filtered() {
        assert_eq!(filtered(two(100, 104), [STILL; 2], 36), two(100, 104));
        let moving = Macroblock::empty(Some(Mv { x: 4, y: 0 }));
        assert_ne!(filtered(two(100, 104), [STILL, moving], 36), two(100, 104));
        let mut coded = STILL;
        coded.luma_counts[3] = 1;
        assert_ne!(filtered(two(100, 104), [coded, STILL], 36), two(100, 104));
    }

    #[test]
    fn fine_quantisers_are_not_filtered() {
        assert_eq!(filtered(two(100, 103), [INTRA; 2], 15), two(100, 103));
    }
}
