//! The table of groups.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{
    Theme,
    columns::{Column, Columns},
    put, row, width,
};
use crate::cmd::top::{
    label,
    model::Model,
    order::{Line, Order, Shape, Sort},
    view::View,
};

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, view: &View, theme: &Theme) {
    let visible = view.visible();
    let columns = Columns::fit(area.width, longest(model, &view.order, visible));
    headings(buffer, row(area, 0), &columns, &view.order, theme);
    if visible.is_empty() && area.height > 1 {
        let why = if model.rows.is_empty() {
            "looking …"
        } else if view.order.filter.is_empty() {
            match view.order.shape {
                Shape::Pods => "there is no pod here; o shows all cgroups",
                Shape::List | Shape::Tree => "there is no cgroup here",
            }
        } else {
            "no name or path contains this; Esc clears the filter"
        };
        put(buffer, row(area, 1), why, theme.dim);
    }
    for (place, line) in (1..area.height).zip(visible) {
        let cells = row(area, place);
        draw_line(buffer, cells, model, &view.order, *line, &columns, theme);
        if view.top + usize::from(place) - 1 == view.cursor {
            buffer.set_style(cells, theme.selected);
            // Bars turned round would show what is not there.
            if let Some((_, bars)) =
                self::cells(cells, &columns).find(|(column, _)| *column == Column::Minute)
            {
                buffer.set_style(bars, theme.chart.remove_modifier(Modifier::REVERSED));
            }
        }
    }
}

/// The longest name among lines.
pub(super) fn longest(model: &Model, order: &Order, lines: &[Line]) -> u16 {
    lines.iter().map(|line| width(&name(model, order, *line))).max().unwrap_or(0)
}

/// What a line is called: in a tree set in under its parent.
fn name(model: &Model, order: &Order, line: Line) -> String {
    let row = &model.rows[line.row];
    match order.shape {
        Shape::List => label::label(row),
        // A pod at the top has nobody above it who has said anything.
        Shape::Tree | Shape::Pods if line.indent == 0 => label::label(row),
        Shape::Tree | Shape::Pods => format!("{:1$}{2}", "", line.indent * 2, label::own(model, row)),
    }
}

pub(super) fn headings(buffer: &mut Buffer, area: Rect, columns: &Columns, order: &Order, theme: &Theme) {
    buffer.set_style(area, theme.heading);
    let mark = |by: bool| match (by, order.reversed) {
        (false, _) => "",
        (true, false) => "▼",
        (true, true) => "▲",
    };
    put(buffer, area, &format!("CGROUP{}", mark(order.sort == Sort::Name)), theme.heading);
    for (column, cells) in cells(area, columns) {
        let by = column.sort() == Some(order.sort);
        let heading = match column {
            Column::Minute if cells.width >= 22 => "THROTTLED, LAST MINUTE",
            column => column.heading(),
        };
        // The mark stands in the gap, so that no heading is too long for its column.
        let heading = format!("{}{heading}", mark(by));
        let cells = Rect { x: cells.x - 1, width: cells.width + 1, ..cells };
        let heading = if column.is_left() { format!(" {heading}") } else { heading };
        aligned(buffer, cells, &heading, column.is_left(), theme.heading);
    }
}

pub(super) fn draw_line(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    order: &Order,
    line: Line,
    columns: &Columns,
    theme: &Theme,
) {
    let group = &model.rows[line.row];
    let name_cells = Rect { width: columns.name, ..area };
    put(buffer, name_cells, &shortened(&name(model, order, line), columns.name), Style::new());
    for (column, cells) in cells(area, columns) {
        let (text, style) = column.cell(model, group, cells.width, theme);
        aligned(buffer, cells, &shortened_right(&text, cells.width), column.is_left(), style);
    }
}

fn cells(area: Rect, columns: &Columns) -> impl Iterator<Item = (Column, Rect)> {
    columns.places.iter().scan(area.x + columns.name, move |x, &(column, width)| {
        let cells = Rect { x: *x + 1, width, ..area };
        *x = cells.right();
        Some((column, cells))
    })
}

fn aligned(buffer: &mut Buffer, cells: Rect, text: &str, left: bool, style: Style) {
    let shift = if left { 0 } else { cells.width.saturating_sub(width(text)) };
    put(buffer, Rect { x: cells.x + shift, width: cells.width - shift, ..cells }, text, style);
}

/// A name that keeps its end, which tells groups apart.
pub(super) fn shortened(text: &str, room: u16) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars().rev() {
        used += width(c.encode_utf8(&mut [0; 4]));
        if used > room {
            break;
        }
        kept.push(c);
    }
    format!("…{}", kept.chars().rev().collect::<String>())
}

/// A word that keeps its beginning.
fn shortened_right(text: &str, room: u16) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(usize::from(room).saturating_sub(1)).collect();
    kept.push('…');
    kept
}
