//! `cgtune topology --svg`: sockets, memory nodes, caches and cores as boxes in boxes, a cell for each CPU.

use std::collections::BTreeMap;

use cgtune_chart::{
    Format,
    canvas::{broken, fitted},
    font::{self, Weight},
    paint::themed,
    scene::{Anchor, Extent, Ink, Scene},
    theme,
};
use cgtune_core::{
    CpuSet, Topology,
    topology::{Kind, Machine},
};
use cgtune_node::description::Holder;

use super::{
    layout::{Item, Placed},
    shape::{self, CacheBox, NodeBox, SocketBox},
    words,
};

/// Cgroups that are listed below; the others are counted.
const MOST_HOLDERS: usize = 20;

/// Room between sockets.
const BETWEEN: f64 = 16.0;

/// What a box is.
enum What {
    All,
    Socket,
    Node,
    Cache,
    Core,
    Cpu(u32),
    /// One that is switched off.
    Off(u32),
}

/// Size of a cell and of the number in it: the more CPUs, the smaller.
#[derive(Clone, Copy)]
struct Cell {
    width: f64,
    height: f64,
    text: f64,
}

impl Cell {
    fn of(cpus: usize) -> Self {
        match cpus {
            0..=32 => Self { width: 44.0, height: 30.0, text: 14.0 },
            33..=256 => Self { width: 28.0, height: 21.0, text: 11.0 },
            _ => Self { width: 27.0, height: 17.0, text: 10.0 },
        }
    }

    fn title(self) -> f64 {
        self.text.max(11.0)
    }
}

/// The picture as an SVG file, light or dark as its reader's page.
pub(crate) fn svg(machine: &Machine, topology: &Topology, holders: Option<&[Holder]>) -> String {
    themed::svg(&scene(machine, topology, holders))
}

fn scene(machine: &Machine, topology: &Topology, holders: Option<&[Holder]>) -> Scene {
    let title = words::summary(machine, topology);
    let mut scene = Scene::headed(
        Format::File,
        &title,
        "Boxes are sockets, memory nodes, caches and cores; cells are CPUs.",
    );
    let room = scene.width - 2.0 * theme::MARGIN;
    let placed = boxes(machine, topology).place((theme::MARGIN, scene.height + 8.0), room);
    let look = Look::of(machine);
    placed.visit(&mut |placed| draw(&mut scene, placed, &look));
    let mut y = placed.extent.bottom + 28.0;
    y = look.legend(&mut scene, y);
    y = list(&mut scene, y, holders);
    for note in &machine.notes {
        for line in broken(&format!("Note: {note}"), room, theme::BODY, Weight::Regular) {
            scene.label((theme::MARGIN, y), line, theme::QUIET, Anchor::Start);
            y += 18.0;
        }
    }
    scene.on_paper(y + 6.0)
}

fn boxes(machine: &Machine, topology: &Topology) -> Item<What> {
    let cell = Cell::of(topology.all().len());
    let sockets = shape::sockets(machine);
    let several = sockets.len() > 1;
    let mut children: Vec<_> = sockets.iter().map(|socket| self::socket(socket, cell)).collect();
    for node in shape::without_cpus(machine) {
        let title = format!("node {}, {}, no CPUs", node.node, words::memory(node));
        children.push(framed(What::Node, title, cell, Vec::new()));
    }
    if let Some(off) = machine.offline.as_ref().filter(|off| !off.is_empty()) {
        let cells = off.iter().map(|cpu| self::cell(What::Off(cpu), cell)).collect();
        children.push(framed(What::Node, "switched off".to_owned(), cell, cells));
    }
    if several {
        // Two sockets beside each other compare better than one below the other.
        let half = (theme::WIDTH - 2.0 * theme::MARGIN - BETWEEN) / 2.0;
        let sockets = children.iter_mut().filter(|child| matches!(child.what, What::Socket));
        sockets.for_each(|socket| (socket.least.0, socket.most) = (half, half));
    }
    Item {
        what: What::All,
        title: String::new(),
        size: 0.0,
        pad: 0.0,
        gap: BETWEEN,
        least: (0.0, 0.0),
        most: f64::MAX,
        children,
    }
}

fn framed(what: What, title: String, cell: Cell, children: Vec<Item<What>>) -> Item<What> {
    Item { what, title, size: cell.title(), pad: 7.0, gap: 7.0, least: (0.0, 0.0), most: f64::MAX, children }
}

fn socket(socket: &SocketBox<'_>, cell: Cell) -> Item<What> {
    let nodes = socket.nodes.iter().map(|node| self::node(node, cell)).collect();
    framed(What::Socket, format!("socket {}", socket.number), cell, nodes)
}

fn node(node: &NodeBox<'_>, cell: Cell) -> Item<What> {
    let caches = node.caches.iter().map(|cache| self::cache(cache, cell)).collect();
    framed(What::Node, words::node(node), cell, caches)
}

fn cache(cache: &CacheBox, cell: Cell) -> Item<What> {
    let mut cores: Vec<&Vec<u32>> = cache.cores.iter().flat_map(|cores| &cores.each).collect();
    cores.sort();
    let core = |cpus: &Vec<u32>| Item {
        what: What::Core,
        title: String::new(),
        size: 0.0,
        pad: 1.5,
        gap: 1.0,
        least: (0.0, 0.0),
        most: f64::MAX,
        children: cpus.iter().map(|&cpu| self::cell(What::Cpu(cpu), cell)).collect(),
    };
    let title = words::cache(cache).unwrap_or_default();
    let cores = cores.into_iter().map(core).collect();
    Item { gap: 4.0, ..framed(What::Cache, title, cell, cores) }
}

fn cell(what: What, cell: Cell) -> Item<What> {
    let least = (cell.width, cell.height);
    Item {
        what,
        title: String::new(),
        size: cell.text,
        pad: 0.0,
        gap: 0.0,
        least,
        most: f64::MAX,
        children: Vec::new(),
    }
}

/// What is said of CPUs by how their cells look.
struct Look {
    kinds: BTreeMap<u32, Kind>,
    isolated: CpuSet,
    tickless: CpuSet,
    heavy: CpuSet,
    any_off: bool,
}

/// Of a kind of core; the strongest as all are where they are of one kind.
fn ink(kind: Option<Kind>) -> Ink {
    let ink = match kind {
        None | Some(Kind::Big) => theme::BLUE,
        Some(Kind::Middle) => theme::ORANGE,
        Some(Kind::Little) => theme::GREEN,
    };
    ink.mix(theme::PAPER, 0.75)
}

const OFF: Ink = theme::GRID;

impl Look {
    fn of(machine: &Machine) -> Self {
        let list = |list: &Option<CpuSet>| list.clone().unwrap_or_default().intersection(&machine.online());
        Self {
            kinds: machine.cpus.iter().filter_map(|cpu| Some((cpu.cpu, cpu.kind?))).collect(),
            isolated: list(&machine.isolated),
            tickless: list(&machine.nohz_full),
            heavy: machine.interrupt_heavy(),
            any_off: machine.offline.as_ref().is_some_and(|off| !off.is_empty()),
        }
    }

    fn marks(&self, scene: &mut Scene, extent: Extent, cpu: u32) {
        if self.isolated.contains(cpu) {
            isolated(scene, extent);
        }
        if self.tickless.contains(cpu) {
            tickless(scene, extent);
        }
        if self.heavy.contains(cpu) {
            heavy(scene, extent);
        }
    }

    /// Says what occurs, and gives the place below.
    fn legend(&self, scene: &mut Scene, y: f64) -> f64 {
        type Draw = fn(&mut Scene, Extent);
        let mut entries: Vec<(Ink, Option<Draw>, &str)> = Vec::new();
        for kind in [Kind::Big, Kind::Middle, Kind::Little] {
            if self.kinds.values().any(|other| *other == kind) {
                entries.push((ink(Some(kind)), None, kind.name()));
            }
        }
        let marks: [(bool, Draw, &str); 3] = [
            (!self.isolated.is_empty(), isolated, "isolated"),
            (!self.tickless.is_empty(), tickless, "no tick (nohz_full)"),
            (!self.heavy.is_empty(), heavy, "takes many interrupts of devices"),
        ];
        let plain = if self.kinds.is_empty() { ink(None) } else { theme::PAPER };
        entries.extend(
            marks.into_iter().filter(|(any, ..)| *any).map(|(_, draw, word)| (plain, Some(draw), word)),
        );
        if self.any_off {
            entries.push((OFF, None, "switched off"));
        }
        if entries.is_empty() {
            return y - 8.0;
        }
        let mut x = theme::MARGIN;
        for (ink, draw, word) in entries {
            let extent = Extent { left: x, top: y - 13.0, right: x + 24.0, bottom: y + 4.0 };
            scene.rect(extent, ink);
            if let Some(draw) = draw {
                draw(scene, extent);
            }
            scene.label((x + 31.0, y), word, theme::INK, Anchor::Start);
            x += 31.0 + font::room(word, theme::BODY, Weight::Regular) + 24.0;
        }
        y + 28.0
    }
}

fn frame(scene: &mut Scene, extent: Extent, inside: f64, width: f64, ink: Ink) {
    let (left, right) = (extent.left + inside, extent.right - inside);
    let (top, bottom) = (extent.top + inside, extent.bottom - inside);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    scene.line(corners.to_vec(), width, ink);
}

fn isolated(scene: &mut Scene, extent: Extent) {
    frame(scene, extent, 1.0, 2.0, theme::PURPLE);
}

fn tickless(scene: &mut Scene, extent: Extent) {
    let y = extent.bottom - 3.0;
    scene.line(vec![(extent.left + 5.0, y), (extent.right - 5.0, y)], 2.0, theme::INK);
}

fn heavy(scene: &mut Scene, extent: Extent) {
    scene.dot((extent.right - 4.5, extent.top + 4.5), 2.8, theme::ALARM);
}

fn draw(scene: &mut Scene, placed: &Placed<What>, look: &Look) {
    let extent = placed.extent;
    match placed.what {
        What::All => {}
        What::Socket => frame(scene, extent, 0.0, 1.5, theme::AXIS),
        What::Node => scene.rect(extent, theme::GRID.mix(theme::PAPER, 0.4)),
        What::Cache => scene.rect(extent, theme::PAPER),
        What::Core => scene.rect(extent, theme::AXIS),
        What::Cpu(cpu) => {
            scene.rect(extent, ink(look.kinds.get(&cpu).copied()));
            number(scene, placed, cpu, theme::INK);
            look.marks(scene, extent, cpu);
        }
        What::Off(cpu) => {
            scene.rect(extent, OFF);
            number(scene, placed, cpu, theme::QUIET);
        }
    }
    if !placed.title.is_empty() {
        let weight = if matches!(placed.what, What::Socket) { Weight::Bold } else { Weight::Regular };
        let at = (extent.left + placed.pad, extent.top + placed.pad + placed.size * 0.75);
        scene.text(at, &*placed.title, placed.size, weight, theme::QUIET, Anchor::Start);
    }
}

fn number(scene: &mut Scene, placed: &Placed<What>, cpu: u32, ink: Ink) {
    let Extent { left, top, right, bottom } = placed.extent;
    let at = ((left + right) / 2.0, (top + bottom) / 2.0 + placed.size * 0.36);
    scene.text(at, cpu.to_string(), placed.size, Weight::Regular, ink, Anchor::Middle);
}

/// The cgroups that hold CPUs of their own, and the place below.
fn list(scene: &mut Scene, mut y: f64, holders: Option<&[Holder]>) -> f64 {
    let Some(holders) = holders.filter(|holders| !holders.is_empty()) else { return y };
    let at = (theme::MARGIN, y);
    scene.text(at, "Cgroups with CPUs of their own", theme::HEADING, Weight::Bold, theme::INK, Anchor::Start);
    let half = theme::WIDTH / 2.0 - theme::MARGIN;
    for holder in holders.iter().take(MOST_HOLDERS) {
        y += 20.0;
        let short = |text: &str| fitted(text, half - 16.0, theme::BODY, Weight::Regular);
        scene.label((theme::MARGIN, y), short(holder.title()), theme::INK, Anchor::Start);
        scene.label((theme::MARGIN + half, y), short(&words::holder(holder)), theme::QUIET, Anchor::Start);
    }
    if let Some(more) = holders.len().checked_sub(MOST_HOLDERS).filter(|more| *more > 0) {
        y += 20.0;
        scene.label((theme::MARGIN, y), format!("and {more} more"), theme::QUIET, Anchor::Start);
    }
    y + 28.0
}

#[cfg(test)]
mod tests {
    use cgtune_core::topology::{Level, MachineCpu};

    use super::*;

    fn machine(cpus: u32, threads: u32, caches: u32) -> Machine {
        let cores = cpus / threads;
        let cpu = |cpu: u32| {
            let core = cpu % cores;
            let uncore = Some(core / (cores / caches) * (cores / caches));
            MachineCpu {
                cpu,
                core,
                socket: core * 2 / cores,
                node: core * 4 / cores,
                uncore,
                ..MachineCpu::default()
            }
        };
        Machine { cpus: (0..cpus).map(cpu).collect(), ..Machine::default() }
    }

    #[test]
    fn every_cpu_has_its_number_in_the_picture_and_none_lies_over_another() {
        for cpus in [4, 128, 1024] {
            let mut machine = machine(cpus, 2, 4.min(cpus / 2));
            machine.cpus.iter_mut().for_each(|cpu| cpu.node = cpu.socket);
            machine.isolated = Some([0, 1].into_iter().collect());
            machine.offline = Some([cpus, cpus + 3].into_iter().collect());
            let scene = scene(&machine, &machine.topology().unwrap(), None);
            let numbers: Vec<_> = scene
                .texts()
                .filter(|text| text.text.parse::<u32>().is_ok())
                .map(|text| (text, text.extent()))
                .collect();
            assert_eq!(numbers.len(), cpus as usize + 2);
            for (place, (text, extent)) in numbers.iter().enumerate() {
                assert!(scene.extent().contains(extent), "{text:?}");
                assert!(numbers[place + 1..].iter().all(|(_, other)| !extent.overlaps(other)), "{text:?}");
            }
        }
    }

    #[test]
    fn levels_that_are_not_shown_are_not_drawn() {
        let mut machine = machine(4, 1, 1);
        machine.cpus.iter_mut().for_each(|cpu| (cpu.uncore, cpu.node, cpu.socket) = (None, 0, 0));
        let topology = machine.topology().unwrap();
        assert_eq!(topology.count(Level::Uncore), 1);
        let scene = scene(&machine, &topology, None);
        assert!(!scene.texts().any(|text| text.text.starts_with("last-level cache")), "{scene:?}");
    }
}
