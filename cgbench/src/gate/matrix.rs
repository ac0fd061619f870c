//! One run as numbers: a row a repetition, a column a condition and a metric.
//!
//! A repetition is the unit of evidence: its blocks lie minutes apart at most and share the jitter of the frame clock, so a
//! test has to move whole rows. A block that was interrupted is no block here; how many there were is said.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::metric::Metric;
use crate::{
    plan::Condition,
    record::Records,
    stats::{MedianInterval, median_interval},
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Of which condition.
    pub condition: Condition,
    /// Which number.
    pub metric: Metric,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}: {}", self.condition, self.metric))
    }
}

/// One run as numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    repetitions: Vec<u32>,
    columns: BTreeMap<Key, Vec<Option<f64>>>,
}

impl Matrix {
    /// Of these records, these metrics. A column without a single number is left out.
    #[must_use]
    pub fn of(records: &Records, metrics: &[Metric]) -> Self {
        let whole = || records.blocks.iter().filter(|block| !block.partial);
        let repetitions: BTreeSet<u32> = whole().map(|block| block.repetition).collect();
        let place: BTreeMap<u32, usize> = repetitions.iter().copied().zip(0..).collect();
        let mut columns: BTreeMap<Key, Vec<Option<f64>>> = BTreeMap::new();
        for block in whole() {
            for &metric in metrics {
                let Some(value) = metric.of(block, records) else { continue };
                let column = columns
                    .entry(Key { condition: block.condition, metric })
                    .or_insert_with(|| vec![None; repetitions.len()]);
                if let Some(cell) = place.get(&block.repetition).and_then(|&row| column.get_mut(row)) {
                    *cell = Some(value);
                }
            }
        }
        Self { repetitions: repetitions.into_iter().collect(), columns }
    }

    /// Which repetitions there are, in order.
    #[must_use]
    pub fn repetitions(&self) -> &[u32] {
        &self.repetitions
    }

    /// The columns, first alone, then beside the neighbour.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.columns.keys().copied()
    }

    /// A column, a cell a repetition; `None`: there is no such number in this run.
    #[must_use]
    pub fn column(&self, key: Key) -> Option<&[Option<f64>]> {
        self.columns.get(&key).map(Vec::as_slice)
    }

    /// The numbers of a column that are there.
    #[must_use]
    pub fn values(&self, key: Key) -> Vec<f64> {
        self.column(key).unwrap_or_default().iter().copied().flatten().collect()
    }

    /// Some of the rows, each as often as it is named: for resampling.
    #[must_use]
    pub fn rows(&self, rows: &[usize]) -> Self {
        let pick =
            |column: &[Option<f64>]| rows.iter().map(|&row| column.get(row).copied().flatten()).collect();
        Self {
            repetitions: rows.iter().filter_map(|&row| self.repetitions.get(row).copied()).collect(),
            columns: self.columns.iter().map(|(key, column)| (*key, pick(column))).collect(),
        }
    }
}

/// A column of one run in few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Blocks with this number.
    pub blocks: u64,
    /// Their median.
    pub median: f64,
    /// Its 95 % interval; `None` below six blocks.
    pub interval: Option<(f64, f64)>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation; `None` of one.
    pub sd: Option<f64>,
}

impl Sample {
    /// Of these values; `None` of nothing.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let MedianInterval { median, interval, blocks } = median_interval(values)?;
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        Some(Self { blocks, median, interval, mean, sd })
    }
}
