//! The help: every key, and what the columns are.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{Theme, put, row};
use crate::cmd::top::keys::KEYS;

/// What the columns mean, in the words of the kernel where it has some.
const COLUMNS: &[(&str, &str)] = &[
    ("CPU/LIMIT", "CPUs used, of the smallest limit up the tree"),
    ("THROTTLED", "periods that ended throttled, of active ones"),
    ("STALL/s", "time throttled in a second, summed over CPUs"),
    ("DELAY/s", "time threads could run and did not, likewise"),
    ("BURST/s", "CPU time above the quota in a second"),
    ("PSI", "part of the time in which some task waited"),
    ("LAST MIN", "throttled part of periods; · none; blank: idle"),
    ("CAUSE", "of the worst eight; … being watched"),
    ("-", "not known, not provided, or does not apply"),
];

pub(super) fn draw(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    put(buffer, row(area, 0), "cgtune top: keys and columns", theme.strong);
    put(buffer, row(area, area.height - 1), "any key goes back", theme.dim);
    let keys = KEYS.iter().map(|key| (key.shown, key.does));
    let wide = area.width >= 110;
    let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
    if wide {
        let half = Rect { width: area.width / 2, ..body };
        list(buffer, half, keys, theme);
        list(buffer, Rect { x: half.right(), ..half }, COLUMNS.iter().copied(), theme);
    } else {
        // Two columns of keys, then the meanings, as far as there is room.
        let keys: Vec<_> = keys.collect();
        let rows = keys.len().div_ceil(2);
        let half = Rect { width: area.width / 2, ..body };
        list(buffer, half, keys[..rows].iter().copied(), theme);
        list(buffer, Rect { x: half.right(), ..half }, keys[rows..].iter().copied(), theme);
        let below = u16::try_from(rows).unwrap_or(u16::MAX);
        if let Some(height) = body.height.checked_sub(below + 1) {
            list(buffer, Rect { y: body.y + below + 1, height, ..body }, COLUMNS.iter().copied(), theme);
        }
    }
}

fn list<'t>(buffer: &mut Buffer, area: Rect, lines: impl Iterator<Item = (&'t str, &'t str)>, theme: &Theme) {
    /// Room for the left part.
    const LEFT: u16 = 11;
    for (place, (left, right)) in (0..area.height).zip(lines) {
        let line = row(area, place);
        let short = left.len() <= 6 && area.width < 60;
        let indent = if short { 8 } else { LEFT }.min(area.width);
        put(buffer, line, left, theme.key);
        let text = Rect { x: line.x + indent, width: line.width.saturating_sub(indent + 1), ..line };
        put(buffer, text, right, Style::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_fits_80_columns() {
        for key in KEYS {
            assert!(key.shown.chars().count() <= 6 && key.does.chars().count() <= 31, "{key:?}");
        }
    }
}
