//! What a test sees of a stream: each object or error as text.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::panic, reason = "tests fail by panicking")]

use std::ops::ControlFlow;

use cgtune_manifest::{Format, Node, Place, Value, objects};

/// An object or the text of an error, with its place.
pub(crate) type Read = (Place, Result<Node, String>);

/// How many documents a stream has, and all that comes out of it.
pub(crate) fn everything(bytes: &[u8], format: Format) -> (u64, Vec<Read>) {
    let mut all = Vec::new();
    let documents = objects(bytes, format, &mut |place, object| {
        all.push((place, object.map_err(|error| error.to_string())));
        ControlFlow::Continue(())
    });
    (documents, all)
}

/// Everything as lines: place, then the tree or the error.
pub(crate) fn read(text: impl AsRef<[u8]>) -> Vec<String> {
    let (documents, all) = everything(text.as_ref(), Format::Unknown);
    let show = |(place, object): Read| match object {
        Ok(node) => format!("{} = {}", place.among(documents), flat(&node)),
        Err(error) => format!("{} ! {error}", place.among(documents)),
    };
    all.into_iter().map(show).collect()
}

/// The only error of a stream without objects.
pub(crate) fn error(text: impl AsRef<[u8]>) -> String {
    match &*everything(text.as_ref(), Format::Unknown).1 {
        [(_, Err(error))] => error.clone(),
        other => panic!("not one error: {other:?}"),
    }
}

/// The only object of a stream without errors.
pub(crate) fn object(text: impl AsRef<[u8]>) -> Node {
    match everything(text.as_ref(), Format::Unknown).1.pop() {
        Some((_, Ok(node))) => node,
        other => panic!("not one object: {other:?}"),
    }
}

/// A tree without lines, much as JSON; numbers as typed.
pub(crate) fn flat(node: &Node) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match node.value() {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(list) => format!("[{}]", joined(list.iter().map(flat).collect())),
        Value::Map(map) => {
            let entry = |e: &cgtune_manifest::Entry| format!("{}:{}", e.key(), flat(e.node()));
            format!("{{{}}}", joined(map.iter().map(entry).collect()))
        }
    }
}

/// Keys and scalars of a tree with their lines: `2 a 3 "x"`.
pub(crate) fn lines(node: &Node) -> String {
    match node.value() {
        Value::List(list) => {
            let items: Vec<_> = list.iter().map(lines).collect();
            format!("{}[{}]", node.line(), items.join(" "))
        }
        Value::Map(map) => {
            let entry = |e: &cgtune_manifest::Entry| format!("{}:{} {}", e.line(), e.key(), lines(e.node()));
            let entries: Vec<_> = map.iter().map(entry).collect();
            format!("{}{{{}}}", node.line(), entries.join(" "))
        }
        _ => format!("{}", node.line()),
    }
}
