//! `cgtune kubelet`, one file a verb below it.

pub(crate) mod check;
pub(crate) mod simulate;
