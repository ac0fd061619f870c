//! Intra prediction: 16x16 luma (ITU-T H.264 8.3.3) and chroma (8.3.4).

use crate::video::Plane;

/// The samples around a block that are available for prediction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edges<const N: usize> {
    pub(super) top: Option<[u8; N]>,
    pub(super) left: Option<[u8; N]>,
    /// The sample above left; meaningful where `top` and `left` are there.
    pub(super) corner: u8,
}

impl<const N: usize> Edges<N> {
    /// The edges of the block at (x, y) of a plane that holds one slice: what lies outside the
    /// plane is not available.
    pub(super) fn of(plane: &Plane, x: usize, y: usize) -> Self {
        let top = (y > 0).then(|| plane.block::<N, 1>(x as i32, y as i32 - 1)[0]);
        let left = (x > 0).then(|| plane.block::<1, N>(x as i32 - 1, y as i32).map(|[sample]| sample));
        let corner = if x > 0 && y > 0 { plane.row(y - 1)[x - 1] } else { 0 };
        Self { top, left, corner }
    }
}

/// How a block is predicted from its edges. The numbers that the syntax gives the modes differ
/// between luma (Table 8-4) and chroma (Table 8-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IntraMode {
    Vertical,
    Horizontal,
    Dc,
    Plane,
}

impl IntraMode {
    pub(super) const ALL: [Self; 4] = [Self::Vertical, Self::Horizontal, Self::Dc, Self::Plane];

    /// Intra16x16PredMode.
    pub(super) const fn luma_number(self) -> u32 {
        match self {
            Self::Vertical => 0,
            Self::Horizontal => 1,
            Self::Dc => 2,
            Self::Plane => 3,
        }
    }

    /// intra_chroma_pred_mode.
    pub(super) const fn chroma_number(self) -> u32 {
        match self {
            Self::Dc => 0,
            Self::Horizontal => 1,
            Self::Vertical => 2,
            Self::Plane => 3,
        }
    }
}

/// The 16x16 luma prediction, or `None` when the mode needs samples that are not available.
pub(super) fn predict_luma(mode: IntraMode, edges: &Edges<16>) -> Option<[[u8; 16]; 16]> {
    Some(match (mode, edges.top, edges.left) {
        (IntraMode::Vertical, Some(top), _) => [top; 16],
        (IntraMode::Horizontal, _, Some(left)) => left.map(|sample| [sample; 16]),
        (IntraMode::Dc, top, left) => {
            let sum = |edge: [u8; 16]| edge.into_iter().map(u32::from).sum::<u32>();
            let dc = match (top, left) {
                (Some(top), Some(left)) => (sum(top) + sum(left) + 16) >> 5,
                (Some(edge), None) | (None, Some(edge)) => (sum(edge) + 8) >> 4,
                (None, None) => 128,
            };
            [[dc as u8; 16]; 16]
        }
        // (5 · H + 32) >> 6
        (IntraMode::Plane, Some(top), Some(left)) => plane(&top, &left, edges.corner, 5),
        _ => return None,
    })
}

/// The 8x8 prediction of a chroma component, or `None` when samples are missing.
pub(super) fn predict_chroma(mode: IntraMode, edges: &Edges<8>) -> Option<[[u8; 8]; 8]> {
    Some(match (mode, edges.top, edges.left) {
        (IntraMode::Vertical, Some(top), _) => [top; 8],
        (IntraMode::Horizontal, _, Some(left)) => left.map(|sample| [sample; 8]),
        (IntraMode::Dc, top, left) => chroma_dc(top, left),
        // (34 · H + 32) >> 6
        (IntraMode::Plane, Some(top), Some(left)) => plane(&top, &left, edges.corner, 34),
        _ => return None,
    })
}

/// Each 4x4 block has a mean of its own (8.3.4.1 to 8.3.4.3): on the diagonal of both edges, off it
/// preferably of the edge that it touches.
fn chroma_dc(top: Option<[u8; 8]>, left: Option<[u8; 8]>) -> [[u8; 8]; 8] {
    let mut block = [[0; 8]; 8];
    for (y0, x0) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
        let sum = |edge: [u8; 8], at: usize| edge[at..at + 4].iter().copied().map(u32::from).sum::<u32>();
        let above = top.map(|edge| sum(edge, x0));
        let beside = left.map(|edge| sum(edge, y0));
        let one = |sum: u32| (sum + 2) >> 2;
        let dc = match (above, beside) {
            (Some(above), Some(beside)) if x0 == y0 => (above + beside + 4) >> 3,
            (Some(above), Some(_)) if y0 == 0 => one(above),
            (Some(_), Some(beside)) => one(beside),
            (Some(edge), None) | (None, Some(edge)) => one(edge),
            (None, None) => 128,
        };
        for row in &mut block[y0..y0 + 4] {
            row[x0..x0 + 4].fill(dc as u8);
        }
    }
    block
}

/// A plane through the edges (8.3.3.4, 8.3.4.4); `gain` is the factor of the gradients.
fn plane<const N: usize>(top: &[u8; N], left: &[u8; N], corner: u8, gain: i32) -> [[u8; N]; N] {
    let half = N / 2;
    let gradient = |edge: &[u8; N]| {
        (0..half)
            .map(|i| {
                let before = if i + 1 == half { corner } else { edge[half - 2 - i] };
                (i as i32 + 1) * (i32::from(edge[half + i]) - i32::from(before))
            })
            .sum::<i32>()
    };
    let b = (gain * gradient(top) + 32) >> 6;
    let c = (gain * gradient(left) + 32) >> 6;
    let a = 16 * (i32::from(left[N - 1]) + i32::from(top[N - 1]));
    let middle = half as i32 - 1;
    std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let value = a + b * (x as i32 - middle) + c * (y as i32 - middle) + 16;
            (value >> 5).clamp(0, 255) as u8
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp<const N: usize>(start: i32, step: i32) -> [u8; N] {
        std::array::from_fn(|i| (start + step * i as i32) as u8)
    }

    #[test]
    fn modes_need_the_edges_they_read() {
        let none = Edges::<16> { top: None, left: None, corner: 0 };
        let available: Vec<bool> = IntraMode::ALL.iter().map(|&m| predict_luma(m, &none).is_some()).collect();
        assert_eq!(available, [false, false, true, false]);
        assert_eq!(predict_luma(IntraMode::Dc, &none), Some([[128; 16]; 16]));
        let top = Edges { top: Some([9; 16]), ..none };
        assert_eq!(predict_luma(IntraMode::Vertical, &top), Some([[9; 16]; 16]));
        assert_eq!(predict_luma(IntraMode::Dc, &top), Some([[9; 16]; 16]));
        assert_eq!(predict_luma(IntraMode::Plane, &top), None);
    }

    #[test]
    fn a_plane_continues_a_slope() {
        // Samples rise by 2 to the right and by 3 downward.
        let edges = Edges { top: Some(ramp::<16>(52, 2)), left: Some(ramp::<16>(53, 3)), corner: 50 };
        let block = predict_luma(IntraMode::Plane, &edges).unwrap();
        for (y, row) in block.iter().enumerate() {
            for (x, &sample) in row.iter().enumerate() {
                let want = 50 + 2 * (x as i32 + 1) + 3 * (y as i32 + 1);
                assert!((i32::from(sample) - want).abs() <= 2, "({x}, {y}): {sample}, {want}");
            }
        }
        let edges = Edges { top: Some(ramp::<8>(52, 2)), left: Some(ramp::<8>(53, 3)), corner: 50 };
        let block = predict_chroma(IntraMode::Plane, &edges).unwrap();
        assert!((i32::from(block[7][7]) - 90).abs() <= 2);
    }

    #[test]
    fn chroma_dc_prefers_the_edge_that_a_block_touches() {
        let top = [10, 10, 10, 10, 30, 30, 30, 30];
        let left = [50, 50, 50, 50, 70, 70, 70, 70];
        let block = chroma_dc(Some(top), Some(left));
        assert_eq!([block[0][0], block[0][4], block[4][0], block[4][4]], [30, 30, 70, 50]);
        let block = chroma_dc(None, Some(left));
        assert_eq!([block[0][0], block[0][4], block[4][0], block[4][4]], [50, 50, 70, 70]);
    }
}
