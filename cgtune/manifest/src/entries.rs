//! A map while it is read: what becomes of a key that is there already, and what merge keys bring.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map},
    rc::Rc,
    sync::Arc,
};

use crate::{
    error::{Error, Fault},
    node::{Entry, Map, Node, Value},
};

/// From how many keys on a table finds them. Below, which is nearly always, comparing is faster.
const TABLED: usize = 16;

/// A key that was there already.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    pub(crate) key: Arc<str>,
    pub(crate) line: u64,
    /// The line of the one before.
    pub(crate) before: u64,
    /// Whether both stand for maps that were made one, so that the one before still counts.
    pub(crate) merged: bool,
}

/// What becomes of keys that are there already: an error, or they are noted and the last one counts, as where Go decodes leniently.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repeats {
    noted: Option<Rc<RefCell<Vec<Repeat>>>>,
    /// Whether maps under one key become one, as in JSON (encoding/json decodes into the map that is there). In YAML the last counts alone.
    pub(crate) merge: bool,
}

impl Repeats {
    /// They are taken.
    pub(crate) fn taken() -> Self {
        Self { noted: Some(Rc::default()), merge: false }
    }

    /// Those so far, which are forgotten.
    pub(crate) fn drain(&self) -> Vec<Repeat> {
        self.noted.as_ref().map(|noted| noted.take()).unwrap_or_default()
    }
}

/// Keys so far.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    repeats: Repeats,
    entries: Vec<Entry>,
    /// Key → index, once there are many.
    table: HashMap<Arc<str>, usize>,
    /// Maps under `<<`, in the order in which they win.
    merged: Vec<Map>,
    /// The line of the `<<`.
    merge_line: Option<u64>,
}

impl Entries {
    pub(crate) fn new(repeats: Repeats) -> Self {
        Self { repeats, ..Self::default() }
    }

    /// Where the key stands already.
    fn index_of(&self, key: &str) -> Option<usize> {
        if self.table.is_empty() {
            self.entries.iter().position(|entry| &*entry.key == key)
        } else {
            self.table.get(key).copied()
        }
    }

    /// The line on which it does.
    fn line_of(&self, key: &str) -> Option<u64> {
        self.index_of(key).and_then(|index| self.entries.get(index)).map(|entry| entry.line)
    }

    /// Whether the key can be added: it is new, or may be there already.
    pub(crate) fn check(&self, key: &str, line: u64) -> Result<(), Error> {
        match self.line_of(key).filter(|_| self.repeats.noted.is_none()) {
            Some(first) => Err(Error::new(line, Fault::Duplicate { key: key.to_owned(), first })),
            None => Ok(()),
        }
    }

    /// Adds a key that [`Entries::check`] has let pass.
    pub(crate) fn push(&mut self, key: Arc<str>, line: u64, node: Node) {
        if let Some(noted) = self.repeats.noted.clone()
            && let Some(there) = self.index_of(&key).and_then(|index| self.entries.get_mut(index))
        {
            let before = there.line;
            let (node, merged) = match (&there.node.value, &node.value) {
                (Value::Map(one), Value::Map(other)) if self.repeats.merge => {
                    (Node { line: node.line, value: Value::Map(together(one, other)) }, true)
                }
                _ => (node, false),
            };
            noted.borrow_mut().push(Repeat { key: Arc::clone(&key), line, before, merged });
            *there = Entry { key, line, node };
            return;
        }
        if !self.table.is_empty() {
            self.table.insert(Arc::clone(&key), self.entries.len());
        }
        self.entries.push(Entry { key, line, node });
        if self.table.is_empty() && self.entries.len() >= TABLED {
            let keys = self.entries.iter().enumerate();
            self.table = keys.map(|(index, entry)| (Arc::clone(&entry.key), index)).collect();
        }
    }

    /// Takes what stands under a merge key: its keys join the map at its end, behind explicit ones and earlier maps.
    pub(crate) fn merge(&mut self, line: u64, node: Node) -> Result<(), Error> {
        let wrong = |node: &Node| Error::new(line, Fault::Merge { found: node.value.kind() });
        if let Some(first) = self.merge_line.replace(line) {
            return Err(Error::new(line, Fault::Duplicate { key: "<<".to_owned(), first }));
        }
        match node.value {
            Value::Map(map) => self.merged.push(map),
            Value::List(list) => {
                for node in list.iter() {
                    self.merged.push(node.as_map().ok_or_else(|| wrong(node))?.clone());
                }
            }
            _ => return Err(wrong(&node)),
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Map {
        if self.merged.is_empty() {
            return Map(self.entries.into());
        }
        if let [map] = &*self.merged {
            // No key is in it twice, so that nothing has to be remembered.
            let others: Vec<_> =
                map.iter().filter(|entry| self.line_of(&entry.key).is_none()).cloned().collect();
            self.entries.extend(others);
            return Map(self.entries.into());
        }
        let keys = self.entries.iter().enumerate();
        self.table = keys.map(|(index, entry)| (Arc::clone(&entry.key), index)).collect();
        for entry in self.merged.iter().flat_map(|map| map.iter()) {
            if let hash_map::Entry::Vacant(vacant) = self.table.entry(Arc::clone(&entry.key)) {
                vacant.insert(self.entries.len());
                self.entries.push(entry.clone());
            }
        }
        Map(self.entries.into())
    }
}

/// Two maps of one key, the second over the first. What they hold is not looked into: the maps of a KubeletConfiguration hold no maps.
fn together(one: &Map, other: &Map) -> Map {
    let others: HashMap<&str, &Entry> = other.iter().map(|entry| (entry.key(), entry)).collect();
    let kept = one.iter().filter(|entry| !others.contains_key(entry.key()));
    Map(kept.chain(other.iter()).cloned().collect())
}
