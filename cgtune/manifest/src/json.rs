//! Streams of JSON values, of which lists go out item by item.
//!
//! serde_json finds the end of each value of the top object and of each item, and checks it, without holding more than
//! that one; [`tree`] then makes a node of its text, so that what is wrong inside an item ends no more than the item.

mod tree;

use std::{
    fmt,
    io::{self, BufRead, Read},
    ops::ControlFlow,
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::{
    delivery::{Delivery, Root},
    error::{Error, Fault},
    node::Node,
    source::{Gauge, Source},
    tree::{Key, Tree},
};

/// Reads to the end, or to the first syntax error: behind one nobody knows where a value starts.
pub(crate) fn read<R: BufRead>(source: Source<R>, delivery: &mut Delivery<'_>) -> ControlFlow<()> {
    let gauge = source.gauge();
    let mut json = serde_json::Deserializer::from_reader(Bytes { source, at: 0 });
    delivery.repeats.merge = true;
    let mut tree = Tree::new(delivery.repeats.clone());
    // What `end` has against the text is that there is more of it.
    while let Err(more) = json.end() {
        gauge.begin_object();
        tree.begin_object();
        delivery.documents += 1;
        let root = Root::new(gauge.line(), &delivery.repeats);
        let mut document =
            Document { gauge: Rc::clone(&gauge), tree: &mut tree, delivery, root, stopped: false };
        let read = if more.is_io() { Err(more) } else { json.deserialize_any(&mut document) };
        let Document { root, stopped, .. } = document;
        match read {
            _ if stopped => return ControlFlow::Break(()),
            Ok(None) => root.finish(delivery)?,
            Ok(Some(error)) => delivery.give(delivery.place(None, error.line), Err(error))?,
            Err(error) => {
                let error = gauge.take_error().unwrap_or_else(|| syntax(&error));
                let item = root.open_item();
                let line = if item.is_some() { error.line } else { root.line() };
                return delivery.give(delivery.place(item, line), Err(error));
            }
        }
    }
    ControlFlow::Continue(())
}

/// An error of serde_json without the place in its text.
fn syntax(error: &serde_json::Error) -> Error {
    let what = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = what.strip_suffix(&*place).unwrap_or(&what);
    Error::new(error.line().max(1) as u64, Fault::Json { what: what.to_owned(), column: error.column() })
}

/// The source as serde_json wants it, which asks for one byte after the other.
struct Bytes<R> {
    source: Source<R>,
    at: usize,
}

impl<R: BufRead> Read for Bytes<R> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // What serde_json always asks for.
        if let ([byte], Some(&next)) = (&mut *buffer, self.source.piece().as_bytes().get(self.at)) {
            *byte = next;
            self.at += 1;
            return Ok(1);
        }
        while self.at == self.source.piece().len() {
            self.at = 0;
            match self.source.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(0),
                Err(error) => {
                    self.source.gauge().put_error(error);
                    return Err(io::Error::other("the source has failed"));
                }
            }
        }
        let rest = self.source.piece().as_bytes().get(self.at..).unwrap_or_default();
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.at += taken;
        Ok(taken)
    }
}

/// The methods of a visitor for which a scalar is the wrong thing.
macro_rules! refuse_scalars {
    ($fault:ident) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Some(Error::new(self.line(), Fault::$fault { found: "a boolean" })))
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Some(Error::new(self.line(), Fault::$fault { found: "a number" })))
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Some(Error::new(self.line(), Fault::$fault { found: "a number" })))
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Some(Error::new(self.line(), Fault::$fault { found: "a number" })))
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Some(Error::new(self.line(), Fault::$fault { found: "a string" })))
        }
    };
}

/// One value at the top of the stream.
struct Document<'d, 'v> {
    gauge: Rc<Gauge>,
    tree: &'d mut Tree,
    delivery: &'d mut Delivery<'v>,
    root: Root,
    /// Whether the visitor wants no more.
    stopped: bool,
}

impl Document<'_, '_> {
    /// Makes a node of the value that was read last. It ends on the line of the last byte that was taken: at most one
    /// more byte was, and if that is a line feed it still belongs to the line.
    fn grow(&mut self, raw: &RawValue) -> (u64, Result<Node, Error>) {
        let breaks = raw.get().bytes().filter(|&byte| byte == b'\n').count() as u64;
        let line = self.gauge.line().saturating_sub(breaks).max(1);
        (line, tree::grow(self.tree, raw.get(), line))
    }

    fn line(&self) -> u64 {
        self.gauge.line()
    }
}

impl<'de> Visitor<'de> for &mut Document<'_, '_> {
    /// What is wrong with a value that is no object.
    type Value = Option<Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        self.root = Root::new(self.gauge.line(), &self.delivery.repeats);
        while let Some(text) = map.next_key::<String>()? {
            let key = Key { text: text.into(), line: self.gauge.line(), merges: false };
            if !self.root.key(&key.text, key.line) {
                map.next_value::<IgnoredAny>()?;
            } else if self.root.streams(&key.text) {
                self.root.open_items(key);
                if let Some(error) = map.next_value_seed(Items(&mut *self))? {
                    self.root.fail(error);
                }
                self.root.close_items();
                self.tree.begin_object();
                self.gauge.begin_object();
            } else {
                let raw = map.next_value::<Box<RawValue>>()?;
                self.tree.stand(1);
                match self.grow(&raw).1 {
                    Ok(node) => self.root.value(key, node),
                    Err(error) => self.root.fail(error),
                }
            }
        }
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let line = self.gauge.line();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(Error::new(line, Fault::NotAnObject { found: "a list" })))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Error::new(self.gauge.line(), Fault::NotAnObject { found: "null" })))
    }

    refuse_scalars!(NotAnObject);
}

/// What stands under `items`.
struct Items<'a, 'd, 'v>(&'a mut Document<'d, 'v>);

impl Items<'_, '_, '_> {
    fn line(&self) -> u64 {
        self.0.line()
    }
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_, '_> {
    type Value = Option<Error>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_, '_> {
    type Value = Option<Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let document = self.0;
        loop {
            document.gauge.begin_object();
            document.tree.begin_object();
            let Some(raw) = seq.next_element::<Box<RawValue>>()? else { return Ok(None) };
            let (line, item) = document.grow(&raw);
            if document.root.item(line, item, document.delivery).is_break() {
                document.stopped = true;
                return Err(serde::de::Error::custom("stopped"));
            }
        }
    }

    /// So Go writes a list that was never filled.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let line = self.0.gauge.line();
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(Error::new(line, Fault::ItemsNotAList { found: "a map" })))
    }

    refuse_scalars!(ItemsNotAList);
}
