//! `cgtune history`: the changes that were made with this tool, and what became of them.

use std::time::Duration;

use cgtune_node::{
    change::{self, ChangeError, Standing},
    journal::{Entry, JournalError},
};
use cgtune_sys::Hierarchies;

use crate::{
    cli,
    exit::Exit,
    render::{self, history::Now},
    streams::Streams,
};

const EXAMPLES: &str = "\
Examples:
  cgtune history
  cgtune history --json";

/// List the changes made with this tool
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    ledger: cli::Ledger,
    #[command(flatten)]
    output: cli::Output,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let (journal, hierarchies) = args.ledger.open()?;
    let contents = journal.read()?;
    if args.output.json {
        render::history_json::write("cgtune.history/1", &contents.entries, streams.out)?;
    } else {
        // Somebody at work and somebody who was killed leave the same entry; only the lock tells them apart.
        let busy = contents.entries.iter().any(|entry| entry.state.is_half_done())
            && matches!(journal.lock(Duration::ZERO, &mut |_| {}), Err(JournalError::Busy { .. }));
        let told = |entry| (entry, now(entry, args, &contents.entries, busy, &hierarchies));
        let lines: Vec<_> = contents.entries.iter().map(told).collect();
        render::history::write(&lines, streams.out)?;
    }
    for damaged in &contents.damaged {
        streams.warn(damaged)?;
    }
    Ok(Exit::Done)
}

/// How it stands now, beyond what the entry says.
fn now(entry: &Entry, args: &Args, all: &[Entry], busy: bool, hierarchies: &Hierarchies) -> Now {
    let interrupted = entry.state.is_half_done();
    let undo = || Some(args.ledger.command(&format!("undo {}", entry.id)));
    let said = match change::standing(entry, hierarchies) {
        _ if !entry.state.is_open() => String::new(),
        _ if interrupted && busy => "under way".to_owned(),
        Err(ChangeError::Gone { made_anew: false, .. }) => "its group is gone".to_owned(),
        Err(ChangeError::Gone { made_anew: true, .. }) => "its group was removed and made anew".to_owned(),
        Err(ChangeError::EarlierBoot { .. }) => "of an earlier boot".to_owned(),
        Err(error) => error.to_string(),
        Ok(standing) => match change::overlay(entry, all, hierarchies) {
            // Also where the newer one happens to have led back: neither is in force alone.
            Some(newer) => format!("under change {}", newer.id),
            None if standing.contains(&Standing::Elsewhere) => "changed by somebody else since".to_owned(),
            None if interrupted => {
                let (done, planned) =
                    standing.iter().fold((0, 0), |(done, planned), standing| match standing {
                        Standing::OnTheWay(reached) => (done + reached.done, planned + reached.planned),
                        Standing::Elsewhere => (done, planned),
                    });
                let said = format!("interrupted after {done} of {planned} writes; to repair it:");
                return Now { said, command: undo() };
            }
            None if overdue(entry) => {
                let said = format!("was to end {}:", entry.until.as_deref().unwrap_or_default());
                return Now { said, command: undo() };
            }
            None => "in force".to_owned(),
        },
    };
    Now { said, command: None }
}

fn overdue(entry: &Entry) -> bool {
    let until = entry.until.as_deref().and_then(|until| until.parse::<jiff::Timestamp>().ok());
    until.is_some_and(|until| until < jiff::Timestamp::now())
}
