//! A capture asked again.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use cgtune_core::text::Escaped;
use cgtune_node::names::Ask;
use cgtune_sys::{Hierarchies, HostRoot};

use super::{Captured, Manifest, Session, unpack};
use crate::{
    failure::Hinted,
    interrupt::Interrupt,
    streams::Streams,
    target::{self, Target},
};

/// What a capture says.
pub(crate) struct Replayed {
    pub(crate) session: Session,
    hierarchies: Hierarchies,
    file: PathBuf,
    /// Holds the files.
    captured: Captured,
}

/// Reads a capture and asks it what the node was asked when it was made.
pub(crate) fn replay(file: &Path, interrupt: &Interrupt) -> anyhow::Result<Replayed> {
    let captured = unpack(file).map_err(|error| {
        let error = error.context(what(file));
        Hinted::new(error, "cgtune capture -o FILE.tar makes one; if it was copied, copy it again")
    })?;
    let play = || {
        let hierarchies = Hierarchies::detect(captured.host.clone()).map_err(target::kernel)?;
        let mut session = captured.request.carry_out(&hierarchies, &Ask::default(), interrupt)?;
        // What watching cost then, not what reading the tape costs now.
        session.seen.effort.cpu = captured.cpu;
        anyhow::Ok((hierarchies, session))
    };
    let (hierarchies, session) = play().with_context(|| what(file))?;
    Ok(Replayed { session, hierarchies, file: file.to_owned(), captured })
}

fn what(file: &Path) -> String {
    format!("cannot replay {}", Escaped(file.as_os_str().as_encoded_bytes()))
}

impl Replayed {
    /// The node.
    pub(crate) fn host(&self) -> &HostRoot {
        self.hierarchies.host()
    }

    /// Says whose words these are: in a text at its head, and where another version said them then, in any case.
    pub(crate) fn introduce(&self, json: bool, streams: &mut Streams<'_>) -> io::Result<()> {
        let Manifest { captured_at, kernel_release, version, .. } = &self.captured.manifest;
        let shown = |text: &str| Escaped(text.as_bytes()).to_string();
        if !json {
            let kernel = kernel_release
                .as_deref()
                .map_or("an unknown kernel".to_owned(), |release| format!("kernel {}", shown(release)));
            let watched = self.session.seen.effort.wall.as_secs();
            writeln!(
                streams.out,
                "captured at {} on {kernel}, watched for {watched:.1} s",
                shown(captured_at)
            )?;
        }
        if version != env!("CARGO_PKG_VERSION") {
            let version = shown(version);
            streams.warn(&format!(
                "cgtune {version} made this capture and may have judged otherwise: findings.json in it says how"
            ))?;
        }
        Ok(())
    }

    /// Keeps only these groups, of a pod its own and its containers'; without any, all of them.
    pub(crate) fn keep(&mut self, targets: &[Target]) -> anyhow::Result<()> {
        if targets.is_empty() {
            return Ok(());
        }
        let open = target::open_all(targets, &self.hierarchies, &Ask::default());
        let mut paths = Vec::new();
        for cgroup in open.with_context(|| what(&self.file))? {
            let path = cgroup.path().to_owned();
            if !self.session.seen.watched.contains_key(&path) {
                return Err(self.nothing_about(&path));
            }
            paths.push(path);
        }
        self.session.readings.retain(|reading| paths.contains(&reading.path));
        self.session.seen.watched.retain(|path, _| paths.contains(path));
        Ok(())
    }

    fn nothing_about(&self, path: &Path) -> anyhow::Error {
        let shown = |path: &Path| Escaped(path.as_os_str().as_encoded_bytes()).to_string();
        let held: Vec<String> = self.session.seen.watched.keys().take(3).map(|path| shown(path)).collect();
        let more = self.session.seen.watched.len().saturating_sub(held.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let error = anyhow!("{}: {} was not watched to the end", what(&self.file), shown(path));
        Hinted::new(error, format!("it holds {}{more}; without a TARGET all are shown", held.join(", ")))
            .into()
    }
}
