//! One cgroup as `diagnose` shows it: what was found, and by which commands of whose it would be mended. No text, no JSON.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use cgtune_core::{
    Micros, ObservedShare, Quota,
    diagnose::{
        self, Cause, Finding, Remedy, Watched,
        remedy::{Change, Kind, Raised},
    },
    text::shell,
};
use cgtune_node::{
    change,
    names::Resident,
    owner::{self, Ownership, Touched, Wanted},
};
use cgtune_sys::HostRoot;

/// A cgroup and its findings.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    /// Its path in the cpu hierarchy.
    pub(crate) path: PathBuf,
    /// Who lives there.
    pub(crate) resident: Resident,
    /// What was found, ranked by cost; never empty.
    pub(crate) findings: Vec<Finding>,
}

/// A way to carry out a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prescription {
    /// Whose command it is: `cgtune`, or an owner's name.
    pub(crate) owner: String,
    /// A line for a POSIX shell; `None`: no command expresses it.
    pub(crate) command: Option<String>,
    /// What the command does not express.
    pub(crate) cannot: Vec<String>,
}

/// Who owns which group, found out once each: that looks at all processes of the node.
pub(crate) struct Owners<'h> {
    host: &'h HostRoot,
    known: BTreeMap<PathBuf, Ownership>,
}

impl<'h> Owners<'h> {
    pub(crate) fn on(host: &'h HostRoot) -> Self {
        Self { host, known: BTreeMap::new() }
    }

    fn of(&mut self, path: &Path) -> &Ownership {
        self.known.entry(path.to_owned()).or_insert_with(|| owner::of(path, self.host))
    }
}

impl Diagnosis {
    pub(crate) fn new(resident: Resident, path: PathBuf, watched: &Watched) -> Self {
        Self { resident, path, findings: diagnose::findings(watched) }
    }

    /// The first finding.
    pub(crate) fn verdict(&self) -> Option<&Finding> {
        self.findings.first()
    }

    /// Whether there is something to act on.
    pub(crate) fn is_ill(&self) -> bool {
        self.verdict().is_some_and(|finding| !matches!(finding.cause, Cause::Healthy | Cause::Unknown))
    }

    /// What it costs, of all findings together, in ms per second.
    pub(crate) fn stall_ms_per_s(&self) -> f64 {
        let ill = |finding: &&Finding| finding.cause != Cause::Healthy;
        // Not sum(), which of nothing is -0.0.
        self.findings
            .iter()
            .filter(ill)
            .filter_map(|finding| finding.stall_ms_per_s)
            .fold(0.0, |all, one| all + one)
    }

    /// How a remedy is carried out: by us, now and with an undo; and by the owners, so that it lasts.
    pub(crate) fn prescriptions(&self, remedy: &Remedy, owners: &mut Owners<'_>) -> Vec<Prescription> {
        let Some(change) = &remedy.change else { return by_hand(remedy).into_iter().collect() };
        let Some(path) = self.path.ancestors().nth(change.levels_up) else { return Vec::new() };
        let own =
            Prescription { owner: "cgtune".to_owned(), command: apply(path, change), cannot: Vec::new() };
        let lasting = lasting(owners.of(path), change);
        std::iter::once(own).chain(lasting).collect()
    }
}

/// What is no write to a cgroup.
fn by_hand(remedy: &Remedy) -> Option<Prescription> {
    let threads = remedy.amount.filter(|_| remedy.kind == Kind::FewerThreads)?;
    Some(Prescription {
        owner: "application".to_owned(),
        command: Some(format!(
            "GOMAXPROCS={threads} (Go), -XX:ActiveProcessorCount={threads} (Java), OMP_NUM_THREADS={threads}"
        )),
        cannot: Vec::new(),
    })
}

/// What carries a change out here and now, where the group's name can be typed.
fn apply(path: &Path, change: &Change) -> Option<String> {
    let own = apply_to(path, change)?;
    let Some(Raised { levels_up, quota, period, burst }) = change.above else { return Some(own) };
    let above = path.ancestors().nth(levels_up)?;
    if change::pod_of(path).as_deref() == Some(above) {
        return Some(own + " --with-pod");
    }
    let first = apply_to(above, &Change { quota, period, burst, ..Change::default() })?;
    Some(format!("{first} && {own}"))
}

fn apply_to(path: &Path, change: &Change) -> Option<String> {
    // A name that no terminal shows as it is cannot be typed either.
    let mut line = format!("cgtune apply {}", shell::quote(path.to_str()?)?);
    if let Some(quota) = change.quota {
        match quota {
            Quota::Unlimited => line += " --quota max",
            Quota::Limited(us) => line += &format!(" --quota {us}"),
        }
    }
    if let Some(period) = change.period {
        line += &format!(" --period {period}");
    }
    if let Some(burst) = change.burst.filter(|&burst| burst > Micros::ZERO) {
        line += &format!(" --burst {burst}");
    }
    if let Some(idle) = change.idle {
        line += &format!(" --idle={idle}");
    }
    match change.share {
        Some(ObservedShare::Shares(shares)) => line += &format!(" --shares {shares}"),
        Some(ObservedShare::Weight(weight)) => line += &format!(" --weight {weight}"),
        None => {}
    }
    Some(line)
}

fn lasting(ownership: &Ownership, change: &Change) -> Vec<Prescription> {
    let wanted = Wanted {
        touched: Touched {
            share: change.share.is_some(),
            quota: change.quota.is_some() || change.period.is_some(),
            burst: change.burst.is_some_and(|burst| burst > Micros::ZERO),
            idle: change.idle.is_some(),
            cpuset: false,
        },
        shares: change.share.and_then(|share| match share {
            ObservedShare::Shares(n) => Some(n),
            ObservedShare::Weight(_) => None,
        }),
        weight: change.share.and_then(|share| match share {
            ObservedShare::Weight(n) => Some(n),
            ObservedShare::Shares(_) => None,
        }),
        quota: change.quota,
        period: change.period,
        burst: change.burst,
        idle: change.idle,
        ..Wanted::default()
    };
    let told = ownership.lasting(&wanted).into_iter();
    told.map(|told| Prescription { owner: told.owner, command: told.command, cannot: told.cannot }).collect()
}
