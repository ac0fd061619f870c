//! Measures the grid: one run a point, one after the other, each in its own folder.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use workloads::{calibrate::calibrate, h264::EncodeConfig};

use crate::{
    agree::grid::{LoadShape, Point},
    backend::Backend,
    progress::Progress,
    runner,
    store::{Folder, PLAN, StoreError},
};

/// What came of it.
pub(super) struct Measured {
    /// The points that have begun.
    pub(super) folders: Vec<PathBuf>,
    /// Whether it was interrupted.
    pub(super) interrupted: bool,
}

/// Measures the points.
///
/// # Errors
/// A folder that holds a point already, before anything is measured; what kept a point from being measured, with its name.
pub(super) fn measure(
    points: &[Point],
    seed: u64,
    backend: &mut dyn Backend,
    out: &Path,
    stop: &AtomicBool,
    progress: &mut Progress,
) -> anyhow::Result<Measured> {
    let taken = points.iter().map(|point| out.join(point.name()).join(PLAN)).find(|plan| plan.exists());
    if let Some(path) = taken {
        return Err(StoreError::Exists { path }.into());
    }
    progress.begin_all(points.iter().map(Point::seconds).sum());
    let mut loads: Vec<(LoadShape, EncodeConfig)> = Vec::new();
    let mut folders = Vec::new();
    for (done, point) in points.iter().enumerate() {
        progress.place(format!("point {}/{} {}", done + 1, points.len(), point.name()));
        let failed =
            || format!("at the point {}; what was measured is kept in {}", point.name(), out.display());
        let encode = match loads.iter().find(|(load, _)| *load == point.load) {
            Some((_, encode)) => encode.clone(),
            None => {
                let encode = calibrated(point.load, seed, progress).with_context(failed)?;
                loads.push((point.load, encode.clone()));
                encode
            }
        };
        let path = out.join(point.name());
        let folder = Folder::create(&path).with_context(failed)?;
        folders.push(path);
        let command = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
        runner::run(&point.plan(seed, encode), backend, &folder, command, stop, progress)
            .with_context(failed)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(Measured { folders, interrupted: true });
        }
    }
    Ok(Measured { folders, interrupted: false })
}

fn calibrated(load: LoadShape, seed: u64, progress: &Progress) -> anyhow::Result<EncodeConfig> {
    let found =
        calibrate(load.share, &load.clock(seed), &load.encode(seed), &mut |text| progress.step(text))?;
    Ok(found.config)
}
