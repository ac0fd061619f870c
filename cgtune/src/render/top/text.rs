//! `cgtune top --once`: the table as text, every line of it.

use std::io::{self, Write};

use ratatui::{buffer::Buffer, crossterm::terminal, layout::Rect};

use super::{Theme, columns::Columns, numbers, summary, table, trouble};
use crate::{
    cmd::top::{
        model::Model,
        order::{Line, Order},
    },
    render::paragraph,
};

pub(crate) fn write(model: &Model, order: &Order, lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}; {}", summary(model).join(", "), numbers::cost(&model.cost))?;
    writeln!(out, "{}", super::arranged(order))?;
    if let Some(trouble) = trouble(model) {
        writeln!(out, "{trouble}")?;
    }
    let area = Rect::new(0, 0, columns(), 1);
    let places = Columns::fit(area.width, table::longest(model, order, lines));
    let theme = Theme::plain();
    let mut buffer = Buffer::empty(area);
    table::headings(&mut buffer, area, &places, order, &theme);
    writeln!(out, "{}", text(&buffer))?;
    for line in lines {
        buffer.reset();
        table::draw_line(&mut buffer, area, model, order, *line, &places, &theme);
        writeln!(out, "{}", text(&buffer))?;
    }
    Ok(())
}

/// The width of the terminal that reads it; what COLUMNS says; 80.
fn columns() -> u16 {
    use std::io::IsTerminal as _;
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    let terminal =
        || io::stdout().is_terminal().then(|| terminal::size().ok()).flatten().map(|(width, _)| width);
    let usual = u16::try_from(paragraph::WIDTH).unwrap_or(80);
    terminal().or_else(said).unwrap_or(usual).clamp(super::SMALLEST.0, 500)
}

/// A line of cells without what is blank at its end.
fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    let mut x = 0;
    while let Some(cell) = buffer.cell((x, 0)).filter(|_| x < buffer.area.width) {
        text.push_str(cell.symbol());
        // A wide character takes the cells after it.
        x += super::width(cell.symbol()).max(1);
    }
    text.truncate(text.trim_end().len());
    text
}
