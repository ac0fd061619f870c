//! The way back, from wherever somebody was interrupted, on either way.

use cgtune_core::{CpuControl as _, control};
use cgtune_sys::{Cgroup, Error, Hierarchies};

use super::{ChangeError, write_one};
use crate::journal::{Entry, Group, Reached, State, Writer};

/// Where a group stands with regard to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// In one of the states that the change, or its undoing, goes through.
    OnTheWay(Reached),
    /// In none of them.
    Elsewhere,
}

/// Opens the group of an entry if it is still the same one.
fn open(hierarchies: &Hierarchies, group: &Group) -> Result<Cgroup, ChangeError> {
    let path = || group.path.clone();
    let kernel = |source| ChangeError::Kernel { path: path(), source };
    if hierarchies.boot_id().map_err(kernel)? != group.id.boot {
        return Err(ChangeError::EarlierBoot { path: path() });
    }
    let cgroup = match Cgroup::open(hierarchies, &group.path) {
        Err(Error::NoSuchCgroup { .. } | Error::Gone(_)) => {
            return Err(ChangeError::Gone { path: path(), made_anew: false });
        }
        other => other.map_err(kernel)?,
    };
    if cgroup.id() != group.id || cgroup.cpuset_inode().map_err(kernel)? != group.cpuset_inode {
        return Err(ChangeError::Gone { path: path(), made_anew: true });
    }
    Ok(cgroup)
}

fn observe(cgroup: &mut Cgroup) -> Result<cgtune_core::Observed, ChangeError> {
    cgroup.observe().map_err(|source| match source {
        Error::Gone(_) => ChangeError::Gone { path: cgroup.path().to_owned(), made_anew: false },
        source => ChangeError::Kernel { path: cgroup.path().to_owned(), source },
    })
}

/// Where each group of an entry stands now.
///
/// # Errors
/// [`ChangeError::Gone`], [`ChangeError::EarlierBoot`], a file that cannot be read.
pub fn standing(entry: &Entry, hierarchies: &Hierarchies) -> Result<Vec<Standing>, ChangeError> {
    let of = |group: &Group| {
        let observed = observe(&mut open(hierarchies, group)?)?;
        Ok(group.reached(&observed).map_or(Standing::Elsewhere, Standing::OnTheWay))
    };
    entry.groups.iter().map(of).collect()
}

/// The newest of `all` that lies over an entry and can still be undone.
#[must_use]
pub fn overlay<'a>(entry: &Entry, all: &'a [Entry], hierarchies: &Hierarchies) -> Option<&'a Entry> {
    let is_alive = |over: &&Entry| {
        !matches!(
            standing(over, hierarchies),
            Err(ChangeError::Gone { .. } | ChangeError::EarlierBoot { .. })
        )
    };
    entry.overlaid_by(all).find(is_alive)
}

/// Undoes a change, also one that was interrupted, and an undoing that was. `all` are the journal's entries as they are now.
///
/// Changes of a value are undone from the newest: each goes back to what the one before it left. Were a lower one undone
/// first, also by writing nothing since the upper one happens to have led back, then undoing the upper one would bring
/// back what the lower one had set.
///
/// # Errors
/// [`ChangeError::Overlaid`] where a newer change of ours is to be undone first, `force`d or not; [`ChangeError::Changed`]
/// where somebody else was here since, unless `force`d: nothing is written then. The kernel's refusal; the entry then says
/// that it is half-undone, and this can be called again.
pub fn undo(
    entry: &mut Entry,
    all: &[Entry],
    hierarchies: &Hierarchies,
    writer: &Writer,
    force: bool,
) -> Result<(), ChangeError> {
    if let Some(newer) = overlay(entry, all, hierarchies) {
        return Err(ChangeError::Overlaid { id: entry.id, newer: newer.id });
    }
    let mut cgroups = Vec::new();
    for group in &entry.groups {
        let mut cgroup = open(hierarchies, group)?;
        let observed = observe(&mut cgroup)?;
        if group.reached(&observed).is_none() && !force {
            let differences = group.changed_since(&observed);
            return Err(ChangeError::Changed { path: group.path.clone(), differences });
        }
        cgroups.push(cgroup);
    }
    go_back(entry, cgroups.iter_mut(), writer)?;
    entry.state = State::Undone;
    Ok(writer.save(entry)?)
}

/// Takes the groups back, the last one first. Each way is written down before it is gone, so that whoever is killed on it
/// can be told from somebody else.
pub(super) fn go_back<'a>(
    entry: &mut Entry,
    cgroups: impl DoubleEndedIterator<Item = &'a mut Cgroup> + ExactSizeIterator,
    writer: &Writer,
) -> Result<(), ChangeError> {
    for (place, cgroup) in cgroups.enumerate().rev() {
        let path = entry.groups[place].path.clone();
        let apply = |cause| ChangeError::Apply { path: path.clone(), cause: Box::new(cause) };
        let way = control::prepare(cgroup, entry.groups[place].goal_back()).map_err(apply)?;
        entry.groups[place].back = Some(way.clone());
        entry.state = State::Undoing;
        writer.save(entry)?;
        write_one(cgroup, &way, &mut || false)?;
    }
    Ok(())
}
