//! Lists go out item by item, in whatever order their keys stand, and an item costs no other.

mod reading;

use reading::read;

#[test]
fn each_item_of_a_list_is_an_object_with_its_line() {
    let expected = [r#"items[0], line 3 = {kind:"Pod",a:1}"#, r#"items[1], line 5 = {kind:"Node",b:1}"#];
    assert_eq!(
        read("apiVersion: v1\nitems:\n- kind: Pod\n  a: 1\n- kind: Node\n  b: 1\nkind: List\n"),
        expected
    );
    assert_eq!(
        read(
            "{\"apiVersion\":\"v1\",\"items\":[\n\n{\"kind\":\"Pod\",\"a\":1},\n\n{\"kind\":\"Node\",\n\"b\":1}],\"kind\":\"List\"}"
        ),
        expected
    );
}

#[test]
fn an_item_takes_the_kind_of_a_list_that_names_it_first() {
    let expected = [
        r#"items[0], line 4 = {a:1,kind:"Pod",apiVersion:"v1"}"#,
        r#"items[1], line 5 = {apiVersion:"v2",kind:"Pod"}"#,
        r#"items[2], line 6 = {kind:"Node"}"#,
    ];
    assert_eq!(
        read("kind: PodList\napiVersion: v1\nitems:\n- a: 1\n- {apiVersion: v2, kind: null}\n- kind: Node\n"),
        expected
    );
    assert_eq!(
        read(
            "{\"kind\":\"PodList\",\n\"apiVersion\":\"v1\",\"items\":[\n\n{\"a\":1},\n{\"apiVersion\":\"v2\",\"kind\":null},\n{\"kind\":\"Node\"}]}"
        ),
        expected
    );
}

#[test]
fn an_item_whose_kind_nobody_knows_is_an_error() {
    let unknown = "this item has no kind, and none of its list was seen before it; write kind into the item, or first into the list";
    let expected =
        [format!("items[0], line 2 ! line 2: {unknown}"), r#"items[1], line 3 = {kind:"Pod"}"#.to_owned()];
    assert_eq!(read("items:\n- a: 1\n- kind: Pod\nkind: PodList\n"), expected);
    assert_eq!(read("{\"items\":[\n{\"a\":1},\n{\"kind\":\"Pod\"}],\"kind\":\"PodList\"}"), expected);
    assert_eq!(read("kind: List\nitems: [a: 1]\n"), [format!("items[0], line 2 ! line 2: {unknown}")]);
}

#[test]
fn a_bad_item_costs_no_other() {
    let expected = [
        r#"items[0], line 2 = {kind:"A"}"#,
        "items[1], line 3 ! line 4: the key \"x\" stands here and on line 3; keep one of them",
        "items[2], line 5 ! line 5: expected an object, found a string",
        r#"items[3], line 6 = {kind:"D"}"#,
    ];
    assert_eq!(
        read("items:\n- kind: A\n- {l: [[{x: 1,\n   x: 2}]], y: [1]}\n- text\n- kind: D\nkind: List\n"),
        expected
    );
    assert_eq!(
        read(
            "{\"items\":[\n{\"kind\":\"A\"},\n{\"l\":[[{\"x\":1,\n\"x\":2}]],\"y\":[1]},\n\"text\",\n{\"kind\":\"D\"}],\"kind\":\"List\"}"
        ),
        expected
    );
}

#[test]
fn a_syntax_error_in_an_item_leaves_those_before_it() {
    assert_eq!(
        read("items:\n- kind: A\n- kind: B\n  x: [1\n- kind: C\nkind: List\n---\nkind: D\n"),
        [
            r#"document 1, items[0], line 2 = {kind:"A"}"#,
            "document 1, items[1], line 3 ! line 5: this is not YAML: a \": \" inside of brackets, or a bracket before this that is not closed at column 7",
            r#"document 2, line 8 = {kind:"D"}"#
        ]
    );
    assert_eq!(
        read("{\"items\":[{\"kind\":\"A\"},\n{\"kind\":\"B\" 1}]}"),
        [
            r#"items[0], line 1 = {kind:"A"}"#,
            "items[1], line 2 ! line 2: this is not JSON: expected `,` or `}` at column 13"
        ]
    );
}

#[test]
fn text_that_breaks_off_leaves_the_items_before_it() {
    assert_eq!(
        read("{\"items\":[{\"kind\":\"A\"},\n{\"ki"),
        [
            r#"items[0], line 1 = {kind:"A"}"#,
            "items[1], line 2 ! line 2: this is not JSON: EOF while parsing a string at column 4"
        ]
    );
    assert_eq!(
        read(b"items:\n- kind: A\n- kind: \xff\n- kind: C\n"),
        [
            r#"items[0], line 2 = {kind:"A"}"#,
            "items[1], line 3 ! line 3: a byte here is not UTF-8; save the file as UTF-8"
        ]
    );
}

#[test]
fn a_list_without_items_gives_nothing() {
    for text in [
        "kind: List\nitems: []\n",
        "items:\nkind: PodList\n",
        "{\"kind\":\"List\",\"items\":[]}",
        "{\"items\":null,\"kind\":\"PodList\"}",
        "x: &x []\nitems: *x\nkind: List\n",
    ] {
        assert_eq!(read(text), [""; 0], "{text}");
    }
}

#[test]
fn items_under_another_kind_are_part_of_an_object() {
    let expected = [r#"line 1 = {kind:"Shop",items:[{a:1}]}"#];
    assert_eq!(read("kind: Shop\nitems: [a: 1]\n"), expected);
    assert_eq!(read("{\"kind\":\"Shop\",\"items\":[{\"a\":1}]}"), expected);
}

#[test]
fn items_before_another_kind_were_read_as_objects_and_that_is_said() {
    let expected = [
        r#"items[0], line 1 = {kind:"A"}"#,
        "line 1 ! line 2: kind \"Shop\" is not a list, so that the items before it are no objects; write kind before items",
    ];
    assert_eq!(read("items: [kind: A]\nkind: Shop\n"), expected);
    assert_eq!(read("{\"items\":[{\"kind\":\"A\"}],\n\"kind\":\"Shop\"}"), expected);
    assert_eq!(
        read("items: [kind: A]\n"),
        [
            r#"items[0], line 1 = {kind:"A"}"#,
            "line 1 ! line 1: there are items here and no kind; write kind: List if this is a list"
        ]
    );
}

#[test]
fn what_is_wrong_beside_the_items_is_said_once() {
    let expected = [
        r#"items[0], line 2 = {kind:"A"}"#,
        "line 1 ! line 3: the key \"metadata\" stands here and on line 1; keep one of them",
    ];
    assert_eq!(
        read("metadata: {}\nitems: [kind: A]\nmetadata: {a: {b: 1}}\nitems: [kind: B]\nkind: List\n"),
        expected
    );
    assert_eq!(
        read(
            "{\"metadata\":{},\n\"items\":[{\"kind\":\"A\"}],\n\"metadata\":{},\"items\":[{\"kind\":\"B\"}],\"kind\":\"List\"}"
        ),
        expected
    );
}

#[test]
fn items_that_are_no_list_are_an_error() {
    for text in ["kind: List\nitems: {a: [1]}\n", "{\"kind\":\"List\",\n\"items\":{\"a\":[1]}}"] {
        assert_eq!(
            read(text),
            ["line 1 ! line 2: expected a list of objects in items, found a map"],
            "{text}"
        );
    }
    assert_eq!(
        read("items: 5\nkind: List\n"),
        ["line 1 ! line 1: expected a list of objects in items, found a number"]
    );
}

#[test]
fn a_list_may_be_an_item_of_a_list_but_not_deeper() {
    let expected = [
        r#"items[0].items[0], line 3 = {a:1,kind:"Pod"}"#,
        r#"items[0].items[1], line 4 = {kind:"Node"}"#,
        "items[1].items[0], line 6 ! line 6: a list within a list within a list is not read; take one of them apart",
    ];
    assert_eq!(
        read(
            "items:\n- items:\n  - a: 1\n  - kind: Node\n  kind: PodList\n- items: [{kind: List, items: [{kind: A}]}]\n  kind: List\nkind: List\n"
        ),
        expected
    );
}

#[test]
fn an_anchor_before_the_items_or_in_an_earlier_item_reaches_later_ones() {
    let text =
        "metadata: &m {a: 1}\nitems:\n- {kind: A, x: *m, y: &y 5}\n- {kind: B, <<: *m, y: *y}\nkind: List\n";
    assert_eq!(
        read(text),
        [r#"items[0], line 3 = {kind:"A",x:{a:1},y:5}"#, r#"items[1], line 4 = {kind:"B",y:5,a:1}"#]
    );
}

#[test]
fn items_with_an_anchor_of_their_own_are_a_list_too() {
    assert_eq!(
        read("items: &i\n- kind: A\nkind: List\n---\nx: &x [kind: B]\nkind: List\nitems: *x\n"),
        [r#"document 1, items[0], line 2 = {kind:"A"}"#, r#"document 2, items[0], line 5 = {kind:"B"}"#]
    );
}
