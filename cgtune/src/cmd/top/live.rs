//! The interactive table: ticks come in, keys come in, frames go out.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::{
    causes::{self, Causes},
    model::Model,
    scanner::{Ended, Feed},
    terminal::{self, Screen},
    view::{Flow, View},
};
use crate::{exit::Exit, interrupt::Interrupt, render::top};

/// How long a tick or a signal waits at most until it is noticed; a key never waits.
const GLANCE: Duration = Duration::from_millis(50);

pub(crate) fn run(
    feed: &Feed,
    causes: &Causes,
    mut model: Model,
    mut view: View,
    ticks: Option<u64>,
) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let theme = top::Theme::of_environment();
    let mut screen = Screen::enter().context("cannot take the terminal")?;
    let mut left = ticks;
    let mut stale = true;
    loop {
        while let Some(tick) = next(feed)? {
            model.take(tick, &causes.verdicts(), view.paused);
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
        if stale {
            screen
                .draw(|buffer| top::draw(buffer, &model, &mut view, &theme))
                .context("cannot draw on the terminal")?;
            feed.wish(view.wish(&model));
            stale = false;
        }
        // All that is there at once, so that a held key is not drawn letter by letter.
        let mut patience = GLANCE;
        while event::poll(patience).context("cannot read from the terminal")? {
            patience = Duration::ZERO;
            stale = true;
            match event::read().context("cannot read from the terminal")? {
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

fn next(feed: &Feed) -> anyhow::Result<Option<super::scanner::Tick>> {
    feed.next().map_err(|ended| match ended {
        Ended::Kernel(error) => crate::target::kernel(error),
        Ended::Died => {
            let said = terminal::panic_elsewhere().unwrap_or_else(|| "it said nothing".to_owned());
            anyhow!("the thread that scans has ended by itself: {said}; please report this")
        }
    })
}
