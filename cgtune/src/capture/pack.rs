//! Writing a capture.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use cgtune_sys::tape::{Answer, Event, Question, Recorded, Verb};
use tar::{Builder, EntryType, Header};

use super::{
    Manifest,
    line::{Asked, Bytes, Line, lines},
    place,
    request::Request,
};

/// What one capture holds beside its tape.
pub(crate) struct Contents<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) request: &'a Request,
    /// What was said of it.
    pub(crate) findings: &'a [u8],
    pub(crate) stat: &'a [u8],
    pub(crate) recorded: &'a Recorded,
}

/// Interrupted while writing.
#[derive(Debug)]
pub(crate) struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Stopped {}

/// Writes the tar. `stop` is asked before each of its files.
pub(crate) fn pack(
    contents: &Contents<'_>,
    to: &mut dyn Write,
    stop: &dyn Fn() -> bool,
) -> anyhow::Result<()> {
    let recorded = contents.recorded;
    let tree = Tree::of(recorded);
    let mut tar = Builder::new(to);
    let mut manifest = serde_json::to_vec_pretty(contents.manifest)?;
    manifest.push(b'\n');
    file(&mut tar, Path::new(place::MANIFEST), &manifest)?;
    file(&mut tar, Path::new(place::FINDINGS), contents.findings)?;
    file(&mut tar, Path::new(place::STAT), contents.stat)?;
    let below = |path: &Path| Path::new(place::NODE).join(path.strip_prefix("/").unwrap_or(path));
    for path in &tree.folders {
        anyhow::ensure!(!stop(), Stopped);
        entry(&mut tar, &below(path), EntryType::Directory, &[])?;
    }
    for (path, bytes) in &tree.files {
        anyhow::ensure!(!stop(), Stopped);
        file(&mut tar, &below(path), bytes)?;
    }
    anyhow::ensure!(!stop(), Stopped);
    file(&mut tar, Path::new(place::TAPE), &tape(contents, &tree)?)?;
    tar.into_inner()?.flush()?;
    Ok(())
}

fn tape(contents: &Contents<'_>, tree: &Tree<'_>) -> anyhow::Result<Vec<u8>> {
    let request = contents.request;
    let asked = Asked {
        all: request.all,
        targets: request.targets.iter().cloned().map(Bytes::from).collect(),
        for_us: request.duration.get(),
        cpu_ns: contents.manifest.cpu_ns,
    };
    let packed =
        |question: &Question| question.verb == Verb::Read && tree.files.contains_key(&*question.path);
    let mut text = Vec::new();
    for line in std::iter::once(Line::Request(asked)).chain(lines(contents.recorded, &packed)) {
        serde_json::to_writer(&mut text, &line).context("cannot write the tape")?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The node's files, as they were when they were first read, and its folders.
struct Tree<'r> {
    folders: BTreeSet<PathBuf>,
    files: BTreeMap<&'r Path, &'r [u8]>,
}

impl<'r> Tree<'r> {
    fn of(recorded: &'r Recorded) -> Self {
        let mut folders = recorded.folders.clone();
        let mut files: BTreeMap<&Path, &[u8]> =
            recorded.files.iter().map(|path| (path.as_path(), &[][..])).collect();
        let mut answered = vec![false; recorded.questions.len()];
        for event in &recorded.events {
            let Event::Asked { question, answer: Some(answer), .. } = event else { continue };
            let place = *question as usize;
            // A later answer is on the tape only.
            if std::mem::replace(&mut answered[place], true) {
                continue;
            }
            let Question { verb, path } = &recorded.questions[place];
            match (verb, answer) {
                (Verb::Read, Answer::Bytes(bytes)) => {
                    files.insert(path, bytes);
                }
                (Verb::List | Verb::Enter | Verb::Inode | Verb::Links, Answer::Bytes(_)) => {
                    folders.insert(path.clone());
                }
                (Verb::Open | Verb::Ask, _) | (_, Answer::Errno(_)) => {}
            }
        }
        let above = files.keys().copied().chain(recorded.folders.iter().map(PathBuf::as_path));
        folders.extend(above.flat_map(|path| path.ancestors().skip(1)).map(Path::to_owned));
        folders.remove(Path::new("/"));
        files.retain(|path, _| !folders.contains(*path));
        Self { folders, files }
    }
}

fn file(tar: &mut Builder<&mut dyn Write>, path: &Path, bytes: &[u8]) -> io::Result<()> {
    entry(tar, path, EntryType::Regular, bytes)
}

fn entry(tar: &mut Builder<&mut dyn Write>, path: &Path, kind: EntryType, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind.is_dir() { 0o755 } else { 0o644 });
    header.set_size(bytes.len() as u64);
    header.set_mtime(0);
    // A folder's name ends with a slash there.
    let mut name = path.as_os_str().as_bytes().to_vec();
    if kind.is_dir() {
        name.push(b'/');
    }
    tar.append_data(&mut header, std::ffi::OsStr::from_bytes(&name), bytes)
}
