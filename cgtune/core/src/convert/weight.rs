//! cgroup v1 shares → cgroup v2 weight: three formulas are in use, two of them on one and the same node.
//!
//! An OCI spec has no field for a weight, so shares travel down to the low-level runtime, and *its* version
//! decides. The kubelet converts for its own groups, systemd for units that still say `CPUShares=`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Shares, Weight};

/// Who turns shares into a weight, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightFormula {
    /// `1 + (shares − 2) × 9999 / 262142`, truncated.
    ///
    /// The kubelet for `kubepods`, QoS and pod groups (so still in the 1.37 tree); for containers runc up to 1.3.1 (every
    /// 1.1 and 1.2), crun before 1.23, youki before 0.5.7, kata's cgroups-rs. One CPU, 1024 shares, is 39: below the
    /// kernel's default of 100.
    Linear,
    /// `⌈10^((l² + 125 l) / 612 − 7/34)⌉` with `l = log2(shares)`.
    ///
    /// Containers under opencontainers/cgroups from 0.0.3 (commit fd95216; runc from 1.3.2, 1.4 and 1.5), crun from
    /// 1.23, youki from 0.5.7. One CPU is 100, and both ends stay where they were; in between weights are not proportional
    /// to requests: 4 CPUs against 1 weigh 303 to 100.
    Logarithmic,
    /// `shares × 100 / 1024`, truncated and held between 1 and 10000.
    ///
    /// systemd itself (`cgroup_cpu_shares_to_weight`, src/core/cgroup.c, 252.39). Proportional, up to 100 CPUs.
    SystemdScale,
}

impl WeightFormula {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Logarithmic, Self::SystemdScale];

    /// The weight of these shares.
    #[must_use]
    pub fn weight(self, shares: Shares) -> Weight {
        let s = shares.get();
        let weight = match self {
            Self::Linear => 1 + (s - Shares::MIN.get()) * 9999 / (Shares::MAX.get() - Shares::MIN.get()),
            Self::Logarithmic => logarithmic(shares),
            Self::SystemdScale => s * 100 / 1024,
        };
        // Cannot fail: the number is held in the range just here.
        Weight::new(weight.clamp(Weight::MIN.get(), Weight::MAX.get())).unwrap_or(Weight::MIN)
    }

    /// Who converts containers' shares (for [`SystemdScale`](Self::SystemdScale), units') this way, with versions.
    #[must_use]
    pub const fn used_by(self) -> &'static str {
        match self {
            Self::Linear => "runc ≤ 1.3.1, crun < 1.23, youki < 0.5.7",
            Self::Logarithmic => "opencontainers/cgroups ≥ 0.0.3 (runc ≥ 1.3.2, crun ≥ 1.23, youki ≥ 0.5.7)",
            Self::SystemdScale => "systemd, for units with CPUShares=",
        }
    }

    /// The formula's name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Logarithmic => "logarithmic",
            Self::SystemdScale => "systemd_scale",
        }
    }
}

impl fmt::Display for WeightFormula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Source: `ConvertCPUSharesToCgroupV2Value`, opencontainers/cgroups utils.go at 30a2293.
///
/// Go, C and Rust agree on all 262,143 inputs although this is floating point; a test compares the whole table.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares are below 2^19, the result is between 1 and 10000"
)]
fn logarithmic(shares: Shares) -> u64 {
    // As upstream does, so that the ends don't hang on the last bit of a logarithm, which ⌈⌉ would carry over.
    if shares == Shares::MIN {
        return Weight::MIN.get();
    }
    if shares == Shares::MAX {
        return Weight::MAX.get();
    }
    let l = (shares.get() as f64).log2();
    10_f64.powf((l * l + 125.0 * l) / 612.0 - 7.0 / 34.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_formula_keeps_the_order_of_shares() {
        for formula in WeightFormula::ALL {
            let weights = (2..=262_144).map(|s| formula.weight(Shares::new(s).unwrap()));
            assert!(weights.is_sorted(), "{formula}");
        }
    }

    #[test]
    fn names_are_those_of_the_json() {
        for formula in WeightFormula::ALL {
            assert_eq!(serde_json::to_string(&formula).unwrap(), format!("\"{formula}\""));
        }
    }
}
