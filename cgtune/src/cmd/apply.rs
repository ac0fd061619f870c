//! `cgtune apply`: changes a running cgroup, planned, shown, written down, read back, and undone on request.

mod timed;
mod wanted;

use std::{
    ffi::{OsStr, OsString},
    io::{BufRead as _, IsTerminal as _, Write as _},
    time::Duration,
};

use anyhow::anyhow;
use cgtune_core::{
    CpuControl as _, Micros,
    plan::{Flags, Goal},
};
use cgtune_node::{
    change::{self, About, ChangeError, Ready},
    journal::{Entry, Journal, Writer},
    owner,
};
use cgtune_sys::{Cgroup, Hierarchies};

pub(super) use wanted::{refused, share_of};

use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    interrupt::Interrupt,
    render,
    streams::Streams,
    target::{self, Target},
};

const EXAMPLES: &str = "\
TARGET is a cgroup path, a pid, or a container id or its beginning;
pod:NAMESPACE/POD is a pod's container, unit:NAME a systemd unit.
The plan is shown first. On a terminal you are asked; elsewhere --yes is needed.
Every change is written down before its first write: cgtune undo takes it back.

Examples:
  cgtune apply 3b2e --burst 100%              save up to one quota
  cgtune apply 3b2e --cpu-limit 1500m --with-pod
  cgtune apply /demo --quota max --dry-run
  cgtune apply 4711 --cpuset-cpus 2-3 --for 10m
  cgtune apply unit:nginx.service --weight 200 --yes --json

It needs the right to write the cgroup's files (root, or the owner of a
delegated subtree), and no capability besides.";

/// How long to wait for another cgtune that is changing something.
const PATIENCE: Duration = Duration::from_secs(10);

/// Change a running cgroup, with undo
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Cgroup path, pid, container id or its beginning
    #[arg(value_name = "TARGET")]
    target: OsString,
    #[command(flatten)]
    wanted: wanted::Wanted,
    /// Change the pod's quota and burst by as much, in the order that stays legal
    #[arg(long)]
    with_pod: bool,
    #[command(flatten)]
    manner: Manner,
}

/// How a change is made, for every verb that makes one.
#[derive(Debug, clap::Args)]
pub(super) struct Manner {
    /// Undo it after this time, or when interrupted
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// Show the plan and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    ledger: cli::Ledger,
    #[command(flatten)]
    output: cli::Output,
}

/// The state to reach from what is there, and what is worth saying about how what was typed was understood.
pub(super) type Aim<'a> = dyn Fn(&mut Cgroup) -> anyhow::Result<(Goal, Vec<String>)> + 'a;

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    args.wanted.check()?;
    let aim = |cgroup: &mut Cgroup| {
        let observed = cgroup.observe().map_err(target::kernel)?;
        args.wanted.goal(&observed, cgroup.capabilities().cpu)
    };
    change(&args.target, &aim, args.with_pod, Flags::APPLY, &args.manner, streams)
}

/// Plans, shows, asks, writes down, writes and reads back; and later takes it back, where that was asked for.
pub(super) fn change(
    target: &OsStr,
    aim: &Aim<'_>,
    with_pod: bool,
    flags: Flags,
    args: &Manner,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    if args.output.json && !args.yes && !args.dry_run {
        let error = anyhow!("--json asks nobody, so it must be said before whether to write");
        return Err(Hinted::new(error, "add --yes to write, or --dry-run to look only").into());
    }
    let duration = args.duration.as_deref().map(timed::duration).transpose()?;
    let (journal, hierarchies) = args.ledger.open()?;
    let cgroup = Target::parse(Some(target))?.open(&hierarchies, &args.ledger.ask()?)?;
    refuse_on_top_of_half_done(&journal, &cgroup, &args.ledger)?;
    let path = cgroup.path().to_owned();
    let (mut groups, notes) = planned(aim, with_pod, flags, &hierarchies, cgroup)?;
    let ownership = owner::of(&path, hierarchies.host());
    let goal =
        groups.iter().find(|ready| ready.cgroup.path() == path).map(|ready| ready.planned.goal.clone());
    let aftermath = render::owner::Aftermath::new(&ownership, &goal.unwrap_or_default());

    let writes: usize = groups.iter().map(|ready| ready.planned.steps.len()).sum();
    let told = |entry: Option<&Entry>, groups: &[Ready], streams: &mut Streams<'_>| -> anyhow::Result<()> {
        if args.output.json {
            render::apply_json::write(groups, entry, args.dry_run, &notes, &aftermath, streams.out)?;
        }
        Ok(())
    };
    if !args.output.json {
        render::plan::write(&groups, streams.out)?;
        for note in &notes {
            for line in render::paragraph::wrap(&format!("note: {note}"), render::paragraph::WIDTH) {
                writeln!(streams.out, "{line}")?;
            }
        }
    }
    if writes == 0 || args.dry_run {
        if !args.output.json {
            let end = if writes == 0 {
                "nothing differs; nothing to write"
            } else {
                "dry run: nothing was written"
            };
            writeln!(streams.out, "{end}")?;
            aftermath.write(streams.out)?;
        }
        told(None, &groups, streams)?;
        return Ok(Exit::Done);
    }
    if !args.yes && !confirmed(writes, streams)? {
        writeln!(streams.err, "nothing was written")?;
        return Ok(Exit::Failed);
    }
    let interrupt = Interrupt::watch()?;
    let writer = lock(&journal, streams)?;
    let about = about(duration);
    let mut entry = match change::make(&mut groups, about, &writer, &mut || interrupt.asked()) {
        Err(ChangeError::TakenBack { cause }) if matches!(*cause, ChangeError::Stopped) => {
            writeln!(streams.err, "interrupted; the earlier state is restored")?;
            return Ok(Exit::Interrupted);
        }
        Err(error @ ChangeError::Stuck { id, .. }) => {
            let command = args.ledger.command(&format!("undo {id}"));
            return Err(Hinted::command(error, "try to restore it again", command).into());
        }
        other => other.map_err(|error| failed(error, flags))?,
    };
    drop(writer);
    let undo = args.ledger.command(&format!("undo {}", entry.id));
    let mut answer = || -> anyhow::Result<()> {
        told(Some(&entry), &groups, streams)?;
        if !args.output.json {
            let writes = format!("{writes} {}", if writes == 1 { "write" } else { "writes" });
            let done = format!("done: {writes}, read back; take it back with:");
            for line in render::paragraph::wrap_to_command(&done, &undo, render::paragraph::WIDTH) {
                writeln!(streams.out, "{line}")?;
            }
            aftermath.write(streams.out)?;
        }
        Ok(streams.out.flush()?)
    };
    // The change is made, whether or not anybody could be told.
    if let Err(error) = answer() {
        let mut unsaid = Vec::new();
        let mut streams = Streams { out: &mut unsaid, err: streams.err };
        let outcome = match duration {
            Some(_)
                if timed::undo_now(&mut entry, &undo, &journal, &hierarchies, &mut streams)?
                    == Exit::Done =>
            {
                format!("change {} is undone, as the answer could not be written", entry.id)
            }
            _ => format!("change {} is made; take it back with: {undo}", entry.id),
        };
        let _ = writeln!(streams.err, "{outcome}");
        return Err(error);
    }
    match duration {
        Some(duration) => {
            // The answer was given above; the rest is for whoever watches.
            let mut unsaid = Vec::new();
            let out: &mut dyn std::io::Write = if args.output.json { &mut unsaid } else { streams.out };
            let mut streams = Streams { out, err: streams.err };
            timed::then_undo(duration, entry, &undo, &journal, &hierarchies, &interrupt, &mut streams)
        }
        None if interrupt.asked() => Ok(Exit::Interrupted),
        None => Ok(Exit::Done),
    }
}

/// The change of the group, and of its pod where asked for; what is worth saying about how it was understood.
fn planned(
    aim: &Aim<'_>,
    with_pod: bool,
    flags: Flags,
    hierarchies: &Hierarchies,
    mut cgroup: Cgroup,
) -> anyhow::Result<(Vec<Ready>, Vec<String>)> {
    let (goal, notes) = aim(&mut cgroup)?;
    let ready = if with_pod {
        let pod = change::pod_of(cgroup.path()).ok_or_else(|| {
            Hinted::new(
                anyhow!("--with-pod: no group above this one is named like a pod's"),
                "pods are named pod<uid> or kubepods-…-pod<uid>.slice; leave --with-pod out elsewhere",
            )
        })?;
        change::prepare_with_pod(hierarchies, &pod, cgroup, goal)
    } else {
        change::prepare(cgroup, goal).map(|ready| vec![ready])
    };
    Ok((ready.map_err(|error| failed(error, flags))?, notes))
}

/// A group that somebody was killed in the middle of changing is repaired first: over it, the way back would be lost.
fn refuse_on_top_of_half_done(
    journal: &Journal,
    cgroup: &Cgroup,
    ledger: &cli::Ledger,
) -> anyhow::Result<()> {
    let half_done = || -> anyhow::Result<Option<Entry>> {
        let ours = |entry: &Entry| entry.groups.iter().any(|group| group.id == cgroup.id());
        Ok(journal.read()?.entries.into_iter().find(|entry| entry.state.is_half_done() && ours(entry)))
    };
    if half_done()?.is_none() {
        return Ok(());
    }
    // It may be under way just now. Only who has the lock knows that nobody is at it; who has not waits below.
    let Ok(_writer) = journal.lock(Duration::ZERO, &mut |_| {}) else { return Ok(()) };
    let Some(entry) = half_done()? else { return Ok(()) };
    let error = anyhow!("change {} of this group was interrupted and is {}", entry.id, entry.state.name());
    let command = ledger.command(&format!("undo {}", entry.id));
    Err(Hinted::command(error, "repair it first", command).into())
}

fn about(duration: Option<Micros>) -> About {
    let now = jiff::Timestamp::now();
    let until = duration.and_then(|duration| now.checked_add(timed::std_duration(duration)).ok());
    About {
        at: now.to_string(),
        until: until.map(|until| until.to_string()),
        command: std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
    }
}

/// Takes the lock, and says so when it has to wait.
pub(super) fn lock(journal: &Journal, streams: &mut Streams<'_>) -> anyhow::Result<Writer> {
    let err = &mut streams.err;
    let mut waiting = |holder: &str| {
        // Who has just begun has not written it yet.
        let process = match holder {
            "" => String::new(),
            holder => format!(" (process {})", cgtune_core::text::Escaped(holder.as_bytes())),
        };
        let _ = writeln!(err, "waiting for another cgtune{process} …");
    };
    Ok(journal.lock(PATIENCE, &mut waiting)?)
}

/// Asks, on a terminal; elsewhere it is an error not to have said --yes.
fn confirmed(writes: usize, streams: &mut Streams<'_>) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let error = anyhow!("nobody is here to confirm this, so nothing was written");
        return Err(Hinted::new(error, "say --yes to write, or --dry-run to look only").into());
    }
    streams.out.flush()?;
    write!(
        streams.err,
        "Write {}? [y/N] ",
        if writes == 1 { "it".to_owned() } else { format!("these {writes}") }
    )?;
    streams.err.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A change that was not made, with the nearest that the kernel would take.
pub(super) fn failed(error: ChangeError, flags: Flags) -> anyhow::Error {
    use cgtune_core::control::ApplyError;
    let hint = match &error {
        ChangeError::Apply { cause, .. } => match cause.as_ref() {
            ApplyError::Plan(error) => error.nearest(flags),
            _ => None,
        },
        ChangeError::Kernel { source, .. } => source.hint(),
        ChangeError::TakenBack { cause } => match cause.as_ref() {
            ChangeError::Kernel { source, .. } => source.hint(),
            _ => None,
        },
        ChangeError::Overtaken { .. } => Some("run it again to see the present state".to_owned()),
        _ => None,
    };
    match hint {
        Some(hint) => Hinted::new(error, hint).into(),
        None => error.into(),
    }
}
