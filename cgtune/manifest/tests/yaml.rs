//! YAML alone: documents and their lines, scalars, anchors and merge keys, and each thing that is refused.

mod reading;

use reading::{error, lines, object, read};

#[test]
fn every_key_and_value_has_its_line() {
    let text = "# comment\nkind: Pod\n\nspec:\n  # another\n  list:\n  - a\n  - b: 1\n    c: |\n      text\n      ---\n      more\n  after: x\n  nothing:\n  flow: {d: [1,\n    2]}\n";
    let expected = "2{2:kind 2 4:spec 6{6:list 7[7 8{8:b 8 9:c 9}] 13:after 13 14:nothing 14 15:flow 15{15:d 15[15 16]}}}";
    assert_eq!(lines(&object(text)), expected);
    assert_eq!(lines(&object(text.replace('\n', "\r\n"))), expected, "CRLF");
    assert_eq!(lines(&object(format!("\u{feff}{text}"))), expected, "BOM");
}

#[test]
fn lines_go_on_through_the_documents_of_a_file() {
    let text = "# head\n---\na: 1\n---\n# nothing here\n---\n\nb: 1\n...\n# between\n%YAML 1.2\n---\nc: |\n  ---\n  ...\nd: 2\n--- {e: 1}\n--- # comment\nf: 1\n---\n";
    let expected = [
        "document 1, line 3 = {a:1}",
        "document 2, line 8 = {b:1}",
        r#"document 3, line 13 = {c:"---\n...\n",d:2}"#,
        "document 4, line 17 = {e:1}",
        "document 5, line 19 = {f:1}",
    ];
    assert_eq!(read(text), expected);
    assert_eq!(read(text.replace('\n', "\r\n")), expected);
}

#[test]
fn a_document_number_is_left_out_where_there_is_one() {
    assert_eq!(read("---\na: 1\n---\n"), ["line 2 = {a:1}"]);
}

#[test]
fn what_holds_nothing_is_no_object_and_no_error() {
    for text in ["", "\n", "# comment", "---", "---\n---\n", "...", "--- ~\n", "null", "# a\n---\n# b\n...\n"]
    {
        assert_eq!(read(text), [""; 0], "{text:?}");
    }
}

#[test]
fn a_document_may_begin_behind_the_end_of_another() {
    assert_eq!(read("... {a: 1}\n---\nb: 1\n... {c: 1}\n---\nd: 1\n").len(), 4);
}

#[test]
fn the_last_line_needs_no_end() {
    assert_eq!(read("a: 1\n---\nb: 2"), ["document 1, line 1 = {a:1}", "document 2, line 3 = {b:2}"]);
}

#[test]
fn a_document_that_is_no_yaml_costs_itself() {
    assert_eq!(
        read("a: 1\n---\nb: [1, 2}\nc: 'x\n---\nd: 1\n"),
        [
            "document 1, line 1 = {a:1}",
            "document 2, line 3 ! line 3: this is not YAML: mismatched bracket '[' closed by '}' at column 4",
            "document 3, line 6 = {d:1}"
        ]
    );
    assert_eq!(
        read("a: 1\n---\nb: \"x\n---\nc: 1\n"),
        [
            "document 1, line 1 = {a:1}",
            "document 2, line 3 ! line 4: this is not YAML: a quoted text before this has no end, or goes on without indentation at column 1",
            "document 3, line 5 = {c:1}"
        ]
    );
}

#[test]
fn a_byte_that_is_not_utf_8_costs_its_document_and_a_nul_all_that_follows() {
    assert_eq!(
        read(b"a: 1\n---\nb: 1\nc: \xff\xfe\nd: 1\n---\ne: \0\n---\nf: 1\n"),
        [
            "document 1, line 1 = {a:1}",
            "document 2, line 3 ! line 4: a byte here is not UTF-8; save the file as UTF-8",
            "document 3, line 7 ! line 7: a NUL byte here; this is not a text file, or a damaged one",
        ]
    );
}

#[test]
fn what_people_get_wrong_is_named_with_its_line() {
    for (text, expected) in [
        ("a:\n\tb: 1\n", "line 2: a tab cannot indent YAML; use spaces"),
        ("a:\n  b: 1\n\tc: 1\n", "line 3: a tab cannot indent YAML; use spaces"),
        ("a:\n- b: 1\n\tc: 1\n", "line 3: a tab cannot indent YAML; use spaces"),
        (
            "a: b: c\n",
            "line 1: this is not YAML: a second \": \" in one line, or a key indented unlike its neighbours at column 5",
        ),
        (
            "a:\n  b: 1\n c: 1\n",
            "line 3: this is not YAML: a key indented unlike its neighbours, or something else where a key should stand at column 2",
        ),
        (
            "a: 1\nb\nc: 1\n",
            "line 2: this is not YAML: a line without \": \" where a key should stand at column 1",
        ),
        ("a: @b\n", "line 1: this is not YAML: text cannot begin with '@'; put it in quotes at column 4"),
        ("a: {b: 1\n", "line 1: this is not YAML: unclosed bracket '{' at column 4"),
        (
            "a: 1\rb: 2\n",
            "line 1: a carriage return without a line feed; save the file with LF or CRLF line ends",
        ),
        ("a: 1\nb: *none\n", "line 2: *none has no &none before it in this document"),
        ("- a\n", "line 1: expected an object, found a list"),
        ("# x\nhello\n", "line 2: expected an object, found a string"),
        ("5\n", "line 1: expected an object, found a number"),
        ("? [a, b]\n: 1\n", "line 1: a key must be text, and this one is a list; put it in quotes"),
        ("a:\n  ? {b: c}\n  : 1\n", "line 2: a key must be text, and this one is a map; put it in quotes"),
        ("a: !!int x\n", "line 1: \"x\" cannot be read as !!int; take the tag off or mend the value"),
        (
            "a: !!binary aGk=\n",
            "line 1: \"aGk=\" cannot be read as !!binary; take the tag off or mend the value",
        ),
        ("a: 1\nb: 2\n\na: 3\n", "line 4: the key \"a\" stands here and on line 1; keep one of them"),
        ("x:\n- a: {b: 1,\n   b: 2}\n", "line 3: the key \"b\" stands here and on line 2; keep one of them"),
        ("x: {a: 1, \"a\": 2}\n", "line 1: the key \"a\" stands here and on line 1; keep one of them"),
    ] {
        assert_eq!(error(text), expected, "{text:?}");
    }
}

#[test]
fn what_is_quoted_in_an_error_is_escaped_and_cut() {
    let key = format!("\"\\e[2J{}\"", "k".repeat(500));
    let message = error(format!("{key}: 1\n{key}: 2\n"));
    let shown = format!(r"\x1b[2J{}…", "k".repeat(53));
    assert_eq!(message, format!("line 2: the key \"{shown}\" stands here and on line 1; keep one of them"));
}

#[test]
fn plain_scalars_are_what_the_core_schema_says() {
    let text = "a: [~, null, Null, true, FALSE, yes, 1, -1.50, 1e3, 500m, 2024-01-01, '1', \"true\", 010, 0x1F, 1_000, .inf, 12:30]\n";
    assert_eq!(
        reading::flat(&object(text)),
        r#"{a:[null,null,null,true,false,"yes",1,-1.50,1e3,"500m","2024-01-01","1","true",010,0x1F,1_000,.inf,"12:30"]}"#
    );
}

#[test]
fn a_tag_decides_what_a_scalar_is() {
    let text = "a: [!!str 5, !!str true, !!int '5', !!float 1.5, !!bool 'true', !!null '', ! 5, !mine 5, !mine {b: 1}, !!str]\n";
    assert_eq!(reading::flat(&object(text)), r#"{a:["5","true",5,1.5,true,null,"5","5",{b:1},""]}"#);
}

#[test]
fn keys_are_text_as_typed() {
    assert_eq!(read("1: a\ntrue: b\n'': c\n"), [r#"line 1 = {1:"a",true:"b",:"c"}"#]);
}

#[test]
fn an_alias_stands_for_its_anchor_and_keeps_its_lines() {
    let node = object("a: &a\n  x: 1\nb: *a\nc: [&s text, *s]\n*s : 5\n");
    assert_eq!(lines(&node), "1{1:a 2{2:x 2} 3:b 2{2:x 2} 4:c 4[4 4] 5:text 5}");
    assert_eq!(reading::flat(&node), r#"{a:{x:1},b:{x:1},c:["text","text"],text:5}"#);
}

#[test]
fn an_alias_means_the_last_anchor_of_its_name() {
    assert_eq!(read("a: &x 1\nb: *x\nc: &x 2\nd: *x\n"), ["line 1 = {a:1,b:1,c:2,d:2}"]);
}

#[test]
fn anchors_do_not_reach_into_the_next_document() {
    assert_eq!(
        read("a: &x 1\n---\nb: *x\n"),
        [
            "document 1, line 1 = {a:1}",
            "document 2, line 3 ! line 3: *x has no &x before it in this document"
        ]
    );
}

#[test]
fn an_alias_within_what_it_stands_for_is_refused() {
    let message = "an alias stands here for something that is not complete before it; write it out";
    assert_eq!(error("a: &a [1, *a]\n"), format!("line 1: {message}"));
    assert_eq!(error("--- &a\na: 1\nb: *a\n"), format!("line 3: {message}"));
}

#[test]
fn merged_keys_come_behind_and_do_not_win() {
    assert_eq!(
        read(
            "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {y: 3, <<: *a}\nd: {<<: [*a, *b], z: 4}\ne: {<<: {q: 1}}\nf: {<<: []}\n"
        ),
        ["line 1 = {a:{x:1,y:1},b:{y:2,z:2},c:{y:3,x:1},d:{z:4,x:1,y:1},e:{q:1},f:{}}"]
    );
}

#[test]
fn a_quoted_merge_key_is_a_key() {
    assert_eq!(read("a: {\"<<\": 1}\n"), ["line 1 = {a:{<<:1}}"]);
}

#[test]
fn only_maps_can_be_merged_and_only_once() {
    assert_eq!(error("a: {<<: 5}\n"), "line 1: << takes a map or a list of maps, and this is a number");
    assert_eq!(
        error("a:\n  <<: [{}, x]\n"),
        "line 2: << takes a map or a list of maps, and this is a string"
    );
    assert_eq!(
        error("a:\n  <<: {}\n  <<: {}\n"),
        "line 3: the key \"<<\" stands here and on line 2; keep one of them"
    );
}

#[test]
fn the_top_of_a_document_can_merge_too() {
    assert_eq!(
        read("x: &x {kind: Pod, b: 1}\n<<: *x\nb: 2\n"),
        [r#"line 1 = {x:{kind:"Pod",b:1},b:2,kind:"Pod"}"#]
    );
}
