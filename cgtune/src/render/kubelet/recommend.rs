//! `cgtune kubelet recommend` as text: the report, the configuration, the difference, kubeadm's patch.

use std::{
    io::{self, IsTerminal as _, Write},
    time::Duration,
};

use cgtune_core::{
    CpuSet,
    kubelet::{
        Finding, Release,
        recommend::{Alternative, Change, Expected, Given, Modelled, Recommendation},
    },
    text::{Escaped, counted},
};
use cgtune_manifest::{Edited, kubeadm_patch};
use similar::TextDiff;

use super::runbook;
use crate::{
    cmd::kubelet::input::Layered,
    render::paragraph::{WIDTH, wrap},
    streams::{HEADING, Streams},
};

/// As kubeadm looks for it in the folder of `--patches`.
pub(crate) const PATCH_FILE: &str = "kubeletconfiguration+strategic.yaml";

/// How long the shortest difference is looked for. Then any will do: in a text of MiBs that was written anew the search has no end.
const SOON: Duration = Duration::from_secs(1);

/// What is recommended, and for what.
pub(crate) struct Advised<'a> {
    /// The present file's name; `None`: there is none.
    pub(crate) name: Option<&'a str>,
    /// Its text.
    pub(crate) before: &'a str,
    pub(crate) release: Release,
    /// The machine's CPUs.
    pub(crate) online: &'a CpuSet,
    /// How many are known; `None`: nothing is.
    pub(crate) pods: Option<usize>,
    pub(crate) done: &'a Recommendation,
    pub(crate) edited: &'a Edited,
    /// The text after the changes, read again, with the drop-ins that lie over it.
    pub(crate) file: &'a Layered,
    /// What is still wrong then, by text and line.
    pub(crate) left: &'a [Finding],
}

impl Advised<'_> {
    /// The present file's name, fit to show.
    pub(crate) fn shown_name(&self) -> Option<String> {
        self.name.map(|name| Escaped(name.as_bytes()).to_string())
    }

    /// What changes in the file, as `diff -u` has it.
    pub(crate) fn difference(&self) -> String {
        // A file that says nothing is none to make.
        if self.name.is_none() && self.done.changes.is_empty() {
            return String::new();
        }
        let name = self.shown_name();
        let old = name.as_deref().unwrap_or("/dev/null");
        let new = name.as_deref().unwrap_or("config.yaml");
        let diff = TextDiff::configure().timeout(SOON).diff_lines(self.before, &self.edited.text);
        diff.unified_diff().header(old, new).to_string()
    }

    /// What remains wrong, a sentence each.
    pub(crate) fn remaining(&self) -> impl Iterator<Item = String> {
        self.left.iter().map(|finding| {
            let ((name, line), path) = (self.file.place(finding), self.file.file().path(&finding.place));
            let (name, path) =
                (Escaped(name.as_bytes()), if path.is_empty() { path } else { format!("{path}: ") });
            format!("line {line} of {name}: {}: {path}{}", finding.severity(), finding.fault)
        })
    }
}

pub(crate) fn report(advised: &Advised<'_>, out: &mut dyn Write) -> io::Result<()> {
    let done = advised.done;
    heading(&title(advised), out)?;
    for change in &done.changes {
        writeln!(out)?;
        write_change(change, out)?;
    }
    modelled(done.modelled.as_ref(), out)?;
    list(
        "At the cost of others on the node, and so not among the changes",
        &done.alternatives,
        alternative,
        out,
    )?;
    list("What this release lacks", &done.lacking, |lack, out| point(&lack.to_string(), out), out)?;
    list("To be known", &done.remarks, |remark, out| point(&remark.to_string(), out), out)?;
    let left: Vec<_> = advised.remaining().collect();
    list("Still wrong", &left, |sentence, out| point(sentence, out), out)?;
    writeln!(out)?;
    let forms = if done.changes.is_empty() {
        "Judged by what the file says and the machine is; see docs/kubelet.md for the rules.".to_owned()
    } else {
        "Other forms: -o yaml, diff, kubeadm, runbook, all. The new file passes cgtune kubelet check unless something is still wrong."
            .to_owned()
    };
    paragraph(&forms, out)
}

fn title(advised: &Advised<'_>) -> String {
    let name = advised.shown_name().unwrap_or_else(|| "a kubelet without a configuration".to_owned());
    let pods = match advised.pods {
        None => "pods not known".to_owned(),
        Some(pods) => counted(pods, "pod"),
    };
    let changes = match advised.done.changes.len() {
        0 => "nothing to change".to_owned(),
        changes => counted(changes, "change"),
    };
    let cpus = counted(advised.online.len(), "CPU");
    format!("{name}, Kubernetes {}, {cpus}, {pods}: {changes}", advised.release)
}

/// What a field holds, fit to show.
fn given(value: Option<&Given>) -> String {
    value.map_or_else(|| "not given".to_owned(), |given| Escaped(given.to_string().as_bytes()).to_string())
}

fn write_change(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    let to = change.to.as_ref().map_or_else(|| "take it out".to_owned(), |to| given(Some(to)));
    let line = format!("{}: {} (now {})", change.field, to, given(change.from.as_ref()));
    heading(&line, out)?;
    field("why", &change.reason.to_string(), out)?;
    for evidence in &change.evidence {
        field("evidence", &evidence.to_string(), out)?;
    }
    expected(&change.expected, out)?;
    field("risk", &change.risk.to_string(), out)
}

fn expected(expected: &[Expected], out: &mut dyn Write) -> io::Result<()> {
    if expected.is_empty() {
        return field("expected", "nothing that was measured or follows from a rule", out);
    }
    expected.iter().try_for_each(|one| field("expected", &one.to_string(), out))
}

/// What all changes do together.
fn modelled(modelled: Option<&Modelled>, out: &mut dyn Write) -> io::Result<()> {
    // Of an empty node the changes say it all.
    let Some(modelled) = modelled.filter(|modelled| modelled.known_pods > 0) else { return Ok(()) };
    writeln!(out)?;
    heading("All changes together", out)?;
    field("how", &modelled.to_string(), out)?;
    if let Some(today) = &modelled.today {
        field("today", &today.to_string(), out)?;
    }
    field("then", &modelled.after.to_string(), out)
}

fn alternative(alternative: &Alternative, out: &mut dyn Write) -> io::Result<()> {
    let gate =
        alternative.gate.map_or_else(String::new, |gate| format!(", with the feature gate {gate} open"));
    point(&format!("{}: {}{gate}", alternative.field, alternative.to), out)?;
    field("why", &alternative.reason.to_string(), out)?;
    field("evidence", &alternative.evidence.to_string(), out)?;
    expected(alternative.expected.as_slice(), out)?;
    field("risk", &alternative.risk.to_string(), out)
}

/// A heading and what stands below it, if there is something.
fn list<T>(
    title: &str,
    items: &[T],
    write: impl Fn(&T, &mut dyn Write) -> io::Result<()>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    heading(title, out)?;
    items.iter().try_for_each(|item| write(item, out))
}

fn heading(text: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(text, WIDTH) {
        writeln!(out, "{HEADING}{line}{HEADING:#}")?;
    }
    Ok(())
}

fn paragraph(text: &str, out: &mut dyn Write) -> io::Result<()> {
    wrap(text, WIDTH).iter().try_for_each(|line| writeln!(out, "{line}"))
}

pub(super) fn point(text: &str, out: &mut dyn Write) -> io::Result<()> {
    for (i, line) in wrap(text, WIDTH - 4).iter().enumerate() {
        writeln!(out, "  {} {line}", if i == 0 { '-' } else { ' ' })?;
    }
    Ok(())
}

/// A word, and what it says behind it.
fn field(word: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    for (i, line) in wrap(text, WIDTH - 14).iter().enumerate() {
        let word = if i == 0 { word } else { "" };
        writeln!(out, "    {word:<9} {line}")?;
    }
    Ok(())
}

/// A text that is meant for a file. On a terminal it must not steer it.
fn raw(text: &str, out: &mut dyn Write) -> io::Result<()> {
    if io::stdout().is_terminal() {
        return text.lines().try_for_each(|line| writeln!(out, "{}", Escaped(line.as_bytes())));
    }
    out.write_all(text.as_bytes())
}

pub(crate) fn yaml(advised: &Advised<'_>, out: &mut dyn Write) -> io::Result<()> {
    raw(&advised.edited.text, out)
}

pub(crate) fn diff(advised: &Advised<'_>, out: &mut dyn Write) -> io::Result<()> {
    raw(&advised.difference(), out)
}

pub(crate) fn kubeadm(advised: &Advised<'_>, out: &mut dyn Write) -> io::Result<()> {
    if advised.done.changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "# For kubeadm init, join or upgrade with --patches DIR, as\n# DIR/{PATCH_FILE}")?;
    raw(&kubeadm_patch(advised.done), out)
}

pub(crate) fn all(advised: &Advised<'_>, out: &mut dyn Write) -> io::Result<()> {
    report(advised, out)?;
    for (title, write) in [
        ("The whole configuration (-o yaml)", yaml as fn(&Advised<'_>, &mut dyn Write) -> io::Result<()>),
        ("What changes in the file (-o diff)", diff),
        ("A patch for kubeadm (-o kubeadm)", kubeadm),
        ("On the node (-o runbook)", runbook::write),
    ] {
        writeln!(out)?;
        heading(title, out)?;
        writeln!(out)?;
        let mut form = Vec::new();
        write(advised, &mut form)?;
        match form.is_empty() {
            true => writeln!(out, "Nothing to change.")?,
            false => out.write_all(&form)?,
        }
    }
    Ok(())
}

/// What somebody who takes the text away should know.
pub(crate) fn warnings(advised: &Advised<'_>, streams: &mut Streams<'_>) -> io::Result<()> {
    if !advised.edited.kept {
        streams.warn(
            &"the file was written anew as YAML, since its lines do not show its fields: comments are gone",
        )?;
    }
    for sentence in advised.remaining() {
        streams.warn(&format!("still wrong: {sentence}"))?;
    }
    Ok(())
}
