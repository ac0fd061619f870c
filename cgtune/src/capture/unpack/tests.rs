//! Tars that no `capture` wrote, and some that it did, maltreated.

use std::{collections::BTreeSet, io::Write as _, os::unix::ffi::OsStrExt as _};

use cgtune_sys::tape::{Answer, Event, Question, Recorded, Verb};
use proptest::prelude::*;
use tar::{Builder, Header};

use super::*;
use crate::capture::{Contents, pack};

/// Enough for these tests, so that a bound can be met.
const SMALL: Bounds = Bounds { total: 1 << 20, file: 4096, entries: 100, lines: 1000 };

fn recorded() -> Recorded {
    let question = |verb, path: &str| Question { verb, path: path.into() };
    let bytes = |text: &[u8]| Some(Answer::Bytes(text.to_vec()));
    let asked = |question, at, answer| Event::Asked { question, at: Nanos::new(at), answer };
    Recorded {
        questions: vec![
            question(Verb::Read, "/proc/stat"),
            question(Verb::List, "/proc"),
            question(Verb::Enter, "/sys/g"),
            question(Verb::Read, "/sys/g/gone"),
        ],
        events: vec![
            Event::Moment(Nanos::new(5)),
            asked(0, 6, bytes(b"cpu 1\n\xff\0")),
            asked(1, 7, bytes(b"1\0stat\0")),
            asked(2, 8, bytes(b"")),
            asked(3, 9, Some(Answer::Errno(2))),
            Event::Clock(Nanos::new(10)),
            Event::Moment(Nanos::new(u64::MAX)),
            asked(0, 11, None),
            asked(0, 12, bytes(b"\"cpu\" 2\n")),
            asked(3, 13, bytes(b"back\n")),
        ],
        files: BTreeSet::from(["/run/socket".into()]),
        folders: BTreeSet::from(["/sys/empty".into()]),
        suspended: Nanos::new(3),
    }
}

fn a_manifest() -> Manifest {
    Manifest {
        schema: SCHEMA.to_owned(),
        version: "0".to_owned(),
        captured_at: "2026-01-01T00:00:00Z".to_owned(),
        kernel_release: None,
        layout: "v1".to_owned(),
        as_root: false,
        for_us: 1,
        wall_ns: 1,
        cpu_ns: 77,
        interval_ns: 1,
        all: false,
        targets: Vec::new(),
        cgroups: Vec::new(),
    }
}

fn packed() -> Vec<u8> {
    let request = Request { all: false, targets: vec!["/g\u{fc}".into()], duration: Micros::new(300_000) };
    let contents = Contents {
        manifest: &a_manifest(),
        request: &request,
        findings: b"{}",
        stat: b"{}",
        recorded: &recorded(),
    };
    let mut tar = Vec::new();
    pack(&contents, &mut tar, &|| false).unwrap();
    tar
}

/// The whole chain of causes.
fn refusal(tar: &[u8]) -> String {
    match read(tar, SMALL) {
        Ok(_) => panic!("it was read"),
        Err(error) => format!("{error:#}"),
    }
}

/// A tar with an entry that the library itself would not write.
fn with(name: &[u8], kind: EntryType, size: u64, bytes: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    let mut tar = Builder::new(Vec::new());
    tar.append(&header, bytes).unwrap();
    tar.into_inner().unwrap()
}

#[test]
fn what_was_packed_is_unpacked() {
    let captured = read(packed().as_slice(), SMALL).unwrap();
    assert_eq!(captured.cpu, Nanos::new(77));
    assert_eq!(captured.request.targets, ["/g\u{fc}"]);
    assert_eq!(captured.request.duration, Micros::new(300_000));
    let host = &captured.host;
    assert_eq!(host.read("/proc/stat").unwrap(), b"cpu 1\n\xff\0");
    assert_eq!(std::fs::read(host.join("/proc/stat")).unwrap(), b"cpu 1\n\xff\0", "also without the tape");
    assert_eq!(host.list("/proc").unwrap(), ["1", "stat"]);
    assert_eq!(host.read("/sys/g/gone").unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(host.is_dir("/sys/g") && host.is_dir("/sys/empty") && host.exists("/run/socket"));
    assert_eq!((host.now(), host.since_boot()), (Nanos::new(10), Nanos::new(13)));
    host.sleep_until(Nanos::new(1000));
    assert_eq!(host.read("/proc/stat").unwrap(), b"cpu 1\n\xff\0");
    assert_eq!(host.read("/proc/stat").unwrap(), b"\"cpu\" 2\n");
    assert_eq!(host.read("/sys/g/gone").unwrap(), b"back\n");
}

#[test]
fn the_tape_comes_back_as_it_was() {
    let recorded = recorded();
    let mut reader = Reader::default();
    for line in crate::capture::line::lines(&recorded, &|_| false) {
        let text = serde_json::to_string(&line).unwrap();
        assert!(!text.contains('\n'), "{text}");
        reader.take(serde_json::from_str(&text).unwrap(), &|_| None).unwrap();
    }
    let Recorded { questions, events, suspended, .. } = reader.recorded;
    assert_eq!((questions, events, suspended), (recorded.questions, recorded.events, recorded.suspended));
}

#[test]
fn a_capture_that_is_cut_off_anywhere_is_refused() {
    let tar = packed();
    // Behind the tape there are only zeros, whose absence harms nobody.
    let end = tar.len() - 1024;
    let last = tar[..end].iter().rposition(|&byte| byte != 0).unwrap();
    for cut in (0..=last).step_by(13).chain([last]) {
        let said = refusal(&tar[..cut]);
        assert!(
            ["torn", "no capture", "cannot unpack"].iter().any(|word| said.contains(word)),
            "cut at {cut} of {last}: {said}"
        );
    }
}

#[test]
fn nothing_leads_out_and_nothing_is_a_link() {
    for (name, said) in [
        (&b"../evil"[..], "leads out of it"),
        (b"node/../../evil", "leads out of it"),
        (b"/etc/evil", "leads out of it"),
        (b"node/\x1b[2J/../x", "\\x1b[2J"),
    ] {
        let refused = refusal(&with(name, EntryType::Regular, 4, b"evil"));
        assert!(refused.contains(said) && !refused.contains('\x1b'), "{refused}");
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::GNUSparse,
    ] {
        let refused = refusal(&with(b"node/proc", kind, 0, b""));
        assert!(
            refused.contains("neither a file nor a folder") || refused.contains("damaged"),
            "{kind:?}: {refused}"
        );
    }
}

#[test]
fn all_of_it_is_bounded() {
    let large = refusal(&with(b"node/large", EntryType::Regular, 5000, &[b'x'; 5000]));
    assert!(large.contains("larger (5000 bytes) than the 4096"), "{large}");
    let lying = refusal(&with(b"node/lying", EntryType::Regular, 4000, b"short"));
    assert!(lying.contains("torn"), "{lying}");
    let huge = refusal(&with(b"tape.jsonl", EntryType::Regular, u64::MAX >> 1, b"{}\n"));
    assert!(!huge.is_empty());
    let mut many = Builder::new(Vec::new());
    for number in 0..101 {
        let mut header = Header::new_gnu();
        header.set_size(0);
        many.append_data(&mut header, format!("node/{number}"), io::empty()).unwrap();
    }
    assert!(refusal(&many.into_inner().unwrap()).contains("more than 100 files"));
    let long = b"{\"clock\":1}\n".repeat(1001);
    let lines = refusal(&with(b"tape.jsonl", EntryType::Regular, long.len() as u64, &long));
    assert!(lines.contains("more than 1000 lines"), "{lines}");
    let mut endless = packed();
    endless.truncate(endless.len() - 1024);
    endless.extend(with(b"node/x", EntryType::Regular, 2 << 20, &vec![b'x'; 2 << 20]));
    assert!(!refusal(&endless).is_empty());
}

#[test]
fn what_does_not_fit_together_is_told_with_its_line() {
    for (tape, said) in [
        ("", "does not say what was asked"),
        ("{\"answer\":{\"n\":0,\"at\":1}}\n", "line 1: an answer to question 0, which was not asked"),
        (
            "{\"question\":{\"verb\":\"read\",\"path\":\"/x\"}}\n{\"answer\":{\"n\":0,\"at\":1}}\n",
            "line 2: an answer that is a file which is not in it",
        ),
        ("{\"moment\":1}\n{\"moment\":", "torn in line 2"),
        ("{\"moment\":-1}\n", "line 1"),
        ("{\"question\":{\"verb\":\"write\",\"path\":\"/x\"}}\n", "line 1"),
        ("{\"question\":{\"verb\":\"read\",\"path\":\"\u{20ac}\"}}\n", "above U+00FF"),
    ] {
        // Without its last line's end it is torn only if the tar says that there is more.
        let size = tape.len() as u64;
        let refused = refusal(&with(b"tape.jsonl", EntryType::Regular, size, tape.as_bytes()));
        assert!(refused.contains(said) || (said.contains("torn") && refused.contains("line 2")), "{refused}");
    }
    let old = br#"{"schema":"cgtune.capture/2"}"#;
    let refused = refusal(&with(b"capture.json", EntryType::Regular, old.len() as u64, old));
    assert!(refused.contains("cgtune.capture/2") && refused.contains("this version reads"), "{refused}");
    assert!(refusal(&with(b"other", EntryType::Regular, 0, b"")).contains("no capture"));
}

#[test]
fn twice_the_same_file_is_refused() {
    let mut tar = with(b"node/x", EntryType::Regular, 1, b"1");
    tar.truncate(1024);
    tar.extend(with(b"node/x", EntryType::Regular, 1, b"2"));
    assert!(refusal(&tar).contains("node/x"));
}

#[test]
fn a_capture_leaves_nothing_in_the_temporary_folder() {
    let captured = read(packed().as_slice(), SMALL).unwrap();
    let folder = captured.host.join("/");
    assert!(folder.is_dir());
    drop(captured);
    assert!(!folder.exists());
}

/// Asks what a verb would.
fn use_up(captured: &Captured) {
    let _ = cgtune_sys::Hierarchies::detect(captured.host.clone());
    for path in ["/proc/stat", "/proc/1/mountinfo", "/../../etc/passwd"] {
        let _ = captured.host.read(path);
    }
    captured.host.sleep_until(Nanos::new(100));
    let _ = captured.host.list("/proc");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        if let Ok(captured) = read(bytes.as_slice(), SMALL) {
            use_up(&captured);
        }
    }

    /// Damage in a header is mostly found by its checksum, so some of it is made good again.
    #[test]
    fn any_damage_is_read_or_refused(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), mend in any::<bool>()) {
        let mut tar = packed();
        for (at, byte) in damage {
            let at = at.index(tar.len());
            tar[at] = byte;
        }
        if mend {
            for block in tar.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
                let mut header = Header::from_byte_slice(block).clone();
                header.set_cksum();
                block.copy_from_slice(header.as_bytes());
            }
        }
        if let Ok(captured) = read(tar.as_slice(), SMALL) {
            use_up(&captured);
        }
    }

    #[test]
    fn any_tape_is_read_or_refused(lines in proptest::collection::vec(prop_oneof![
        any::<u64>().prop_map(|n| format!("{{\"moment\":{n}}}")),
        any::<u64>().prop_map(|n| format!("{{\"clock\":{n}}}")),
        "/[a-z.]{0,4}(/[a-z.]{0,4})?".prop_map(|path| format!("{{\"question\":{{\"verb\":\"read\",\"path\":\"{path}\"}}}}")),
        (0u32..5, any::<u64>(), "[ -!#-\\[\\]-~]{0,9}").prop_map(|(n, at, text)| format!("{{\"answer\":{{\"n\":{n},\"at\":{at},\"text\":\"{text}\"}}}}")),
        (0u32..5, any::<u64>(), any::<i32>()).prop_map(|(n, at, errno)| format!("{{\"answer\":{{\"n\":{n},\"at\":{at},\"errno\":{errno}}}}}")),
        "\\PC{0,30}",
    ], 0..20)) {
        let mut tape = String::from("{\"request\":{\"all\":true,\"targets\":[],\"for_us\":1,\"cpu_ns\":0}}\n");
        for line in lines {
            tape += &line;
            tape.push('\n');
        }
        let mut tar = Vec::new();
        let manifest = serde_json::to_vec(&a_manifest()).unwrap();
        for (name, bytes) in [("capture.json", manifest.as_slice()), ("tape.jsonl", tape.as_bytes())] {
            let file = with(name.as_bytes(), EntryType::Regular, bytes.len() as u64, bytes);
            tar.write_all(&file[..file.len() - 1024]).unwrap();
        }
        if let Ok(captured) = read(tar.as_slice(), SMALL) {
            use_up(&captured);
        }
    }
}

#[test]
fn a_path_need_not_be_text() {
    let path = std::ffi::OsStr::from_bytes(b"/sys/\xff\xfe");
    let question = Question { verb: Verb::Read, path: path.into() };
    let event = Event::Asked { question: 0, at: Nanos::ZERO, answer: Some(Answer::Bytes(b"x".to_vec())) };
    let recorded = Recorded { questions: vec![question], events: vec![event], ..Recorded::default() };
    let request = Request { all: true, targets: Vec::new(), duration: Micros::new(1) };
    let contents = Contents {
        manifest: &a_manifest(),
        request: &request,
        findings: b"",
        stat: b"",
        recorded: &recorded,
    };
    let mut tar = Vec::new();
    pack(&contents, &mut tar, &|| false).unwrap();
    let captured = read(tar.as_slice(), SMALL).unwrap();
    assert_eq!(captured.host.read(path).unwrap(), b"x");
}
