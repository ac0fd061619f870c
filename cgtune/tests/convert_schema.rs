//! Real output against the published schema, both ways: the output is valid, and says nothing that the schema
//! doesn't describe.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use serde_json::Value;
use tool::{schema, succeeds};

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/convert-1.schema.json")).unwrap()
}

#[test]
fn answers_are_what_the_schema_describes_and_nothing_else() {
    for args in [
        "--cpu-request 500m --cpu-limit 2",
        "--cpu-request 500m",
        "--cpu-limit 5m --burst 1ms",
        "--cpu-request 0 --cpu-limit 0",
        "--cpu-request 300 --cpu-limit 40.5m --period 50ms --burst 10m",
        "--cpu-limit 333m --driver systemd --burst 150% --threads 64 --present-burst 1s --explain",
        "--cpu-limit 1 --runtime lxc --kubernetes 1.20 --period 10ms",
        "--cpu-limit 1 --runtime crun@1.8.1 --burst 1ms --cpu-cfs-quota=false --target oci,docker",
        "--from-weight 39",
        "--from-weight 10000",
        "--from-shares 42",
        "--from-quota 34ms",
        "-f tests/manifests/kinds.yaml --explain",
        "-f tests/manifests/limited.yaml --limit-range tests/manifests/limits.yaml --burst 50%",
        "-f tests/manifests/broken.yaml tests/manifests/missing.yaml",
        "-f tests/manifests/folder -R --kubernetes 1.27 --cpu-manager-policy static",
    ] {
        let args: Vec<&str> = ["convert", "--json"].into_iter().chain(args.split(' ')).collect();
        let output = tool::tool().args(&args).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        schema::assert_describes(published(), &document);
    }
}

#[test]
fn the_schema_refuses_what_it_should() {
    assert!(jsonschema::meta::is_valid(&published()));
    let validator = jsonschema::validator_for(&published()).unwrap();
    let good: Value = serde_json::from_str(&succeeds(&["convert", "--json", "--cpu-limit", "1"]).0).unwrap();
    for (pointer, bad) in [
        ("/schema", Value::from("cgtune.convert/2")),
        ("/container/quota_us", Value::from(-1)),
        ("/container/weight", Value::from(0)),
        ("/container/formula", Value::from("guess")),
        ("/targets/v1", Value::from("")),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = bad;
        assert!(!validator.is_valid(&document), "{pointer}");
    }
}
