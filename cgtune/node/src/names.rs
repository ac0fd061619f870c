//! Names of what lives in a cgroup, by source. So far: the path itself.

pub mod path;
