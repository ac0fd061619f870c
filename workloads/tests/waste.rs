//! What waste costs, alone in its process: the CPU time of a frame is the whole process's.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::atomic::AtomicBool;

use workloads::h264::{EncodeConfig, EncodeLoop, Waste};

fn cpu_ns(encode: &mut EncodeLoop) -> u64 {
    let mut sum = 0;
    encode.run_unpaced(20, &AtomicBool::new(false), &mut |frame| sum += frame.cpu_ns).unwrap();
    sum
}

/// Both take turns, so that a machine that changes its speed changes both.
#[test]
fn a_frame_that_wastes_as_much_as_it_needs_takes_twice_the_cpu_time() {
    let prepare = |waste| {
        let config =
            EncodeConfig { width: 208, height: 120, clip_frames: 20, waste, ..EncodeConfig::default() };
        EncodeLoop::prepare(&config).unwrap()
    };
    let mut careful = prepare(Waste::default());
    let mut careless = prepare(Waste { compute_frac: 1.0, ..Waste::default() });
    let (mut needed, mut taken) = (0, 0);
    for _ in 0..4 {
        needed += cpu_ns(&mut careful);
        taken += cpu_ns(&mut careless);
    }
    let ratio = taken as f64 / needed as f64;
    assert!(ratio >= 1.5, "{ratio}");
}
