//! `cgtune kubelet check`: what is wrong with a configuration, and what will surprise.

use std::path::PathBuf;

use cgtune_core::kubelet::Severity;

use super::input::{self, Layered, Meant, Over};
use crate::{
    cli,
    exit::Exit,
    render::kubelet::check::{self as render, Judged},
    streams::Streams,
};

const EXAMPLES: &str = "\
The exit code is 1 where there is an error (the kubelet does not start, or
passes over what is written) or a warning (it does something else than the
reader of the file expects); notes alone are 0.
What has nothing to do with CPU is looked at by its name alone.
--config-dir is the kubelet's own flag: each finding then names the file that
the value comes from. A flag in --flags overrides all files, which is told at
the line that it overrides.

Examples:
  cgtune kubelet check /var/lib/kubelet/config.yaml
  cgtune kubelet check config.yaml --kubernetes 1.33
  cgtune kubelet check config.yaml --config-dir /etc/kubernetes/kubelet.conf.d
  cgtune kubelet check /var/lib/kubelet/config.yaml \\
    --flags \"$(tr '\\0' ' ' < /proc/$(pidof kubelet)/cmdline)\"
  cgtune topology --json > cpus.json
  cgtune kubelet check config.yaml --topology cpus.json --cgroup v2
  kubectl get --raw /api/v1/nodes/NODE/proxy/configz | jq '.kubeletconfig +
    {kind: \"KubeletConfiguration\", apiVersion: \"kubelet.config.k8s.io/v1beta1\"}
    ' | cgtune kubelet check - --json";

/// Find what is wrong with a kubelet's configuration, line by line
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The kubelet's configuration, YAML or JSON; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    over: Over,
    #[command(flatten)]
    meant: Meant,
    #[command(flatten)]
    output: cli::Output,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    input::one_standard_input([("FILE", Some(args.file.as_path())), args.meant.description()])?;
    let topology = args.meant.topology()?;
    let config = Layered::read(&args.file, &args.over, streams)?;
    let release = args.meant.kubernetes;
    let findings = config.file().check(release, args.meant.machine(topology.as_ref()));
    let judged = Judged { config: &config, release, findings: &findings };
    if args.output.json {
        render::json(&judged, streams.out)?;
    } else {
        render::text(&judged, streams.out)?;
    }
    let gates = findings.iter().any(|finding| finding.severity() != Severity::Note);
    Ok(if gates { Exit::Found } else { Exit::Done })
}
