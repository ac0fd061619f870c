//! The residuals as text: a heading a run, a line a block, and every miss with its reason.

use std::io::{self, Write};

use cgtune_core::sim::Spread;

use crate::{
    agree::{Agreement, BlockAgreement, Compared, Setting, Verdict},
    plan::Condition,
};

/// A run and where it is.
pub(super) struct Compare {
    /// Its folder.
    pub(super) folder: String,
    /// What came of it.
    pub(super) agreement: Agreement,
}

/// Widths of the columns after the policy's.
const USE: usize = 6;
const THROTTLED: usize = 22;
const BURSTS: usize = 13;
const BURST_MS: usize = 17;
const P99: usize = 16;

/// All of it.
pub(super) fn write(all: &[Compare], verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let blocks = all.iter().flat_map(|one| &one.agreement.blocks);
    let policy = blocks.map(|block| block.condition.to_string().len()).max().unwrap_or(0).max("policy".len());
    writeln!(out, "kernel, and the model's range over phases (! outside, beyond the slack)")?;
    let heading = ["use %", "throttled %", "bursts", "burst ms", "p99 ms"];
    let widths = [USE, THROTTLED, BURSTS, BURST_MS, P99];
    write!(out, "{:<policy$}", "policy")?;
    for (text, width) in heading.into_iter().zip(widths) {
        write!(out, " {text:>width$}")?;
    }
    writeln!(out)?;
    for Compare { folder, agreement } in all {
        writeln!(out, "\n{folder}: {}", setting(&agreement.setting))?;
        for cell in &agreement.cells {
            let blocks = agreement.blocks.iter().filter(|block| block.condition == cell.condition);
            let p99 = std::iter::once(cell.p99_ms).chain(std::iter::repeat(None));
            for (block, p99) in blocks.zip(p99) {
                writeln!(out, "{}", line(block, p99, policy).trim_end())?;
            }
        }
    }
    let misses: usize = all.iter().map(|one| one.agreement.misses.len()).sum();
    if misses > 0 {
        writeln!(out, "\nOutside ({misses}):")?;
    }
    for Compare { folder, agreement } in all {
        for miss in &agreement.misses {
            write!(
                out,
                "{}",
                super::super::wrapped(&format!("{folder}: {miss}"), super::super::console_width())
            )?;
        }
    }
    write!(out, "\n{}", super::super::wrapped(&verdict.to_string(), super::super::console_width()))
}

fn setting(setting: &Setting) -> String {
    let Setting { fps, share, threads, period_us, headroom, .. } = setting;
    let s = if *threads == 1 { "" } else { "s" };
    format!(
        "{fps:.2} fps × {share:.2}, {threads} thread{s}, quota {headroom:.2} × need of {} ms",
        *period_us as f64 / 1e3
    )
}

fn line(block: &BlockAgreement, p99: Option<Compared>, policy: usize) -> String {
    let BlockAgreement { condition, use_of_limit, throttled, bursts, burst_ms, .. } = block;
    let Spread { min, median, max } = throttled.model;
    let range = format!("{:.1}–{:.1}–{:.1}", min * 100.0, median * 100.0, max * 100.0);
    let throttled = marked(format!("{:.1} {range:>15}", throttled.kernel * 100.0), throttled.agrees);
    let counted = |compared: &Option<Compared>, digits| {
        compared.map_or_else(String::new, |compared| ranged(&compared, digits))
    };
    format!(
        "{:<policy$} {:>USE$.1} {throttled:>THROTTLED$} {:>BURSTS$} {:>BURST_MS$} {:>P99$}",
        Condition::to_string(condition),
        use_of_limit * 100.0,
        counted(bursts, 0),
        counted(burst_ms, 0),
        counted(&p99, 1),
    )
}

fn ranged(compared: &Compared, digits: usize) -> String {
    let Compared { kernel, model, agrees } = compared;
    let text = format!("{kernel:.digits$} {:.digits$}–{:.digits$}", model.min, model.max);
    marked(text, *agrees)
}

fn marked(text: String, agrees: bool) -> String {
    text + if agrees { " " } else { "!" }
}
