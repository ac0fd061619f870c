//! `cgtune convert` as text: which file gets which text, in both layouts, and who decided it.

use std::io::{self, Write};

use cgtune_core::{
    Layout, Micros, Quota, Shares,
    convert::{Burst, ContainerCpu, Conversion, RequestOrigin, Setting, WeightFormula},
};

use crate::{
    render::{
        convert::targets,
        paragraph::{WIDTH, wrap},
    },
    streams::HEADING,
};

/// One file: its name, its text, a remark.
struct Row {
    file: &'static str,
    text: String,
    remark: String,
}

/// Writes the conversion of `asked` on the node that was meant.
pub(crate) fn write(
    asked: &ContainerCpu,
    done: &Conversion,
    setting: &Setting,
    out: &mut dyn Write,
) -> io::Result<()> {
    for line in wrap(&summary(asked, done), WIDTH) {
        writeln!(out, "{HEADING}{line}{HEADING:#}")?;
    }
    let tables = [("cgroup v1", Layout::V1), ("cgroup v2", Layout::V2)]
        .map(|(name, layout)| (name, rows(done, layout)));
    let all = || tables.iter().flat_map(|(_, rows)| rows);
    let files = all().map(|row| row.file.len()).max().unwrap_or(0);
    let texts = all().map(|row| row.text.len()).max().unwrap_or(0);
    for (name, rows) in &tables {
        writeln!(out, "\n{HEADING}{name}{HEADING:#}")?;
        for row in rows {
            write_row(row, files, texts, out)?;
        }
    }
    writeln!(out, "\n{HEADING}cpu.weight, by who writes it{HEADING:#}")?;
    for (weight, by) in weights(done) {
        for (i, line) in wrap(&by, WIDTH - 9).iter().enumerate() {
            let weight = if i == 0 { weight.to_string() } else { String::new() };
            writeln!(out, "  {weight:>5}  {line}")?;
        }
    }
    writeln!(out)?;
    let other = format!("Other forms: --target with {}, or all.", targets::names());
    for text in [node(setting), other] {
        for line in wrap(&text, WIDTH) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// The node that this holds for.
fn node(setting: &Setting) -> String {
    let newest = if setting.runtime.version.is_none() && done_by_name(setting) { "the newest " } else { "" };
    let quotas = if setting.cfs_quota { "" } else { ", cpuCFSQuota off" };
    format!(
        "For Kubernetes {}, {newest}{} and the {} driver{quotas}; a pod that holds this container alone.",
        setting.kubernetes, setting.runtime, setting.driver
    )
}

/// Whether the runtime is one of those that are known.
fn done_by_name(setting: &Setting) -> bool {
    setting.runtime.formula().is_some()
}

/// The same request weighs differently from group to group and from version to version.
fn weights(done: &Conversion) -> [(u64, String); 3] {
    let container = |formula: WeightFormula| {
        let mark = if done.formula == Some(formula) { "this container" } else { "container elsewhere" };
        let mark = if done.formula.is_none() { "perhaps this container" } else { mark };
        (formula.weight(done.shares).get(), format!("{mark} — {formula}, {}", formula.used_by()))
    };
    [
        container(WeightFormula::Logarithmic),
        container(WeightFormula::Linear),
        (done.pod_weight().get(), "its pod's group — linear, kubelet".to_owned()),
    ]
}

/// What was asked, as it is understood.
fn summary(asked: &ContainerCpu, done: &Conversion) -> String {
    let request = match done.request_origin {
        RequestOrigin::Given => done.request.to_string(),
        RequestOrigin::Limit | RequestOrigin::PodLimit => {
            format!("{} (the limit, as none is given)", done.request)
        }
        RequestOrigin::Nothing => "none".to_owned(),
    };
    let limit = done.limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    let burst = done.bandwidth.burst();
    let burst = match asked.burst {
        None => String::new(),
        Some(Burst::Time(_)) => format!(", burst {burst}"),
        Some(Burst::OfQuota(part)) => format!(", burst {burst} ({part} of the quota)"),
        Some(Burst::Cpu(_)) => format!(
            ", burst {burst} ({} of CPU for a period)",
            asked.burst.map_or_else(String::new, |b| b.to_string())
        ),
    };
    format!("request {request}, limit {limit}{burst}, period {}", done.bandwidth.period())
}

fn rows(done: &Conversion, layout: Layout) -> Vec<Row> {
    let remark = |file: &str| match file {
        "cpu.shares" if done.shares == Shares::MIN => "the smallest there is".to_owned(),
        "cpu.shares" if done.shares == Shares::MAX => "the largest there is".to_owned(),
        "cpu.shares" => "1024 for each CPU of the request".to_owned(),
        "cpu.weight" => match done.formula {
            Some(formula) => format!("of the container, {formula} formula"),
            None => "of the container, if it is the logarithmic formula".to_owned(),
        },
        "cpu.cfs_quota_us" | "cpu.max" => quota(done),
        "cpu.cfs_burst_us" | "cpu.max.burst" if done.bandwidth.burst() == Micros::ZERO => {
            "none asked for".to_owned()
        }
        "cpu.cfs_burst_us" | "cpu.max.burst" => "unused time kept for later".to_owned(),
        _ => String::new(),
    };
    done.files(layout).into_iter().map(|(file, text)| Row { file, text, remark: remark(file) }).collect()
}

fn quota(done: &Conversion) -> String {
    match done.bandwidth.quota() {
        Quota::Unlimited if done.sent.is_none() => "not written: cpuCFSQuota is off".to_owned(),
        Quota::Unlimited => "no limit".to_owned(),
        Quota::Limited(quota) => {
            let sent = done.sent.and_then(|sent| sent.quota.limited()).unwrap_or(quota);
            let rounded =
                if sent == quota { String::new() } else { format!(", rounded up from {sent} for systemd") };
            format!("{quota} of CPU time in every {}{rounded}", done.bandwidth.period())
        }
    }
}

fn write_row(row: &Row, files: usize, texts: usize, out: &mut dyn Write) -> io::Result<()> {
    let left = 2 + files + 2 + texts + 2;
    let remark = wrap(&row.remark, WIDTH - left);
    for (i, line) in remark.iter().enumerate() {
        let (file, text) = if i == 0 { (row.file, row.text.as_str()) } else { ("", "") };
        writeln!(out, "{}", format!("  {file:files$}  {text:texts$}  {line}").trim_end())?;
    }
    Ok(())
}
