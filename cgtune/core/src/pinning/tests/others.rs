//! What ran there that does not belong, and what came from below.

use super::*;
use crate::parse::interrupts::Interrupt;

#[test]
fn what_a_stranger_ran_on_a_pinned_cpu_is_counted_from_below() {
    let bound = Ran { allowed: Some(list("1")), ..ran(5, 3, 1, None) };
    let looks = [
        others(0, vec![]),
        others(100, vec![ran(9, 60, 1, Some(1)), ran(8, 100, 1, Some(0)), ran(7, 5, 0, Some(1))]),
        // 6 began since, nobody knows where; 5 may run nowhere else.
        others(200, vec![ran(9, 70, 1, Some(1)), ran(6, 3, 1, None), bound]),
    ];
    let reports = watched(vec![pinned("/a", "1")], &looks);
    let group = &reports.groups[0];
    assert_eq!(found(&reports), ["foreign-task", "foreign-task"]);
    let Finding::ForeignTask { task, time, ms_per_s, .. } = &group.findings[0].finding else { panic!() };
    assert_eq!((task.tid, time.get() / MS, *ms_per_s), (9, 130, 650.0));
    // 8 came and nobody knows when; 7 was here before and is elsewhere now.
    assert_eq!((group.others.tasks, group.others.time.get() / MS), (4, 133));
    assert_eq!((reports.others_looks, reports.tasks), (2, Some(100)));
}

#[test]
fn a_stranger_is_sent_where_nobody_is_to_be_alone() {
    let alone = |path: &str, cpus: &str| {
        let group = pinned(path, cpus);
        Pinned { intent: Intent { exclusive: true, ..group.intent }, ..group }
    };
    let seen = |at, ran| {
        let mut look = others(at, ran);
        look.groups.push(Some(placed("2")));
        look
    };
    let remedy = |of: &str| {
        let intruder = Ran { group: Some(name(of)), ..ran(9, 50, 1, Some(1)) };
        let groups = vec![alone("/pod/a", "1"), alone("/b", "2")];
        let reports = watched(groups, &[seen(0, vec![]), seen(100, vec![intruder])]);
        let (report, finding) = (&reports.groups[0], &reports.groups[0].findings[0].finding);
        finding.remedy(&report.pinned.path, &reports.elsewhere(report, finding))
    };
    assert!(remedy("/other").ends_with("cgtune pin apply /other --cpus 0,3"), "{}", remedy("/other"));
    // Its own CPUs are where it belongs.
    assert!(
        remedy("/b/inside").ends_with("cgtune pin apply /b/inside --cpus 0,2-3"),
        "{}",
        remedy("/b/inside")
    );
    // Whoever narrows the group above narrows the pinned one.
    assert!(remedy("/pod").ends_with("or taskset -pc 0,3 9"), "{}", remedy("/pod"));
}

/// Looking takes a while: whoever is read early at one look and late at the next ran for longer than from look to look.
#[test]
fn nobody_takes_more_than_there_is() {
    let mut second = others(1000, vec![ran(9, 1200, 1, Some(1))]);
    second.others.as_mut().unwrap().ended = Nanos::new(1300 * MS);
    let reports = watched(vec![pinned("/a", "1")], &[others(0, vec![]), second]);
    let Finding::ForeignTask { ms_per_s, .. } = reports.groups[0].findings[0].finding else { panic!() };
    assert!(ms_per_s < 1000.0, "{ms_per_s}");
    assert_eq!(reports.groups[0].others.wall.get() / MS, 1300);
}

#[test]
fn a_task_that_may_run_nowhere_else_ran_here() {
    let bound = Ran { allowed: Some(list("1")), ..ran(9, 40, 1, Some(0)) };
    let reports = watched(vec![pinned("/a", "1")], &[others(0, vec![]), others(100, vec![bound])]);
    assert_eq!(reports.groups[0].others.time.get() / MS, 40);
}

#[test]
fn the_kernels_own_of_each_cpu_are_counted_apart() {
    let flags = 0x0420_8040;
    assert_eq!(Kind::of(flags, b"ksoftirqd/1", Some(1)), Kind::KernelPerCpu);
    assert_eq!(Kind::of(flags, b"kworker/u4:1-ev", Some(2)), Kind::KernelWorker);
    assert_eq!(Kind::of(0x0020_8040, b"irq/36-nvme0q1", Some(1)), Kind::KernelInterrupt);
    assert_eq!(Kind::of(0x0020_8040, b"kswapd0", Some(4)), Kind::Kernel);
    assert_eq!(Kind::of(0x0040_0000, b"kworker/1:0", Some(1)), Kind::Process, "anybody may call itself so");
    let softirq = Ran { kind: Kind::KernelPerCpu, ..ran(5, 50, 1, Some(1)) };
    let reports = watched(vec![pinned("/a", "1")], &[others(0, vec![]), others(100, vec![softirq])]);
    assert_eq!(found(&reports), [""; 0]);
    let others = reports.groups[0].others;
    assert_eq!(
        (others.tasks, others.kernel_per_cpu_tasks, others.kernel_per_cpu_time.get() / MS),
        (0, 1, 50)
    );
}

#[test]
fn of_two_watched_groups_each_is_a_stranger_to_the_other() {
    let mut intruder = ran(9, 50, 1, Some(1));
    intruder.inside = vec![1];
    let seen = |at, ran| {
        let mut look = others(at, ran);
        look.groups.push(Some(placed("2")));
        look
    };
    let reports =
        watched(vec![pinned("/a", "1"), pinned("/b", "2")], &[seen(0, vec![]), seen(100, vec![intruder])]);
    assert_eq!(reports.groups[0].findings.len(), 1);
    assert_eq!(reports.groups[1].findings.len(), 0);
}

#[test]
fn interrupts_and_steal_are_told_from_a_thousandth_and_a_hundredth_of_a_cpu_on() {
    let seen = |at_ms: u64, busy: u64, rare: u64, steal_ms: u64| {
        let mut look = others(at_ms, vec![]);
        let interrupt =
            |number, count| Interrupt { number, what: b"nvme".to_vec(), counts: vec![(0, 9), (1, count)] };
        let others = look.others.as_mut().unwrap();
        others.interrupts = Some(vec![interrupt(36, busy), interrupt(37, rare)]);
        others.steal = vec![(0, Nanos::new(at_ms * MS)), (1, Nanos::new(steal_ms * MS))];
        look
    };
    let looks = [seen(0, 1000, 5, 70), seen(1000, 1500, 50, 100)];
    let reports = watched(vec![pinned("/a", "1")], &looks);
    assert_eq!(found(&reports), ["interrupts", "steal"]);
    let sentence = reports.groups[0].findings[0].finding.to_string();
    assert_eq!(sentence, "interrupt 36 (nvme) came to CPU 1 500 times, 500 a second");
}

#[test]
fn an_interrupt_that_first_comes_later_counts_from_nothing_and_one_that_appears_with_a_past_does_not() {
    let seen = |at_ms: u64, counts: &[(u32, u64)]| {
        let mut look = others(at_ms, vec![]);
        let of = |&(number, count)| Interrupt { number, what: b"nvme".to_vec(), counts: vec![(1, count)] };
        look.others.as_mut().unwrap().interrupts = Some(counts.iter().map(of).collect());
        look
    };
    let looks = [seen(0, &[(36, 0)]), seen(500, &[(36, 0)]), seen(1000, &[(36, 400), (37, 900)])];
    let reports = watched(vec![pinned("/a", "1")], &looks);
    assert_eq!(found(&reports), ["interrupts"]);
    let sentence = reports.groups[0].findings[0].finding.to_string();
    assert_eq!(sentence, "interrupt 36 (nvme) came to CPU 1 400 times, 400 a second");
}
