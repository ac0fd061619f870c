//! Words of a command line, quoted for a POSIX shell (XCU 2.2) and harmless to a terminal.
//!
//! Commands that are shown to be typed are made here and nowhere else. None is ever run.

use super::Escaped;

/// Bytes that no shell treats specially inside a word.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte)
}

/// A word that the shell reads back as it is. `None`: it holds control characters or others that change how a terminal
/// shows a line; quotes would keep the shell safe, not the reader.
///
/// ```
/// assert_eq!(cgtune_core::text::shell::quote("<pod>").as_deref(), Some("'<pod>'"));
/// ```
#[must_use]
pub fn quote(word: &str) -> Option<String> {
    if Escaped(word.as_bytes()).to_string() != word {
        return None;
    }
    // A leading "=" is expanded by zsh.
    if !word.is_empty() && !word.starts_with('=') && word.bytes().all(is_plain) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r"'\''")))
}

/// A whole line. `None` as for [`quote`].
#[must_use]
pub fn line(words: &[String]) -> Option<String> {
    words.iter().map(|word| quote(word)).collect::<Option<Vec<_>>>().map(|words| words.join(" "))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn read_back(quoted: &str) -> String {
        let output = Command::new("sh").args(["-c", &format!("printf %s {quoted}")]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn plain_words_stay_and_others_are_quoted() {
        for (word, quoted) in [
            ("CPUQuota=50%", "CPUQuota=50%"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            (r"dev-disk\x2dby.swap", r"'dev-disk\x2dby.swap'"),
            ("<pod>", "'<pod>'"),
            ("$(reboot)", "'$(reboot)'"),
        ] {
            assert_eq!(quote(word).as_deref(), Some(quoted));
            assert_eq!(read_back(quoted), word);
        }
    }

    #[test]
    fn what_disturbs_a_terminal_is_in_no_command() {
        for word in ["a\nb", "\x1b[2J", "a\u{202e}b", "\0"] {
            assert_eq!(quote(word), None);
        }
        assert_eq!(line(&["ls".to_owned(), "\r".to_owned()]), None);
    }

    proptest! {
        // A shell starts for each case.
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn the_shell_reads_back_what_was_quoted(word in "[ -~äß€]{0,40}") {
            prop_assert_eq!(read_back(&quote(&word).unwrap()), word);
        }
    }
}
