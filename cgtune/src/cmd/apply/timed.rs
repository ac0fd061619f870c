//! `apply --for`: the change that undoes itself.

use std::time::Duration;

use anyhow::anyhow;
use cgtune_core::{Micros, Nanos};
use cgtune_node::journal::{Entry, Journal};
use cgtune_sys::{Hierarchies, clock};

use crate::{cmd::undo, exit::Exit, failure::Hinted, interrupt::Interrupt, progress, streams::Streams};

/// How often the wait looks up.
const TICK: Duration = Duration::from_millis(100);

pub(super) fn duration(text: &str) -> anyhow::Result<Micros> {
    let duration = Micros::parse(text).map_err(|error| anyhow!("--for: {error}"))?;
    if duration == Micros::ZERO {
        return Err(Hinted::new(anyhow!("--for: no time at all"), "for example --for 10m").into());
    }
    Ok(duration)
}

pub(super) fn std_duration(duration: Micros) -> Duration {
    Duration::from_micros(duration.get())
}

/// Waits for the end of the time, or for somebody who does not want to, and undoes the change.
pub(super) fn then_undo(
    duration: Micros,
    mut entry: Entry,
    command: &str,
    journal: &Journal,
    hierarchies: &Hierarchies,
    interrupt: &Interrupt,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    // Told or not, it is undone.
    let _ = writeln!(streams.err, "undone in {duration}; Ctrl-C undoes it now");
    wait(duration, interrupt);
    let exit = undo_now(&mut entry, command, journal, hierarchies, streams)?;
    Ok(if interrupt.asked() && exit == Exit::Done { Exit::Interrupted } else { exit })
}

/// Undoes the change. `command` does the same, for whoever must.
pub(super) fn undo_now(
    entry: &mut Entry,
    command: &str,
    journal: &Journal,
    hierarchies: &Hierarchies,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let writer = super::lock(journal, streams).map_err(|error| {
        let error = error.context(format!("change {} is still in force", entry.id));
        Hinted::command(error, "take it back", command.to_owned())
    })?;
    // Somebody may have changed it over this; a journal that cannot be read tells of nobody.
    let all = journal.read().map(|contents| contents.entries).unwrap_or_default();
    undo::one(entry, hierarchies, &writer, false, &all, streams)
}

fn wait(duration: Micros, interrupt: &Interrupt) {
    let total = duration.to_nanos();
    let end = clock::now().saturating_add(total);
    let bar = progress::bar(total.get(), "in force {bar:24} {prefix} left");
    while let Some(left) = end.checked_sub(clock::now()).filter(|&left| left != Nanos::ZERO) {
        if interrupt.asked() {
            break;
        }
        bar.set_position(total.get().saturating_sub(left.get()));
        bar.set_prefix(progress::minutes(left.get().div_ceil(1_000_000_000)));
        std::thread::sleep(Duration::from_nanos(left.get()).min(TICK));
    }
    bar.finish_and_clear();
}
