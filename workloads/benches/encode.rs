//! A frame, and preparing a clip.

use criterion::{Criterion, criterion_group, criterion_main};
use workloads::h264::{EncodeConfig, Encoder};
use workloads::video::{Clip, SceneConfig};

fn frames(criterion: &mut Criterion) {
    let config = EncodeConfig { clip_frames: 30, ..EncodeConfig::default() };
    let clip = Clip::from_scene(&config.scene, config.width, config.height, config.clip_frames);
    let mut group = criterion.benchmark_group("encode 640x360");
    for threads in [1, 2] {
        let Ok(mut encoder) = Encoder::new(&EncodeConfig { threads, ..config.clone() }) else { continue };
        let mut index = 0;
        group.bench_function(format!("P frames, {threads} threads"), |bencher| {
            bencher.iter(|| {
                index += 1;
                encoder.encode(clip.picture(index)).map(|frame| frame.bits())
            });
        });
    }
    if let Ok(mut encoder) = Encoder::new(&EncodeConfig { gop: 1, ..config.clone() }) {
        let mut index = 0;
        group.bench_function("I frames", |bencher| {
            bencher.iter(|| {
                index += 1;
                encoder.encode(clip.picture(index)).map(|frame| frame.bits())
            });
        });
    }
    group.finish();
}

fn scene(criterion: &mut Criterion) {
    criterion.bench_function("draw 10 pictures of 640x360", |bencher| {
        bencher.iter(|| Clip::from_scene(&SceneConfig::default(), 640, 360, 10));
    });
}

criterion_group!(benches, frames, scene);
criterion_main!(benches);
