//! What a reading costs over the bare `pread` of the same file. The claim is a ratio within one run: a kept
//! descriptor with parsing stays within 1.5 × of the bare call.
#![allow(missing_docs, clippy::expect_used, reason = "a benchmark")]

use std::{fs::File, hint::black_box, os::unix::fs::FileExt as _, path::Path};

use cgtune_core::{layout::Knob, parse::cpu_stat};
use cgtune_sys::{Hierarchies, HostRoot, dir::Dir, kept::KeptFile, lifecycle::Workshop};
use criterion::{Criterion, criterion_group, criterion_main};

fn read(c: &mut Criterion) {
    let hierarchies = Hierarchies::detect(HostRoot::default()).expect("a cpu hierarchy");
    let workshop = Workshop::open(hierarchies).expect("permission to make a cgroup (run as root)");
    let mut group = workshop.group("bench").expect("a cgroup");
    let dir: &Dir = group.cgroup().expect("it is there").cpu_dir();
    let (_, name) = workshop.hierarchies().cpu().layout.file(Knob::Stat).expect("every layout has it");

    let path: &Path = &dir.path().join(name);
    let mut bench = c.benchmark_group("cpu.stat");
    let bare = File::open(path).expect("it opens");
    let mut buffer = vec![0; 1024];
    bench.bench_function("bare pread", |b| b.iter(|| black_box(bare.read_at(&mut buffer, 0))));
    let mut kept = KeptFile::open(dir, name).expect("it opens").expect("it is there");
    bench.bench_function("kept, read and parsed", |b| b.iter(|| black_box(kept.parse(cpu_stat::parse))));
    bench.bench_function("opened, read, parsed, closed", |b| {
        b.iter(|| black_box(dir.parse(name, cpu_stat::parse)));
    });
    bench.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
