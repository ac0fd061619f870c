//! `cgtune pin plan`: which CPUs for n CPUs, on this machine or on one that isn't here.

mod lists;
mod refusal;

use anyhow::anyhow;
use cgtune_core::{
    CpuSet, MilliCpu, Topology,
    assign::{
        Uncore,
        pin::{self, Ask, Pinning},
        policy::{NoPolicy, Reserve, Static},
    },
    convert::CpuQuantity,
    kubelet::{Fault, Options, PolicyOption, Release},
    topology::Machine,
};

use cgtune_node::{
    cpu_manager,
    description::{Description, Holder},
    names::Resident,
};
use cgtune_sys::{HostRoot, cpusets::Cpuset};

use lists::{avoided, known_nodes, refuse_unknown, shared};
use refusal::refused;

use crate::{
    cli,
    cmd::topology,
    exit::Exit,
    failure::{self, Hinted},
    machine::{self, Described},
    render,
    streams::Streams,
    typed::{list, quantity, release},
};

const EXAMPLES: &str = "\
The CPUs are those that the kubelet's static policy would choose: whole sockets
and NUMA nodes, then whole cores, then single CPUs from where little is left.
An amount with a fraction gets whole CPUs and a share of one more: 1.2 is one
CPU, and 205 shares of another. Nothing is written: see cgtune pin apply.

Examples:
  cgtune pin plan --cpus 4 --reserved 0
  cgtune pin plan --cpus 1.2 --shared 3=500m
  cgtune pin plan --cpus 8 --option full-pcpus-only --numa-node 1
  cgtune pin plan --cpus 4 --avoid isolated --avoid irqs
  cgtune pin plan --cpus 1 --available 6-7    only from these, isolated ones say
  cgtune topology --json > node7.json     on another machine
  cgtune pin plan --topology node7.json --cpus 48 --strategy distributed --json";

/// Choose CPUs for a group, as the kubelet would
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many CPUs; with a fraction, a share of one more
    #[arg(long, value_name = "QUANTITY", allow_hyphen_values = true)]
    cpus: String,
    /// Choose from these [default: all that are online, and on a node with the kubelet's
    /// static policy those that nobody has alone]
    #[arg(long, value_name = "LIST")]
    available: Option<String>,
    /// Leave these out: they are for the system
    #[arg(long, value_name = "LIST", conflicts_with = "reserve")]
    reserved: Option<String>,
    /// Leave so many out, chosen as the kubelet chooses what it reserves
    #[arg(long, value_name = "N")]
    reserve: Option<usize>,
    /// packed: few nodes and cores; spread: across cores, siblings last; distributed:
    /// evenly over the fewest NUMA nodes [default: packed, or what an option says]
    #[arg(long, value_name = "STRATEGY", value_enum, hide_possible_values = true)]
    strategy: Option<Strategy>,
    /// An option of the kubelet's static policy, such as full-pcpus-only or NAME=false;
    /// may be repeated
    #[arg(long = "option", value_name = "NAME", value_delimiter = ',')]
    options: Vec<String>,
    /// Take from these NUMA nodes first, as the topology manager hints
    #[arg(long, value_name = "LIST")]
    numa_node: Option<String>,
    /// Take these last: a list, irqs (those that take the most interrupts), isolated
    /// (isolcpus=) or nohz_full; may be repeated
    #[arg(long, value_name = "CPUS", value_delimiter = ' ')]
    avoid: Vec<String>,
    /// CPUs that are shared in parts, and how much of each is given away
    #[arg(long, value_name = "CPU=QUANTITY,…", value_delimiter = ',')]
    shared: Vec<String>,
    /// Choose as this version does where versions differ: parts of last-level caches
    /// for odd numbers, since 1.34. 1.30 to 1.36
    #[arg(long, value_name = "VERSION", value_parser = release)]
    kubernetes: Option<Release>,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    output: cli::Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Strategy {
    Packed,
    Spread,
    Distributed,
}

impl Strategy {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Packed => "packed",
            Self::Spread => "spread",
            Self::Distributed => "distributed",
        }
    }

    /// The strategy that options say (`StaticPolicyOptions`).
    const fn of(options: &Options) -> Self {
        match (options.distribute_cpus_across_numa, options.distribute_cpus_across_cores) {
            (true, _) => Self::Distributed,
            (false, true) => Self::Spread,
            (false, false) => Self::Packed,
        }
    }

    /// The option that means the same.
    const fn option(self) -> Option<PolicyOption> {
        match self {
            Self::Packed => None,
            Self::Spread => Some(PolicyOption::DistributeCpusAcrossCores),
            Self::Distributed => Some(PolicyOption::DistributeCpusAcrossNuma),
        }
    }
}

/// What was asked, as it was understood, and what was chosen.
pub(crate) struct Plan {
    pub(crate) amount: MilliCpu,
    pub(crate) strategy: Strategy,
    pub(crate) options: Options,
    pub(crate) available: CpuSet,
    pub(crate) reserved: CpuSet,
    pub(crate) pinning: Pinning,
    /// How parts of caches were aligned, where they were.
    pub(crate) uncore: Uncore,
    /// The release that was named.
    pub(crate) kubernetes: Option<Release>,
    /// As the machine shows it.
    pub(crate) topology: Topology,
    /// `None`: no node is known to have memory.
    pub(crate) mems: Option<CpuSet>,
    /// Cgroups with CPUs of their own, some of which were chosen, too.
    pub(crate) beside: Vec<Holder>,
}

impl Plan {
    /// What is typed to apply it.
    pub(crate) fn command(&self) -> String {
        let Pinning { shares, .. } = &self.pinning;
        let mems = self.mems.as_ref().map(|mems| format!(" --mems {mems}")).unwrap_or_default();
        let shares = shares.map(|shares| format!(" --shares {}", shares.get())).unwrap_or_default();
        format!("cgtune pin apply TARGET --cpus {}{mems}{shares} --drop-quota", self.pinning.cpus())
    }
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let amount = quantity("--cpus", &args.cpus).map(CpuQuantity::milli)?;
    let (mut options, strategy) = options(args)?;
    let Description { machine, holders } = args.described.description(&args.node.host_root)?;
    let shown = machine::cpus(&machine)?;
    let topology = match options.prefer_align_cpus_by_uncorecache {
        true => shown.as_the_kubelet_groups()?,
        false => shown.clone(),
    };
    let read = |flag, text: &Option<String>| text.as_deref().map(|text| list(flag, text)).transpose();
    let available = read("--available", &args.available)?;
    let nodes = read("--numa-node", &args.numa_node)?;
    refuse_unknown(&topology, "--available", available.as_ref())?;
    let nodes = nodes.map(|nodes| known_nodes(&topology, &nodes)).transpose()?;

    // What the strategy says the options have said already, or must not say.
    options.distribute_cpus_across_numa = strategy == Strategy::Distributed;
    options.distribute_cpus_across_cores = strategy == Strategy::Spread;
    refuse_later(args, strategy)?;
    // Where no release is named it is the rule that upstream's published cases were made with.
    let uncore = args.kubernetes.map_or(Uncore::WholeCores, |release| Uncore::of(release.version()));
    let policy = policy(args, &topology, options, strategy, uncore)?;
    let here = (!args.described.is_elsewhere()).then(|| HostRoot::new(&args.node.host_root));
    let available = match (available, &here) {
        (Some(available), _) => available,
        (None, Some(host)) => not_given_away(host, topology.all(), streams)?,
        (None, None) => topology.all().clone(),
    };
    let available = available.difference(policy.reserved());
    let ask = Ask {
        available: available.clone(),
        amount,
        nodes: nodes.as_deref(),
        shared: &shared(&args.shared, &topology)?,
        avoid: &avoided(&args.avoid, &machine, &topology, streams)?,
        any_count: strategy == Strategy::Distributed,
    };
    let mut pinning = pin::pin(&policy, &ask).map_err(|error| refused(error, &ask, &topology))?;
    pinning.remarks.extend(pin::of_machine(&machine, &pinning.cpus()));
    // Of a machine that was described it is who held CPUs there then.
    let holders = here.map_or(Ok(holders), |host| self::holders(host, streams).map(Some))?;
    let plan = Plan {
        beside: beside(holders.unwrap_or_default(), &pinning.cpus()),
        amount,
        strategy,
        options: *policy.options(),
        reserved: policy.reserved().clone(),
        available,
        mems: memory(&machine, &pinning.mems),
        pinning,
        uncore,
        kubernetes: args.kubernetes,
        topology: shown,
    };
    if args.output.json {
        render::pin::plan::json(&plan, streams.out)?;
    } else {
        render::pin::plan::text(&plan, streams.out)?;
    }
    Ok(Exit::Done)
}

/// What the kubelet of this node has given to nobody alone. Without one that is all.
fn not_given_away(host: &HostRoot, all: &CpuSet, streams: &mut Streams<'_>) -> anyhow::Result<CpuSet> {
    match cpu_manager::read(host) {
        Ok(state) => Ok(state.map_or_else(|| all.clone(), |state| state.not_given_away(all))),
        Err(error) => {
            let error = anyhow::Error::new(error).context(cpu_manager::STATE);
            streams.warn(&failure::sentence(&error))?;
            Ok(all.clone())
        }
    }
}

/// Who holds CPUs on this node. A node without cpusets has nobody.
fn holders(host: HostRoot, streams: &mut Streams<'_>) -> anyhow::Result<Vec<Holder>> {
    let unknown = "whether somebody else holds these CPUs is not known";
    let held = topology::held(host, unknown, streams)?.map(|(cpusets, _)| cpusets);
    // A plan names groups by their paths, which is how they are named to be changed.
    let of = |cpuset: &Cpuset| Holder::of(cpuset, &Resident::of(&cpuset.path), None);
    Ok(held.unwrap_or_default().iter().map(of).collect())
}

/// Who else holds some of these CPUs.
fn beside(holders: Vec<Holder>, cpus: &CpuSet) -> Vec<Holder> {
    let holds = |holder: &Holder| !holder.effective.intersection(cpus).is_empty();
    holders.into_iter().filter(|holder| holder.is_lived_in() && holds(holder)).collect()
}

/// `--option` and `--strategy`, which may say the same.
fn options(args: &Args) -> anyhow::Result<(Options, Strategy)> {
    let pairs = args.options.iter().map(|text| text.split_once('=').unwrap_or((text, "true")));
    let options = Options::parse(pairs).map_err(|error| {
        let names: Vec<&str> = PolicyOption::ALL.map(PolicyOption::name).into();
        Hinted::new(anyhow!("--option: {error}"), format!("the options are {}", names.join(", ")))
    })?;
    if let Some(exclusion) = options.exclusions().next() {
        let error = anyhow!("--option: {exclusion}");
        return Err(Hinted::new(error, "the kubelet does not start with both; give one of them").into());
    }
    let said = Strategy::of(&options);
    let strategy = args.strategy.unwrap_or(said);
    if said != Strategy::Packed && said != strategy {
        let error = anyhow!("--strategy {} and an option that means {}", strategy.name(), said.name());
        return Err(Hinted::new(error, "give one of them").into());
    }
    Ok((options, strategy))
}

fn policy<'t>(
    args: &Args,
    topology: &'t Topology,
    options: Options,
    strategy: Strategy,
    uncore: Uncore,
) -> anyhow::Result<Static<'t>> {
    let list = args.reserved.as_deref().map(|text| list("--reserved", text)).transpose()?;
    refuse_unknown(topology, "--reserved", list.as_ref())?;
    let count = list.as_ref().map_or(args.reserve.unwrap_or(0), CpuSet::len);
    // Whole cores and spread ones exclude each other in the kubelet's configuration, but not in its allocator.
    let both = strategy == Strategy::Spread && options.full_pcpus_only;
    let checked = Options { full_pcpus_only: options.full_pcpus_only && !both, ..options };
    let policy = Static::new(topology, Reserve { count, list }, checked, uncore, false);
    let policy = policy.map_err(|error| match error {
        NoPolicy::Size { .. } => Hinted::new(
            anyhow!("--reserve {count}: the machine has {} CPUs", topology.cpus().len()),
            "reserve fewer than that",
        ),
        error => Hinted::new(error, "the kubelet does not start with such a configuration either"),
    })?;
    Ok(if both { policy.with_whole_cores() } else { policy })
}

/// Options that came after the release that was named; switched off they are no less unknown to it. A strategy is one as well.
fn refuse_later(args: &Args, strategy: Strategy) -> anyhow::Result<()> {
    let Some(release) = args.kubernetes else { return Ok(()) };
    let named = |text: &String| {
        let name = text.split_once('=').map_or(text.as_str(), |(name, _)| name);
        Some((format!("--option {name}"), PolicyOption::named(name)?))
    };
    let meant =
        strategy.option().map(|option| (format!("--strategy {} ({option})", strategy.name()), option));
    let mut all = args.options.iter().filter_map(named).chain(meant);
    match all.find(|(_, option)| option.stage(release.version()).is_none()) {
        None => Ok(()),
        Some((typed, option)) => {
            let fault = Fault::LaterOption { since: option.introduced_in(), release };
            let hint = format!("leave it out, or say --kubernetes {} or later", option.introduced_in());
            Err(Hinted::new(anyhow!("{typed}: {fault}"), hint).into())
        }
    }
}

/// The nodes to allocate from: those of the CPUs, or for one without memory the nearest that has some.
fn memory(machine: &Machine, nodes: &CpuSet) -> Option<CpuSet> {
    let described = |node: u32| machine.nodes.iter().find(|described| described.node == node);
    let has_memory = |node: u32| described(node).is_none_or(|node| node.memory_bytes != Some(0));
    let nearest = |node: u32| {
        let distances = described(node)?.distances.as_ref()?;
        // They are told in the order of the nodes.
        let all = machine.nodes.iter().zip(distances).filter(|(other, _)| has_memory(other.node));
        all.min_by_key(|(_, distance)| **distance).map(|(other, _)| other.node)
    };
    let of = |node: u32| if has_memory(node) { Some(node) } else { nearest(node) };
    let mems: CpuSet = nodes.iter().filter_map(of).collect();
    (!mems.is_empty()).then_some(mems)
}
