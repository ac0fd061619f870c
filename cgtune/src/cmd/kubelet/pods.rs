//! The pods that a node is for, from manifests. What is wrong with one makes the whole answer wrong, so it ends here.

use std::{io, ops::ControlFlow, path::PathBuf};

use anyhow::anyhow;
use cgtune_core::{convert::pod::defaults, kubelet::recommend::KnownPod, text::Escaped};
use cgtune_manifest::{Error, FieldError, Object, Place, Workload, objects};

use crate::{
    cmd::convert::manifests::input::Input,
    failure::Hinted,
    streams::{self, ERROR, Streams},
};

/// Which manifests.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pods")]
pub(super) struct Manifests {
    /// Pods of the node and what makes them, as YAML or JSON; a folder; - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", num_args = 1..)]
    filename: Vec<PathBuf>,
    /// Take the folders below a folder as well
    #[arg(short = 'R', long, requires = "filename")]
    recursive: bool,
}

impl Manifests {
    /// All pods; `None` where no manifest is named, so that nothing is known of them.
    pub(super) fn read(&self, streams: &mut Streams<'_>) -> anyhow::Result<Option<Vec<KnownPod>>> {
        if self.filename.is_empty() {
            return Ok(None);
        }
        let mut reading = Reading { pods: Vec::new(), wrong: 0 };
        for input in Input::all(&self.filename, self.recursive) {
            reading.input(&input, streams)?;
        }
        if reading.wrong > 0 {
            let error = anyhow!("a manifest could not be read, and without it the answer would be wrong");
            return Err(Hinted::new(error, "mend it, or leave its file out").into());
        }
        Ok(Some(reading.pods))
    }
}

struct Reading {
    pods: Vec<KnownPod>,
    wrong: usize,
}

impl Reading {
    fn input(&mut self, input: &Input, streams: &mut Streams<'_>) -> io::Result<()> {
        let file = Escaped(input.name().as_bytes()).to_string();
        let reader = match input.open() {
            Ok(reader) => reader,
            Err(error) => return self.wrong(&format!("{file}: cannot read it: {error}"), streams),
        };
        let mut outcome = Ok(());
        objects(reader, input.format(), &mut |place, object| {
            outcome = match object.map(|node| Object::read(&node)) {
                Ok(Ok(Object::Workload(workload))) => {
                    self.workload(&workload);
                    Ok(())
                }
                Ok(Ok(_)) => Ok(()),
                Ok(Err(faults)) => {
                    faults.iter().try_for_each(|fault| self.fault(&file, place, fault, streams))
                }
                Err(error) => self.unreadable(&file, &error, streams),
            };
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        outcome
    }

    fn workload(&mut self, workload: &Workload) {
        let mut pod = workload.pod.clone();
        defaults::apply(&mut pod);
        let name = workload.name.as_deref().unwrap_or("-");
        let namespace = workload.namespace.as_deref().unwrap_or("default");
        let name = format!("{}/{}", Escaped(namespace.as_bytes()), Escaped(name.as_bytes()));
        let mut known = KnownPod::of(name, &pod);
        for container in &mut known.containers {
            container.name = Escaped(container.name.as_bytes()).to_string();
        }
        self.pods.push(known);
    }

    fn fault(
        &mut self,
        file: &str,
        place: Place,
        fault: &FieldError,
        streams: &mut Streams<'_>,
    ) -> io::Result<()> {
        self.wrong(&format!("{file}, document {}: {fault}", place.document), streams)
    }

    fn unreadable(&mut self, file: &str, error: &Error, streams: &mut Streams<'_>) -> io::Result<()> {
        self.wrong(&format!("{file}: {error}"), streams)
    }

    fn wrong(&mut self, sentence: &str, streams: &mut Streams<'_>) -> io::Result<()> {
        self.wrong += 1;
        streams.out.flush()?;
        streams::labelled(streams.err, "error", ERROR, sentence)
    }
}
