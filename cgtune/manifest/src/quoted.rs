//! Text from a manifest inside a message: escaped for terminals, and cut.

use std::fmt;

use cgtune_core::text::Escaped;

/// Most characters of a manifest's text that a message repeats.
const SHOWN: usize = 60;

/// Shows a text within double quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

/// The text escaped and cut, without quotes.
pub(crate) fn cut(text: &str) -> String {
    // Escaping only lengthens, so that what lies behind the first SHOWN + 1 characters cannot be shown anyway.
    let start: String = text.chars().take(SHOWN + 1).collect();
    let escaped = Escaped(start.as_bytes()).to_string();
    match escaped.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", cut(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_hostile_text_is_cut_and_escaped() {
        assert_eq!(Quoted("a\x1b[2Jb").to_string(), r#""a\x1b[2Jb""#);
        assert_eq!(Quoted(&"é".repeat(60)).to_string(), format!("\"{}\"", "é".repeat(60)));
        assert_eq!(Quoted(&"é".repeat(61)).to_string(), format!("\"{}…\"", "é".repeat(60)));
        assert_eq!(Quoted(&"\n".repeat(1000)).to_string(), format!("\"{}…\"", r"\x0a".repeat(15)));
    }
}
