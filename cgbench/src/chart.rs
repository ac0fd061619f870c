//! Charts: what a table cannot show, as SVG for the web and PNG for everything else.
//!
//! Each chart first becomes a [`Scene`]: lines, areas and text in a coordinate system of our own, without any file or
//! backend, so that tests can ask whether two texts overlap. [`paint`] then turns it into both formats, so that they
//! are the same picture.
//!
//! | file | shows |
//! |---|---|
//! | `overview` | throttled share and tail of each condition, block by block |
//! | `percentiles` | how the latency grows towards the tail, a line a policy |
//! | `timeline` | the worst second of the limit, frame by frame, and the same second with burst |
//!
//! No box plots and no violins: both hide the tail, and the tail is the matter.

mod axis;
mod canvas;
mod font;
mod labels;
mod overview;
pub mod paint;
mod percentiles;
mod scene;
mod theme;
mod timeline;

use std::path::{Path, PathBuf};

pub use font::Weight;
pub use overview::overview;
pub use percentiles::percentiles;
pub use scene::{Anchor, Extent, Ink, Mark, Point, Scene, Text};
pub use timeline::timeline;

use crate::{record::Records, store::StoreError, summary::Summary};

/// Names of the charts' files, without extension, in the order of the report.
pub const NAMES: [&str; 3] = ["overview", "percentiles", "timeline"];

/// Why a chart could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The font that is built in cannot be used.
    #[error("cannot use the built-in font")]
    Font(#[from] ab_glyph::InvalidFont),
    /// A backend failed.
    #[error("cannot draw the chart as {format}: {reason}")]
    Draw {
        /// `SVG` or `PNG`.
        format: &'static str,
        /// What the backend says.
        reason: String,
    },
    /// The file could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Draws all charts into `folder`, replacing those that are there. Whatever a record lacks becomes a note in its
/// chart, never an error.
///
/// # Errors
/// [`ChartError`], when a file cannot be written.
pub fn draw_all(records: &Records, summary: &Summary, folder: &Path) -> Result<Vec<PathBuf>, ChartError> {
    let scenes = [overview(summary), percentiles(records, summary), timeline(records, summary)];
    let mut paths = Vec::new();
    for (name, scene) in NAMES.into_iter().zip(&scenes) {
        paths.push(paint::svg(scene, &folder.join(format!("{name}.svg")))?);
        paths.push(paint::png(scene, &folder.join(format!("{name}.png")))?);
    }
    Ok(paths)
}
