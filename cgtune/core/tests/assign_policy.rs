//! The static policy against the rows of the kubelet's own tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod topologies;

use std::collections::BTreeMap;

use cgtune_core::{
    CpuSet, MilliCpu, Topology,
    assign::{
        Uncore,
        policy::{Holder, Reserve, State, Static, Term, exclusive},
    },
    convert::pod::QosClass,
    kubelet::Options,
    topology::Level,
};
use serde_json::Value;

fn rows(table: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/cpumanager_static_policy.json")).unwrap();
    vectors[table].as_array().unwrap().clone()
}

fn text<'v>(row: &'v Value, field: &str) -> &'v str {
    row[field].as_str().unwrap_or_default()
}

fn cpus(text: &str) -> CpuSet {
    text.parse().unwrap()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn options(row: &Value) -> Options {
    let pairs = row["options"].as_object().unwrap().iter();
    Options::parse(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap()))).unwrap()
}

fn holder(name: &str) -> Holder {
    let (pod, container) = name.split_once('/').unwrap();
    Holder { pod: pod.to_owned(), container: container.to_owned() }
}

/// The rows are of upstream's tests of 1.32 and 1.33, where parts of caches are whole cores.
fn policy<'t>(topology: &'t Topology, count: usize, list: &str, options: Options) -> Static<'t> {
    let list = Some(cpus(list)).filter(|list| !list.is_empty());
    Static::new(topology, Reserve { count, list }, options, Uncore::WholeCores, false).unwrap()
}

#[test]
fn containers_get_the_cpus_that_the_kubelet_gives_them() {
    let topologies = topologies::read();
    let rows = rows("allocate");
    assert_eq!(rows.len(), 29);
    for row in rows {
        let topology = &topologies[text(&row, "topology")];
        let policy =
            policy(topology, number(&row["num_reserved"]), text(&row, "reserved_cpus"), options(&row));
        let mut state = State::new(cpus(text(&row, "default_cpuset")), BTreeMap::new());
        let milli = |field: &str| row[field].as_u64().unwrap();
        let class = match milli("request_milli") == milli("limit_milli") {
            true => QosClass::Guaranteed,
            false => QosClass::Burstable,
        };
        let nodes: Option<Vec<u32>> = serde_json::from_value(row["numa_hint"].clone()).unwrap();
        let count = exclusive(class, MilliCpu::new(milli("request_milli")));
        let allocated = (count > 0)
            .then(|| policy.allocate(&mut state, &holder("pod/app"), count, nodes.as_deref(), Term::Pod))
            .transpose();
        match allocated {
            Ok(found) => {
                assert_eq!(found, row["result"].as_str().map(cpus), "{row}");
                assert_eq!(text(&row, "error"), "", "{row}");
            }
            Err(error) => {
                assert_eq!(error.to_string(), text(&row, "error"), "{row}");
                assert_eq!(state.default, cpus(text(&row, "default_cpuset")), "{row}");
            }
        }
    }
}

#[test]
fn pods_keep_to_as_few_caches_as_with_the_kubelet() {
    let topologies = topologies::read();
    let rows = rows("uncore_pods");
    assert_eq!(rows.len(), 12);
    for row in rows {
        let topology = &topologies[text(&row, "topology")];
        let reserved = cpus(text(&row, "reserved_cpus"));
        let policy = policy(topology, reserved.len(), text(&row, "reserved_cpus"), options(&row));
        let default = cpus(text(&row, "default_cpuset_before_removing_reserved")).difference(&reserved);
        let mut state = State::new(default, BTreeMap::new());
        let mut all = CpuSet::new();
        for (index, request) in row["container_requests"].as_array().unwrap().iter().enumerate() {
            let holder = holder(&format!("pod/{index}"));
            let taken = policy.allocate(&mut state, &holder, number(request), None, Term::Pod).unwrap();
            if let (0, Some(expected)) = (index, row["expected_first_container_cpuset"].as_str()) {
                assert_eq!(taken, cpus(expected), "{row}");
            }
            all = all.union(&taken);
        }
        let expected: Vec<u32> = serde_json::from_value(row["expected_uncore_ids"].clone()).unwrap();
        assert_eq!(topology.groups_of(Level::Uncore, &all), expected, "{row}: {all}");
    }
}

#[test]
fn what_an_earlier_kubelet_left_is_taken_on_or_refused() {
    let topologies = topologies::read();
    let rows = rows("start");
    assert_eq!(rows.len(), 12);
    for row in rows {
        let topology = &topologies[text(&row, "topology")];
        let assignments = row["assignments"].as_object().unwrap().iter();
        let assignments =
            assignments.map(|(name, set)| (holder(name), cpus(set.as_str().unwrap()))).collect();
        let list = Some(cpus(text(&row, "reserved"))).filter(|list| !list.is_empty());
        let reserve = Reserve { count: number(&row["num_reserved"]), list };
        let strict = row["strict"].as_bool().unwrap();
        let options = Options { strict_cpu_reservation: strict, ..Options::default() };
        let started = Static::new(topology, reserve, options, Uncore::Ignored, false)
            .map_err(|error| error.to_string())
            .and_then(|policy| {
                policy
                    .start(State::new(cpus(text(&row, "default")), assignments))
                    .map_err(|error| error.to_string())
            });
        match started {
            Ok(state) => assert_eq!(Some(state.default), row["result"].as_str().map(cpus), "{row}"),
            Err(error) => assert_eq!(error, text(&row, "error"), "{row}"),
        }
    }
}

#[test]
fn what_an_init_container_had_is_used_again_unless_it_stays() {
    let topologies = topologies::read();
    let rows = rows("init_reuse");
    assert_eq!(rows.len(), 2);
    for row in rows {
        let policy = policy(&topologies[text(&row, "topology")], 0, "", Options::default());
        let mut state = policy.start(State::default()).unwrap();
        let (init, app) = (holder("pod/init"), holder("pod/app"));
        let stays = row["restartable_init"].as_bool().unwrap();
        let term = if stays { Term::Pod } else { Term::Init };
        let count = |role: &str| number(&row[role][0]) / 1000;
        policy.allocate(&mut state, &init, count("init"), None, term).unwrap();
        policy.allocate(&mut state, &app, count("app"), None, Term::Pod).unwrap();
        assert_eq!(state.default, cpus(text(&row, "after_alloc_default")), "{row}");
        if let Some(after) = row["after_remove_init_default"].as_str() {
            policy.remove(&mut state, &init);
            assert_eq!(state.default, cpus(after), "{row}");
        }
    }
}
