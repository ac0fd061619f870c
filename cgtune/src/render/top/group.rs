//! One group: what limits it up the tree, its last minute, its threads.

use cgtune_core::text::Escaped;
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{Theme, columns, numbers, put, put_right, row, table, width};
use crate::cmd::top::{
    label,
    model::{Model, Row},
};

/// Wider than two minutes in cells of a second, lines are hard to follow.
const WIDEST: u16 = 2 * (60 + AXIS) + 2;
/// Lines of a chart, its heading not counted.
const CHART: u16 = 5;
/// Lines of threads that are wanted before a chart gets its place.
const THREADS: u16 = 3;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, inode: u64, theme: &Theme) {
    let area = Rect { width: area.width.min(WIDEST), ..area };
    let Some(group) = model.find(inode) else {
        return put(buffer, row(area, 0), "this cgroup has vanished; Esc goes back", theme.strong);
    };
    let mut left = area;
    if let Some(title) = &group.named.title {
        line(buffer, &mut left, &table::shortened(title, area.width), theme.strong);
    }
    let path = if group.named.title.is_some() { Style::new() } else { theme.strong };
    line(buffer, &mut left, &table::shortened(&group.name, area.width), path);
    for text in facts(group, area.width) {
        line(buffer, &mut left, &text, Style::new());
    }
    line(buffer, &mut left, "", Style::new());
    limits(buffer, &mut left, model, group, theme);
    line(buffer, &mut left, "", Style::new());
    if left.height >= CHART + 2 + THREADS {
        charts(buffer, &mut left, model, group, theme);
        line(buffer, &mut left, "", Style::new());
    }
    threads(buffer, left, model, group, theme);
}

/// Writes a line at the top of what is left, and takes it away.
fn line(buffer: &mut Buffer, left: &mut Rect, text: &str, style: Style) {
    put(buffer, *left, text, style);
    take(left, 1);
}

fn take(left: &mut Rect, lines: u16) {
    let lines = lines.min(left.height);
    left.y += lines;
    left.height -= lines;
}

/// The group in a few facts, as many on a line as there is room for.
fn facts(group: &Row, room: u16) -> Vec<String> {
    let mut parts = Vec::new();
    let of = |cpus| {
        group.limit.map_or_else(
            || numbers::cpus(cpus),
            |(limit, _)| format!("{} of {}", numbers::cpus(cpus), numbers::cpus(limit)),
        )
    };
    parts.extend(group.cpus().map(|cpus| {
        let part =
            group.used().map_or_else(String::new, |used| format!(" ({})", numbers::percent(Some(used))));
        format!("{} CPUs{part}", of(cpus))
    }));
    parts.extend(group.periods().filter(|(_, all)| *all > 0).map(|(throttled, all)| {
        format!("throttled {throttled}/{all} periods ({})", numbers::percent(group.throttled()))
    }));
    parts.extend(group.stall().map(|stall| format!("stall {}/s", numbers::ms(Some(stall)))));
    parts.extend(group.delay().map(|delay| format!("run delay {}/s", numbers::ms(Some(delay)))));
    parts.extend(group.burst().map(|burst| format!("burst {}/s", numbers::ms(Some(burst)))));
    parts.extend(group.pressure().map(|some| format!("PSI some {}", numbers::percent(Some(some)))));
    parts.push(format!("cause {}", columns::cause(group.told)));
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + 2 + width(&part) < room => {
                line.push_str(", ");
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

/// The group and those above it.
fn limits(buffer: &mut Buffer, left: &mut Rect, model: &Model, group: &Row, theme: &Theme) {
    let numbers_width = 52.min(left.width.saturating_sub(12));
    let name = left.width - numbers_width;
    let shown = |cells: [&str; 5]| {
        let [quota, burst, used, throttled, stall] = cells;
        format!("{quota:>14} {burst:>7} {used:>9} {throttled:>11} {stall:>7}")
    };
    let heading = shown(["QUOTA/PERIOD", "BURST", "CPU/LIMIT", "THROTTLED", "STALL/s"]);
    buffer.set_style(row(*left, 0), theme.heading);
    put(buffer, *left, "LIMITS, FROM HERE UP", theme.heading);
    put_right(buffer, *left, 0, &heading, theme.heading);
    take(left, 1);
    for level in model.lineage(group) {
        let own = level.bandwidth.as_ref().and_then(cgtune_core::ObservedBandwidth::cpus);
        let cells = shown([
            &numbers::quota(level.bandwidth),
            &numbers::burst(level.bandwidth),
            &numbers::cpus_of(level.cpus(), own),
            &numbers::periods(level.periods()),
            &numbers::ms(level.stall()),
        ]);
        let sets = group
            .limit
            .is_some_and(|(_, place)| model.rows.get(place).is_some_and(|row| row.inode == level.inode));
        let mark = if sets { " ◀ limit" } else { "" };
        let room = name.saturating_sub(width(mark) + 1);
        let text = format!("{}{mark}", table::shortened(&label::own(model, level), room));
        put(buffer, Rect { width: name, ..*left }, &text, Style::new());
        put_right(buffer, *left, 0, &cells, theme.stall(level.stall()));
        take(left, 1);
    }
}

/// CPU and stall in the last minute, side by side.
fn charts(buffer: &mut Buffer, left: &mut Rect, model: &Model, group: &Row, theme: &Theme) {
    let Some(history) = model.history(group) else { return };
    let gap = 2;
    let half = (left.width - gap) / 2;
    let height = CHART + 1;
    let area = Rect { width: half, height, ..*left };
    let cells = usize::from(half.saturating_sub(AXIS).min(60));
    let used = history.cpus(model.at, cells);
    let limit = group.limit.map(|(cpus, _)| cpus);
    let most = used.iter().flatten().copied().fold(limit.unwrap_or(0.0), f64::max);
    let heading = limit
        .map_or_else(|| "CPUs USED".to_owned(), |limit| format!("CPUs USED, OF {}", numbers::cpus(limit)));
    chart(buffer, area, &heading, &used, most, &numbers::cpus(most), theme);
    let stall = history.stall(model.at, cells);
    let most = stall.iter().flatten().copied().fold(1.0, f64::max);
    let area = Rect { x: area.right() + gap, ..area };
    chart(buffer, area, "STALL/s", &stall, most, &numbers::ms(Some(most)), theme);
    take(left, height);
}

/// Room for the numbers at a chart's left.
const AXIS: u16 = 8;

fn chart(
    buffer: &mut Buffer,
    area: Rect,
    heading: &str,
    values: &[Option<f64>],
    most: f64,
    top: &str,
    theme: &Theme,
) {
    buffer.set_style(row(area, 0), theme.heading);
    put(buffer, area, heading, theme.heading);
    put_right(buffer, row(area, 0), width(heading) + 1, "LAST MINUTE", theme.heading);
    let bars = Rect { y: area.y + 1, height: area.height - 1, ..area };
    for level in 0..bars.height {
        let label = match level {
            0 => top,
            level if level + 1 == bars.height => "0",
            _ => "",
        };
        let line = row(bars, level);
        put(buffer, line, &format!("{label:>6} "), theme.dim);
        // How much of this line's height each value fills, in eighths.
        let below = f64::from(bars.height - 1 - level);
        let cell = |value: &Option<f64>| {
            let Some(value) = value else { return ' ' };
            let height = if most > 0.0 { value / most * f64::from(bars.height) } else { 0.0 };
            let eighths = ((height - below) * 8.0).round().clamp(0.0, 8.0) as usize;
            match eighths {
                0 if below == 0.0 => '▁',
                eighths => [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][eighths],
            }
        };
        let text: String = values.iter().map(cell).collect();
        put_right(buffer, line, AXIS - 1, &text, theme.chart);
    }
}

fn threads(buffer: &mut Buffer, area: Rect, model: &Model, group: &Row, theme: &Theme) {
    let Some(crew) = &group.crew else {
        return put(buffer, area, "threads: not known yet, too many, or not in our pid namespace", theme.dim);
    };
    let mut left = area;
    let heading = format!("{:>10}  {:<16} {:>6} {:>9}", "TID", "NAME", "CPU", "DELAY/s");
    buffer.set_style(row(left, 0), theme.heading);
    put(buffer, left, &heading, theme.heading);
    let count = format!("{} THREADS", numbers::thousands(crew.count));
    put_right(buffer, row(left, 0), width(&heading) + 1, &count, theme.heading);
    take(&mut left, 1);
    for member in crew.members.iter().take(usize::from(left.height)) {
        let name = model.names.get(&member.tid);
        let name = name.map_or_else(|| numbers::NONE.to_owned(), |name| Escaped(name).to_string());
        let name: String = name.chars().take(16).collect();
        let text = format!(
            "{:>10}  {name:<16} {:>6} {:>9}",
            member.tid,
            numbers::cpus(member.cpus),
            numbers::ms(Some(member.delay_ms_per_s))
        );
        put(buffer, left, &text, Style::new());
        take(&mut left, 1);
    }
}
