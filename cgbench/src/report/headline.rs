//! The whole run in one sentence, for somebody who reads nothing else: what the limit does, and what burst does about it.

use crate::{
    plan::{Condition, Item, PolicyKind},
    record::BackendKind,
    study::verdict::{Comparison, Finding, Outcome},
    summary::{
        Summary,
        figures::{counted, ms, percent},
    },
};

/// The sentence.
pub(super) fn headline(summary: &Summary) -> String {
    let sentence = [false, true]
        .into_iter()
        .find_map(|neighbour| of_limit(summary, neighbour))
        .unwrap_or_else(|| without_limit(summary));
    match summary.backend {
        BackendKind::Kernel => sentence,
        BackendKind::Simulated => format!("SIMULATED: {}{}", sentence[..1].to_lowercase(), &sentence[1..]),
    }
}

/// About the limit, alone or beside a neighbour; `None` where nothing was found about it.
fn of_limit(summary: &Summary, neighbour: bool) -> Option<String> {
    let verdicts = summary.verdicts();
    let item = summary.item;
    let finding = |policy| {
        let condition = Condition { neighbour, policy };
        verdicts.iter().find(|verdict| verdict.condition == condition).map(|verdict| &verdict.finding)
    };
    let beside = if neighbour { " beside a noisy neighbour" } else { "" };
    let used = |part: Option<f64>| {
        part.map_or_else(String::new, |part| format!(" that is used to {} on average", percent(part)))
    };
    let limit = match finding(PolicyKind::Limit)? {
        Finding::Stalls { throttled, comparison, use_of_limit } => format!(
            "A CPU limit{} stops the {} in {} of all periods{beside}: {} takes {} ms instead of {}",
            used(*use_of_limit),
            item.worker(),
            percent(throttled.share()),
            item.one_in(comparison.level),
            ms(comparison.value_us),
            ms(comparison.reference_us),
        ),
        Finding::Throttled { throttled, comparison } => format!(
            "A CPU limit stops the {} in {} of all periods{beside}; {}",
            item.worker(),
            percent(throttled.share()),
            plainly(comparison, item)
        ),
        Finding::NeverThrottled { periods, comparison } => format!(
            "The CPU limit never stopped the {} in {}{beside}; {}",
            item.worker(),
            counted(*periods, "period"),
            plainly(comparison, item)
        ),
        Finding::TooFewFrames { throttled: Some(throttled), .. } => format!(
            "A CPU limit stops the {} in {} of {}{beside}; there are too few {}s to say what that does to latency",
            item.worker(),
            percent(throttled.share()),
            counted(throttled.periods, "period"),
            item.name()
        ),
        Finding::NoReference { throttled: Some(throttled), tail } => {
            let tail = tail.map_or_else(String::new, |tail| {
                format!("; {} takes {} ms", item.one_in(tail.level), ms(tail.value_us))
            });
            format!(
                "A CPU limit stops the {} in {} of {}{beside}{tail}",
                item.worker(),
                percent(throttled.share()),
                counted(throttled.periods, "period")
            )
        }
        Finding::Latency { comparison } => {
            format!("Under a CPU limit{beside}, {}", plainly(comparison, item))
        }
        _ => return None,
    };
    let burst = match finding(PolicyKind::LimitBurst) {
        Some(Finding::Absorbs { comparison, .. }) => {
            format!("; with a burst of one quota it takes {}", ms(comparison.value_us))
        }
        Some(Finding::Eases { throttled, .. }) => {
            format!("; with a burst of one quota it stops in {}", percent(throttled.share()))
        }
        Some(
            Finding::NoReference { throttled: Some(throttled), .. }
            | Finding::TooFewFrames { throttled: Some(throttled), .. },
        ) => match throttled.throttled {
            0 => "; with a burst of one quota it never does".to_owned(),
            _ => format!("; with a burst of one quota it stops in {}", percent(throttled.share())),
        },
        _ => String::new(),
    };
    Some(format!("{limit}{burst}."))
}

fn plainly(comparison: &Comparison, item: Item) -> String {
    let Comparison { level, value_us, reference_us, .. } = comparison;
    let (value, reference) = (ms(*value_us), ms(*reference_us));
    let rest = match comparison.outcome {
        Outcome::Slower => return format!("{} takes {value} ms instead of {reference}", item.one_in(*level)),
        Outcome::Faster => "which is faster",
        Outcome::NoDifference => "no difference that these blocks can show",
        Outcome::TooFewBlocks => "too few blocks for a claim",
    };
    format!("{} takes {value} ms, {reference} without a limit: {rest}", item.one_in(*level))
}

/// About whatever there is.
fn without_limit(summary: &Summary) -> String {
    let level = summary.tail_level();
    let tails = || {
        let tail = |m: &crate::summary::Measured| Some((m.latency.get(level).pooled_us?, m.condition));
        summary.all_measured().filter_map(tail)
    };
    let least = tails().min_by(|a, b| a.0.total_cmp(&b.0));
    let most = tails().max_by(|a, b| a.0.total_cmp(&b.0));
    match least.zip(most) {
        Some(((_, one), (us, other))) if one == other => {
            format!("{} takes {} ms under {one}.", capital(&summary.item.one_in(level)), ms(us))
        }
        Some(((least, one), (most, other))) => {
            format!(
                "{} takes {} ms under {one}, and {} under {other}.",
                capital(&summary.item.one_in(level)),
                ms(least),
                ms(most)
            )
        }
        None if summary.blocks == 0 => "Nothing has been measured.".into(),
        None => format!("There are too few {}s to say anything about latency.", summary.item.name()),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
