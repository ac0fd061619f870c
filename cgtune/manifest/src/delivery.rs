//! From what the readers found to what the visitor gets: lists taken apart, and items given the kind of their list.
//!
//! `kubectl get --raw` prints what the API server sends: a `PodList` whose items have no kind. `kubectl get -o yaml`
//! prints a `List` whose items have one each.

use std::ops::ControlFlow;

use crate::{
    Visit,
    entries::{Entries, Repeats},
    error::{Error, Fault},
    node::{Entry, List, Map, Node, Value},
    place::Place,
    tree::Key,
};

/// What the kinds of lists end with. The one of kubectl is called nothing else.
const LIST: &str = "List";

/// Whether a kind is that of a list.
fn is_list(kind: &str) -> bool {
    kind.ends_with(LIST)
}

/// What items may take from their list.
#[derive(Debug, Clone, Default)]
struct Header {
    kind: Option<Entry>,
    api_version: Option<Entry>,
}

impl Header {
    fn of(map: &Map) -> Self {
        let mut header = Self::default();
        map.iter().for_each(|entry| header.see(entry));
        header
    }

    fn see(&mut self, entry: &Entry) {
        match &*entry.key {
            "kind" if !entry.node.is_null() => self.kind = Some(entry.clone()),
            "apiVersion" if !entry.node.is_null() => self.api_version = Some(entry.clone()),
            _ => {}
        }
    }

    fn kind(&self) -> Option<&str> {
        self.kind.as_ref().and_then(|entry| entry.node.as_text())
    }

    /// The item, with a kind.
    fn complete(&self, item: Node) -> Result<Node, Error> {
        let line = item.line;
        let Value::Map(map) = &item.value else {
            return Err(Error::new(line, Fault::NotAnObject { found: item.value.kind() }));
        };
        if map.given("kind").is_some() {
            return Ok(item);
        }
        let kind = self.kind().and_then(|kind| kind.strip_suffix(LIST)).filter(|kind| !kind.is_empty());
        let (Some(kind), Some(entry)) = (kind, &self.kind) else {
            return Err(Error::new(line, Fault::KindUnknown));
        };
        let kind = Node { line: entry.node.line, value: Value::Text(kind.into()) };
        let kind = Entry { key: entry.key.clone(), line: entry.line, node: kind };
        let api_version = self.api_version.clone().filter(|_| map.given("apiVersion").is_none());
        let replaced = |key: &str| key == "kind" || api_version.is_some() && key == "apiVersion";
        let own = map.iter().filter(|entry| !replaced(&entry.key)).cloned();
        let entries = own.chain([kind]).chain(api_version.clone()).collect();
        Ok(Node { line, value: Value::Map(Map(entries)) })
    }
}

/// The items of an object, if it is a list.
fn items(map: &Map) -> Result<Option<List>, Error> {
    let kind = map.get("kind").and_then(Node::as_text);
    let Some(items) = map.get("items").filter(|_| kind.is_some_and(is_list)) else { return Ok(None) };
    match &items.value {
        Value::List(list) => Ok(Some(list.clone())),
        // So Go writes a list that was never filled.
        Value::Null => Ok(Some(List([].into()))),
        other => Err(Error::new(items.line, Fault::ItemsNotAList { found: other.kind() })),
    }
}

/// Hands objects to the visitor.
pub(crate) struct Delivery<'v> {
    visit: &'v mut Visit<'v>,
    /// Documents so far.
    pub(crate) documents: u64,
    /// What becomes of keys that stand twice.
    pub(crate) repeats: Repeats,
}

impl<'v> Delivery<'v> {
    pub(crate) fn new(visit: &'v mut Visit<'v>, repeats: Repeats) -> Self {
        Self { visit, documents: 0, repeats }
    }

    /// A place in the current document.
    pub(crate) fn place(&self, item: Option<u64>, line: u64) -> Place {
        Place { document: self.documents, item, nested: None, line }
    }

    pub(crate) fn give(&mut self, place: Place, object: Result<Node, Error>) -> ControlFlow<()> {
        (self.visit)(place, object)
    }

    /// Hands out an object, or the items of a list one by one.
    fn take_apart(&mut self, place: Place, object: Result<Node, Error>) -> ControlFlow<()> {
        let node = match object {
            Ok(node) => node,
            Err(error) => return self.give(place, Err(error)),
        };
        let Value::Map(map) = &node.value else {
            let error = Error::new(node.line, Fault::NotAnObject { found: node.value.kind() });
            return self.give(place, Err(error));
        };
        let items = match items(map) {
            Ok(Some(items)) => items,
            Ok(None) => return self.give(place, Ok(node)),
            Err(error) => return self.give(place, Err(error)),
        };
        let header = Header::of(map);
        for (index, item) in (0_u64..).zip(items.iter()) {
            let line = item.line;
            let place = match place {
                Place { item: None, .. } => Place { item: Some(index), line, ..place },
                Place { nested: None, .. } => Place { nested: Some(index), line, ..place },
                _ => return self.give(place, Err(Error::new(node.line, Fault::NestedLists))),
            };
            self.take_apart(place, header.complete(item.clone()))?;
        }
        ControlFlow::Continue(())
    }
}

/// The map at the top of a document while it is read.
pub(crate) struct Root {
    line: u64,
    entries: Entries,
    header: Header,
    /// How many items went out already, if there are items.
    items: Option<u64>,
    /// Whether items are being read.
    in_items: bool,
    /// The first thing wrong outside items.
    error: Option<Error>,
}

impl Root {
    pub(crate) fn new(line: u64, repeats: &Repeats) -> Self {
        Self {
            line,
            entries: Entries::new(repeats.clone()),
            header: Header::default(),
            items: None,
            in_items: false,
            error: None,
        }
    }

    /// Whether the value of this key can be taken. If not, it is to be passed over.
    pub(crate) fn key(&mut self, key: &str, line: u64) -> bool {
        let checked = self.entries.check(key, line);
        checked.map_err(|error| self.fail(error)).is_ok()
    }

    /// The document is no object any more, whatever its items are.
    pub(crate) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Whether what stands under the key goes out item by item.
    pub(crate) fn streams(&self, key: &str) -> bool {
        key == "items" && (self.header.kind.is_none() || self.header.kind().is_some_and(is_list))
    }

    /// Takes what stands under a key.
    pub(crate) fn value(&mut self, key: Key, node: Node) {
        if key.merges {
            if let Err(error) = self.entries.merge(key.line, node) {
                self.fail(error);
            }
            return;
        }
        self.header.see(&Entry { key: key.text.clone(), line: key.line, node: node.clone() });
        self.entries.push(key.text, key.line, node);
    }

    /// Items follow.
    pub(crate) fn open_items(&mut self, key: Key) {
        self.items = Some(0);
        self.in_items = true;
        // The key counts as taken, what it held is gone.
        self.entries.push(key.text, key.line, Node { line: key.line, value: Value::Null });
    }

    /// No more items follow.
    pub(crate) fn close_items(&mut self) {
        self.in_items = false;
    }

    /// The index of the item that is being read, if one is.
    pub(crate) fn open_item(&self) -> Option<u64> {
        self.items.filter(|_| self.in_items)
    }

    /// Hands out an item that starts on this line.
    pub(crate) fn item(
        &mut self,
        line: u64,
        item: Result<Node, Error>,
        delivery: &mut Delivery<'_>,
    ) -> ControlFlow<()> {
        let index = self.items.unwrap_or_default();
        self.items = Some(index + 1);
        let item = item.and_then(|item| self.header.complete(item));
        delivery.take_apart(delivery.place(Some(index), line), item)
    }

    /// The first line of the document.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Hands out the object, or what has to be said of a list whose items are out.
    pub(crate) fn finish(self, delivery: &mut Delivery<'_>) -> ControlFlow<()> {
        let place = delivery.place(None, self.line);
        if let Some(error) = self.error {
            return delivery.give(place, Err(error));
        }
        let map = self.entries.finish();
        if self.items.is_none() {
            return delivery.take_apart(place, Ok(Node { line: self.line, value: Value::Map(map) }));
        }
        match Header::of(&map).kind() {
            Some(kind) if is_list(kind) => ControlFlow::Continue(()),
            Some(kind) => {
                let line = map.get("kind").map_or(self.line, Node::line);
                delivery.give(place, Err(Error::new(line, Fault::ItemsOfNoList { kind: kind.to_owned() })))
            }
            None => delivery.give(place, Err(Error::new(self.line, Fault::ItemsWithoutKind))),
        }
    }
}
