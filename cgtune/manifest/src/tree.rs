//! Grows a node from what the readers of both formats meet, one part after another, within the limits.
//!
//! The stack is explicit: no text makes the thread's stack grow.

use std::sync::Arc;

use crate::{
    entries::{Entries, Repeats},
    error::{Error, Fault},
    limits::{MAX_BYTES, MAX_DEPTH, MAX_NODES},
    node::{List, Node, Value},
};

/// How much a node holds, what aliases stand for counted each time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    /// Values, itself included.
    pub(crate) nodes: u64,
    /// Bytes of text.
    pub(crate) bytes: u64,
    /// Maps and lists inside each other.
    pub(crate) height: usize,
}

impl Extent {
    /// A value that holds no others.
    pub(crate) fn leaf(value: &Value) -> Self {
        let bytes = match value {
            Value::Text(text) => text.len() as u64,
            Value::Number(number) => number.written().len() as u64,
            _ => 0,
        };
        Self { nodes: 1, bytes, height: 0 }
    }

    fn hold(&mut self, part: Self) {
        self.nodes = self.nodes.saturating_add(part.nodes);
        self.bytes = self.bytes.saturating_add(part.bytes);
        self.height = self.height.max(part.height + 1);
    }
}

/// A node that is complete.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) node: Node,
    pub(crate) extent: Extent,
    /// The YAML anchor that it carries, 0 for none.
    pub(crate) anchor: usize,
}

/// A map or list that is not.
#[derive(Debug)]
struct Branch {
    line: u64,
    anchor: usize,
    extent: Extent,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    List(Vec<Node>),
    Map { entries: Entries, key: Option<Key> },
}

/// A key that waits for its value.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) text: Arc<str>,
    pub(crate) line: u64,
    /// Whether it is YAML's `<<`.
    pub(crate) merges: bool,
}

/// One tree at a time.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    repeats: Repeats,
    branches: Vec<Branch>,
    /// How deep in its object the tree stands.
    above: usize,
    /// Values and aliased bytes of the object so far. Bytes that are not aliased are the source's to count.
    nodes: u64,
    aliased_bytes: u64,
}

impl Tree {
    pub(crate) fn new(repeats: Repeats) -> Self {
        Self { repeats, ..Self::default() }
    }

    /// A new object: nothing is used up.
    pub(crate) fn begin_object(&mut self) {
        *self = Self::new(self.repeats.clone());
    }

    /// Further trees stand so deep in their object.
    pub(crate) fn stand(&mut self, above: usize) {
        self.branches.clear();
        self.above = above;
    }

    pub(crate) fn open_list(&mut self, line: u64, anchor: usize) -> Result<(), Error> {
        self.open(line, anchor, Parts::List(Vec::new()))
    }

    pub(crate) fn open_map(&mut self, line: u64, anchor: usize) -> Result<(), Error> {
        self.open(line, anchor, Parts::Map { entries: Entries::new(self.repeats.clone()), key: None })
    }

    fn open(&mut self, line: u64, anchor: usize, parts: Parts) -> Result<(), Error> {
        if self.above + self.branches.len() >= MAX_DEPTH {
            return Err(Error::new(line, Fault::TooDeep));
        }
        self.count(1, line)?;
        self.branches.push(Branch { line, anchor, extent: Extent { nodes: 1, bytes: 0, height: 1 }, parts });
        Ok(())
    }

    fn count(&mut self, nodes: u64, line: u64) -> Result<(), Error> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES { Err(Error::new(line, Fault::TooManyNodes)) } else { Ok(()) }
    }

    /// Whether a key comes next, not a value.
    pub(crate) fn wants_key(&self) -> bool {
        matches!(self.branches.last(), Some(Branch { parts: Parts::Map { key: None, .. }, .. }))
    }

    /// The line of the key whose value comes next.
    pub(crate) fn key_line(&self) -> Option<u64> {
        match &self.branches.last()?.parts {
            Parts::Map { key, .. } => key.as_ref().map(|key| key.line),
            Parts::List(_) => None,
        }
    }

    /// Takes a key where [`Tree::wants_key`].
    pub(crate) fn key(&mut self, new: Key) -> Result<(), Error> {
        if let Some(Branch { parts: Parts::Map { entries, key }, extent, .. }) = self.branches.last_mut() {
            if !new.merges {
                entries.check(&new.text, new.line)?;
            }
            extent.bytes = extent.bytes.saturating_add(new.text.len() as u64);
            *key = Some(new);
        }
        Ok(())
    }

    /// Takes a value that holds no others. As with [`Tree::attach`], it comes back where it is the whole tree.
    pub(crate) fn leaf(&mut self, line: u64, value: Value) -> Result<Option<Grown>, Error> {
        self.count(1, line)?;
        let extent = Extent::leaf(&value);
        self.attach(Grown { node: Node { line, value }, extent, anchor: 0 })
    }

    /// Takes what an alias on this line stands for.
    pub(crate) fn alias(&mut self, line: u64, node: Node, extent: Extent) -> Result<Option<Grown>, Error> {
        self.count(extent.nodes, line)?;
        self.aliased_bytes = self.aliased_bytes.saturating_add(extent.bytes);
        if self.aliased_bytes > MAX_BYTES {
            return Err(Error::new(line, Fault::TooLarge));
        }
        if self.above + self.branches.len() + extent.height > MAX_DEPTH {
            return Err(Error::new(line, Fault::TooDeep));
        }
        self.attach(Grown { node, extent, anchor: 0 })
    }

    /// Ends the innermost map or list, which is not yet part of what holds it.
    pub(crate) fn close(&mut self) -> Option<Grown> {
        let Branch { line, anchor, extent, parts } = self.branches.pop()?;
        let value = match parts {
            Parts::List(nodes) => Value::List(List(nodes.into())),
            Parts::Map { entries, .. } => Value::Map(entries.finish()),
        };
        Some(Grown { node: Node { line, value }, extent, anchor })
    }

    /// Makes a node part of the innermost map or list; where there is none it is the whole tree and comes back.
    pub(crate) fn attach(&mut self, grown: Grown) -> Result<Option<Grown>, Error> {
        let Some(branch) = self.branches.last_mut() else { return Ok(Some(grown)) };
        branch.extent.hold(grown.extent);
        match &mut branch.parts {
            Parts::List(nodes) => nodes.push(grown.node),
            Parts::Map { entries, key } => match key.take() {
                Some(key) if key.merges => entries.merge(key.line, grown.node)?,
                Some(key) => entries.push(key.text, key.line, grown.node),
                None => {}
            },
        }
        Ok(None)
    }
}
