//! The tree that both formats become: values with the line that each stands on.
//!
//! Only the readers make one, and they bound its depth, so that walking and dropping it by recursion is safe. Parts
//! that a YAML alias repeats are shared; cloning a node is cheap.

use std::{ops::Deref, sync::Arc};

use crate::number::Number;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub(crate) line: u64,
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it was typed.
    Number(Number),
    /// A string.
    Text(Arc<str>),
    /// A sequence.
    List(List),
    /// A mapping.
    Map(Map),
}

/// The nodes of a list, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List(pub(crate) Arc<[Node]>);

/// Keys and their nodes in the order of the text, those that came by a merge key behind the others. No key is twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map(pub(crate) Arc<[Entry]>);

/// A key of a map and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(crate) key: Arc<str>,
    pub(crate) line: u64,
    pub(crate) node: Node,
}

impl Node {
    /// Its first line, counted from 1 in its file. What a YAML alias stands for keeps the line of its anchor.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// What it holds.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// Whether it holds `null`, which Kubernetes takes for "not given".
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The map, if it is one.
    #[must_use]
    pub const fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Value {
    /// What kind of value this is, with its article: `a list`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Map {
    /// The node under a key. A key that holds `null` is there.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.iter().find(|entry| &*entry.key == key).map(|entry| &entry.node)
    }

    /// As [`Map::get`], without those that hold `null`.
    #[must_use]
    pub fn given(&self, key: &str) -> Option<&Node> {
        self.get(key).filter(|node| !node.is_null())
    }
}

impl Deref for Map {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0
    }
}

impl Deref for List {
    type Target = [Node];

    fn deref(&self) -> &[Node] {
        &self.0
    }
}

impl Entry {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The line of the key.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// What it holds.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }
}
