//! What was found about each policy: a word, then the sentence.

use super::markup::Markup;
use crate::{
    chart::policy::{colour, text_colour},
    study::verdict::{Comparison, Finding, Outcome, Verdict},
    summary::Summary,
};

/// How a word is shown. It never says anything that the word doesn't.
#[derive(Clone, Copy)]
enum Tone {
    Bad,
    Good,
    Plain,
}

/// The verdicts, in a list alone and one beside a neighbour. `level` is that of the headings.
pub(super) fn lists(m: &mut Markup, summary: &Summary, level: &'static str) {
    let verdicts = summary.verdicts();
    m.element("div", &[("class", "verdicts")], |m| {
        for (neighbour, heading) in [(false, "Alone"), (true, "With a noisy neighbour")] {
            let group: Vec<&Verdict> =
                verdicts.iter().filter(|v| v.condition.neighbour == neighbour).collect();
            if group.is_empty() {
                continue;
            }
            m.element("div", &[], |m| {
                m.leaf(level, &[], heading);
                m.element("ul", &[], |m| group.iter().for_each(|verdict| one(m, verdict)));
            });
        }
    });
    if verdicts.is_empty() {
        m.leaf("p", &[], "The plan has no conditions.");
    }
}

fn one(m: &mut Markup, verdict: &Verdict) {
    let policy = verdict.condition.policy;
    let (word, tone) = word(&verdict.finding);
    let sentence = verdict.to_string();
    let sentence = sentence.split_once(": ").map_or(sentence.as_str(), |(_, rest)| rest);
    m.element("li", &[], |m| {
        m.element("p", &[("class", "who")], |m| {
            let (dot, name) = (m.class(colour(policy)), m.class(text_colour(policy)));
            m.leaf("span", &[("class", &format!("dot {dot}")), ("aria-hidden", "true")], "");
            m.leaf("strong", &[("class", &name)], policy.name());
            let class = match tone {
                Tone::Bad => "word bad",
                Tone::Good => "word good",
                Tone::Plain => "word",
            };
            m.write(" ");
            m.leaf("span", &[("class", class)], word);
        });
        m.said("p", &[], sentence);
    });
}

fn word(finding: &Finding) -> (&'static str, Tone) {
    match finding {
        Finding::Reference { .. } => ("reference", Tone::Plain),
        Finding::Stalls { .. } => ("stalls", Tone::Bad),
        Finding::Absorbs { comparison, .. } if comparison.outcome == Outcome::Slower => ("slower", Tone::Bad),
        Finding::Absorbs { .. } => ("burst absorbs it", Tone::Good),
        Finding::Eases { .. } => ("burst eases it", Tone::Plain),
        Finding::Throttled { comparison, .. } => compared(comparison, "throttled"),
        Finding::NeverThrottled { comparison, .. } => compared(comparison, "never throttled"),
        Finding::Latency { comparison } => compared(comparison, "no difference"),
        Finding::TooFewFrames { .. } => ("too few for a claim", Tone::Plain),
        Finding::NoReference { throttled: Some(found), .. } if found.throttled > 0 => {
            ("throttled", Tone::Bad)
        }
        Finding::NoReference { throttled: Some(_), .. } => ("never throttled", Tone::Good),
        Finding::NoReference { .. } => ("nothing to compare with", Tone::Plain),
        Finding::NotProvided { .. } => ("not provided", Tone::Plain),
        Finding::NotRun => ("not run", Tone::Plain),
    }
}

fn compared(comparison: &Comparison, otherwise: &'static str) -> (&'static str, Tone) {
    match comparison.outcome {
        Outcome::Slower => ("slower", Tone::Bad),
        Outcome::Faster => ("faster", Tone::Good),
        Outcome::NoDifference => (otherwise, Tone::Plain),
        Outcome::TooFewBlocks => ("too few blocks", Tone::Plain),
    }
}
