//! `cgtune convert`: what a CPU request and limit become in the kernel's files. Reads nothing from the machine.

use anyhow::anyhow;
use cgtune_core::{
    Micros, PolicyError,
    convert::{ContainerCpu, ConvertError, Setting, kubelet},
};

use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    render,
    streams::Streams,
    typed::{burst, quantity},
};

const EXAMPLES: &str = "\
Amounts of CPU are Kubernetes quantities: 500m, 1.5, 2.
A burst is a time (20ms), a part of the quota (50%), or CPU times the period
(200m).

Examples:
  cgtune convert --cpu-request 500m --cpu-limit 2
  cgtune convert --cpu-limit 500m --burst 50%
  cgtune convert --cpu-limit 500m --period 20ms --json";

/// Show what a CPU request and limit become in the kernel's files
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// CPU request; without one Kubernetes takes the limit
    // Hyphens are let through so that "-1" is refused as an amount, not as an unknown flag.
    #[arg(long, value_name = "QUANTITY", allow_hyphen_values = true)]
    cpu_request: Option<String>,
    /// CPU limit; without one there is no quota
    #[arg(long, value_name = "QUANTITY", allow_hyphen_values = true)]
    cpu_limit: Option<String>,
    /// CPU time that may be saved up for later periods, at most one quota
    #[arg(long, value_name = "BURST", allow_hyphen_values = true)]
    burst: Option<String>,
    /// Period of the quota; 100ms unless given
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    period: Option<String>,
    #[command(flatten)]
    output: cli::Output,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let (asked, setting) = (asked(args)?, setting(args)?);
    let conversion = asked.convert(&setting).map_err(refused)?;
    if args.output.json {
        render::convert_json::write(&conversion, streams.out)?;
    } else {
        render::convert::write(&asked, &conversion, streams.out)?;
        for warning in &conversion.warnings {
            streams.warn(warning)?;
        }
    }
    Ok(Exit::Done)
}

/// What was typed → what is meant.
fn asked(args: &Args) -> anyhow::Result<ContainerCpu> {
    if args.cpu_request.is_none() && args.cpu_limit.is_none() {
        let missing = anyhow!("neither a CPU request nor a CPU limit is given");
        return Err(
            Hinted::new(missing, "for example: cgtune convert --cpu-request 500m --cpu-limit 2").into()
        );
    }
    Ok(ContainerCpu {
        request: args.cpu_request.as_deref().map(|text| quantity("--cpu-request", text)).transpose()?,
        limit: args.cpu_limit.as_deref().map(|text| quantity("--cpu-limit", text)).transpose()?,
        burst: args.burst.as_deref().map(burst).transpose()?,
        ..ContainerCpu::default()
    })
}

/// The node that is meant.
fn setting(args: &Args) -> anyhow::Result<Setting> {
    let period = match &args.period {
        Some(text) => Micros::parse(text).map_err(|error| anyhow!("--period: {error}"))?,
        None => kubelet::QUOTA_PERIOD,
    };
    Ok(Setting { period, ..Setting::default() })
}

/// A conversion that the kernel would not take, with the nearest one that it would.
fn refused(error: ConvertError) -> Hinted {
    let hint = match error {
        ConvertError::BurstWithoutLimit(_) => "give a --cpu-limit above 0, or leave --burst out".to_owned(),
        ConvertError::Policy(PolicyError::Period(period)) => {
            let nearest = period.clamp(cgtune_core::policy::MIN_PERIOD, cgtune_core::policy::MAX_PERIOD);
            format!(
                "the nearest period that the kernel takes is --period {nearest}; Kubernetes' own is {}",
                kubelet::QUOTA_PERIOD
            )
        }
        ConvertError::Policy(_) => "no machine has that many CPUs: is the unit right?".to_owned(),
    };
    Hinted::new(error, hint)
}
