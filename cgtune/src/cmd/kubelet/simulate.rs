//! `cgtune kubelet simulate`: given pods on a node, in the order in which they come.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::anyhow;
use cgtune_core::{
    CpuSet, MilliCpu, Topology,
    assign::{
        hints::MAX_NODES,
        place::{Node, Placed, Unplaced},
        policy::{Holder, State},
    },
    kubelet::{KubeletConfig, Severity, TopologyPolicy, config::Effective},
    topology::Level,
};
use cgtune_manifest::Workload;
use cgtune_node::cpu_manager::{self, CpuManager};

use super::input::{self, Layered, Meant, Over};
use crate::{
    cli, exit::Exit, failure::Hinted, machine, manifests::Pods, named::Named, render, streams::Streams,
};

const EXAMPLES: &str = "\
Pods come in the order of the text, and each stays where it was put: the first ones
get the best places, as on a node. Devices and memory, which the topology manager
asks as well, are not looked at.

Examples:
  cgtune kubelet simulate -f pods.yaml --config /var/lib/kubelet/config.yaml
  cgtune kubelet simulate -f pods.yaml --config /var/lib/kubelet/config.yaml \\
    --config-dir /etc/kubernetes/kubelet.conf.d
  cgtune kubelet recommend -f pods.yaml -o yaml |
    cgtune kubelet simulate -f pods.yaml --config -
  kubectl get pods -A -o json --field-selector spec.nodeName=node7 |
    cgtune kubelet simulate -f - --topology node7.json --config node7.yaml --json";

/// Most copies of one pod that are put on a node.
const MOST_REPLICAS: u64 = 10_000;

/// Show which CPUs given pods would get on a node, who would share, who be refused
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pods: Pods,
    /// The kubelet's configuration; - for standard input [default: the kubelet's defaults]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    over: Over,
    /// Begin with what a kubelet has given away: its cpu_manager_state
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Put all replicas of a workload on the node, not one
    #[arg(long)]
    replicas: bool,
    #[command(flatten)]
    meant: Meant,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    output: cli::Output,
}

/// What came of it.
pub(crate) struct Simulation<'t> {
    pub(crate) kubelet: Effective,
    pub(crate) topology: &'t Topology,
    /// As it is afterwards.
    pub(crate) node: Node<'t>,
    pub(crate) pods: Vec<Outcome>,
    /// What containers in the shared pool request together.
    pub(crate) shared_requested: MilliCpu,
}

/// A pod, and whether it came in.
pub(crate) struct Outcome {
    pub(crate) workload: Workload,
    /// Which of its copies, from 1, where it has several.
    pub(crate) copy: Option<u64>,
    pub(crate) result: Result<Placed, Unplaced>,
}

impl Outcome {
    /// As it is called.
    pub(crate) fn name(&self) -> String {
        let Workload { namespace, name, kind, .. } = &self.workload;
        let name = name.as_deref().unwrap_or("(without a name)");
        let of = namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let kind = if *kind == "Pod" { String::new() } else { format!(" ({kind})") };
        let copy = self.copy.map(|copy| format!(" #{copy}")).unwrap_or_default();
        format!("{of}{name}{kind}{copy}")
    }
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    if !args.pods.asked() {
        let error = anyhow!("no pods are named");
        return Err(Hinted::new(error, "name manifests with -f; - is standard input").into());
    }
    let files = [("--config", args.config.as_deref()), ("--state", args.state.as_deref())];
    input::one_standard_input(args.pods.named().chain(files).chain([args.meant.description()]))?;
    let mut workloads = args.pods.read(streams)?;
    let machine = args.meant.described_or_here(&args.node.host_root)?;
    let topology = machine::cpus(&machine)?.as_the_kubelet_groups()?;
    let release = args.meant.kubernetes;
    let config = configured(args, &topology, streams)?;
    input::of_the_release(&mut workloads, &config, release, streams)?;
    let kubelet = config.effective(release);
    let mut node = Node::of(&topology, machine.distances(), &kubelet)
        .map_err(|error| Hinted::new(error, "the kubelet would not start: cgtune kubelet check says more"))?;
    let nodes = topology.count(Level::Node);
    if node.policy.is_some() && node.manager != TopologyPolicy::None && nodes > MAX_NODES {
        let error = anyhow!(
            "the topology manager would look at all combinations of {nodes} NUMA nodes, of which there are too many: of {MAX_NODES} \
             nodes at most they are looked at here"
        );
        return Err(Hinted::new(error, "with topologyManagerPolicy: none it is not asked").into());
    }
    if let Some(path) = &args.state {
        node.state = begun(&node, path)?;
        // Of who was there before nothing else is known.
        let pods: BTreeSet<&str> = node.state.assignments.keys().map(|holder| holder.pod.as_str()).collect();
        let taken = pods.into_iter().map(|pod| held(&node, pod));
        node.requested = taken.fold(MilliCpu::ZERO, MilliCpu::saturating_add);
    }
    let before = node.state.assignments.len();
    let pods = place(&mut node, workloads, args.replicas)?;
    let shared =
        |outcome: &Outcome| Some(outcome.result.as_ref().ok()?.shared_request(&outcome.workload.pod));
    let shared_requested = pods.iter().filter_map(shared).fold(MilliCpu::ZERO, MilliCpu::saturating_add);
    let simulation = Simulation { kubelet, topology: &topology, node, pods, shared_requested };
    if args.output.json {
        render::kubelet::simulate::json(&simulation, streams.out)?;
    } else {
        render::kubelet::simulate::text(&simulation, before, streams.out)?;
    }
    Ok(Exit::Done)
}

/// What the kubelet is configured to, as far as it would start.
fn configured(args: &Args, topology: &Topology, streams: &mut Streams<'_>) -> anyhow::Result<KubeletConfig> {
    let release = args.meant.kubernetes;
    let Some(path) = &args.config else {
        // It says what to do about what lies over nothing.
        args.over.read(None, streams)?;
        return Ok(KubeletConfig::default());
    };
    let config = Layered::read(path, &args.over, streams)?;
    let findings = config.file().check(release, args.meant.machine(Some(topology)));
    let errors: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity() == Severity::Error)
        .map(|finding| {
            let (name, line) = config.place(finding);
            format!("{name}: line {line}: {}", finding.fault)
        })
        .collect();
    if let Some(first) = errors.first() {
        let more = match errors.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let error = anyhow!("{first}{more}");
        return Err(Hinted::new(error, "mend it first: cgtune kubelet check says all").into());
    }
    Ok(config.config().clone())
}

/// What a kubelet before left.
fn begun(node: &Node<'_>, path: &std::path::Path) -> anyhow::Result<State> {
    let named = Named(path);
    let name = named.name();
    let Some(policy) = &node.policy else {
        let error = anyhow!("--state {name}: the policy none gives no CPU away");
        return Err(Hinted::new(error, "name a configuration with cpuManagerPolicy: static").into());
    };
    let bytes = named.read("a cpu_manager_state", cpu_manager::LARGEST)?;
    let state = cpu_manager::parse(&bytes).map_err(|error| {
        let hint = "name a copy of the node's /var/lib/kubelet/cpu_manager_state";
        Hinted::new(anyhow::Error::new(error).context(format!("--state {name}")), hint)
    });
    let CpuManager { shared, entries, .. } = state?;
    let holders = entries.into_iter().flat_map(|(pod, containers)| {
        containers.into_iter().map(move |(container, cpus)| (Holder { pod: pod.clone(), container }, cpus))
    });
    let left = State::new(shared.unwrap_or_default(), holders.collect::<BTreeMap<_, CpuSet>>());
    policy.start(left).map_err(|error| {
        let hint = "the kubelet would not start with it either: on a drained node its state file is removed";
        Hinted::new(anyhow::Error::new(error).context(format!("--state {name}")), hint).into()
    })
}

/// What the containers of a pod have alone, whoever of them shares it.
fn held(node: &Node<'_>, pod: &str) -> MilliCpu {
    let of_pod = node.state.assignments.iter().filter(|(holder, _)| holder.pod == pod);
    let cpus = of_pod.fold(CpuSet::new(), |all, (_, cpus)| all.union(cpus));
    MilliCpu::new(cpus.len() as u64 * 1000)
}

fn place(node: &mut Node<'_>, workloads: Vec<Workload>, replicas: bool) -> anyhow::Result<Vec<Outcome>> {
    let mut pods = Vec::new();
    for workload in workloads {
        let copies = workload.replicas.filter(|_| replicas).unwrap_or(1);
        if copies > MOST_REPLICAS {
            let name = workload.name.as_deref().unwrap_or_default();
            let error = anyhow!("--replicas: {copies} of {name} are more than {MOST_REPLICAS}");
            return Err(Hinted::new(error, "no node holds as many; leave --replicas out").into());
        }
        for copy in 1..=copies {
            // Who was there before is there still; else two of one name are two all the same.
            let known = workload.uid.as_ref().filter(|uid| held(node, uid) > MilliCpu::ZERO);
            let id = known.cloned().unwrap_or_else(|| pods.len().to_string());
            let before = held(node, &id);
            node.requested = MilliCpu::new(node.requested.get().saturating_sub(before.get()));
            let result = node.place(&id, &workload.pod);
            if result.is_err() {
                node.requested = node.requested.saturating_add(before);
            }
            let copy = (copies > 1).then_some(copy);
            pods.push(Outcome { workload: workload.clone(), copy, result });
        }
    }
    Ok(pods)
}
