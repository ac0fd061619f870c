//! One container's request, limit and burst, as flags.

use anyhow::anyhow;
use cgtune_core::{
    Micros,
    convert::{ContainerCpu, ConvertError, Setting, Target},
};

use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    render::convert,
    streams::{HEADING, Streams},
    typed::{burst, quantity},
};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "One container")]
#[group(id = "one")]
pub(super) struct Args {
    /// CPU request; without one Kubernetes takes the limit
    // Hyphens are let through so that "-1" is refused as an amount, not as an unknown flag.
    #[arg(long, value_name = "QUANTITY", allow_hyphen_values = true)]
    pub(super) cpu_request: Option<String>,
    /// CPU limit; without one there is no quota
    #[arg(long, value_name = "QUANTITY", allow_hyphen_values = true)]
    cpu_limit: Option<String>,
    /// CPU time that may be saved up for later periods, at most one quota; of manifests,
    /// for every container that has a quota
    #[arg(long, value_name = "BURST", allow_hyphen_values = true)]
    pub(super) burst: Option<String>,
    /// Only these forms of the settings, ready to be copied: v1, v2, oci, unified, cri, nri,
    /// docker, nerdctl, podman, runc, crun, systemd, resize, or all
    #[arg(long, value_name = "TARGET", value_delimiter = ',', value_parser = targets(), hide_possible_values = true)]
    target: Vec<String>,
    /// How many threads want to run at once, to warn of a quota too small for them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// The burst that the running container has, to warn of a resize below it
    #[arg(long, value_name = "DURATION")]
    present_burst: Option<String>,
}

/// What `--target` takes.
fn targets() -> clap::builder::PossibleValuesParser {
    Target::ALL.map(Target::name).into_iter().chain([ALL_TARGETS]).collect::<Vec<_>>().into()
}

/// For every target there is.
const ALL_TARGETS: &str = "all";

pub(super) fn run(
    args: &Args,
    setting: &Setting,
    explain: bool,
    output: cli::Output,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let asked = args.asked()?;
    let done = asked.convert(setting).map_err(refused)?;
    let steps = if explain { done.explain_alone(&asked, setting) } else { Vec::new() };
    let wanted =
        |target: &Target| args.target.iter().any(|name| name == target.name() || name == ALL_TARGETS);
    let of_all = output.json && args.target.is_empty();
    let forms: Vec<_> = (Target::ALL.into_iter())
        .filter(|target| of_all || wanted(target))
        .map(|target| done.target(target, setting))
        .collect();
    if output.json {
        convert::json::write(&done, setting, &forms, explain.then_some(&steps), streams.out)?;
        return Ok(Exit::Done);
    }
    if !forms.is_empty() {
        convert::targets::write(&forms, streams.out, streams.err)?;
    } else {
        convert::text::write(&asked, &done, setting, streams.out)?;
        if explain {
            writeln!(streams.out, "\n{HEADING}how it comes about{HEADING:#}")?;
            convert::explain::write(&steps, "", streams.out)?;
        }
    }
    for warning in &done.warnings {
        streams.warn(warning)?;
    }
    Ok(Exit::Done)
}

impl Args {
    /// What was typed → what is meant.
    fn asked(&self) -> anyhow::Result<ContainerCpu> {
        if self.cpu_request.is_none() && self.cpu_limit.is_none() {
            let missing = anyhow!("neither a CPU request nor a CPU limit is given");
            return Err(
                Hinted::new(missing, "for example: cgtune convert --cpu-request 500m --cpu-limit 2").into()
            );
        }
        let present =
            |text: &String| Micros::parse(text).map_err(|error| anyhow!("--present-burst: {error}"));
        Ok(ContainerCpu {
            request: self.cpu_request.as_deref().map(|text| quantity("--cpu-request", text)).transpose()?,
            limit: self.cpu_limit.as_deref().map(|text| quantity("--cpu-limit", text)).transpose()?,
            burst: self.burst.as_deref().map(burst).transpose()?,
            threads: self.threads,
            present_burst: self.present_burst.as_ref().map(present).transpose()?,
            ..ContainerCpu::default()
        })
    }
}

/// A conversion that the kernel would not take, with the nearest one that it would.
fn refused(error: ConvertError) -> Hinted {
    let hint = match error {
        ConvertError::BurstWithoutLimit(_) => "give a --cpu-limit above 0, or leave --burst out",
        ConvertError::Policy(_) => "no machine has that many CPUs: is the unit right?",
    };
    Hinted::new(error, hint)
}
