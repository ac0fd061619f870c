//! Synthetic machines for `doctor`: no such machine was measured.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "a module of a test")]

use std::collections::BTreeMap;

use cgbench::{
    doctor::{Cgroups, CpuNoise, Cpus, Doctor, Noise, Own, Sleeps, System},
    record::Disturbance,
};
use workloads::gap::Gaps;

/// Two seconds, in ns.
const LOOK: u64 = 2_000_000_000;

fn cpu(cpu: u32) -> CpuNoise {
    let mut gaps = Gaps { elapsed_ns: LOOK, reads: 60_000_000, ..Gaps::default() };
    gaps.counts[0] = 40;
    gaps.counts[2] = 1;
    gaps.lost_ns = 40 * 12_000 + 55_000;
    gaps.longest_ns = Some(55_000);
    CpuNoise { cpu, gaps, involuntary_switches: Some(3) }
}

/// A machine against which nothing speaks: four CPUs of its own, bare metal.
pub fn fit() -> Doctor {
    Doctor {
        schema: Doctor::SCHEMA.into(),
        taken: "2026-01-01T00:00:00Z".into(),
        system: System {
            kernel: Some("6.12.0-synthetic".into()),
            hypervisor: None,
            container_marks: Vec::new(),
            root: true,
            tick_hz: Some(1000),
            clocksource: Some("tsc".into()),
            base_slice_ns: Some(2_800_000),
            bandwidth_slice_us: Some(5000),
            psi: true,
            load_average: Some([0.25, 0.5, 1.0]),
            memory_bytes: Some(16 << 30),
            memory_available_bytes: Some(12 << 30),
        },
        cpus: Cpus {
            model: Some("Synthetic CPU".into()),
            online: Some("0-3".parse().unwrap()),
            allowed: Some("0-3".parse().unwrap()),
            isolated: Some("".parse().unwrap()),
            nohz_full: None,
            smt_active: Some(false),
            governors: BTreeMap::from([("performance".into(), 4)]),
            frequencies_khz: Some((2_400_000, 2_400_000)),
            turbo: Some(false),
        },
        cgroups: Cgroups {
            cpu_layout: Some("v2".into()),
            cpuset_layout: Some("v2".into()),
            bandwidth: Some(true),
            burst: Some(true),
            refusal: None,
            own: Some(Own { path: "/".into(), limit_cpus: None, limited_by: None, sees_root: true }),
        },
        sleeps: Some(Sleeps {
            count: 200,
            asked_ns: 1_000_000,
            p50_ns: 55_000.0,
            p95_ns: 80_000.0,
            max_ns: 120_000,
        }),
        noise: Some(Noise {
            wall_ns: LOOK,
            cpus: (0..4).map(cpu).collect(),
            skipped: "".parse().unwrap(),
            disturbance: Some(Disturbance { steal: 0.0, foreign: 0.0 }),
        }),
    }
}

/// Changes the noise of a machine.
pub fn noise(doctor: &mut Doctor) -> &mut Noise {
    doctor.noise.as_mut().unwrap()
}

/// Adds gaps of one length to what CPU 0 lost.
pub fn add_gaps(doctor: &mut Doctor, class: usize, count: u64, length_ns: u64) {
    let gaps = &mut noise(doctor).cpus[0].gaps;
    gaps.counts[class] += count;
    gaps.lost_ns += count * length_ns;
    gaps.longest_ns = gaps.longest_ns.max(Some(length_ns));
}
