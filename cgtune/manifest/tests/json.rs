//! JSON alone: values after each other, lines, and each thing that is refused.

mod reading;

use std::ops::ControlFlow;

use cgtune_manifest::{Format, objects};
use reading::{error, everything, lines, object, read};

const PRETTY: &str = r#"
{
    "kind": "Pod",
    "spec": {
        "list": [
            1,
            {
                "a": null
            },
            []
        ],
        "b": 5
    }
}
"#;

#[test]
fn every_key_and_value_has_its_line() {
    let expected = "2{3:kind 3 4:spec 4{5:list 5[6 7{8:a 8} 10[]] 12:b 12}}";
    assert_eq!(lines(&object(PRETTY)), expected);
    assert_eq!(lines(&object(PRETTY.replace('\n', "\r\n"))), expected, "CRLF");
    assert_eq!(lines(&object(format!("\u{feff}{PRETTY}"))), expected, "BOM");
    let compact = PRETTY.replace(['\n', ' '], "");
    assert_eq!(lines(&object(compact)), "1{1:kind 1 1:spec 1{1:list 1[1 1{1:a 1} 1[]] 1:b 1}}");
}

#[test]
fn a_number_at_the_end_of_a_line_stands_on_it() {
    assert_eq!(lines(&object("{\n\"a\":\n1\n,\"b\":2\n}")), "1{2:a 3 4:b 4}");
    assert_eq!(
        read("{\"kind\":\"List\",\"items\":[\n1\n,\n2\n]}"),
        [
            "items[0], line 2 ! line 2: expected an object, found a number",
            "items[1], line 4 ! line 4: expected an object, found a number"
        ]
    );
}

#[test]
fn numbers_stay_as_they_were_typed() {
    let text = r#"{"a":[0,-0,1.50,1e3,1E-2,123456789012345678901234567890,0.1e400]}"#;
    assert_eq!(
        reading::flat(&object(text)),
        "{a:[0,-0,1.50,1e3,1E-2,123456789012345678901234567890,0.1e400]}"
    );
}

#[test]
fn escapes_in_strings_and_keys_are_read() {
    let text = r#"{"\u0061\n":"x\"\\\/\ud83d\ude00é\t"}"#;
    assert_eq!(reading::flat(&object(text)), "{a\n:\"x\\\"\\\\/😀é\\t\"}");
}

#[test]
fn values_after_each_other_are_documents() {
    assert_eq!(
        read("{\"a\":1}{\"b\":2}\n\n {\"c\":3}\n"),
        ["document 1, line 1 = {a:1}", "document 2, line 1 = {b:2}", "document 3, line 3 = {c:3}"]
    );
}

#[test]
fn a_value_that_is_no_object_costs_itself() {
    let (_, all) = everything(b"[1,\n2] 5 \"x\" null true {\"a\":1}", Format::Json);
    let shown: Vec<_> =
        all.into_iter().map(|(place, o)| (place.line, o.map(|node| reading::flat(&node)))).collect();
    let found = |what| Err(format!("line {what}"));
    assert_eq!(
        shown,
        [
            (1, found("1: expected an object, found a list")),
            (2, found("2: expected an object, found a number")),
            (2, found("2: expected an object, found a string")),
            (2, found("2: expected an object, found null")),
            (2, found("2: expected an object, found a boolean")),
            (2, Ok("{a:1}".to_owned())),
        ]
    );
}

#[test]
fn a_syntax_error_ends_the_stream() {
    assert_eq!(
        read("{\"a\":1}\n{\"b\":[1 2]}\n{\"c\":1}"),
        [
            "document 1, line 1 = {a:1}",
            "document 2, line 2 ! line 2: this is not JSON: expected `,` or `]` at column 9",
        ]
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, expected) in [
        ("{\"a\":\n1", "line 2: this is not JSON: EOF while parsing an object at column 1"),
        ("{\"a\":\"x", "line 1: this is not JSON: EOF while parsing a string at column 7"),
        ("{\"a\":1,}", "line 1: this is not JSON: trailing comma at column 8"),
        (
            "{\"a\":\"\t\"}",
            "line 1: this is not JSON: control character (\\u0000-\\u001F) found while parsing a string at column 7",
        ),
        ("{\n\"a\":1,\n\"\\u0061\":2}", "line 3: the key \"a\" stands here and on line 2; keep one of them"),
        (
            "{\"x\":[\n{\"a\":1,\n\"a\":2}]}",
            "line 3: the key \"a\" stands here and on line 2; keep one of them",
        ),
        ("{\"a\":\n\"\\ud800\"}", "line 2: a string here cannot be read: unexpected end of hex escape"),
        ("{\"kind\":\"PodList\",\n\"items\":{}}", "line 2: expected a list of objects in items, found a map"),
        ("{\"items\":5}", "line 1: expected a list of objects in items, found a number"),
    ] {
        assert_eq!(error(text), expected, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_named_with_their_line() {
    assert_eq!(error(b"{\n\"a\":\"\xff\"}"), "line 2: a byte here is not UTF-8; save the file as UTF-8");
    assert_eq!(
        error(b"{\n\n\"a\":\0}"),
        "line 3: a NUL byte here; this is not a text file, or a damaged one"
    );
    assert_eq!(
        error("{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        "line 1: this is UTF-16 text; save the file as UTF-8"
    );
}

#[test]
fn a_file_called_json_is_read_as_json() {
    let (_, all) = everything(b"a: 1\n", Format::Json);
    assert_eq!(all[0].1, Err("line 1: this is not JSON: expected value at column 1".to_owned()));
    assert_eq!(everything(b" \n", Format::Json), (0, vec![]));
}

#[test]
fn a_visitor_that_has_enough_gets_no_more() {
    for text in [
        "{\"kind\":\"List\",\"items\":[{\"kind\":\"A\"},{\"kind\":\"B\"}]}{}",
        "kind: List\nitems: [{kind: A}, {kind: B}]\n---\na: 1",
    ] {
        let mut seen = 0;
        objects(text.as_bytes(), Format::Unknown, &mut |_, _| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!(seen, 1, "{text}");
    }
}
