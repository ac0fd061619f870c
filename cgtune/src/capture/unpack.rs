//! Reading a capture, which may come from anybody: no path of it leads out of a folder of our own, nothing in it is a link, and
//! all of it is bounded.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read},
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use cgtune_core::{Micros, Nanos};
use cgtune_sys::HostRoot;
use serde::Deserialize as _;
use tar::{Archive, EntryType};
use tempfile::TempDir;

use crate::cmd::diagnose::LONGEST;

use super::{
    Manifest, SCHEMA,
    line::{Asked, Reader},
    place,
    request::Request,
};

/// How much is read at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Of the tar, in bytes.
    pub(super) total: u64,
    /// Of one file of the node.
    pub(super) file: u64,
    pub(super) entries: usize,
    /// Lines of the tape.
    pub(super) lines: usize,
}

/// Several times of what `capture` writes at most.
const BOUNDS: Bounds = Bounds { total: 3 << 30, file: 16 << 20, entries: 1_000_000, lines: 16_000_000 };
/// The manifest.
const MANIFEST: u64 = 16 << 20;

/// A capture that has been read.
pub(crate) struct Captured {
    pub(crate) manifest: Manifest,
    /// How the node was asked.
    pub(crate) request: Request,
    /// The node.
    pub(crate) host: HostRoot,
    /// CPU time that watching took then.
    pub(crate) cpu: Nanos,
    /// Holds the node's files.
    _folder: TempDir,
}

/// Reads a capture from a file, or from stdin if that is `-`.
pub(crate) fn unpack(from: &Path) -> anyhow::Result<Captured> {
    if from == Path::new("-") {
        return read(io::stdin().lock(), BOUNDS);
    }
    let file = File::open(from)?;
    let size = file.metadata()?.len();
    ensure!(size <= BOUNDS.total, "it is larger ({size} bytes) than the {} that are read", BOUNDS.total);
    read(file, BOUNDS)
}

pub(super) fn read(tar: impl Read, bounds: Bounds) -> anyhow::Result<Captured> {
    let folder = tempfile::Builder::new()
        .prefix("cgtune-capture-")
        .tempdir()
        .context("cannot make a temporary folder (TMPDIR says where)")?;
    let root = folder.path().join(place::NODE);
    fs::create_dir(&root).context("cannot make a temporary folder")?;
    let mut parts = Parts { root, files: HashMap::new(), manifest: None, tape: None, bounds };
    let mut archive = Archive::new(tar.take(bounds.total));
    let mut entries = 0;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        entries += 1;
        ensure!(entries <= bounds.entries, "it holds more than {} files", bounds.entries);
        parts.take(&mut entry)?;
    }
    let Parts { root, manifest, tape, .. } = parts;
    let manifest =
        manifest.ok_or_else(|| anyhow!("it is no capture: there is no {} in it", place::MANIFEST))?;
    let Some((Asked { all, targets, for_us, cpu_ns }, recorded)) = tape else {
        bail!("it is torn: there is no {} in it", place::TAPE);
    };
    ensure!(
        for_us <= LONGEST.get(),
        "it says that it watched for {for_us} us, and nothing watches longer than {LONGEST}"
    );
    let request = Request {
        all,
        targets: targets.into_iter().map(Into::into).collect(),
        duration: Micros::new(for_us),
    };
    let host = HostRoot::played(root, recorded);
    Ok(Captured { manifest, request, host, cpu: Nanos::new(cpu_ns), _folder: folder })
}

fn damaged(error: io::Error) -> anyhow::Error {
    anyhow::Error::from(error).context("it is no tar, or torn or damaged")
}

/// What has been read so far.
struct Parts {
    root: PathBuf,
    /// The node's files; one that is answered with is on disk as well as on the tape.
    files: HashMap<PathBuf, Vec<u8>>,
    manifest: Option<Manifest>,
    tape: Option<(Asked, cgtune_sys::tape::Recorded)>,
    bounds: Bounds,
}

impl Parts {
    fn take<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> anyhow::Result<()> {
        let path = entry.path().map_err(damaged)?.into_owned();
        let shown = || cgtune_sys::error::Shown(path.clone());
        ensure!(
            path.components().all(|part| matches!(part, Component::Normal(_))),
            "it holds {}, which leads out of it",
            shown()
        );
        match entry.header().entry_type() {
            EntryType::Regular => {}
            EntryType::Directory => {
                if let Ok(below) = path.strip_prefix(place::NODE) {
                    return fs::create_dir_all(self.root.join(below)).with_context(|| unpacking(&path));
                }
                return Ok(());
            }
            _ => bail!("it holds {}, which is neither a file nor a folder", shown()),
        }
        match path.strip_prefix(place::NODE) {
            Ok(below) => self.node(below, entry).with_context(|| unpacking(&path)),
            Err(_) if path == Path::new(place::MANIFEST) => {
                let bytes = whole(entry, MANIFEST).with_context(|| unpacking(&path))?;
                self.manifest = Some(manifest(&bytes)?);
                Ok(())
            }
            Err(_) if path == Path::new(place::TAPE) => {
                let tape =
                    tape(entry, self.bounds, &|path| self.files.get(path.strip_prefix("/").ok()?).cloned());
                self.tape = Some(tape.with_context(|| unpacking(&path))?);
                Ok(())
            }
            // What was said then, and what a later version adds.
            Err(_) => Ok(()),
        }
    }

    fn node<R: Read>(&mut self, below: &Path, entry: &mut tar::Entry<'_, R>) -> anyhow::Result<()> {
        let bytes = whole(entry, self.bounds.file)?;
        let to = self.root.join(below);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        io::Write::write_all(&mut File::create_new(to)?, &bytes)?;
        self.files.insert(below.to_owned(), bytes);
        Ok(())
    }
}

fn unpacking(path: &Path) -> String {
    format!("cannot unpack {}", cgtune_sys::error::Shown(path.to_owned()))
}

/// All bytes of a file in the tar.
fn whole<R: Read>(entry: &mut tar::Entry<'_, R>, most: u64) -> anyhow::Result<Vec<u8>> {
    let size = entry.size();
    ensure!(size <= most, "it is larger ({size} bytes) than the {most} that are read");
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(damaged)?;
    ensure!(bytes.len() as u64 == size, "torn: {} of {size} bytes are there", bytes.len());
    Ok(bytes)
}

fn manifest(bytes: &[u8]) -> anyhow::Result<Manifest> {
    /// What says whether the rest can be understood.
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
    }
    let what = || format!("its {} cannot be understood", place::MANIFEST);
    let Head { schema } = serde_json::from_slice(bytes).with_context(what)?;
    ensure!(
        schema == SCHEMA,
        "it is \"{}\", and this version reads {SCHEMA}",
        cgtune_core::text::Escaped(schema.as_bytes())
    );
    serde_json::from_slice(bytes).with_context(what)
}

fn tape<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    bounds: Bounds,
    file: &dyn Fn(&Path) -> Option<Vec<u8>>,
) -> anyhow::Result<(Asked, cgtune_sys::tape::Recorded)> {
    let size = entry.size();
    let mut reader = Reader::default();
    let mut text = BufReader::new(entry);
    let (mut read, mut number, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let n = text.read_until(b'\n', &mut line).map_err(damaged)?;
        if n == 0 {
            break;
        }
        (read, number) = (read + n as u64, number + 1);
        ensure!(number <= bounds.lines, "it has more than {} lines", bounds.lines);
        ensure!(read < size || line.ends_with(b"\n"), "torn in line {number}");
        let mut json = serde_json::Deserializer::from_slice(&line);
        let taken = super::line::Line::deserialize(&mut json).map_err(anyhow::Error::from);
        taken.and_then(|line| reader.take(line, file)).with_context(|| format!("line {number}"))?;
    }
    ensure!(read == size, "torn: {read} of {size} bytes are there");
    let asked = reader.asked.ok_or_else(|| anyhow!("it does not say what was asked"))?;
    Ok((asked, reader.recorded))
}

#[cfg(test)]
mod tests;
