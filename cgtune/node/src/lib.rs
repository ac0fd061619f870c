//! Who lives in a cgroup. Descriptors and errnos are `cgtune-sys`'s business, rendering the tool's.

pub mod find;
pub mod names;
