//! Groups that wait for reasons that their own quota does not hold: a limit above, neighbours, their own class.

use cgtune_core::Layout;

use super::super::{
    Machine,
    draw::Draw,
    situation::{Class, Cpus, Group, Limit, Load, Placed, Pulse, Situation, Stays, Weight},
};

const PERIOD_MS: u64 = 100;

/// A load that wants a tenth to a fifth of a limit.
fn modest(draw: &mut Draw, limit: Limit) -> Load {
    let (work_us, average) = (draw.between(6e3, 12e3), draw.between(0.1, 0.2) * limit.cpus());
    Load::Pulse(Pulse::averaging(draw, 1, work_us, average))
}

/// A load that is seldom without work, on a machine that is full.
fn eager(draw: &mut Draw) -> Load {
    if draw.whole(0, 1) == 0 {
        return Load::Hog { threads: 1 };
    }
    let (work_us, average) = (draw.between(30e3, 60e3), draw.between(0.2, 0.3));
    Load::Pulse(Pulse::averaging(draw, 1, work_us, average))
}

// A limit above.

fn pod_limit(draw: &mut Draw) -> Limit {
    Limit::of(draw.between(0.3, 0.8), PERIOD_MS)
}

pub(super) fn pod(draw: &mut Draw, _: Machine) -> Situation {
    let mut situation = Situation::default();
    let pod = situation.add(Group::below(None).limited(pod_limit(draw)));
    situation.watched = situation.add(Group::below(Some(pod)));
    situation.load(situation.watched, Load::Hog { threads: draw.whole(1, 2) });
    situation
}

pub(super) fn sibling(draw: &mut Draw, _: Machine) -> Situation {
    let (mut situation, limit) = (Situation::default(), pod_limit(draw));
    let pod = situation.add(Group::below(None).limited(limit));
    situation.watched = situation.add(Group::below(Some(pod)));
    situation.load(situation.watched, modest(draw, limit));
    let sibling = situation.add(Group::below(Some(pod)));
    situation.load(sibling, Load::Hog { threads: draw.whole(1, 2) });
    situation
}

pub(super) fn slice(draw: &mut Draw, _: Machine) -> Situation {
    let (mut situation, limit) = (Situation::default(), pod_limit(draw));
    let slice = situation.add(Group::below(None).limited(limit));
    let pod = situation.add(Group::below(Some(slice)));
    situation.watched = situation.add(Group::below(Some(pod)));
    if draw.whole(0, 1) == 0 {
        situation.load(situation.watched, Load::Hog { threads: 1 });
    } else {
        situation.load(situation.watched, modest(draw, limit));
        let other_pod = situation.add(Group::below(Some(slice)));
        situation.load(other_pod, Load::Hog { threads: draw.whole(1, 2) });
    }
    situation
}

/// On v2 a child may have more than its parent. On v1 not more than as much: there a sibling uses it up, or nearly so, and
/// the child's own quota is never reached.
pub(super) fn own_limit(draw: &mut Draw, machine: Machine) -> Situation {
    let (mut situation, limit) = (Situation::default(), pod_limit(draw));
    let pod = situation.add(Group::below(None).limited(limit));
    let own = if machine.layout == Layout::V1 { 0.95 } else { 2.0 };
    situation.watched =
        situation.add(Group::below(Some(pod)).limited(Limit::of(limit.cpus() * own, PERIOD_MS)));
    match machine.layout {
        Layout::V1 => {
            situation.load(situation.watched, modest(draw, limit));
            let sibling = situation.add(Group::below(Some(pod)));
            situation.load(sibling, Load::Hog { threads: draw.whole(1, 2) });
        }
        Layout::V2 => situation.load(situation.watched, Load::Hog { threads: 1 }),
    }
    situation
}

// Neighbours.

pub(super) fn tiny_weight(draw: &mut Draw, machine: Machine) -> Situation {
    let weight = Weight::Tiny(draw.whole(2, 10));
    let mut situation =
        Situation::crowded(machine, Group { weight, ..Group::below(None) }, draw.whole(1, 2), 1);
    let load = eager(draw);
    situation.load(situation.watched, load);
    situation
}

pub(super) fn neighbours(draw: &mut Draw, machine: Machine) -> Situation {
    let hogs_each = draw.whole(1, 2);
    let mut situation = Situation::crowded(machine, Group::below(None), 4, hogs_each);
    let load = eager(draw);
    situation.load(situation.watched, load);
    situation
}

pub(super) fn overlap(draw: &mut Draw, machine: Machine) -> Situation {
    let cpus = Cpus::Only(draw.whole(0, machine.cpus - 1));
    let mut situation = Situation::default();
    let parent = Some(situation.add(Group::below(None)));
    situation.watched = situation.add(Group { cpus, ..Group::below(parent) });
    let neighbour = situation.add(Group { cpus, ..Group::below(parent) });
    situation.load(neighbour, Load::Hog { threads: draw.whole(1, 3) });
    let load = eager(draw);
    situation.load(situation.watched, load);
    situation
}

// Its own class.

pub(super) fn idle_group(draw: &mut Draw, machine: Machine) -> Situation {
    let mut situation =
        Situation::crowded(machine, Group { idle: true, ..Group::below(None) }, draw.whole(1, 3), 1);
    let load = eager(draw);
    situation.load(situation.watched, load);
    situation
}

pub(super) fn idle_pod(draw: &mut Draw, machine: Machine) -> Situation {
    let pod = Group { idle: true, ..Group::below(None) };
    let mut situation = Situation::crowded(machine, pod, draw.whole(1, 3), 1);
    situation.watched = situation.add(Group::below(Some(situation.watched)));
    let load = eager(draw);
    situation.load(situation.watched, load);
    situation
}

/// In one group with those that they yield to: a class says something among the threads of a group only. Measured on Linux 6.18,
/// in a group apart from the hogs' it makes no difference (146 ms/s of waiting with SCHED_IDLE, 153 without); in theirs it
/// waits 935 ms/s.
pub(super) fn idle_threads(draw: &mut Draw, machine: Machine) -> Situation {
    let mut situation = Situation::alone(draw, Group::below(None));
    let (load, group) = (eager(draw), situation.watched);
    situation.load(group, Load::Hog { threads: machine.cpus });
    situation.loads.push(Placed { group, load, class: Class::Idle, stays: Stays::Throughout });
    situation
}
