//! Why a stream, a document or an object could not be read.
//!
//! What is wrong with an object that could be read is [`FieldError`](crate::FieldError)'s business.

use std::io;

use crate::{
    limits::{MAX_ALIASED_NODES, MAX_BYTES, MAX_DEPTH, MAX_NODES},
    quoted::Quoted,
};

/// A line and what is wrong there.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Error {
    /// The line, counted from 1 in the file.
    pub line: u64,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

impl Error {
    pub(crate) const fn new(line: u64, fault: Fault) -> Self {
        Self { line, fault }
    }
}

/// What is wrong with a text that should hold Kubernetes objects.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The source failed.
    #[error("cannot read on")]
    Read(#[source] io::Error),
    /// Bytes that are not UTF-8.
    #[error("a byte here is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// The stream starts as UTF-16 does.
    #[error("this is UTF-16 text; save the file as UTF-8")]
    Utf16,
    /// A NUL byte, which neither format allows. It ends the stream.
    #[error("a NUL byte here; this is not a text file, or a damaged one")]
    Nul,
    /// A carriage return that ends no line. YAML takes it for a line break and JSON does not, so lines could not be numbered.
    #[error("a carriage return without a line feed; save the file with LF or CRLF line ends")]
    CarriageReturn,
    /// The JSON reader stopped.
    #[error("this is not JSON: {what} at column {column}")]
    Json {
        /// What it says.
        what: String,
        /// The column, counted from 1.
        column: usize,
    },
    /// A string that is no text.
    #[error("a string here cannot be read: {what}")]
    JsonString {
        /// What serde_json says.
        what: String,
    },
    /// The YAML reader stopped.
    #[error("this is not YAML: {what} at column {column}")]
    Yaml {
        /// What it says.
        what: String,
        /// The column, counted from 1.
        column: usize,
    },
    /// More where a document is complete.
    #[error("another document begins here; write --- before it")]
    SecondDocument,
    /// A tab where YAML wants blanks.
    #[error("a tab cannot indent YAML; use spaces")]
    Tab,
    /// A key for the second time.
    #[error("the key {} stands here and on line {first}; keep one of them", Quoted(key))]
    Duplicate {
        /// The key.
        key: String,
        /// The line of the first.
        first: u64,
    },
    /// A YAML key that is a list or a map.
    #[error("a key must be text, and this one is {found}; put it in quotes")]
    Key {
        /// What it is.
        found: &'static str,
    },
    /// A merge key whose value is no map.
    #[error("<< takes a map or a list of maps, and this is {found}")]
    Merge {
        /// What it is.
        found: &'static str,
    },
    /// An alias to nothing before it.
    #[error("*{name} has no &{name} before it in this document")]
    UnknownAnchor {
        /// The name, fit to show.
        name: String,
    },
    /// An alias inside what it stands for, or to a part that could not be read.
    #[error("an alias stands here for something that is not complete before it; write it out")]
    UnfinishedAnchor,
    /// A core tag that its scalar does not fit, or one that is not read.
    #[error("{} cannot be read as {tag}; take the tag off or mend the value", Quoted(text))]
    Tag {
        /// The tag, fit to show.
        tag: String,
        /// The scalar.
        text: String,
    },
    /// Nested too deep.
    #[error(
        "maps and lists nest deeper than {MAX_DEPTH} here; no Kubernetes object does, so this is not read"
    )]
    TooDeep,
    /// Too much text.
    #[error(
        "one object takes more than {} MiB of text, aliases included; put large objects apart, one a document",
        MAX_BYTES >> 20
    )]
    TooLarge,
    /// Too many values.
    #[error(
        "one object has more than {MAX_NODES} values, aliases included; put large objects apart, one a document"
    )]
    TooManyNodes,
    /// Too much is anchored, and has to be kept while the document is read.
    #[error(
        "the anchors of this document hold more than {MAX_NODES} values or {} MiB of text; write some of them out",
        MAX_BYTES >> 20
    )]
    TooMuchAnchored,
    /// Too many values by way of aliases.
    #[error(
        "the aliases of this file stand for more than {MAX_ALIASED_NODES} values; split the file, or write them out"
    )]
    TooManyAliased,
    /// A document or an item that is no map.
    #[error("expected an object, found {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A list whose items are none.
    #[error("expected a list of objects in items, found {found}")]
    ItemsNotAList {
        /// What it is.
        found: &'static str,
    },
    /// An item without a kind in a list of whatever.
    #[error(
        "this item has no kind, and none of its list was seen before it; write kind into the item, or first into the list"
    )]
    KindUnknown,
    /// Items under no kind.
    #[error("there are items here and no kind; write kind: List if this is a list")]
    ItemsWithoutKind,
    /// Items under a kind that is no list's. They stood before the kind, and so were taken for objects.
    #[error(
        "kind {} is not a list, so that the items before it are no objects; write kind before items",
        Quoted(kind)
    )]
    ItemsOfNoList {
        /// The kind.
        kind: String,
    },
    /// A list in a list in a list.
    #[error("a list within a list within a list is not read; take one of them apart")]
    NestedLists,
}
