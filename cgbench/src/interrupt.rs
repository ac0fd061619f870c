//! Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once.

use std::sync::{Arc, atomic::AtomicBool};

use signal_hook::{consts, flag};

/// A flag that the first signal sets. A second one ends the process with 130; the cgroups it then leaves behind are
/// removed by the next start, and the loads end because their input closes.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn flag() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [consts::SIGINT, consts::SIGTERM] {
        // Order matters: the shutdown looks at the flag before this signal sets it.
        flag::register_conditional_shutdown(signal, EXIT, Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// Exit code of an interrupted command.
pub const EXIT: i32 = 130;
