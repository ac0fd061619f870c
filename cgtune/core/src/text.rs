//! Names from the kernel, made safe to show.
//!
//! A cgroup's name may hold any byte but `/` and NUL: newlines, escape sequences, quotes. Before a terminal, a
//! log or a label sees one, control characters and bytes that are not UTF-8 become `\xNN`. What goes into a command
//! line goes through [`shell`].

use std::fmt;

pub mod shell;

/// Shows bytes with every control character, backslash-free of ambiguity, and every stray byte as `\xNN`.
///
/// ```
/// assert_eq!(cgtune_core::text::Escaped(b"/a\x1b[2Jb\n").to_string(), r"/a\x1b[2Jb\x0a");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

/// Characters that move, hide or reorder what is shown although they are no C0/C1 controls: line and
/// paragraph separators, bidirectional overrides and isolates, zero-width marks; and the two that no XML holds.
fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}')
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if disturbs(c) {
                    let mut bytes = [0; 4];
                    for byte in c.encode_utf8(&mut bytes).bytes() {
                        write!(f, "\\x{byte:02x}")?;
                    }
                } else {
                    f.write_char(c)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// `1 CPU`, `3 CPUs`, of a noun whose plural has an s.
///
/// ```
/// assert_eq!(cgtune_core::text::counted(1_u64, "period"), "1 period");
/// assert_eq!(cgtune_core::text::counted(0_usize, "period"), "0 periods");
/// ```
pub fn counted<N: fmt::Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let s = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{s}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bidirectional_overrides_and_stray_bytes_are_escaped() {
        assert_eq!(Escaped("a\u{202e}b".as_bytes()).to_string(), r"a\xe2\x80\xaeb");
        assert_eq!(Escaped(b"a\xffb").to_string(), r"a\xffb");
        assert_eq!(Escaped("pod-ä".as_bytes()).to_string(), "pod-ä");
    }

    proptest! {
        #[test]
        fn nothing_that_controls_a_terminal_comes_through(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(!Escaped(&bytes).to_string().chars().any(char::is_control));
        }
    }
}
