//! `cgtune pin`: what is shown of it.

pub(crate) mod plan;
