//! Drop-ins: configurations that are laid over the kubelet's own, one after the other (`--config-dir`).
//!
//! A JSON merge patch (RFC 7386), as in `mergeKubeletConfigurations` (cmd/kubelet/app/server.go, Kubernetes 1.35; so since 1.32,
//! kubernetes#127421): maps are merged, everything else is replaced, `null` takes away what was there. What comes out keeps the lines that
//! it came from: those of each text are counted on from the last of the one before, so that a line tells which text is meant
//! ([`Layers::origin`]). Flags lie over all of them.

use std::{collections::HashMap, sync::Arc};

use cgtune_core::kubelet::{Fault, Finding, Place};

use super::{Flags, KubeletFile, Reading};
use crate::{
    Cursor, Map, Node, Value,
    node::{Entry, List},
    quoted::cut,
};

/// A configuration with its drop-ins laid over it.
#[derive(Debug, Clone)]
pub struct Layers {
    file: KubeletFile,
    /// Of each text the number of lines in those before it; the configuration's own is the first.
    before: Vec<u64>,
    /// Of all of them.
    lines: u64,
}

impl Layers {
    /// Lays drop-ins over a configuration, each with its text, in the order in which they come. `None`: no folder of them is named,
    /// which is another thing than one with nothing in it.
    #[must_use]
    pub fn of(own: (KubeletFile, &str), drop_ins: Option<&[(KubeletFile, &str)]>) -> Self {
        let (own, text) = own;
        let (mut before, mut lines) = (vec![0], count(text));
        let Some(drop_ins) = drop_ins else { return Self { file: own, before, lines } };
        let KubeletFile { root, mut findings, .. } = own;
        let mut root = without_empty_list(&root);
        for (drop_in, text) in drop_ins {
            root = patched(&root, &shifted(&drop_in.root, lines));
            // Of what its values are only what is left in the end is decoded.
            findings.extend(drop_in.of_the_file().map(|finding| drop_in.at_line(finding, lines)));
            before.push(lines);
            lines = lines.saturating_add(count(text));
        }
        Self { file: decoded(root, findings), before, lines }
    }

    /// Lays the flags of a command line over them, as the last text: its lines are the words.
    #[must_use]
    pub fn under(self, flags: &Flags) -> Self {
        let Self { file: KubeletFile { mut root, mut findings, .. }, mut before, lines } = self;
        for (field, flag, said) in flags.each() {
            let said = shifted(said, lines);
            let gates = field == "featureGates";
            let overridden = root.as_map().and_then(|map| map.iter().find(|entry| entry.key() == field));
            if let Some(entry) =
                overridden.filter(|entry| !entry.node.is_null() && !is_same(&entry.node, &said))
            {
                findings.extend(overrides(entry, flag, &said, gates));
            }
            let (line, key) = (said.line, Arc::from(field));
            // A merge patch would keep what a flag's map does not name; feature gates are kept.
            let gone = Entry { line, key: Arc::clone(&key), node: Node { line, value: Value::Null } };
            if !gates {
                root = patched(&root, &Node { line: root.line, value: Value::Map(Map(Arc::from([gone]))) });
            }
            let new = Entry { line, key, node: said };
            root = patched(&root, &Node { line: root.line, value: Value::Map(Map(Arc::from([new]))) });
        }
        before.push(lines);
        let lines = lines.saturating_add(flags.words());
        Self { file: decoded(root, findings), before, lines }
    }

    /// What the kubelet makes of all of them. Its lines are those of all texts, one behind the other.
    #[must_use]
    pub const fn file(&self) -> &KubeletFile {
        &self.file
    }

    /// Which text a line of [`Layers::file`] is in, the configuration's own being 0, and which line of it.
    #[must_use]
    pub fn origin(&self, line: u64) -> (usize, u64) {
        let text = self.before.partition_point(|&before| before < line).saturating_sub(1);
        (text, line.saturating_sub(self.before.get(text).copied().unwrap_or(0)))
    }
}

/// A tree as a configuration. What was found before is found again where it is still there.
fn decoded(root: Node, mut findings: Vec<Finding>) -> KubeletFile {
    let mut reading = Reading { findings: Vec::new() };
    let config = reading.config(&Cursor::new(&root));
    for finding in reading.findings {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    KubeletFile { config, root, findings }
}

/// What a flag overrides: a field, or those feature gates that it names, too.
fn overrides(entry: &Entry, flag: &'static str, said: &Node, gates: bool) -> Vec<Finding> {
    let at = |line: u64, path: String| Finding {
        place: Place::Line { line, path },
        fault: Fault::FlagOverrides { flag },
    };
    if !gates {
        return vec![at(entry.line, entry.key().to_owned())];
    }
    let (Some(there), Some(said)) = (entry.node.as_map(), said.as_map()) else { return Vec::new() };
    let other = |gate: &&Entry| said.get(gate.key()).is_some_and(|said| !is_same(&gate.node, said));
    let both = there.iter().filter(other);
    both.map(|gate| at(gate.line, format!("{}.{}", entry.key(), cut(gate.key())))).collect()
}

/// Whether two values are the same, on whatever lines and in whatever order of entries.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(one, other)| is_same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            let same =
                |entry: &Entry| other.get(entry.key()).is_some_and(|other| is_same(&entry.node, other));
            one.len() == other.len() && one.iter().all(same)
        }
        (one, other) => one == other,
    }
}

impl KubeletFile {
    /// What is wrong with the text as a whole, and not with the value of a field.
    fn of_the_file(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !matches!(finding.fault, Fault::Type { .. }))
    }

    /// A finding at its line, with so many before the text.
    fn at_line(&self, finding: &Finding, before: u64) -> Finding {
        let (line, path) = (self.line(&finding.place).saturating_add(before), self.path(&finding.place));
        Finding { place: Place::Line { line, path }, fault: finding.fault.clone() }
    }
}

/// How many lines a text has, with the one behind its last newline: an end that came too early is told there.
fn count(text: &str) -> u64 {
    text.bytes().filter(|&byte| byte == b'\n').count() as u64 + 1
}

/// A list of nothing that must be written to hold is lost before drop-ins are laid over it: the kubelet writes its own configuration as
/// JSON first, which leaves empty ones out (`omitempty`, k8s.io/kubelet/config/v1beta1/types.go), and the default comes back.
fn without_empty_list(root: &Node) -> Node {
    let Value::Map(map) = &root.value else { return root.clone() };
    let lost = |entry: &&Entry| {
        let empty = matches!(&entry.node.value, Value::List(list) if list.is_empty());
        empty && entry.key() == "enforceNodeAllocatable"
    };
    let kept = map.iter().filter(|entry| !lost(entry)).cloned();
    Node { line: root.line, value: Value::Map(Map(kept.collect())) }
}

/// The same tree, so many lines further on.
fn shifted(node: &Node, lines: u64) -> Node {
    let value = match &node.value {
        Value::List(list) => Value::List(List(list.iter().map(|node| shifted(node, lines)).collect())),
        Value::Map(map) => Value::Map(Map(map
            .iter()
            .map(|Entry { key, line, node }| Entry {
                key: Arc::clone(key),
                line: line.saturating_add(lines),
                node: shifted(node, lines),
            })
            .collect())),
        leaf => leaf.clone(),
    };
    Node { line: node.line.saturating_add(lines), value }
}

/// A tree with a patch laid over it. Neither is deeper than the readers let through.
fn patched(under: &Node, over: &Node) -> Node {
    let Value::Map(patch) = &over.value else { return over.clone() };
    // Over anything else than a map the patch is laid over nothing, and what it takes away is not there.
    let (line, there): (u64, &[Entry]) = match &under.value {
        Value::Map(map) => (under.line, map),
        _ => (over.line, &[]),
    };
    let mut entries: Vec<Option<Entry>> = there.iter().cloned().map(Some).collect();
    let places: HashMap<&str, usize> = there.iter().map(Entry::key).zip(0..).collect();
    for entry in patch.iter() {
        let laid = |under: &Node| {
            let node = patched(under, &entry.node);
            Some(Entry { node, ..entry.clone() }).filter(|_| !entry.node.is_null())
        };
        match places.get(entry.key()) {
            Some(&place) => entries[place] = laid(&there[place].node),
            None => entries.push(laid(&Node { line: entry.node.line, value: Value::Null })),
        }
    }
    Node { line, value: Value::Map(Map(entries.into_iter().flatten().collect())) }
}
