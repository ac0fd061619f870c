//! Which policy buys what: the tail of latency against the CPU that the policy sets aside, a panel alone and one beside a
//! neighbour, on the same scales. To the left is cheap, at the bottom is quick.

use cgtune_chart::{
    Format,
    axis::{Linear, round_up, tick_text},
    canvas::Dash,
    font::{self, Weight},
    labels::spread,
    scene::{Anchor, Extent, Scene},
    theme,
};

use super::{
    percentiles::standing,
    policy::{colour, text_colour},
};
use crate::{
    plan::{Item, PolicyKind},
    record::Records,
    stats::Band,
    study::reserved_cpus,
    summary::{Row, Summary, figures::ms},
};

const TICKS: u32 = 5;
const HEIGHT: f64 = 300.0;
const NARROW_HEIGHT: f64 = 230.0;
/// Room for names to the right of the last dots.
const NAME_ROOM: f64 = 150.0;
const NARROW_NAME_ROOM: f64 = 124.0;
const TICK_ROOM: f64 = 40.0;
/// Between the middles of two dots, at least.
const APART: f64 = 13.0;
/// From a dot to its name.
const LEADER: f64 = 22.0;

/// One policy.
struct Deal {
    policy: PolicyKind,
    cpus: f64,
    tail_ms: f64,
    band: Option<Band>,
}

/// The policies of one panel.
struct Market {
    neighbour: bool,
    deals: Vec<Deal>,
}

/// Draws the chart as a file.
#[must_use]
pub fn cost(records: &Records, summary: &Summary) -> Scene {
    draw(records, summary, Format::File)
}

/// Draws the chart for a page.
pub(super) fn draw(records: &Records, summary: &Summary, format: Format) -> Scene {
    let level = summary.tail_level();
    let deadline = summary.frame_interval_us.map(|us| (summary.item, us));
    let markets: Vec<Market> = [false, true]
        .into_iter()
        .map(|neighbour| {
            let deal = |row: &Row| {
                let measured = row.measured()?;
                let quantile = measured.latency.get(level);
                let cpus = reserved_cpus(records, measured.condition)?;
                Some(Deal {
                    policy: measured.policy(),
                    cpus,
                    tail_ms: quantile.pooled_us? / 1e3,
                    band: quantile.band_us,
                })
            };
            Market { neighbour, deals: summary.group(neighbour).filter_map(deal).collect() }
        })
        .filter(|market| !market.deals.is_empty())
        .collect();
    let subtitle = format!(
        "{}{level} against the CPU that a policy sets aside: its own CPUs, else its quota, else its request. Bars: 95 % band over \
         blocks. To the left is cheap, at the bottom is quick; dots that would cover each other stand side by side.",
        standing(summary)
    );
    let mut scene = Scene::headed(format, &title(&markets, &level.to_string()), &subtitle);
    if markets.is_empty() {
        return scene.only_note("No policy has both: enough frames for a tail, and a known amount of CPU.");
    }
    let deals = || markets.iter().flat_map(|market| &market.deals);
    let most = deals().map(|deal| deal.cpus).fold(0.1, f64::max);
    let highest = deals()
        .map(|deal| deal.band.map_or(deal.tail_ms, |band| deal.tail_ms.max(band.high / 1e3)))
        .chain(summary.frame_interval_us.map(|us| us / 1e3))
        .fold(0.1, f64::max);
    let (across, height, name_room) = match format.is_narrow() {
        true => (1, NARROW_HEIGHT, NARROW_NAME_ROOM),
        false => (markets.len(), HEIGHT, NAME_ROOM),
    };
    let share = (format.width() - 2.0 * format.margin()) / across as f64;
    let mut bottom = scene.height;
    for (place, market) in markets.iter().enumerate() {
        if place % across == 0 {
            bottom += 72.0 + height;
        }
        let left = format.margin() + share * (place % across) as f64;
        let extent =
            Extent { left: left + TICK_ROOM, right: left + share - name_room, top: bottom - height, bottom };
        let x = Linear::new((0.0, most), (extent.left, extent.right));
        let y = Linear::new((0.0, round_up(highest, TICKS)), (extent.bottom, extent.top));
        let scales = Scales { extent, x, y };
        scales.draw(&mut scene, market.neighbour, &level.to_string(), deadline);
        scales.deals(&mut scene, &market.deals);
        if across == 1 {
            bottom += 44.0;
        }
    }
    let below = if across == 1 { 0.0 } else { 44.0 };
    scene.on_paper(bottom + below + theme::MARGIN)
}

struct Scales {
    extent: Extent,
    x: Linear,
    y: Linear,
}

impl Scales {
    fn draw(&self, scene: &mut Scene, neighbour: bool, level: &str, deadline: Option<(Item, f64)>) {
        let Self { extent, x, y } = self;
        let heading = if neighbour { "With a noisy neighbour" } else { "Alone" };
        let left = extent.left - TICK_ROOM;
        scene.text(
            (left, extent.top - 38.0),
            heading,
            theme::HEADING,
            Weight::Bold,
            theme::INK,
            Anchor::Start,
        );
        scene.label((left, extent.top - 14.0), format!("{level}, ms"), theme::QUIET, Anchor::Start);
        for tick in y.ticks(TICKS) {
            let at = y.at(tick);
            let ink = if tick == 0.0 { theme::AXIS } else { theme::GRID };
            scene.line(vec![(extent.left, at), (extent.right, at)], 1.0, ink);
            scene.label((extent.left - 8.0, at + 4.5), tick_text(tick), theme::QUIET, Anchor::End);
        }
        for tick in x.ticks(TICKS) {
            let at = x.at(tick);
            scene.line(vec![(at, extent.top), (at, extent.bottom + 6.0)], 1.0, theme::GRID);
            scene.label((at, extent.bottom + 22.0), tick_text(tick), theme::QUIET, Anchor::Middle);
        }
        let middle = (extent.left + extent.right) / 2.0;
        scene.label((middle, extent.bottom + 44.0), "CPU set aside (CPUs)", theme::QUIET, Anchor::Middle);
        if let Some((item, us)) = deadline {
            let at = y.at(us / 1e3);
            scene.dashed((extent.left, at), (extent.right, at), 1.5, theme::INK, Dash(2.0, 4.0));
            let text = format!("dotted: the {}, {} ms", item.deadline(), ms(us));
            scene.label((extent.left + 36.0, extent.top - 14.0), text, theme::QUIET, Anchor::Start);
        }
    }

    fn deals(&self, scene: &mut Scene, deals: &[Deal]) {
        let placed = self.placed(deals);
        for Placed { deal, x, .. } in &placed {
            if let Some(band) = deal.band {
                let (low, high) = (self.y.at(band.low / 1e3), self.y.at(band.high / 1e3));
                scene.line(vec![(*x, low), (*x, high)], 3.0, colour(deal.policy).fade(0.5));
            }
        }
        for crowd in crowds(&placed) {
            self.names(scene, &crowd);
        }
        for Placed { deal, x, y } in &placed {
            scene.dot((*x, *y), 7.5, theme::PAPER);
            scene.dot((*x, *y), 6.0, colour(deal.policy));
        }
    }

    /// Where each dot is: one that would cover another stands to the left of it.
    fn placed<'a>(&self, deals: &'a [Deal]) -> Vec<Placed<'a>> {
        let mut placed: Vec<Placed<'a>> = Vec::new();
        for deal in deals {
            let (exact, y) = (self.x.at(deal.cpus), self.y.at(deal.tail_ms));
            let steps = (0..=deals.len()).map(|step| exact - step as f64 * APART);
            let free = |x: &f64| placed.iter().all(|other| (other.x - x).hypot(other.y - y) >= APART);
            let x = steps.into_iter().find(free).unwrap_or(exact);
            placed.push(Placed { deal, x, y });
        }
        placed
    }

    fn names(&self, scene: &mut Scene, crowd: &[&Placed<'_>]) {
        let wanted: Vec<f64> = crowd.iter().map(|placed| placed.y).collect();
        let right = crowd.iter().map(|placed| placed.x).fold(0.0, f64::max);
        let ends = spread(&wanted, 17.0, (self.extent.top + 6.0, self.extent.bottom - 8.0));
        for (Placed { deal, x, y }, to_y) in crowd.iter().zip(ends) {
            let bend = right + 8.5;
            let leader =
                vec![(*x, *y), (bend, *y), (right + LEADER - 5.0, to_y), (right + LEADER - 2.0, to_y)];
            scene.line(leader, 1.0, colour(deal.policy).fade(0.7));
            let at = (right + LEADER + 1.0, to_y + 4.5);
            let ink = text_colour(deal.policy);
            scene.text(at, deal.policy.name(), theme::BODY, Weight::Bold, ink, Anchor::Start);
        }
    }
}

/// A dot.
struct Placed<'a> {
    deal: &'a Deal,
    x: f64,
    y: f64,
}

/// Those whose names would reach the next dot stand together.
fn crowds<'a, 'b>(placed: &'b [Placed<'a>]) -> Vec<Vec<&'b Placed<'a>>> {
    let mut sorted: Vec<&Placed<'_>> = placed.iter().collect();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut crowds: Vec<Vec<&Placed<'_>>> = Vec::new();
    for next in sorted {
        let reaches = |crowd: &Vec<&Placed<'_>>| {
            let end = crowd.last().map_or(0.0, |last| last.x) + LEADER;
            let names =
                crowd.iter().map(|one| font::width(one.deal.policy.name(), theme::BODY, Weight::Bold));
            end + names.fold(0.0, f64::max) + 12.0 > next.x
        };
        match crowds.last_mut().filter(|crowd| reaches(crowd)) {
            Some(crowd) => crowd.push(next),
            None => crowds.push(vec![next]),
        }
    }
    crowds
}

/// What one sees, where it matters most: beside a neighbour, if there was one.
fn title(markets: &[Market], level: &str) -> String {
    let Some(market) = markets.last() else { return "Which policy buys what".into() };
    let part = |policy| {
        let deal = market.deals.iter().find(|deal| deal.policy == policy)?;
        Some(format!("{} ms for {:.2} CPUs under {}", ms(deal.tail_ms * 1e3), deal.cpus, policy.name()))
    };
    let parts: Vec<String> = [PolicyKind::Limit, PolicyKind::LimitBurst, PolicyKind::Pinned]
        .into_iter()
        .filter_map(part)
        .collect();
    let beside = if market.neighbour { " beside a neighbour" } else { "" };
    match parts.as_slice() {
        [] => format!("{level}{beside} by the CPU that a policy sets aside"),
        [one] => format!("{level}{beside}: {one}"),
        [rest @ .., last] => format!("{level}{beside}: {} and {last}", rest.join(", ")),
    }
}
