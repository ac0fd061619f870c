//! One file a verb: its arguments, and a `run` that turns them into an answer on [`Streams`].

pub(crate) mod apply;
pub(crate) mod capture;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod diagnose;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod kubelet;
pub(crate) mod man;
pub(crate) mod pin;
pub(crate) mod simulate;
pub(crate) mod stat;
#[cfg(feature = "tui")]
pub(crate) mod top;
pub(crate) mod topology;
pub(crate) mod undo;
pub(crate) mod visit_cpus;

use crate::{cli::Verb, exit::Exit, streams::Streams};

/// Does what was asked.
pub(crate) fn run(verb: &Verb, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    match verb {
        Verb::Stat(args) => stat::run(args, streams),
        Verb::Diagnose(args) => diagnose::run(args, streams),
        #[cfg(feature = "tui")]
        Verb::Top(args) => top::run(args, streams),
        Verb::Capture(args) => capture::run(args, streams),
        Verb::Topology(args) => topology::run(args, streams),
        Verb::Convert(args) => convert::run(args, streams),
        Verb::Simulate(args) => simulate::run(args, streams),
        Verb::Kubelet(args) => kubelet::run(args, streams),
        Verb::Apply(args) => apply::run(args, streams),
        Verb::Pin(args) => pin::run(args, streams),
        Verb::Undo(args) => undo::run(args, streams),
        Verb::History(args) => history::run(args, streams),
        Verb::Explain(args) => explain::run(args, streams),
        Verb::Completions(args) => completions::run(args, streams),
        Verb::Man(args) => man::run(args, streams),
        Verb::VisitCpus(args) => visit_cpus::run(args, streams),
    }
}
