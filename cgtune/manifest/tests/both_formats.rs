//! The same tree from JSON and from YAML, and the same objects from a list in whatever order its keys stand.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod reading;

use cgtune_manifest::Format;
use proptest::prelude::*;
use reading::{everything, flat};
use serde_json::{Value, json};

/// Any JSON value, with strings that look like something else.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        any::<String>(),
        prop::sample::select(vec![
            "", "null", "~", "true", "010", "1e3", "- a", "a: b", "# c", "---", "<<", "\n", "é"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// As [`flat`], from serde_json's own tree.
fn expected(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => format!("[{}]", items.iter().map(expected).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            let entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{key}:{}", expected(value))).collect();
            format!("{{{}}}", entries.join(","))
        }
        scalar => scalar.to_string(),
    }
}

fn only(text: &str, format: Format) -> Result<String, String> {
    let (documents, mut all) = everything(text.as_bytes(), format);
    assert_eq!((documents, all.len()), (1, 1), "{text}");
    all.pop().map_or_else(|| Err(String::new()), |(_, object)| object.map(|node| flat(&node)))
}

/// What the pods of a list hold.
fn pods() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(value(), 0..6)
}

proptest! {
    #[test]
    fn a_value_is_the_same_tree_however_it_is_written(value in value()) {
        let object = json!({ "a": value });
        let tree = Ok(expected(&object));
        let compact = object.to_string();
        let pretty = serde_json::to_string_pretty(&object).unwrap();
        prop_assert_eq!(only(&compact, Format::Unknown), tree.clone());
        prop_assert_eq!(only(&pretty, Format::Unknown), tree.clone());
        // DEL and C1 controls are no text to YAML unless escaped.
        let escaped = |text: &str| text.chars().map(|c| match c {
            '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        }).collect::<String>();
        prop_assert_eq!(only(&escaped(&compact), Format::Yaml), tree.clone());
        prop_assert_eq!(only(&escaped(&pretty), Format::Yaml), tree);
    }

    #[test]
    fn a_list_gives_the_same_objects_in_each_order_of_its_keys(pods in pods()) {
        let items: Vec<_> = pods.iter().map(|spec| json!({ "spec": spec })).collect();
        let with_kind: Vec<_> = pods.iter().map(|spec| json!({ "kind": "Pod", "spec": spec })).collect();
        let raw = format!("{{\"kind\":\"PodList\",\"metadata\":{{}},\"items\":{}}}", json!(items));
        let sorted = format!("{{\"items\":{},\"kind\":\"List\",\"metadata\":{{}}}}", json!(with_kind));
        let objects = |text: &str| {
            let sorted_keys = |object: String| {
                // An inherited kind stands at the end.
                object.strip_suffix(",kind:\"Pod\"}").map_or(object.clone(), |rest| format!("{{kind:\"Pod\",{}}}", &rest[1..]))
            };
            everything(text.as_bytes(), Format::Json).1.into_iter()
                .map(|(place, object)| (place.item, object.map(|node| sorted_keys(flat(&node)))))
                .collect::<Vec<_>>()
        };
        prop_assert_eq!(objects(&raw).len(), pods.len());
        prop_assert_eq!(objects(&raw), objects(&sorted));
    }
}
