//! A plane of 8-bit samples with a border, and the picture made of three (4:2:0).
//!
//! Not here: what fills the planes.

/// Samples of one colour component, row by row, with `pad` more on each side. The border is what
/// ITU-T H.264 8.4.2.2 describes as clipping coordinates to the picture: copying the outermost
/// samples outward once is cheaper than clipping each access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plane {
    width: usize,
    height: usize,
    pad: usize,
    stride: usize,
    samples: Vec<u8>,
}

impl Plane {
    pub(crate) fn new(width: usize, height: usize, pad: usize) -> Self {
        let stride = width + 2 * pad;
        Self { width, height, pad, stride, samples: vec![0; stride * (height + 2 * pad)] }
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    pub(crate) const fn stride(&self) -> usize {
        self.stride
    }

    /// Where a sample lies in [`Self::samples`]. Coordinates may reach `pad` outside the picture;
    /// further out they give a place that is not the sample's, or the end.
    pub(crate) const fn index(&self, x: i32, y: i32) -> usize {
        let row = y.saturating_add(self.pad as i32);
        let column = x.saturating_add(self.pad as i32);
        let at = row as isize * self.stride as isize + column as isize;
        if at < 0 { self.samples.len() } else { at as usize }
    }

    pub(crate) fn samples(&self) -> &[u8] {
        &self.samples
    }

    pub(crate) fn samples_mut(&mut self) -> &mut [u8] {
        &mut self.samples
    }

    /// All samples from (x, y) to the end of the plane: a block is the front of each `stride`.
    pub(crate) fn window(&self, x: i32, y: i32) -> &[u8] {
        self.samples.get(self.index(x, y)..).unwrap_or_default()
    }

    /// A row without its border.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        let at = (y + self.pad) * self.stride + self.pad;
        &self.samples[at..at + self.width]
    }

    /// A row without its border, to write.
    pub(crate) fn row_mut(&mut self, y: usize) -> &mut [u8] {
        let at = (y + self.pad) * self.stride + self.pad;
        &mut self.samples[at..at + self.width]
    }

    /// The block whose upper left sample is (x, y).
    pub(crate) fn block<const W: usize, const H: usize>(&self, x: i32, y: i32) -> [[u8; W]; H] {
        let mut block = [[0; W]; H];
        for (to, from) in block.iter_mut().zip(self.window(x, y).chunks(self.stride)) {
            if let Some(from) = from.first_chunk::<W>() {
                *to = *from;
            }
        }
        block
    }

    /// Writes a block whose upper left sample is (x, y).
    pub(crate) fn set_block<const W: usize, const H: usize>(&mut self, x: i32, y: i32, block: &[[u8; W]; H]) {
        let (at, stride) = (self.index(x, y), self.stride);
        let window = self.samples.get_mut(at..).unwrap_or_default();
        for (to, from) in window.chunks_mut(stride).zip(block) {
            if let Some(to) = to.first_chunk_mut::<W>() {
                *to = *from;
            }
        }
    }

    /// Copies the picture's outermost samples into the border.
    pub(crate) fn extend_border(&mut self) {
        self.extend_border_from(0);
    }

    /// Like [`Self::extend_border`], but takes the `kept` samples next to the picture as valid and
    /// extends from there.
    pub(crate) fn extend_border_from(&mut self, kept: usize) {
        let side = self.pad.saturating_sub(kept);
        if side == 0 {
            return;
        }
        let (stride, end) = (self.stride, self.samples.len());
        for row in self.samples[side * stride..end - side * stride].chunks_exact_mut(stride) {
            let (left, right) = (row[side], row[stride - side - 1]);
            row[..side].fill(left);
            row[stride - side..].fill(right);
        }
        for y in 0..side {
            self.samples.copy_within(side * stride..(side + 1) * stride, y * stride);
            self.samples.copy_within(end - (side + 1) * stride..end - side * stride, end - (y + 1) * stride);
        }
    }

    /// Copies a smaller or equal plane into the upper left, and repeats its last column and row up
    /// to this plane's size.
    pub(crate) fn copy_extended(&mut self, from: &Self) {
        let (width, height) = (from.width.min(self.width), from.height.min(self.height));
        for y in 0..self.height {
            let source = from.row(y.min(height - 1));
            let last = source[width - 1];
            let row = self.row_mut(y);
            row[..width].copy_from_slice(&source[..width]);
            row[width..].fill(last);
        }
    }
}

/// A picture of 8-bit samples in 4:2:0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub(crate) luma: Plane,
    pub(crate) cb: Plane,
    pub(crate) cr: Plane,
}

impl Picture {
    /// A picture whose luma has `pad` border samples on each side, its chroma half of that.
    pub(crate) fn new(width: usize, height: usize, pad: usize) -> Self {
        let chroma = Plane::new(width.div_ceil(2), height.div_ceil(2), pad / 2);
        Self { luma: Plane::new(width, height, pad), cb: chroma.clone(), cr: chroma }
    }

    /// Width in luma samples.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.luma.width()
    }

    /// Height in luma samples.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.luma.height()
    }

    /// The samples of Y, Cb and Cr, row by row without borders: what a raw 4:2:0 file holds.
    #[must_use]
    pub fn to_raw(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.width() * self.height() * 2);
        for plane in [&self.luma, &self.cb, &self.cr] {
            for y in 0..plane.height() {
                raw.extend_from_slice(plane.row(y));
            }
        }
        raw
    }

    pub(crate) fn copy_extended(&mut self, from: &Self) {
        self.luma.copy_extended(&from.luma);
        self.cb.copy_extended(&from.cb);
        self.cr.copy_extended(&from.cr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: usize, height: usize, pad: usize) -> Plane {
        let mut plane = Plane::new(width, height, pad);
        for y in 0..height {
            for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                *sample = (y * width + x) as u8;
            }
        }
        plane
    }

    #[test]
    fn the_border_repeats_the_nearest_sample() {
        let (width, height, pad) = (5i32, 4i32, 3i32);
        let mut plane = numbered(5, 4, 3);
        plane.extend_border();
        for y in -pad..height + pad {
            for x in -pad..width + pad {
                let nearest = plane.index(x.clamp(0, width - 1), y.clamp(0, height - 1));
                assert_eq!(plane.samples()[plane.index(x, y)], plane.samples()[nearest], "({x}, {y})");
            }
        }
    }

    #[test]
    fn a_block_comes_back_as_it_was_written() {
        let mut plane = numbered(8, 8, 4);
        let block = [[9, 8, 7, 6], [5, 4, 3, 2]];
        plane.set_block(-2, 7, &block);
        assert_eq!(plane.block::<4, 2>(-2, 7), block);
        assert_eq!(plane.block::<4, 1>(2, 3), [[26, 27, 28, 29]]);
    }

    #[test]
    fn a_window_far_outside_is_empty_rather_than_a_panic() {
        assert!(Plane::new(4, 4, 1).window(1_000_000, 1_000_000).is_empty());
        assert!(Plane::new(4, 4, 1).window(-1_000_000, -1_000_000).is_empty());
    }

    #[test]
    fn a_smaller_picture_is_extended_to_the_right_and_below() {
        let mut large = Plane::new(6, 5, 0);
        large.copy_extended(&numbered(4, 3, 0));
        assert_eq!(large.row(0), [0, 1, 2, 3, 3, 3]);
        assert_eq!(large.row(4), [8, 9, 10, 11, 11, 11]);
    }
}
