//! Text from records and from the command line, made harmless for each format that it is put into. Names of kernels, reasons
//! and folders are somebody else's text.

use cgtune_chart::paint::inline::escaped;
use cgtune_core::text::Escaped;

/// For a terminal or a log: control characters, and those that turn the direction of writing, as `\xNN`.
#[must_use]
pub fn terminal(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

/// For XML 1.0, as content and within double quotes. What XML cannot hold is as on a terminal.
#[must_use]
pub fn xml(text: &str) -> String {
    escaped(&terminal(text))
}

/// For a paragraph or a table cell of GitHub-flavoured Markdown: what begins markup is behind a backslash, HTML and mentions
/// are entities, all on one line.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// For the message of a GitHub workflow command (`::error::MESSAGE`): the rules of the runner's own toolkit.
#[must_use]
pub fn github_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of a GitHub workflow command (`::error title=PROPERTY::`), which ends at a comma or a colon.
#[must_use]
pub fn github_property(text: &str) -> String {
    github_message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_from_a_record_moves_the_cursor_or_turns_the_text() {
        assert_eq!(terminal("a\u{1b}[31mb\nc\u{202e}d"), "a\\x1b[31mb\\x0ac\\xe2\\x80\\xaed");
        assert_eq!(terminal("π – × ok"), "π – × ok");
    }

    #[test]
    fn markdown_cannot_leave_its_cell() {
        assert_eq!(markdown("a|b<img>@me"), "a\\|b&lt;img&gt;&#64;me");
    }

    #[test]
    fn workflow_commands_end_where_they_should() {
        assert_eq!(github_message("50%\nof"), "50%25%0Aof");
        assert_eq!(github_property("a:b,c%"), "a%3Ab%2Cc%25");
    }

    proptest! {
        #[test]
        fn escaped_text_stays_on_one_line_and_parses_back(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let command = format!("::error title={}::{}", github_property(&text), github_message(&text));
            prop_assert!(!command.contains('\n') && !command.contains('\r'));
            prop_assert_eq!(command.matches("::").count() >= 2, true);
            let document = format!("<a b=\"{}\">{}</a>", xml(&text), xml(&text));
            let parsed = roxmltree::Document::parse(&document).unwrap();
            prop_assert_eq!(parsed.root_element().attribute("b").unwrap(), terminal(&text));
            prop_assert!(!markdown(&text).contains('\n'));
        }
    }
}
