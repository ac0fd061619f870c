//! The node that is meant: flags → [`Setting`].

use anyhow::anyhow;
use cgtune_core::{
    Micros,
    convert::{CgroupDriver, Kubernetes, Runtime, RuntimeError, Setting, kubelet},
    policy::{MAX_PERIOD, MIN_PERIOD},
};

use crate::failure::Hinted;

#[derive(Debug, clap::Args)]
#[group(id = "node")]
#[command(next_help_heading = "The node (what is not given: the newest, with its defaults)")]
pub(super) struct Args {
    /// Kubernetes version, such as 1.33
    #[arg(long, value_name = "VERSION")]
    kubernetes: Option<String>,
    /// Low-level runtime: runc@1.3.2, crun@1.23, youki, kata
    #[arg(long, value_name = "NAME[@VERSION]")]
    runtime: Option<String>,
    /// cgroup driver of kubelet and runtime
    #[arg(long, value_name = "DRIVER", value_enum)]
    driver: Option<Driver>,
    /// Period of the quota, the kubelet's cpuCFSQuotaPeriod; 100ms unless given
    // Hyphens are let through so that "-1" is refused as a duration, not as an unknown flag.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    period: Option<String>,
    /// The kubelet's cpuCFSQuota: whether limits become quotas
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true",
        default_missing_value = "true", hide_default_value = true, hide_possible_values = true
    )]
    cpu_cfs_quota: bool,
    /// The kubelet's cpuManagerPolicy; static gives whole CPUs to some containers
    #[arg(long, value_name = "POLICY", value_enum, default_value = "none", hide_default_value = true)]
    cpu_manager_policy: CpuManagerPolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Driver {
    Cgroupfs,
    Systemd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CpuManagerPolicy {
    None,
    Static,
}

impl Args {
    pub(super) fn setting(&self) -> anyhow::Result<Setting> {
        let kubernetes = match &self.kubernetes {
            Some(text) => Kubernetes::new(text.parse().map_err(|error| anyhow!("--kubernetes: {error}"))?),
            None => Kubernetes::NEWEST,
        };
        let runtime = self.runtime.as_deref().map(runtime).transpose()?;
        let period = match &self.period {
            Some(text) => Micros::parse(text).map_err(|error| anyhow!("--period: {error}"))?,
            None => kubelet::QUOTA_PERIOD,
        };
        if !(MIN_PERIOD..=MAX_PERIOD).contains(&period) {
            let error = anyhow!("--period: {period} is outside what kernel and kubelet take: 1ms to 1s");
            let nearest = period.clamp(MIN_PERIOD, MAX_PERIOD);
            let hint = format!(
                "the nearest period that the kernel takes is --period {nearest}; Kubernetes' own is {}",
                kubelet::QUOTA_PERIOD
            );
            return Err(Hinted::new(error, hint).into());
        }
        Ok(Setting {
            kubernetes,
            runtime: runtime.unwrap_or_default(),
            driver: match self.driver {
                Some(Driver::Systemd) => CgroupDriver::Systemd,
                Some(Driver::Cgroupfs) | None => CgroupDriver::Cgroupfs,
            },
            period,
            cfs_quota: self.cpu_cfs_quota,
            static_cpus: self.cpu_manager_policy == CpuManagerPolicy::Static,
        })
    }
}

fn runtime(text: &str) -> anyhow::Result<Runtime> {
    text.parse().map_err(|error: RuntimeError| {
        let hint = match &error {
            RuntimeError::Version(_) => {
                "write NAME@VERSION, such as runc@1.3.2, or the name alone for its newest"
            }
            RuntimeError::Name(_) | RuntimeError::Indirect(_) => {
                "such as runc@1.3.2, crun@1.23, youki or kata"
            }
        };
        Hinted::new(anyhow!("--runtime: {error}"), hint).into()
    })
}
