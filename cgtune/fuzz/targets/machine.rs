//! Any bytes as a machine's description: a machine that CPUs are chosen from, or refused; what was read is read again from how it is written.

#![no_main]

use cgtune_core::{
    MilliCpu,
    assign::{
        Uncore,
        fragment::Shared,
        pin::{self, Ask},
        policy::{Reserve, Static},
    },
    kubelet::Options,
    topology::Machine,
};
use cgtune_node::description::{Description, Holder, SCHEMA};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;

/// As `cgtune topology --json` writes it.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    machine: &'a Machine,
    cpusets: &'a Option<Vec<Holder>>,
}

fuzz_target!(|bytes: &[u8]| {
    let read = match Description::read(bytes) {
        Ok(read) => read,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let Description { machine, holders } = &read;
    let document = Document { schema: SCHEMA, machine, cpusets: holders };
    let written = serde_json::to_vec(&document).unwrap();
    assert_eq!(Description::read(&written).unwrap(), read);

    let topology = machine.topology().unwrap();
    for holder in holders.iter().flatten() {
        assert!(holder.effective.is_subset(topology.all()) && !holder.title().chars().any(char::is_control));
    }
    let topology = topology.as_the_kubelet_groups().unwrap();
    // All, half of them and one; with the option that looks at most.
    let options = Options { prefer_align_cpus_by_uncorecache: true, ..Options::default() };
    let all = topology.cpus().len();
    let policy = Static::new(&topology, Reserve { count: 0, list: None }, options, Uncore::AnyCount, false).unwrap();
    for count in [1, all / 2, all] {
        let ask = Ask {
            available: topology.all().clone(),
            amount: MilliCpu::new(count as u64 * 1000),
            nodes: None,
            shared: &Shared::default(),
            avoid: &machine.interrupt_heavy(),
            any_count: false,
        };
        if count > 0 {
            let cpus = pin::pin(&policy, &ask).unwrap().cpus();
            assert_eq!(cpus.len(), count);
            assert!(cpus.is_subset(topology.all()));
            pin::of_machine(machine, &cpus).iter().for_each(|remark| drop(remark.to_string()));
        }
    }
});
