//! The points of an experiment: each combination of what is varied, or what is listed one by one.

use toml::{Table, Value};

use super::{ExperimentError, settings, spec::Spec};
use crate::plan::{EncodeLoad, Load, Plan};

/// More points than anybody waits for.
const MOST_POINTS: usize = 200;

/// One point: a plan whose load may still have to be sized for this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The plan. Its encode loop has a size that is not of this machine until [`Point::size`] was called.
    pub plan: Plan,
    /// The load whose size is looked for; `None` where it is given.
    sized_as: Option<EncodeLoad>,
    /// Whether the plan's own load has that size, or only that of its pilots.
    own: bool,
}

impl Point {
    pub(super) fn of(spec: &Spec, base: &Spec, label: Option<String>) -> Result<Self, String> {
        let load = spec.load.load(spec.seed)?;
        let base_load = base.load.load(base.seed)?;
        let of_base = spec.limit.need_of_base();
        let pilot = (of_base && load != base_load).then(|| base_load.clone());
        let own = spec.load.looks_for_size();
        let (looks, source) = if of_base { (base.load.looks_for_size(), &base_load) } else { (own, &load) };
        if own && !looks {
            return Err("with limit.need_of = \"base\" the base has to look for its size as well".to_owned());
        }
        let sized_as = match source {
            Load::Encode(encode) if looks => Some(encode.clone()),
            Load::Encode(_) | Load::Service(_) => None,
        };
        Ok(Self { plan: spec.plan(load, pilot, label)?, sized_as, own })
    }

    /// The load that this point's size follows from, if it is to be looked for. Points with the same have the same size.
    #[must_use]
    pub fn sized_as(&self) -> Option<&EncodeLoad> {
        self.sized_as.as_ref()
    }

    /// Gives the load, and that of its pilots, the size that was found.
    pub fn size(&mut self, (width, height): (u32, u32)) {
        let own = Some(&mut self.plan.load).filter(|_| self.own);
        for load in own.into_iter().chain(self.plan.pilot.as_mut()) {
            if let Load::Encode(load) = load {
                (load.encode.width, load.encode.height) = (width, height);
            }
        }
    }

    /// Name of its folder.
    #[must_use]
    pub fn slug(&self) -> Option<String> {
        self.plan.point.as_deref().map(slug)
    }
}

/// A label as a file's name: what is not a letter, digit, dot, plus or minus becomes a minus.
#[must_use]
pub(crate) fn slug(label: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".+-".contains(c) { c } else { '-' };
    let text: String = label.chars().map(plain).collect();
    let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
    let name = parts.join("-");
    // No folder may be hidden, or be the one above.
    name.trim_start_matches(['.', '-']).to_owned()
}

/// The table of each point, with its label. Takes `sweep` and `point` out of the table; without them there is one point, which
/// needs no label.
pub(super) fn variations(table: &mut Table) -> Result<Vec<(Option<String>, Table)>, ExperimentError> {
    let sweep = table.remove("sweep");
    let listed = table.remove("point");
    let mut points = vec![(Vec::new(), table.clone())];
    let bad = |label: &str, what: String| ExperimentError::Value {
        origin: "the sweep".to_owned(),
        label: Some(label.to_owned()),
        what,
    };
    // Before they are made: a short text can ask for more than there is memory.
    let varied = sweep.iter().filter_map(Value::as_table).flat_map(Table::values).chain(&listed);
    let lengths = varied.filter_map(Value::as_array).map(|values| values.len().max(1));
    let product = lengths.fold(1, usize::saturating_mul);
    if product > MOST_POINTS {
        return Err(ExperimentError::TooMany { points: product, most: MOST_POINTS });
    }
    if let Some(Value::Table(sweep)) = sweep {
        for (name, values) in sweep {
            let Value::Array(values) = values else {
                return Err(bad(&name, "a list of values is needed".to_owned()));
            };
            if values.is_empty() {
                return Err(bad(&name, "the list is empty: at least one value is needed".to_owned()));
            }
            let short = name.rsplit('.').next().unwrap_or(&name).to_owned();
            let mut next = Vec::new();
            for (label, table) in &points {
                for value in &values {
                    let mut varied: Table = table.clone();
                    settings::put(&mut varied, &name, value.clone()).map_err(|what| bad(&name, what))?;
                    let mut label: Vec<String> = label.clone();
                    label.push(format!("{short} {}", plain(value)));
                    next.push((label, varied));
                }
            }
            points = next;
        }
    }
    let mut labelled: Vec<(Option<String>, Table)> = points
        .into_iter()
        .map(|(label, table)| ((!label.is_empty()).then(|| label.join(", ")), table))
        .collect();
    if let Some(Value::Array(listed)) = listed {
        let mut all = Vec::new();
        for (label, table) in &labelled {
            for entry in &listed {
                let (name, sets) = entry_of(entry).map_err(|what| bad("point", what))?;
                let mut varied = table.clone();
                for (key, value) in sets {
                    settings::put(&mut varied, key, value.clone()).map_err(|what| bad(name, what))?;
                }
                let label =
                    label.as_ref().map_or_else(|| name.to_owned(), |label| format!("{name}, {label}"));
                all.push((Some(label), varied));
            }
        }
        labelled = all;
    }
    let mut slugs: Vec<String> =
        labelled.iter().filter_map(|(label, _)| label.as_deref().map(slug)).collect();
    slugs.sort();
    if let Some(twice) = slugs.windows(2).find(|pair| pair[0] == pair[1] || pair[0].is_empty()) {
        return Err(bad(&twice[0], "two points have this name, or none".to_owned()));
    }
    Ok(labelled)
}

fn entry_of(entry: &Value) -> Result<(&str, impl Iterator<Item = (&String, &Value)>), String> {
    let table = entry.as_table().ok_or("a table is needed")?;
    let name = table.get("name").and_then(Value::as_str).ok_or("a name is needed")?;
    let sets = table.get("set").and_then(Value::as_table);
    Ok((name, sets.into_iter().flatten()))
}

/// A value as it stands in a label.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<Option<String>> {
        variations(&mut text.parse().unwrap()).unwrap().into_iter().map(|(label, _)| label).collect()
    }

    #[test]
    fn nothing_varied_is_one_point_without_a_name() {
        assert_eq!(labels("a = 1"), [None]);
    }

    #[test]
    fn a_sweep_has_every_combination_once() {
        let found =
            labels("[sweep]\n\"limit.headroom\" = [1.02, 1.3]\n\"limit.period\" = [\"20ms\", \"50ms\"]");
        let expected = [
            "headroom 1.02, period 20ms",
            "headroom 1.02, period 50ms",
            "headroom 1.3, period 20ms",
            "headroom 1.3, period 50ms",
        ];
        assert_eq!(found, expected.map(|label| Some(label.to_owned())));
        assert_eq!(slug(expected[0]), "headroom-1.02-period-20ms");
    }

    #[test]
    fn more_points_than_anybody_waits_for_are_refused_before_they_are_made() {
        let values: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let sweep: String = (0..8).map(|key| format!("key{key} = [{}]\n", values.join(","))).collect();
        let error = variations(&mut format!("[sweep]\n{sweep}").parse().unwrap()).unwrap_err();
        assert!(matches!(error, ExperimentError::TooMany { .. }), "{error}");
        let error = variations(&mut "[sweep]\nx = []".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("the list is empty"), "{error}");
    }

    #[test]
    fn listed_points_have_their_names() {
        let text = "a = 1\n[[point]]\nname = \"base\"\n[[point]]\nname = \"twice\"\nset = { a = 2 }";
        let found = variations(&mut text.parse().unwrap()).unwrap();
        assert_eq!(found[0], (Some("base".to_owned()), "a = 1".parse().unwrap()));
        assert_eq!(found[1], (Some("twice".to_owned()), "a = 2".parse().unwrap()));
    }

    #[test]
    fn no_folder_is_hidden_or_elsewhere() {
        for (label, expected) in [("../../x", "x"), ("..", ""), ("a/b", "a-b"), ("work +5 %", "work-+5")] {
            assert_eq!(slug(label), expected);
        }
        let twice = "[[point]]\nname = \"a b\"\n[[point]]\nname = \"a-b\"";
        assert!(variations(&mut twice.parse().unwrap()).is_err());
    }
}
