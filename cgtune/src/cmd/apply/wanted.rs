//! What was typed → the state that is wanted. Nothing that was not typed changes.

use anyhow::anyhow;
use cgtune_core::{
    Bandwidth, Layout, Micros, Observed, ObservedBandwidth, ObservedShare, PolicyError, Quota, Shares,
    Weight,
    convert::{WeightFormula, kubelet},
    plan::{Goal, PlanError},
    policy::{MAX_PERIOD, MAX_RUNTIME, MIN_PERIOD, MIN_QUOTA},
};

use crate::{
    failure::Hinted,
    typed::{self, list, quantity},
};

/// The values to set.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// CPU request, as Kubernetes would turn it into shares or weight
    #[arg(long, value_name = "QUANTITY", allow_hyphen_values = true, conflicts_with_all = ["weight", "shares"])]
    cpu_request: Option<String>,
    /// CPU limit: the quota for the period; max for none
    #[arg(long, value_name = "QUANTITY", allow_hyphen_values = true, conflicts_with = "quota")]
    cpu_limit: Option<String>,
    /// CPU time per period, summed over CPUs; max for none
    #[arg(long, value_name = "DURATION|max", allow_hyphen_values = true)]
    quota: Option<String>,
    /// Period of the quota
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    period: Option<String>,
    /// CPU time that may be saved up: 20ms, 50% of the quota, or CPU (200m)
    #[arg(long, value_name = "BURST", allow_hyphen_values = true)]
    burst: Option<String>,
    /// Relative weight on cgroup v2, 1..10000
    #[arg(long, value_name = "N")]
    weight: Option<u64>,
    /// Relative weight on cgroup v1, 2..262144
    #[arg(long, value_name = "N")]
    shares: Option<u64>,
    /// CPUs to run on, such as 0-3,7; "" empties the list
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Memory nodes to allocate from
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// Run only when nobody else wants to (cpu.idle)
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    idle: Option<bool>,
}

impl Wanted {
    /// Whether anything is wanted at all.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let texts = [
            &self.cpu_request,
            &self.cpu_limit,
            &self.quota,
            &self.period,
            &self.burst,
            &self.cpuset_cpus,
            &self.cpuset_mems,
        ];
        let any = texts.iter().any(|text| text.is_some())
            || self.weight.is_some()
            || self.shares.is_some()
            || self.idle.is_some();
        if any {
            return Ok(());
        }
        let error = anyhow!("nothing to change is given");
        Err(Hinted::new(error, "for example: cgtune apply TARGET --burst 100%").into())
    }

    /// The state to reach from what is observed, and how what was typed was understood.
    pub(super) fn goal(&self, observed: &Observed, layout: Layout) -> anyhow::Result<(Goal, Vec<String>)> {
        let mut notes = Vec::new();
        let goal = Goal {
            share: self.share(layout, &mut notes)?,
            bandwidth: self.bandwidth(observed)?,
            idle: self.idle,
            cpus: self.cpuset_cpus.as_deref().map(|text| list("--cpuset-cpus", text)).transpose()?,
            mems: self.cpuset_mems.as_deref().map(|text| list("--cpuset-mems", text)).transpose()?,
        };
        if goal.share.is_some() && goal.idle == Some(true) {
            let error = anyhow!("--idle and a weight at once: the kernel takes no weight for an idle group");
            return Err(Hinted::new(error, "leave one of the two out").into());
        }
        Ok((goal, notes))
    }

    fn share(&self, layout: Layout, notes: &mut Vec<String>) -> anyhow::Result<Option<ObservedShare>> {
        if let Some(shares) = self.shares {
            let shares = Shares::new(shares).map_err(refused)?;
            return Ok(Some(ObservedShare::Shares(shares.get())));
        }
        if let Some(weight) = self.weight {
            let weight = Weight::new(weight).map_err(refused)?;
            return Ok(Some(ObservedShare::Weight(weight.get())));
        }
        let Some(text) = &self.cpu_request else { return Ok(None) };
        let request = quantity("--cpu-request", text)?.milli();
        let (share, how) = share_of(kubelet::shares(request), layout);
        notes.push(format!("a request of {request} is {how}"));
        Ok(Some(share))
    }

    fn bandwidth(&self, observed: &Observed) -> anyhow::Result<Option<ObservedBandwidth>> {
        if self.cpu_limit.is_none() && self.quota.is_none() && self.period.is_none() && self.burst.is_none() {
            return Ok(None);
        }
        let now = observed.bandwidth.ok_or(PlanError::NoBandwidth)?;
        let period = match &self.period {
            Some(text) => Micros::parse(text).map_err(|error| anyhow!("--period: {error}"))?,
            None => now.period,
        };
        let quota = match (&self.cpu_limit, &self.quota) {
            (Some(text), _) | (None, Some(text)) if text == "max" => Quota::Unlimited,
            (Some(text), _) => kubelet::quota(quantity("--cpu-limit", text)?.milli(), period),
            (None, Some(text)) => {
                Quota::Limited(Micros::parse(text).map_err(|error| anyhow!("--quota: {error}"))?)
            }
            (None, None) => self.kept_quota(now, period)?,
        };
        let burst = match &self.burst {
            Some(text) => Some(
                typed::burst(text)?
                    .amount(quota, period)
                    .ok_or_else(|| refused(PolicyError::BurstWithoutQuota(Micros::ZERO)))?,
            ),
            // Without a quota a burst is nothing but a trap for the next one who sets one.
            None if quota == Quota::Unlimited => now.burst.map(|_| Micros::ZERO),
            None => now.burst,
        };
        let wanted = Bandwidth::new(quota, period, burst.unwrap_or_default()).map_err(refused)?;
        Ok(Some(ObservedBandwidth { burst, ..wanted.into() }))
    }

    /// The quota where only the period was typed. The same quota in another period is another limit, and the same limit
    /// another quota: nobody should find out afterwards which was meant.
    fn kept_quota(&self, now: ObservedBandwidth, period: Micros) -> anyhow::Result<Quota> {
        let Quota::Limited(quota) = now.quota else { return Ok(now.quota) };
        if self.period.is_none() || period == now.period {
            return Ok(now.quota);
        }
        let same = u128::from(quota.get()) * u128::from(period.get()) / u128::from(now.period.get().max(1));
        let same = Micros::new(u64::try_from(same).unwrap_or(u64::MAX));
        let cpus = |quota: Micros, period: Micros| quota.get() as f64 / period.get().max(1) as f64;
        let error = anyhow!("--period alone leaves open whether the quota or the limit stays");
        Err(Hinted::new(
            error,
            format!(
                "add --quota {same} to keep the limit of {:.3} CPUs, or --quota {quota} to make it {:.3}",
                cpus(quota, now.period),
                cpus(quota, period)
            ),
        )
        .into())
    }
}

/// Shares as this layout takes them, and by which formula.
pub(in crate::cmd) fn share_of(shares: Shares, layout: Layout) -> (ObservedShare, String) {
    match layout {
        Layout::V1 => (
            ObservedShare::Shares(shares.get()),
            format!("{} shares (1024 a CPU, as the kubelet computes)", shares.get()),
        ),
        Layout::V2 => {
            let formula = WeightFormula::Logarithmic;
            let weight = formula.weight(shares);
            let how = format!(
                "weight {} by the {} formula ({}); cgtune convert shows the others",
                weight.get(),
                formula.name(),
                formula.used_by()
            );
            (ObservedShare::Weight(weight.get()), how)
        }
    }
}

/// What the kernel would not take, with the nearest that it would.
pub(in crate::cmd) fn refused(error: PolicyError) -> anyhow::Error {
    let nearest = |flag: &str, value: &dyn std::fmt::Display| {
        format!("the nearest that the kernel takes is {flag} {value}")
    };
    let hint = match error {
        PolicyError::Period(period) => nearest("--period", &period.clamp(MIN_PERIOD, MAX_PERIOD)),
        PolicyError::QuotaTooSmall(_) => nearest("--quota", &MIN_QUOTA),
        PolicyError::BurstAboveQuota { quota, .. } => nearest("--burst", &quota),
        PolicyError::BurstWithoutQuota(_) => {
            "give a --quota or --cpu-limit with it, or --burst 0us".to_owned()
        }
        PolicyError::TooLarge { burst, .. } => {
            nearest("--quota", &MAX_RUNTIME.checked_sub(burst).unwrap_or(MIN_QUOTA))
        }
        PolicyError::Shares(shares) => {
            nearest("--shares", &shares.clamp(Shares::MIN.get(), Shares::MAX.get()))
        }
        PolicyError::Weight(weight) => {
            nearest("--weight", &weight.clamp(Weight::MIN.get(), Weight::MAX.get()))
        }
    };
    Hinted::new(error, hint).into()
}
