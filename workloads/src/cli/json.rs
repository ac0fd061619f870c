//! A run as JSON: base units, the unit in the name, null for what is not known.

use serde_json::{Value, json};
use workloads::h264::Stage;

use super::ending::Ending;
use super::h264::Run;

pub(crate) fn render(run: &Run) -> anyhow::Result<String> {
    let summary = run.demand.as_ref().map(|demand| {
        json!({
            "frames": demand.frames,
            "latency_p50_ns": demand.latency_ns(0.5),
            "latency_p95_ns": demand.latency_ns(0.95),
            "latency_p99_ns": demand.latency_ns(0.99),
            "latency_max_ns": demand.latency_max_ns(),
            "missed": demand.missed,
            "cpu_mean_ns": demand.cpu_mean_ns,
            "cpu_cv_ratio": demand.cpu_cv,
            "cpu_lag1": demand.cpu_lag1,
            "cpu_p99_over_p50_ratio": demand.cpu_p99_over_p50,
            "cpu_i_over_p_ratio": demand.cpu_i_over_p,
            "bits_i_over_p_ratio": demand.bits_i_over_p,
            "bits": demand.bits,
        })
    });
    let stages = run.stages.as_ref().map(|(times, read_ns)| {
        let ns: serde_json::Map<String, Value> = Stage::ALL
            .iter()
            .map(|&stage| (format!("{}_ns", stage.name()), times.ns(stage, *read_ns).into()))
            .collect();
        json!({ "times": ns, "serial_frac": times.serial_frac(), "clock_read_ns": read_ns })
    });
    let document = json!({
        "schema": "cgtune.workload-h264/1",
        "config": run.config,
        "clock": run.clock,
        "interval_ns": run.interval_ns,
        "calibration": run.calibration,
        "interrupted": run.ending == Ending::Interrupted,
        "summary": summary,
        "stages": stages,
        "frames": run.records,
    });
    Ok(serde_json::to_string(&document)? + "\n")
}
