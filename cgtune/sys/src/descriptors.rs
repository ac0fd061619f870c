//! How many files this process may keep open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one, and says how many that are. A process that inherits the raised
/// limit and uses select(2) would be in trouble; ours start none.
#[must_use]
pub fn raise_limit() -> u64 {
    // Cannot fail for this resource (getrlimit(2)); the least that POSIX promises would be told otherwise.
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((20, 20));
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let limit = raise_limit();
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (limit, limit));
    }
}
