//! A pod's spec and status, or the spec of a template.

use cgtune_core::convert::pod::{Container, ContainerStatus, Pod, Resources, Role};

use super::{Faults, resources, text};
use crate::{Cursor, FieldError};

/// On a static pod's mirror in the API: the hash that is the pod's UID on its node (pkg/kubelet/types/pod_update.go).
const MIRROR: &str = "kubernetes.io/config.mirror";
/// Longest UID taken.
const LONGEST_UID: usize = 64;

/// The UID by which the kubelet names the pod's group.
pub(super) fn uid(metadata: &Cursor<'_>) -> Result<Option<String>, FieldError> {
    let mirror = match metadata.optional("annotations")? {
        Some(annotations) => annotations.optional(MIRROR)?,
        None => None,
    };
    let Some(found) = mirror.map_or_else(|| metadata.optional("uid"), |mirror| Ok(Some(mirror)))? else {
        return Ok(None);
    };
    let uid = found.text()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if uid.is_empty() || uid.len() > LONGEST_UID || !uid.bytes().all(plain) {
        return Err(found.error("this is no UID: letters, digits and dashes, at most 64"));
    }
    Ok(Some(uid.to_owned()))
}

/// From the object that holds `spec`, and `status` if it runs.
pub(super) fn read(holder: &Cursor<'_>, notes: &mut Vec<FieldError>, faults: &mut Faults) -> Option<Pod> {
    let spec = faults.kept(holder.field("spec"))?;
    let status = faults.kept(holder.optional("status"))?;
    let mut containers = Vec::new();
    for (field, statuses, role) in [
        ("initContainers", "initContainerStatuses", Role::Init),
        ("containers", "containerStatuses", Role::App),
        ("ephemeralContainers", "ephemeralContainerStatuses", Role::Ephemeral),
    ] {
        let statuses = status.as_ref().map_or_else(Vec::new, |status| statuses_in(status, statuses, faults));
        let found = if role == Role::App {
            faults.kept(spec.field(field).map(Some))?
        } else {
            faults.kept(spec.optional(field))?
        };
        let items = found.and_then(|found| faults.kept(found.items()));
        for item in items.into_iter().flatten() {
            if let Some(mut container) = container(&item, role, notes, faults) {
                let own = statuses.iter().find(|(name, _)| *name == container.name);
                container.status = own.map(|(_, status)| status.clone());
                containers.push(container);
            }
        }
    }
    Some(Pod {
        containers,
        overhead: resources::list(&spec, "overhead", faults).unwrap_or_default(),
        resources: resources::read(&spec, notes, faults),
        resize_infeasible: status.is_some_and(|status| infeasible(&status).unwrap_or(false)),
    })
}

fn container(
    item: &Cursor<'_>,
    role: Role,
    notes: &mut Vec<FieldError>,
    faults: &mut Faults,
) -> Option<Container> {
    let name = faults.kept(item.field("name").and_then(|name| name.text()));
    let restart = faults.kept(text(item, "restartPolicy"))?;
    let role = match role {
        Role::Init if restart.as_deref() == Some("Always") => Role::Sidecar,
        role => role,
    };
    let resources = resources::read(item, notes, faults).unwrap_or_default();
    Some(Container { name: name?.to_owned(), role, resources, status: None })
}

/// `containerStatuses` by name. What is written there by the cluster is not held against the manifest.
fn statuses_in(status: &Cursor<'_>, field: &str, faults: &mut Faults) -> Vec<(String, ContainerStatus)> {
    let Some(found) = faults.kept(status.optional(field)).flatten() else { return Vec::new() };
    let items = faults.kept(found.items());
    let mut statuses = Vec::new();
    for item in items.into_iter().flatten() {
        let Some(name) = faults.kept(text(&item, "name")).flatten() else { continue };
        let resources: Option<Resources> = resources::read(&item, &mut Vec::new(), faults);
        let allocated = resources::list(&item, "allocatedResources", faults).unwrap_or_default();
        statuses.push((name, ContainerStatus { resources, allocated }));
    }
    statuses
}

/// Whether a condition says that a resize cannot be done.
fn infeasible(status: &Cursor<'_>) -> Result<bool, FieldError> {
    let Some(conditions) = status.optional("conditions")? else { return Ok(false) };
    for condition in conditions.items()? {
        let said = |name| text(&condition, name);
        if said("type")?.as_deref() == Some("PodResizePending")
            && said("reason")?.as_deref() == Some("Infeasible")
        {
            return Ok(true);
        }
    }
    Ok(false)
}
