//! Boxes in boxes, placed: children from left to right and from top to bottom, each box as small as they allow.

use cgtune_chart::{
    font::{self, Weight},
    scene::Extent,
};

/// Where the font is missing that widths are reckoned with, another is wider by as much.
pub(super) const OTHER_FONT: f64 = 1.15;

/// A box before it has a place.
pub(super) struct Item<T> {
    /// What it is.
    pub(super) what: T,
    /// What stands at its top; nothing, and no room for it, if empty.
    pub(super) title: String,
    /// Size of that.
    pub(super) size: f64,
    /// Room around its children.
    pub(super) pad: f64,
    /// Room between them.
    pub(super) gap: f64,
    /// The least that it takes.
    pub(super) least: (f64, f64),
    /// No wider than this, where that can be.
    pub(super) most: f64,
    pub(super) children: Vec<Item<T>>,
}

/// A box at its place.
pub(super) struct Placed<T> {
    pub(super) what: T,
    pub(super) title: String,
    pub(super) size: f64,
    pub(super) pad: f64,
    pub(super) extent: Extent,
    pub(super) children: Vec<Placed<T>>,
}

impl<T> Item<T> {
    /// Places it with its top left here, no wider than so much where that can be.
    pub(super) fn place(self, (left, top): (f64, f64), most: f64) -> Placed<T> {
        let title_room = if self.title.is_empty() { 0.0 } else { self.size * 1.4 };
        let right = left + most - self.pad;
        let (mut x, mut y) = (left + self.pad, top + self.pad + title_room);
        let (mut row, mut widest) = (0.0_f64, 0.0_f64);
        let mut children = Vec::with_capacity(self.children.len());
        for child in self.children {
            let most = (right - left - self.pad).min(child.most);
            let mut placed = child.place((x, y), most);
            if placed.extent.right > right && x > left + self.pad {
                let (dx, dy) = (left + self.pad - x, row + self.gap);
                placed.shift(dx, dy);
                (y, row) = (y + dy, 0.0);
            }
            row = row.max(placed.extent.height());
            x = placed.extent.right + self.gap;
            widest = widest.max(placed.extent.right - left + self.pad);
            children.push(placed);
        }
        let titled = font::width(&self.title, self.size, Weight::Regular) * OTHER_FONT + 2.0 * self.pad;
        let width = widest.max(if self.title.is_empty() { 0.0 } else { titled }).max(self.least.0);
        let height = (y - top + row + self.pad).max(self.least.1);
        Placed {
            what: self.what,
            title: self.title,
            size: self.size,
            pad: self.pad,
            extent: Extent { left, top, right: left + width, bottom: top + height },
            children,
        }
    }
}

impl<T> Placed<T> {
    fn shift(&mut self, dx: f64, dy: f64) {
        let Extent { left, top, right, bottom } = &mut self.extent;
        (*left, *right, *top, *bottom) = (*left + dx, *right + dx, *top + dy, *bottom + dy);
        self.children.iter_mut().for_each(|child| child.shift(dx, dy));
    }

    /// Itself and all below it, boxes before what lies on them.
    pub(super) fn visit(&self, see: &mut impl FnMut(&Self)) {
        see(self);
        self.children.iter().for_each(|child| child.visit(see));
    }
}
