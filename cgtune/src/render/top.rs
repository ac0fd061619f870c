//! `cgtune top`: the screen as a grid of cells, drawn from what is known and what is to be shown of it. No terminal here.

mod columns;
mod group;
mod help;
pub(crate) mod json;
mod numbers;
mod table;
pub(crate) mod text;
mod theme;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

pub(crate) use self::theme::Theme;
use crate::cmd::top::{
    keys::{self, KEYS},
    model::{Model, Row},
    order::Order,
    view::{Page, View},
};

/// The smallest screen with a table on it.
const SMALLEST: (u16, u16) = (36, 6);

/// Draws all of it.
pub(crate) fn draw(buffer: &mut Buffer, model: &Model, view: &mut View, theme: &Theme) {
    let area = buffer.area;
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(buffer, area);
    }
    if view.help {
        return help::draw(buffer, area, theme);
    }
    title(buffer, area, model, view.paused, theme);
    match view.page {
        Page::Table => {
            sorted(buffer, row(area, 1), model, &view.order, view.typing, theme);
            let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
            view.fit(usize::from(body.height - 1));
            table::draw(buffer, body, model, view, theme);
        }
        Page::Group(inode) => {
            let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
            group::draw(buffer, body, model, inode, theme);
        }
    }
    footer(buffer, row(area, area.height - 1), view, theme);
}

/// One line of an area.
fn row(area: Rect, line: u16) -> Rect {
    Rect { y: area.y + line, height: 1, ..area }
}

/// Writes a text, cut at the area's right edge.
fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    if area.height > 0 {
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
    }
}

/// Writes a text that ends at the area's right edge, if there is room for it right of `from`.
fn put_right(buffer: &mut Buffer, area: Rect, from: u16, text: &str, style: Style) {
    let width = width(text);
    if from + width <= area.width {
        put(buffer, Rect { x: area.right() - width, width, ..area }, text, style);
    }
}

/// Columns that a text takes.
fn width(text: &str) -> u16 {
    u16::try_from(Span::raw(text).width()).unwrap_or(u16::MAX)
}

fn too_small(buffer: &mut Buffer, area: Rect) {
    let (columns, rows) = SMALLEST;
    let text = format!(
        "cgtune top needs {columns}x{rows} characters, here are {}x{}; q quits",
        area.width, area.height
    );
    for (line, text) in super::paragraph::wrap(&text, usize::from(area.width)).iter().enumerate() {
        let line = u16::try_from(line).unwrap_or(u16::MAX);
        if line < area.height {
            put(buffer, row(area, line), text, Style::new());
        }
    }
}

/// What the whole is, and what looking at it costs.
fn title(buffer: &mut Buffer, area: Rect, model: &Model, paused: bool, theme: &Theme) {
    let mut texts = vec!["cgtune top".to_owned()];
    texts.extend(summary(model));
    let cost = match (paused, model.rows.is_empty()) {
        (true, _) => "PAUSED".to_owned(),
        // Nothing has been looked at yet.
        (false, true) => String::new(),
        (false, false) => numbers::cost(&model.cost),
    };
    // As much of it as there is room for.
    while texts.len() > 1 && width(&texts.join("  ")) + 2 + width(&cost) > area.width {
        texts.pop();
    }
    let text = texts.join("  ");
    put(buffer, row(area, 0), &text, theme.strong);
    let style = if paused { theme.strong } else { theme.dim };
    put_right(buffer, row(area, 0), width(&text) + 1, &cost, style);
}

/// The whole in a few words.
fn summary(model: &Model) -> Vec<String> {
    let inner = model.rows.iter().filter(|row| !(model.whole && row.depth == 0));
    let throttled =
        inner.clone().filter(|row| row.periods().is_some_and(|(throttled, _)| throttled > 0)).count();
    let mut texts = vec![format!("{} cgroups, {throttled} throttled", numbers::thousands(inner.count()))];
    if let Some(used) = model.rows.first().filter(|_| model.whole).and_then(Row::cpus) {
        let of = model.online.map_or_else(String::new, |online| format!(" of {online}"));
        texts.push(format!("{} CPUs used{of}", numbers::cpus(used)));
    }
    texts
}

/// How the table is arranged, and what went wrong.
fn sorted(buffer: &mut Buffer, area: Rect, model: &Model, order: &Order, typing: bool, theme: &Theme) {
    let trouble = trouble(model);
    if typing {
        let text = format!("filter: {}▏", cgtune_core::text::Escaped(order.filter.as_bytes()));
        put(buffer, area, &text, theme.strong);
        put_right(buffer, area, width(&text) + 1, "Enter takes it, Esc clears it", theme.dim);
    } else if let Some(trouble) = trouble {
        put(buffer, area, &trouble, theme.bad);
    } else {
        put(buffer, area, &arranged(order), theme.dim);
    }
}

/// `by stall, most first; with "web" in name or path`.
fn arranged(order: &Order) -> String {
    use crate::cmd::top::order::{Shape, Sort};
    let direction = match (order.sort, order.reversed) {
        (Sort::Name, false) => "",
        (Sort::Name, true) => ", from the end",
        (_, false) => ", most first",
        (_, true) => ", least first",
    };
    let shape = match order.shape {
        Shape::List => "",
        Shape::Tree => "tree ",
        Shape::Pods => "pods ",
    };
    let filter = match order.filter.as_str() {
        "" => String::new(),
        filter => format!("; with \"{}\" in name or path", cgtune_core::text::Escaped(filter.as_bytes())),
    };
    format!("{shape}by {}{direction}{filter}", order.sort.shown())
}

fn trouble(model: &Model) -> Option<String> {
    let cost = &model.cost;
    let why = cost.trouble.as_ref()?;
    let why = cgtune_core::text::Escaped(why.as_bytes());
    Some(match cost.unreadable {
        0 => why.to_string(),
        1 => format!("1 cgroup cannot be read: {why}"),
        n => format!("{n} cgroups cannot be read; the first: {why}"),
    })
}

/// The keys, as many as there is room for.
fn footer(buffer: &mut Buffer, area: Rect, view: &View, theme: &Theme) {
    let mut parts: Vec<(String, &str)> = Vec::new();
    if view.page == Page::Table {
        for key in KEYS {
            if let Some(word) = key.footer {
                parts.push((key.shown.to_owned(), word));
            }
            if key.shown == "/" {
                parts.push((keys::sorts(), "sort"));
            }
        }
    } else {
        parts.extend([
            ("Esc".into(), "back"),
            ("Space".into(), "pause"),
            ("?".into(), "help"),
            ("q".into(), "quit"),
        ]);
    }
    let length = |parts: &[(String, &str)]| -> usize {
        parts
            .iter()
            .map(|(keys, word)| keys.chars().count() + 1 + word.len() + 2)
            .sum::<usize>()
            .saturating_sub(2)
    };
    // From the middle: how to open, to find help and to leave stay.
    while length(&parts) > usize::from(area.width) && parts.len() > 3 {
        parts.remove(parts.len() - 3);
    }
    let mut spans = Vec::new();
    for (keys, word) in &parts {
        spans.push(Span::styled(keys.clone(), theme.key));
        spans.push(Span::styled(format!(" {word}  "), theme.dim));
    }
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
}

#[cfg(test)]
mod tests;
