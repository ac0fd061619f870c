//! What the tests on a real kernel share. They need root (or a delegated v2 subtree) and fail with a message without.

use cgtune_sys::{Hierarchies, HostRoot, lifecycle::Workshop};

/// A place to make cgroups.
pub fn workshop() -> Workshop {
    let hierarchies =
        Hierarchies::detect(HostRoot::default()).expect("this test needs a mounted cpu controller");
    Workshop::open(hierarchies).expect("this test needs permission to make cgroups: run it as root")
}
