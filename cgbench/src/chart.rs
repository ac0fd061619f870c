//! Charts: what a table cannot show, as SVG for the web and PNG for everything else.
//!
//! Each chart first becomes a [`Scene`], which `cgtune-chart` paints in both formats, so that they are the same picture.
//!
//! | file | shows |
//! |---|---|
//! | `overview` | throttled share and tail of each condition, block by block |
//! | `percentiles` | how the latency grows towards the tail, a line a policy |
//! | `timeline` | the worst second of the limit, frame by frame, and the same second with burst |
//! | `heatmap` | when frames are slow: latency by second of the block |
//! | `cost` | the tail against the CPU that a policy sets aside |
//!
//! and, over several runs, `signature`: throttled share and p99 by how much of the limit is used, the kernel over the model; in a
//! report, where nothing plays the model, the kernel alone.
//!
//! No box plots and no violins: both hide the tail, and the tail is the matter.

mod cost;
mod heatmap;
mod overview;
mod percentiles;
pub(crate) mod policy;
mod signature;
mod timeline;

use std::path::{Path, PathBuf};

use cgtune_chart::{
    Format, Scene,
    paint::{self, PaintError},
};
use cgtune_sys::durable::Existing;
pub use cost::cost;
pub use heatmap::heatmap;
pub use overview::overview;
pub use percentiles::percentiles;
pub use signature::{signature, sweep};
pub use timeline::timeline;

use crate::{
    record::Records,
    store::{StoreError, write_file},
    summary::Summary,
};

/// Names of the charts' files, without extension, in the order of the report.
pub const NAMES: [&str; 5] = ["overview", "percentiles", "timeline", "heatmap", "cost"];

/// Why a chart could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// It cannot be painted.
    #[error(transparent)]
    Paint(#[from] PaintError),
    /// The file could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All charts of a run, ready to be drawn for any page.
pub struct Gallery<'a> {
    records: &'a Records,
    summary: &'a Summary,
    curves: percentiles::Curves,
}

impl<'a> Gallery<'a> {
    /// Does what all formats have in common.
    #[must_use]
    pub fn of(records: &'a Records, summary: &'a Summary) -> Self {
        Self { records, summary, curves: percentiles::Curves::of(records, summary) }
    }

    /// The charts, in the order of [`NAMES`].
    #[must_use]
    pub fn scenes(&self, format: Format) -> [Scene; NAMES.len()] {
        let Self { records, summary, curves } = self;
        [
            overview::draw(summary, format),
            curves.draw(summary, format),
            timeline::draw(records, summary, format),
            heatmap::draw(records, summary, format),
            cost::draw(records, summary, format),
        ]
    }
}

/// Draws all charts into `folder`, replacing those that are there. Whatever a record lacks becomes a note in its
/// chart, never an error.
///
/// # Errors
/// [`ChartError`], when a file cannot be written.
pub fn draw_all(records: &Records, summary: &Summary, folder: &Path) -> Result<Vec<PathBuf>, ChartError> {
    let mut paths = Vec::new();
    for (name, scene) in NAMES.into_iter().zip(&Gallery::of(records, summary).scenes(Format::File)) {
        paths.extend(write(name, scene, folder)?);
    }
    Ok(paths)
}

/// A picture as one file, PNG where it is named so and else SVG, replacing what is there.
///
/// # Errors
/// [`ChartError`], when it cannot be written.
pub fn write_one(scene: &Scene, path: &Path) -> Result<(), ChartError> {
    let bytes = match path.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("png") => paint::png(scene)?,
        _ => paint::svg(scene)?.into_bytes(),
    };
    Ok(write_file(path, &bytes, Existing::Replaced)?)
}

/// One picture as two files.
pub(crate) fn write(name: &str, scene: &Scene, folder: &Path) -> Result<[PathBuf; 2], ChartError> {
    let [svg, png] = ["svg", "png"].map(|ending| folder.join(format!("{name}.{ending}")));
    write_file(&svg, paint::svg(scene)?.as_bytes(), Existing::Replaced)?;
    write_file(&png, &paint::png(scene)?, Existing::Replaced)?;
    Ok([svg, png])
}
