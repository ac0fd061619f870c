//! The kernel's rules as we know them, against the kernel: every change that we refuse it refuses, with the errno that we
//! name, and every write leaves what the model says.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod support;

use cgtune_core::{
    Bandwidth, CpuControl as _, CpuSet, Layout, Micros, ObservedBandwidth, ObservedShare, Policy,
    PolicyError, Quota, Share, Shares, Weight,
    control::{ApplyError, apply, prepare},
    layout::Knob,
    plan::{Flags, Goal, PlanError, Write},
};
use cgtune_sys::{dir::Dir, lifecycle::OwnedCgroup, spawn::Program};
use support::workshop;

const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
const ERANGE: i32 = 34;

fn us(us: u64) -> Micros {
    Micros::new(us)
}

fn limited(quota: u64, period: u64, burst: u64) -> Policy {
    let bandwidth = Bandwidth::new(Quota::Limited(us(quota)), us(period), us(burst)).unwrap();
    Policy { bandwidth: Some(bandwidth), ..Policy::default() }
}

fn list(text: &str) -> CpuSet {
    text.parse().unwrap()
}

/// What the kernel answers to a raw text.
fn errno(dir: &Dir, file: &str, text: &str) -> Option<i32> {
    match dir.write(file, text) {
        Ok(()) => None,
        Err(cgtune_sys::Error::Io { source, .. }) => source.raw_os_error(),
        Err(other) => panic!("{other:?}"),
    }
}

fn file(layout: Layout, knob: Knob) -> &'static str {
    layout.file(knob).unwrap().1
}

/// A limited parent, the group, a limited child.
struct Family {
    // Removed in this order.
    child: OwnedCgroup,
    group: OwnedCgroup,
    parent: OwnedCgroup,
    layout: Layout,
}

impl Family {
    /// `what` tells the groups of tests apart that run at once.
    fn new(what: &str) -> Self {
        let workshop = workshop();
        let layout = workshop.hierarchies().cpu().layout;
        let mut parent = workshop.group(what).unwrap();
        let mut group = workshop.group_in(&parent, "middle").unwrap();
        let mut child = workshop.group_in(&group, "child").unwrap();
        apply(parent.cgroup().unwrap(), &limited(90_000, 100_000, 0)).unwrap();
        apply(group.cgroup().unwrap(), &limited(80_000, 100_000, 10_000)).unwrap();
        apply(child.cgroup().unwrap(), &limited(14_000, 20_000, 0)).unwrap();
        Self { child, group, parent, layout }
    }

    fn refusal_or_none(&mut self, goal: Goal) -> Option<PlanError> {
        match prepare(self.group.cgroup().unwrap(), goal) {
            Err(ApplyError::Plan(error)) => Some(error),
            Ok(_) => None,
            Err(other) => panic!("{other:?}"),
        }
    }

    fn refusal(&mut self, goal: Goal) -> PlanError {
        self.refusal_or_none(goal).expect("a refusal")
    }
}

fn bandwidth(quota: u64, period: u64, burst: u64) -> Goal {
    let quota = Quota::Limited(us(quota));
    let bandwidth = ObservedBandwidth { quota, period: us(period), burst: Some(us(burst)) };
    Goal { bandwidth: Some(bandwidth), ..Goal::default() }
}

/// Period, quota, burst and their sums: refused by the constructors, before there is anything to plan.
#[test]
fn numbers_that_the_kernel_refuses_make_no_policy() {
    let workshop = workshop();
    let layout = workshop.hierarchies().cpu().layout;
    let mut group = workshop.group("numbers").unwrap();
    let dir = group.cgroup().unwrap().cpu_dir();
    let raw = |quota: &str, period: &str| match layout {
        Layout::V1 => {
            let period = errno(dir, "cpu.cfs_period_us", period);
            period.or_else(|| errno(dir, "cpu.cfs_quota_us", quota))
        }
        Layout::V2 => errno(dir, "cpu.max", &format!("{quota} {period}")),
    };
    let refused = |quota: u64, period: u64, burst: u64| {
        Bandwidth::new(Quota::Limited(us(quota)), us(period), us(burst)).unwrap_err()
    };
    let mut shown = Vec::new();
    let mut check = |ours: PolicyError, kernel: Option<i32>, expected: i32| {
        assert_eq!(kernel, Some(expected), "{ours}");
        shown.push(format!("errno {expected}: {ours}"));
    };
    check(refused(50_000, 999, 0), raw("50000", "999"), EINVAL);
    check(refused(50_000, 1_000_001, 0), raw("50000", "1000001"), EINVAL);
    check(refused(999, 100_000, 0), raw("999", "100000"), EINVAL);
    check(refused(0, 100_000, 0), raw("0", "100000"), EINVAL);
    check(refused(17_592_186_044_416, 100_000, 0), raw("17592186044416", "100000"), EINVAL);
    assert_eq!(raw("50000", "100000"), None);
    let burst = file(layout, Knob::Burst);
    check(refused(50_000, 100_000, 50_001), errno(dir, burst, "50001"), EINVAL);
    assert_eq!(errno(dir, burst, "20000"), None);
    // Lowering the quota under the burst that is there.
    check(refused(10_000, 100_000, 20_000), raw("10000", "100000"), EINVAL);
    if layout == Layout::V2 {
        check(Weight::new(0).unwrap_err(), errno(dir, "cpu.weight", "0"), ERANGE);
        check(Weight::new(10_001).unwrap_err(), errno(dir, "cpu.weight", "10001"), ERANGE);
    } else {
        // No refusal, but a silent clamp, which we do not leave to be found out.
        assert!(Shares::new(1).is_err() && Shares::new(262_145).is_err());
        for (written, kept) in [("1", 2), ("262145", 262_144)] {
            assert_eq!(errno(dir, "cpu.shares", written), None);
            let read = dir.read("cpu.shares").unwrap().unwrap();
            assert_eq!(String::from_utf8(read).unwrap().trim(), kept.to_string());
        }
    }
    println!("{}", shown.join("\n"));
}

#[test]
fn ratios_that_v1_refuses_are_refused_with_the_nearest_quota() {
    let mut family = Family::new("ratios");
    // The child has 0.7, the parent 0.9.
    let above = family.refusal_or_none(bandwidth(95_000, 100_000, 0));
    let below = family.refusal_or_none(bandwidth(65_000, 100_000, 0));
    let dir = family.group.cgroup().unwrap().cpu_dir().path().to_owned();
    if family.layout == Layout::V2 {
        assert_eq!((above, below), (None, None), "v2 compares nothing");
        return;
    }
    let dir = Dir::open_mount(&dir).unwrap();
    for (error, raw) in [(above.unwrap(), "95000"), (below.unwrap(), "65000")] {
        assert_eq!(errno(&dir, "cpu.cfs_quota_us", raw), Some(EINVAL), "{error}");
        println!("errno {EINVAL}: {error}; {}", error.nearest(Flags::APPLY).unwrap());
        let (PlanError::AboveParent { nearest, .. } | PlanError::BelowChild { nearest, .. }) = error else {
            panic!("{error}")
        };
        assert_eq!(errno(&dir, "cpu.cfs_quota_us", &nearest.get().to_string()), None, "the nearest is legal");
    }
}

#[test]
fn an_idle_group_takes_no_weight_from_us_or_anybody() {
    let mut family = Family::new("idle");
    let (layout, share) = (family.layout, file(family.layout, Knob::Share));
    apply(family.group.cgroup().unwrap(), &Policy { idle: Some(true), ..Policy::default() }).unwrap();
    let wanted = match layout {
        Layout::V1 => ObservedShare::Shares(500),
        Layout::V2 => ObservedShare::Weight(50),
    };
    let error = family.refusal(Goal { share: Some(wanted), ..Goal::default() });
    assert!(matches!(error, PlanError::IdleHasNoShare(_)));
    assert_eq!(errno(family.group.cgroup().unwrap().cpu_dir(), share, "500"), Some(EINVAL), "{error}");
    println!("errno {EINVAL}: {error}; {}", error.nearest(Flags::APPLY).unwrap());
    let both = Goal { share: Some(wanted), idle: Some(false), ..Goal::default() };
    let planned = prepare(family.group.cgroup().unwrap(), both).unwrap();
    assert_eq!(planned.steps.len(), 2);
    cgtune_core::control::carry_out(family.group.cgroup().unwrap(), &planned).unwrap();
}

#[test]
fn the_root_takes_nothing() {
    let workshop = workshop();
    let hierarchies = workshop.hierarchies();
    let mut root = cgtune_sys::Cgroup::open(hierarchies, &hierarchies.cpu().root).unwrap();
    let surroundings = root.surroundings().unwrap();
    if !surroundings.root {
        // A delegated subtree: its top is an ordinary group.
        assert_ne!(hierarchies.cpu().root, std::path::Path::new("/"));
        return;
    }
    let goal = bandwidth(50_000, 100_000, 0);
    assert!(matches!(prepare(&mut root, goal), Err(ApplyError::Plan(PlanError::Root))));
    match hierarchies.cpu().layout {
        Layout::V1 => assert_eq!(errno(root.cpu_dir(), "cpu.cfs_quota_us", "-1"), Some(EINVAL)),
        Layout::V2 => assert!(!root.cpu_dir().has("cpu.max")),
    }
    if let Some(cpuset) = root.cpuset_dir().map(|dir| dir.path().to_owned()) {
        let mems = Goal { mems: Some(list("0")), cpus: Some(list("0")), ..Goal::default() };
        let refused = prepare(&mut root, mems);
        assert!(
            matches!(refused, Err(ApplyError::Plan(PlanError::Root | PlanError::NoCpuset))),
            "{refused:?}"
        );
        if hierarchies.cpu().layout == Layout::V1 {
            assert_eq!(errno(&Dir::open_mount(&cpuset).unwrap(), "cpuset.cpus", "0"), Some(EACCES));
        }
    }
}

#[test]
fn cpusets_that_the_kernel_refuses_are_refused_first() {
    let mut family = Family::new("cpusets");
    let Some(layout) = family.group.cgroup().unwrap().capabilities().cpuset else {
        panic!("this test needs the cpuset controller beside cpu");
    };
    let nodes = cgtune_sys::facts::memory_nodes(&cgtune_sys::HostRoot::default());
    let set = |cpus: &str| Policy { cpus: Some(list(cpus)), mems: nodes.clone(), ..Policy::default() };
    for group in [&mut family.parent, &mut family.group] {
        apply(group.cgroup().unwrap(), &set("0-1")).unwrap();
    }
    apply(family.child.cgroup().unwrap(), &set("1")).unwrap();
    let cpus = |text: &str| Goal { cpus: Some(list(text)), ..Goal::default() };
    let raw = |family: &mut Family, text: &str| {
        errno(family.group.cgroup().unwrap().cpuset_dir().unwrap(), "cpuset.cpus", &format!("{text}\n"))
    };
    let check = |family: &mut Family, text: &str, expected: &[i32]| {
        let error = family.refusal(cpus(text));
        let kernel = raw(family, text);
        assert!(kernel.is_some_and(|errno| expected.contains(&errno)), "{error}: {kernel:?}");
        println!("errno {}: {error}", kernel.unwrap());
        error
    };
    assert!(matches!(check(&mut family, "0-1,4000", &[ERANGE, EINVAL, EACCES]), PlanError::NotThere { .. }));
    if layout == Layout::V2 {
        return;
    }
    assert!(matches!(check(&mut family, "0", &[EBUSY]), PlanError::InsideChild { .. }));
    apply(family.child.cgroup().unwrap(), &set("0")).unwrap();
    apply(family.group.cgroup().unwrap(), &set("0")).unwrap();
    apply(family.parent.cgroup().unwrap(), &set("0")).unwrap();
    assert!(matches!(check(&mut family, "0-1", &[EACCES]), PlanError::OutsideParent { .. }));
    // Its child must be empty before it can be asked.
    let empty = Policy { cpus: Some(CpuSet::new()), ..Policy::default() };
    apply(family.child.cgroup().unwrap(), &empty).unwrap();
    let member =
        family.group.spawn(&Program { path: "/bin/sleep".into(), args: vec!["1000".into()] }).unwrap();
    assert!(matches!(check(&mut family, "", &[ENOSPC]), PlanError::EmptyWithTasks { .. }));
    drop(member);
}

/// After each write the group is as the model says: on this rests that an interrupted change is recognised.
#[test]
fn each_write_leaves_what_the_model_says() {
    let workshop = workshop();
    let mut group = workshop.group("leaves").unwrap();
    let layout = group.cgroup().unwrap().capabilities().cpu;
    let share = |n| match layout {
        Layout::V1 => Write::Share(Share::Shares(Shares::new(n).unwrap())),
        Layout::V2 => Write::Share(Share::Weight(Weight::new(n).unwrap())),
    };
    let quota = |quota, period| match layout {
        Layout::V1 => vec![Write::Quota(quota), Write::Period(us(period))],
        Layout::V2 => vec![Write::Max { quota, period: us(period) }],
    };
    let mut writes = quota(Quota::Limited(us(30_000)), 50_000);
    writes.extend([Write::Burst(us(20_000)), share(300), Write::Idle(true), Write::Idle(false), share(7)]);
    writes.extend([
        Write::Idle(false),
        Write::Mems(list("0")),
        Write::Cpus(list("0-1")),
        Write::Cpus(list("1")),
    ]);
    writes.extend(quota(Quota::Unlimited, 100_000));
    writes.extend([Write::Burst(Micros::ZERO), Write::Cpus(CpuSet::new())]);
    for write in writes {
        let cgroup = group.cgroup().unwrap();
        let mut expected = write.leaves(&cgroup.observe().unwrap());
        cgroup.write(&write).unwrap_or_else(|error| panic!("{write:?}: {error}"));
        let mut shown = cgroup.observe().unwrap();
        (expected.effective_cpus, shown.effective_cpus) = (None, None);
        assert_eq!(shown, expected, "{write:?}");
    }
}
