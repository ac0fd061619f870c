//! Boxes in boxes, placed: children from left to right and from top to bottom, each box as small as they allow.

use cgtune_chart::{
    font::{self, Weight},
    scene::Extent,
};

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
        let inside = most - 2.0 * self.pad;
        let children = self.children.into_iter().map(|child| {
            let most = inside.min(child.most);
            child.place((0.0, 0.0), most)
        });
        let mut children: Vec<_> = children.collect();
        let in_row = in_row(&children, inside, self.gap);
        let start = left + self.pad;
        let (mut x, mut y) = (start, top + self.pad + title_room);
        let (mut row, mut widest, mut placed) = (0.0_f64, 0.0_f64, 0);
        for child in &mut children {
            let full = placed == in_row || x + child.extent.width() > start + inside;
            if full && placed > 0 {
                (x, y) = (start, y + row + self.gap);
                (row, placed) = (0.0, 0);
            }
            child.shift(x, y);
            row = row.max(child.extent.height());
            widest = widest.max(child.extent.right - left + self.pad);
            x = child.extent.right + self.gap;
            placed += 1;
        }
        let titled = font::room(&self.title, self.size, Weight::Regular) + 2.0 * self.pad;
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

/// How many of them a row takes. Those that are equally wide make rows that are equally long, so that none is left over alone.
fn in_row<T>(children: &[Placed<T>], room: f64, gap: f64) -> usize {
    let mut widths = children.iter().map(|child| child.extent.width());
    let Some(first) = widths.next().filter(|first| widths.all(|width| width == *first)) else {
        return usize::MAX;
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred at most")]
    let fit = (((room + gap) / (first + gap)) as usize).max(1);
    children.len().div_ceil(children.len().div_ceil(fit))
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
