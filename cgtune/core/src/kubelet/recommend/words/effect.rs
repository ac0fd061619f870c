//! The sentences of what changes do to known pods.

use std::fmt;

use itertools::Itertools as _;

use super::{
    super::{Effect, Field, Filled, Modelled, Refused},
    containers, cpus,
};
use crate::kubelet::options::PolicyOption;

/// What of a node's containers is counted.
#[derive(Clone, Copy)]
enum Counted {
    Cores,
    Nodes,
    Caches,
}

impl Counted {
    const ALL: [Self; 3] = [Self::Cores, Self::Nodes, Self::Caches];

    const fn of(self, filled: &Filled) -> Option<usize> {
        match self {
            Self::Cores => filled.on_shared_cores,
            Self::Nodes => filled.on_several_nodes,
            Self::Caches => filled.on_several_caches,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Cores => "share a core with others",
            Self::Nodes => "lie on several NUMA nodes",
            Self::Caches => "lie on several last-level caches",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(without) = &self.without else {
            return f.write_str("modelled: without it the kubelet does not start with the other changes");
        };
        let differences = differences(&self.with, without);
        match alike(self.field, &self.with) {
            _ if !differences.is_empty() => write!(f, "modelled: on a full node {}", differences.join("; ")),
            Some(alike) => {
                write!(f, "modelled: no difference on a full node with these pods: {alike} either way")
            }
            None => f.write_str("modelled: no difference"),
        }
    }
}

/// What is otherwise than it would be without a change.
fn differences(with: &Filled, without: &Filled) -> Vec<String> {
    let mut said = Vec::new();
    let both = with.alone > 0 && without.alone > 0;
    if with.alone != without.alone && !(both && with.pods != without.pods) {
        said.push(format!("{}, without it {}", alone(with), none_or(without.alone)));
    }
    if with.pods != without.pods {
        said.push(format!("{}, without it {}", pods(with), none_or(without.pods)));
    }
    if with.refused != without.refused {
        said.extend(refused(&with.refused).map(|refused| format!("then {refused}")));
        said.extend(refused(&without.refused).map(|refused| format!("without it {refused}")));
    }
    let of = |counted: Counted, filled: &Filled| Some((counted.of(filled)?, filled.alone));
    for counted in Counted::ALL.into_iter().filter(|_| both) {
        let (Some((now, of_now)), Some((then, of_then))) = (of(counted, with), of(counted, without)) else {
            continue;
        };
        if now != then {
            said.push(format!("{now} of {of_now} {}, without it {then} of {of_then}", counted.words()));
        }
    }
    let apart = (with.pods_on_several_nodes, without.pods_on_several_nodes);
    if let (true, (Some(now), Some(then))) = (both, apart)
        && now != then
    {
        let (of_now, of_then) = (with.pods, without.pods);
        said.push(format!(
            "{now} of {of_now} pods have containers on different NUMA nodes, without it {then} of {of_then}"
        ));
    }
    if let (Some(now), Some(then)) = (&with.divided, &without.divided)
        && now != then
    {
        let on = |cpus: &[usize]| cpus.iter().join(" + ");
        let other =
            if now.container == then.container { String::new() } else { format!("{} has ", then.container) };
        said.push(format!(
            "{} has {} CPUs of NUMA nodes, without it {other}{}",
            now.container,
            on(&now.cpus),
            on(&then.cpus)
        ));
    }
    if let (Some(now), Some(then)) = (with.farthest, without.farthest)
        && now != then
    {
        said.push(format!("nodes of one container are {now} apart at most, without it {then}"));
    }
    let pool = |filled: &Filled| (filled.shared.len(), filled.shared_reserved.len());
    if pool(with) != pool(without) {
        let others = if with.alone > 0 { "all others" } else { "all" };
        said.push(format!("{others} share {}, without it {}", shared(with), shared(without)));
    }
    said
}

/// What a field is about, where it makes no difference to it.
fn alike(field: Field, filled: &Filled) -> Option<String> {
    use PolicyOption::{
        AlignBySocket, DistributeCpusAcrossCores, DistributeCpusAcrossNuma, FullPcpusOnly,
        PreferAlignCpusByUncorecache, StrictCpuReservation,
    };
    let counted = match field {
        Field::Option(FullPcpusOnly | DistributeCpusAcrossCores) => Counted::Cores,
        Field::Option(PreferAlignCpusByUncorecache) => Counted::Caches,
        Field::Option(DistributeCpusAcrossNuma | AlignBySocket) | Field::TopologyPolicy => Counted::Nodes,
        Field::Option(StrictCpuReservation) | Field::ReservedCpus => {
            return Some(format!("all others share {}", shared(filled)));
        }
        Field::TopologyScope => {
            let apart = filled.pods_on_several_nodes?;
            return Some(format!("{apart} of {} pods have containers on different NUMA nodes", filled.pods));
        }
        Field::TopologyOption(_) => {
            return filled.farthest.map(|far| format!("nodes of one container are {far} apart at most"));
        }
        Field::CpuManagerPolicy => return Some(alone(filled)),
        _ => return None,
    };
    if filled.alone == 0 {
        return Some(alone(filled));
    }
    let count = counted.of(filled)?;
    Some(format!("{count} of {} {}", containers(filled.alone), counted.words()))
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", pods(self), alone(self))?;
        if self.alone > 0 {
            let counted = Counted::ALL.into_iter();
            let counted = counted.filter_map(|what| Some(format!(", {} {}", what.of(self)?, what.words())));
            counted.into_iter().try_for_each(|one| f.write_str(&one))?;
        }
        match self.pods_on_several_nodes {
            Some(1) => f.write_str("; 1 pod has containers on different NUMA nodes")?,
            Some(pods) if pods > 1 => write!(f, "; {pods} pods have containers on different NUMA nodes")?,
            _ => {}
        }
        let others = if self.alone > 0 { "all others" } else { "all" };
        write!(f, "; {others} share {}", shared(self))?;
        refused(&self.refused).map_or(Ok(()), |refused| write!(f, "; then {refused}"))
    }
}

impl fmt::Display for Modelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known_pods {
            0 => f.write_str("modelled: an empty node, as no known pod has containers that get CPUs alone"),
            1 => f.write_str("modelled: an empty node is filled with copies of the 1 pod that has containers for CPUs alone"),
            pods => write!(
                f,
                "modelled: an empty node is filled with copies of the {pods} pods that have containers for CPUs alone, in turns"
            ),
        }
    }
}

fn none_or(count: usize) -> String {
    if count == 0 { "none".to_owned() } else { count.to_string() }
}

fn pods(filled: &Filled) -> String {
    let more = if filled.bounded { " and more" } else { "" };
    match filled.pods {
        0 => "no pod fits".to_owned(),
        1 => format!("1 pod{more} fits"),
        pods => format!("{pods} pods{more} fit"),
    }
}

fn alone(filled: &Filled) -> String {
    match filled.alone {
        0 => "no container has CPUs alone".to_owned(),
        1 => "1 container has CPUs alone".to_owned(),
        alone => format!("{} have CPUs alone", containers(alone)),
    }
}

/// What the pool holds.
fn shared(filled: &Filled) -> String {
    let (all, reserved) = (&filled.shared, &filled.shared_reserved);
    match (all.is_empty(), reserved.is_empty()) {
        (true, _) => "no CPU".to_owned(),
        (_, true) => cpus(all.len()),
        _ if all == reserved => format!("the reserved {reserved}"),
        _ => format!("{}, of them the reserved {reserved}", cpus(all.len())),
    }
}

fn refused(refused: &[Refused]) -> Option<String> {
    let Refused { pod, reason, left_milli } = refused.first()?;
    let more = match refused.len() {
        1 => String::new(),
        all => format!(", and {} more", all - 1),
    };
    Some(format!("{pod} is refused ({reason}) with {left_milli} CPU left to request{more}"))
}
