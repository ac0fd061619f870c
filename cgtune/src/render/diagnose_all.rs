//! `cgtune diagnose --all` for people: a line for each cgroup that is ill, worst first.

use std::io::{self, Write};

use cgtune_core::diagnose::Cause;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::{paragraph, resident::title, stat::name, stat_all::end_of};
use crate::{cmd::diagnose::Effort, diagnosis::Diagnosis};

pub(crate) fn write(diagnoses: &[Diagnosis], effort: &Effort, out: &mut dyn Write) -> io::Result<()> {
    let (ill, well): (Vec<&Diagnosis>, Vec<_>) = diagnoses.iter().partition(|diagnosis| diagnosis.is_ill());
    let unknown = well
        .iter()
        .filter(|diagnosis| diagnosis.verdict().is_some_and(|verdict| verdict.cause == Cause::Unknown))
        .count();
    writeln!(
        out,
        "{} cgroups, watched for {:.1} s: {} stand still, {} are healthy, {unknown} unknown",
        diagnoses.len(),
        effort.wall.as_secs(),
        ill.len(),
        well.len() - unknown,
    )?;
    if ill.is_empty() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(paragraph::WIDTH).unwrap_or(80));
    table.set_header(["STALL MS/S", "CAUSE", "ALSO", "CGROUP"].map(Cell::new));
    for diagnosis in &ill {
        let Some((first, rest)) = diagnosis.findings.split_first() else { continue };
        let also: Vec<&str> = rest.iter().map(|finding| finding.cause.name()).collect();
        let shown =
            title(&diagnosis.resident, &diagnosis.path).unwrap_or_else(|| name(&diagnosis.path).to_string());
        let stall = first.stall_ms_per_s.map_or_else(|| "n/a".to_owned(), |stall| format!("{stall:.0}"));
        table.add_row([
            Cell::new(stall).set_alignment(CellAlignment::Right),
            Cell::new(first.cause),
            Cell::new(also.join(", ")),
            Cell::new(end_of(&shown)),
        ]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "what to do about one: cgtune diagnose CGROUP")
}
