//! A series of jobs in numbers, as rows of a table and as JSON.

use serde_json::{Map, Value, json};
use workloads::demand::quantile;
use workloads::latency::JobRecord;

use super::text::milliseconds;

/// A series of pulses or requests in numbers.
pub(super) struct Jobs {
    pub(super) count: usize,
    /// p50, p95 and p99; `None` where fewer than ten jobs lie beyond.
    latency_ns: [Option<u64>; 3],
    latency_max_ns: Option<u64>,
    /// Of all threads together; `None` without a job.
    cpu_mean_ns: Option<u64>,
}

impl Jobs {
    pub(super) fn of(records: &[JobRecord]) -> Self {
        let mut latencies: Vec<u64> = records.iter().map(JobRecord::latency_ns).collect();
        latencies.sort_unstable();
        let cpu_ns: u64 = records.iter().map(|record| record.cpu_ns).sum();
        Self {
            count: records.len(),
            latency_ns: [0.5, 0.95, 0.99].map(|frac| quantile(&latencies, frac)),
            latency_max_ns: latencies.last().copied(),
            cpu_mean_ns: cpu_ns.checked_div(records.len() as u64),
        }
    }

    pub(super) fn rows(&self) -> [(&'static str, String); 5] {
        let [p50, p95, p99] = self.latency_ns.map(milliseconds);
        [
            ("latency p50", p50),
            ("latency p95", p95),
            ("latency p99", p99),
            ("latency max", milliseconds(self.latency_max_ns)),
            ("CPU mean", milliseconds(self.cpu_mean_ns)),
        ]
    }

    /// Base units, the unit in the name, null for what is not known. `name` is what the jobs are called.
    pub(super) fn json(&self, name: &str) -> Map<String, Value> {
        let [p50, p95, p99] = self.latency_ns;
        let members = [
            (name, json!(self.count)),
            ("latency_p50_ns", json!(p50)),
            ("latency_p95_ns", json!(p95)),
            ("latency_p99_ns", json!(p99)),
            ("latency_max_ns", json!(self.latency_max_ns)),
            ("cpu_mean_ns", json!(self.cpu_mean_ns)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
