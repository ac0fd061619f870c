//! How answers look: one file a verb and format. Nothing here decides what is true.

pub(crate) mod apply_json;
pub(crate) mod capture;
pub(crate) mod convert;
pub(crate) mod diagnose;
pub(crate) mod diagnose_all;
pub(crate) mod diagnose_json;
pub(crate) mod explain;
pub(crate) mod explain_json;
pub(crate) mod history;
pub(crate) mod history_json;
pub(crate) mod kubelet;
pub(crate) mod markdown;
pub(crate) mod owner;
pub(crate) mod paragraph;
pub(crate) mod pin;
pub(crate) mod plan;
pub(crate) mod resident;
pub(crate) mod simulate;
pub(crate) mod stat;
pub(crate) mod stat_all;
pub(crate) mod stat_json;
#[cfg(feature = "tui")]
pub(crate) mod top;
pub(crate) mod topology;
