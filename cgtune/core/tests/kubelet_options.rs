//! Options of the static policy against the rows of the kubelet's own tests.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::kubelet::Options;
use serde_json::Value;

#[test]
fn options_are_taken_and_refused_as_the_kubelet_does() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/cpumanager_static_policy.json")).unwrap();
    let rows = vectors["options"].as_array().unwrap();
    assert_eq!(rows.len(), 9);
    for row in rows {
        let pairs = row["options"].as_object().unwrap().iter();
        let options = Options::parse(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())));
        let refused = options.is_err() || options.unwrap().exclusions().next().is_some();
        assert_eq!(refused, row["error"].as_bool().unwrap(), "{row}");
    }
}
