//! The worst second of the limit, frame by frame, and the same second of the same repetition with burst: same
//! content, same intended starts.
//!
//! A bar is a frame from its intended start to its end. Bars that overlap in time stand above each other, so that the
//! height is the number of frames under way.

mod lanes;
mod phase;
mod strip;
mod window;

use cgtune_chart::{
    Format,
    axis::{Linear, tick_text},
    font::{self, Weight},
    scene::{Anchor, Extent, Ink, Scene},
    theme,
};
use strip::Strip;
use window::Window;

use super::{percentiles::standing, policy::colour};
use crate::{
    plan::{Condition, Item, PolicyKind},
    record::{Block, Records},
    summary::{
        Summary,
        figures::{count, ms},
    },
};

/// Space above a strip for its heading and the name of its slowest frame.
const HEAD: f64 = 68.0;

/// Draws the chart as a file.
#[must_use]
pub fn timeline(records: &Records, summary: &Summary) -> Scene {
    draw(records, summary, Format::File)
}

/// Draws the chart for a page.
pub(super) fn draw(records: &Records, summary: &Summary, format: Format) -> Scene {
    let Some((block, window)) = worst(records) else {
        let scene = Scene::headed(format, "The worst second of a limit", &standing(summary));
        return scene.only_note("No block with a quota has anything measured.");
    };
    let other = counterpart(records, block);
    let interval_ns = records.plan.load.deadline_ns();
    let period_ns = records.plan.limit.period_us.to_nanos().get();
    let strip = |block| Strip::new(block, &window, summary.item, interval_ns, period_ns);
    let first = strip(block);
    let subtitle = format!("{}{}", standing(summary), subtitle(block, other, summary.item));
    let mut scene = Scene::headed(format, &title(&first, summary.item), &subtitle);
    let inset = if format.is_narrow() { 0.0 } else { 8.0 };
    let (left, right) = (format.margin() + inset, format.width() - format.margin() - inset);
    let mut extent = Extent { left, right, top: 0.0, bottom: scene.height + 8.0 };
    let mut periods = false;
    for strip in std::iter::once(first).chain(other.map(strip)) {
        extent.top = extent.bottom + HEAD;
        extent.bottom = extent.top + strip.height();
        strip.draw(&mut scene, extent);
        periods |= strip.has_periods();
        extent.bottom += 16.0;
    }
    extent.bottom -= 16.0;
    time_axis(&mut scene, extent, &window, if format.is_narrow() { 5 } else { 12 });
    let end = legend(&mut scene, extent, extent.bottom + 74.0, records.plan.limit.period_us.get(), periods);
    scene.on_paper(end + 30.0)
}

/// The block and the second around the slowest frame: of the limit alone if there is one, else of another quota.
fn worst(records: &Records) -> Option<(&Block, Window)> {
    let preferred = [
        Condition { neighbour: false, policy: PolicyKind::Limit },
        Condition { neighbour: true, policy: PolicyKind::Limit },
    ];
    let others = [false, true].into_iter().flat_map(|neighbour| {
        [PolicyKind::PinnedLimit, PolicyKind::LimitBurst].map(|policy| Condition { neighbour, policy })
    });
    preferred.into_iter().chain(others).find_map(|condition| {
        records
            .blocks
            .iter()
            .filter(|block| block.condition == condition)
            .filter_map(|block| Some((block, Window::around_slowest(block)?)))
            .max_by_key(|(_, window)| window.latency_ns)
    })
}

/// The block with burst of the same repetition, beside the same neighbour.
fn counterpart<'a>(records: &'a Records, block: &Block) -> Option<&'a Block> {
    let wanted = Condition { policy: PolicyKind::LimitBurst, ..block.condition };
    records
        .blocks
        .iter()
        .filter(|_| block.condition.policy == PolicyKind::Limit)
        .find(|other| other.condition == wanted && other.repetition == block.repetition)
}

fn title(strip: &Strip<'_>, item: Item) -> String {
    let policy = strip.block().condition.policy.name();
    let throttled = match strip.throttled() {
        Some((throttled, periods)) if periods > 0 => {
            let end = if throttled == 1 { "ends" } else { "end" };
            format!("{} of {} periods {end} throttled; ", count(throttled), count(periods))
        }
        _ => String::new(),
    };
    let slowest = strip.slowest().map_or_else(String::new, |(frame, latency_ns)| {
        format!(
            "{} {frame} is done {} ms after it should have started",
            item.name(),
            ms(latency_ns as f64 / 1e3)
        )
    });
    format!("{policy}: {throttled}{slowest}")
}

fn subtitle(block: &Block, other: Option<&Block>, item: Item) -> String {
    let beside = if block.condition.neighbour { "with a noisy neighbour" } else { "alone" };
    let compared = match other {
        Some(_) => format!(
            " Below, the same second of the same repetition with burst: same {}, same intended starts.",
            item.work()
        ),
        None if block.condition.policy == PolicyKind::Limit => {
            " There is no block with burst in the same repetition to compare with.".to_owned()
        }
        None => String::new(),
    };
    format!(
        "The worst second of all blocks under {}, {beside} (repetition {}, block {}).{compared}",
        block.condition.policy.name(),
        block.repetition + 1,
        block.index,
    )
}

fn time_axis(scene: &mut Scene, extent: Extent, window: &Window, most: u32) {
    let seconds =
        Linear::new((window.from_ns as f64 / 1e9, window.to_ns as f64 / 1e9), (extent.left, extent.right));
    let ticks = seconds.ticks(most);
    for (place, tick) in ticks.iter().enumerate() {
        let at = seconds.at(*tick);
        scene.line(vec![(at, extent.bottom), (at, extent.bottom + 16.0)], 1.0, theme::AXIS);
        let unit = if place + 1 == ticks.len() { " s" } else { "" };
        let anchor = if at > extent.right - 30.0 { Anchor::End } else { Anchor::Middle };
        scene.label((at, extent.bottom + 32.0), format!("{}{unit}", tick_text(*tick)), theme::QUIET, anchor);
    }
}

/// One line that explains every mark, or more where it takes more, from the baseline `y` on; where it ends.
fn legend(
    scene: &mut Scene,
    Extent { left, right, .. }: Extent,
    y: f64,
    period_us: u64,
    periods: bool,
) -> f64 {
    let solid = colour(PolicyKind::Limit);
    let mut entries: Vec<(Ink, f64, String)> = vec![
        (strip::waiting(solid), 12.0, "waits for the one before".into()),
        (solid, 12.0, "runs".into()),
        (strip::stopped(solid), 12.0, "stopped in the middle".into()),
        (strip::shade(), 12.0, "throttled".into()),
        (theme::ALARM, 4.0, "late".into()),
    ];
    if periods {
        entries.push((theme::INK, 0.0, format!("a period of {} ms ends", period_us / 1000)));
    }
    let (mut x, mut y) = (left, y);
    for (ink, height, text) in entries {
        let width = 29.0 + font::room(&text, theme::BODY, Weight::Regular);
        if x > left && x + width > right {
            (x, y) = (left, y + 24.0);
        }
        if height > 0.0 {
            scene.rect(
                Extent {
                    left: x,
                    top: y - 4.0 - height / 2.0,
                    right: x + 22.0,
                    bottom: y - 4.0 + height / 2.0,
                },
                ink,
            );
        } else {
            strip::tick(scene, (x + 11.0, y - 9.0));
        }
        scene.label((x + 29.0, y), text, theme::QUIET, Anchor::Start);
        x += width + 26.0;
    }
    y
}
