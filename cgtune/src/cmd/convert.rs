//! `cgtune convert`: what a CPU request and limit become in the kernel's files, and back.

mod inverse;
pub(super) mod manifests;
mod node;
mod one;

use crate::{cli, exit::Exit, streams::Streams};

const EXAMPLES: &str = "\
Amounts of CPU are Kubernetes quantities: 500m, 1.5, 2.
A burst is a time (20ms), a part of the quota (50%), or CPU times the period
(200m).

Examples:
  cgtune convert --cpu-request 500m --cpu-limit 2
  cgtune convert --cpu-limit 333m --driver systemd --runtime runc@1.3.1 --explain
  cgtune convert --cpu-limit 500m --burst 50% --target oci
  kubectl get pods -A -o json | cgtune convert -f -
  cgtune convert -f deploy/ -R --limit-range limits.yaml --json
  cgtune convert --from-weight 39
  cgtune convert --from-cgroup 3b2e7f9d0c1a";

/// Show what a CPU request and limit become, or what a weight came from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show how each number comes about: formula, arithmetic, who does it, where that is written
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    output: cli::Output,
    #[command(flatten)]
    one: one::Args,
    #[command(flatten)]
    manifests: manifests::Args,
    #[command(flatten)]
    inverse: inverse::Args,
    #[command(flatten)]
    node: node::Args,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let setting = args.node.setting()?;
    if args.manifests.asked() {
        let burst = args.one.burst.as_deref();
        manifests::run(&args.manifests, burst, &setting, args.explain, args.output, streams)
    } else if args.inverse.asked() {
        inverse::run(&args.inverse, &args.one, &setting, args.output, streams)
    } else {
        one::run(&args.one, &setting, args.explain, args.output, streams)
    }
}
