//! A map while it is read: no key twice, and what merge keys bring.

use std::{
    collections::{HashMap, hash_map},
    sync::Arc,
};

use crate::{
    error::{Error, Fault},
    node::{Entry, Map, Node, Value},
};

/// From how many keys on a table finds them. Below, which is nearly always, comparing is faster.
const TABLED: usize = 16;

/// Keys so far.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    /// Key → index, once there are many.
    table: HashMap<Arc<str>, usize>,
    /// Maps under `<<`, in the order in which they win.
    merged: Vec<Map>,
    /// The line of the `<<`.
    merge_line: Option<u64>,
}

impl Entries {
    /// The line on which the key stands already.
    fn line_of(&self, key: &str) -> Option<u64> {
        let index = if self.table.is_empty() {
            self.entries.iter().position(|entry| &*entry.key == key)
        } else {
            self.table.get(key).copied()
        };
        index.and_then(|index| self.entries.get(index)).map(|entry| entry.line)
    }

    /// Whether the key is new.
    pub(crate) fn check(&self, key: &str, line: u64) -> Result<(), Error> {
        self.line_of(key)
            .map_or(Ok(()), |first| Err(Error::new(line, Fault::Duplicate { key: key.to_owned(), first })))
    }

    /// Adds a key that [`Entries::check`] has let pass.
    pub(crate) fn push(&mut self, key: Arc<str>, line: u64, node: Node) {
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
