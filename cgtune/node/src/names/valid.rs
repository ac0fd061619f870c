//! Which texts can be the names that they are said to be. Letters, digits and a few marks: none of them moves a
//! terminal's cursor or ends a word of a shell.

/// Longest label of RFC 1123, as apimachinery's validation has it (pkg/util/validation).
const LABEL: usize = 63;
/// Longest subdomain of RFC 1123, likewise.
const SUBDOMAIN: usize = 253;
/// Longest name that Docker's and containerd's own rules let through here. containerd's limit for identifiers is 76; Docker has none.
const PLAIN: usize = 255;

/// An RFC 1123 label: a namespace's name, or a container's in a pod.
#[must_use]
pub fn label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= LABEL && text.bytes().all(inner) && ends_well(text)
}

/// An RFC 1123 subdomain: labels with dots between them, a pod's name. Each part may be as long as the whole.
#[must_use]
pub fn subdomain(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= SUBDOMAIN && text.split('.').all(|part| part.bytes().all(inner) && ends_well(part))
}

/// A name or id in Docker and containerd: letters and digits, and after the first of them `_`, `.` and `-`.
#[must_use]
pub fn plain(text: &str) -> bool {
    text.len() <= PLAIN
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// A pod's UID: a UUID, the hash of a static pod's manifest, or what such a manifest has chosen itself.
#[must_use]
pub fn uid(text: &str) -> bool {
    plain(text) && !text.contains('_')
}

/// Begins and ends with a letter or digit.
fn ends_well(text: &str) -> bool {
    let well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    well(text.as_bytes().first()) && well(text.as_bytes().last())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rules_are_kubernetes_own() {
        for (text, is_label, is_subdomain) in [
            ("prod", true, true),
            ("a-1", true, true),
            ("1", true, true),
            ("web.v2", false, true),
            ("", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("A", false, false),
            ("a_b", false, false),
            ("a..b", false, false),
            ("a.", false, false),
            ("ä", false, false),
        ] {
            assert_eq!((label(text), subdomain(text)), (is_label, is_subdomain), "{text:?}");
        }
        assert!(label(&"a".repeat(63)) && !label(&"a".repeat(64)));
        assert!(subdomain(&"a".repeat(253)) && !subdomain(&"a".repeat(254)));
        assert!(uid("6c1a4e95-6bb6-11e6-bc26-28d2444e470d") && uid("d41d8cd98f00b204e9800998ecf8427e"));
        assert!(!uid("a_b") && plain("quirky_name.1") && !plain("_x") && !plain(""));
    }

    proptest! {
        #[test]
        fn what_is_valid_is_harmless(text in any::<String>()) {
            if label(&text) || subdomain(&text) || plain(&text) || uid(&text) {
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"'\"$`\\;&|<>()*?/ ".contains(&byte)));
            }
        }
    }
}
