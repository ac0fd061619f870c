//! Which CPUs groups are meant to have, and which groups are meant to have any.

use std::{
    collections::{BTreeSet, HashMap},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use cgtune_core::{
    CpuControl as _, CpuSet,
    pinning::{Intent, Name, Pinned, Source},
    snapshot::CgroupId,
};
use cgtune_node::{
    cpu_manager::{self, CpuManager},
    journal::{Journal, JournalError, State},
    names::{Ask, Kind, Register, Resident},
};
use cgtune_sys::{Cgroup, Error, Hierarchies, cpusets};

use crate::{
    failure::{self, Hinted},
    streams::Streams,
    target,
};

/// How many groups are looked at where none is named.
const MOST: usize = 500;

/// Groups with cpusets of their own that are not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LeftOut {
    /// They exist in the cpuset hierarchy alone, or are too many.
    pub(crate) beyond: usize,
    /// Containers that have the kubelet's shared pool, as all without CPUs of their own have.
    pub(crate) shared: usize,
}

/// Who says what.
pub(super) struct Known {
    /// Of our journal, for groups of this boot: the change that set CPUs last.
    ours: HashMap<CgroupId, (u64, CpuSet)>,
    /// Where those groups are.
    our_paths: Vec<PathBuf>,
    kubelet: Option<CpuManager>,
}

impl Known {
    /// Reads journal and kubelet. Neither is needed, so that what cannot be read is a warning.
    pub(super) fn read(
        journal: Result<Journal, JournalError>,
        hierarchies: &Hierarchies,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Self> {
        let mut known = Self { ours: HashMap::new(), our_paths: Vec::new(), kubelet: None };
        match journal.and_then(|journal| journal.read()) {
            Ok(contents) => {
                let boot = hierarchies.boot_id().map_err(target::kernel)?;
                for entry in contents.entries.iter().filter(|entry| entry.state == State::Done) {
                    for group in entry.groups.iter().filter(|group| group.id.boot == boot) {
                        let Some(cpus) = group.planned.goal.cpus.clone() else { continue };
                        known.our_paths.push(group.path.clone());
                        match cpus.is_empty() {
                            // It took back what an older one had set.
                            true => known.ours.remove(&group.id),
                            false => known.ours.insert(group.id, (entry.id, cpus)),
                        };
                    }
                }
            }
            Err(error) => streams.warn(&failure::sentence(&error.into()))?,
        }
        match cpu_manager::read(hierarchies.host()) {
            Ok(kubelet) => known.kubelet = kubelet,
            Err(error) => {
                let error = anyhow::Error::new(error).context(cpu_manager::STATE);
                streams.warn(&failure::sentence(&error))?;
            }
        }
        Ok(known)
    }

    /// All groups that are pinned, by somebody who says so or by their own sets; and how many were left out.
    pub(super) fn pinned(
        &self,
        hierarchies: &Hierarchies,
        ask: &Ask,
    ) -> anyhow::Result<(Vec<Cgroup>, LeftOut)> {
        // Whoever looks tells of groups that cannot be read.
        let mut own = cpusets::read(hierarchies).map_err(target::kernel)?.unwrap_or_default().groups;
        own.retain(|group| group.is_pinned() && cpusets::is_populated(hierarchies, group));
        let pool = self.kubelet.as_ref().and_then(|kubelet| kubelet.shared.as_ref());
        let (shared, own): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|group| is_shared(&group.path, &group.cpus, pool));
        let mut paths: BTreeSet<PathBuf> = own.into_iter().map(|group| group.path).collect();
        paths.extend(self.our_paths.iter().cloned());
        paths.extend(self.kubelets(hierarchies, ask)?);
        let shared = shared.iter().filter(|group| !paths.contains(&group.path)).count();
        let mut cgroups = Vec::new();
        let mut left_out = LeftOut { shared, ..LeftOut::default() };
        for path in paths {
            match Cgroup::open(hierarchies, &path) {
                Ok(_) if cgroups.len() >= MOST => left_out.beyond += 1,
                Ok(cgroup) => cgroups.push(cgroup),
                // In the cpuset hierarchy alone; what the journal tells of may be gone.
                Err(Error::NoSuchCgroup { .. }) if !self.our_paths.contains(&path) => left_out.beyond += 1,
                Err(Error::NoSuchCgroup { .. } | Error::Gone(_) | Error::OutsideView { .. }) => {}
                Err(error) => return Err(target::kernel(error)),
            }
        }
        // A group that was made anew where one of ours was is nobody's.
        let pinned = |cgroup: &mut Cgroup| {
            let path = cgroup.path().to_owned();
            !self.our_paths.contains(&path)
                || self.ours.contains_key(&cgroup.id())
                || cgroup.observe().is_ok_and(|observed| observed.cpus.is_some_and(|cpus| !cpus.is_empty()))
        };
        let mut kept = Vec::new();
        for mut cgroup in cgroups {
            if pinned(&mut cgroup) {
                kept.push(cgroup);
            }
        }
        Ok((kept, left_out))
    }

    /// The groups of containers to which the kubelet gave CPUs.
    fn kubelets(&self, hierarchies: &Hierarchies, ask: &Ask) -> anyhow::Result<Vec<PathBuf>> {
        let Some(kubelet) = self.kubelet.as_ref().filter(|kubelet| !kubelet.entries.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut paths = Vec::new();
        let walked = hierarchies.walk(|path: &Path, _| {
            let found = Resident::of(path);
            let uid = found.pod.and_then(|pod| pod.uid);
            if found.kind == Kind::Container && uid.is_some_and(|uid| kubelet.entries.contains_key(&uid)) {
                paths.push(path.to_owned());
            }
        });
        walked.map_err(target::kernel)?;
        let register = Register::read(hierarchies.host(), &paths, ask);
        paths.retain(|path| self.kubelet_says(&register.resident(path)).is_some());
        Ok(paths)
    }

    fn kubelet_says(&self, resident: &Resident) -> Option<(&CpuSet, Source)> {
        let uid = resident.pod.as_ref()?.uid.as_ref()?;
        let container =
            resident.container.as_ref().filter(|_| resident.kind == Kind::Container)?.name.as_ref()?;
        let cpus = self.kubelet.as_ref()?.entries.get(uid)?.get(container)?;
        Some((cpus, Source::Kubelet { pod_uid: uid.clone(), container: container.clone() }))
    }

    /// What each group is meant to have. Of groups that nobody `named` those of which nothing says so are left out.
    pub(super) fn intents(
        &self,
        cgroups: Vec<Cgroup>,
        named: bool,
        asked: Option<&CpuSet>,
        exclusive: bool,
        register: &Register,
    ) -> anyhow::Result<Vec<(Cgroup, Pinned)>> {
        let mut groups = Vec::new();
        for mut cgroup in cgroups {
            let told = match (asked, self.ours.get(&cgroup.id())) {
                (Some(asked), _) => Some((asked.clone(), Source::Asked)),
                (None, Some((change, cpus))) => Some((cpus.clone(), Source::Journal { change: *change })),
                (None, None) => self
                    .kubelet_says(&register.resident(cgroup.path()))
                    .map(|(cpus, source)| (cpus.clone(), source)),
            };
            let (cpus, source) = match told {
                Some(told) => told,
                None if is_root(&mut cgroup)? => return Err(of_all(cgroup.path())),
                None => {
                    let observed = match cgroup.observe() {
                        // Others come and go.
                        Err(Error::Gone(_)) if !named => continue,
                        observed => observed.map_err(target::kernel)?,
                    };
                    match own(observed.cpus, observed.effective_cpus) {
                        Some(cpus) => (cpus, Source::Itself),
                        None if !named => continue,
                        None => return Err(unpinned(cgroup.path())),
                    }
                }
            };
            let exclusive = exclusive || matches!(source, Source::Kubelet { .. });
            let path = Name(cgroup.path().as_os_str().as_bytes().to_vec());
            let intent = Intent { cpus, source, exclusive };
            groups.push((cgroup, Pinned { path, intent }));
        }
        Ok(groups)
    }
}

/// Whether a group is a container that has the kubelet's shared pool: the static policy writes that to all to which it gave no CPUs.
fn is_shared(path: &Path, asked: &CpuSet, pool: Option<&CpuSet>) -> bool {
    pool == Some(asked) && Resident::of(path).kind == Kind::Container
}

/// What a group's own cpuset says: what it asks for, or inherits. `None`: it has none, or an empty one.
fn own(set: Option<CpuSet>, effective: Option<CpuSet>) -> Option<CpuSet> {
    [set, effective].into_iter().flatten().find(|cpus| !cpus.is_empty())
}

fn unpinned(path: &Path) -> anyhow::Error {
    let path = Name(path.as_os_str().as_bytes().to_vec());
    let error = anyhow!("{path} is not pinned, and has no cpuset that says on which CPUs it is meant to run");
    Hinted::new(error, "say which with --cpus, for example --cpus 2-3").into()
}

/// Whether it is the top of its hierarchy. What a cgroup namespace shows as `/` is as a rule a group like others.
fn is_root(cgroup: &mut Cgroup) -> anyhow::Result<bool> {
    Ok(cgroup.path() == Path::new("/") && cgroup.surroundings().map_err(target::kernel)?.root)
}

/// The root has all that nobody else took: its CPUs are the machine's, and nobody is pinned to them.
fn of_all(path: &Path) -> anyhow::Error {
    let path = Name(path.as_os_str().as_bytes().to_vec());
    let error =
        anyhow!("{path} is the root of the hierarchy, which nothing pins: it has all CPUs that there are");
    Hinted::new(error, "name a cgroup below it, or say with --cpus where its tasks are meant to run").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_means_what_it_asks_for_or_inherits_and_nothing_where_it_has_no_cpuset() {
        let list = |text: &str| Some(text.parse::<CpuSet>().unwrap());
        let empty = || Some(CpuSet::new());
        assert_eq!(own(list("1"), list("0-3")), list("1"));
        assert_eq!(own(empty(), list("0-3")), list("0-3"));
        assert_eq!(own(None, list("0-3")), list("0-3"));
        assert_eq!((own(None, None), own(empty(), None), own(empty(), empty())), (None, None, None));
    }

    #[test]
    fn containers_in_the_kubelets_pool_are_not_pinned_and_others_with_the_same_cpus_are() {
        let pod = "/kubepods/burstable/pod6c1a2b3c-0d4e-4f50-8a61-9b72c3d4e5f6";
        let container = format!("{pod}/{}", "3b2e7f9d".repeat(8));
        let list = |text: &str| text.parse::<CpuSet>().unwrap();
        let shared = |path: &str, asked, pool| is_shared(Path::new(path), &list(asked), pool);
        let pool = list("0-1");
        assert!(shared(&container, "0-1", Some(&pool)));
        assert!(!shared(&container, "1", Some(&pool)), "somebody pinned it");
        assert!(!shared(&container, "0-1", None), "no static policy");
        assert!(!shared("/demo", "0-1", Some(&pool)), "not the kubelet's");
    }
}
