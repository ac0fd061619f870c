//! `cgtune capture`: watches cgroups as `diagnose` does, and keeps all that was read in a tar.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, IsTerminal as _, Write},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use cgtune_core::{Layout, Micros, text::Escaped};
use cgtune_sys::{
    Cgroup, Hierarchies, HostRoot,
    durable::{self, Existing},
    facts, node_files,
};

use crate::{
    capture::{self, Contents, Manifest, Request, Session, Stopped},
    cli,
    cmd::{diagnose, stat},
    exit::Exit,
    failure::Hinted,
    interrupt::Interrupt,
    render::{self, stat_json::name},
    streams::Streams,
    target,
};

const EXAMPLES: &str = "\
TARGET is a cgroup path (/kubepods/…), a pid, a container id or its beginning,
pod:NAMESPACE/POD or unit:NAME; without one it is the cgroup that this command
runs in.

FILE is a tar: the node's files that were read, each as it was first, and a tape
of what changed while they were read. cgtune stat and cgtune diagnose replay it
with --from, on any machine. It only reads, and writes nothing but FILE, which
is there once it is whole.

In it: names and CPU settings, counters and pressure of the cgroups; ids, names,
states and CPU times of their threads; names of pods, containers and the node's
processes; its CPUs and memory nodes, kernel version and boot id. Not in it:
command lines, environments, contents of your files, mounts but those of
cgroups.

Examples:
  cgtune capture -o web.tar 3b2e7f9d0c1a       a container, for ten seconds
  cgtune capture -o web.tar pod:prod/web       a pod and its containers
  cgtune capture -o node7.tar --all --for 30s  every cgroup
  cgtune diagnose --from node7.tar --all       what it was, elsewhere
  ssh node7 cgtune capture --all -o - > node7.tar";

/// Keep all that stat and diagnose read in a file, for a bug report or for later
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which cgroups
    #[arg(value_name = "TARGET", conflicts_with = "all")]
    targets: Vec<OsString>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// Where to; - is stdout
    #[arg(short, long = "out", value_name = "FILE.tar")]
    out: PathBuf,
    /// Watch for so long
    #[arg(long = "for", value_name = "DURATION", default_value = "10s")]
    duration: String,
    /// Replace FILE.tar if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    output: cli::Output,
}

/// How many groups `--all` takes: beyond, the tar takes longer to read than anybody waits.
const GROUPS: usize = 20_000;
/// How much of the tape is kept in memory.
const TAPE: usize = 256 << 20;
/// Of how many processes it is read in which groups they are.
const PROCESSES: usize = 5000;

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let duration = diagnose::watch_time(&args.duration)?;
    let request = Request { all: args.all, targets: args.targets.clone(), duration };
    request.targets()?;
    let to_stdout = args.out == Path::new("-");
    if to_stdout && args.output.json {
        let error = anyhow!("--json and -o - both want stdout");
        return Err(Hinted::new(error, "the same is in the tar, as capture.json").into());
    }
    if to_stdout && io::stdout().is_terminal() {
        let error = anyhow!("a tar on a terminal helps nobody");
        return Err(Hinted::new(error, "-o FILE.tar, or send it on: cgtune capture -o - | …").into());
    }
    if !to_stdout {
        writable(&args.out, args.force)?;
    }
    let ask = args.node.ask()?;
    let interrupt = Interrupt::watch()?;
    let live = HostRoot::new(&args.node.host_root);
    if args.all {
        few_enough(&live)?;
    }
    let host = live.recorded(TAPE);
    let hierarchies = Hierarchies::detect(host.clone()).map_err(target::kernel)?;
    let session = request.carry_out(&hierarchies, &ask, &interrupt)?;
    if interrupt.asked() {
        streams.warn(&"interrupted while watching; nothing was written")?;
        return Ok(Exit::Interrupted);
    }
    if host.is_tape_full() {
        return Err(too_much(&session, duration));
    }
    let taken = Taken::from(session, &request, &hierarchies)?;
    let recorded = host.take_tape().unwrap_or_default();
    let contents = Contents {
        manifest: &taken.manifest,
        request: &request,
        findings: &taken.findings,
        stat: &taken.stat,
        recorded: &recorded,
    };
    let size = match write(&contents, args, &interrupt) {
        Ok(size) => size,
        Err(error) if error.is::<Stopped>() => {
            streams.warn(&"interrupted while writing; nothing was kept")?;
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(error),
    };
    if args.output.json {
        serde_json::to_writer_pretty(&mut *streams.out, &taken.manifest)?;
        writeln!(streams.out)?;
    } else {
        let to = if to_stdout { &mut *streams.err } else { &mut *streams.out };
        render::capture::write(&taken.manifest, &args.out, size, to)?;
    }
    Ok(Exit::Done)
}

/// What can be known before anything is watched.
fn writable(out: &Path, force: bool) -> anyhow::Result<()> {
    let shown = Escaped(out.as_os_str().as_encoded_bytes());
    if !force && out.symlink_metadata().is_ok() {
        return Err(Hinted::new(anyhow!("{shown} is there already"), "--force replaces it").into());
    }
    let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    anyhow::ensure!(
        folder.is_dir(),
        "cannot write {shown}: there is no folder {}",
        Escaped(folder.as_os_str().as_encoded_bytes())
    );
    anyhow::ensure!(!out.is_dir(), "cannot write {shown}: it is a folder");
    Ok(())
}

fn few_enough(host: &HostRoot) -> anyhow::Result<()> {
    let mut groups = 0;
    let hierarchies = Hierarchies::detect(host.clone()).map_err(target::kernel)?;
    hierarchies.walk(|_, _| groups += 1).map_err(target::kernel)?;
    if groups > GROUPS {
        let error = anyhow!("there are {groups} cgroups, and --all takes {GROUPS} at most");
        return Err(Hinted::new(error, "name those that matter: cgtune diagnose --all finds them").into());
    }
    Ok(())
}

fn too_much(session: &Session, duration: Micros) -> anyhow::Error {
    let watched = session.seen.effort.wall.as_secs();
    let error = anyhow!(
        "the {} MiB that a capture may hold were full after {watched:.1} s of {duration}; nothing was written",
        TAPE >> 20
    );
    let hint = format!("--for {}s, or fewer cgroups", (watched * 0.8).floor().max(1.0));
    Hinted::new(error, hint).into()
}

/// What is said of what was seen, live: it stands in the tar beside the tape.
struct Taken {
    manifest: Manifest,
    findings: Vec<u8>,
    stat: Vec<u8>,
}

impl Taken {
    fn from(session: Session, request: &Request, hierarchies: &Hierarchies) -> anyhow::Result<Self> {
        let host = hierarchies.host();
        node_files::machine(host);
        let mut left = PROCESSES;
        for path in session.seen.watched.keys() {
            // One that vanished just now has no processes.
            if let Ok(cgroup) = Cgroup::open(hierarchies, path) {
                left -= node_files::processes(&cgroup, host, left);
            }
        }
        let Session { mut readings, seen, register } = session;
        readings.sort_by(stat::worst_first);
        let mut stat = Vec::new();
        render::stat_json::write(&readings, &mut stat)?;
        let effort = seen.effort;
        let manifest = Manifest {
            schema: capture::SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            captured_at: jiff::Timestamp::now().to_string(),
            kernel_release: facts::kernel_release_of(host),
            layout: match hierarchies.cpu().layout {
                Layout::V1 => "v1".to_owned(),
                Layout::V2 => "v2".to_owned(),
            },
            as_root: facts::is_root(),
            for_us: request.duration.get(),
            wall_ns: effort.wall.get(),
            cpu_ns: effort.cpu.get(),
            interval_ns: effort.interval.get(),
            all: request.all,
            targets: request.targets.iter().map(|typed| name(Path::new(typed))).collect(),
            cgroups: seen.watched.keys().map(|path| name(path)).collect(),
        };
        let mut findings = Vec::new();
        let diagnoses = diagnose::diagnoses(seen.watched, &register);
        render::diagnose_json::write(&diagnoses, &effort, host, &mut findings)?;
        Ok(Self { manifest, findings, stat })
    }
}

/// How many bytes it took.
fn write(contents: &Contents<'_>, args: &Args, interrupt: &Interrupt) -> anyhow::Result<u64> {
    let stop = || interrupt.asked();
    if args.out == Path::new("-") {
        // Past the stream of the answer, which takes out what looks like a colour.
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut counted = Counted { to: &mut io::BufWriter::with_capacity(1 << 20, stdout), bytes: 0 };
        capture::pack(contents, &mut counted, &stop)?;
        return Ok(counted.bytes);
    }
    let existing = if args.force { Existing::Replaced } else { Existing::Kept };
    let mut size = 0;
    let written = durable::write_with(&args.out, existing, |file| {
        let mut counted = Counted { to: &mut io::BufWriter::with_capacity(1 << 20, file), bytes: 0 };
        capture::pack(contents, &mut counted, &stop)?;
        size = counted.bytes;
        anyhow::Ok(())
    });
    match written {
        Ok(()) => Ok(size),
        Err(error) if error.is::<Stopped>() => Err(error),
        Err(error) => Err(error)
            .with_context(|| format!("cannot write {}", Escaped(args.out.as_os_str().as_encoded_bytes()))),
    }
}

/// Counts what goes through it.
struct Counted<'a> {
    to: &'a mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.to.write(bytes)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
