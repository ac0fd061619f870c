//! Manifests: what `-f` names, object by object, to the end: what is wrong with one does not cost the others.

pub(in crate::cmd) mod input;
mod session;

use std::path::PathBuf;

use anyhow::anyhow;
use cgtune_core::convert::Setting;

use self::{input::Input, session::Session};
use crate::{cli, exit::Exit, failure::Hinted, render::convert::pods_json::Writer, streams::Streams, typed};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Manifests")]
#[group(id = "manifests")]
pub(super) struct Args {
    /// Pods and what makes them, as YAML or JSON; a folder; - for standard input
    #[arg(
        short = 'f', long = "filename", value_name = "FILE", num_args = 1..,
        conflicts_with_all = ["cpu_request", "cpu_limit", "threads", "present_burst", "from"]
    )]
    filename: Vec<PathBuf>,
    /// Take the folders below a folder as well
    #[arg(short = 'R', long, requires = "filename")]
    recursive: bool,
    /// The namespace of objects that name none
    #[arg(short, long, value_name = "NAME", requires = "filename")]
    namespace: Option<String>,
    /// LimitRanges, whose defaults and bounds then hold for the pods of their namespace
    #[arg(long, value_name = "FILE", requires = "filename")]
    limit_range: Vec<PathBuf>,
    /// The kubelet's cgroupRoot
    #[arg(long, value_name = "PATH", default_value = "/", hide_default_value = true)]
    cgroup_root: String,
}

impl Args {
    pub(super) fn asked(&self) -> bool {
        !self.filename.is_empty()
    }
}

pub(super) fn run(
    args: &Args,
    burst: Option<&str>,
    setting: &Setting,
    explain: bool,
    output: cli::Output,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let burst = burst.map(typed::burst).transpose()?;
    let namespace = args.namespace.as_deref();
    let mut session = Session::new(setting, burst, namespace, &args.cgroup_root, explain);
    let ranges = session.limit_ranges(&Input::all(&args.limit_range, false), streams.err)?;
    if !ranges {
        let error = anyhow!("a LimitRange could not be read, and without it the answers would be wrong");
        return Err(Hinted::new(error, "mend the file, or leave --limit-range out").into());
    }
    let inputs = Input::all(&args.filename, args.recursive);
    if output.json {
        let mut writer = Writer::begin(setting, streams.out)?;
        session.convert(&inputs, &mut session::Json(&mut writer), streams.err)?;
        writer.end(session.failures())?;
    } else {
        session.convert(&inputs, &mut session::Text(streams.out), streams.err)?;
    }
    // Before the last word: an answer that could not be written is worse than a mistake in a manifest.
    streams.out.flush()?;
    session.close(streams.err)
}
