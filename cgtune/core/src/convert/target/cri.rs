//! `LinuxContainerResources`: what the kubelet sends to containerd or CRI-O.
//!
//! Source: pkg/apis/runtime/v1/api.proto of kubernetes/cri-api at 791729b. The names are those of the message, as in
//! the files that `crictl` reads; a number of zero means that it is not set, and is left out.

use serde::Serialize;

use crate::{
    Micros, Shares,
    convert::{
        container::Conversion,
        setting::Setting,
        target::{Document, Form},
    },
};

/// The CPU part of the message; what is `None` is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LinuxContainerResources {
    /// The period, in µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_period: Option<Micros>,
    /// CPU time per period, in µs; −1 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<i64>,
    /// Shares as cgroup v1 has them.
    pub cpu_shares: Shares,
}

pub(super) fn of(conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let resources = LinuxContainerResources {
        cpu_period: conversion.sent.map(|sent| sent.period),
        cpu_quota: conversion.sent_quota(),
        cpu_shares: conversion.shares,
    };
    let mut cannot = vec![conversion.shares_travel("the CRI", &setting.runtime)];
    if conversion.wanted_burst().is_some() {
        cannot.push(
            "burst: the CRI has no field for it, nor does a kubelet fill its unified map with it".to_owned(),
        );
    }
    if resources.cpu_quota.is_none() {
        cannot.push(
            "no quota: 0 means not set, so that an update takes away no quota that is there".to_owned(),
        );
    }
    (Form::Document(Document::Cri(resources)), cannot)
}
