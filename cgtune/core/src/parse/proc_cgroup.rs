//! `/proc/<pid>/cgroup`: in which group of each hierarchy a process is (`proc_cgroup_show`, kernel/cgroup/cgroup.c).
//!
//! The kernel prints paths as they are, newlines included, so a cgroup's name can imitate further lines. A line
//! that does not begin like one belongs to the path before it; a hierarchy that appears twice is refused as ambiguous.

use super::{ParseError, decimal};

/// One line: `ID:CONTROLLERS:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Number of the hierarchy; 0 is cgroup v2.
    pub hierarchy: u64,
    /// Controllers, or `name=systemd`; empty for cgroup v2.
    pub controllers: Vec<String>,
    /// Path below the hierarchy's root as this process's cgroup namespace shows it.
    pub path: Vec<u8>,
    /// Whether the group has been removed while the process was in it.
    pub deleted: bool,
}

/// Reads the whole file.
///
/// # Errors
/// A first line of another form, or a hierarchy that appears twice.
pub fn parse(bytes: &[u8]) -> Result<Vec<Membership>, ParseError> {
    let mut found: Vec<Membership> = Vec::new();
    for line in super::lines(bytes) {
        match (head(line), found.last_mut()) {
            (Some(membership), _) => {
                let same = |other: &Membership| {
                    other.hierarchy == membership.hierarchy
                        || other.controllers.iter().any(|name| membership.controllers.contains(name))
                };
                if found.iter().any(same) {
                    return Err(ParseError::new(
                        "each hierarchy once (a cgroup's name may hold a newline)",
                        line,
                    ));
                }
                found.push(membership);
            }
            (None, Some(last)) => {
                last.path.push(b'\n');
                last.path.extend_from_slice(line);
            }
            (None, None) => return Err(ParseError::new("ID:CONTROLLERS:/PATH", line)),
        }
    }
    for membership in &mut found {
        if let Some(path) = membership.path.strip_suffix(b" (deleted)") {
            membership.path = path.to_vec();
            membership.deleted = true;
        }
    }
    Ok(found)
}

fn head(line: &[u8]) -> Option<Membership> {
    let mut parts = line.splitn(3, |&b| b == b':');
    let hierarchy = decimal(parts.next()?, "").ok()?;
    let controllers = std::str::from_utf8(parts.next()?).ok()?;
    let path = parts.next().filter(|path| path.starts_with(b"/"))?;
    Some(Membership {
        hierarchy,
        controllers: controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        path: path.to_vec(),
        deleted: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hybrid_host_has_a_line_for_each_hierarchy() {
        let found = parse(b"4:memory:/m\n3:cpu,cpuacct:/a\n1:name=systemd:/\n0::/user.slice\n").unwrap();
        assert_eq!(found[1].controllers, ["cpu", "cpuacct"]);
        assert_eq!((found[3].hierarchy, found[3].path.as_slice()), (0, &b"/user.slice"[..]));
    }

    #[test]
    fn a_newline_in_a_name_belongs_to_the_path() {
        let found = parse(b"0::/a\nb (deleted)\n").unwrap();
        assert_eq!((found[0].path.as_slice(), found[0].deleted), (&b"/a\nb"[..], true));
    }

    #[test]
    fn a_name_that_imitates_a_line_is_refused() {
        assert!(parse(b"5:pids:/x\n1:cpu:/evil\n1:cpu:/real\n").is_err());
        assert!(parse(b"5:pids:/x\n7:cpu:/evil\n1:cpu:/real\n").is_err());
    }

    #[test]
    fn garbage_is_an_error() {
        for bytes in [&b"hello\n"[..], b"0:/\n", b"x::/\n", b"0::relative\n"] {
            assert!(parse(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(parse(b""), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse(&bytes);
        }
    }
}
