//! `cgtune convert`: one container, pods, and the way back, each as text and as JSON.

pub(crate) mod explain;
pub(crate) mod inverse;
pub(crate) mod inverse_json;
pub(crate) mod json;
pub(crate) mod pods;
pub(crate) mod pods_json;
pub(crate) mod targets;
pub(crate) mod text;

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.convert/1";
