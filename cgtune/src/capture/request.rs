//! What is asked of a node, live and from its capture alike.

use std::{ffi::OsString, path::PathBuf};

use cgtune_core::{CpuControl as _, Interval, Micros, Snapshot};
use cgtune_node::names::{Ask, Register};
use cgtune_sys::{Cgroup, Error, Hierarchies};

use crate::{
    cmd::diagnose::watch::{Seen, Watch},
    interrupt::Interrupt,
    reading::Reading,
    target::{self, Target},
};

/// Which groups to look at, for how long.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) all: bool,
    /// As they were typed; none, without `all`, is our own group.
    pub(crate) targets: Vec<OsString>,
    pub(crate) duration: Micros,
}

/// What was seen.
pub(crate) struct Session {
    /// As `stat` shows it, over the whole watch.
    pub(crate) readings: Vec<Reading>,
    /// As `diagnose` judges it.
    pub(crate) seen: Seen,
    /// Who lives there.
    pub(crate) register: Register,
}

/// A group at the beginning. One of all groups is not kept open: there may be thousands.
struct First {
    path: PathBuf,
    kept: Option<Cgroup>,
    snapshot: Snapshot,
}

impl Request {
    /// Looks. Played back from a tape it must ask the very same questions, so nothing here may depend on anything else
    /// than the node; whom to `ask` for names does not matter there, since what they said is on the tape.
    pub(crate) fn carry_out(
        &self,
        hierarchies: &Hierarchies,
        ask: &Ask,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Session> {
        let watch = Watch { duration: self.duration, interrupt };
        let (firsts, seen) = if self.all {
            let firsts = all(hierarchies)?;
            (firsts, watch.all(hierarchies)?)
        } else {
            let targets = self.targets()?;
            let open = || target::open_all(&targets, hierarchies, ask);
            let firsts =
                open()?.into_iter().map(first).collect::<Result<Vec<_>, _>>().map_err(target::kernel)?;
            (firsts, watch.these(hierarchies, open()?)?)
        };
        let mut readings = Vec::new();
        for first in firsts {
            match last(hierarchies, first) {
                Ok(reading) => readings.extend(reading),
                Err(Error::Gone(_) | Error::NoSuchCgroup { .. }) => {}
                Err(error) => return Err(target::kernel(error)),
            }
        }
        let paths = readings.iter().map(|reading| &reading.path).chain(seen.watched.keys());
        let register = Register::read(hierarchies.host(), paths, ask);
        for reading in &mut readings {
            reading.resident = register.resident(&reading.path);
        }
        Ok(Session { readings, seen, register })
    }

    pub(crate) fn targets(&self) -> anyhow::Result<Vec<Target>> {
        if self.targets.is_empty() {
            return Ok(vec![Target::Own]);
        }
        self.targets.iter().map(|typed| Target::parse(Some(typed))).collect()
    }
}

fn first(mut cgroup: Cgroup) -> Result<First, Error> {
    let snapshot = cgroup.sample()?;
    Ok(First { path: cgroup.path().to_owned(), kept: Some(cgroup), snapshot })
}

fn all(hierarchies: &Hierarchies) -> anyhow::Result<Vec<First>> {
    let mut paths = Vec::new();
    hierarchies.walk(|path, _| paths.push(path.to_owned())).map_err(target::kernel)?;
    let mut firsts = Vec::new();
    for path in paths {
        match Cgroup::open(hierarchies, &path).and_then(first) {
            Ok(first) => firsts.push(First { kept: None, ..first }),
            Err(Error::Gone(_) | Error::NoSuchCgroup { .. }) => {}
            Err(error) => return Err(target::kernel(error)),
        }
    }
    Ok(firsts)
}

/// `None`: its counters make no interval, since it was made anew meanwhile.
fn last(hierarchies: &Hierarchies, first: First) -> Result<Option<Reading>, Error> {
    let mut cgroup = match first.kept {
        Some(cgroup) => cgroup,
        None => Cgroup::open(hierarchies, &first.path)?,
    };
    let last = cgroup.sample()?;
    let Ok(interval) = Interval::between(&first.snapshot, &last) else { return Ok(None) };
    Reading::new(&mut cgroup, hierarchies.cpu().view, last, Some(interval)).map(Some)
}

#[cfg(test)]
mod tests;
