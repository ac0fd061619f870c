//! How answers look: one file a verb and format. Nothing here decides what is true.

pub(crate) mod convert;
pub(crate) mod convert_json;
pub(crate) mod paragraph;
pub(crate) mod stat;
pub(crate) mod stat_all;
pub(crate) mod stat_json;
