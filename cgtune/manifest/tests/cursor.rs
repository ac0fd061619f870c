//! What does not fit is named with its path, its line and what was expected.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod reading;

use cgtune_manifest::{Cursor, FieldError, Problem};
use reading::object;

const POD: &str = r#"kind: Pod
spec:
  containers:
  - name: web
    resources:
      limits: {cpu: 500m, memory: null, n: 2, half: 0.5, odd: 010}
  - name: 5
  replicas: -1
  big: 18446744073709551616
  host: yes
  on: true
  nothing:
labels:
  a.b/c: [1]
  "x\ny": 1
"#;

/// What a walk from the pod says.
macro_rules! said {
    (|$pod:ident| $walk:expr) => {{
        let object = object(POD);
        let $pod = Cursor::new(&object);
        let walk = move || -> Result<_, FieldError> { $walk };
        walk().map(|_| ()).unwrap_err().to_string()
    }};
}

#[test]
fn what_fits_is_taken() {
    let pod = object(POD);
    let spec = Cursor::new(&pod).field("spec").unwrap();
    let names: Vec<_> =
        spec.field("containers").unwrap().items().unwrap().map(|c| c.field("name").unwrap().line()).collect();
    assert_eq!(names, [4, 7]);
    let first = spec.field("containers").unwrap().items().unwrap().next().unwrap();
    let limits = first.field("resources").unwrap().field("limits").unwrap();
    let entries: Vec<_> = limits.entries().unwrap().map(|(key, value)| (key, value.path())).collect();
    assert_eq!(
        entries,
        ["cpu", "n", "half", "odd"].map(|key| (key, format!("spec.containers[0].resources.limits.{key}")))
    );
    assert_eq!(limits.field("cpu").unwrap().text(), Ok("500m"));
    assert_eq!(limits.field("cpu").unwrap().text_or_number(), Ok("500m"));
    assert_eq!(limits.field("half").unwrap().text_or_number(), Ok("0.5"));
    assert_eq!(limits.field("n").unwrap().unsigned(), Ok(2));
    assert_eq!(spec.field("on").unwrap().boolean(), Ok(true));
}

#[test]
fn null_is_the_same_as_nothing() {
    let pod = object(POD);
    let spec = Cursor::new(&pod).field("spec").unwrap();
    assert!(spec.optional("nothing").unwrap().is_none());
    assert!(spec.optional("absent").unwrap().is_none());
    let null = object("a: [null]\n");
    let null = Cursor::new(&null).field("a").unwrap().items().unwrap().next().unwrap();
    assert!(null.optional("x").unwrap().is_none());
    assert_eq!((null.items().unwrap().count(), null.entries().unwrap().count()), (0, 0));
}

#[test]
fn what_is_missing_is_named_with_the_line_of_what_lacks_it() {
    assert_eq!(said!(|pod| pod.field("status")), "line 1: status: is missing");
    assert_eq!(said!(|pod| pod.field("spec")?.field("nothing")), "line 3: spec.nothing: is missing");
}

#[test]
fn what_is_something_else_is_named_with_what_was_expected() {
    for (message, expected) in [
        (
            said!(|pod| pod.field("kind")?.items().map(Iterator::count)),
            "line 1: kind: expected a list, found the string \"Pod\"",
        ),
        (
            said!(|pod| pod.field("kind")?.optional("x")),
            "line 1: kind: expected a map, found the string \"Pod\"",
        ),
        (said!(|pod| pod.field("spec")?.text()), "line 3: spec: expected a string, found a map"),
        (said!(|pod| pod.text()), "line 1: expected a string, found a map"),
        (
            said!(|pod| {
                pod.field("spec")?.field("containers")?.items()?.nth(1).unwrap().field("name")?.text()
            }),
            "line 7: spec.containers[1].name: expected a string, found the number 5",
        ),
        (
            said!(|pod| pod.field("spec")?.field("replicas")?.unsigned()),
            "line 8: spec.replicas: expected a whole number from 0 to 18446744073709551615, found the number -1",
        ),
        (
            said!(|pod| pod.field("spec")?.field("big")?.unsigned()),
            "line 9: spec.big: expected a whole number from 0 to 18446744073709551615, found the number 18446744073709551616",
        ),
        (
            said!(|pod| pod.field("spec")?.field("host")?.boolean()),
            "line 10: spec.host: expected true or false, found the string \"yes\"",
        ),
        (
            said!(|pod| pod.field("spec")?.field("on")?.text_or_number()),
            "line 11: spec.on: expected a string or a number, found the boolean true",
        ),
        (
            said!(|pod| pod.field("labels")?.field("a.b/c")?.items()?.next().unwrap().text()),
            "line 14: labels[\"a.b/c\"][0]: expected a string, found the number 1",
        ),
        (
            said!(|pod| pod.field("labels")?.field("x\ny")?.text()),
            r#"line 15: labels["x\x0ay"]: expected a string, found the number 1"#,
        ),
    ] {
        assert_eq!(message, expected);
    }
}

#[test]
fn a_number_that_is_not_the_same_to_every_reader_is_refused() {
    assert_eq!(
        said!(|pod| {
            let first = pod.field("spec")?.field("containers")?.items()?.next().unwrap();
            first.field("resources")?.field("limits")?.field("odd")?.text_or_number()
        }),
        "line 6: spec.containers[0].resources.limits.odd: 010 does not mean the same to every reader of YAML; write it in quotes or as plain decimal"
    );
    let numbers = object("a: 0x10\nb: 1_000\n");
    for name in ["a", "b"] {
        let error = Cursor::new(&numbers).field(name).unwrap().unsigned().unwrap_err();
        assert!(matches!(error.problem, Problem::Ambiguous { .. }), "{error}");
    }
}

#[test]
fn others_can_say_something_about_a_place() {
    let pod = object(POD);
    let spec = Cursor::new(&pod).field("spec").unwrap();
    let error = spec.field("replicas").unwrap().error("below zero");
    assert_eq!(error.to_string(), "line 8: spec.replicas: below zero");
    assert_eq!(error.problem, Problem::Other("below zero".to_owned()));
}

#[test]
fn a_long_text_is_cut_where_it_is_shown() {
    let node = object(format!("{}: {}\n", "k".repeat(200), "v".repeat(200)));
    let (_, value) = Cursor::new(&node).entries().unwrap().next().unwrap();
    let error = value.unsigned().unwrap_err().to_string();
    let path = format!("{}…", "k".repeat(60));
    let found = format!("{}…", "v".repeat(60));
    assert_eq!(
        error,
        format!(
            "line 1: {path}: expected a whole number from 0 to 18446744073709551615, found the string \"{found}\""
        )
    );
}
