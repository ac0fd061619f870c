//! How long a run takes, if no block is run again.

use super::PILOT_LASTS;
use crate::plan::Plan;

/// What is left of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Left<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its blocks that are left.
    pub blocks: u32,
    /// The repetitions that they are in.
    pub repetitions: u32,
}

impl<'a> From<&'a Plan> for Left<'a> {
    /// All of it.
    fn from(plan: &'a Plan) -> Self {
        Self { plan, blocks: plan.blocks(), repetitions: plan.repetitions }
    }
}

/// About how many seconds plans take side by side, pilots included: one serves those of a repetition that have the same, for as
/// long as it lasts.
#[must_use]
pub fn seconds<'a>(left: impl IntoIterator<Item = Left<'a>>) -> f64 {
    let mut blocks = 0.0;
    let mut sharing: Vec<Vec<Left<'_>>> = Vec::new();
    for one in left {
        blocks += of_blocks(&one);
        if !one.plan.has_pilots() {
            continue;
        }
        match sharing.iter_mut().find(|group| group[0].plan.shares_pilots_with(one.plan)) {
            Some(group) => group.push(one),
            None => sharing.push(vec![one]),
        }
    }
    blocks + sharing.iter().map(|group| of_pilots(group)).sum::<f64>()
}

fn of_blocks(left: &Left<'_>) -> f64 {
    f64::from(left.blocks) * left.plan.block_seconds()
}

fn of_pilots(group: &[Left<'_>]) -> f64 {
    let repetitions = group.iter().map(|one| one.repetitions).max().unwrap_or(0);
    if repetitions == 0 {
        return 0.0;
    }
    let repetition = group.iter().map(of_blocks).sum::<f64>() / f64::from(repetitions);
    #[allow(clippy::cast_precision_loss, reason = "points of an experiment")]
    let pilots = (repetition / PILOT_LASTS.as_secs_f64()).ceil().clamp(1.0, group.len() as f64);
    f64::from(repetitions) * pilots * group[0].plan.block_seconds()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn plans(name: &str) -> Vec<Plan> {
        let experiment = Experiment::find(name, &[]).unwrap();
        experiment.points.into_iter().map(|point| point.plan).collect()
    }

    #[test]
    fn one_point_has_a_pilot_a_repetition() {
        let plan = &plans("gate")[0];
        let expected = f64::from(plan.blocks() + plan.repetitions) * plan.block_seconds();
        assert!((seconds([plan.into()]) - expected).abs() < 1e-9);
    }

    #[test]
    fn points_that_need_the_same_share_their_pilots() {
        let plans = plans("regressions");
        let apart: f64 = plans.iter().map(|plan| seconds([plan.into()])).sum();
        let together = seconds(plans.iter().map(Left::from));
        let pilots = (apart - together) / plans[0].block_seconds() / f64::from(plans[0].repetitions);
        // Nine points; a repetition of all of them takes longer than a minute, but not two.
        assert!((pilots - 7.0).abs() < 1e-9 || (pilots - 8.0).abs() < 1e-9, "{pilots}");
    }
}
