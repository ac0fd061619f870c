//! Where threads may run.

use super::*;

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
