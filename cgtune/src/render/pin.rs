//! Answers of `cgtune pin`.

pub(crate) mod plan;
pub(crate) mod verify;
pub(crate) mod verify_json;
