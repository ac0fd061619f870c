//! The command line as a whole. What a verb takes stands in that verb's file under `cmd`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cgtune_core::text::shell;
use cgtune_node::{
    journal::{Journal, JournalError},
    names::Ask,
};
use cgtune_sys::{Hierarchies, HostRoot};
use clap::{Parser, Subcommand};

use crate::{cmd, exit::Exit, target};

/// Says why a container is throttled, and what its CPU request and limit become.
#[derive(Debug, Parser)]
#[command(name = "cgtune", version, max_term_width = 80, disable_help_subcommand = true, after_help = Exit::help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Stat(cmd::stat::Args),
    Diagnose(cmd::diagnose::Args),
    #[cfg(feature = "tui")]
    Top(cmd::top::Args),
    Capture(cmd::capture::Args),
    Topology(cmd::topology::Args),
    Convert(Box<cmd::convert::Args>),
    Simulate(Box<cmd::simulate::Args>),
    Kubelet(cmd::kubelet::Args),
    Apply(Box<cmd::apply::Args>),
    Pin(Box<cmd::pin::Args>),
    Undo(cmd::undo::Args),
    History(cmd::history::Args),
    Explain(cmd::explain::Args),
    Completions(cmd::completions::Args),
    #[command(hide = true)]
    Man(cmd::man::Args),
    #[command(hide = true)]
    VisitCpus(cmd::visit_cpus::Args),
}

/// How the answer is given, for every verb that gives one.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Output {
    /// Answer as JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the node is, for every verb that reads one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Node {
    /// Read the node's /proc, /sys, /run and /var below this folder, as in a debug pod
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) host_root: PathBuf,
    /// Ask for names at this socket alone, where files do not tell them
    /// [default: those of containerd, CRI-O, k3s, k0s, MicroK8s and cri-dockerd]
    #[arg(long, value_name = "PATH", env = "CONTAINER_RUNTIME_ENDPOINT", hide_env_values = true)]
    cri_socket: Option<String>,
}

impl Node {
    /// How far to go for the names of pods and containers.
    pub(crate) fn ask(&self) -> anyhow::Result<Ask> {
        // A variable that is set to nothing is not set, for crictl too.
        let typed = self.cri_socket.as_deref().filter(|text| !text.is_empty());
        let socket =
            typed.map(str::parse).transpose().context("--cri-socket (CONTAINER_RUNTIME_ENDPOINT)")?;
        Ok(Ask { socket, ..Ask::default() })
    }
}

/// A capture in place of a node, for every verb that can read one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Replay {
    /// Replay what cgtune capture wrote, instead of looking at a node
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host_root", "duration"])]
    pub(crate) from: Option<PathBuf>,
}

/// Where changes are made and written down, for every verb that makes or shows them.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Ledger {
    /// Keep the journal of changes in this folder
    /// [default: /var/lib/cgtune/journal as root, else $XDG_STATE_HOME/cgtune]
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
}

impl Ledger {
    /// How far to go for the names of pods and containers.
    pub(crate) fn ask(&self) -> anyhow::Result<Ask> {
        self.node.ask()
    }

    /// The journal and the hierarchies; nothing is made yet.
    pub(crate) fn open(&self) -> anyhow::Result<(Journal, Hierarchies)> {
        Ok((self.journal()?, self.hierarchies()?))
    }

    /// The journal alone; nothing is made yet.
    pub(crate) fn journal(&self) -> Result<Journal, JournalError> {
        match &self.journal {
            Some(folder) => Ok(Journal::at(folder)),
            None => Journal::usual(&HostRoot::new(&self.node.host_root)),
        }
    }

    /// A command of ours, to be typed, that finds the same journal and node.
    pub(crate) fn command(&self, words: &str) -> String {
        let root = Some(&self.node.host_root).filter(|root| root.as_path() != Path::new("/"));
        let flags = [("--journal", self.journal.as_ref()), ("--host-root", root)];
        flags.into_iter().fold(format!("cgtune {words}"), |line, (flag, path)| match path {
            // A name that no terminal shows as it is cannot be typed either; that there must be one is said.
            Some(path) => {
                let word = path.to_str().and_then(shell::quote).unwrap_or_else(|| "…".to_owned());
                format!("{line} {flag} {word}")
            }
            None => line,
        })
    }

    /// The hierarchies alone.
    pub(crate) fn hierarchies(&self) -> anyhow::Result<Hierarchies> {
        Hierarchies::detect(HostRoot::new(&self.node.host_root)).map_err(target::kernel)
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn a_command_finds_the_same_journal() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            ledger: super::Ledger,
        }
        let ledger = |args: &[&str]| {
            Line::try_parse_from(["cgtune"].iter().chain(args)).unwrap().ledger.command("undo 3")
        };
        assert_eq!(ledger(&[]), "cgtune undo 3");
        assert_eq!(
            ledger(&["--journal", "/a b", "--host-root", "/host"]),
            "cgtune undo 3 --journal '/a b' --host-root /host"
        );
        assert_eq!(ledger(&["--journal", "\x1b[2J"]), "cgtune undo 3 --journal …");
    }

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
