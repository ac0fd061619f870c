//! What was typed → amounts, for every verb that takes them: errors name the flag and point at the character.

use anyhow::anyhow;
use cgtune_core::{
    CpuSet,
    convert::{Burst, BurstError, CpuQuantity, QuantityError},
};

use crate::failure::Hinted;

/// An amount of CPU.
pub(crate) fn quantity(flag: &str, text: &str) -> Result<CpuQuantity, Hinted> {
    text.parse().map_err(|error| pointed_at(flag, &error, error.hint()))
}

/// A `--burst`.
pub(crate) fn burst(text: &str) -> anyhow::Result<Burst> {
    text.parse().map_err(|error| match error {
        BurstError::Quantity(error) => {
            pointed_at("--burst", &error, "write a time (20ms), a part of the quota (50%) or CPU (200m)")
                .into()
        }
        other => anyhow!("--burst: {other}"),
    })
}

/// A list of CPUs or memory nodes.
pub(crate) fn list(flag: &str, text: &str) -> anyhow::Result<CpuSet> {
    text.parse().map_err(|error| Hinted::new(anyhow!("{flag}: {error}"), "a list such as 0-3,7").into())
}

fn pointed_at(flag: &str, error: &QuantityError, hint: &str) -> Hinted {
    Hinted::new(anyhow!("{flag}: {error}"), hint).with_picture(error.caret())
}
