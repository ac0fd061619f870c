//! That a watch without an end takes no memory without one, and says what it left out.

use super::*;

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
