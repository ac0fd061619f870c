//! Who lives in a cgroup, who owns its files, and the journal of what we change there. Descriptors and errnos are `cgtune-sys`'s business,
//! rendering the tool's.

pub mod change;
pub mod cpu_manager;
pub mod description;
pub mod find;
pub mod journal;
pub mod names;
pub mod owner;
