//! Sets, what is in force, and who has the same CPUs.

use super::*;

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
fn a_group_without_a_cpuset_is_told_of_and_a_v2_root_is_none() {
    let nowhere = Placed { threads: None, ..Placed::default() };
    assert_eq!(found(&watched(vec![pinned("/a", "1")], &[look(0, vec![Some(nowhere)])])), ["no-cpuset"]);
    let root = Placed { set: None, ..placed("0-3") };
    assert_eq!(found(&watched(vec![pinned("/", "0-3")], &[look(0, vec![Some(root)])])), [""; 0]);
}
