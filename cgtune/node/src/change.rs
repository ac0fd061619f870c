//! Changing groups so that it can be undone: planned, written down, written, read back.

mod error;
mod pair;
mod undo;

use cgtune_core::{
    CpuControl as _,
    control::{self, Planned},
    plan::Goal,
};
use cgtune_sys::Cgroup;

pub use error::ChangeError;
pub use pair::{pod_of, prepare_with_pod};
pub use undo::{Standing, overlay, standing, undo};

use crate::journal::{Entry, Group, State, Writer};

/// A group and its change, legal and not made yet.
#[derive(Debug)]
pub struct Ready {
    /// The group.
    pub cgroup: Cgroup,
    /// Its change.
    pub planned: Planned,
}

/// What the journal should say about a change.
#[derive(Debug, Clone)]
pub struct About {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// When it undoes itself, if it does.
    pub until: Option<String>,
    /// The command line.
    pub command: Vec<String>,
}

/// Plans one group's change.
///
/// # Errors
/// What the kernel would refuse; a file that cannot be read.
pub fn prepare(mut cgroup: Cgroup, goal: Goal) -> Result<Ready, ChangeError> {
    match control::prepare(&mut cgroup, goal) {
        Ok(planned) => Ok(Ready { cgroup, planned }),
        Err(cause) => Err(ChangeError::Apply { path: cgroup.path().to_owned(), cause: Box::new(cause) }),
    }
}

/// Makes the change: writes it down, writes, reads back. On a refusal, or when `stop` says so, everything is taken back.
///
/// # Errors
/// [`ChangeError`]; the journal says what was left.
pub fn make(
    groups: &mut [Ready],
    about: About,
    writer: &Writer,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Entry, ChangeError> {
    let mut entry = Entry {
        schema: Entry::SCHEMA.to_owned(),
        id: 0,
        at: about.at,
        until: about.until,
        command: about.command,
        state: State::Begun,
        groups: Vec::new(),
    };
    for Ready { cgroup, planned } in groups.iter_mut() {
        let path = cgroup.path().to_owned();
        let kernel = |source| ChangeError::Kernel { path: path.clone(), source };
        // Planned before the lock was ours, and maybe a question ago.
        let now = cgroup.observe().map_err(kernel)?;
        if planned.goal.back_to(&now) != planned.goal.back_to(&planned.before) {
            return Err(ChangeError::Overtaken { path });
        }
        entry.groups.push(Group {
            path: path.clone(),
            id: cgroup.id(),
            cpuset_inode: cgroup.cpuset_inode().map_err(kernel)?,
            planned: planned.clone(),
            back: None,
        });
    }
    let mut entry = writer.begin(entry)?;
    if let Err(cause) = write(groups, stop) {
        let restored = undo::go_back(&mut entry, groups.iter_mut().map(|ready| &mut ready.cgroup), writer)
            .and_then(|()| finish(&mut entry, State::TakenBack, writer));
        return Err(match restored {
            Ok(()) => ChangeError::TakenBack { cause: Box::new(cause) },
            Err(way) => ChangeError::Stuck { id: entry.id, cause: Box::new(cause), way: Box::new(way) },
        });
    }
    finish(&mut entry, State::Done, writer)?;
    Ok(entry)
}

fn finish(entry: &mut Entry, state: State, writer: &Writer) -> Result<(), ChangeError> {
    entry.state = state;
    Ok(writer.save(entry)?)
}

fn write(groups: &mut [Ready], stop: &mut dyn FnMut() -> bool) -> Result<(), ChangeError> {
    for Ready { cgroup, planned } in groups.iter_mut() {
        write_one(cgroup, planned, stop)?;
    }
    Ok(())
}

/// One group's writes, read back; on either way.
fn write_one(
    cgroup: &mut Cgroup,
    planned: &Planned,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), ChangeError> {
    let path = cgroup.path().to_owned();
    if let Err(halt) = control::write_all(cgroup, &planned.steps, stop) {
        return Err(match halt.cause {
            Some(source) => ChangeError::Kernel { path, source },
            None => ChangeError::Stopped,
        });
    }
    match control::read_back(cgroup, &planned.goal) {
        Ok(_) => Ok(()),
        Err(cause) => Err(ChangeError::Apply { path, cause: Box::new(cause) }),
    }
}
