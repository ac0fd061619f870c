//! Changes made in the text of a configuration: the lines of a field change, every other line stays as it is.
//!
//! A tree forgets comments, blanks and quotes, so that writing it anew would lose what people put there. Where lines don't
//! show the fields (JSON, a map in braces, merge keys) the tree is written anew all the same, and that is said. Either way the result is
//! read again and compared, so that no change can do more than it says.

use std::collections::BTreeMap;

use cgtune_core::kubelet::{
    KubeletConfig,
    recommend::{Change, Given, Recommendation},
};

use super::{KubeletFile, yaml};
use crate::{Entry, Format, Map, Node, Value};

/// A configuration's text after changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The text, YAML.
    pub text: String,
    /// Whether all lines that need no change stayed as they were, comments included.
    pub kept: bool,
}

/// A text that could not be changed so that it says what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration's text could not be changed so that it says what is recommended and nothing else")]
pub struct EditError;

/// What a configuration begins with where there is none yet.
const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

impl Edited {
    /// A configuration that holds nothing but the changes.
    ///
    /// # Errors
    /// The changes contradict each other.
    pub fn fresh(done: &Recommendation) -> Result<Self, EditError> {
        let file = KubeletFile::read(HEAD.as_bytes(), Format::Yaml).map_err(|_| EditError)?;
        file.edited(HEAD, done)
    }
}

/// The changes alone, as a strategic merge patch for kubeadm: what is to go is `null`.
#[must_use]
pub fn patch(done: &Recommendation) -> String {
    let null = |to: Option<&Given>| to.map_or_else(|| "null".to_owned(), leaf);
    let mut maps: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for change in &done.changes {
        let (field, key) = change.field.steps();
        let to = change.to.as_ref();
        let lines = maps.entry(field).or_insert_with(|| vec![format!("{field}:")]);
        match (key, to) {
            (Some(key), to) => lines.push(format!("  {}: {}", yaml::scalar(&key), null(to))),
            (None, Some(_)) => *lines = written(field, to),
            (None, None) => *lines = vec![format!("{field}: null")],
        }
    }
    let lines = maps.into_values().flatten().map(|line| line + "\n");
    HEAD.to_owned() + &lines.collect::<String>()
}

impl KubeletFile {
    /// The file's `text` with the changes made.
    ///
    /// # Errors
    /// It says something else afterwards, in the lines as well as written anew.
    pub fn edited(&self, text: &str, done: &Recommendation) -> Result<Edited, EditError> {
        let wanted = done.applied(self.config());
        let made = |file: &Self, text: &str| {
            let text = lines(file.root(), text, &done.changes)?;
            file.says(&text, &wanted, &done.changes).then_some(text)
        };
        if let Some(text) = made(self, text) {
            return Ok(Edited { text, kept: true });
        }
        let mut anew = String::new();
        self.root().as_map().into_iter().for_each(|map| yaml::entries(map, 0, &mut anew));
        let file = Self::read(anew.as_bytes(), Format::Yaml).map_err(|_| EditError)?;
        made(&file, &anew).map(|text| Edited { text, kept: false }).ok_or(EditError)
    }

    /// Whether a text says what is wanted, and of everything else what this file says.
    fn says(&self, text: &str, wanted: &KubeletConfig, changes: &[Change]) -> bool {
        let Ok(read) = Self::read(text.as_bytes(), Format::Yaml) else { return false };
        let changed = |key: &str| changes.iter().any(|change| change.field.steps().0 == key);
        let others = |file: &Self| -> BTreeMap<String, Plain> {
            let entries = file.root().as_map().map_or(&[][..], |map| map);
            let others = entries.iter().filter(|entry| !changed(entry.key()));
            others.map(|entry| (entry.key().to_owned(), Plain::of(entry.node()))).collect()
        };
        read.config() == wanted && others(&read) == others(self)
    }
}

/// A tree without its lines.
#[derive(PartialEq, Eq)]
enum Plain {
    Leaf(Value),
    List(Vec<Plain>),
    Map(BTreeMap<String, Plain>),
}

impl Plain {
    fn of(node: &Node) -> Self {
        match node.value() {
            Value::List(list) => Self::List(list.iter().map(Self::of).collect()),
            Value::Map(map) => {
                Self::Map(map.iter().map(|entry| (entry.key().to_owned(), Self::of(entry.node()))).collect())
            }
            leaf => Self::Leaf(leaf.clone()),
        }
    }
}

/// The text with the changes made in its lines, or `None` where they don't show the fields.
fn lines(root: &Node, text: &str, changes: &[Change]) -> Option<String> {
    let map = root.as_map()?;
    let mut page = Page::of(map, text)?;
    let mut fields: Vec<&'static str> = Vec::new();
    for change in changes {
        let field = change.field.steps().0;
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    // Those that come to stand together do so in the order of the alphabet.
    fields.sort_unstable();
    for field in fields {
        let entry = map.iter().find(|entry| entry.key() == field);
        let of: Vec<&Change> = changes.iter().filter(|change| change.field.steps().0 == field).collect();
        match (entry, of.as_slice()) {
            (Some(entry), [change]) if change.field.steps().1.is_none() => page.field(map, entry, change)?,
            (None, [change]) if change.field.steps().1.is_none() => {
                page.add(map, field, written(field, change.to.as_ref()));
            }
            (Some(entry), changes) => page.inner(map, entry, changes)?,
            (None, changes) => {
                let new: Vec<_> = changes.iter().filter_map(|change| pair(change)).collect();
                page.add(map, field, block(field, &new));
            }
        }
    }
    Some(page.text())
}

/// The key of a change within its field, and what it is to hold.
fn pair(change: &Change) -> Option<(String, String)> {
    let (_, key) = change.field.steps();
    Some((key?, leaf(change.to.as_ref()?)))
}

fn leaf(given: &Given) -> String {
    match given {
        Given::Text(text) => yaml::scalar(text),
        Given::Bool(truth) => truth.to_string(),
        Given::List(list) => {
            format!("[{}]", list.iter().map(|text| yaml::scalar(text)).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A field and what it holds, a line each.
fn written(field: &str, to: Option<&Given>) -> Vec<String> {
    match to {
        None => Vec::new(),
        Some(Given::List(list)) if !list.is_empty() => {
            let items = list.iter().map(|text| format!("- {}", yaml::scalar(text)));
            std::iter::once(format!("{field}:")).chain(items).collect()
        }
        Some(given) => vec![format!("{field}: {}", leaf(given))],
    }
}

/// A field that holds a map.
fn block(field: &str, pairs: &[(String, String)]) -> Vec<String> {
    if pairs.is_empty() {
        return Vec::new();
    }
    let pairs = pairs.iter().map(|(key, value)| format!("  {}: {value}", yaml::scalar(key)));
    std::iter::once(format!("{field}:")).chain(pairs).collect()
}

/// What is put behind a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// An entry of the field that ends there.
    Entry,
    /// A field.
    Field,
}

/// The lines of a text, and what becomes of them.
struct Page {
    /// As they are, without their ends.
    lines: Vec<String>,
    /// In place of a line; `None`: it goes.
    instead: BTreeMap<usize, Option<Vec<String>>>,
    /// Behind a line, counted from 1; 0 is before all. What belongs to the field that ends there comes before new fields.
    behind: BTreeMap<(usize, Rank), Vec<String>>,
    /// How lines end.
    end: &'static str,
    /// The line behind the document's last, counted from 0.
    close: usize,
    /// Whether fields come in the order of the alphabet, so that new ones find their place.
    sorted: bool,
}

impl Page {
    /// `None` where the fields of the map don't begin a line each.
    fn of(map: &Map, text: &str) -> Option<Self> {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut before = 0;
        for entry in map.iter() {
            let at = index(entry.line())?;
            let line = lines.get(at)?.trim_start_matches('\u{feff}');
            let begins =
                |key: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'));
            // No field that is ever changed needs quotes.
            if !(begins(entry.key()) || begins(&yaml::scalar(entry.key()))) || at < before {
                return None;
            }
            before = at + 1;
        }
        let closes = |line: &String| line.starts_with("---") || line.starts_with("...");
        let close = lines.iter().skip(before).position(closes).map_or(lines.len(), |found| before + found);
        let keys = || map.iter().map(Entry::key).filter(|key| !["apiVersion", "kind"].contains(key));
        let sorted = keys().zip(keys().skip(1)).all(|(one, next)| one < next);
        Some(Self { lines, instead: BTreeMap::new(), behind: BTreeMap::new(), end, close, sorted })
    }

    /// The lines of a field, from its key to its last one; comments before the next field are the next field's.
    fn span(&self, map: &Map, entry: &Entry) -> Option<std::ops::Range<usize>> {
        let start = index(entry.line())?;
        let next = map.iter().filter_map(|entry| index(entry.line())).filter(|&line| line > start).min();
        Some(start..self.trimmed(start, next.unwrap_or(self.close)))
    }

    fn trimmed(&self, start: usize, mut end: usize) -> usize {
        let foreign = |line: &String| line.trim().is_empty() || line.starts_with('#');
        while end > start + 1 && self.lines.get(end - 1).is_some_and(foreign) {
            end -= 1;
        }
        end
    }

    fn replace(&mut self, span: std::ops::Range<usize>, by: Vec<String>) {
        for line in span.clone() {
            self.instead.insert(line, None);
        }
        self.instead.insert(span.start, Some(by));
    }

    /// A field that is not a map.
    fn field(&mut self, map: &Map, entry: &Entry, change: &Change) -> Option<()> {
        let span = self.span(map, entry)?;
        let mut new = written(entry.key(), change.to.as_ref());
        if let [only] = new.as_mut_slice()
            && span.len() == 1
        {
            let line = self.lines.get(span.start)?;
            only.push_str(comment(line.get(entry.key().len()..)?));
        }
        self.replace(span, new);
        Some(())
    }

    /// A new field, where its place is.
    fn add(&mut self, map: &Map, field: &str, new: Vec<String>) {
        let own = |entry: &&Entry| !["apiVersion", "kind"].contains(&entry.key());
        let before = map.iter().rfind(|entry| self.sorted && own(entry) && entry.key() < field);
        // The first of sorted fields comes behind what names the file, wherever that stands.
        let last = map.iter().max_by_key(|entry| entry.line());
        let first = map.iter().find(own);
        let behind = match (before, first) {
            (Some(entry), _) => self.span(map, entry).map_or(self.close, |span| span.end),
            (None, Some(first)) if self.sorted => index(first.line()).map_or(self.close, |line| {
                let foreign = |line: usize| self.lines.get(line).is_some_and(|line| line.starts_with('#'));
                (0..line).rev().take_while(|&line| foreign(line)).last().unwrap_or(line)
            }),
            _ => last.and_then(|entry| self.span(map, entry)).map_or(self.close, |span| span.end),
        };
        self.behind.entry((behind, Rank::Field)).or_default().extend(new);
    }

    /// Entries of a field that is a map.
    fn inner(&mut self, map: &Map, entry: &Entry, changes: &[&Change]) -> Option<()> {
        let span = self.span(map, entry)?;
        let inner = entry.node().as_map();
        let gone =
            |key: &str| changes.iter().any(|c| c.to.is_none() && c.field.steps().1.as_deref() == Some(key));
        // An entry that holds null is none.
        let stays = |one: &&Entry| !gone(one.key()) && !one.node().is_null();
        let left = inner.into_iter().flat_map(|inner| inner.iter()).filter(stays).count();
        let added: Vec<_> = changes.iter().filter_map(|change| pair(change)).collect();
        if left == 0 && added.is_empty() {
            self.replace(span, Vec::new());
            return Some(());
        }
        let own_lines = |inner: &Map| {
            inner.iter().all(|one| {
                index(one.line()).is_some_and(|line| {
                    span.contains(&line)
                        && line > span.start
                        && self.lines.get(line).is_some_and(|text| text.trim_start().starts_with(one.key()))
                })
            })
        };
        match inner.filter(|inner| !inner.is_empty() && own_lines(inner)) {
            Some(inner) => self.entries(inner, span.end, changes),
            None => {
                // In braces, or nothing in it: written anew.
                let mut pairs: Vec<(String, String)> = Vec::new();
                for one in inner.into_iter().flat_map(|inner| inner.iter()) {
                    let kept = !changes.iter().any(|c| c.field.steps().1.as_deref() == Some(one.key()));
                    if kept && !one.node().is_null() {
                        let text = match one.node().value() {
                            Value::Text(text) => yaml::scalar(text),
                            Value::Bool(truth) => truth.to_string(),
                            Value::Number(number) => number.written().to_owned(),
                            _ => return None,
                        };
                        pairs.push((one.key().to_owned(), text));
                    }
                }
                pairs.extend(added);
                self.replace(span, block(entry.key(), &pairs));
                Some(())
            }
        }
    }

    /// Entries that have lines of their own, up to `end`.
    fn entries(&mut self, inner: &Map, end: usize, changes: &[&Change]) -> Option<()> {
        let first = self.lines.get(index(inner.first()?.line())?)?;
        let indent: String = first.chars().take_while(|c| *c == ' ').collect();
        for change in changes {
            let key = change.field.steps().1?;
            let present = inner.iter().find(|one| one.key() == key);
            let new = pair(change).map(|(key, value)| format!("{indent}{}: {value}", yaml::scalar(&key)));
            match (present, new) {
                (Some(one), new) => {
                    let start = index(one.line())?;
                    let next =
                        inner.iter().filter_map(|one| index(one.line())).filter(|&line| line > start).min();
                    let until = self.trimmed(start, next.unwrap_or(end));
                    let tail = self.lines.get(start).and_then(|line| line.trim_start().get(key.len()..));
                    let tail = tail.filter(|_| until == start + 1).map_or("", comment).to_owned();
                    self.replace(start..until, new.map(|line| line + &tail).into_iter().collect());
                }
                (None, Some(new)) => self.behind.entry((end, Rank::Entry)).or_default().push(new),
                (None, None) => {}
            }
        }
        Some(())
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let mut push = |line: &str| {
            out.push_str(line);
            out.push_str(self.end);
        };
        for (at, line) in self.lines.iter().enumerate() {
            let here = self.behind.range((at, Rank::Entry)..=(at, Rank::Field));
            here.flat_map(|(_, new)| new).for_each(|line| push(line));
            match self.instead.get(&at) {
                None => push(line),
                Some(new) => new.iter().flatten().for_each(|line| push(line)),
            }
        }
        let last = self.behind.range((self.lines.len(), Rank::Entry)..);
        last.flat_map(|(_, new)| new).for_each(|line| push(line));
        out
    }
}

/// A line's place, counted from 0.
fn index(line: u64) -> Option<usize> {
    usize::try_from(line).ok()?.checked_sub(1)
}

/// The comment behind a value, with the blanks before it. `text` begins behind the key.
fn comment(text: &str) -> &str {
    let mut quote = None;
    let mut blank = false;
    let mut blanks_from = 0;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '#') if blank => return text.get(blanks_from..).unwrap_or_default(),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        let is_blank = c == ' ' || c == '\t';
        if is_blank && !blank {
            blanks_from = at;
        }
        blank = is_blank;
    }
    ""
}
