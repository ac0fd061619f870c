//! `cgtune top`: a live table of all cgroups.
//!
//! Apart from each other: who looks ([`scanner`]), what is known ([`model`], pure), what is shown of it ([`view`], pure),
//! which key does what ([`keys`]), and the terminal ([`terminal`], [`live`]). Causes and names are found out beside them
//! ([`causes`], [`names`]). How it looks is `render::top`'s business.

pub(crate) mod causes;
pub(crate) mod crew;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod label;
mod live;
pub(crate) mod model;
pub(crate) mod names;
pub(crate) mod order;
mod scanner;
#[cfg(test)]
pub(crate) mod synthetic;
mod terminal;
pub(crate) mod view;

use anyhow::{Context as _, anyhow};
use cgtune_core::Micros;
use cgtune_sys::{Hierarchies, HostRoot, clock, detect::View as Visible, facts};

use self::{
    causes::Causes,
    model::Model,
    names::Names,
    order::{Order, Shape, Sort},
    scanner::{Feed, Scanner, Wish},
    view::View,
};
use crate::{cli, exit::Exit, failure::Hinted, interrupt::Interrupt, render::top, streams::Streams, target};

const EXAMPLES: &str = "\
Keys are in the last line and on ?. NO_COLOR takes the colours out.

Examples:
  cgtune top                         every cgroup, those that stall most first
  cgtune top --pods                  pods and their containers
  cgtune top --tree --filter web     those with web in name or path, as a tree
  cgtune top --once --sort cpu       one frame as text
  cgtune top --json --ticks 60       a JSON object a second, for a minute";

/// Watch all cgroups: CPU of limit, throttling, stall, run delay
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Time from look to look
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    interval: String,
    /// What to sort by, most first
    #[arg(long, value_enum, default_value_t = Sort::Stall, hide_possible_values = true,
          help = "What to sort by, most first: stall, throttled, cpu, used, delay, burst, psi, name")]
    sort: Sort,
    /// Least first
    #[arg(long)]
    reverse: bool,
    /// Only cgroups whose name or path contains this, in any case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    filter: String,
    /// As a tree
    #[arg(long, conflicts_with = "pods")]
    tree: bool,
    /// Pods alone, and what is in each
    #[arg(long)]
    pods: bool,
    /// Print one frame as text: two readings an interval apart
    #[arg(long, conflicts_with_all = ["json", "ticks"])]
    once: bool,
    /// End after so many ticks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    ticks: Option<u64>,
    #[command(flatten)]
    node: cli::Node,
    /// Stream a line of JSON a tick
    #[arg(long)]
    json: bool,
}

/// The shortest interval: a group's period is 100 ms, so that less tells little and costs much.
const SHORTEST: Micros = Micros::from_ms(100);
/// The longest.
const LONGEST: Micros = Micros::from_ms(3600 * 1000);

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let interval = interval(&args.interval)?;
    let interactive = !args.once && !args.json;
    if interactive {
        terminal::check()?;
    }
    let shape = match (args.pods, args.tree) {
        (true, _) => Shape::Pods,
        (false, true) => Shape::Tree,
        (false, false) => Shape::List,
    };
    let order = Order { sort: args.sort, reversed: args.reverse, shape, filter: args.filter.clone() };
    let ask = args.node.ask()?;
    let hierarchies = Hierarchies::detect(HostRoot::new(&args.node.host_root)).map_err(target::kernel)?;
    let scanner = Scanner::new(&hierarchies, interval).map_err(target::kernel)?;
    let online = facts::online_cpus(hierarchies.host()).map(|cpus| cpus.len());
    let model = Model::new(hierarchies.cpu().view == Visible::Whole, online, interval);
    let window = if args.once { interval.min(causes::WINDOW) } else { causes::WINDOW };
    let names = Names::begin(hierarchies.host().clone(), ask)
        .context("cannot start the thread that asks for names")?;
    let causes = Causes::begin(hierarchies, window).context("cannot start the thread that watches")?;
    if interactive {
        let feed = Feed::begin(scanner).context("cannot start the thread that scans")?;
        return live::run(&feed, &causes, names, model, View::new(order), args.ticks);
    }
    let wish = Wish::default();
    Headless { scanner, causes, names, model, order, wish, once: args.once }.run(args, streams)
}

/// The same without a terminal.
struct Headless {
    scanner: Scanner,
    causes: Causes,
    names: Names,
    model: Model,
    order: Order,
    wish: Wish,
    /// Nobody waits for the only frame, so that it may as well be complete.
    once: bool,
}

impl Headless {
    fn run(mut self, args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
        let interrupt = Interrupt::watch().context("cannot watch for signals")?;
        let mut begun = clock::now();
        self.tick()?;
        let mut left = if args.once { Some(1) } else { args.ticks };
        while left != Some(0) {
            if !interrupt.sleep_until(begun.saturating_add(self.model.cost.interval.to_nanos())) {
                return Ok(Exit::Interrupted);
            }
            begun = clock::now();
            self.tick()?;
            let lines = self.order.lines(&self.model);
            if args.once {
                top::text::write(&self.model, &self.order, &lines, streams.out)?;
            } else {
                let now = jiff::Timestamp::now();
                top::json::write(&self.model, &lines, now, streams.out)?;
                streams.out.flush()?;
            }
            left = left.map(|left| left - 1);
        }
        Ok(Exit::Done)
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        let tick = self.scanner.tick(&self.wish).map_err(target::kernel)?;
        self.names.want(tick.look.groups.iter().map(|group| &group.path));
        let verdicts = if self.once { self.causes.settled() } else { self.causes.verdicts() };
        self.model.take(tick, &verdicts, &self.names.settled(), false);
        let first = self.model.rows.iter().all(|row| row.interval.is_none());
        // Before there are rates, totals point at those that may be worst.
        let worst = if first { self.model.worst_ever(causes::MOST) } else { self.model.worst(causes::MOST) };
        self.causes.watch(worst);
        // Nobody says which rows are looked at, so those with a limit come first, small groups before large ones.
        let mut rows: Vec<_> =
            self.order.lines(&self.model).iter().map(|line| &self.model.rows[line.row]).collect();
        rows.sort_by_key(|row| (!row.is_limited(), std::cmp::Reverse(row.depth)));
        self.wish.threads = rows.into_iter().map(|row| std::sync::Arc::clone(&row.path)).collect();
        if first {
            // The threads' first reading, so that the first interval has a run delay.
            let threads = self.scanner.tick(&self.wish).map_err(target::kernel)?;
            self.model.take(threads, &self.causes.verdicts(), &self.names.known(), false);
        }
        Ok(())
    }
}

fn interval(text: &str) -> anyhow::Result<Micros> {
    let interval = Micros::parse(text).map_err(|error| anyhow!("--interval: {error}"))?;
    if !(SHORTEST..=LONGEST).contains(&interval) {
        let error = anyhow!("--interval: cannot look every {interval}");
        return Err(Hinted::new(error, "anything from 100ms to 1h, such as 2s").into());
    }
    Ok(interval)
}
