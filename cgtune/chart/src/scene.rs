//! A picture as data: marks in a coordinate system with the origin at the top left, one unit a CSS pixel.

use crate::font::{self, Weight};

/// A colour, and how much of it covers what is below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink {
    /// Red, green, blue.
    pub rgb: (u8, u8, u8),
    /// From 0 to 1.
    pub alpha: f64,
}

impl Ink {
    /// An opaque colour from `0xRRGGBB`.
    #[must_use]
    pub const fn new(hex: u32) -> Self {
        let [_, r, g, b] = hex.to_be_bytes();
        Self { rgb: (r, g, b), alpha: 1.0 }
    }

    /// The same, see-through.
    #[must_use]
    pub const fn fade(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// A part of the way to another colour.
    #[must_use]
    pub fn mix(self, other: Self, part: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
        let ((r, g, b), (r2, g2, b2)) = (self.rgb, other.rgb);
        Self { rgb: (mix(r, r2), mix(g, g2), mix(b, b2)), alpha: self.alpha }
    }
}

/// A point.
pub type Point = (f64, f64);

/// Which part of a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A piece of text on one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Where its baseline is, and there the part that `anchor` says.
    pub at: Point,
    /// The text.
    pub text: String,
    /// Size of the font.
    pub size: f64,
    /// Regular or bold.
    pub weight: Weight,
    /// Its colour.
    pub ink: Ink,
    /// Which part of it stands at `at`.
    pub anchor: Anchor,
}

/// A rectangle, from its top left to its bottom right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Left.
    pub left: f64,
    /// Top.
    pub top: f64,
    /// Right.
    pub right: f64,
    /// Bottom.
    pub bottom: f64,
}

impl Extent {
    /// Whether the two have an area in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether the other lies within.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    /// Width.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Height.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

impl Text {
    /// The room that it takes: its width, from the top of capitals to below the baseline.
    #[must_use]
    pub fn extent(&self) -> Extent {
        let width = font::width(&self.text, self.size, self.weight);
        let left = match self.anchor {
            Anchor::Start => self.at.0,
            Anchor::Middle => self.at.0 - width / 2.0,
            Anchor::End => self.at.0 - width,
        };
        let (top, bottom) = (self.at.1 - 0.74 * self.size, self.at.1 + 0.2 * self.size);
        Extent { left, top, right: left + width, bottom }
    }
}

/// One thing in the picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A filled shape.
    Area {
        /// Its corners.
        points: Vec<Point>,
        /// Its colour.
        ink: Ink,
    },
    /// A line through points.
    Line {
        /// The points.
        points: Vec<Point>,
        /// Its width.
        width: f64,
        /// Its colour.
        ink: Ink,
    },
    /// A disc.
    Dot {
        /// Its centre.
        at: Point,
        /// Its radius.
        radius: f64,
        /// Its colour.
        ink: Ink,
    },
    /// Text.
    Text(Text),
}

/// A picture: its size, what it shows in words, and its marks from back to front.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// For those who cannot see it.
    pub title: String,
    /// What stands below the title.
    pub subtitle: String,
    /// Back to front.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// All texts.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Text(text) => Some(text),
            Mark::Area { .. } | Mark::Line { .. } | Mark::Dot { .. } => None,
        })
    }

    /// The whole picture.
    #[must_use]
    pub fn extent(&self) -> Extent {
        Extent { left: 0.0, top: 0.0, right: self.width, bottom: self.height }
    }
}
