//! Measures the grid: one run a point, one after the other, each in its own folder.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use workloads::h264::EncodeConfig;

use crate::{
    agree::grid,
    backend::Backend,
    cmd::sizes::Sizes,
    plan::EncodeLoad,
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
    let mut sizes = Sizes::default();
    let mut points = Vec::new();
    for point in grid {
        let load = EncodeLoad {
            share: point.load.share,
            clock: point.load.clock(seed),
            encode: point.load.encode(seed),
        };
        let (width, height) = sizes.of(&load, Some(&point.name()), progress)?;
        let encode = EncodeConfig { width, height, ..load.encode };
        let folder = Folder::create(out.join(point.name()))?;
        points.push(Point::begin(point.plan(seed, encode), folder, backend, crate::cmd::command())?);
    }
    runner::run(&mut points, backend, stop, progress)
        .with_context(|| format!("what was measured is kept in {}", out.display()))?;
    let folders = points.iter().map(|point| point.folder().path().to_owned()).collect();
    Ok(Measured { folders, interrupted: stop.load(Ordering::Relaxed) })
}
