//! The `update` commands of container tools, and what they leave out of a wish. The options' names are
//! [`cgtune_core::convert::tool`]'s.

use cgtune_core::{
    Weight,
    convert::{
        WeightFormula, kubelet,
        tool::{self, Options},
    },
    text::shell,
};

use super::{Lasting, Wanted};

/// One tool's command.
pub(super) struct Tool {
    /// How the owner is called in the answer.
    pub(super) owner: String,
    /// The program and what stands before the options.
    pub(super) words: Vec<String>,
    /// Whose options they are.
    pub(super) vocabulary: tool::Tool,
    /// What else should be known of it.
    pub(super) notes: Vec<String>,
}

impl Tool {
    /// The command for a container, with what it leaves out.
    pub(super) fn lasting(self, id: &str, goal: &Wanted) -> Lasting {
        let mut cannot = Vec::new();
        let shares = match (goal.shares(), goal.weight()) {
            (Some(shares), _) => Some(shares),
            (None, Some(weight)) => shares_of(weight, &mut cannot),
            (None, None) => None,
        };
        let options = Options {
            period: goal.period(),
            quota: goal.bandwidth().map(|(quota, _)| quota),
            shares,
            cpus: goal.cpus(),
            mems: goal.mems(),
            burst: goal.burst(),
            idle: goal.idle(),
        };
        if !self.vocabulary.burst_and_idle() {
            let name = &self.owner;
            if goal.touched.burst {
                cannot.push(format!("burst: {name} has no option for it"));
            }
            if goal.touched.idle {
                cannot.push(format!("idle: {name} has no option for it"));
            }
        }
        let options = options.words(self.vocabulary);
        if options.is_empty() {
            return Lasting { owner: self.owner, command: None, cannot };
        }
        cannot.extend(self.notes);
        let words: Vec<String> = self.words.into_iter().chain(options).chain([id.to_owned()]).collect();
        Lasting { owner: self.owner, command: shell::line(&words), cannot }
    }
}

/// The fewest shares that become a weight by the newest formula, and a word on what others make of them.
pub(super) fn shares_of(weight: u64, cannot: &mut Vec<String>) -> Option<u64> {
    let weight = Weight::new(weight).ok()?;
    // Every weight occurs.
    let shares = *WeightFormula::Logarithmic.shares(weight)?.start();
    let low = shares.get();
    cannot.push(format!(
        "weight: the command takes shares or a request; {low} shares are weight {} in {}, and {} in older ones",
        WeightFormula::Logarithmic.weight(shares).get(),
        WeightFormula::Logarithmic.used_by(),
        kubelet::weight(shares).get(),
    ));
    Some(low)
}

#[cfg(test)]
mod tests {
    use cgtune_core::Shares;

    use super::*;

    #[test]
    fn every_weight_has_shares_that_become_it() {
        for weight in (1..=10_000).step_by(7) {
            let shares = shares_of(weight, &mut Vec::new()).unwrap();
            assert_eq!(WeightFormula::Logarithmic.weight(Shares::new(shares).unwrap()).get(), weight);
        }
        assert_eq!(shares_of(0, &mut Vec::new()), None);
        let mut said = Vec::new();
        // 1024 shares: 100 by the new formula, 39 by the old (helpers of runc and the kubelet).
        assert!((1000..=1024).contains(&shares_of(100, &mut said).unwrap()));
        assert!(said[0].contains("39 in older ones"), "{said:?}");
    }
}
