//! A plan for people: each write with its file, from what to what, and why it stands where it stands.

use std::{
    io::{self, Write},
    path::Path,
};

use cgtune_core::{CpuControl as _, Layout, ObservedShare, control::Planned, plan::Write as PlannedWrite};
use cgtune_node::{change::Ready, journal::Entry};

use super::{paragraph, stat::name};
use crate::streams::HEADING;

/// One write, as texts of its file.
pub(crate) struct Line {
    pub(crate) file: &'static str,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) why: String,
}

/// The writes of a plan as lines. `cpu` and `cpuset`: which layout each controller has.
pub(crate) fn lines(planned: &Planned, cpu: Layout, cpuset: Layout) -> Vec<Line> {
    let states = planned.states();
    let line = |(step, before): (&cgtune_core::plan::Step, &cgtune_core::Observed)| {
        let layout = match step.write {
            PlannedWrite::Cpus(_) | PlannedWrite::Mems(_) => cpuset,
            _ => cpu,
        };
        let (_, file, to) = layout.encode(&step.write)?;
        let plain = |text: String| match text.trim_end() {
            "" => "(empty)".to_owned(),
            text => text.to_owned(),
        };
        Some(Line {
            file,
            from: layout.shown(&step.write, before).map(plain),
            to: plain(to),
            why: step.why.to_string(),
        })
    };
    planned.steps.iter().zip(&states).filter_map(line).collect()
}

/// The layouts of a group's controllers as far as its own state tells them.
fn layouts(planned: &Planned) -> (Layout, Layout) {
    let v2 = matches!(planned.before.share, Some(ObservedShare::Weight(_)))
        || planned.steps.iter().any(|step| matches!(step.write, PlannedWrite::Max { .. }));
    let layout = if v2 { Layout::V2 } else { Layout::V1 };
    (layout, layout)
}

/// The lines of a plan that was read from the journal.
pub(crate) fn journalled(planned: &Planned) -> Vec<Line> {
    let (cpu, cpuset) = layouts(planned);
    lines(planned, cpu, cpuset)
}

/// The lines of a plan for an open group.
pub(crate) fn ready(ready: &Ready) -> Vec<Line> {
    let capabilities = ready.cgroup.capabilities();
    lines(&ready.planned, capabilities.cpu, capabilities.cpuset.unwrap_or(capabilities.cpu))
}

/// What is about to be written.
pub(crate) fn write(groups: &[Ready], out: &mut dyn Write) -> io::Result<()> {
    for group in groups {
        section(group.cgroup.path(), &ready(group), true, out)?;
    }
    Ok(())
}

/// What was written to take a change back.
pub(crate) fn write_back(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    for group in entry.groups.iter().rev() {
        let lines = group.back.as_ref().map(journalled).unwrap_or_default();
        section(&group.path, &lines, false, out)?;
    }
    Ok(())
}

fn section(path: &Path, lines: &[Line], reasons: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEADING}{}{HEADING:#}", name(path))?;
    if lines.is_empty() {
        return writeln!(out, "  nothing to write");
    }
    for (n, line) in (1..).zip(lines) {
        let from = line.from.as_deref().unwrap_or("?");
        writeln!(out, "{n:>3}  {:<18}  {from} → {}", line.file, line.to)?;
        for text in reasons.then(|| paragraph::wrap(&line.why, paragraph::WIDTH - 7)).into_iter().flatten() {
            writeln!(out, "       {text}")?;
        }
    }
    Ok(())
}
