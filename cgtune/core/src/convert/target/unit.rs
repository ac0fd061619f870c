//! Properties of a systemd unit, for unit files and `systemctl set-property`.
//!
//! Sources: systemd.resource-control(5), 252; `cgroup_context_apply` in src/core/cgroup.c, 252.39. Percent are whole there
//! (`CPUQuota=` is kept as µs per second, of which unit files have whole percent), and rounded up as the runtimes'
//! systemd driver does.

use crate::{
    Micros, Quota,
    convert::{container::Conversion, systemd, target::Form},
    policy::DEFAULT_PERIOD,
};

/// Why there is no property for a burst, and what one that is there does.
pub const NO_BURST: &str = "burst: systemd has no property for it. It leaves the file as it is, but a CPUQuota= that comes \
                            to less than the burst is refused by the kernel, which systemd only logs";

/// Properties, and what they do not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties {
    /// `Name=value`.
    pub properties: Vec<String>,
    /// Sentences, as in [`Rendition::cannot`](crate::convert::Rendition::cannot).
    pub cannot: Vec<String>,
}

/// A quota and its period. No quota is an empty `CPUQuota=`, which takes one away.
#[must_use]
pub fn quota(quota: Quota, period: Micros) -> Properties {
    let Some(limit) = quota.limited() else {
        return Properties { properties: vec!["CPUQuota=".to_owned()], cannot: Vec::new() };
    };
    let per_second = systemd::rounded(quota, period).per_second.limited().unwrap_or(Micros::ZERO);
    let percent = u128::from(per_second.get() / systemd::STEP.get());
    let mut cannot = Vec::new();
    let kept = percent * u128::from(period.get());
    if kept != u128::from(limit.get()) * 100 {
        cannot.push(format!(
            "quota: what systemd keeps is whole percent; {percent}% of {period} is {} µs instead of {} µs",
            kept / 100,
            limit.get()
        ));
    }
    if period != DEFAULT_PERIOD {
        cannot.push("period: CPUQuotaPeriodSec= needs systemd 242 or newer".to_owned());
    }
    let properties = vec![format!("CPUQuota={percent}%"), format!("CPUQuotaPeriodSec={}us", period.get())];
    Properties { properties, cannot }
}

pub(super) fn of(conversion: &Conversion) -> (Form, Vec<String>) {
    let weight = conversion.assumed_weight();
    let mut properties = vec![format!("CPUWeight={}", weight.get())];
    let mut cannot = Vec::new();
    if let Some(sent) = conversion.sent {
        let bandwidth = quota(sent.quota, sent.period);
        properties.extend(bandwidth.properties);
        cannot.extend(bandwidth.cannot);
    }
    cannot.push(format!(
        "shares: on cgroup v1 systemd makes {} of this weight; CPUShares={} is exact there, and gone in systemd 258",
        systemd::shares(weight).get(),
        conversion.shares.get()
    ));
    if conversion.wanted_burst().is_some() {
        cannot.push(NO_BURST.to_owned());
    }
    (Form::Properties(properties), cannot)
}
