//! A container's settings in every other form: as text that can be copied, and as JSON.

use std::io::{self, Write};

use cgtune_core::convert::{
    Target,
    target::{Form, Rendition},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::streams::{self, HEADING, HINT};

/// Writes each form; one alone without its title, so that it can be piped on. What a form cannot say goes to stderr.
pub(crate) fn write(forms: &[Rendition], out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    for (i, form) in forms.iter().enumerate() {
        if forms.len() > 1 {
            let blank = if i == 0 { "" } else { "\n" };
            writeln!(out, "{blank}{HEADING}{}: {}{HEADING:#}", form.target, form.target.title())?;
        }
        write_form(&form.form, out)?;
        if !form.cannot.is_empty() {
            out.flush()?;
        }
        for cannot in &form.cannot {
            streams::labelled(err, "note", HINT, &format!("{}: {cannot}", form.target))?;
        }
    }
    Ok(())
}

fn write_form(form: &Form, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Files(files) => files.iter().try_for_each(|(file, text)| writeln!(out, "{file} {text}")),
        Form::Document(document) => {
            serde_json::to_writer_pretty(&mut *out, document)?;
            writeln!(out)
        }
        Form::Command(line) | Form::Patch { command: line, .. } => writeln!(out, "{line}"),
        Form::Properties(properties) => properties.iter().try_for_each(|line| writeln!(out, "{line}")),
    }
}

/// The forms by the names of their targets.
pub(crate) struct Targets<'a>(pub(crate) &'a [Rendition]);

impl Serialize for Targets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|form| (form.target.name(), Plain(&form.form))))
    }
}

/// A form without its tag: the target's name tells what it is.
struct Plain<'a>(&'a Form);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Form::Files(files) => serializer.collect_map(files.iter().map(|(file, text)| (file, text))),
            Form::Document(document) => document.serialize(serializer),
            Form::Command(line) => line.serialize(serializer),
            Form::Properties(properties) => properties.serialize(serializer),
            Form::Patch { patch, command } => {
                let patch = serde_json::to_value(patch).map_err(serde::ser::Error::custom)?;
                let fields = [("patch", patch), ("command", Value::from(command.as_str()))];
                serializer.collect_map(fields)
            }
        }
    }
}

/// What each form cannot say, by the names of their targets; those that say everything are left out.
pub(crate) struct Cannot<'a>(pub(crate) &'a [Rendition]);

impl Serialize for Cannot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let some = self.0.iter().filter(|form| !form.cannot.is_empty());
        serializer.collect_map(some.map(|form| (form.target.name(), &form.cannot)))
    }
}

/// Every target's name, for a sentence.
pub(crate) fn names() -> String {
    Target::ALL.map(Target::name).join(", ")
}
