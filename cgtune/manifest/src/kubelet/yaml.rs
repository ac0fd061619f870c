//! Trees and values written as YAML, in block style.

use crate::{Map, Node, Value};

/// Texts that are something else than a text to YAML 1.1 or 1.2 when they stand without quotes.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text, in quotes where it needs them. It is the same to every reader of YAML.
pub(super) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        && !WORDS.contains(&&*text.to_ascii_lowercase());
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes.
fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("\"");
    for c in text.chars() {
        // Writing to a String does not fail.
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) => {
                write!(out, "\\x{:02x}", c as u32)
            }
            c if matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => write!(out, "\\u{:04x}", c as u32),
            c => write!(out, "{c}"),
        };
    }
    out.push('"');
    out
}

/// The entries of a map, a line or more each.
pub(super) fn entries(map: &Map, indent: usize, out: &mut String) {
    for entry in map.iter() {
        out.push_str(&" ".repeat(indent));
        out.push_str(&scalar(entry.key()));
        out.push(':');
        value(entry.node(), indent, out);
    }
}

/// A value behind its key: on the same line, or below.
fn value(node: &Node, indent: usize, out: &mut String) {
    match node.value() {
        Value::Map(map) if !map.is_empty() => {
            out.push('\n');
            entries(map, indent + 2, out);
        }
        Value::List(list) if !list.is_empty() => {
            out.push('\n');
            items(list, indent, out);
        }
        _ => {
            out.push(' ');
            out.push_str(&leaf(node));
            out.push('\n');
        }
    }
}

fn items(list: &[Node], indent: usize, out: &mut String) {
    for node in list {
        out.push_str(&" ".repeat(indent));
        out.push('-');
        match node.value() {
            Value::Map(map) if !map.is_empty() => {
                let mut inner = String::new();
                entries(map, indent + 2, &mut inner);
                out.push(' ');
                out.push_str(inner.get(indent + 2..).unwrap_or_default());
            }
            Value::List(inner) if !inner.is_empty() => {
                out.push('\n');
                items(inner, indent + 2, out);
            }
            _ => {
                out.push(' ');
                out.push_str(&leaf(node));
                out.push('\n');
            }
        }
    }
}

/// What has nothing in it.
fn leaf(node: &Node) -> String {
    match node.value() {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.written().to_owned(),
        Value::Text(text) => scalar(text),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}
