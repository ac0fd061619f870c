//! What a group is called in a table. The only place that knows.

use std::path::Path;

use cgtune_core::text::Escaped;

use super::model::{Model, Row};

/// Digits of a container's id that are shown, as Docker and crictl do.
const DIGITS: usize = 12;
/// Digits of a whole id.
const ID: usize = 64;
/// Digits of a pod's UID that are shown.
const UID_DIGITS: usize = 8;
/// Length of a UID.
const UID: usize = 36;

/// A group in a list: by the names of pod and container, else by its path.
pub(crate) fn label(row: &Row) -> String {
    row.named.title.clone().unwrap_or_else(|| by_path(&row.path))
}

/// A group under its parent in a tree: by what its parent has not said yet.
pub(crate) fn own(model: &Model, row: &Row) -> String {
    let Some(title) = row.named.title.as_deref() else { return last(&row.path) };
    let said = row.parent.and_then(|parent| model.rows.get(parent)?.named.title.as_deref());
    let more = said.and_then(|said| title.strip_prefix(said)).filter(|more| !more.is_empty());
    more.map_or(title, |more| more.trim_start_matches(['/', ':', ' '])).to_owned()
}

/// Whether a text (in small letters) is in a group's path or names.
pub(crate) fn contains(row: &Row, text: &str) -> bool {
    let names = [Some(&*row.name), row.named.title.as_deref()];
    text.is_empty() || names.into_iter().flatten().any(|name| name.to_lowercase().contains(text))
}

/// By the last two components, ids of containers and pods shortened; safe to show.
fn by_path(path: &Path) -> String {
    let above = path.parent().and_then(Path::file_name);
    match above {
        Some(above) => format!("{}/{}", shown(above.as_encoded_bytes()), last(path)),
        None => last(path),
    }
}

/// By the last component.
fn last(path: &Path) -> String {
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
    use crate::cmd::top::synthetic;

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
            assert_eq!(by_path(Path::new(&path)), shown);
        }
        assert_eq!(last(Path::new("/a/b")), "b");
    }

    #[test]
    fn names_come_before_paths_and_a_tree_says_a_pods_name_once() {
        let model = synthetic::named();
        let labels: Vec<(String, String)> =
            model.rows.iter().map(|row| (label(row), own(&model, row))).collect();
        let shown = |list: &str, tree: &str| (list.to_owned(), tree.to_owned());
        for expected in [
            shown("kubepods/burstable", "burstable"),
            shown("prod/web", "prod/web"),
            shown("prod/web/app", "app"),
            shown("prod/web (sandbox)", "(sandbox)"),
            shown("prod/db/postgres", "postgres"),
            shown("prod/db: postgres", "postgres"),
        ] {
            assert!(labels.contains(&expected), "{expected:?} is not in {labels:?}");
        }
        let found = |text| model.rows.iter().filter(|row| contains(row, text)).count();
        assert_eq!((found("prod/web"), found("podweb"), found("prod/nobody")), (3, 3, 0));
    }
}
