//! What a policy sets aside for the load, in CPUs: what a scheduler of pods would count.

use cgtune_core::{
    ObservedShare, Shares, Weight,
    convert::{WeightFormula, kubelet},
};

use crate::{
    plan::{Condition, PolicyKind},
    record::{Block, Records},
};

/// CPUs set aside under a condition, averaged over its blocks: whole ones where it has CPUs of its own, else its quota, else its
/// request. `None` where nothing of the kind was read back.
#[must_use]
pub fn reserved_cpus(records: &Records, condition: Condition) -> Option<f64> {
    let blocks = records.blocks.iter().filter(|block| block.condition == condition);
    let all: Vec<f64> = blocks.filter_map(|block| of_block(condition.policy, block)).collect();
    (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

fn of_block(policy: PolicyKind, block: &Block) -> Option<f64> {
    let observed = &block.observed;
    if policy.pins() {
        let own = observed.cpus.as_ref().filter(|cpus| !cpus.is_empty()).or(observed.effective_cpus.as_ref());
        return own.map(|cpus| cpus.len() as f64).filter(|cpus| *cpus > 0.0);
    }
    if policy.limits() {
        return observed.bandwidth.and_then(|bandwidth| bandwidth.cpus());
    }
    request_cpus(observed.share?)
}

/// The request that shares or a weight stand for; of a weight the middle of those that give it.
fn request_cpus(share: ObservedShare) -> Option<f64> {
    let milli = |shares| kubelet::request_of(shares).get() as f64 / 1e3;
    match share {
        ObservedShare::Shares(shares) => Shares::new(shares).ok().map(milli),
        ObservedShare::Weight(weight) => {
            let shares = WeightFormula::Logarithmic.shares(Weight::new(weight).ok()?)?;
            Some(f64::midpoint(milli(*shares.start()), milli(*shares.end())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_its_shares_were_made_of() {
        // 433 milli-CPU: 443 shares (433 · 1024 / 1000), as in results/encoder-linux-6.18.
        assert_eq!(request_cpus(ObservedShare::Shares(443)), Some(0.433));
        assert_eq!(request_cpus(ObservedShare::Shares(1)), None, "no group has so few");
    }

    #[test]
    fn a_weight_stands_for_about_the_request_that_gave_it() {
        let shares = kubelet::shares(cgtune_core::MilliCpu::new(433));
        let weight = WeightFormula::Logarithmic.weight(shares);
        let found = request_cpus(ObservedShare::Weight(weight.get())).unwrap();
        assert!((found - 0.433).abs() < 0.02, "{found}");
    }
}
