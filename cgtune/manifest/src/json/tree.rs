//! A node from the text of one JSON value that serde_json has checked.
//!
//! Written by hand because serde_json gives neither lines nor numbers as typed to whoever it builds for, and its own
//! recursion is bounded elsewhere than ours.

use crate::{
    error::{Error, Fault},
    node::{Node, Value},
    number::Number,
    tree::{Key, Tree},
};

/// Makes a node of a value whose first byte stands on this line.
pub(super) fn grow(tree: &mut Tree, text: &str, mut line: u64) -> Result<Node, Error> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        let grown = match byte {
            b'\n' => {
                line += 1;
                None
            }
            b' ' | b'\t' | b'\r' | b',' | b':' => None,
            b'{' => tree.open_map(line, 0).map(|()| None)?,
            b'[' => tree.open_list(line, 0).map(|()| None)?,
            b'}' | b']' => match tree.close() {
                Some(grown) => tree.attach(grown)?,
                None => None,
            },
            b'"' => {
                at += length(&bytes[at..]);
                let text = string(text.get(start..at).unwrap_or_default(), line)?.into();
                if tree.wants_key() {
                    tree.key(Key { text, line, merges: false }).map(|()| None)?
                } else {
                    tree.leaf(line, Value::Text(text))?
                }
            }
            _ => {
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                at += bytes[at..].iter().take_while(|byte| word(byte)).count();
                let value = match text.get(start..at).unwrap_or_default() {
                    "null" => Value::Null,
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    number => Value::Number(Number::from_json(number)),
                };
                tree.leaf(line, value)?
            }
        };
        if let Some(grown) = grown {
            return Ok(grown.node);
        }
    }
    Err(Error::new(line, Fault::Json { what: "a value ends too early".to_owned(), column: 1 }))
}

/// The length of a string behind its first quote, the last quote included.
fn length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) =
        bytes.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'"' | b'\\')))
    {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

/// What a string says, given with its quotes.
fn string(quoted: &str, line: u64) -> Result<String, Error> {
    let inner = quoted.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(quoted);
    if !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    // Lone surrogates: the only escapes that serde_json passes over without looking.
    serde_json::from_str(quoted).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = error.to_string();
        let what = what.strip_suffix(&*place).unwrap_or(&what).to_owned();
        Error::new(line, Fault::JsonString { what })
    })
}
