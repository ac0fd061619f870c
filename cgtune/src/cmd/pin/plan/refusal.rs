//! What to do about a choice that cannot be made.

use cgtune_core::{
    Topology,
    assign::{
        pin::{Ask, Unpinned},
        policy::Refusal,
    },
    topology::Level,
};

use crate::failure::Hinted;

/// The error, with a hint.
pub(super) fn refused(error: Unpinned, ask: &Ask<'_>, topology: &Topology) -> anyhow::Error {
    let per_core = topology.per_group(Level::Core);
    let hint = match &error {
        Unpinned::Nothing => "an amount such as 2, or 1.2 for a CPU and a share of another".to_owned(),
        Unpinned::Part { .. } => "ask for whole CPUs, or leave full-pcpus-only out".to_owned(),
        Unpinned::Refused(Refusal::NoMultiple { requested, .. }) => {
            let below = requested / per_core * per_core;
            format!(
                "a core has {per_core} threads: {}{} is a multiple",
                if below > 0 { format!("{below} or ") } else { String::new() },
                below + per_core
            )
        }
        Unpinned::Refused(_) | Unpinned::NoRoom { .. } if ask.available.is_empty() => {
            "all CPUs are reserved, or somebody has them alone: reserve fewer, or name some with --available"
                .to_owned()
        }
        Unpinned::NoRoom { .. } => match ask.shared.cpus().intersection(&ask.available) {
            none if none.is_empty() => format!(
                "available are {}, all of which the whole part of it takes; ask for less, or name more with --available",
                ask.available
            ),
            shared => format!(
                "of what is shared ({shared}) none has so much left, and no other CPU is; ask for a smaller part, or name \
                 more with --available"
            ),
        },
        Unpinned::Refused(_) => {
            let shared = ask.shared.cpus();
            let of_shared = if shared.is_empty() { String::new() } else { format!(", and {shared} shared") };
            format!(
                "available for it: {}{of_shared}; ask for fewer, or name more with --available",
                ask.available
            )
        }
        Unpinned::Shares(_) => "ask for a larger part".to_owned(),
    };
    Hinted::new(error, hint).into()
}
