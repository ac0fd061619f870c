//! `cgtune undo`: takes changes of ours back, also those that were interrupted.

use std::ffi::OsString;

use anyhow::anyhow;
use cgtune_core::{plan::Flags, text::Escaped};
use cgtune_node::{
    change::{self, ChangeError},
    journal::{Contents, Entry, Writer},
};
use cgtune_sys::Hierarchies;

use super::apply;
use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    render,
    streams::Streams,
    target::{self, Target},
};

const EXAMPLES: &str = "\
Without an argument the newest change is undone. A change whose values somebody
else has changed since is refused, with what differs (exit 1), unless --force;
one under a newer change of the same values is refused until that is undone.

Examples:
  cgtune undo
  cgtune undo 12                    this change; cgtune history has the numbers
  cgtune undo /kubepods/podX/app    all changes of this cgroup, the newest first
  cgtune undo --all";

/// Take changes back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Number of a change, or a cgroup path, pid (pid:N) or container id
    #[arg(value_name = "ID|TARGET", conflicts_with = "all")]
    what: Option<OsString>,
    /// Everything that is not undone yet
    #[arg(long)]
    all: bool,
    /// Also where somebody else has changed the values since
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    ledger: cli::Ledger,
    #[command(flatten)]
    output: cli::Output,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let (journal, hierarchies) = args.ledger.open()?;
    let writer = apply::lock(&journal, streams)?;
    let mut contents = journal.read()?;
    for damaged in &contents.damaged {
        streams.warn(damaged)?;
    }
    let chosen = choose(args, &contents, &hierarchies)?;
    let mut worst = Exit::Done;
    let mut told = Vec::new();
    for mut entry in chosen {
        let mut quiet: (Vec<u8>, Vec<u8>) = Default::default();
        let outcome = if args.output.json {
            let mut silent = Streams { out: &mut quiet.0, err: streams.err };
            one(&mut entry, &hierarchies, &writer, args.force, &contents.entries, &mut silent)
        } else {
            one(&mut entry, &hierarchies, &writer, args.force, &contents.entries, streams)
        };
        match outcome {
            Ok(exit) => worst = if worst == Exit::Done { exit } else { worst },
            // One that cannot be undone does not keep the others from it.
            Err(error) if args.all => {
                crate::failure::report(&error, streams.err);
                worst = Exit::Failed;
            }
            Err(error) => return Err(error),
        }
        // The next one may have lain under it.
        if let Some(now) = contents.entries.iter_mut().find(|other| other.id == entry.id) {
            now.clone_from(&entry);
        }
        told.push(entry);
    }
    if args.output.json {
        render::history_json::write("cgtune.undo/1", &told, streams.out)?;
    } else if told.is_empty() {
        writeln!(streams.out, "nothing to undo")?;
    }
    Ok(worst)
}

/// Undoes one change and says so. Under a newer one of ours, or changed by somebody else: which, or what differs, and exit
/// code 1.
pub(super) fn one(
    entry: &mut Entry,
    hierarchies: &Hierarchies,
    writer: &Writer,
    force: bool,
    all: &[Entry],
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    match change::undo(entry, all, hierarchies, writer, force) {
        Ok(()) => {
            writeln!(streams.out, "undone: change {}", entry.id)?;
            render::plan::write_back(entry, streams.out)?;
            Ok(Exit::Done)
        }
        Err(ChangeError::Overlaid { id, newer }) => {
            writeln!(
                streams.err,
                "change {id} is not undone: change {newer} of ours is newer: undo that first"
            )?;
            Ok(Exit::Found)
        }
        Err(ChangeError::Changed { path, differences }) => {
            let name = Escaped(path.as_os_str().as_encoded_bytes());
            writeln!(
                streams.err,
                "change {} is not undone: {name} was changed by somebody else since",
                entry.id
            )?;
            for difference in &differences {
                let there = difference.there.as_deref().unwrap_or("no such file");
                writeln!(
                    streams.err,
                    "  {}: cgtune left {}, there is {there} now",
                    difference.what,
                    if difference.wanted.is_empty() { "nothing" } else { &difference.wanted }
                )?;
            }
            writeln!(streams.err, "  --force goes back to the state before the change all the same")?;
            Ok(Exit::Found)
        }
        Err(error) => Err(apply::failed(error, Flags::APPLY)),
    }
}

/// Which changes are meant, the newest first.
fn choose(args: &Args, contents: &Contents, hierarchies: &Hierarchies) -> anyhow::Result<Vec<Entry>> {
    let boot = hierarchies.boot_id().map_err(target::kernel)?;
    let ours = |entry: &&Entry| entry.groups.iter().all(|group| group.id.boot == boot);
    let open = || contents.entries.iter().rev().filter(ours).filter(|entry| entry.state.is_open());
    let Some(what) = &args.what else {
        // What is gone needs no undoing, and would hide what does when only the newest is asked for.
        let alive = |entry: &&Entry| {
            !matches!(
                change::standing(entry, hierarchies),
                Err(ChangeError::Gone { .. } | ChangeError::EarlierBoot { .. })
            )
        };
        let alive: Vec<Entry> = open().filter(alive).cloned().collect();
        return Ok(if args.all { alive } else { alive.into_iter().take(1).collect() });
    };
    let number =
        what.to_str().and_then(|text| text.strip_prefix("change:").unwrap_or(text).parse::<u64>().ok());
    if let Some(id) = number {
        let Some(entry) = contents.entries.iter().find(|entry| entry.id == id) else {
            let error = anyhow!("there is no change {id}");
            let hint = format!("pid:N names a process; {} lists them", args.ledger.command("history"));
            return Err(Hinted::new(error, hint).into());
        };
        if !entry.state.is_open() {
            return Err(anyhow!("change {id} is {} already", entry.state.name()));
        }
        return Ok(vec![entry.clone()]);
    }
    let cgroup = Target::parse(Some(what))?.open(hierarchies, &args.ledger.ask()?)?;
    let of_it: Vec<Entry> =
        open().filter(|entry| entry.groups.iter().any(|group| group.id == cgroup.id())).cloned().collect();
    if of_it.is_empty() {
        let error =
            anyhow!("no change of {} is left to undo", Escaped(cgroup.path().as_os_str().as_encoded_bytes()));
        let hint = format!("{} lists all changes", args.ledger.command("history"));
        return Err(Hinted::new(error, hint).into());
    }
    Ok(of_it)
}
