//! TARGET: what a person names a cgroup by. The forms are those of the conventions that all verbs share.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use cgtune_core::text::Escaped;
use cgtune_node::{
    find::{self, NoPodName, PodGroups, PodName},
    names::{Ask, valid},
};
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
    /// A container's, by its name: in its pod, or in Docker.
    Named(String),
    /// A pod's one container, or the one that is named.
    Pod(PodName),
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
            Some(("container", id)) => container(id)
                .or_else(|error| if valid::plain(id) { Ok(Self::Named(id.to_owned())) } else { Err(error) }),
            Some(("pod", name)) => Self::pod(name),
            Some(("unit", name)) if !name.is_empty() => Ok(Self::Unit(name.to_owned())),
            Some(_) => Err(unknown(text).into()),
            None if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() => pid(text),
            None => container(text),
        }
    }

    /// The pod of a name, `NAMESPACE/POD` or `NAMESPACE/POD/CONTAINER`.
    pub(crate) fn pod(typed: &str) -> anyhow::Result<Self> {
        typed.parse().map(Self::Pod).map_err(|error: NoPodName| {
            let meant = match &error.meant {
                Some(name) => format!("did you mean pod:{name}?"),
                None => {
                    "a pod is named as pod:prod/web, and one of its containers as pod:prod/web/app".to_owned()
                }
            };
            Hinted::new(error, meant).into()
        })
    }

    /// Opens the cgroup. `ask`: how far to go where it takes names to find it.
    pub(crate) fn open(&self, hierarchies: &Hierarchies, ask: &Ask) -> anyhow::Result<Cgroup> {
        let by_path = |path: &Path| Cgroup::open(hierarchies, path);
        let opened = match self {
            Self::Own => Cgroup::of_process(hierarchies, None),
            Self::Pid(pid) => Cgroup::of_process(hierarchies, Some(*pid)),
            Self::Path(path) => by_path(path),
            Self::Container(prefix) => by_path(&by_id_or_name(hierarchies, ask, prefix)?),
            Self::Named(name) => by_path(&find::named_container(hierarchies, ask, name).map_err(hinted)?),
            Self::Pod(name) => {
                let groups = find::pod(hierarchies, ask, name).map_err(hinted)?;
                by_path(only_container(&groups, name)?)
            }
            Self::Unit(name) => by_path(&find::unit(hierarchies, name).map_err(hinted)?),
        };
        opened.map_err(kernel)
    }
}

impl Target {
    /// Opens the cgroup, and of a pod its own and its containers'.
    pub(crate) fn open_all(&self, hierarchies: &Hierarchies, ask: &Ask) -> anyhow::Result<Vec<Cgroup>> {
        let Self::Pod(name @ PodName { container: None, .. }) = self else {
            return Ok(vec![self.open(hierarchies, ask)?]);
        };
        let groups = find::pod(hierarchies, ask, name).map_err(hinted)?;
        let containers = groups.containers.iter().map(|seat| &seat.path);
        let paths = groups.group.iter().chain(containers);
        paths.map(|path| Cgroup::open(hierarchies, path).map_err(kernel)).collect()
    }
}

/// Opens the cgroups of several, in their order.
pub(crate) fn open_all(
    targets: &[Target],
    hierarchies: &Hierarchies,
    ask: &Ask,
) -> anyhow::Result<Vec<Cgroup>> {
    let mut cgroups = Vec::new();
    for target in targets {
        cgroups.extend(target.open_all(hierarchies, ask)?);
    }
    Ok(cgroups)
}

/// A name may look like the beginning of an id: `cafe`.
fn by_id_or_name(hierarchies: &Hierarchies, ask: &Ask, prefix: &str) -> anyhow::Result<PathBuf> {
    match find::container(hierarchies, prefix) {
        Err(error @ find::FindError::NoContainer(_)) if !prefix.bytes().all(|b| b.is_ascii_digit()) => {
            find::named_container(hierarchies, ask, prefix).map_err(|_| hinted(error))
        }
        found => found.map_err(hinted),
    }
}

/// The one group that is meant by a pod where a verb takes one.
fn only_container<'a>(groups: &'a PodGroups, name: &PodName) -> anyhow::Result<&'a Path> {
    let meant = |seat: &&find::Seat| {
        let container = seat.resident.container.as_ref().and_then(|container| container.name.as_ref());
        name.container.is_none() || container == name.container.as_ref()
    };
    let found: Vec<_> = groups.containers.iter().filter(meant).collect();
    if let [seat] = found[..] {
        return Ok(&seat.path);
    }
    let pod = PodName { container: None, ..name.clone() };
    let error = match (found.len(), &name.container) {
        (0, None) => anyhow::anyhow!("no container of the pod {pod} has a cgroup here"),
        (0, Some(container)) => anyhow::anyhow!("the pod {pod} has no container named {container} here"),
        (count, _) => anyhow::anyhow!("the pod {pod} has {count} containers here, and this takes one cgroup"),
    };
    let mut ways = groups.targets();
    ways.extend(
        groups
            .group
            .as_ref()
            .map(|group| format!("{} (the pod's own group)", Escaped(group.as_os_str().as_bytes()))),
    );
    Err(Hinted::new(error, format!("write one of: {}", ways.join(", "))).into())
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
        "a path begins with /, a container id is hexadecimal; pod:NAMESPACE/NAME names a pod, container:NAME a container and \
         unit:NAME a systemd unit",
    )
}

/// A kernel error with its hint.
pub(crate) fn kernel(error: cgtune_sys::Error) -> anyhow::Error {
    match error.hint() {
        Some(hint) => Hinted::new(error, hint).into(),
        None => error.into(),
    }
}

/// `None` for a group that vanished between two looks, which is normal where many are watched.
pub(crate) fn present<T>(result: Result<T, cgtune_sys::Error>) -> anyhow::Result<Option<T>> {
    use cgtune_sys::Error;
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Gone(_) | Error::NoSuchCgroup { .. }) => Ok(None),
        Err(error) => Err(kernel(error)),
    }
}

fn hinted(error: find::FindError) -> anyhow::Error {
    let hint = match error {
        find::FindError::Kernel(error) => return kernel(error),
        find::FindError::Ambiguous { .. } => "give more of the id",
        find::FindError::NoContainer(_) | find::FindError::NoUnit(_) => {
            "cgtune stat --all lists the cgroups that have a quota"
        }
        find::FindError::NoPod { .. } | find::FindError::NoNamedContainer { .. } => {
            "cgtune stat --all lists the cgroups that have a quota, by name where it is known; a container's id always works"
        }
        find::FindError::Pods { .. } => {
            "write the namespace too; of two pods of one name, take a container by its id or a group by its path"
        }
        find::FindError::NamedContainers { .. } => "write one of these",
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
        assert_eq!(parse("container:nginx").unwrap(), Target::Named("nginx".into()));
        let pod = PodName { namespace: Some("prod".into()), name: "web".into(), container: None };
        assert_eq!(parse("pod:prod/web").unwrap(), Target::Pod(pod));
    }

    #[test]
    fn anything_else_is_refused() {
        for typed in [
            "",
            "nginx",
            "pid:",
            "pid:x",
            "pid:99999999999",
            "unit:",
            "planet:mars",
            "container:x y",
            "pod:",
            "pod:a/b/c/d",
        ] {
            assert!(parse(typed).is_err(), "{typed}");
        }
    }
}
