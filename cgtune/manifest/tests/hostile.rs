//! Texts that ask for too much are refused with a reason, soon, and without a panic.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod reading;

use std::{
    io::{self, BufReader, Read},
    ops::ControlFlow,
    time::{Duration, Instant},
};

use cgtune_manifest::{Fault, Format, objects};
use proptest::prelude::*;
use reading::{error, everything, read};

const DEEP: &str = "maps and lists nest deeper than 100 here; no Kubernetes object does, so this is not read";
const LARGE: &str =
    "one object takes more than 16 MiB of text, aliases included; put large objects apart, one a document";
const MANY: &str =
    "one object has more than 1000000 values, aliases included; put large objects apart, one a document";

/// A text that a program writes: a start, a part that comes so many times, and an end.
fn repeated(start: &str, part: &str, times: usize, end: &str) -> String {
    format!("{start}{}{end}", part.repeat(times))
}

#[test]
fn one_hundred_maps_and_lists_are_read_and_one_more_is_not() {
    let json = |deep| format!("{{\"a\":{}{}}}", "[".repeat(deep), "]".repeat(deep));
    let yaml = |deep| json(deep).replace("{\"a\":", "a: ").trim_end_matches('}').to_owned();
    let block = |deep| format!("a:\n{}x\n", "- ".repeat(deep));
    for text in [json(99), yaml(99), block(99)] {
        assert_eq!(read(&text).len(), 1);
        assert!(read(&text)[0].starts_with("line 1 = {a:[["), "{text}");
    }
    for text in [json(100), yaml(100)] {
        assert_eq!(error(&text), format!("line 1: {DEEP}"), "{text}");
    }
    assert_eq!(error(block(100)), format!("line 2: {DEEP}"));
}

#[test]
fn whatever_nests_two_hundred_thousand_deep_is_refused() {
    const TIMES: usize = 200_000;
    for start in ["{\"a\":", "a: "] {
        for part in ["[", "{\"a\":", "{a: ", "[{a: "] {
            let messages = read(repeated(start, part, TIMES, ""));
            assert_eq!(messages.len(), 1, "{start}{part}");
        }
    }
    for part in ["- ", "? ", "- a: ", "a: ", ": "] {
        assert!(error(repeated("", part, TIMES, "")).starts_with("line 1: "), "{part}");
        assert!(error(repeated("a:\n", part, TIMES, "")).starts_with("line "), "{part}");
    }
    let closed = format!("{{\"a\":{}{}}}", "[".repeat(TIMES), "]".repeat(TIMES));
    assert_eq!(error(closed), format!("line 1: {DEEP}"));
}

#[test]
fn a_deep_item_costs_no_other() {
    let deep = format!("{}{}", "[".repeat(150), "]".repeat(150));
    let expected =
        [format!("items[0], line 2 ! line 2: {DEEP}"), r#"items[1], line 3 = {kind:"B"}"#.to_owned()];
    assert_eq!(read(format!("items:\n- {{kind: A, x: {deep}}}\n- kind: B\nkind: List\n")), expected);
    let json =
        format!("{{\"items\":[\n{{\"kind\":\"A\",\"x\":{deep}}},\n{{\"kind\":\"B\"}}],\"kind\":\"List\"}}");
    assert_eq!(read(json), expected);
}

#[test]
fn depth_that_aliases_build_up_is_refused() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for i in 1..200 {
        text += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    // The map at the top is one, and each line one more than that before it.
    assert_eq!(error(text), format!("line 100: {DEEP}"));
}

#[test]
fn a_billion_laughs_are_refused_at_once() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for i in 1..100 {
        let before = i - 1;
        text += &format!(
            "a{i}: &a{i} [*a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}]\n"
        );
    }
    // The best of some: others may have the machine.
    let tries = (0..5).map(|_| {
        let start = Instant::now();
        assert_eq!(error(&text), format!("line 6: {MANY}"));
        start.elapsed()
    });
    let best = tries.min().unwrap();
    assert!(best < Duration::from_millis(100), "{best:?}");
}

#[test]
fn a_billion_laughs_in_one_item_cost_no_other() {
    let bomb = "[&a [1,1,1,1,1,1,1,1,1,1], &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b], &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c], &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d], [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]]";
    assert_eq!(
        read(format!("items:\n- {{kind: A, x: {bomb}}}\n- kind: B\nkind: List\n")),
        [format!("items[0], line 2 ! line 2: {MANY}"), r#"items[1], line 3 = {kind:"B"}"#.to_owned()]
    );
}

#[test]
fn a_long_text_repeated_by_aliases_is_refused() {
    let text = repeated(&format!("a: &a {}\nb: [", "x".repeat(1 << 20)), "*a,", 20, "]\n");
    assert_eq!(error(text), format!("line 2: {LARGE}"));
}

#[test]
fn aliases_that_are_small_in_each_item_are_refused_when_they_add_up() {
    let map: String = (0..10_000).map(|i| format!("k{i}: 1, ")).collect();
    let text = repeated(&format!("metadata: &m {{{map}}}\nkind: PodList\nitems:\n"), "- m: *m\n", 2_000, "");
    let (_, all) = everything(text.as_bytes(), Format::Yaml);
    assert_eq!(all.len(), 2_000);
    let read = all.iter().filter(|(_, object)| object.is_ok()).count();
    assert_eq!(read, 999, "each alias stands for 10,001 values, of 10,000,000");
    assert_eq!(
        all[999].1,
        Err("line 1003: the aliases of this file stand for more than 10000000 values; split the file, or write them out".to_owned())
    );
}

#[test]
fn too_much_behind_anchors_is_refused() {
    let text = repeated("a: ", "&a [", 90, &format!("{}{}", "1,".repeat(20_000), "]".repeat(90)));
    assert_eq!(
        error(text.replacen("&a", "&b", 1)),
        "line 1: the anchors of this document hold more than 1000000 values or 16 MiB of text; write some of them out"
    );
}

#[test]
fn an_anchor_whose_name_is_given_again_does_not_count() {
    let item = format!("- {{kind: A, x: &x [{}]}}\n", "1,".repeat(1000));
    let (_, all) = everything(repeated("kind: List\nitems:\n", &item, 1100, "").as_bytes(), Format::Yaml);
    assert_eq!((all.len(), all.iter().filter(|(_, object)| object.is_err()).count()), (1100, 0));
}

#[test]
fn a_million_values_are_too_many_for_one_object() {
    assert_eq!(error(repeated("{\"a\":[0", ",0", 1_000_000, "]}")), format!("line 1: {MANY}"));
    assert_eq!(error(repeated("a: [0", ",0", 1_000_000, "]\n")), format!("line 1: {MANY}"));
}

#[test]
fn many_keys_take_no_longer_than_their_number() {
    let keys: String = (0..200_000).map(|i| format!("\"k{i}\":{i},")).collect();
    let start = Instant::now();
    assert_eq!(
        error(format!("{{\"a\":{{{keys}\n\"k7\":1}}}}")),
        "line 2: the key \"k7\" stands here and on line 1; keep one of them"
    );
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn sixteen_mebibytes_are_the_most_that_one_object_takes() {
    let text = "x".repeat(17 << 20);
    for whole in [format!("{{\"a\":\"{text}\"}}"), format!("a: {text}\n"), format!("{{\"{text}\":1}}")] {
        assert_eq!(error(whole), format!("line 1: {LARGE}"));
    }
    assert_eq!(
        error(repeated("a: 1\n", "# comment\n", 2 << 20, "b: 1\n")).split_once(": ").unwrap().1,
        LARGE
    );
}

#[test]
fn a_list_may_be_larger_than_its_items() {
    let text = "x".repeat(6 << 20);
    for whole in [
        format!(
            "items:\n- {{kind: A, x: {text}}}\n- {{kind: A, x: {text}}}\n- {{kind: A, x: {text}}}\nkind: List\n"
        ),
        format!(
            "{{\"items\":[{{\"kind\":\"A\",\"x\":\"{text}\"}},{{\"kind\":\"A\",\"x\":\"{text}\"}},{{\"kind\":\"A\",\"x\":\"{text}\"}}],\"kind\":\"List\"}}"
        ),
    ] {
        let (_, all) = everything(whole.as_bytes(), Format::Unknown);
        assert_eq!((all.len(), all.iter().filter(|(_, object)| object.is_ok()).count()), (3, 3));
    }
}

#[test]
fn a_document_that_is_too_large_costs_no_other() {
    assert_eq!(
        read(format!("a: {}\n---\nb: 1\n", "x".repeat(17 << 20))),
        [format!("document 1, line 1 ! line 1: {LARGE}"), "document 2, line 3 = {b:1}".to_owned()]
    );
}

/// Text, and then an error for ever.
struct Breaks(&'static [u8]);

impl Read for Breaks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is on fire")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_source_that_fails_is_an_error_with_its_cause_and_the_end() {
    for text in [&b""[..], b"a: 1\nb", b"{\"a\":", b"{\"kind\":\"A\"}\n", b"a: 1\n---\n"] {
        let mut errors = Vec::new();
        objects(BufReader::new(Breaks(text)), Format::Unknown, &mut |_, object| {
            errors.extend(object.err());
            ControlFlow::Continue(())
        });
        let shown = String::from_utf8_lossy(text);
        assert_eq!(errors.len(), 1, "{shown}");
        assert!(
            matches!(&errors[0].fault, Fault::Read(cause) if cause.to_string() == "the disk is on fire"),
            "{shown}"
        );
        assert!(errors[0].to_string().ends_with(": cannot read on"), "{shown}");
    }
}

/// Bytes that lead far into the parsers.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        ":",
        ": ",
        ",",
        "- ",
        "? ",
        "\n",
        "\r\n",
        "\n  ",
        "\n    ",
        "\t",
        " ",
        "# c",
        "&a ",
        "*a",
        "<<",
        "!!str ",
        "!x ",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
        "--- ",
        "%YAML 1.2\n",
        "a",
        "kind",
        "List",
        "items",
        "1",
        "0x1",
        "null",
        "\\u00",
        "\\",
        "@",
        "\u{feff}",
        "é",
        "\0",
        "\r",
        "%TAG ! x\n",
        "{\"kind\":\"List\",\"items\":[",
        "kind: List\nitems:\n- ",
    ]);
    let bytes = prop_oneof![
        20 => fragment.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..3),
    ];
    prop::collection::vec(bytes, 0..40).prop_map(|parts| parts.concat())
}

/// Reads bytes as each format; whatever comes out has a place in the text.
fn survives(bytes: &[u8]) {
    let breaks = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
    for format in [Format::Unknown, Format::Json, Format::Yaml] {
        let (documents, all) = everything(bytes, format);
        for (place, object) in all {
            assert!(place.document >= 1 && place.document <= documents, "{place:?}");
            assert!(place.line >= 1 && place.line <= breaks + 1, "{place:?} {object:?}");
            if let Err(message) = object {
                let line: u64 =
                    message.split([' ', ':']).nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
                assert!(line >= 1 && line <= breaks + 1, "{message}");
                assert!(!message.chars().any(char::is_control), "{message:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        survives(&bytes);
    }

    #[test]
    fn no_parts_of_manifests_make_a_panic(bytes in fragments()) {
        survives(&bytes);
    }
}
