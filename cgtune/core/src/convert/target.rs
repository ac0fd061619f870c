//! Every form in which a container's CPU settings can be written, each with what that form cannot say.
//!
//! Here live data and sentences: files with their texts, documents that serialise as the JSON they name, command lines and
//! unit properties. Deliberately absent: printing, and whether a form fits the machine at hand. Forms that go
//! through a runtime hold what is *sent* ([`Conversion::sent`]); only the files hold what a driver made of it.
//!
//! ```
//! use cgtune_core::convert::{ContainerCpu, Setting, Target, target::Form};
//!
//! let asked = ContainerCpu { limit: Some("2".parse()?), ..ContainerCpu::default() };
//! let setting = Setting::default();
//! let docker = asked.convert(&setting)?.target(Target::Docker, &setting);
//! assert_eq!(
//!     docker.form,
//!     Form::Command("docker run --cpu-period 100000 --cpu-quota 200000 --cpu-shares 2048 '<image>'".to_owned())
//! );
//! assert!(docker.cannot[0].starts_with("weight:"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod command;
pub mod cri;
pub mod files;
pub mod nri;
pub mod oci;
pub mod resize;
pub mod unit;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    Layout, Micros, MilliCpu, Quota,
    convert::{container::Conversion, runtime::Runtime, setting::Setting, tool::Tool},
};

/// A form to write settings in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Files of cgroup v1.
    V1,
    /// Files of cgroup v2.
    V2,
    /// `linux.resources.cpu` of an OCI runtime spec.
    Oci,
    /// `linux.resources.unified` of an OCI runtime spec.
    Unified,
    /// `LinuxContainerResources` of the CRI.
    Cri,
    /// A `ContainerAdjustment` of an NRI plugin.
    Nri,
    /// `docker run`.
    Docker,
    /// `nerdctl run`.
    Nerdctl,
    /// `podman run`.
    Podman,
    /// `runc update`.
    Runc,
    /// `crun update`.
    Crun,
    /// Properties of a systemd unit.
    Systemd,
    /// A patch of a pod's `resize` subresource.
    Resize,
}

/// Settings in one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendition {
    /// Which.
    pub target: Target,
    /// The settings.
    pub form: Form,
    /// What the form does not say, or says otherwise: one sentence each, that begins with what is missing
    /// (`burst: docker has no option for it`).
    pub cannot: Vec<String>,
}

/// Settings, by the kind of text they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Files and what each holds, for reading: the order of *writing* depends on what they hold now, and is
    /// [`plan`](crate::plan::plan)'s to say.
    #[serde(serialize_with = "as_map")]
    Files(Vec<(&'static str, String)>),
    /// What serialises as a JSON document.
    Document(Document),
    /// A line for a POSIX shell; names that we do not know are in `<>`.
    Command(String),
    /// `Name=value`, as a unit file and `systemctl set-property` take it.
    Properties(Vec<String>),
    /// A JSON document, and the line that sends it.
    Patch {
        /// The document.
        patch: resize::Patch,
        /// The line, as for [`Form::Command`].
        command: String,
    },
}

/// A document of somebody else's format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Document {
    /// A part of an OCI runtime spec.
    Oci(oci::Spec),
    /// A message of the CRI.
    Cri(cri::LinuxContainerResources),
    /// A message of the NRI.
    Nri(nri::ContainerAdjustment),
}

impl Target {
    /// All of them: files, documents, commands, and who keeps a record of its own.
    pub const ALL: [Self; 13] = [
        Self::V1,
        Self::V2,
        Self::Oci,
        Self::Unified,
        Self::Cri,
        Self::Nri,
        Self::Docker,
        Self::Nerdctl,
        Self::Podman,
        Self::Runc,
        Self::Crun,
        Self::Systemd,
        Self::Resize,
    ];

    /// One word, as on a command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::Oci => "oci",
            Self::Unified => "unified",
            Self::Cri => "cri",
            Self::Nri => "nri",
            Self::Docker => "docker",
            Self::Nerdctl => "nerdctl",
            Self::Podman => "podman",
            Self::Runc => "runc",
            Self::Crun => "crun",
            Self::Systemd => "systemd",
            Self::Resize => "resize",
        }
    }

    /// What a heading above it says.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::V1 => "cgroup v1 files",
            Self::V2 => "cgroup v2 files",
            Self::Oci => "OCI runtime spec, cpu",
            Self::Unified => "OCI runtime spec, unified map (cgroup v2)",
            Self::Cri => "CRI LinuxContainerResources",
            Self::Nri => "NRI ContainerAdjustment",
            Self::Docker => "docker run",
            Self::Nerdctl => "nerdctl run",
            Self::Podman => "podman run",
            Self::Runc => "runc update",
            Self::Crun => "crun update",
            Self::Systemd => "systemd unit properties",
            Self::Resize => "Kubernetes in-place resize",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Conversion {
    /// This in one form. `setting` is the one that it was converted on.
    #[must_use]
    pub fn target(&self, target: Target, setting: &Setting) -> Rendition {
        let (form, cannot) = match target {
            Target::V1 => files::of(Layout::V1, self, setting),
            Target::V2 => files::of(Layout::V2, self, setting),
            Target::Oci => oci::of(self, setting),
            Target::Unified => files::unified(self, setting),
            Target::Cri => cri::of(self, setting),
            Target::Nri => nri::of(self, setting),
            Target::Docker => command::run(Tool::Docker, self, setting),
            Target::Nerdctl => command::run(Tool::Nerdctl, self, setting),
            Target::Podman => command::run(Tool::Podman, self, setting),
            Target::Runc => command::update(Tool::Runc, self, setting),
            Target::Crun => command::update(Tool::Crun, self, setting),
            Target::Systemd => unit::of(self),
            Target::Resize => resize::of(self, setting),
        };
        Rendition { target, form, cannot }
    }

    /// The burst, where there is one.
    fn wanted_burst(&self) -> Option<Micros> {
        Some(self.bandwidth.burst()).filter(|&burst| burst != Micros::ZERO)
    }

    /// The quota as `cpu_quota` of the CRI and `quota` of an OCI spec have it; `None`: it is not set. CPUs of its own
    /// (and nothing else) make the kubelet send a quota of none, −1, in place of a limit's.
    fn sent_quota(&self) -> Option<i64> {
        match self.sent?.quota {
            // Cannot be held back: a bandwidth's quota is below 2^44.
            Quota::Limited(quota) => Some(i64::try_from(quota.get()).unwrap_or(i64::MAX)),
            Quota::Unlimited => self.limit.is_some_and(|limit| limit != MilliCpu::ZERO).then_some(-1),
        }
    }

    /// That `form` carries shares, and what a runtime makes of them where only a weight will do.
    fn shares_travel(&self, form: &str, runtime: &Runtime) -> String {
        let shares = self.shares.get();
        match runtime.formula() {
            Some(formula) => format!(
                "weight: {form} has shares alone; {runtime} makes {} of {shares} on cgroup v2",
                formula.weight(self.shares).get()
            ),
            None => format!(
                "weight: {form} has shares alone; what {runtime} makes of {shares} on cgroup v2 is not known here"
            ),
        }
    }
}

fn as_map<S: Serializer>(files: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(files.iter().map(|(file, text)| (file, text)))
}

#[cfg(test)]
mod tests;
