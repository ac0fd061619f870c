//! Where a verb writes: never to the process's own stdout and stderr, so that both are flushed, coloured and
//! forgiven a broken pipe in one place.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cgtune_core::text::Escaped;

use crate::render::paragraph;

/// Bold, for headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// For what could be typed, or found in a file, within a text.
pub(crate) const CODE: Style = Style::new().bold();
/// For the word `error`.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// For the word `warning`.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// For the word `hint`.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// The answer goes to `out`, everything else to `err`.
pub(crate) struct Streams<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
}

impl Streams<'_> {
    /// Writes a warning below the answer so far, wrapped for 80 columns.
    pub(crate) fn warn(&mut self, warning: &dyn std::fmt::Display) -> io::Result<()> {
        self.out.flush()?;
        labelled(self.err, "warning", WARNING, &warning.to_string())
    }
}

/// `label: text`, with the text's further lines set in below its first.
///
/// Control characters are escaped, since the text may quote what was typed or what a cgroup is called.
pub(crate) fn labelled(to: &mut dyn Write, label: &str, style: Style, text: &str) -> io::Result<()> {
    let indent = label.len() + 2;
    let text = Escaped(text.as_bytes()).to_string();
    for (i, line) in paragraph::wrap(&text, paragraph::WIDTH - indent).iter().enumerate() {
        match i {
            0 => writeln!(to, "{style}{label}{style:#}: {line}")?,
            _ => writeln!(to, "{:indent$}{line}", "")?,
        }
    }
    Ok(())
}
