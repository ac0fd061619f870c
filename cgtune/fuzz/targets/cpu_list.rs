//! Any text as a list of CPUs: read or refused, and what was read is read again from how it is shown.

#![no_main]

use cgtune_core::{CpuSet, convert::systemd};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match text.parse::<CpuSet>() {
        Ok(set) => {
            assert_eq!(set.to_string().parse(), Ok(set.clone()));
            assert_eq!(set.iter().count(), set.len());
            let mask: u32 = systemd::mask(&set).iter().map(|byte| byte.count_ones()).sum();
            assert_eq!(mask as usize, set.len());
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
});
