//! Feature gates: those that a release does not know, and those that say nothing any more.

use super::Case;
use crate::kubelet::{
    finding::Fault,
    gates::{Gate, Stage},
};

pub(super) fn check(case: &mut Case<'_>) {
    let (config, release) = (case.config, case.release);
    for (name, &open) in &config.feature_gates {
        let Some(gate) = Gate::named(name) else { continue };
        let fault = match (gate.stage(release.version()), gate.gone_since(), gate.stable_since()) {
            (None, Some(since), _) if release >= since => Fault::GoneGate { since },
            (None, _, _) => Fault::LaterGate { since: gate.introduced(), release },
            (Some(Stage::Stable), _, Some(since)) if open => Fault::StableGate { since },
            (Some(Stage::Stable), _, Some(since)) if !gate.closes_when_stable() => {
                Fault::LockedGate { since }
            }
            _ => continue,
        };
        case.found(["featureGates", name], fault);
    }
}
