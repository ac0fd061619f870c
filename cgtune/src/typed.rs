//! What was typed → amounts, for every verb that takes them: errors name the flag and point at the character.

use anyhow::anyhow;
use cgtune_core::{
    CpuSet,
    convert::{Burst, BurstError, CpuQuantity, QuantityError, Version, VersionError},
    kubelet::Release,
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

/// A `--kubernetes` whose kubelet is known, for the parser of arguments: that names the flag.
pub(crate) fn release(text: &str) -> Result<Release, String> {
    let version: Version = text.parse().map_err(|error: VersionError| error.to_string())?;
    Release::try_from(version).map_err(|error| error.to_string())
}

fn pointed_at(flag: &str, error: &QuantityError, hint: &str) -> Hinted {
    Hinted::new(anyhow!("{flag}: {error}"), hint).with_picture(error.caret())
}
