//! Runs a plan on a backend: the pilot, from which the quota follows, then the blocks in their order. Each block is on
//! disk before the next begins.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use cgtune_core::{Bandwidth, Micros, MilliCpu, Quota};

use crate::{
    backend::{Backend, BlockOrder, Entitlement, RunError},
    order::{Slot, interleaved},
    plan::{Condition, Plan, PolicyKind},
    record::{Block, Missed, RunRecord},
    store::Folder,
};

/// What a run tells while it runs.
pub trait Watcher {
    /// The pilot begins; it takes about so many seconds.
    fn pilot(&mut self, seconds: f64);
    /// The blocks begin: so many, of about so many seconds each, with this limit.
    fn blocks(&mut self, blocks: u32, seconds: f64, limit: Bandwidth, missed: &[Missed]);
    /// A block begins.
    fn block(&mut self, index: u32, condition: Condition);
    /// So many seconds into it.
    fn tick(&mut self, seconds: f64);
}

/// Runs the plan and writes plan, machine, run and blocks into the folder.
///
/// # Errors
/// What kept the run from going on. Blocks measured before are on disk, and the run is marked partial there.
pub fn run(
    plan: &Plan,
    backend: &mut dyn Backend,
    folder: &Folder,
    command: Vec<String>,
    stop: &AtomicBool,
    watcher: &mut dyn Watcher,
) -> Result<RunRecord, RunError> {
    let began = Instant::now();
    let started = jiff::Timestamp::now().to_string();
    let mut missed = Vec::new();
    let mut conditions = Vec::new();
    for &condition in &plan.conditions {
        match backend.provides(plan, condition) {
            Ok(()) => conditions.push(condition),
            Err(reason) => missed.push(Missed { condition, reason }),
        }
    }
    folder.write_plan(plan)?;
    folder.write_machine(&backend.machine())?;

    let mut record = RunRecord {
        schema: RunRecord::SCHEMA.to_owned(),
        backend: backend.kind(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        started,
        seconds: 0.0,
        pilot_cpu_ns_per_frame: 0,
        pilot_cpus: 0.0,
        partial: true,
        missed,
    };
    let Some(pilot) = run_pilot(plan, backend, stop, watcher)? else { return Ok(record) };
    record.pilot_cpus = pilot.interval.cpus_used().filter(|&cpus| cpus > 0.0).ok_or(RunError::NoUse)?;
    record.pilot_cpu_ns_per_frame = mean_cpu_ns(&pilot);
    let entitlement = entitle(record.pilot_cpus, plan)?;

    let slots = interleaved(plan, &conditions);
    let count = u32::try_from(slots.len()).unwrap_or(u32::MAX);
    watcher.blocks(count, block_seconds(plan, plan.frames), entitlement.limit, &record.missed);
    for (index, slot) in (0..).zip(slots) {
        folder.write_run(&RunRecord { seconds: began.elapsed().as_secs_f64(), ..record.clone() })?;
        watcher.block(index, slot.condition);
        let order = BlockOrder { plan, index, slot, frames: plan.frames, entitlement: Some(entitlement) };
        if let Some(block) = backend.run(&order, stop, &mut |seconds| watcher.tick(seconds))? {
            folder.write_block(&block)?;
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    record.partial = stop.load(Ordering::Relaxed);
    record.seconds = began.elapsed().as_secs_f64();
    folder.write_run(&record)?;
    Ok(record)
}

/// One block without any policy, over the whole clip: what the load needs on this machine today.
fn run_pilot(
    plan: &Plan,
    backend: &mut dyn Backend,
    stop: &AtomicBool,
    watcher: &mut dyn Watcher,
) -> Result<Option<Block>, RunError> {
    let frames = plan.encode.clip_frames.max(plan.encode.gop);
    watcher.pilot(block_seconds(plan, frames));
    let slot = Slot { condition: Condition { policy: PolicyKind::Shares, neighbour: false }, repetition: 0 };
    let order = BlockOrder { plan, index: 0, slot, frames, entitlement: None };
    Ok(backend.run(&order, stop, &mut |seconds| watcher.tick(seconds))?.filter(|block| !block.partial))
}

/// Quota and request from the measured use: the limit is `headroom` × use, and the request equals it (a Guaranteed pod).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few CPUs, in µs"
)]
fn entitle(cpus: f64, plan: &Plan) -> Result<Entitlement, RunError> {
    let limit = cpus * plan.limit.headroom;
    let quota = Micros::new((limit * plan.limit.period_us.get() as f64).round() as u64);
    Ok(Entitlement {
        request: MilliCpu::new((limit * 1e3).ceil() as u64),
        limit: Bandwidth::new(Quota::Limited(quota), plan.limit.period_us, Micros::ZERO)?,
    })
}

fn mean_cpu_ns(block: &Block) -> u64 {
    let measured = block.frames.cpu_ns.get(block.warmup_frames as usize..).unwrap_or_default();
    let count = u64::try_from(measured.len()).unwrap_or(0);
    measured.iter().sum::<u64>().checked_div(count).unwrap_or(0)
}

/// About how long a block takes, its setting up included.
fn block_seconds(plan: &Plan, frames: u32) -> f64 {
    const SETTING_UP: f64 = 0.6;
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let interval = plan.clock.interval_ns().unwrap_or(0) as f64 / 1e9;
    f64::from(plan.warmup_frames + frames) * interval + SETTING_UP
}
