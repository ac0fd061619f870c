//! What a YAML scalar is, by its tag or else by YAML 1.2's core schema (10.3.2), numbers as in [`Number`].
//!
//! Tags as go-yaml v2 takes them, on which Kubernetes' reader stands: a core tag decides, a scalar under any other tag
//! is text, and tags of lists and maps say nothing. `!!binary` is refused, which it would decode.

use granit_parser::{ScalarStyle, Tag};

use crate::{error::Fault, node::Value, number::Number, quoted::cut};

/// The start of the tags that YAML itself defines.
const CORE: &str = "tag:yaml.org,2002:";

pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Fault> {
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain { plain(text) } else { Value::Text(text.into()) });
    };
    let core = tag.suffix_in_namespace(CORE);
    let resolved = match (core.as_deref(), plain(text)) {
        (Some("null"), value @ Value::Null)
        | (Some("bool"), value @ Value::Bool(_))
        | (Some("int" | "float"), value @ Value::Number(_)) => Some(value),
        (Some("null" | "bool" | "int" | "float" | "binary" | "seq" | "map"), _) => None,
        _ => Some(Value::Text(text.into())),
    };
    resolved.ok_or_else(|| Fault::Tag { tag: cut(&tag.original()), text: text.to_owned() })
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => Number::from_yaml(text).map_or_else(|| Value::Text(text.into()), Value::Number),
    }
}
