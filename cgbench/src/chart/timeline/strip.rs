//! One block's second: bars, throttled spans, ends of periods.

use cgtune_chart::{
    axis::Linear,
    font::{self, Weight},
    scene::{Anchor, Extent, Ink, Point, Scene},
    theme,
};

use super::{lanes::lanes, phase::Periods, window::Window};
use crate::{
    chart::policy::{colour, text_colour},
    plan::Item,
    record::{Block, SampleTable},
    study::measured_frames,
    summary::figures::{count, counted, ms},
};

/// Height of a frame's bar, with the space above it.
const LANE: f64 = 30.0;
/// Height of all lanes together at most.
const HIGHEST: f64 = 420.0;
const LANES_AT_LEAST: usize = 2;

struct Bar {
    frame: usize,
    intended: u64,
    start: u64,
    end: u64,
    lane: usize,
}

impl Bar {
    fn latency(&self) -> u64 {
        self.end.saturating_sub(self.intended)
    }
}

/// What is drawn of one block.
pub(super) struct Strip<'a> {
    block: &'a Block,
    window: Window,
    item: Item,
    interval_ns: Option<u64>,
    bars: Vec<Bar>,
    lanes: usize,
    spans: Vec<(u64, u64)>,
    periods: Vec<u64>,
}

/// The part of a bar in which the frame before was not done yet.
pub(super) fn waiting(ink: Ink) -> Ink {
    ink.mix(theme::PAPER, 0.72)
}

/// The part of a bar in which the load stood still.
pub(super) fn stopped(ink: Ink) -> Ink {
    ink.mix(theme::PAPER, 0.42)
}

/// The background of throttled time.
pub(super) fn shade() -> Ink {
    theme::ALARM.mix(theme::PAPER, 0.84)
}

/// The mark of a period's end, its tip at a point.
pub(super) fn tick(scene: &mut Scene, (x, y): Point) {
    scene.area(vec![(x, y), (x - 4.5, y + 8.0), (x + 4.5, y + 8.0)], theme::INK);
}

impl<'a> Strip<'a> {
    pub(super) fn new(
        block: &'a Block,
        window: &Window,
        item: Item,
        interval_ns: Option<u64>,
        period_ns: u64,
    ) -> Self {
        let frames = &block.frames;
        let rows: Vec<usize> = measured_frames(block)
            .filter(|&i| window.meets(frames.intended_ns[i], frames.end_ns[i]))
            .collect();
        let (places, lanes) = lanes(rows.iter().map(|&i| (frames.intended_ns[i], frames.end_ns[i])));
        let bars = rows
            .into_iter()
            .zip(places)
            .map(|(frame, lane)| Bar {
                frame,
                intended: frames.intended_ns[frame],
                start: frames.start_ns[frame],
                end: frames.end_ns[frame],
                lane,
            })
            .collect();
        let periods = Periods::of(&block.samples, period_ns);
        let spans = throttled_spans(&block.samples, &periods);
        let within = |at: &u64| (window.from_ns..window.to_ns).contains(at);
        let periods = periods.ends().iter().copied().filter(within).collect();
        Self { block, window: *window, item, interval_ns, bars, lanes, spans, periods }
    }

    pub(super) fn block(&self) -> &Block {
        self.block
    }

    /// Height of a lane: less of it where there are many.
    fn lane(&self) -> f64 {
        LANE.min(HIGHEST / self.lanes.max(LANES_AT_LEAST) as f64)
    }

    /// Height of the whole.
    pub(super) fn height(&self) -> f64 {
        self.lane() * self.lanes.max(LANES_AT_LEAST) as f64 + 12.0
    }

    /// Where a bar is.
    fn place(&self, bar: &Bar, extent: Extent) -> Extent {
        let lane = self.lane();
        let bottom = extent.bottom - 4.0 - lane * bar.lane as f64;
        let x = self.scale(extent);
        Extent {
            left: x.at(bar.intended as f64),
            right: x.at(bar.end as f64),
            top: bottom - lane * 0.84,
            bottom,
        }
    }

    fn scale(&self, extent: Extent) -> Linear {
        let Window { from_ns, to_ns, .. } = self.window;
        Linear::new((from_ns as f64, to_ns as f64), (extent.left, extent.right))
    }

    pub(super) fn has_periods(&self) -> bool {
        !self.periods.is_empty()
    }

    /// Throttled periods of how many, as the samples around the window tell.
    pub(super) fn throttled(&self) -> Option<(u64, u64)> {
        let samples = &self.block.samples;
        let before = |at: u64| samples.at_ns.partition_point(|&sample| sample <= at).checked_sub(1);
        let (first, last) = (before(self.window.from_ns)?, before(self.window.to_ns)?);
        let delta = |column: &[u64]| column.get(last)?.checked_sub(*column.get(first)?);
        Some((delta(&samples.nr_throttled)?, delta(&samples.nr_periods)?))
    }

    /// The slowest frame that is due in the window, and its latency.
    pub(super) fn slowest(&self) -> Option<(usize, u64)> {
        self.slowest_bar().map(|bar| (bar.frame, bar.latency()))
    }

    fn slowest_bar(&self) -> Option<&Bar> {
        let due = |bar: &&Bar| (self.window.from_ns..self.window.to_ns).contains(&bar.intended);
        self.bars.iter().filter(due).max_by_key(|bar| bar.latency())
    }

    pub(super) fn draw(&self, scene: &mut Scene, extent: Extent) {
        let policy = self.block.condition.policy;
        let x = self.scale(extent);
        let at = |ns: u64| x.at(ns as f64);
        let heading = (extent.left, extent.top - 40.0);
        scene.text(heading, policy.name(), 15.0, Weight::Bold, text_colour(policy), Anchor::Start);
        let after = extent.left + font::room(policy.name(), 15.0, Weight::Bold) + 14.0;
        scene.label((after, heading.1), self.figures(), theme::QUIET, Anchor::Start);
        for (from, to) in self.spans.iter().filter(|(from, to)| self.window.meets(*from, *to)) {
            scene.rect(Extent { left: at(*from), right: at(*to), ..extent }, shade());
        }
        scene.line(vec![(extent.left, extent.bottom), (extent.right, extent.bottom)], 1.0, theme::AXIS);
        for end in &self.periods {
            tick(scene, (at(*end), extent.bottom + 1.0));
        }
        let Some(slowest) = self.slowest_bar() else {
            scene.note(extent, "Nothing of this block is due in this second.");
            return;
        };
        self.point_out(scene, extent, slowest);
        for bar in &self.bars {
            self.bar(scene, extent, bar);
        }
        let Extent { left, top, right, bottom } = self.place(slowest, extent);
        scene.line(
            vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)],
            1.5,
            theme::INK,
        );
    }

    fn bar(&self, scene: &mut Scene, extent: Extent, bar: &Bar) {
        let ink = colour(self.block.condition.policy);
        let x = self.scale(extent);
        let place = self.place(bar, extent);
        let part = |from: u64, to: u64| Extent { left: x.at(from as f64), right: x.at(to as f64), ..place };
        scene.rect(part(bar.intended, bar.start), waiting(ink));
        scene.rect(part(bar.start, bar.end), ink);
        for (from, to) in &self.spans {
            let (from, to) = ((*from).max(bar.start), (*to).min(bar.end));
            if from < to {
                scene.rect(part(from, to), stopped(ink));
            }
        }
        let due = self.interval_ns.map(|interval| bar.intended.saturating_add(interval));
        if let Some(due) = due.filter(|due| *due < bar.end) {
            scene.rect(
                Extent { top: place.bottom - 4.0_f64.min(place.height() / 3.0), ..part(due, bar.end) },
                theme::ALARM,
            );
        }
        // A hair of paper between a bar and the next, where it is no good part of the bar.
        if place.width() > 4.0 {
            scene.line(vec![(place.right, place.top), (place.right, place.bottom)], 1.0, theme::PAPER);
        }
    }

    /// Names the slowest frame above the strip, with a line down to its bar, behind the bars above it.
    fn point_out(&self, scene: &mut Scene, extent: Extent, slowest: &Bar) {
        let text =
            format!("{} {}: {} ms", self.item.name(), slowest.frame, ms(slowest.latency() as f64 / 1e3));
        let half = font::width(&text, theme::BODY, Weight::Bold) / 2.0;
        let place = self.place(slowest, extent);
        let middle = place.right.clamp(extent.left + half, extent.right - half);
        scene.text((middle, extent.top - 10.0), text, theme::BODY, Weight::Bold, theme::INK, Anchor::Middle);
        scene.line(vec![(place.right, extent.top - 5.0), (place.right, place.top)], 1.0, theme::INK);
    }

    fn figures(&self) -> String {
        let throttled = match self.throttled() {
            Some((throttled, periods)) => {
                format!("{} of {} periods throttled · ", count(throttled), count(periods))
            }
            None => String::new(),
        };
        let late = match self.interval_ns {
            Some(interval) => {
                let late = self.bars.iter().filter(|bar| bar.latency() > interval).count();
                format!("{late} of {} late", self.bars.len())
            }
            None => counted(self.bars.len() as u64, self.item.name()),
        };
        format!("{throttled}{late}")
    }
}

/// The spans in which the group was throttled. The kernel adds a span's length when it ends, so one that appears
/// between two samples ended in between: where a period ended there, for that is what ends most of them, or else at
/// the later sample. On more than one CPU, whose spans add up, a span is no longer than the time there was.
fn throttled_spans(samples: &SampleTable, periods: &Periods) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for (at, throttled) in samples.at_ns.windows(2).zip(samples.throttled_ns.windows(2)) {
        let length = throttled[1].saturating_sub(throttled[0]);
        let end = periods.end_within(at[0], at[1]).unwrap_or(at[1]);
        let from = end.saturating_sub(length).max(spans.last().map_or(0, |(_, end)| *end));
        if length > 0 && from < end {
            spans.push((from, end));
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_ends_where_it_is_first_seen_and_is_no_longer_than_the_time_there_was() {
        let samples = SampleTable {
            at_ns: vec![0, 10, 20, 30, 40],
            throttled_ns: vec![0, 0, 7, 7, 40],
            ..SampleTable::default()
        };
        assert_eq!(throttled_spans(&samples, &Periods::default()), [(13, 20), (20, 40)]);
    }

    #[test]
    fn a_span_ends_with_its_period() {
        let samples = SampleTable {
            at_ns: vec![0, 10, 20, 30],
            nr_periods: vec![0, 0, 1, 1],
            throttled_ns: vec![0, 0, 7, 7],
            ..SampleTable::default()
        };
        assert_eq!(throttled_spans(&samples, &Periods::of(&samples, 100)), [(8, 15)]);
    }

    #[test]
    fn without_the_counter_there_are_no_spans() {
        let samples = SampleTable { at_ns: vec![0, 10, 20], ..SampleTable::default() };
        assert!(throttled_spans(&samples, &Periods::default()).is_empty());
    }
}
