//! Streams of YAML documents, of which lists go out item by item.
//!
//! The parser is granit-parser and not saphyr-parser, from which it comes: it knows errors by kind, bounds nesting, reads
//! on behind an unknown alias, and its streaming input indexes no empty buffer.
//!
//! Only events are taken from it. Each document has a parser of its own ([`documents`] finds where they end), nothing
//! recurses, and of a list no more is kept than the item that is read and what is anchored.

mod anchors;
mod documents;
mod scalar;

use std::{io::BufRead, ops::ControlFlow, sync::Arc};

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError};

use self::{anchors::Anchors, documents::Documents};
use crate::{
    delivery::{Delivery, Root},
    error::{Error, Fault},
    node::{Node, Value},
    quoted::cut,
    source::{Gauge, Source},
    tree::{Extent, Grown, Key, Tree},
};

/// Reads to the end; what is wrong with one document ends no more than that.
pub(crate) fn read<R: BufRead>(source: Source<R>, delivery: &mut Delivery<'_>) -> ControlFlow<()> {
    let mut documents = Documents::new(source);
    let gauge = documents.gauge();
    let mut aliased = 0;
    loop {
        let first = match documents.open() {
            Ok(Some(line)) => line,
            Ok(None) => return ControlFlow::Continue(()),
            Err(error) => {
                delivery.documents += 1;
                delivery.give(delivery.place(None, error.line), Err(error))?;
                documents.leave();
                continue;
            }
        };
        let mut document = Document {
            gauge: &gauge,
            aliased: &mut aliased,
            tree: Tree::new(delivery.repeats.clone()),
            anchors: Anchors::default(),
            state: State::Start,
            root: Root::new(first, &delivery.repeats),
            delivery,
            begun: false,
            open: 0,
            failed: None,
        };
        let mut parser = Parser::new_from_fallible_iter_with_options(&mut documents, options());
        let ended = loop {
            match parser.next_event() {
                None => break Ok(()),
                Some(Ok((event, span))) => {
                    let line = first + (span.start.line() as u64).saturating_sub(1);
                    if let Err(end) = document.take(event, line) {
                        break Err(end);
                    }
                }
                Some(Err(error)) => break Err(End::Scan(error)),
            }
        };
        drop(parser);
        match ended {
            Ok(()) => document.finish()?,
            Err(End::Asked) => return ControlFlow::Break(()),
            Err(End::Unreadable(error)) => document.fail(error)?,
            Err(End::Scan(error)) => {
                let error = gauge.take_error().unwrap_or_else(|| syntax(&error, first, documents.tab()));
                document.fail(error)?;
            }
        }
        documents.leave();
    }
}

fn options() -> Options {
    granit_parser::options! { emit_unresolved_aliases: true, emit_anchor_events: true, emit_comments: false }
}

/// The parser's error in a document that starts on line `first`. `tab` is the last line with a tab in its indentation
/// that it has seen.
fn syntax(error: &ScanError, first: u64, tab: Option<u64>) -> Error {
    let line = first + (error.marker().line() as u64).saturating_sub(1);
    let fault = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => Fault::Tab,
        ErrorKind::RecursionLimitExceeded => Fault::TooDeep,
        kind => Fault::Yaml { what: what(kind), column: error.marker().col() + 1 },
    };
    // The parser points at what stands before the tab as often as at the tab.
    match tab {
        Some(tab) if matches!(fault, Fault::Tab) && line <= tab => Error::new(tab, fault),
        _ => Error::new(line, fault),
    }
}

/// What the parser says, in other words where its own do not tell what to do about mistakes that people make.
fn what(kind: &ErrorKind) -> String {
    let ours = match kind {
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::UnclosedQuotedScalar => {
            "a quoted text before this has no end, or goes on without indentation"
        }
        ErrorKind::MappingValueNotAllowed => {
            "a second \": \" in one line, or a key indented unlike its neighbours"
        }
        ErrorKind::SimpleKeyExpected => "a line without \": \" where a key should stand",
        ErrorKind::InvalidColonPlacement => {
            "a \": \" inside of brackets, or a bracket before this that is not closed"
        }
        ErrorKind::ExpectedBlockMappingKey => {
            "a key indented unlike its neighbours, or something else where a key should stand"
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return format!("text cannot begin with '{}'; put it in quotes", cut(&character.to_string()));
        }
        theirs => return theirs.to_string(),
    };
    ours.to_owned()
}

/// Why a document is not read to its end.
enum End {
    /// The visitor wants no more.
    Asked,
    Unreadable(Error),
    Scan(ScanError),
}

/// Where in the document the next event stands.
enum State {
    /// Before its node.
    Start,
    /// Between the keys of the top map.
    Keys,
    /// At what stands under a key. Without a key it is passed over.
    Value(Option<Key>),
    /// Between items.
    Items,
    /// In an item that starts on this line.
    Item(u64),
    /// Behind its node.
    Behind,
}

/// One document.
struct Document<'d, 'v> {
    gauge: &'d Gauge,
    delivery: &'d mut Delivery<'v>,
    /// What aliases stood for in the whole stream.
    aliased: &'d mut u64,
    tree: Tree,
    anchors: Anchors,
    state: State,
    root: Root,
    /// Whether the document holds anything.
    begun: bool,
    /// Maps and lists that are open in the value or item.
    open: usize,
    /// The first thing wrong with the value or item, the rest of which is passed over.
    failed: Option<Error>,
}

impl Document<'_, '_> {
    fn take(&mut self, event: Event<'_>, line: u64) -> Result<(), End> {
        match event {
            Event::Anchor(anchor, name) => self.anchors.name(anchor, name.into_owned()),
            event if event.is_node() || matches!(event, Event::SequenceEnd | Event::MappingEnd) => {
                return self.take_node(event, line);
            }
            _ => {}
        }
        Ok(())
    }

    fn take_node(&mut self, event: Event<'_>, line: u64) -> Result<(), End> {
        match std::mem::replace(&mut self.state, State::Behind) {
            State::Start => return self.start(&event, line),
            State::Keys => match event {
                Event::MappingEnd => {}
                event => {
                    self.tree.stand(1);
                    self.state = self.root_key(&event, line).map(State::Value).map_err(End::Unreadable)?;
                }
            },
            State::Value(Some(key)) if self.open == 0 && self.root.streams(&key.text) => {
                self.open_items(key, event, line);
            }
            State::Value(key) => match self.grow(event, line) {
                None => self.state = State::Value(key),
                Some(grown) => {
                    self.state = State::Keys;
                    match (key, grown) {
                        (Some(key), Ok(node)) => self.root.value(key, node),
                        (Some(_), Err(error)) => self.root.fail(error),
                        (None, _) => {}
                    }
                }
            },
            State::Items => {
                self.gauge.begin_object();
                self.tree.begin_object();
                if event == Event::SequenceEnd {
                    self.root.close_items();
                    self.state = State::Keys;
                } else {
                    return self.item(line, event, line);
                }
            }
            State::Item(start) => return self.item(start, event, line),
            // Not known to happen: the parser would see a document where the text shows no marker.
            State::Behind => return Err(End::Unreadable(Error::new(line, Fault::SecondDocument))),
        }
        Ok(())
    }

    /// The document holds something, so that it counts.
    fn begin(&mut self) {
        self.begun = true;
        self.delivery.documents += 1;
    }

    /// The document's own node.
    fn start(&mut self, event: &Event<'_>, line: u64) -> Result<(), End> {
        let found = match event {
            Event::MappingStart(..) => {
                self.begin();
                self.root = Root::new(line, &self.delivery.repeats);
                self.state = State::Keys;
                return Ok(());
            }
            Event::Scalar(text, style, _, tag) => match scalar::resolve(text, *style, tag.as_deref()) {
                // Nothing but comments, most of the time.
                Ok(Value::Null) => return Ok(()),
                Ok(value) => value.kind(),
                Err(_) => "a scalar",
            },
            Event::SequenceStart(..) => "a list",
            _ => "an alias",
        };
        Err(End::Unreadable(Error::new(line, Fault::NotAnObject { found })))
    }

    /// A key of the top map, or nothing if its value is to be passed over.
    fn root_key(&mut self, event: &Event<'_>, line: u64) -> Result<Option<Key>, Error> {
        let key = self.key(event, line)?;
        Ok((key.merges || self.root.key(&key.text, key.line)).then_some(key))
    }

    /// What stands under `items`.
    fn open_items(&mut self, key: Key, event: Event<'_>, line: u64) {
        let found = match event {
            // One with an anchor is wanted whole.
            Event::SequenceStart(_, 0, _) => {
                self.root.open_items(key);
                self.state = State::Items;
                return;
            }
            Event::SequenceStart(..) | Event::Alias(_) | Event::UnresolvedAlias(_) => None,
            Event::Scalar(ref text, style, _, ref tag) => {
                match scalar::resolve(text, style, tag.as_deref()) {
                    Ok(Value::Null) | Err(_) => None,
                    Ok(value) => Some(value.kind()),
                }
            }
            _ => Some("a map"),
        };
        if let Some(found) = found {
            self.failed = Some(Error::new(line, Fault::ItemsNotAList { found }));
        }
        match self.grow(event, line) {
            None => self.state = State::Value(Some(key)),
            Some(grown) => {
                self.state = State::Keys;
                match grown {
                    Ok(node) => self.root.value(key, node),
                    Err(error) => self.root.fail(error),
                }
            }
        }
    }

    fn item(&mut self, start: u64, event: Event<'_>, line: u64) -> Result<(), End> {
        self.state = State::Item(start);
        if let Some(item) = self.grow(event, line) {
            self.state = State::Items;
            if self.root.item(start, item, self.delivery).is_break() {
                return Err(End::Asked);
            }
        }
        Ok(())
    }

    /// Takes a part of the value or item, and gives it back when it is complete.
    fn grow(&mut self, event: Event<'_>, line: u64) -> Option<Result<Node, Error>> {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => self.open += 1,
            Event::SequenceEnd | Event::MappingEnd => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        let mut complete = None;
        if self.failed.is_none() {
            match self.part(event, line) {
                Ok(grown) => complete = grown,
                Err(error) => self.failed = Some(error),
            }
        }
        if self.open > 0 {
            return None;
        }
        match self.failed.take() {
            None => complete.map(|grown| Ok(grown.node)),
            Some(error) => Some(Err(error)),
        }
    }

    fn part(&mut self, event: Event<'_>, line: u64) -> Result<Option<Grown>, Error> {
        if self.tree.wants_key() && event != Event::MappingEnd {
            let key = self.key(&event, line)?;
            return self.tree.key(key).map(|()| None);
        }
        match event {
            Event::SequenceStart(_, anchor, _) => self.tree.open_list(line, anchor).map(|()| None),
            Event::MappingStart(_, anchor, _) => self.tree.open_map(line, anchor).map(|()| None),
            Event::SequenceEnd | Event::MappingEnd => match self.tree.close() {
                Some(grown) => {
                    self.anchors.keep(grown.anchor, &grown.node, grown.extent)?;
                    self.tree.attach(grown)
                }
                None => Ok(None),
            },
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar::resolve(&text, style, tag.as_deref());
                let value = value.map_err(|fault| Error::new(line, fault))?;
                // What is not there has the place of the token behind it, and a block scalar that of its first line.
                let elsewhere =
                    text.is_empty() || matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let line = self.tree.key_line().filter(|_| elsewhere).unwrap_or(line);
                if anchor != 0 {
                    let node = Node { line, value: value.clone() };
                    self.anchors.keep(anchor, &node, Extent::leaf(&value))?;
                }
                self.tree.leaf(line, value)
            }
            Event::Alias(anchor) => {
                let (node, extent) = self.anchors.get(anchor, line, self.aliased)?;
                self.tree.alias(line, node, extent)
            }
            Event::UnresolvedAlias(name) => Err(unknown_anchor(&name, line)),
            _ => Ok(None),
        }
    }

    /// A key. Kubernetes makes text of numbers and booleans there; here it is the text as typed.
    fn key(&mut self, event: &Event<'_>, line: u64) -> Result<Key, Error> {
        let found = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let merges = *style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                let text: Arc<str> = (&**text).into();
                if *anchor != 0 {
                    let value = Value::Text(Arc::clone(&text));
                    self.anchors.keep(*anchor, &Node { line, value: value.clone() }, Extent::leaf(&value))?;
                }
                return Ok(Key { text, line, merges });
            }
            Event::Alias(anchor) => match self.anchors.get(*anchor, line, self.aliased)?.0.value {
                Value::Text(text) => return Ok(Key { text, line, merges: false }),
                Value::Number(number) => {
                    return Ok(Key { text: number.written().into(), line, merges: false });
                }
                value => value.kind(),
            },
            Event::UnresolvedAlias(name) => return Err(unknown_anchor(name, line)),
            Event::SequenceStart(..) => "a list",
            _ => "a map",
        };
        Err(Error::new(line, Fault::Key { found }))
    }

    /// The end of a document that is YAML.
    fn finish(self) -> ControlFlow<()> {
        if self.begun { self.root.finish(self.delivery) } else { ControlFlow::Continue(()) }
    }

    /// The end of a document, or of the item in it, that could not be read on.
    fn fail(mut self, error: Error) -> ControlFlow<()> {
        let line = match self.state {
            State::Item(line) => line,
            _ if !self.begun || self.root.open_item().is_some() => error.line,
            _ => self.root.line(),
        };
        if !self.begun {
            self.begin();
        }
        let place = self.delivery.place(self.root.open_item(), line);
        self.delivery.give(place, Err(error))
    }
}

fn unknown_anchor(name: &str, line: u64) -> Error {
    Error::new(line, Fault::UnknownAnchor { name: cut(name) })
}
