//! `cgtune kubelet`, one file a verb below it.

pub(crate) mod check;
pub(crate) mod recommend;
pub(crate) mod recommend_json;
pub(crate) mod runbook;
pub(crate) mod simulate;
