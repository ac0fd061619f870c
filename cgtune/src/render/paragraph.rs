//! Lines of words.

/// Every text must read well on a terminal this wide.
pub(crate) const WIDTH: usize = 80;

/// Breaks a text between words, into lines of at most `width` characters; a longer word stays whole.
///
/// What is read or copied as one stays together: a comparison and its number (`≥ 1.3.2`), a flag and its value.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let mut word = word.to_owned();
        while word
            .rsplit(' ')
            .next()
            .is_some_and(|last| matches!(last, "≥" | "≤" | "<" | ">") || last.starts_with("--"))
            && let Some(number) = words.next()
        {
            word = format!("{word} {number}");
        }
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// The same of a text with a command at its end, which stays whole however long it is: half of one that is copied may be
/// a command as well, and do something else.
pub(crate) fn wrap_to_command(text: &str, command: &str, width: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    match lines.last_mut() {
        Some(line) if line.chars().count() + 1 + command.chars().count() <= width => {
            line.push(' ');
            line.push_str(command);
        }
        _ => lines.push(format!("  {command}")),
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_whole() {
        assert_eq!(wrap_to_command("done; or:", "undo 1", 16), ["done; or: undo 1"]);
        assert_eq!(
            wrap_to_command("done; or:", "undo 1 --journal /x", 16),
            ["done; or:", "  undo 1 --journal /x"]
        );
    }

    #[test]
    fn lines_break_between_words_and_never_before_a_version() {
        assert_eq!(wrap("needs runc ≥ 1.3.2 or newer", 12), ["needs runc", "≥ 1.3.2 or", "newer"]);
        assert_eq!(wrap("say --burst 50ms instead", 12), ["say", "--burst 50ms", "instead"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrap("", 10), [""]);
    }
}
