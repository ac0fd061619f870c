//! Answers of `cgtune pin`.

pub(crate) mod verify;
pub(crate) mod verify_json;
