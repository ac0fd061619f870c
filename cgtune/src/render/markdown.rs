//! Markdown on a terminal: as much of it as our own pages use, which their tests hold them to. Headings of two
//! levels, paragraphs, lists of one level, fenced code, and `code` within a line.
//!
//! Text is set in by two columns and wrapped; code is set in by four and never broken, since it is there to be copied.

use std::io::{self, Write};

use super::paragraph::{WIDTH, wrap};
use crate::streams::{CODE, HEADING};

/// Columns before text, so that headings stand out without colours too.
const INDENT: usize = 2;
/// Columns before code.
const CODE_INDENT: usize = 4;

/// A part of a page, with blank lines left out.
#[derive(Debug, PartialEq, Eq)]
enum Block<'a> {
    Heading(&'a str),
    Paragraph(String),
    /// One item of a list.
    Item(String),
    Code(Vec<&'a str>),
}

/// Writes a page. Between two blocks is a blank line, but not below a section's heading nor between the items of a list.
pub(crate) fn write(markdown: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut above = None;
    for block in blocks(markdown) {
        let close = match (&above, &block) {
            (None | Some(Block::Heading(_)), _) => true,
            (Some(Block::Item(_)), Block::Item(_)) => true,
            // What introduces code or a list ends with a colon, and stays close to it.
            (Some(Block::Paragraph(text)), Block::Code(_) | Block::Item(_)) => text.ends_with(':'),
            _ => false,
        };
        if !close {
            writeln!(out)?;
        }
        match &block {
            Block::Heading(text) => writeln!(out, "{HEADING}{text}{HEADING:#}")?,
            Block::Paragraph(text) => set(text, "", out)?,
            Block::Item(text) => set(text, "- ", out)?,
            Block::Code(lines) => {
                for line in lines {
                    writeln!(out, "{:CODE_INDENT$}{line}", "")?;
                }
            }
        }
        above = Some(block);
    }
    Ok(())
}

fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    // Whether the next line of text goes on with the block before it.
    let mut open = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            blocks.push(Block::Code(lines.by_ref().take_while(|line| !line.starts_with("```")).collect()));
            open = false;
        } else if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("# ")) {
            blocks.push(Block::Heading(heading));
            open = false;
        } else if let Some(item) = line.strip_prefix("- ") {
            blocks.push(Block::Item(item.to_owned()));
            open = true;
        } else if line.is_empty() {
            open = false;
        } else if open && let Some(Block::Paragraph(text) | Block::Item(text)) = blocks.last_mut() {
            text.push(' ');
            text.push_str(line.trim_start());
        } else {
            blocks.push(Block::Paragraph(line.to_owned()));
            open = true;
        }
    }
    blocks
}

/// Text behind a mark; its further lines are set in as deep as its first.
///
/// The quotes of code are gone in the end, so a line may stay a little shorter than it could be.
fn set(text: &str, mark: &str, out: &mut dyn Write) -> io::Result<()> {
    let deep = INDENT + mark.len();
    let mut code = false;
    for (n, line) in wrap(text, WIDTH - deep).iter().enumerate() {
        let lead = if n == 0 { mark } else { "" };
        write!(out, "{lead:>deep$}")?;
        for (m, part) in line.split('`').enumerate() {
            code ^= m > 0;
            if code && !part.is_empty() {
                write!(out, "{CODE}{part}{CODE:#}")?;
            } else {
                write!(out, "{part}")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# a: title

What is
going on with `cpu.max`.

## See
Like this:
```sh
cat  file   # as it is, with `quotes`
```
Then:
- one
  and more
- two

Last.
";

    fn rendered(markdown: &str) -> String {
        let mut out = Vec::new();
        write(markdown, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn plain(markdown: &str) -> String {
        anstream::adapter::strip_str(&rendered(markdown)).to_string()
    }

    #[test]
    fn each_element_has_its_place() {
        let expected = "\
a: title
  What is going on with cpu.max.

See
  Like this:
    cat  file   # as it is, with `quotes`

  Then:
  - one and more
  - two

  Last.
";
        assert_eq!(plain(PAGE), expected);
    }

    #[test]
    fn headings_and_code_are_marked_also_where_code_goes_over_a_line_end() {
        let page = rendered(PAGE);
        assert!(page.contains("\x1b[1mSee\x1b[0m\n") && page.contains("\x1b[1mcpu.max\x1b[0m."), "{page:?}");
        let words = "word ".repeat(14);
        let broken = rendered(&format!("{words}`first second` third"));
        assert!(broken.contains("\x1b[1mfirst\x1b[0m\n  \x1b[1msecond\x1b[0m third\n"), "{broken:?}");
    }

    #[test]
    fn lines_fit_and_further_ones_of_an_item_stand_below_its_text() {
        let page = plain(&format!("- {}", "word ".repeat(40)));
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(lines.len(), 3, "{page}");
        assert!(lines[0].starts_with("  - word") && lines[1].starts_with("    word"), "{page}");
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{page}");
    }

    #[test]
    fn nothing_is_lost_of_a_page_that_ends_early() {
        assert_eq!(plain("```\ncode"), "    code\n");
        assert_eq!(plain("an `open quote"), "  an open quote\n");
        assert_eq!(plain(""), "");
    }
}
