//! `doctor`: is this machine fit for measuring latency?

use std::{io::Write as _, process::ExitCode, sync::atomic::Ordering, time::Duration};

use cgtune_core::Micros;
use serde::Serialize;

use crate::{
    doctor::{self, Doctor, Finding, Severity, findings, text, verdict},
    interrupt,
    progress::Progress,
    runner::Watcher as _,
};

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It reads what the kernel says of itself, its CPUs and its cgroups, sleeps for a fifth of a second, and then keeps all\n\
    CPUs busy for TIME to hear who else takes them. Root is not needed; without it, or in a container, it says what cannot\n\
    be done there. Each finding comes with what to do about it.\n\n\
    With --check the exit code is 1 when the machine is unfit: figures from it would be void, or there would be none.\n\n\
    Examples:\n  \
    cgbench doctor\n  \
    cgbench doctor --for 30s             rare gaps want a longer look\n  \
    cgbench doctor --check && sudo cgbench run\n  \
    cgbench doctor --json | jq '.findings[].kind'"
)]
pub struct Args {
    /// How long to listen for noise, 10ms to 1h
    #[arg(long = "for", value_name = "TIME", default_value = "2s", value_parser = listening)]
    duration: Duration,
    /// Exit with 1 when the machine is unfit
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// A longer look than this shows how far it is.
const PATIENCE: Duration = Duration::from_secs(2);

fn listening(text: &str) -> Result<Duration, String> {
    let time = Micros::parse(text).map_err(|error| error.to_string())?;
    let duration = Duration::from_micros(time.get());
    let range = Duration::from_millis(10)..=Duration::from_secs(3600);
    range.contains(&duration).then_some(duration).ok_or_else(|| "10ms to 1h".to_owned())
}

/// The record, with what follows from it.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    doctor: &'a Doctor,
    verdict: Severity,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    severity: Severity,
    sentence: String,
    remedy: String,
}

/// Runs it.
///
/// # Errors
/// Only what keeps the answer from being written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag()?;
    let mut progress = Progress::new(args.quiet || args.duration <= PATIENCE);
    progress.begin(0, doctor::seconds(args.duration));
    progress.step("listening");
    let doctor = doctor::examine(args.duration, &stop, &mut |seconds| progress.tick(seconds));
    progress.finish();
    if stop.load(Ordering::Relaxed) {
        writeln!(anstream::stderr(), "interrupted before there was an answer")?;
        return Ok(super::run::exit_interrupted());
    }
    let findings = findings(&doctor);
    let mut out = anstream::stdout().lock();
    if args.json {
        let found = |finding| Found {
            finding,
            severity: finding.severity(),
            sentence: finding.to_string(),
            remedy: finding.remedy(),
        };
        let verdict = verdict(&findings);
        let answer = Answer { doctor: &doctor, verdict, findings: findings.iter().map(found).collect() };
        serde_json::to_writer_pretty(&mut out, &answer)?;
        writeln!(out)?;
    } else {
        let colour = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        write!(out, "{}", text::terminal(&doctor, &findings, colour, super::console_width()))?;
    }
    let unfit = args.check && verdict(&findings) == Severity::Unfit;
    Ok(if unfit { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
