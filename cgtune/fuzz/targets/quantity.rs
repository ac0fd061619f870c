//! Any text as a CPU amount, another amount, a burst, a version and a runtime: read or refused, and what was read is
//! read again from how it is shown.

#![no_main]

use cgtune_core::convert::{Burst, CpuQuantity, Quantity, Runtime, Version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match text.parse::<CpuQuantity>() {
        Ok(quantity) => assert_eq!(quantity.to_string().parse(), Ok(quantity)),
        Err(error) => {
            assert!(text.is_char_boundary(error.at));
            let _ = (error.to_string(), error.caret(), error.hint());
        }
    }
    // What is a CPU amount is an amount.
    if text.parse::<CpuQuantity>().is_ok() {
        assert!(text.parse::<Quantity>().is_ok());
    }
    if let Ok(burst) = text.parse::<Burst>() {
        assert_eq!(burst.to_string().parse(), Ok(burst));
    }
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(version.to_string().parse(), Ok(version));
    }
    let _ = text.parse::<Runtime>().map_err(|error| error.to_string());
});
