//! What a group is called in a table. The only place that knows: names of pods will be looked up here.

use std::path::Path;

use cgtune_core::text::Escaped;

/// Digits of a container's id that are shown, as Docker and crictl do.
const DIGITS: usize = 12;
/// Digits of a whole id.
const ID: usize = 64;

/// A group by its last two components, ids of containers shortened; safe to show.
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
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        out.push_str(if run.len() == ID { &run[..DIGITS] } else { &run });
        run.clear();
        if c != '\n' {
            out.push(c);
        }
    }
    out
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
            ("/a/b\x1b[2J".to_owned(), r"a/b\x1b[2J"),
        ] {
            assert_eq!(label(Path::new(&path)), shown);
        }
        assert_eq!(own(Path::new("/a/b")), "b");
    }
}
