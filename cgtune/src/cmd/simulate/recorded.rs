//! A load as it was recorded: a CSV file, or a block of a `cgbench` run.

use std::{
    fs::File,
    io::{BufRead, BufReader},
};

use anyhow::{Context as _, anyhow};
use cgtune_core::{
    Micros, Nanos,
    sim::{Pattern, pattern::Recorded},
};
use serde::Deserialize;

use super::load::LONGEST;
use crate::failure::Hinted;

/// Most jobs that a file may have.
const MOST: usize = 10_000_000;
/// Latest intended start.
const LATEST: Micros = LONGEST.saturating_add(LONGEST);

/// Reads a file; `path` may also be a load's name that was mistyped.
pub(super) fn read(path: &str) -> anyhow::Result<Pattern> {
    let unknown = |error: std::io::Error| {
        let error = anyhow!("\"{path}\" is no load, and no file that can be read ({error})");
        Hinted::new(
            error,
            "encoder, service, periodic, gc, fork-join, hog, a CSV file or a cgbench block; see cgtune simulate --help",
        )
    };
    let mut file = BufReader::new(File::open(path).map_err(unknown)?);
    let json = file.fill_buf().map_err(unknown)?.trim_ascii_start().starts_with(b"{");
    let recorded = if json { block(path, file)? } else { Recorded::new(lines(path, file)?) };
    if recorded.jobs.is_empty() {
        return Err(anyhow!(
            "{path} holds no jobs: a line is an intended start and a CPU time, such as 40ms,13ms"
        ));
    }
    Ok(Pattern::Recorded(Recorded { again: true, ..recorded }))
}

/// Jobs as they are read: in order, and none absurd.
#[derive(Default)]
struct Jobs(Vec<(Nanos, Nanos)>);

impl Jobs {
    fn push(&mut self, at: Nanos, cpu: Nanos) -> Result<(), &'static str> {
        let latest = LATEST.to_nanos();
        if at > latest || cpu > latest {
            return Err("longer than 2h");
        }
        if self.0.last().is_some_and(|(before, _)| *before > at) {
            return Err("starts before the one above it; sort by the intended start");
        }
        if self.0.len() >= MOST {
            return Err("more than ten million jobs");
        }
        self.0.push((at, cpu));
        Ok(())
    }
}

/// Lines of an intended start and a CPU time, with units; a first line of other words is a heading.
fn lines(path: &str, file: impl BufRead) -> anyhow::Result<Vec<(Nanos, Nanos)>> {
    let mut jobs = Jobs::default();
    for (number, line) in file.lines().enumerate() {
        let line = line.with_context(|| format!("{path}, line {}", number + 1))?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what: &str| anyhow!("{path}, line {}: {what}", number + 1);
        let Some((at, cpu)) = line.split_once(',') else {
            return Err(wrong("not an intended start and a CPU time, such as 40ms,13ms"));
        };
        if number == 0 && !at.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let time = |text: &str| {
            Micros::parse(text.trim()).map(Micros::to_nanos).map_err(|error| wrong(&error.to_string()))
        };
        jobs.push(time(at)?, time(cpu)?).map_err(wrong)?;
    }
    Ok(jobs.0)
}

/// Of a block's record what a load is: when frames were due, and what CPU time they took.
#[derive(Deserialize)]
struct Block {
    schema: String,
    frames: Frames,
}

#[derive(Deserialize)]
struct Frames {
    intended_ns: Vec<u64>,
    cpu_ns: Vec<u64>,
}

/// The block's schema, up to its version.
const BLOCK: &str = "cgbench.block/";

/// A block that `cgbench run` recorded.
fn block(path: &str, file: impl BufRead) -> anyhow::Result<Recorded> {
    let Block { schema, frames } = serde_json::from_reader(file)
        .map_err(|error| Hinted::new(anyhow!("{path} is no block of a cgbench run: {error}"), HINT))?;
    if schema.strip_prefix(BLOCK) != Some("1") {
        return Err(Hinted::new(anyhow!("{path} is \"{schema}\", not \"{BLOCK}1\""), HINT).into());
    }
    let Frames { intended_ns, cpu_ns } = frames;
    if intended_ns.len() != cpu_ns.len() {
        let (due, took) = (intended_ns.len(), cpu_ns.len());
        return Err(anyhow!("{path}: {due} frames were due and {took} took CPU time: the record is damaged"));
    }
    let mut jobs = Jobs::default();
    for (number, (at, cpu)) in intended_ns.into_iter().zip(cpu_ns).enumerate() {
        jobs.push(Nanos::new(at), Nanos::new(cpu))
            .map_err(|what| anyhow!("{path}, frame {number}: {what}"))?;
    }
    Ok(Recorded::new(jobs.0))
}

const HINT: &str = "cgbench run writes them: results/RUN/blocks/000-shares.json";
