use std::fmt;

use cgtune_core::{Bandwidth, Quota, Shares};

/// `linux.resources.cpu` of the OCI runtime spec. What is absent is left out of the JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cpu {
    pub(crate) shares: Option<u64>,
    pub(crate) quota: Option<i64>,
    pub(crate) period: Option<u64>,
    pub(crate) burst: Option<u64>,
}

impl Cpu {
    pub(crate) fn new(shares: Shares, bandwidth: Bandwidth) -> Self {
        let quota = match bandwidth.quota() {
            Quota::Limited(quota) => i64::try_from(quota.get()).unwrap(),
            Quota::Unlimited => -1,
        };
        Self {
            shares: Some(shares.get()),
            quota: Some(quota),
            period: Some(bandwidth.period().get()),
            burst: Some(bandwidth.burst().get()),
        }
    }
}

/// As JSON.
impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |name, number: Option<i64>| number.map(|number| format!("\"{name}\":{number}"));
        let natural = |name, value: Option<u64>| number(name, value.map(|value| value.try_into().unwrap()));
        let fields = [
            natural("shares", self.shares),
            number("quota", self.quota),
            natural("period", self.period),
            natural("burst", self.burst),
        ];
        f.pad(&format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(",")))
    }
}
