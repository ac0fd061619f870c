//! Who runs it.

use std::io::Write as _;

use crate::backend::{Backend, kernel::Kernel, model::Model};

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum BackendChoice {
    /// Real cgroups on this kernel
    Kernel,
    /// A model of its controller, in seconds; everything it gives is labelled SIMULATED
    Sim,
}

/// Opens it. That a person meets the model in place of the kernel is said; a pipeline gets an error, since it would compare the one
/// with the other.
pub(super) fn open(choice: Option<BackendChoice>, let_sleep: bool) -> anyhow::Result<Box<dyn Backend>> {
    let kernel = || Kernel::open(!let_sleep);
    match choice {
        Some(BackendChoice::Kernel) => Ok(Box::new(kernel()?)),
        Some(BackendChoice::Sim) => Ok(Box::new(Model::of_this_machine())),
        None => match kernel() {
            Ok(kernel) => Ok(Box::new(kernel)),
            Err(error) if std::env::var_os("CI").is_none_or(|ci| ci.is_empty()) => {
                let cause = anyhow::Error::new(error);
                writeln!(
                    anstream::stderr(),
                    "note: no cgroup can be written here ({cause:#}), so this is SIMULATED; --backend kernel insists"
                )?;
                Ok(Box::new(Model::of_this_machine()))
            }
            Err(error) => Err(error.into()),
        },
    }
}
