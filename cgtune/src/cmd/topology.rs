//! `cgtune topology`: where the CPUs are, and which cgroups hold some of their own.

use std::path::PathBuf;

use cgtune_core::{Micros, Nanos};
use cgtune_node::{
    description::{Description, Holder},
    names::{Register, Resident},
};
use cgtune_sys::{
    Hierarchies, HostRoot,
    cpusets::{self, Cpuset},
    descriptors, topology,
};

use super::stat;
use crate::{
    cli, drawn,
    exit::Exit,
    failure::sentence,
    interrupt::Interrupt,
    machine::{self, Described},
    render,
    streams::Streams,
};

const EXAMPLES: &str = "\
Without options it is the machine that this command runs on. FILE is what
--json printed elsewhere, with the cgroups that held CPUs there then; DIR is a
copy of another machine's /sys.

Examples:
  cgtune topology
  cgtune topology --json > node7.json     for cgtune topology --from node7.json
  ssh node7 cgtune topology --json | cgtune topology --from -
  cgtune topology --svg node.svg
  cgtune topology --sysfs ./node7/sys     a copy of a /sys
  cgtune topology --for 10s               interrupts of these ten seconds";

/// Show where the CPUs are: sockets, memory nodes, caches, cores and threads
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    described: Described,
    /// Count interrupts for so long, in place of since boot
    #[arg(long = "for", value_name = "DURATION", conflicts_with_all = ["sysfs", "topology"])]
    duration: Option<String>,
    /// Also draw it, and write that to this file; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    output: cli::Output,
}

/// Who lives in the cgroups that hold CPUs, and who could be asked.
struct Asked {
    residents: Vec<Resident>,
    register: Register,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    if let Some(file) = &args.svg {
        drawn::check("--svg", file)?;
    }
    let (mut description, interrupted) = match &args.duration {
        Some(text) => watched(args, stat::watch_time(text)?, streams)?,
        None => (args.described.description(&args.node.host_root)?, false),
    };
    let asked = match args.described.is_elsewhere() {
        true => None,
        false => holders(args, &mut description, streams)?,
    };
    let Description { machine, holders } = &description;
    let topology = machine::cpus(machine)?;
    if args.output.json {
        render::topology::json::write(machine, holders.as_deref(), streams.out)?;
    } else {
        render::topology::text::write(machine, &topology, holders.as_deref(), streams.out)?;
    }
    if let Some(Asked { residents, register }) = &asked {
        render::resident::warn(residents.iter(), register, streams)?;
    }
    // Last: a picture that cannot be written costs no answer.
    if let Some(file) = &args.svg {
        let svg = render::topology::picture::svg(machine, &topology, holders.as_deref());
        drawn::write(file, svg.as_bytes(), streams)?;
    }
    Ok(if interrupted { Exit::Interrupted } else { Exit::Done })
}

/// The machine, with the interrupts of a while, and whether somebody ended that early.
fn watched(args: &Args, duration: Micros, streams: &mut Streams<'_>) -> anyhow::Result<(Description, bool)> {
    let interrupt = Interrupt::watch()?;
    let host = HostRoot::new(&args.node.host_root);
    let (begun, before) = (host.now(), topology::interrupts(&host));
    stat::wait(begun, duration, Some(&interrupt));
    let interrupted = interrupt.asked();
    let mut machine = args.described.read(&args.node.host_root)?;
    let wall = host.now().checked_sub(begun).unwrap_or(Nanos::ZERO);
    let before = before.unwrap_or_default();
    for cpu in &mut machine.cpus {
        let place = before.binary_search_by_key(&cpu.cpu, |(number, _)| *number).ok();
        // A count that ran backwards, or of a CPU that was not there, is none.
        cpu.interrupts = place.and_then(|place| cpu.interrupts?.checked_sub(before[place].1));
    }
    machine.interrupts_ms = Some(wall.get() / 1_000_000);
    if interrupted {
        let seconds = wall.as_secs();
        streams
            .warn(&format!("interrupted after {seconds:.1} s of {duration}: interrupts are of that time"))?;
    }
    Ok((Description { machine, holders: None }, interrupted))
}

/// Adds the cgroups of this node with CPUs of their own. A node without cpusets still has a shape.
fn holders(
    args: &Args,
    description: &mut Description,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Option<Asked>> {
    let ask = args.node.ask()?;
    let unknown = "which cgroups hold CPUs of their own is not known";
    let host = HostRoot::new(&args.node.host_root);
    let Some((cpusets, hierarchies)) = held(host, unknown, streams)? else { return Ok(None) };
    let register = Register::read(hierarchies.host(), cpusets.iter().map(|cpuset| &cpuset.path), &ask);
    let residents: Vec<Resident> = cpusets.iter().map(|cpuset| register.resident(&cpuset.path)).collect();
    let named = cpusets.iter().zip(&residents).map(|(cpuset, resident)| {
        Holder::of(cpuset, resident, render::resident::title(resident, &cpuset.path))
    });
    description.holders = Some(named.collect());
    Ok(Some(Asked { residents, register }))
}

/// The groups of a node that hold CPUs of their own. `None`: it has no cpusets, or they are not known, which is said as `unknown`.
pub(super) fn held(
    host: HostRoot,
    unknown: &str,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Option<(Vec<Cpuset>, Hierarchies)>> {
    // A walk keeps the groups open that are still to be visited.
    let _ = descriptors::raise_limit();
    let read = |hierarchies: Hierarchies| Ok((cpusets::read(&hierarchies)?, hierarchies));
    let (found, hierarchies) = match Hierarchies::detect(host).and_then(read) {
        Ok((Some(found), hierarchies)) => (found, hierarchies),
        Ok((None, _)) => return Ok(None),
        Err(error) => {
            streams.warn(&format!("{unknown}: {}", sentence(&error.into())))?;
            return Ok(None);
        }
    };
    if let Some(unread) = &found.unread {
        streams.warn(unread)?;
    }
    Ok(Some((found.groups.into_iter().filter(Cpuset::holds_own).collect(), hierarchies)))
}
