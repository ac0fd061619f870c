//! A LimitRange.

use cgtune_core::convert::pod::{
    LimitRange,
    limit_range::{Item, Scope},
};

use super::{Faults, resources, text};
use crate::Cursor;

pub(super) fn read(object: &Cursor<'_>, faults: &mut Faults) -> Option<LimitRange> {
    let metadata = faults.kept(object.optional("metadata"))?;
    let mut said = |name: &str| metadata.as_ref().and_then(|metadata| faults.kept(text(metadata, name))?);
    let (name, namespace) = (said("name").unwrap_or_default(), said("namespace"));
    let limits = faults.kept(object.field("spec").and_then(|spec| spec.field("limits")))?;
    let mut items = Vec::new();
    for limit in faults.kept(limits.items())? {
        let Some(kind) = faults.kept(limit.field("type").and_then(|kind| kind.text())) else { continue };
        let scope = match kind {
            "Container" => Scope::Container,
            "Pod" => Scope::Pod,
            // Of volumes, say.
            _ => continue,
        };
        let mut list = |field| resources::list(&limit, field, faults).unwrap_or_default();
        let mut item = Item {
            scope,
            default: list("default"),
            default_request: list("defaultRequest"),
            min: list("min"),
            max: list("max"),
            max_ratio: list("maxLimitRequestRatio").cpu,
        };
        item.complete();
        items.push(item);
    }
    Some(LimitRange { name, namespace, items })
}
