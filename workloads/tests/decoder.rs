//! The oracle: an independent decoder shows exactly what the encoder believes a decoder shows.
//!
//! Needs `ffmpeg`, hence the feature: `cargo test -p workloads --features decoder --test decoder`.
//! It fails without it rather than pass for nothing.

// Clippy's exceptions for tests end at functions that tests call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use workloads::h264::{EncodeConfig, Encoder, SceneConfig};
use workloads::video::Clip;

/// Encodes a clip and compares all decoded samples.
fn check(config: &EncodeConfig, frames: u32) {
    let clip = Clip::from_scene(&config.scene, config.width, config.height, frames);
    let mut encoder = Encoder::new(config).unwrap();
    let (mut stream, mut expected) = (Vec::new(), Vec::new());
    for index in 0..frames {
        stream.extend_from_slice(encoder.encode(clip.picture(index.into())).unwrap().stream);
        expected.extend(encoder.decoded());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stream.264");
    std::fs::write(&path, &stream).unwrap();
    let decoded = Command::new("ffmpeg")
        .args(["-v", "warning", "-f", "h264", "-i"])
        .arg(&path)
        .args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough", "-"])
        .output()
        .expect("ffmpeg is needed for this test: apt-get install ffmpeg");
    let complaints = String::from_utf8_lossy(&decoded.stderr);
    assert!(decoded.status.success() && complaints.is_empty(), "{config:?}: {complaints}");
    assert_eq!(decoded.stdout.len(), expected.len(), "{config:?}");
    let frame = expected.len() / frames as usize;
    if let Some(at) = decoded.stdout.iter().zip(&expected).position(|(a, b)| a != b) {
        let (width, within) = (config.width as usize, at % frame);
        panic!("{config:?}: frame {} differs from sample {within}, row {}", at / frame, within / width);
    }
}

#[test]
fn i_frames_decode_to_what_we_think() {
    check(&EncodeConfig { width: 208, height: 128, gop: 1, ..EncodeConfig::default() }, 4);
}

#[test]
fn p_frames_decode_to_what_we_think() {
    check(&EncodeConfig { width: 320, height: 192, gop: 30, ..EncodeConfig::default() }, 70);
}

#[test]
fn every_quantiser_decodes_to_what_we_think() {
    for qp in 15..=49 {
        let scene = SceneConfig { seed: qp.into(), motion: 2.0, ..SceneConfig::default() };
        check(&EncodeConfig { width: 112, height: 80, qp, gop: 5, scene, ..EncodeConfig::default() }, 9);
    }
}

#[test]
fn slices_and_cropped_sizes_decode_to_what_we_think() {
    let scene = SceneConfig { cut_every: Some(7), ..SceneConfig::default() };
    for (width, height, threads) in [(640, 360, 2), (162, 98, 3), (320, 176, 11), (34, 32, 1)] {
        check(&EncodeConfig { width, height, threads, scene: scene.clone(), ..EncodeConfig::default() }, 20);
    }
}

#[test]
fn frame_numbers_wrap_as_they_should() {
    check(&EncodeConfig { width: 64, height: 48, gop: 600, ..EncodeConfig::default() }, 300);
}
