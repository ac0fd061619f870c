//! What tells two runs apart, field by field. Which of it matters is for those to say who ask: the gate, a merge, a run that goes on.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{plan::Plan, record::Machine};

/// A field with another value in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// Its name, with dots: `kernel`, `encode.width`.
    pub field: String,
    /// In the one.
    pub one: String,
    /// In the other.
    pub other: String,
}

impl Differing {
    /// Its last part: `seed` of `encode.scene.seed`.
    #[must_use]
    pub fn last(&self) -> &str {
        self.field.rsplit('.').next().unwrap_or_default()
    }

    /// Its first part: `limit` of `limit.headroom`.
    #[must_use]
    pub fn first(&self) -> &str {
        self.field.split('.').next().unwrap_or_default()
    }
}

impl std::fmt::Display for Differing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} and {}", self.field, self.one, self.other)
    }
}

/// Of two machines. Memory is not among it: a virtual machine has a little more or less each time.
#[must_use]
pub fn of_machines(one: &Machine, other: &Machine) -> Vec<Differing> {
    let pairs = facts(one).into_iter().zip(facts(other));
    pairs
        .filter(|((_, one), (_, other))| one != other)
        .map(|((field, one), (_, other))| Differing { field: field.to_owned(), one, other })
        .collect()
}

fn facts(machine: &Machine) -> [(&'static str, String); 10] {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    [
        ("kernel", machine.kernel.clone()),
        ("cpu_model", text(&machine.cpu_model)),
        ("online_cpus", machine.online_cpus.to_string()),
        ("hypervisor", text(&machine.hypervisor)),
        ("governor", text(&machine.governor)),
        ("cpu_layout", machine.cpu_layout.clone()),
        ("cpuset_layout", text(&machine.cpuset_layout)),
        ("slice_us", machine.slice_us.map_or_else(|| "unknown".to_owned(), |us| us.to_string())),
        ("burst", machine.burst.to_string()),
        ("kept_awake", machine.kept_awake.to_string()),
    ]
}

/// Of two machines on which one run may not go on, nor two be one. What a governor is set to may change; a kernel or a CPU does not.
#[must_use]
pub fn between_machines(one: &Machine, other: &Machine) -> Vec<String> {
    of_machines(one, other)
        .iter()
        .filter(|differing| differing.field != "governor")
        .map(ToString::to_string)
        .collect()
}

/// Of two plans, as the JSON that they are stored as, so that whatever a load is made of is compared without being named here.
#[must_use]
pub fn of_plans(one: &Plan, other: &Plan) -> Vec<Differing> {
    let (one, other) = (leaves(one), leaves(other));
    let value = |leaves: &BTreeMap<String, String>, field: &String| {
        leaves.get(field).cloned().unwrap_or_else(|| "absent".to_owned())
    };
    let mut fields: Vec<&String> = one.keys().chain(other.keys()).collect();
    fields.sort();
    fields.dedup();
    fields
        .into_iter()
        .map(|field| Differing { field: field.clone(), one: value(&one, field), other: value(&other, field) })
        .filter(|differing| differing.one != differing.other)
        .collect()
}

/// The plan's fields by their dotted names.
fn leaves(plan: &Plan) -> BTreeMap<String, String> {
    fn walk(name: String, value: &Value, found: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(fields) => {
                for (field, value) in fields {
                    let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                    walk(name, value, found);
                }
            }
            Value::String(text) => drop(found.insert(name, text.clone())),
            other => drop(found.insert(name, other.to_string())),
        }
    }
    let mut found = BTreeMap::new();
    // A plan came from JSON or goes there: it has no value without a form.
    walk(String::new(), &serde_json::to_value(plan).unwrap_or_default(), &mut found);
    found
}
