//! What a look at all groups costs: microseconds a group, beside the bare `pread` of the same files. `docs/top.md` quotes it.
#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    fs::{self, File},
    hint::black_box,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use cgtune_core::{Controller, Layout, layout::Knob};
use cgtune_sys::{
    Hierarchies, HostRoot, Scan, descriptors,
    lifecycle::{OwnedCgroup, Workshop},
};

/// Looks of each kind; the middle one counts.
const LOOKS: usize = 21;

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let counts: &[usize] =
        if std::env::args().any(|arg| arg == "--bench") { &[100, 1000, 5000] } else { &[20] };
    let hierarchies = Hierarchies::detect(HostRoot::default()).expect("a cpu hierarchy");
    let workshop = Workshop::open(hierarchies.clone()).expect("permission to make cgroups (run as root)");
    let limit = descriptors::raise_limit();
    println!(
        "groups  bare pread  kept  reopened  first look   (microseconds a group; {LOOKS} looks, the middle one)"
    );
    for &count in counts {
        let below = Below::new(&workshop, count);
        let floor = floor(&hierarchies);
        let (first, kept) = looks(&hierarchies, limit);
        let (_, reopened) = looks(&hierarchies, 0);
        let each = |time: Duration, of: usize| time.as_secs_f64() * 1e6 / of as f64;
        println!(
            "{:>6}  {:>10.2}  {:>4.2}  {:>8.2}  {:>10.2}",
            kept.1,
            each(floor, kept.1),
            each(kept.0, kept.1),
            each(reopened.0, reopened.1),
            each(first, kept.1)
        );
        drop(below);
    }
}

/// Many groups below one, in each hierarchy that counts. Not the workshop's, which keep descriptors of their own.
struct Below {
    made: Vec<PathBuf>,
    _above: OwnedCgroup,
}

impl Below {
    fn new(workshop: &Workshop, count: usize) -> Self {
        let mut above = workshop.group("scan").expect("a cgroup");
        let path = above.cgroup().expect("it is there").path().to_owned();
        let hierarchies = workshop.hierarchies();
        let mut dirs: Vec<PathBuf> = [Controller::Cpu, Controller::Cpuacct]
            .into_iter()
            .filter_map(|controller| hierarchies.of(controller)?.open(&path).ok()?)
            .map(|dir| dir.path().to_owned())
            .collect();
        dirs.dedup();
        let mut made = Vec::new();
        for dir in dirs {
            if hierarchies.cpu().layout == Layout::V2 {
                fs::write(dir.join("cgroup.subtree_control"), "+cpu")
                    .expect("the cpu controller is passed on");
            }
            for number in 0..count {
                let group = dir.join(format!("g{number}"));
                fs::create_dir(&group).expect("a cgroup");
                made.push(group);
            }
        }
        Self { made, _above: above }
    }
}

impl Drop for Below {
    fn drop(&mut self) {
        for group in &self.made {
            let _ = fs::remove_dir(group);
        }
    }
}

/// The first look and the middle one of the others, with the number of groups.
fn looks(hierarchies: &Hierarchies, descriptors: u64) -> (Duration, (Duration, usize)) {
    let mut scan = Scan::new(hierarchies, descriptors).expect("a boot id");
    let mut one = || {
        let begun = Instant::now();
        let found = black_box(scan.look().expect("a look")).groups.len();
        (begun.elapsed(), found)
    };
    let (first, _) = one();
    let mut times: Vec<_> = (0..LOOKS).map(|_| one()).collect();
    times.sort();
    (first, times[LOOKS / 2])
}

/// The same files, read with one call each and not looked at.
fn floor(hierarchies: &Hierarchies) -> Duration {
    let layout = hierarchies.cpu().layout;
    let mut files = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    hierarchies.walk(|path, _| paths.push(path.to_owned())).expect("a walk");
    for path in &paths {
        let mut last = None;
        for knob in [Knob::Stat, Knob::Usage, Knob::Pressure] {
            let Some((controller, name)) = layout.file(knob).filter(|file| Some(*file) != last) else {
                continue;
            };
            last = Some((controller, name));
            let dir = hierarchies.of(controller).and_then(|h| h.open(path).ok().flatten());
            files.extend(dir.and_then(|dir| File::open(dir.path().join(name)).ok()));
        }
    }
    let mut buffer = [0; 1024];
    let mut times: Vec<Duration> = (0..LOOKS)
        .map(|_| {
            let begun = Instant::now();
            for file in &files {
                let _ = black_box(file.read_at(&mut buffer, 0));
            }
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[LOOKS / 2]
}
