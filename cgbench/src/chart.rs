//! Charts: what a table cannot show, as SVG for the web and PNG for everything else.
//!
//! Each chart first becomes a [`Scene`], which `cgtune-chart` paints in both formats, so that they are the same picture.
//!
//! | file | shows |
//! |---|---|
//! | `overview` | throttled share and tail of each condition, block by block |
//! | `percentiles` | how the latency grows towards the tail, a line a policy |
//! | `timeline` | the worst second of the limit, frame by frame, and the same second with burst |
//!
//! and, over several runs, `signature`: throttled share and p99 by how much of the limit is used, the kernel over the model.
//!
//! No box plots and no violins: both hide the tail, and the tail is the matter.

mod overview;
mod percentiles;
mod policy;
mod signature;
mod timeline;

use std::path::{Path, PathBuf};

use cgtune_chart::{
    Scene,
    paint::{self, PaintError},
};
use cgtune_sys::durable::Existing;
pub use overview::overview;
pub use percentiles::percentiles;
pub use signature::signature;
pub use timeline::timeline;

use crate::{
    record::Records,
    store::{StoreError, write_file},
    summary::Summary,
};

/// Names of the charts' files, without extension, in the order of the report.
pub const NAMES: [&str; 3] = ["overview", "percentiles", "timeline"];

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

/// Draws all charts into `folder`, replacing those that are there. Whatever a record lacks becomes a note in its
/// chart, never an error.
///
/// # Errors
/// [`ChartError`], when a file cannot be written.
pub fn draw_all(records: &Records, summary: &Summary, folder: &Path) -> Result<Vec<PathBuf>, ChartError> {
    let scenes = [overview(summary), percentiles(records, summary), timeline(records, summary)];
    let mut paths = Vec::new();
    for (name, scene) in NAMES.into_iter().zip(&scenes) {
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
