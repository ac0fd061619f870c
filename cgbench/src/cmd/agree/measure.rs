//! Measures the grid: one run a point, one after the other, each in its own folder.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use workloads::{calibrate::calibrate, h264::EncodeConfig};

use crate::{
    agree::grid::{self, LoadShape},
    backend::Backend,
    progress::Progress,
    runner::{self, Point},
    store::{Folder, PLAN, StoreError},
};

/// What came of it.
pub(super) struct Measured {
    /// The points.
    pub(super) folders: Vec<PathBuf>,
    /// Whether it was interrupted.
    pub(super) interrupted: bool,
}

/// Measures the points.
///
/// # Errors
/// A folder that holds a point already, before anything is measured; what kept the points from being measured.
pub(super) fn measure(
    grid: &[grid::Point],
    seed: u64,
    backend: &mut dyn Backend,
    out: &Path,
    stop: &AtomicBool,
    progress: &mut Progress,
) -> anyhow::Result<Measured> {
    let taken = grid.iter().map(|point| out.join(point.name()).join(PLAN)).find(|plan| plan.exists());
    if let Some(path) = taken {
        return Err(StoreError::Exists { path }.into());
    }
    let mut loads: Vec<(LoadShape, EncodeConfig)> = Vec::new();
    let mut points = Vec::new();
    for point in grid {
        let encode = match loads.iter().find(|(load, _)| *load == point.load) {
            Some((_, encode)) => encode.clone(),
            None => {
                let encode = calibrated(point.load, seed, progress)
                    .with_context(|| format!("at the point {}", point.name()))?;
                loads.push((point.load, encode.clone()));
                encode
            }
        };
        let folder = Folder::create(out.join(point.name()))?;
        points.push(Point::begin(point.plan(seed, encode), folder, backend, crate::cmd::command())?);
    }
    runner::run(&mut points, backend, stop, progress)
        .with_context(|| format!("what was measured is kept in {}", out.display()))?;
    let folders = points.iter().map(|point| point.folder().path().to_owned()).collect();
    Ok(Measured { folders, interrupted: stop.load(Ordering::Relaxed) })
}

fn calibrated(load: LoadShape, seed: u64, progress: &Progress) -> anyhow::Result<EncodeConfig> {
    let found =
        calibrate(load.share, &load.clock(seed), &load.encode(seed), &mut |text| progress.step(text))?;
    Ok(found.config)
}
