//! Taking values out of a tree, with a path and a line for whatever does not fit.
//!
//! As in Kubernetes an explicit `null` is the same as nothing. What a value means is for whoever takes it; with
//! [`Cursor::error`] they say so in the same form.

use std::{fmt, rc::Rc};

use crate::{
    node::{Node, Value},
    number::Number,
    quoted::{Quoted, cut},
};

/// A node and the way to it.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    node: &'a Node,
    way: Option<Rc<Step<'a>>>,
}

/// The last step of a way.
#[derive(Debug)]
struct Step<'a> {
    before: Option<Rc<Step<'a>>>,
    to: To<'a>,
}

#[derive(Debug, Clone, Copy)]
enum To<'a> {
    Key(&'a str),
    Index(usize),
}

/// What is wrong with a value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FieldError {
    /// `spec.containers[0].resources.limits.cpu`, fit to show; empty for the object itself.
    pub path: String,
    /// The line, counted from 1 in the file; of the map around it where something is missing.
    pub line: u64,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, problem } = self;
        let separator = if path.is_empty() { "" } else { ": " };
        write!(f, "line {line}: {path}{separator}{problem}")
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not there, or `null`.
    #[error("is missing")]
    Missing,
    /// It is something else.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What it should be, with its article.
        expected: &'static str,
        /// What it is, fit to show.
        found: String,
    },
    /// A number that means different things to different readers.
    #[error(
        "{} does not mean the same to every reader of YAML; write it in quotes or as plain decimal",
        cut(number)
    )]
    Ambiguous {
        /// The number as typed.
        number: String,
    },
    /// What its taker says.
    #[error("{0}")]
    Other(String),
}

impl<'a> Cursor<'a> {
    /// Starts at an object.
    #[must_use]
    pub const fn new(node: &'a Node) -> Self {
        Self { node, way: None }
    }

    /// The node.
    #[must_use]
    pub const fn node(&self) -> &'a Node {
        self.node
    }

    /// Its line, counted from 1 in the file.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.node.line
    }

    /// The way here: `spec.containers[0]`, a key with odd characters as `["a.b/c"]`, fit to show.
    #[must_use]
    pub fn path(&self) -> String {
        let mut steps = Vec::new();
        let mut way = &self.way;
        while let Some(step) = way {
            steps.push(step.to);
            way = &step.before;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            join(&mut path, step);
        }
        path
    }

    /// The value of a field that has to be there.
    ///
    /// # Errors
    /// This is no map, or the field is missing.
    pub fn field(&self, name: &str) -> Result<Self, FieldError> {
        self.optional(name)?.ok_or_else(|| {
            let mut path = self.path();
            join(&mut path, To::Key(name));
            FieldError { path, line: self.line(), problem: Problem::Missing }
        })
    }

    /// The value of a field, if it is given.
    ///
    /// # Errors
    /// This is no map.
    pub fn optional(&self, name: &str) -> Result<Option<Self>, FieldError> {
        match &self.node.value {
            Value::Map(map) => {
                let entry = map.iter().find(|entry| &*entry.key == name && !entry.node.is_null());
                Ok(entry.map(|entry| self.step(To::Key(&entry.key), &entry.node)))
            }
            Value::Null => Ok(None),
            _ => Err(self.unexpected("a map")),
        }
    }

    /// The keys of a map and their values, without those that are `null`.
    ///
    /// # Errors
    /// This is no map.
    pub fn entries(&self) -> Result<impl Iterator<Item = (&'a str, Self)> + use<'a>, FieldError> {
        let entries = match &self.node.value {
            Value::Map(map) => &**map,
            Value::Null => &[],
            _ => return Err(self.unexpected("a map")),
        };
        let here = self.clone();
        let given = entries.iter().filter(|entry| !entry.node.is_null());
        Ok(given.map(move |entry| (&*entry.key, here.step(To::Key(&entry.key), &entry.node))))
    }

    /// The values of a list.
    ///
    /// # Errors
    /// This is no list.
    pub fn items(&self) -> Result<impl Iterator<Item = Self> + use<'a>, FieldError> {
        let nodes = match &self.node.value {
            Value::List(list) => &**list,
            Value::Null => &[],
            _ => return Err(self.unexpected("a list")),
        };
        let here = self.clone();
        Ok(nodes.iter().enumerate().map(move |(index, node)| here.step(To::Index(index), node)))
    }

    /// The text of a string.
    ///
    /// # Errors
    /// This is no string.
    pub fn text(&self) -> Result<&'a str, FieldError> {
        self.node.as_text().ok_or_else(|| self.unexpected("a string"))
    }

    /// The text of a string or a number as it was typed, for amounts that may be either.
    ///
    /// # Errors
    /// This is neither, or a number that is not the same to every reader.
    pub fn text_or_number(&self) -> Result<&'a str, FieldError> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            Value::Number(number) => self.plain(number),
            _ => Err(self.unexpected("a string or a number")),
        }
    }

    /// A whole number from 0 to 2^64 - 1.
    ///
    /// # Errors
    /// This is none, or one that is not the same to every reader.
    pub fn unsigned(&self) -> Result<u64, FieldError> {
        const EXPECTED: &str = "a whole number from 0 to 18446744073709551615";
        match &self.node.value {
            Value::Number(number) => self.plain(number)?.parse().map_err(|_| self.unexpected(EXPECTED)),
            _ => Err(self.unexpected(EXPECTED)),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// This is neither. `yes` and `on` are strings to YAML 1.2.
    pub fn boolean(&self) -> Result<bool, FieldError> {
        match &self.node.value {
            Value::Bool(value) => Ok(*value),
            _ => Err(self.unexpected("true or false")),
        }
    }

    /// Something to say about the value here.
    #[must_use]
    pub fn error(&self, message: impl fmt::Display) -> FieldError {
        self.problem(Problem::Other(message.to_string()))
    }

    fn plain(&self, number: &'a Number) -> Result<&'a str, FieldError> {
        let ambiguous = || self.problem(Problem::Ambiguous { number: number.written().to_owned() });
        number.plain().ok_or_else(ambiguous)
    }

    fn unexpected(&self, expected: &'static str) -> FieldError {
        let value = &self.node.value;
        let found = match value {
            Value::Null | Value::List(_) | Value::Map(_) => value.kind().to_owned(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Number(number) => format!("the number {}", cut(number.written())),
            Value::Text(text) => format!("the string {}", Quoted(text)),
        };
        self.problem(Problem::Unexpected { expected, found })
    }

    fn problem(&self, problem: Problem) -> FieldError {
        FieldError { path: self.path(), line: self.line(), problem }
    }

    fn step(&self, to: To<'a>, node: &'a Node) -> Self {
        Self { node, way: Some(Rc::new(Step { before: self.way.clone(), to })) }
    }
}

/// Writes a step behind a path.
fn join(path: &mut String, to: To<'_>) {
    use fmt::Write as _;
    // Writing to a String does not fail.
    let _ = match to {
        To::Index(index) => write!(path, "[{index}]"),
        To::Key(key)
            if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) =>
        {
            write!(path, "[{}]", Quoted(key))
        }
        To::Key(key) if path.is_empty() => write!(path, "{}", cut(key)),
        To::Key(key) => write!(path, ".{}", cut(key)),
    };
}
