//! What `-f` names → streams to read.

use std::{
    fs::{self, File},
    io::{self, BufReader, IsTerminal as _, Read},
    path::{Path, PathBuf},
    time::Instant,
};

use cgtune_manifest::Format;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{named, progress};

/// Endings of files that a folder is searched for, as kubectl does.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// Read at once; large, since a dump of a cluster is.
const BUFFER: usize = 256 << 10;

/// One stream, not opened yet, or why there is none.
#[derive(Debug)]
pub(crate) enum Input {
    /// Standard input.
    Standard,
    /// A file.
    File(PathBuf),
    /// A folder that could not be searched, or had nothing in it.
    Nothing(PathBuf, io::Error),
}

impl Input {
    /// Everything that is named, folders searched, each folder's files in the order of their names.
    pub(crate) fn all(named: &[PathBuf], recursive: bool) -> Vec<Self> {
        let mut inputs = Vec::new();
        for path in named {
            if path.as_os_str() == "-" {
                inputs.push(Self::Standard);
            } else if path.is_dir() {
                let before = inputs.len();
                if let Err(error) = search(path, recursive, &mut inputs) {
                    inputs.push(Self::Nothing(path.clone(), error));
                } else if inputs.len() == before {
                    let error = io::Error::other("no .yaml, .yml or .json file in this folder");
                    inputs.push(Self::Nothing(path.clone(), error));
                }
            } else {
                inputs.push(Self::File(path.clone()));
            }
        }
        inputs
    }

    /// How it is called in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Standard => "standard input".to_owned(),
            Self::File(path) | Self::Nothing(path, _) => path.display().to_string(),
        }
    }

    /// What its name says of its format.
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::File(path) if path.extension().is_some_and(|ending| ending == "json") => Format::Json,
            _ => Format::Unknown,
        }
    }

    pub(crate) fn open(&self) -> io::Result<BufReader<Watched>> {
        let (reader, length): (Box<dyn Read>, _) = match self {
            Self::Standard => (Box::new(named::standard_input()?), None),
            Self::File(path) => {
                let file = File::open(path)?;
                let about = file.metadata()?;
                (Box::new(file), about.is_file().then_some(about.len()))
            }
            Self::Nothing(_, error) => return Err(io::Error::new(error.kind(), error.to_string())),
        };
        Ok(BufReader::with_capacity(
            BUFFER,
            Watched { reader, length, since: Instant::now(), done: 0, bar: None },
        ))
    }
}

/// The manifests in a folder.
fn search(folder: &Path, recursive: bool, inputs: &mut Vec<Input>) -> io::Result<()> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        // A link to a folder could lead in circles.
        if fs::symlink_metadata(&path)?.is_dir() {
            if recursive {
                search(&path, recursive, inputs)?;
            }
        } else if path.extension().and_then(|ending| ending.to_str()).is_some_and(|e| ENDINGS.contains(&e)) {
            inputs.push(Input::File(path));
        }
    }
    Ok(())
}

/// A reader that shows how far it is, once that takes long.
pub(crate) struct Watched {
    reader: Box<dyn Read>,
    length: Option<u64>,
    since: Instant,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.done += read as u64;
        if self.bar.is_none() && self.since.elapsed() > progress::SHOW_AFTER && io::stderr().is_terminal() {
            self.bar = Some(bar(self.length));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
        Ok(read)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The bar, or what there is of one for a stream of unknown length.
fn bar(length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template =
        if length.is_some() { "reading {bar:40} {bytes} of {total_bytes}" } else { "reading {bytes}" };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
