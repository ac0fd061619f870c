//! For which page a chart is laid out.

use crate::theme;

/// The page. A file stands alone, so its title is in the picture; a page that shows a chart among others says title and
/// subtitle itself, as text that reflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A file of its own.
    File,
    /// Part of a page on a screen or on paper.
    Wide,
    /// Part of a page on a telephone: as wide as its screen, so that text stays as large as it is.
    Narrow,
}

impl Format {
    /// Width of the picture.
    #[must_use]
    pub const fn width(self) -> f64 {
        match self {
            Self::File | Self::Wide => theme::WIDTH,
            Self::Narrow => 360.0,
        }
    }

    /// Empty space to the left and to the right, which [`crate::paint::inline`] leaves out.
    #[must_use]
    pub const fn margin(self) -> f64 {
        match self {
            Self::File | Self::Wide => theme::MARGIN,
            Self::Narrow => 2.0,
        }
    }

    /// Whether things that stand beside each other elsewhere have to stand above each other.
    #[must_use]
    pub fn is_narrow(self) -> bool {
        self == Self::Narrow
    }
}
