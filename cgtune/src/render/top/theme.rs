//! Colours, calm and told apart by colour-blind eyes (cyan, yellow and weight; no red beside green), and what takes their
//! place where there are none. Nothing is said by colour alone: every colour stands beside its number.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Debug)]
pub(crate) struct Theme {
    pub(super) strong: Style,
    pub(super) dim: Style,
    pub(super) heading: Style,
    pub(super) key: Style,
    /// A value that is worth a look.
    pub(super) warn: Style,
    /// One that hurts, and what went wrong.
    pub(super) bad: Style,
    pub(super) chart: Style,
    pub(super) selected: Style,
}

impl Theme {
    /// Plain with a NO_COLOR that is not empty (<https://no-color.org>).
    pub(crate) fn of_environment() -> Self {
        match std::env::var_os("NO_COLOR") {
            Some(value) if !value.is_empty() => Self::plain(),
            _ => Self::coloured(),
        }
    }

    /// Without colours.
    pub(crate) const fn plain() -> Self {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        Self {
            strong: bold,
            dim: Style::new(),
            heading: Style::new().add_modifier(Modifier::UNDERLINED),
            key: bold,
            warn: Style::new(),
            bad: bold,
            chart: Style::new(),
            // Over the colours of its cells, which turned round would be blocks.
            selected: Style::new().fg(Color::Reset).add_modifier(Modifier::REVERSED),
        }
    }

    const fn coloured() -> Self {
        let plain = Self::plain();
        Self {
            dim: Style::new().fg(Color::Gray),
            heading: Style::new().fg(Color::Cyan).add_modifier(Modifier::UNDERLINED),
            key: Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
            warn: Style::new().fg(Color::Yellow),
            bad: Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
            chart: Style::new().fg(Color::Cyan),
            ..plain
        }
    }

    /// For a part of periods that ended throttled.
    pub(super) fn throttled(&self, ratio: Option<f64>) -> Style {
        match ratio {
            Some(ratio) if ratio >= 0.25 => self.bad,
            Some(ratio) if ratio > 0.0 => self.warn,
            _ => Style::new(),
        }
    }

    /// For milliseconds a second that somebody stands still.
    pub(super) fn stall(&self, ms_per_s: Option<f64>) -> Style {
        match ms_per_s {
            Some(ms) if ms >= 100.0 => self.bad,
            Some(ms) if ms >= 1.0 => self.warn,
            _ => Style::new(),
        }
    }
}
