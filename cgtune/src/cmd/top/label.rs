//! What a group is called in a table. The only place that knows: names of pods will be looked up here.

use std::path::Path;

use cgtune_core::text::Escaped;

/// Digits of a container's id that are shown, as Docker and crictl do.
const DIGITS: usize = 12;
/// Digits of a whole id.
const ID: usize = 64;
/// Digits of a pod's UID that are shown.
const UID_DIGITS: usize = 8;
/// Length of a UID.
const UID: usize = 36;

/// A group by its last two components, ids of containers and pods shortened; safe to show.
pub(crate) fn label(path: &Path) -> String {
    let above = path.parent().and_then(Path::file_name);
    match above {
        Some(above) => format!("{}/{}", shown(above.as_encoded_bytes()), own(path)),
        None => own(path),
    }
}

/// A group by its last component, as under its parent in a tree.
pub(crate) fn own(path: &Path) -> String {
    path.file_name().map_or_else(|| "/".to_owned(), |name| shown(name.as_encoded_bytes()))
}

fn shown(name: &[u8]) -> String {
    let text = Escaped(name).to_string();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut after_digit = false;
    while let Some(first) = rest.chars().next() {
        let run = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (shown, taken) = if run == ID && !after_digit {
            (DIGITS, ID)
        } else if is_uid(rest.as_bytes()) {
            (UID_DIGITS, UID)
        } else {
            (first.len_utf8(), first.len_utf8())
        };
        out.push_str(&rest[..shown]);
        after_digit = first.is_ascii_hexdigit();
        rest = &rest[taken..];
    }
    out
}

/// Whether a text begins with a pod's UID, in which systemd's names have underscores.
fn is_uid(text: &[u8]) -> bool {
    text.get(..UID).is_some_and(|uid| {
        uid.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => matches!(byte, b'-' | b'_'),
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shortened_and_controls_are_escaped() {
        let id = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
        for (path, shown) in [
            ("/".to_owned(), "/"),
            ("/user.slice".to_owned(), "user.slice"),
            (format!("/kubepods/burstable/pod6c1a/{id}"), "pod6c1a/3b2e7f9d0c1a"),
            (format!("/a/x.slice/cri-containerd-{id}.scope"), "x.slice/cri-containerd-3b2e7f9d0c1a.scope"),
            (format!("/kubepods/pod6c1a4e95-6bb6-11e6-bc26-28d2444e470d/{id}"), "pod6c1a4e95/3b2e7f9d0c1a"),
            (
                "/k.slice/k-pod6c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice".to_owned(),
                "k.slice/k-pod6c1a4e95.slice",
            ),
            ("/dé/aé-0".to_owned(), "dé/aé-0"),
            ("/a/b\x1b[2J".to_owned(), r"a/b\x1b[2J"),
        ] {
            assert_eq!(label(Path::new(&path)), shown);
        }
        assert_eq!(own(Path::new("/a/b")), "b");
    }
}
