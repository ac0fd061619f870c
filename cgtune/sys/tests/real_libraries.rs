//! Two libraries that set a container's CPU, asked for a second opinion: kata's cgroups-rs and youki's libcgroups.
//!
//! Both keep their conversion of shares to themselves, so they are driven through what they write. `docs/differential.md`
//! holds the results.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod request;
mod support;

use std::{fs, path::Path};

use cgroups_rs::{FsManager, Manager as _};
use cgtune_core::{
    Bandwidth, Layout, Quota, Shares,
    convert::{Conversion, WeightFormula},
    policy::Policy,
};
use cgtune_sys::lifecycle::OwnedCgroup;
use libcgroups::{
    common::{CgroupManager as _, ControllerOpt},
    v2::manager::Manager as Youki,
};
use oci_spec::runtime::{LinuxCpu, LinuxCpuBuilder, LinuxResources, LinuxResourcesBuilder};
use request::Seeded;
use support::workshop;

const SEED: u64 = 20_261_121;
const CASES: usize = 500;

fn resources(cpu: LinuxCpu) -> LinuxResources {
    LinuxResourcesBuilder::default().cpu(cpu).build().unwrap()
}

fn shares(shares: u64) -> LinuxResources {
    resources(LinuxCpuBuilder::default().shares(shares).build().unwrap())
}

/// The whole of a conversion; `burst` where the library knows it.
fn whole(conversion: &Conversion, burst: bool) -> LinuxResources {
    let bandwidth = conversion.bandwidth;
    let quota = bandwidth.quota().limited().map_or(-1, |quota| i64::try_from(quota.get()).unwrap());
    let mut cpu = LinuxCpuBuilder::default()
        .shares(conversion.shares.get())
        .quota(quota)
        .period(bandwidth.period().get());
    if burst {
        cpu = cpu.burst(bandwidth.burst().get());
    }
    resources(cpu.build().unwrap())
}

/// youki's way, on a v2 group or on a folder that stands for one.
fn youki(root: &Path, group: &Path, resources: &LinuxResources) {
    let manager = Youki::new(root.to_owned(), group.to_owned()).unwrap();
    let options =
        ControllerOpt { resources, disable_oom_killer: false, oom_score_adj: None, freezer_state: None };
    manager.apply(&options).unwrap();
}

#[test]
fn libcgroups_weighs_every_share_as_we_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cgroup.controllers"), "cpu\n").unwrap();
    fs::create_dir(folder.path().join("group")).unwrap();
    let path = folder.path().join("group/cpu.weight");
    fs::write(&path, "").unwrap();
    // Upwards: an ordinary file keeps the last digits of what was longer.
    for s in 2..=262_144 {
        youki(folder.path(), Path::new("group"), &shares(s));
        let weight = WeightFormula::Logarithmic.weight(Shares::new(s).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), weight.get().to_string(), "{s} shares");
    }
    println!("libcgroups: all of 2..=262144 shares as the logarithmic formula says");
}

/// Back to a new group's values.
fn reset(group: &mut OwnedCgroup) {
    let policy = Policy { bandwidth: Some(Bandwidth::unlimited()), ..Policy::default() };
    cgtune_core::control::apply(group.cgroup().unwrap(), &policy).unwrap();
}

fn compare(group: &mut OwnedCgroup, conversion: &Conversion, layout: Layout, who: &str) {
    for (file, text) in conversion.files(layout) {
        let found = group.cgroup().unwrap().cpu_dir().read(file).unwrap().unwrap();
        assert_eq!(String::from_utf8(found).unwrap().trim(), text, "{who}: {file}, {conversion:?}");
    }
}

#[test]
fn a_group_has_what_convert_says_whichever_library_wrote_it() {
    let workshop = workshop();
    let cpu = workshop.hierarchies().cpu();
    let mut group = workshop.group("libraries").unwrap();
    let path = group.cgroup().unwrap().path().to_owned();
    let relative = path.strip_prefix("/").unwrap();

    let mut kata = FsManager::new(relative.to_str().unwrap()).unwrap();
    let mut seeded = Seeded(SEED);
    for _ in 0..CASES {
        let conversion = request::random(&mut seeded, WeightFormula::Linear, false);
        reset(&mut group);
        kata.set(&whole(&conversion, false)).unwrap();
        compare(&mut group, &conversion, cpu.layout, "cgroups-rs");
    }
    println!("cgroups-rs, {:?}: {CASES} cases (seed {SEED}) as convert says, linear", cpu.layout);
    if cpu.layout == Layout::V1 {
        return;
    }

    // Only on v2 do shares become something else; libcgroups also wants v1's devices, which are not ours to touch.
    for s in (2..=262_144).step_by(97).chain([262_144]) {
        kata.set(&shares(s)).unwrap();
        let found = group.cgroup().unwrap().cpu_dir().read("cpu.weight").unwrap().unwrap();
        let weight = WeightFormula::Linear.weight(Shares::new(s).unwrap());
        assert_eq!(String::from_utf8(found).unwrap().trim(), weight.get().to_string(), "{s} shares");
    }
    println!("cgroups-rs, V2: every 97th of 2..=262144 shares as the linear formula says");
    let mut seeded = Seeded(SEED);
    for _ in 0..CASES {
        let conversion = request::random(&mut seeded, WeightFormula::Logarithmic, true);
        reset(&mut group);
        let burst = conversion.bandwidth.quota() != Quota::Unlimited;
        youki(&cpu.mount_point, relative, &whole(&conversion, burst));
        compare(&mut group, &conversion, cpu.layout, "libcgroups");
    }
    println!("libcgroups, V2: {CASES} cases (seed {SEED}) as convert says, logarithmic");
}
