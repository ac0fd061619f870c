//! `linux.resources.cpu` of an OCI runtime spec.
//!
//! Source: config-linux.md and specs-go/config.go of opencontainers/runtime-spec at 6999a89. What is sent goes in: a
//! systemd driver rounds when it reads this. As a `runc update --resources` file the object below `resources` is taken.

use serde::Serialize;

use crate::{
    Micros, Shares,
    convert::{
        container::Conversion,
        setting::Setting,
        target::{Document, Form},
    },
};

/// A spec's path down to resources: `{"linux":{"resources":…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InLinux<R> {
    /// `linux`.
    pub linux: InResources<R>,
}

/// `{"resources":…}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InResources<R> {
    /// `resources`.
    pub resources: R,
}

/// The part of a spec that sets CPU.
pub type Spec = InLinux<Resources>;

/// `linux.resources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// `cpu`.
    pub cpu: Cpu,
}

/// `linux.resources.cpu`. What is `None` is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cpu {
    /// Shares as cgroup v1 has them.
    pub shares: Shares,
    /// CPU time per period, in µs; −1 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<i64>,
    /// The period, in µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Micros>,
    /// The burst, in µs, since 1.1.0; never above a quota that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<Micros>,
}

impl<R> InLinux<R> {
    /// Resources in their place.
    #[must_use]
    pub const fn new(resources: R) -> Self {
        Self { linux: InResources { resources } }
    }
}

pub(super) fn of(conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let cpu = Cpu {
        shares: conversion.shares,
        quota: conversion.sent_quota(),
        period: conversion.sent.map(|sent| sent.period),
        burst: conversion.wanted_burst(),
    };
    let runtime = &setting.runtime;
    let mut cannot = vec![conversion.shares_travel("an OCI spec", runtime)];
    if cpu.burst.is_some() {
        cannot.push(match runtime.writes_burst() {
            Some(true) => {
                "burst: runtime-spec before 1.1.0 has no field for it, and what reads by such a one drops it"
                    .to_owned()
            }
            Some(false) => {
                format!("burst: {runtime} ignores the field; write the file once the container runs")
            }
            None => format!("burst: whether {runtime} heeds the field is not known here"),
        });
    }
    (Form::Document(Document::Oci(Spec::new(Resources { cpu }))), cannot)
}
