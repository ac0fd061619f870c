//! JSON that a person can diff: a member a line, an array of plain values on one line (so a column is a line), an
//! array of objects with an object a line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The value as text, ending in a newline.
pub(super) fn to_bytes<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Lines::default()))?;
    out.push(b'\n');
    Ok(out)
}

/// What we are inside of.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    /// An object with a member a line.
    Object,
    /// An object within an array: all on one line.
    Row,
    /// An array, and whether it has broken into lines.
    Array { lines: bool },
}

#[derive(Default)]
struct Lines {
    stack: Vec<Inside>,
}

impl Lines {
    fn newline<W: ?Sized + Write>(&self, writer: &mut W, depth: usize) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..depth).try_for_each(|_| writer.write_all(b"  "))
    }

    /// Lines are broken only outside of rows.
    fn in_row(&self) -> bool {
        self.stack.contains(&Inside::Row)
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.stack.push(Inside::Array { lines: false });
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.stack.pop() == Some(Inside::Array { lines: true }) {
            self.newline(writer, self.stack.len())?;
        }
        writer.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let row = self.in_row();
        let inside = match self.stack.last_mut() {
            Some(Inside::Array { lines }) if !row => {
                *lines = true;
                self.newline(writer, self.stack.len())?;
                Inside::Row
            }
            Some(Inside::Array { .. } | Inside::Row) => Inside::Row,
            Some(Inside::Object) | None => Inside::Object,
        };
        self.stack.push(inside);
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.stack.pop() == Some(Inside::Object) {
            self.newline(writer, self.stack.len())?;
        }
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        match self.stack.last() {
            Some(Inside::Object) => self.newline(writer, self.stack.len()),
            _ if first => Ok(()),
            _ => writer.write_all(b" "),
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(to_bytes(value).unwrap()).unwrap()
    }

    #[test]
    fn a_column_is_a_line_and_an_object_of_a_list_is_a_line() {
        let value =
            json!({"a": {"x_ns": [1, 2, 3], "y": []}, "b": [{"p": 1, "q": [{"r": 2}]}, {"p": 3}], "c": null});
        let expected = "{\n  \"a\": {\n    \"x_ns\": [1,2,3],\n    \"y\": []\n  },\n  \"b\": [\n    \
                        {\"p\": 1, \"q\": [{\"r\": 2}]},\n    {\"p\": 3}\n  ],\n  \"c\": null\n}\n";
        assert_eq!(text(&value), expected);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any_json()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text(&value)).unwrap(), value);
        }
    }
}
