//! TARGET: what a person names a cgroup by. The forms are those of the conventions that all verbs share.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use cgtune_node::find;
use cgtune_sys::{Cgroup, Hierarchies};

use crate::failure::Hinted;

/// What was typed, told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The cgroup we are in.
    Own,
    /// A path in the cpu hierarchy.
    Path(PathBuf),
    /// The groups of a process.
    Pid(u32),
    /// A container's, by the beginning of its id.
    Container(String),
    /// A systemd unit's.
    Unit(String),
}

impl Target {
    /// Tells the forms apart.
    pub(crate) fn parse(typed: Option<&OsStr>) -> anyhow::Result<Self> {
        let Some(typed) = typed else { return Ok(Self::Own) };
        let bytes = typed.as_bytes();
        if bytes.starts_with(b"/") {
            return Ok(Self::Path(PathBuf::from(typed)));
        }
        if let Some(path) = bytes.strip_prefix(b"cgroup:") {
            let path = Path::new(OsStr::from_bytes(path));
            return Ok(Self::Path(Path::new("/").join(path)));
        }
        let text = typed.to_str().ok_or_else(|| unknown(&typed.to_string_lossy()))?;
        match text.split_once(':') {
            Some(("pid", digits)) => pid(digits),
            Some(("container", id)) => container(id),
            Some(("unit", name)) if !name.is_empty() => Ok(Self::Unit(name.to_owned())),
            Some(_) => Err(unknown(text).into()),
            None if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() => pid(text),
            None => container(text),
        }
    }

    /// Opens the cgroup.
    pub(crate) fn open(&self, hierarchies: &Hierarchies) -> anyhow::Result<Cgroup> {
        let by_path = |path: &Path| Cgroup::open(hierarchies, path);
        let opened = match self {
            Self::Own => Cgroup::of_process(hierarchies, None),
            Self::Pid(pid) => Cgroup::of_process(hierarchies, Some(*pid)),
            Self::Path(path) => by_path(path),
            Self::Container(prefix) => by_path(&find::container(hierarchies, prefix).map_err(hinted)?),
            Self::Unit(name) => by_path(&find::unit(hierarchies, name).map_err(hinted)?),
        };
        opened.map_err(kernel)
    }
}

fn pid(digits: &str) -> anyhow::Result<Target> {
    digits.parse().map(Target::Pid).map_err(|_| {
        Hinted::new(anyhow::anyhow!("\"{digits}\" is no process id"), "a pid is a number such as 4711").into()
    })
}

fn container(id: &str) -> anyhow::Result<Target> {
    let hex = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if hex { Ok(Target::Container(id.to_ascii_lowercase())) } else { Err(unknown(id).into()) }
}

fn unknown(text: &str) -> Hinted {
    Hinted::new(
        anyhow::anyhow!("\"{text}\" is no cgroup path, pid or container id"),
        "a path begins with /, a container id is hexadecimal; unit:NAME names a systemd unit",
    )
}

/// A kernel error with its hint.
pub(crate) fn kernel(error: cgtune_sys::Error) -> anyhow::Error {
    match error.hint() {
        Some(hint) => Hinted::new(error, hint).into(),
        None => error.into(),
    }
}

fn hinted(error: find::FindError) -> anyhow::Error {
    let hint = match error {
        find::FindError::Kernel(error) => return kernel(error),
        find::FindError::Ambiguous { .. } => "give more of the id",
        find::FindError::NoContainer(_) | find::FindError::NoUnit(_) => {
            "cgtune stat --all lists the cgroups that have a quota"
        }
    };
    Hinted::new(error, hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> anyhow::Result<Target> {
        Target::parse(Some(OsStr::new(typed)))
    }

    #[test]
    fn the_forms_are_told_apart_and_can_be_forced() {
        assert_eq!(Target::parse(None).unwrap(), Target::Own);
        assert_eq!(parse("/a/b").unwrap(), Target::Path("/a/b".into()));
        assert_eq!(parse("cgroup:a/b").unwrap(), Target::Path("/a/b".into()));
        assert_eq!(parse("4711").unwrap(), Target::Pid(4711));
        assert_eq!(parse("container:4711").unwrap(), Target::Container("4711".into()));
        assert_eq!(parse("3b2E").unwrap(), Target::Container("3b2e".into()));
        assert_eq!(parse("unit:nginx.service").unwrap(), Target::Unit("nginx.service".into()));
    }

    #[test]
    fn anything_else_is_refused() {
        for typed in
            ["", "nginx", "pid:", "pid:x", "pid:99999999999", "unit:", "planet:mars", "container:xyz"]
        {
            assert!(parse(typed).is_err(), "{typed}");
        }
    }
}
