//! `requests`, `limits` and other lists of resources.

use std::str::FromStr;

use cgtune_core::convert::{QuantityError, pod::Resources, resources::ResourceList};

use super::Faults;
use crate::{Cursor, FieldError};

/// Fields that `resources` has (core/v1 ResourceRequirements).
const KNOWN: [&str; 3] = ["requests", "limits", "claims"];

/// `resources` of a container or of a pod.
pub(super) fn read(
    parent: &Cursor<'_>,
    notes: &mut Vec<FieldError>,
    faults: &mut Faults,
) -> Option<Resources> {
    let found = faults.kept(parent.optional("resources"))??;
    for (name, value) in faults.kept(found.entries())? {
        if !KNOWN.contains(&name) {
            notes.push(
                value.error("resources has no such field, so it has no effect; it has requests and limits"),
            );
        }
    }
    Some(Resources {
        requests: list(&found, "requests", faults).unwrap_or_default(),
        limits: list(&found, "limits", faults).unwrap_or_default(),
    })
}

/// A list by the name of its field; `None`: it is missing, or wrong.
pub(super) fn list(parent: &Cursor<'_>, field: &str, faults: &mut Faults) -> Option<ResourceList> {
    let found = faults.kept(parent.optional(field))??;
    let mut list = ResourceList::default();
    for (name, value) in faults.kept(found.entries())? {
        if name == "cpu" {
            list.cpu = faults.kept(quantity(&value));
        } else if let Some(amount) = faults.kept(quantity(&value)) {
            list.others.insert(name.to_owned(), amount);
        }
    }
    Some(list)
}

pub(super) fn quantity<T: FromStr<Err = QuantityError>>(value: &Cursor<'_>) -> Result<T, FieldError> {
    let text = value.text_or_number()?;
    text.parse().map_err(|error: QuantityError| value.error(format!("{error}; {}", error.hint())))
}
