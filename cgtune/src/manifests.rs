//! Manifests: what `-f` names, object by object, for every verb that reads pods.

pub(crate) mod input;

use std::{
    fmt,
    io::{self, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use cgtune_core::{
    convert::{
        self,
        pod::{Container, Resources, defaults},
    },
    text::Escaped,
};
use cgtune_manifest::{Cursor, FieldError, Node, Object, Place, Workload, objects};
use serde::Serialize;

use self::input::Input;
use crate::{
    failure::Hinted,
    streams::{self, ERROR, Streams, WARNING},
};

/// Where an object was read.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) document: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<u64>,
    pub(crate) line: u64,
}

/// An object that could not be read, or not be taken for what it says.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    pub(crate) file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    pub(crate) message: String,
}

impl fmt::Display for Failure {
    /// `pods.yaml, document 2, items[3].spec.containers[0].name, line 17: is missing`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        // The first is not numbered: it may be the only one.
        if let Some(document) = self.document.filter(|&document| document > 1) {
            write!(f, ", document {document}")?;
        }
        let path = self.path.as_deref().filter(|path| !path.is_empty());
        match (self.item, path) {
            (Some(item), Some(path)) => write!(f, ", items[{item}].{path}")?,
            (Some(item), None) => write!(f, ", items[{item}]")?,
            (None, Some(path)) => write!(f, ", {path}")?,
            (None, None) => {}
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Where an object stands.
#[derive(Debug, Clone)]
pub(crate) struct At {
    file: String,
    place: Place,
}

impl At {
    pub(crate) fn source(&self) -> Source {
        let Place { document, item, line, .. } = self.place;
        Source { file: self.file.clone(), document, item, line }
    }
}

impl Failure {
    fn of_file(file: String) -> Self {
        Self { file, document: None, item: None, path: None, line: None, message: String::new() }
    }

    pub(crate) fn at(at: &At) -> Self {
        let Place { document, item, line, .. } = at.place;
        Self { document: Some(document), item, line: Some(line), ..Self::of_file(at.file.clone()) }
    }

    /// A mistake in an object.
    pub(crate) fn of(at: &At, fault: FieldError) -> Self {
        let message = fault.problem.to_string();
        Self { path: Some(fault.path), line: Some(fault.line), message, ..Self::at(at) }
    }

    /// An object that is none of ours, or a text that is no object.
    fn unreadable(at: &At, error: &cgtune_manifest::Error) -> Self {
        let cause =
            std::error::Error::source(&error.fault).map_or_else(String::new, |cause| format!(": {cause}"));
        Self { line: Some(error.line), message: format!("{}{cause}", error.fault), ..Self::at(at) }
    }
}

/// Gets every object of the inputs, or why one could not be read; an error of its own ends the reading.
type Take<'t> = dyn FnMut(Result<(At, Node), Failure>) -> io::Result<()> + 't;

/// Reads the inputs to their ends.
pub(crate) fn each(inputs: &[Input], take: &mut Take<'_>) -> io::Result<()> {
    for input in inputs {
        let file = input.name();
        let reader = match input.open() {
            Ok(reader) => reader,
            Err(error) => {
                let message = format!("cannot read it: {error}");
                take(Err(Failure { message, ..Failure::of_file(file) }))?;
                continue;
            }
        };
        let mut outcome = Ok(());
        objects(reader, input.format(), &mut |place, object| {
            let at = At { file: file.clone(), place };
            outcome = take(match object {
                Ok(node) => Ok((at, node)),
                Err(error) => Err(Failure::unreadable(&at, &error)),
            });
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        outcome?;
    }
    Ok(())
}

/// The pods that are meant, for verbs that look at all of them together.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Pods {
    /// Pods and what makes them, as YAML or JSON; a folder; - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", num_args = 1.., help_heading = "Pods")]
    filename: Vec<PathBuf>,
    /// Take the folders below a folder as well
    #[arg(short = 'R', long, requires = "filename", help_heading = "Pods")]
    recursive: bool,
}

impl Pods {
    /// Whether any were named.
    pub(crate) fn asked(&self) -> bool {
        !self.filename.is_empty()
    }

    /// What is named, with its flag, for who looks for standard input in it.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, Option<&Path>)> {
        self.filename.iter().map(|path| ("-f", Some(path.as_path())))
    }

    /// All of them, with Kubernetes' defaults, in the order of the text.
    ///
    /// Every mistake is told before it fails: an answer about some of the pods would be wrong about the others, too.
    pub(crate) fn read(&self, streams: &mut Streams<'_>) -> anyhow::Result<Vec<Workload>> {
        let mut workloads = Vec::new();
        let mut mistakes = 0;
        let mut ended = 0_usize;
        let err = &mut *streams.err;
        let mut wrong = |failure: &Failure, err: &mut dyn Write| {
            mistakes += 1;
            streams::labelled(err, "error", ERROR, &failure.to_string())
        };
        each(&Input::all(&self.filename, self.recursive), &mut |found| {
            let (at, node) = match found {
                Ok(found) => found,
                Err(failure) => return wrong(&failure, err),
            };
            if has_ended(&node) {
                ended += 1;
                return Ok(());
            }
            match Object::read(&node) {
                Ok(Object::Workload(mut workload)) => {
                    if let Some(name) = twice(&workload) {
                        let message = format!("two of its containers are named {}", Escaped(name.as_bytes()));
                        return wrong(&Failure { message, ..Failure::at(&at) }, err);
                    }
                    for note in &workload.notes {
                        let note = Failure::of(&at, note.clone()).to_string();
                        streams::labelled(err, "warning", WARNING, &note)?;
                    }
                    defaults::apply(&mut workload.pod);
                    for container in &workload.pod.containers {
                        let Some(above) = above_limit(container) else { continue };
                        let name = Escaped(container.name.as_bytes());
                        let failure =
                            Failure { message: format!("container {name}: {above}"), ..Failure::at(&at) };
                        streams::labelled(err, "warning", WARNING, &failure.to_string())?;
                    }
                    workloads.push(*workload);
                }
                // What makes no pods is no mistake in a dump of a cluster.
                Ok(_) => {}
                Err(faults) => {
                    faults.into_iter().try_for_each(|fault| wrong(&Failure::of(&at, fault), err))?;
                }
            }
            Ok(())
        })?;
        if ended > 0 {
            let text = match ended {
                1 => "1 pod has ended (Succeeded or Failed), and holds nothing any more".to_owned(),
                ended => format!("{ended} pods have ended (Succeeded or Failed), and hold nothing any more"),
            };
            streams::labelled(err, "note", streams::HINT, &text)?;
        }
        match (mistakes, workloads.len()) {
            (0, 0) if self.asked() => {
                Err(anyhow!("there is no pod in what -f names, nor anything that makes pods"))
            }
            (0, _) => Ok(workloads),
            (1, _) => Err(Hinted::new(anyhow!("1 mistake above"), "mend it, or leave that pod out").into()),
            (wrong, _) => {
                Err(Hinted::new(anyhow!("{wrong} mistakes above"), "mend them, or leave those pods out")
                    .into())
            }
        }
    }
}

/// Whether a pod's status says that it is over: what it had is free.
fn has_ended(node: &Node) -> bool {
    let phase = || {
        let status = Cursor::new(node).optional("status").ok()??;
        status.optional("phase").ok()??.text().ok()
    };
    matches!(phase(), Some("Succeeded" | "Failed"))
}

/// That a container requests more than its limit.
fn above_limit(container: &Container) -> Option<convert::Warning> {
    let Resources { requests, limits } = &container.resources;
    let (request, limit) = (requests.cpu?.milli(), limits.cpu?.milli());
    (request > limit).then_some(convert::Warning::RequestAboveLimit { request, limit })
}

/// A name that two containers have, which the API server refuses.
fn twice(workload: &Workload) -> Option<&str> {
    let mut names: Vec<&str> = workload.pod.containers.iter().map(|container| &*container.name).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
