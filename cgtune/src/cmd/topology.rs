//! `cgtune topology`: where the CPUs are, and which cgroups hold some of their own.

use cgtune_node::names::{Register, Resident};
use cgtune_sys::{
    Hierarchies, HostRoot,
    cpusets::{self, Cpuset},
};

use crate::{
    cli,
    exit::Exit,
    failure::sentence,
    machine::{self, Described},
    render,
    streams::Streams,
    target,
};

const EXAMPLES: &str = "\
Without options it is the machine that this command runs on. FILE is what
--json printed elsewhere, and DIR a copy of another machine's /sys.

Examples:
  cgtune topology
  cgtune topology --json > node7.json     for cgtune topology --from node7.json
  cgtune topology --sysfs ./node7/sys     a copy of a /sys";

/// Show where the CPUs are: sockets, memory nodes, caches, cores and threads
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    output: cli::Output,
}

/// A cgroup that holds CPUs of its own, and who lives in it.
pub(crate) struct Holder {
    pub(crate) cpuset: Cpuset,
    pub(crate) resident: Resident,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let machine = args.described.read(&args.node.host_root)?;
    let (holders, register) = match args.described.is_elsewhere() {
        true => (None, None),
        false => holders(args, streams)?,
    };
    if args.output.json {
        render::topology::json::write(&machine, holders.as_deref(), streams.out)?;
    } else {
        let topology = machine::cpus(&machine)?;
        render::topology::text::write(&machine, &topology, holders.as_deref(), streams.out)?;
    }
    if let (Some(holders), Some(register)) = (&holders, &register) {
        render::resident::warn(holders.iter().map(|holder| &holder.resident), register, streams)?;
    }
    Ok(Exit::Done)
}

/// The cgroups of this node with CPUs of their own. A node without cpusets still has a shape.
fn holders(
    args: &Args,
    streams: &mut Streams<'_>,
) -> anyhow::Result<(Option<Vec<Holder>>, Option<Register>)> {
    let ask = args.node.ask()?;
    let hierarchies = match Hierarchies::detect(HostRoot::new(&args.node.host_root)) {
        Ok(hierarchies) => hierarchies,
        Err(error) => {
            streams.warn(&format!(
                "which cgroups hold CPUs of their own is not known: {}",
                sentence(&error.into())
            ))?;
            return Ok((None, None));
        }
    };
    let Some(cpusets) = cpusets::read(&hierarchies).map_err(target::kernel)? else {
        return Ok((None, None));
    };
    let register = Register::read(hierarchies.host(), cpusets.iter().map(|cpuset| &cpuset.path), &ask);
    let holder = |cpuset: Cpuset| Holder { resident: register.resident(&cpuset.path), cpuset };
    Ok((Some(cpusets.into_iter().map(holder).collect()), Some(register)))
}
