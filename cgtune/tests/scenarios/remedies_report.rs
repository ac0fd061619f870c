//! What remedies did, as text, as Markdown and as JSON.

use serde_json::{Value, json};

use super::{
    diagnosis::Expected,
    remedies::{self, SLACK_MS_PER_S, SLACK_OF_BEFORE, Tried},
    report::Setting,
};

/// The heading of [`line`].
pub(crate) fn heading() -> String {
    format!(
        "{:<25} {:<14} {:>9} {:>9} {:>16}  {}",
        "scenario", "remedy", "before", "after", "expected", "as expected"
    )
}

/// One remedy: milliseconds a second before and with it, and what the model expected.
pub(crate) fn line(tried: &Tried) -> String {
    let expected = match tried.offered.expected {
        Some(Expected { stall: [least, most], .. }) => format!("{least:.0} to {most:.0}"),
        None => "-".to_owned(),
    };
    let verdict = match (tried.amiss.is_empty(), tried.held()) {
        (false, _) => format!("disturbed: {}", tried.amiss.join("; ")),
        (true, Some(true)) => "yes".to_owned(),
        (true, Some(false)) => "NO".to_owned(),
        (true, None) if tried.helped() => "nothing expected; it helped".to_owned(),
        (true, None) => "nothing expected; it did NOT help".to_owned(),
    };
    format!(
        "{:<25} {:<14} {:>9.1} {:>9.1} {expected:>16}  {verdict}",
        tried.scenario.to_string(),
        tried.offered.kind,
        tried.before,
        tried.after
    )
}

/// How many came as expected, of those that were to be judged.
pub(crate) fn sums(tried: &[Tried]) -> String {
    let (held, judged) = remedies::held(tried);
    let open: Vec<&Tried> = remedies::fair(tried).filter(|tried| tried.held().is_none()).collect();
    format!(
        "{held} of {judged} as expected (within the modelled range, give or take {SLACK_MS_PER_S} ms/s or {:.0} % of what it was); \
         of {} without a model {} helped; {} disturbed",
        SLACK_OF_BEFORE * 100.0,
        open.len(),
        open.iter().filter(|tried| tried.helped()).count(),
        tried.len() - remedies::fair(tried).count(),
    )
}

/// For the documentation.
pub(crate) fn markdown(setting: &Setting, tried: &[Tried]) -> String {
    let lines: Vec<String> = tried.iter().map(line).collect();
    format!("{}\n\n{}.\n\n```\n{}\n{}\n```\n", setting.line(), sums(tried), heading(), lines.join("\n"))
}

/// For a program.
pub(crate) fn json(setting: &Setting, tried: &[Tried]) -> Value {
    let one = |tried: &Tried| {
        json!({
            "scenario": tried.scenario.to_string(),
            "remedy": tried.offered.kind,
            "command": tried.offered.command,
            "stall_ms_per_s_before": tried.before,
            "stall_ms_per_s_after": tried.after,
            "throttled_ratio_before": tried.ratios[0],
            "throttled_ratio_after": tried.ratios[1],
            "expected_stall_ms_per_s": tried.offered.expected.map(|expected| expected.stall),
            "modelled_stall_ms_per_s_before": tried.offered.expected.map(|expected| expected.stall_now),
            "as_expected": tried.held(),
            "disturbed": tried.amiss,
        })
    };
    json!({
        "schema": "cgtune.remedies/1",
        "setting": setting.json(),
        "remedies": tried.iter().map(one).collect::<Vec<_>>(),
    })
}
