//! The real cgroup, on either layout: opened once, read on kept descriptors, written through [`CpuControl`].

use std::{
    io,
    path::{Path, PathBuf},
};

use cgtune_core::{
    Capabilities, Controller, CpuControl, Layout, Nanos, Observed, ObservedBandwidth, ObservedShare,
    Snapshot, Surroundings,
    diagnose::Reading,
    layout::Knob,
    parse::{cpu_max, cpu_stat, lists, pressure, scalar},
    plan::Write,
    snapshot::{CgroupId, Usage},
};

use crate::{
    detect::Hierarchies,
    dir::Dir,
    error::{Action, Error, Shown},
    kept::KeptFile,
    members, surroundings,
};

/// An open cgroup.
#[derive(Debug)]
pub struct Cgroup {
    hierarchies: Hierarchies,
    path: PathBuf,
    id: CgroupId,
    cpu: Dir,
    cpuacct: Option<Dir>,
    cpuset: Option<Dir>,
    capabilities: Capabilities,
    stat: Option<KeptFile>,
    local: Option<KeptFile>,
    /// Usage from a file of its own; on v2 it comes with `stat`, and without either the threads are asked.
    usage: Option<KeptFile>,
    pressure: Option<KeptFile>,
    assumed: Option<Assumed>,
}

/// The counters that move fast.
struct Fast {
    at: Nanos,
    stat: cpu_stat::CpuStat,
    usage: Option<Nanos>,
    local: Option<Nanos>,
}

/// What another group will have by the time that this one is written.
#[derive(Debug)]
struct Assumed {
    path: PathBuf,
    directory: PathBuf,
    bandwidth: ObservedBandwidth,
}

impl Cgroup {
    /// Opens a group by its path in the cpu hierarchy. Other controllers are used where they have a group of the same path.
    ///
    /// # Errors
    /// [`Error::NoSuchCgroup`], a malformed path, the kernel's refusal.
    pub fn open(hierarchies: &Hierarchies, path: &Path) -> Result<Self, Error> {
        let below = |controller| match hierarchies.of(controller) {
            Some(hierarchy) => hierarchy.open(path),
            None => Ok(None),
        };
        let cpu = below(Controller::Cpu)?.ok_or_else(|| Error::NoSuchCgroup {
            path: Shown(path.to_owned()),
            controller: Controller::Cpu,
            mount_point: Shown(hierarchies.cpu().mount_point.clone()),
        })?;
        // A path that lies outside another controller's view is no error of this one.
        let cpuacct = below(Controller::Cpuacct).unwrap_or(None);
        let cpuset = below(Controller::Cpuset).unwrap_or(None);
        Self::assemble(hierarchies.clone(), path.to_owned(), cpu, cpuacct, cpuset)
    }

    /// Opens the groups in which a process is, each controller's own. `None` for the pid: we ourselves.
    ///
    /// # Errors
    /// [`Error::NoSuchProcess`], [`Error::OutsideView`], the kernel's refusal.
    pub fn of_process(hierarchies: &Hierarchies, pid: Option<u32>) -> Result<Self, Error> {
        let path = hierarchies.membership(pid, Controller::Cpu)?;
        let cpu = hierarchies.cpu().open(&path)?.ok_or_else(|| Error::Gone(Shown(path.clone())))?;
        let beside = |controller| -> Option<Dir> {
            let hierarchy = hierarchies.of(controller)?;
            hierarchy.open(&hierarchies.membership(pid, controller).ok()?).ok().flatten()
        };
        let (cpuacct, cpuset) = (beside(Controller::Cpuacct), beside(Controller::Cpuset));
        Self::assemble(hierarchies.clone(), path, cpu, cpuacct, cpuset)
    }

    fn assemble(
        hierarchies: Hierarchies,
        path: PathBuf,
        cpu: Dir,
        cpuacct: Option<Dir>,
        cpuset: Option<Dir>,
    ) -> Result<Self, Error> {
        let layout = hierarchies.cpu().layout;
        let id = CgroupId { inode: cpu.inode()?, boot: hierarchies.boot_id()? };
        let kept = |knob| match layout.file(knob) {
            Some((Controller::Cpu, name)) => KeptFile::open(&cpu, name),
            Some((Controller::Cpuacct, name)) => {
                cpuacct.as_ref().map_or(Ok(None), |dir| KeptFile::open(dir, name))
            }
            Some((Controller::Cpuset, _)) | None => Ok(None),
        };
        let mut stat = kept(Knob::Stat)?;
        let local = kept(Knob::StatLocal)?;
        let usage = if layout == Layout::V1 { kept(Knob::Usage)? } else { None };
        let pressure = match kept(Knob::Pressure)? {
            // The file may open and then fail to read: PSI is compiled in, but psi=1 was not given.
            Some(mut file) => file.read().is_ok().then_some(file),
            None => None,
        };
        let counters = match &mut stat {
            Some(file) => file.parse(cpu_stat::parse)?,
            None => cpu_stat::CpuStat::default(),
        };
        let has = |knob| layout.file(knob).is_some_and(|(_, name)| cpu.has(name));
        let capabilities = Capabilities {
            cpu: layout,
            cpuset: cpuset.as_ref().and_then(|_| hierarchies.of(Controller::Cpuset)).map(|h| h.layout),
            bandwidth: has(Knob::Quota),
            burst: has(Knob::Burst),
            burst_counters: counters.bursts.is_some(),
            pressure: pressure.is_some(),
            stat_local: local.is_some(),
        };
        let assumed = None;
        Ok(Self {
            hierarchies,
            path,
            id,
            cpu,
            cpuacct,
            cpuset,
            capabilities,
            stat,
            local,
            usage,
            pressure,
            assumed,
        })
    }

    /// Its path in the cpu hierarchy, as the kernel names it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> CgroupId {
        self.id
    }

    /// Its directory in the cpu hierarchy.
    #[must_use]
    pub fn cpu_dir(&self) -> &Dir {
        &self.cpu
    }

    /// Its directory in the cpuset hierarchy.
    #[must_use]
    pub fn cpuset_dir(&self) -> Option<&Dir> {
        self.cpuset.as_ref()
    }

    /// Plans from here on as if `other` had this bandwidth already: of two groups that change together the second is
    /// planned before the first is written.
    pub fn assume(&mut self, other: &Self, bandwidth: ObservedBandwidth) {
        let (path, directory) = (other.path.clone(), other.cpu.path().to_owned());
        self.assumed = Some(Assumed { path, directory, bandwidth });
    }

    /// Its inode in the cpuset hierarchy, where that is another than the cpu's.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn cpuset_inode(&self) -> Result<Option<u64>, Error> {
        self.cpuset.as_ref().map(Dir::inode).transpose()
    }

    /// Where a process must be put to be in this group with every controller. Hierarchies that carry several controllers
    /// count once.
    pub(crate) fn places(&self) -> Vec<(&Dir, Layout)> {
        let mut places = vec![(&self.cpu, self.capabilities.cpu)];
        let beside = [(&self.cpuacct, Some(Layout::V1)), (&self.cpuset, self.capabilities.cpuset)];
        for (dir, layout) in beside {
            if let (Some(dir), Some(layout)) = (dir, layout)
                && !places.iter().any(|(other, _)| other.path() == dir.path())
            {
                places.push((dir, layout));
            }
        }
        places
    }

    /// Itself and its visible ancestors, nearest first, with what each has for a quota (`None`: no bandwidth files,
    /// as on a v2 root).
    ///
    /// # Errors
    /// A file that cannot be read. An ancestor cannot vanish before its descendants.
    pub fn lineage(&self) -> Result<Vec<(PathBuf, Option<ObservedBandwidth>)>, Error> {
        let hierarchy = self.hierarchies.cpu();
        let mut lineage = vec![(self.path.clone(), bandwidth(&self.cpu, self.capabilities.cpu)?)];
        for ancestor in self.path.ancestors().skip(1).take_while(|path| path.starts_with(&hierarchy.root)) {
            let Some(dir) = hierarchy.open(ancestor)? else {
                return Err(Error::Gone(Shown(ancestor.to_owned())));
            };
            lineage.push((ancestor.to_owned(), bandwidth(&dir, self.capabilities.cpu)?));
        }
        Ok(lineage)
    }
}

impl Cgroup {
    fn fast(&mut self) -> Result<Fast, Error> {
        let stat = match &mut self.stat {
            Some(file) => file.parse(cpu_stat::parse)?,
            None => cpu_stat::CpuStat::default(),
        };
        // The instant belongs to the counters that rates are made of, so it is taken beside them.
        let at = self.stat.as_ref().map_or_else(|| self.hierarchies.host().now(), KeptFile::instant);
        let usage = match (stat.usage, &mut self.usage) {
            (Some(counters), _) => Some(counters.usage),
            (None, Some(file)) => Some(Nanos::new(file.parse(scalar::unsigned)?)),
            (None, None) => None,
        };
        let local = self.local.as_mut().map(|file| file.parse(cpu_stat::parse_local)).transpose()?;
        Ok(Fast { at, stat, usage, local })
    }

    /// The counters that move fast, without anything that must be searched for.
    ///
    /// # Errors
    /// [`Error::Gone`]; a file that cannot be read or understood.
    pub fn reading(&mut self) -> Result<Reading, Error> {
        let Fast { at, stat, usage, local } = self.fast()?;
        Ok(Reading { at, bandwidth: stat.bandwidth, bursts: stat.bursts, usage, local })
    }

    /// Time in which at least one task waited for a CPU, since the group was made. `None`: no PSI here.
    ///
    /// # Errors
    /// [`Error::Gone`]; a file that cannot be read or understood.
    pub fn pressure(&mut self) -> Result<Option<Nanos>, Error> {
        let pressure = self.pressure.as_mut().map(|file| file.parse(pressure::parse)).transpose()?;
        Ok(pressure.map(|pressure| pressure.some.total))
    }

    /// The group above in the cpuset hierarchy; `None` at the top of what is visible.
    fn cpuset_parent(&self, dir: &Dir) -> Result<Option<Dir>, Error> {
        let Some(hierarchy) = self.hierarchies.of(Controller::Cpuset) else { return Ok(None) };
        let below = dir.path().strip_prefix(&hierarchy.mount_point).ok().and_then(Path::parent);
        match below {
            Some(below) => hierarchy.top()?.descend(below),
            None => Ok(None),
        }
    }
}

/// Quota, period and burst in a directory; `None` where there are no such files.
pub(crate) fn bandwidth(dir: &Dir, layout: Layout) -> Result<Option<ObservedBandwidth>, Error> {
    let file = |knob| layout.file(knob).map(|(_, name)| name);
    let quota_and_period = if layout.joint_quota_and_period() {
        parsed(dir, file(Knob::Quota), cpu_max::parse)?
    } else {
        parsed(dir, file(Knob::Quota), scalar::quota)?.zip(parsed(dir, file(Knob::Period), scalar::micros)?)
    };
    let Some((quota, period)) = quota_and_period else { return Ok(None) };
    let burst = parsed(dir, file(Knob::Burst), scalar::micros)?;
    Ok(Some(ObservedBandwidth { quota, period, burst }))
}

pub(crate) fn parsed<T>(
    dir: &Dir,
    file: Option<&'static str>,
    parser: impl FnOnce(&[u8]) -> Result<T, cgtune_core::parse::ParseError>,
) -> Result<Option<T>, Error> {
    file.map_or(Ok(None), |file| dir.parse(file, parser))
}

impl CpuControl for Cgroup {
    type Error = Error;

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn surroundings(&mut self) -> Result<Surroundings, Error> {
        let layout = self.capabilities.cpu;
        let cpuset = match (&self.cpuset, self.capabilities.cpuset) {
            (Some(dir), Some(layout)) => {
                let above = self.cpuset_parent(dir)?;
                Some(surroundings::of_cpuset(dir, above.as_ref(), layout, self.hierarchies.host())?)
            }
            _ => None,
        };
        let root = surroundings::is_root(&self.cpu, layout);
        let (mut parent, mut children) = (None, None);
        if layout.checks_hierarchy() {
            let assumed = self.assumed.as_ref();
            let above = |path: &Path| assumed.filter(|other| other.path == path).map(|other| other.bandwidth);
            parent = self
                .lineage()?
                .iter()
                .skip(1)
                .find_map(|(path, bandwidth)| above(path).as_ref().or(bandwidth.as_ref())?.ratio());
            children = surroundings::largest_below(&self.cpu, layout, &|dir| {
                assumed.filter(|other| other.directory == dir.path()).map(|other| other.bandwidth)
            })?;
        }
        Ok(Surroundings { parent, children, root, cpuset })
    }

    fn observe(&mut self) -> Result<Observed, Error> {
        let layout = self.capabilities.cpu;
        let cpu_file = |knob| layout.file(knob).map(|(_, name)| name);
        let share = parsed(&self.cpu, cpu_file(Knob::Share), scalar::unsigned)?.map(|n| match layout {
            Layout::V1 => ObservedShare::Shares(n),
            Layout::V2 => ObservedShare::Weight(n),
        });
        let mut observed = Observed {
            share,
            bandwidth: bandwidth(&self.cpu, layout)?,
            idle: parsed(&self.cpu, cpu_file(Knob::Idle), scalar::flag)?,
            ..Observed::default()
        };
        if let (Some(dir), Some(layout)) = (&self.cpuset, self.capabilities.cpuset) {
            let list = |knob| parsed(dir, layout.file(knob).map(|(_, name)| name), lists::parse);
            observed.cpus = list(Knob::Cpus)?;
            observed.mems = list(Knob::Mems)?;
            observed.effective_cpus = list(Knob::EffectiveCpus)?;
        }
        Ok(observed)
    }

    fn write(&mut self, write: &Write) -> Result<(), Error> {
        let layout = match write {
            Write::Cpus(_) | Write::Mems(_) => {
                self.capabilities.cpuset.ok_or(Error::NoController(Controller::Cpuset))?
            }
            _ => self.capabilities.cpu,
        };
        let unsupported = || {
            let source = io::Error::from_raw_os_error(nix::libc::ENOENT);
            Error::io(Action::Write(format!("{write:?}")), self.cpu.path(), source)
        };
        let (controller, file, text) = layout.encode(write).ok_or_else(unsupported)?;
        let dir = match controller {
            Controller::Cpuset => self.cpuset.as_ref().ok_or(Error::NoController(controller))?,
            Controller::Cpu | Controller::Cpuacct => &self.cpu,
        };
        dir.write(file, &text)
    }

    fn sample(&mut self) -> Result<Snapshot, Error> {
        let Fast { at, stat, usage, local } = self.fast()?;
        let usage = match usage {
            Some(usage) => Usage::Counter(usage),
            None => members::usage(&self.cpu, self.hierarchies.host())?,
        };
        let empty = Snapshot::empty(at, self.id);
        let mut snapshot = Snapshot { stat, usage: Some(usage), local_throttled: local, ..empty };
        if let Some(file) = &mut self.pressure {
            snapshot.pressure = Some(file.parse(pressure::parse)?);
        }
        Ok(snapshot)
    }
}
