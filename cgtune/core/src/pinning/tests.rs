//! Synthetic looks → findings.

use super::{
    seen::{Holder, Level, OthersSeen, Partition, Ran, Task, ThreadSeen, Threads},
    *,
};
use crate::parse::interrupts::Interrupt;

const MS: u64 = 1_000_000;

fn list(text: &str) -> CpuSet {
    text.parse().unwrap()
}

fn name(text: &str) -> Name {
    Name(text.as_bytes().to_vec())
}

fn pinned(path: &str, cpus: &str) -> Pinned {
    let intent = Intent { cpus: list(cpus), source: Source::Asked, exclusive: false };
    Pinned { path: name(path), intent }
}

fn task(tid: u32, what: &str) -> Task {
    Task { tid, pid: 4711, name: name(what), process: Some(name("server")), started_ticks: 1 }
}

fn placed(cpus: &str) -> Placed {
    Placed {
        set: Some(list(cpus)),
        effective: Some(list(cpus)),
        threads: Some(Threads::default()),
        ..Placed::default()
    }
}

/// A group with one thread that may run on these CPUs.
fn with_thread(set: &str, cpus: &str) -> Placed {
    let read = vec![ThreadSeen {
        task: task(4712, "worker"),
        cpus: list(cpus),
        of_group: Some(list(set)),
        astray: None,
    }];
    Placed { threads: Some(Threads { here: vec![4712], read }), ..placed(set) }
}

fn look(at_ms: u64, groups: Vec<Option<Placed>>) -> Look {
    Look { at: Nanos::new(at_ms * MS), groups, online: Some(list("0-3")), ..Look::default() }
}

fn watched(groups: Vec<Pinned>, looks: &[Look]) -> Reports {
    let mut watch = Watch::new(groups);
    looks.iter().for_each(|look| watch.look(look));
    watch.report()
}

/// Of the only group, the names of what was found.
fn found(reports: &Reports) -> Vec<&'static str> {
    reports.groups[0].findings.iter().map(|found| found.finding.name()).collect()
}

#[test]
fn a_group_as_it_is_meant_has_no_finding_and_what_was_looked_at_is_counted() {
    let looks: Vec<Look> =
        (0..5).map(|n| look(1000 + n * 100, vec![Some(with_thread("1-2", "1-2"))])).collect();
    let reports = watched(vec![pinned("/a", "1-2")], &looks);
    assert_eq!(found(&reports), [""; 0]);
    assert_eq!((reports.looks, reports.wall), (5, Nanos::new(400 * MS)));
    let group = &reports.groups[0];
    assert_eq!((group.threads, group.threads_looked_at, group.looks), (Some(1), 1, 5));
}

#[test]
fn a_set_that_somebody_wrote_is_found_with_when_it_was_so() {
    let looks = [
        look(0, vec![Some(placed("1"))]),
        look(100, vec![Some(placed("0-1"))]),
        look(200, vec![Some(placed("0-1"))]),
        look(300, vec![Some(placed("1"))]),
    ];
    let reports = watched(vec![pinned("/a", "1")], &looks);
    let found = &reports.groups[0].findings[0];
    let differs = Finding::SetDiffers { intended: list("1"), set: list("0-1"), by_kernel: false };
    assert_eq!(found.finding, differs);
    let when =
        (found.first_seen.get() / MS, found.last_seen.get() / MS, found.times, found.looks, found.still);
    assert_eq!(when, (100, 200, 2, 4, false));
    assert!(found.finding.remedy(&name("/a b"), &list("0")).starts_with("cgtune pin apply '/a b' --cpus 1 "));
}

#[test]
fn who_takes_a_cpu_away_is_named() {
    let level = |path: &str, set: Option<&str>, effective: &str| Level {
        path: name(path),
        set: set.map(list),
        effective: Some(list(effective)),
    };
    let partition = |text: &[u8]| Some(Partition::parse(text).unwrap());
    let beside = Holder { path: name("/taker"), cpus: list("2"), partition: partition(b"isolated\n") };
    let cases = [
        // Offline, whatever else is true.
        (placed("1-4"), "1-3", "1-4", vec![], Culprit::Offline),
        (
            placed("1-2"),
            "1",
            "1-2",
            vec![level("/", None, "0-3"), level("/above", Some("0-1"), "0-1")],
            Culprit::Above { path: name("/above"), set: "0-1".into() },
        ),
        (
            Placed { partitions: vec![beside.clone()], ..placed("1-2") },
            "1",
            "1-2",
            vec![level("/", None, "0-1,3"), level("/above", Some(""), "0-1,3")],
            Culprit::Partition { path: name("/taker"), partition: name("isolated") },
        ),
        (placed("1-2"), "1", "1-2", vec![level("/", None, "0-3")], Culprit::Unknown { at: None }),
        (placed("1-2"), "1", "1-2", vec![level("/", None, "0-1")], Culprit::Unknown { at: Some(name("/")) }),
    ];
    for (place, effective, intended, above, culprit) in cases {
        let place = Placed { effective: Some(list(effective)), above, ..place };
        let reports = watched(vec![pinned("/above/a", intended)], &[look(0, vec![Some(place)])]);
        let findings = &reports.groups[0].findings;
        let Finding::Narrowed { culprit: named, missing, .. } = &findings[0].finding else {
            panic!("{findings:?}");
        };
        assert_eq!((named, missing.len()), (&culprit, 1), "{}", findings[0].finding);
        assert_eq!(findings.len(), 1);
    }
}

/// v1 takes a CPU that goes offline out of the set itself.
#[test]
fn a_v1_set_that_lost_an_offline_cpu_was_written_by_nobody() {
    let of = |intended: &str, exclusive: Option<bool>, set: &str| {
        let place = Placed { exclusive, ..placed(set) };
        watched(vec![pinned("/a", intended)], &[look(0, vec![Some(place)])])
    };
    let offline = of("2-4", Some(false), "2-3");
    assert_eq!(found(&offline), ["narrowed"]);
    let finding = &offline.groups[0].findings[0].finding;
    assert_eq!(finding.to_string(), "in force is CPU 2-3, without 4: 4 is offline");
    assert!(finding.remedy(&name("/a"), &list("0")).ends_with("v1 does not: cgtune pin apply /a --cpus 2-4"));
    assert_eq!(found(&of("2-4", None, "2-3")), ["set-differs"], "v2 keeps it in the set");
    let back = of("2-4", Some(false), "2");
    assert_eq!(found(&back), ["set-differs"], "3 is online");
    let sentence = back.groups[0].findings[0].finding.to_string();
    assert!(sentence.ends_with("wrote it, or 3-4 was offline once, and v1 gives no CPU back"), "{sentence}");
    assert_eq!(found(&of("2-4", Some(false), "1-3")), ["set-differs"], "1 was added");
}

/// The kernel shows a CPU as online first, and gives it back to the groups then.
#[test]
fn a_cpu_that_is_just_back_was_taken_away_by_nobody() {
    let seen = |at, online: &str, effective: &str| {
        let place = Placed { effective: Some(list(effective)), ..with_thread("2-3", effective) };
        Look { online: Some(list(online)), ..look(at, vec![Some(place)]) }
    };
    let looks =
        [seen(0, "0-3", "2-3"), seen(100, "0-2", "2"), seen(200, "0-3", "2"), seen(300, "0-3", "2-3")];
    let reports = watched(vec![pinned("/a", "2-3")], &looks);
    assert_eq!(found(&reports), ["narrowed"]);
    let found = &reports.groups[0].findings[0];
    assert_eq!((found.times, found.still), (2, false));
    assert!(found.finding.to_string().ends_with("3 is offline"), "{}", found.finding);
}

#[test]
fn cpus_that_are_missing_for_different_reasons_are_different_findings() {
    let place = Placed { effective: Some(list("0")), ..placed("0,2,5") };
    let reports = watched(vec![pinned("/a", "0,2,5")], &[look(0, vec![Some(place)])]);
    assert_eq!(found(&reports), ["narrowed", "narrowed"]);
}

#[test]
fn a_set_that_lacks_a_cpu_itself_is_not_narrowed_by_anybody() {
    let reports = watched(vec![pinned("/a", "0-1")], &[look(0, vec![Some(placed("0"))])]);
    assert_eq!(found(&reports), ["set-differs"]);
}

#[test]
fn a_thread_that_stays_narrow_is_named_and_one_that_was_reset_has_drifted() {
    let narrow = watched(
        vec![pinned("/a", "0-1")],
        &[0, 100, 200].map(|at| look(at, vec![Some(with_thread("0-1", "1"))])),
    );
    assert_eq!(found(&narrow), ["thread-narrowed"]);
    let sentence = narrow.groups[0].findings[0].finding.to_string();
    assert!(sentence.contains("worker (thread 4712 of process 4711, server)"), "{sentence}");

    let looks: Vec<Look> = ["0-1", "1", "1", "0-1"]
        .iter()
        .zip(0..)
        .map(|(cpus, n)| look(n * 100, vec![Some(with_thread("0-1", cpus))]))
        .collect();
    let drifted = watched(vec![pinned("/a", "0-1")], &looks);
    assert_eq!(found(&drifted), ["thread-drifted"]);
    let found = &drifted.groups[0].findings[0];
    let Finding::ThreadDrifted { held, changes, .. } = &found.finding else { panic!() };
    let way: Vec<_> = held.iter().map(|held| (held.cpus.to_string(), held.from.get() / MS)).collect();
    assert_eq!(way, [("0-1".to_owned(), 0), ("1".to_owned(), 100), ("0-1".to_owned(), 300)]);
    assert_eq!((*changes, found.times, found.still), (2, 2, false));
}

#[test]
fn threads_that_follow_their_group_have_not_drifted() {
    let looks = [
        look(0, vec![Some(with_thread("0-1", "0-1"))]),
        look(100, vec![Some(with_thread("2", "2"))]),
        look(200, vec![Some(with_thread("0-1", "0-1"))]),
    ];
    let reports = watched(vec![pinned("/a", "0-1")], &looks);
    assert_eq!(found(&reports), ["set-differs"]);
}

#[test]
fn an_id_that_is_used_again_is_another_thread() {
    let mut again = with_thread("0-1", "1");
    again.threads.as_mut().unwrap().read[0].task.started_ticks = 2;
    let looks = [look(0, vec![Some(with_thread("0-1", "0-1"))]), look(100, vec![Some(again)])];
    let reports = watched(vec![pinned("/a", "0-1")], &looks);
    assert_eq!(found(&reports), ["thread-narrowed"]);
    assert_eq!(reports.groups[0].threads_looked_at, 2);
}

#[test]
fn a_thread_that_its_cpuset_does_not_hold_is_told_as_that() {
    let mut place = with_thread("1", "0-3");
    let seen = &mut place.threads.as_mut().unwrap().read[0];
    (seen.of_group, seen.astray) = (None, Some(name("/")));
    assert_eq!(found(&watched(vec![pinned("/a", "1")], &[look(0, vec![Some(place)])])), ["thread-astray"]);
    let outside = with_thread("1", "1-2");
    assert_eq!(found(&watched(vec![pinned("/a", "1")], &[look(0, vec![Some(outside)])])), ["thread-outside"]);
}

/// `Cpus_allowed` of a thread in the topmost v1 cpuset has all CPUs that there may ever be.
#[test]
fn a_thread_that_may_run_on_cpus_that_are_not_online_is_where_its_group_is() {
    let of =
        |cpus: &str| watched(vec![pinned("/a", "0-3")], &[look(0, vec![Some(with_thread("0-3", cpus))])]);
    assert_eq!(found(&of("0-127")), [""; 0]);
    assert_eq!(found(&of("0-2,4-127")), ["thread-narrowed"]);
}

#[test]
fn overlaps_matter_where_cpus_are_meant_for_one_alone() {
    let groups = |first: bool, second: bool| {
        let with = |path: &str, cpus: &str, exclusive| {
            let group = pinned(path, cpus);
            Pinned { intent: Intent { exclusive, ..group.intent }, ..group }
        };
        vec![with("/a", "0-1", first), with("/b", "1-2", second), with("/a/inside", "0-1", second)]
    };
    let seen = look(0, vec![Some(placed("0-1")), Some(placed("1-2")), Some(placed("0-1"))]);
    let overlaps = |groups| -> Vec<(String, String)> {
        let reports = watched(groups, std::slice::from_ref(&seen));
        let of = |group: &Report| {
            let other = |found: &Found| match &found.finding {
                Finding::Overlap { other, shared } => format!("{other} {shared}"),
                other => panic!("{other}"),
            };
            group
                .findings
                .iter()
                .map(|found| (group.pinned.path.to_string(), other(found)))
                .collect::<Vec<_>>()
        };
        reports.groups.iter().flat_map(of).collect()
    };
    let one = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    assert_eq!(overlaps(groups(false, false)), []);
    assert_eq!(overlaps(groups(true, false)), [one("/a", "/b 1")]);
    assert_eq!(overlaps(groups(true, true)), [one("/a", "/b 1"), one("/b", "/a/inside 1")]);
}

#[test]
fn others_that_have_cpus_of_their_own_overlap_too() {
    let mut group = pinned("/a", "0-1");
    group.intent.exclusive = true;
    let beside =
        ["/b", "/a/inside", "/"].map(|path| Holder { path: name(path), cpus: list("1"), partition: None });
    let seen = |at| Look { beside: Some(beside.to_vec()), ..look(at, vec![Some(placed("0-1"))]) };
    // They are not looked for at each look.
    let between = look(100, vec![Some(placed("0-1"))]);
    let reports = watched(vec![group], &[seen(0), between, seen(200)]);
    let of = &reports.groups[0].findings[0];
    assert_eq!((of.times, of.looks, of.still), (2, 2, true));
    let expected = Finding::Overlap { other: name("/b"), shared: list("1") };
    assert_eq!(
        reports.groups[0].findings.iter().map(|found| &found.finding).collect::<Vec<_>>(),
        [&expected]
    );
}

#[test]
fn who_has_what_is_meant_for_one_alone_is_told_whatever_is_in_force() {
    let group = |path: &str, cpus: &str| {
        let group = pinned(path, cpus);
        Pinned { intent: Intent { exclusive: true, ..group.intent }, ..group }
    };
    let overlaps = |report: &Report| -> Vec<(String, String)> {
        let of = |found: &Found| match &found.finding {
            Finding::Overlap { other, shared } => Some((other.to_string(), shared.to_string())),
            _ => None,
        };
        report.findings.iter().filter_map(of).collect()
    };
    let one = |path: &str, text: &str| [(path.to_owned(), text.to_owned())];
    // It is to have 1-2 alone and has 0-1: CPU 2 is theirs against what is meant, CPU 0 is not.
    let beside = Holder { path: name("/b"), cpus: list("0,2"), partition: None };
    let seen = Look { beside: Some(vec![beside]), ..look(0, vec![Some(placed("0-1"))]) };
    assert_eq!(overlaps(&watched(vec![group("/a", "1-2")], &[seen]).groups[0]), one("/b", "2"));
    // The first is where it should not be: the second tells of it.
    let seen = look(0, vec![Some(placed("2")), Some(placed("2"))]);
    let reports = watched(vec![group("/a", "1"), group("/b", "2")], &[seen]);
    assert_eq!(overlaps(&reports.groups[0]), []);
    assert_eq!(overlaps(&reports.groups[1]), one("/a", "2"));
    // Where but the kernel is told so, what is in force counts.
    let taken = Placed { exclusive: Some(true), ..placed("1") };
    let reports = watched(
        vec![pinned("/a", "1-2"), pinned("/b", "1-3")],
        &[look(0, vec![Some(taken), Some(placed("1-3"))])],
    );
    assert_eq!(overlaps(&reports.groups[0]), one("/b", "1"));
}

/// A thousand generations of threads, of which every tenth thread narrows itself.
#[test]
fn of_threads_that_ended_only_what_is_to_be_told_is_kept_and_no_more_than_a_thousand() {
    let mut watch = Watch::new(vec![pinned("/a", "0-1")]);
    for generation in 0..1000 {
        let here: Vec<u32> = (0..20).map(|n| 1 + generation % 50 * 20 + n).collect();
        let seen = |&tid: &u32| ThreadSeen {
            task: Task { started_ticks: u64::from(generation), ..task(tid, "worker") },
            cpus: list(if tid % 10 == 0 { "1" } else { "0-1" }),
            of_group: Some(list("0-1")),
            astray: None,
        };
        let threads = Threads { read: here.iter().map(seen).collect(), here };
        let place = Placed { threads: Some(threads), ..placed("0-1") };
        watch.look(&look(u64::from(generation) * 100, vec![Some(place)]));
        assert!(watch.kept() <= 20 + MOST_ENDED, "{}", watch.kept());
    }
    let reports = watch.report();
    let group = &reports.groups[0];
    assert_eq!((group.threads, group.threads_looked_at, group.threads_had_turn), (Some(20), 20_000, 20));
    // Two of each generation; those of the last are there.
    assert_eq!((found(&reports).len(), group.untold_threads), (MOST_ENDED + 2, 998));
    assert_eq!(group.findings.iter().filter(|found| found.still).count(), 2);
}

#[test]
fn states_that_have_no_room_are_counted() {
    let looks: Vec<Look> =
        (0..300u32).map(|n| look(u64::from(n), vec![Some(placed(&format!("{}", n + 5)))])).collect();
    let reports = watched(vec![pinned("/a", "1")], &looks);
    assert_eq!((found(&reports).len(), reports.groups[0].untold_states), (MOST_STATES, 100));
}

fn ran(tid: u32, ms: u64, cpu: u32, before: Option<u32>) -> Ran {
    Ran {
        task: task(tid, "hog"),
        kind: Kind::Process,
        group: Some(name("/other")),
        inside: Vec::new(),
        allowed: Some(list("0-3")),
        ran: Nanos::new(ms * MS),
        cpu,
        cpu_before: before,
    }
}

fn others(at_ms: u64, ran: Vec<Ran>) -> Look {
    let others = OthersSeen {
        begun: Nanos::new(at_ms * MS),
        ended: Nanos::new(at_ms * MS),
        first: at_ms == 0,
        tasks: 100,
        ran,
        ..OthersSeen::default()
    };
    Look { others: Some(others), ..look(at_ms, vec![Some(placed("1"))]) }
}

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

/// A hundred seconds in which each look finds two hundred tasks that ran 1 ms, and have ended at the next; and one that ran 40 ms.
#[test]
fn of_tasks_that_ended_only_the_sum_is_kept_where_they_are_worth_no_finding() {
    let mut watch = Watch::new(vec![pinned("/a", "1")]);
    let tids = |generation: u32| generation * 200 + 1..generation * 200 + 201;
    for generation in 0..1000 {
        let mut ran: Vec<Ran> = tids(generation).map(|tid| self::ran(tid, 1, 1, Some(1))).collect();
        ran.push(self::ran(1_000_000, 40, 1, Some(1)));
        let mut look = others(u64::from(generation) * 100, ran);
        let seen = look.others.as_mut().unwrap();
        seen.left = generation
            .checked_sub(1)
            .map(|last| tids(last).map(|tid| (tid, 1)).collect())
            .unwrap_or_default();
        watch.look(&look);
        // Of the first second each took a thousandth: until then those that have ended are kept as well.
        assert!(watch.kept() <= 2200, "{}", watch.kept());
    }
    let reports = watch.report();
    let group = &reports.groups[0];
    assert_eq!(found(&reports), ["foreign-task"], "nobody else took a thousandth of that");
    // The first look only tells where they stand.
    let expected = (999 * 200 + 1, 999 * (200 + 40), Nanos::ZERO);
    assert_eq!((group.others.tasks, group.others.time.get() / MS, group.others.uncounted), expected);
}

#[test]
fn of_tasks_that_have_no_room_only_the_time_is_kept_and_that_is_said() {
    let crowd: Vec<Ran> = (1..=10_500).map(|tid| ran(tid, 1, 1, Some(1))).collect();
    let reports = watched(vec![pinned("/a", "1")], &[others(0, vec![]), others(1_000_000, crowd)]);
    let others = reports.groups[0].others;
    assert_eq!((others.tasks, others.time.get() / MS, others.uncounted.get() / MS), (10_000, 10_500, 500));
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

#[test]
fn a_group_that_goes_keeps_what_was_seen_of_it() {
    let looks = [look(0, vec![Some(placed("0"))]), look(100, vec![None]), look(200, vec![None])];
    let reports = watched(vec![pinned("/a", "1")], &looks);
    let group = &reports.groups[0];
    assert_eq!((group.gone.map(|at| at.get() / MS), group.looks), (Some(100), 1));
    assert_eq!(found(&reports), ["set-differs"]);
    assert!(!group.findings[0].still);
}

#[test]
fn a_partition_is_read_with_why_it_is_not_in_force() {
    let read = |text: &str| Partition::parse(text.as_bytes()).unwrap();
    assert!(!read("member\n").takes() && read("root\n").takes() && read("isolated\n").takes());
    let invalid = read("root invalid (Parent is not a partition root)\n");
    assert!(!invalid.takes());
    assert_eq!(invalid.invalid, Some(name("Parent is not a partition root")));
    for text in
        ["member", "root", "isolated invalid", "root invalid (Parent is not a partition root)", "remote"]
    {
        assert_eq!(read(text).to_string(), text);
    }
    assert!(!read("remote").takes() && !read("remote").is_member(), "a word of a later kernel");
    for text in ["", "\n", "0-3 4", "root valid", "\u{e9}"] {
        let error = Partition::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("member, root or isolated"), "{error}");
    }
    let place = Placed { partition: Some(invalid), ..placed("1") };
    let reports = watched(vec![pinned("/a", "1")], &[look(0, vec![Some(place)])]);
    assert_eq!(found(&reports), ["partition-invalid"]);
    for (why, help) in [
        ("Parent is not a partition root", "group above a partition root"),
        ("Parent is an invalid partition root", "group above a partition root"),
        ("No cpu available due to hotplug", "brings its CPUs back"),
        ("Cpu list in cpuset.cpus not exclusive", "then echo root > cpuset.cpus.partition"),
        ("cpuset.cpus is empty", "it needs CPUs"),
        ("something of a later kernel", "it needs CPUs"),
    ] {
        let finding = Finding::PartitionInvalid { partition: name("root"), why: name(why) };
        let remedy = finding.remedy(&name("/a"), &list("0"));
        assert!(remedy.contains(help), "{why}: {remedy}");
    }
}

#[test]
fn a_name_holds_what_lies_in_it_and_not_what_begins_alike() {
    assert!(name("/a").holds(&name("/a/b")) && name("/").holds(&name("/a")) && name("/a").holds(&name("/a")));
    assert!(!name("/a").holds(&name("/ab")) && !name("/a/b").holds(&name("/a")));
}

#[test]
fn a_group_without_a_cpuset_is_told_of_and_a_v2_root_is_none() {
    let nowhere = Placed { threads: None, ..Placed::default() };
    assert_eq!(found(&watched(vec![pinned("/a", "1")], &[look(0, vec![Some(nowhere)])])), ["no-cpuset"]);
    let root = Placed { set: None, ..placed("0-3") };
    assert_eq!(found(&watched(vec![pinned("/", "0-3")], &[look(0, vec![Some(root)])])), [""; 0]);
}
