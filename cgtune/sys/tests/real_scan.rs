//! A scan of all groups on the kernel that runs the tests, while groups come and go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use cgtune_core::{CpuControl as _, Interval, Micros, Policy, Quota, control::apply};
use cgtune_sys::{
    Hierarchies, HostRoot, Scan, descriptors,
    lifecycle::{OwnedCgroup, Workshop},
    scan::{LIMITS_EVERY, Look, Seen},
    spawn::Program,
};

/// One test at a time: a workshop sweeps what it takes for left behind, and descriptors are counted.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn workshop() -> Workshop {
    let hierarchies =
        Hierarchies::detect(HostRoot::default()).expect("this test needs a mounted cpu controller");
    Workshop::open(hierarchies).expect("this test needs permission to make cgroups: run it as root")
}

fn seen<'l>(look: &'l Look, path: &Path) -> Option<&'l Seen> {
    look.groups.iter().find(|group| &*group.path == path)
}

fn path(group: &mut OwnedCgroup) -> std::path::PathBuf {
    group.cgroup().unwrap().path().to_owned()
}

fn limit(group: &mut OwnedCgroup, ms: u64) {
    let bandwidth =
        cgtune_core::Bandwidth::new(Quota::Limited(Micros::from_ms(ms)), Micros::from_ms(100), Micros::ZERO);
    let policy = Policy { bandwidth: Some(bandwidth.unwrap()), ..Policy::default() };
    apply(group.cgroup().unwrap(), &policy).unwrap();
}

/// What the kept and the reopened way must both do.
fn groups_come_and_go(descriptors: u64) {
    let workshop = workshop();
    let mut scan = Scan::new(workshop.hierarchies(), descriptors).unwrap();
    let before = scan.look().unwrap();
    assert_eq!(before.unreadable, 0, "{:?}", before.why);
    let mut group = workshop.group("comes").unwrap();
    limit(&mut group, 20);
    let of_group = path(&mut group);
    let first = scan.look().unwrap();
    let found = seen(&first, &of_group).expect("a new group is seen at the next look");
    assert_eq!(found.bandwidth, group.cgroup().unwrap().observe().unwrap().bandwidth);
    assert_eq!(found.snapshot.id, group.cgroup().unwrap().id());
    assert!(first.groups.is_sorted_by(|a, b| a.path < b.path));
    let above = seen(&first, of_group.parent().unwrap()).unwrap();
    assert_eq!(found.parent, Some(above.snapshot.id.inode));

    let second = scan.look().unwrap();
    let again = seen(&second, &of_group).unwrap();
    Interval::between(&found.snapshot, &again.snapshot).expect("two readings of one group");
    // The timer of a new quota ends a period or two of an idle group as well: between two readings that agree it did not.
    let (look, theirs) = (0..100)
        .find_map(|_| {
            let before = group.cgroup().unwrap().sample().unwrap();
            let look = scan.look().unwrap();
            let after = group.cgroup().unwrap().sample().unwrap();
            (before.stat == after.stat).then_some((look, after))
        })
        .expect("an idle group's counters stand still");
    let same = seen(&look, &of_group).unwrap();
    assert_eq!(
        (same.snapshot.stat, &same.snapshot.usage),
        (theirs.stat, &theirs.usage),
        "as Cgroup reads it"
    );

    limit(&mut group, 30);
    let changed = (0..LIMITS_EVERY).any(|_| {
        let look = scan.look().unwrap();
        seen(&look, &of_group).unwrap().bandwidth.unwrap().quota == Quota::Limited(Micros::from_ms(30))
    });
    assert!(changed, "a limit is read again within {LIMITS_EVERY} looks");

    // Removed and made anew between two looks: the number of links above is what it was.
    let directory = group.cgroup().unwrap().cpu_dir().path().to_owned();
    std::fs::remove_dir(&directory).unwrap();
    std::fs::create_dir(&directory).unwrap();
    let anew = scan.look().unwrap();
    let anew = seen(&anew, &of_group).expect("made anew").snapshot.clone();
    assert_ne!(anew.id, again.snapshot.id, "the inode tells them apart");
    assert!(Interval::between(&again.snapshot, &anew).is_err());

    drop(group);
    let last = scan.look().unwrap();
    assert!(seen(&last, &of_group).is_none(), "what has vanished leaves");
    assert_eq!(last.unreadable, 0, "{:?}", last.why);
}

#[test]
fn groups_come_and_go_on_kept_descriptors() {
    let _one = alone();
    groups_come_and_go(descriptors::raise_limit());
}

#[test]
fn groups_come_and_go_beyond_the_budget_of_descriptors() {
    let _one = alone();
    groups_come_and_go(0);
}

#[test]
fn descriptors_go_with_their_groups() {
    let _one = alone();
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let workshop = workshop();
    let mut scan = Scan::new(workshop.hierarchies(), descriptors::raise_limit()).unwrap();
    scan.look().unwrap();
    let (kept, before) = (scan.descriptors(), open());
    let groups: Vec<_> = (0..50).map(|i| workshop.group(&format!("many{i}")).unwrap()).collect();
    scan.look().unwrap();
    assert!(scan.descriptors() >= kept + 2 * groups.len(), "{} of {kept}", scan.descriptors());
    drop(groups);
    scan.look().unwrap();
    assert_eq!((scan.descriptors(), open()), (kept, before));
}

#[test]
fn threads_of_a_group_and_of_those_below_it_are_told_up_to_a_bound() {
    let _one = alone();
    let workshop = workshop();
    let mut group = workshop.group("threads").unwrap();
    let sleeper = Program { path: "/bin/sleep".into(), args: vec!["60".into()] };
    let child = group.spawn(&sleeper).unwrap();
    let mut scan = Scan::new(workshop.hierarchies(), descriptors::raise_limit()).unwrap();
    scan.look().unwrap();
    let of_group = path(&mut group);
    // It is there at once, and has used something a moment later.
    let begun = std::time::Instant::now();
    loop {
        let found = scan.threads(&of_group, 10).expect("the threads of our own group");
        assert_eq!(found.iter().map(|thread| thread.tid).collect::<Vec<_>>(), [child.id()]);
        if found[0].cpu > cgtune_core::Nanos::ZERO {
            break;
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{found:?}");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let top = scan.threads(Path::new("/"), 1_000_000);
    assert!(top.is_none_or(|threads| threads.len() > 1), "those below count");
    assert_eq!(scan.threads(&of_group, 0), None, "more than the bound");
}
