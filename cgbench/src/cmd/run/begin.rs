//! Everything before the first block: a new run, one like an earlier one, or the rest of one that was cut off.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Duration,
};

use anyhow::anyhow;

use super::{
    Args,
    backend::{self, BackendChoice},
    default_folder,
};
use crate::{
    backend::{Backend, kernel::Kernel},
    cmd::sizes::Sizes,
    differences::between_machines,
    doctor::{self, Doctor, Severity},
    experiment::Experiment,
    plan::Plan,
    progress::Progress,
    record::BackendKind,
    runner::Point,
    store::{self, Folder, Lock},
};

/// A run that is ready to go.
pub(super) struct Begun {
    pub(super) backend: Box<dyn Backend>,
    pub(super) points: Vec<Point>,
    /// The results folder: of the run, or of all its points.
    pub(super) path: PathBuf,
    /// Held while the run goes on: of the folder, and of each point's within it.
    pub(super) _locks: Vec<Lock>,
}

/// Begins.
///
/// # Errors
/// A plan or an earlier run that cannot be read, no permission to make cgroups, a folder that is in use.
pub(super) fn begin(args: &Args, stop: &AtomicBool, progress: &mut Progress) -> anyhow::Result<Begun> {
    match (&args.resume, &args.like) {
        (Some(path), _) => resume(args, path, stop, progress),
        (None, Some(path)) => like(args, path, stop, progress),
        (None, None) => new(args, stop, progress),
    }
}

/// For so long the machine is listened to before the first block. A fifth of a second is spent on sleeping besides.
const LISTEN: Duration = Duration::from_secs(1);

/// How fit the machine is, said where it is not; `None` for the model, which measures nothing of it. Before the kernel is opened:
/// the keeper of the CPUs would be heard.
fn look(choice: Option<BackendChoice>, stop: &AtomicBool, progress: &mut Progress) -> Option<Doctor> {
    // Permission first: nobody wants to wait to be told that there is none, and who gets the model has no machine to be judged.
    if choice == Some(BackendChoice::Sim) || Kernel::open(false).is_err() {
        return None;
    }
    progress.step("doctor: is this machine fit for measuring?");
    let doctor = doctor::examine(LISTEN, stop, &mut |_| {});
    for finding in doctor::findings(&doctor) {
        if finding.severity() > Severity::Fit {
            progress.say(&format!("doctor: {finding}"));
        }
    }
    Some(doctor)
}

fn new(args: &Args, stop: &AtomicBool, progress: &mut Progress) -> anyhow::Result<Begun> {
    let mut experiment = args.experiment()?;
    let doctor = look(args.backend, stop, progress);
    // Permission first: nobody wants to wait for the calibration to be told.
    let backend = backend::open(args.backend, args.let_sleep)?;
    let path = args.out.clone().unwrap_or_else(|| default_folder(&experiment.name));
    let lock = Folder::open(&path).lock()?;
    if let Some(taken) =
        store::runs(&path)?.iter().map(|run| run.join(store::PLAN)).find(|plan| plan.exists())
    {
        return Err(store::StoreError::Exists { path: taken }.into());
    }
    if backend.kind() == BackendKind::Kernel {
        size(&mut experiment, progress)?;
    }
    Folder::open(&path).write_experiment(&experiment.text)?;
    let plans = experiment.points.into_iter().map(|point| (point.slug(), point.plan));
    points(plans, backend, path, lock, doctor.as_ref())
}

/// Begins a run of each plan, in a folder of its own where there are several.
fn points(
    plans: impl Iterator<Item = (Option<String>, Plan)>,
    backend: Box<dyn Backend>,
    path: PathBuf,
    lock: Lock,
    doctor: Option<&Doctor>,
) -> anyhow::Result<Begun> {
    // What the model runs has no machine to be judged.
    let doctor = doctor.filter(|_| backend.kind() == BackendKind::Kernel);
    let mut locks = vec![lock];
    let points: Result<Vec<Point>, store::StoreError> = plans
        .map(|(slug, plan)| {
            let several = slug.is_some();
            let folder = Folder::create(slug.map_or_else(|| path.clone(), |slug| path.join(slug)))?;
            if several {
                locks.push(folder.lock()?);
            }
            doctor.map_or(Ok(()), |doctor| folder.write_doctor(doctor))?;
            Point::begin(plan, folder, backend.as_ref(), crate::cmd::command())
        })
        .collect();
    Ok(Begun { points: points?, backend, path, _locks: locks })
}

/// Gives each load the size at which it costs its share on this machine.
fn size(experiment: &mut Experiment, progress: &Progress) -> anyhow::Result<()> {
    let mut sizes = Sizes::default();
    for point in &mut experiment.points {
        if let Some(load) = point.sized_as() {
            let size = sizes.of(load, point.plan.point.as_deref(), progress)?;
            point.size(size);
        }
    }
    Ok(())
}

fn like(args: &Args, like: &Path, stop: &AtomicBool, progress: &mut Progress) -> anyhow::Result<Begun> {
    let mut plans = Vec::new();
    for run in store::runs(like)? {
        let mut plan = store::read_plan(&run)?;
        plan.seed = args.short.seed.unwrap_or(plan.seed);
        plan.repetitions = args.short.repetitions.unwrap_or(plan.repetitions);
        plan.merged.clear();
        let slug = (run != like).then(|| run.file_name().map(|name| name.to_string_lossy().into_owned()));
        plans.push((slug.flatten(), plan));
    }
    let doctor = look(args.backend, stop, progress);
    let backend = backend::open(args.backend, args.let_sleep)?;
    let name = plans.first().map_or("like", |(_, plan)| plan.name.as_str());
    let path = args.out.clone().unwrap_or_else(|| default_folder(name));
    let lock = Folder::open(&path).lock()?;
    points(plans.into_iter(), backend, path, lock, doctor.as_ref())
}

/// All points are begun before the first block. Where one is missing the run was cut off before anything was measured.
fn whole(path: &Path, begun: usize) -> anyhow::Result<()> {
    let text = path.join(store::EXPERIMENT);
    let Ok(text) = std::fs::read_to_string(text) else { return Ok(()) };
    let points = Experiment::read("its experiment.toml", &text, &[])?.points.len();
    if begun < points {
        return Err(anyhow!(
            "{} was cut off while it was set up: {begun} of its {points} points were begun, and nothing was measured; remove it \
             and run the plan again",
            path.display()
        ));
    }
    Ok(())
}

fn resume(args: &Args, path: &Path, stop: &AtomicBool, progress: &mut Progress) -> anyhow::Result<Begun> {
    if !path.is_dir() {
        return Err(anyhow!("{} is no folder of results", path.display()));
    }
    let lock = Folder::open(path).lock()?;
    let runs = store::runs(path)?;
    let mut locks = vec![lock];
    let all: Vec<_> = runs
        .iter()
        .map(|run| {
            if run != path {
                locks.push(Folder::open(run).lock()?);
            }
            Folder::open(run).clear()?;
            Ok((run, store::read(run)?))
        })
        .collect::<Result<_, store::StoreError>>()?;
    whole(path, runs.len())?;
    let kind = all.first().map(|(_, records)| records.run.backend);
    let slept = all.first().is_some_and(|(_, records)| !records.machine.kept_awake);
    let choice = match kind {
        Some(BackendKind::Simulated) => Some(BackendChoice::Sim),
        _ => Some(BackendChoice::Kernel),
    };
    if args.backend.is_some_and(|asked| Some(asked) != choice) {
        return Err(anyhow!("{} was begun on another backend: a run stays on one", path.display()));
    }
    let doctor = look(choice, stop, progress);
    let backend = backend::open(choice, args.let_sleep || slept)?;
    let here = backend.machine();
    let mut points = Vec::new();
    for (run, records) in &all {
        let differs = between_machines(&records.machine, &here);
        if !differs.is_empty() {
            return Err(anyhow!(
                "{} was begun on another machine: {}; a run stays on one, so begin another there",
                run.display(),
                differs.join("; ")
            ));
        }
        if let Some(doctor) = &doctor {
            Folder::open(run.as_path()).write_doctor(doctor)?;
        }
        points.push(Point::resume(records, Folder::open(run.as_path()), crate::cmd::command()));
    }
    Ok(Begun { backend, points, path: path.to_owned(), _locks: locks })
}
