//! Quotas: whether there are any, and over which period.

use super::Case;
use crate::{
    Micros, MilliCpu,
    convert::kubelet::{QUOTA_PERIOD, smallest_limit},
    kubelet::{duration::GoDuration, finding::Fault, gates::Gate},
    policy::{MAX_PERIOD, MIN_PERIOD},
};

/// From this limit on it is told that smaller ones are raised to it: 50m at 20 ms. Containers with less are rare.
const NOTEWORTHY: MilliCpu = MilliCpu::new(50);

pub(super) fn check(case: &mut Case<'_>) {
    let quotas = case.effective.cpu_cfs_quota;
    if !quotas {
        case.found(["cpuCFSQuota"], Fault::QuotaOff);
    }
    let Some(period) = case.config.cpu_cfs_quota_period else { return };
    let usual = period == GoDuration::from(QUOTA_PERIOD);
    if !quotas && !usual {
        case.found(["cpuCFSQuotaPeriod"], Fault::PeriodWithoutQuota);
    }
    // Upstream looks at the range only with the gate open; to the reader of the file both are mistakes.
    if !usual && !case.config.open(Gate::CustomCPUCFSQuotaPeriod, case.release) {
        case.found(["cpuCFSQuotaPeriod"], Fault::PeriodNeedsGate { period });
    }
    let range = GoDuration::from(MIN_PERIOD)..=GoDuration::from(MAX_PERIOD);
    if !range.contains(&period) {
        case.found(["cpuCFSQuotaPeriod"], Fault::PeriodRange { period });
        return;
    }
    let smallest = smallest_limit(period.micros().unwrap_or(Micros::ZERO));
    if let Some(smallest) = smallest.filter(|&smallest| quotas && smallest >= NOTEWORTHY) {
        case.found(["cpuCFSQuotaPeriod"], Fault::PeriodRaisesLimits { period, smallest });
    }
}
