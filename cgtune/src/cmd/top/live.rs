//! The interactive table: ticks come in, keys come in, frames go out.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::{
    causes::{self, Causes},
    model::Model,
    names::Names,
    scanner::{Ended, Feed},
    terminal::{self, Screen},
    view::{Flow, View},
};
use crate::{exit::Exit, interrupt::Interrupt, render::top};

/// How long a tick or a signal waits at most until it is noticed; a key never waits.
const GLANCE: Duration = Duration::from_millis(50);
/// How often a frame is written at least: a terminal that is gone refuses it, and that may be all that tells.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

pub(crate) fn run(
    feed: &Feed,
    causes: &Causes,
    mut names: Names,
    mut model: Model,
    mut view: View,
    ticks: Option<u64>,
) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let theme = top::Theme::of_environment();
    let mut screen = Screen::enter().context("cannot take the terminal")?;
    let events = events().context("cannot start the thread that reads keys")?;
    let mut left = ticks;
    let mut stale = true;
    let mut drawn = Instant::now();
    loop {
        while let Some(tick) = next(feed)? {
            names.want(tick.look.groups.iter().map(|group| &group.path));
            model.take(tick, &causes.verdicts(), &names.known(), view.paused);
            if !view.paused {
                view.arrange(&model);
            }
            causes.watch(model.worst(causes::MOST));
            stale = true;
            left = left.map(|left| left.saturating_sub(1));
        }
        if interrupt.asked() {
            return Ok(Exit::Interrupted);
        }
        if left == Some(0) {
            return Ok(Exit::Done);
        }
        if stale || drawn.elapsed() > SIGN_OF_LIFE {
            screen
                .draw(|buffer| top::draw(buffer, &model, &mut view, &theme))
                .context("cannot draw on the terminal")?;
            feed.wish(view.wish(&model));
            (stale, drawn) = (false, Instant::now());
        }
        // All that is there at once, so that a held key is not drawn letter by letter.
        let mut patience = GLANCE;
        loop {
            let event = match events.recv_timeout(patience) {
                Ok(event) => event.context("cannot read from the terminal")?,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(died("reads keys")),
            };
            patience = Duration::ZERO;
            stale = true;
            match event {
                Event::Key(key) if key.kind != KeyEventKind::Release => match view.press(key, &model) {
                    Flow::On => {}
                    Flow::Quit => return Ok(Exit::Done),
                    Flow::Interrupt => return Ok(Exit::Interrupted),
                },
                _ => {}
            }
        }
    }
}

/// Keys and changes of size. Read in a thread of its own, which is never waited for: on a terminal that has hung up
/// crossterm (0.29, `UnixInternalEventSource::try_read`) reads for ever.
fn events() -> io::Result<Receiver<io::Result<Event>>> {
    let (to, events) = channel();
    let read = move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if to.send(event).is_err() || failed {
                return;
            }
        }
    };
    std::thread::Builder::new().name("keys".to_owned()).spawn(read)?;
    Ok(events)
}

fn next(feed: &Feed) -> anyhow::Result<Option<super::scanner::Tick>> {
    feed.next().map_err(|ended| match ended {
        Ended::Kernel(error) => crate::target::kernel(error),
        Ended::Died => died("scans"),
    })
}

/// A thread has panicked.
fn died(does: &str) -> anyhow::Error {
    let said = terminal::panic_elsewhere().unwrap_or_else(|| "it said nothing".to_owned());
    anyhow!("the thread that {does} has ended by itself: {said}; please report this")
}
