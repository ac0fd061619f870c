//! Who lives in a cgroup, in few words.

use std::{io, path::Path};

use cgtune_core::text::Escaped;
use cgtune_node::names::{Answer, Kind, Outcome, Register, Resident};

use crate::streams::Streams;

/// As much of an id as people write.
const ID: usize = 12;

/// `prod/web/app`: the names of pod and container, and what else the group is. `None`: no name is known, the path says more.
pub(crate) fn title(resident: &Resident, path: &Path) -> Option<String> {
    let pod = resident
        .pod
        .as_ref()
        .and_then(|pod| Some(format!("{}/{}", pod.namespace.as_ref()?, pod.name.as_ref()?)));
    let container = resident.container.as_ref().filter(|_| resident.kind != Kind::Sandbox);
    let named = match (pod, container) {
        (Some(pod), Some(container)) => {
            let id = || container.id.chars().take(ID).collect();
            format!("{pod}/{}", container.name.clone().unwrap_or_else(id))
        }
        (Some(pod), None) => pod,
        (None, container) => container?.name.clone()?,
    };
    let leaf = || Escaped(path.file_name().unwrap_or_default().as_encoded_bytes());
    Some(match resident.kind {
        Kind::Sandbox => format!("{named} (sandbox)"),
        Kind::Monitor => format!("{named} (monitor)"),
        Kind::Inside | Kind::Unit => format!("{named}: {}", leaf()),
        _ => named,
    })
}

/// Warns of those who could not be asked. That matters only where a name is missing.
pub(crate) fn warn<'r>(
    mut residents: impl Iterator<Item = &'r Resident>,
    register: &Register,
    streams: &mut Streams<'_>,
) -> io::Result<()> {
    if residents.any(Resident::is_nameless) {
        for answer in register.failures() {
            streams.warn(&unasked(answer))?;
        }
    }
    Ok(())
}

/// Who could not be asked for names, and why.
fn unasked(answer: &Answer) -> String {
    let why = match &answer.outcome {
        Outcome::Failed(why) => why.as_str(),
        _ => "it says nothing",
    };
    format!("names may be missing: cannot ask {} ({}): {why}", answer.source.name(), answer.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_needs_a_name() {
        let path = Path::new("/kubepods/pod6c1a");
        let mut resident = Resident::of(path);
        assert_eq!(title(&resident, path), None);
        let pod = resident.pod.as_mut().unwrap();
        (pod.namespace, pod.name) = (Some("prod".to_owned()), Some("web".to_owned()));
        assert_eq!(title(&resident, path).as_deref(), Some("prod/web"));
        let inside = Path::new("/kubepods/pod6c1a/mine\x1b");
        resident.kind = Kind::Inside;
        assert_eq!(title(&resident, inside).as_deref(), Some(r"prod/web: mine\x1b"));
    }
}
