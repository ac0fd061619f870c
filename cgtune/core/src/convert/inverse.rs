//! Back from a file to the request or limit that it may have come from: a range, and under which assumption.
//!
//! One weight means different requests at different levels and under different runtimes: 39 is 976m to 1000m by the
//! linear formula and 289m to 298m by the logarithmic one. So nothing here answers with a single number, and what can be
//! told from several groups of one node is [`Judgement`]'s business.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::{
    Micros, MilliCpu, Quota, Shares, Weight,
    convert::{
        kubelet::{self, MILLI_PER_CPU, SHARES_PER_CPU},
        setting::Setting,
        weight::WeightFormula,
    },
};

/// Amounts of CPU from the first to the last; without a last one, everything from the first on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CpuRange {
    /// The smallest.
    #[serde(rename = "min_milli")]
    pub min: MilliCpu,
    /// The largest; `None`: there is none.
    #[serde(rename = "max_milli")]
    pub max: Option<MilliCpu>,
}

impl CpuRange {
    /// Whether an amount lies in it.
    #[must_use]
    pub fn contains(self, amount: MilliCpu) -> bool {
        self.min <= amount && self.max.is_none_or(|max| amount <= max)
    }

    /// Whether some amount lies in both.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        let below = |max: Option<MilliCpu>, min| max.is_none_or(|max| min <= max);
        below(self.max, other.min) && below(other.max, self.min)
    }

    /// What two amounts, one of each, can be together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let max = self.max.zip(other.max).map(|(a, b)| a.saturating_add(b));
        Self { min: self.min.saturating_add(other.min), max }
    }
}

impl WeightFormula {
    /// The shares that have this weight; `None` where none has: the formula passes over some weights.
    #[must_use]
    pub fn shares(self, weight: Weight) -> Option<RangeInclusive<Shares>> {
        let first = self.first(weight)?;
        let above = Weight::new(weight.get() + 1).ok().and_then(|next| self.first(next));
        let last = above.map_or(Shares::MAX, |above| Shares::new(above.get() - 1).unwrap_or(Shares::MIN));
        (self.weight(first) == weight).then_some(first..=last)
    }

    /// The fewest shares with this weight or more. No formula ever falls.
    fn first(self, weight: Weight) -> Option<Shares> {
        let of = |shares: u64| Shares::new(shares).ok().map(|shares| self.weight(shares));
        let (mut low, mut high) = (Shares::MIN.get(), Shares::MAX.get());
        if of(high)? < weight {
            return None;
        }
        while low < high {
            let middle = low.midpoint(high);
            if of(middle)? < weight { low = middle + 1 } else { high = middle }
        }
        Shares::new(low).ok()
    }
}

/// The requests whose shares lie in this range ([`kubelet::shares`]). `None`: there is none, since the kubelet passes
/// over every 43rd number or so: 1024 shares go to 1000 thousandths.
#[must_use]
pub fn requests(shares: &RangeInclusive<Shares>) -> Option<CpuRange> {
    let (first, last) = (*shares.start(), *shares.end());
    let min = match first {
        Shares::MIN => MilliCpu::ZERO,
        _ => MilliCpu::new((first.get() * MILLI_PER_CPU).div_ceil(SHARES_PER_CPU)),
    };
    let max = (last < Shares::MAX)
        .then(|| MilliCpu::new(((last.get() + 1) * MILLI_PER_CPU).div_ceil(SHARES_PER_CPU) - 1));
    max.is_none_or(|max| min <= max).then_some(CpuRange { min, max })
}

/// The limits that become this quota of a container on such a node. `None`: there is none.
#[must_use]
pub fn limits(quota: Micros, setting: &Setting) -> Option<CpuRange> {
    let becomes = |milli: u64| {
        let sent = kubelet::quota(MilliCpu::new(milli), setting.period);
        setting.container_quota(sent).limited().unwrap_or(Micros::ZERO)
    };
    // A limit is at most what the kernel's largest quota stands for at its shortest period.
    const MOST: u64 = 1 << 54;
    let first = |wanted: Micros| {
        let (mut low, mut high) = (1, MOST);
        while low < high {
            let middle = u64::midpoint(low, high);
            if becomes(middle) < wanted { low = middle + 1 } else { high = middle }
        }
        low
    };
    let min = first(quota);
    let max = first(Micros::new(quota.get().saturating_add(1))).saturating_sub(1);
    (becomes(min) == quota && min <= max)
        .then_some(CpuRange { min: MilliCpu::new(min), max: Some(MilliCpu::new(max)) })
}

/// At which level of a node a group lies, as far as it decides who wrote its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `kubepods`, a QoS group or a pod: the kubelet writes it.
    Pod,
    /// A container: the runtime writes it.
    Container,
    /// A systemd unit.
    Unit,
}

/// One way in which a value may have come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub level: Level,
    /// How; `None` for shares, which nobody converts.
    pub formula: Option<WeightFormula>,
    /// The shares that it comes from.
    pub shares: RangeInclusive<Shares>,
    /// The requests; `None`: no whole thousandth of a CPU gives it.
    pub request: Option<CpuRange>,
}

/// Every way in which a weight may have come about; without a level, at any of them.
#[must_use]
pub fn of_weight(weight: Weight, level: Option<Level>) -> Vec<Candidate> {
    let ways = [
        (Level::Pod, WeightFormula::Linear),
        (Level::Container, WeightFormula::Logarithmic),
        (Level::Container, WeightFormula::Linear),
        (Level::Unit, WeightFormula::SystemdScale),
    ];
    ways.into_iter()
        .filter(|(at, _)| level.is_none_or(|level| level == *at))
        .filter_map(|(level, formula)| {
            let shares = formula.shares(weight)?;
            Some(Candidate { level, formula: Some(formula), request: requests(&shares), shares })
        })
        .collect()
}

/// The way in which shares came about: the same for pods and containers.
#[must_use]
pub fn of_shares(shares: Shares, level: Level) -> Candidate {
    let shares = shares..=shares;
    Candidate { level, formula: None, request: requests(&shares), shares }
}

/// Whether a node's containers can have their weights by a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The requests that follow are those that are known, or add up to the pod's.
    Exact,
    /// They add up to less than the pod's, which overhead, an init container or one that has ended can explain.
    Possible,
    /// They contradict what is known, or add up to more than the pod's.
    Impossible,
}

/// One container of a pod, as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sibling {
    /// Its `cpu.weight`.
    pub weight: Weight,
    /// Its request, where that is known.
    pub request: Option<MilliCpu>,
}

/// What a pod's group and its containers' say together about the formula in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Each of the runtimes' formulas and how well it fits.
    pub fits: Vec<(WeightFormula, Fit)>,
}

impl Judgement {
    /// Judges the containers of one pod. `pod` is the pod group's weight, which the kubelet wrote.
    #[must_use]
    pub fn of(pod: Option<Weight>, containers: &[Sibling]) -> Self {
        let formulas = [WeightFormula::Logarithmic, WeightFormula::Linear];
        let pod = pod.and_then(|weight| requests(&WeightFormula::Linear.shares(weight)?));
        Self { fits: formulas.map(|formula| (formula, fit(formula, pod, containers))).to_vec() }
    }

    /// The formula that is in use, where only one fits best.
    #[must_use]
    pub fn formula(&self) -> Option<WeightFormula> {
        let fitting =
            |wanted| self.fits.iter().filter(move |(_, fit)| *fit == wanted).map(|(formula, _)| *formula);
        // Two exact fits (weight 1, say) leave it open, and so do two possible ones.
        let best = if fitting(Fit::Exact).next().is_some() { Fit::Exact } else { Fit::Possible };
        let mut left = fitting(best);
        let only = left.next()?;
        left.next().is_none().then_some(only)
    }
}

fn fit(formula: WeightFormula, pod: Option<CpuRange>, containers: &[Sibling]) -> Fit {
    let mut known = false;
    let mut sum: Option<CpuRange> = None;
    for sibling in containers {
        let Some(range) = formula.shares(sibling.weight).as_ref().and_then(requests) else {
            return Fit::Impossible;
        };
        let range = match sibling.request {
            Some(request) if !range.contains(request) => return Fit::Impossible,
            Some(request) => {
                known = true;
                CpuRange { min: request, max: Some(request) }
            }
            None => range,
        };
        sum = Some(sum.map_or(range, |sum| sum.plus(range)));
    }
    match (sum, pod) {
        (Some(sum), Some(pod)) if sum.meets(pod) => Fit::Exact,
        (Some(sum), Some(pod)) if pod.max.is_some_and(|max| sum.min > max) => Fit::Impossible,
        _ if known => Fit::Exact,
        _ => Fit::Possible,
    }
}

/// The limit that a quota stands for, and the range of limits that become it.
#[must_use]
pub fn of_quota(quota: Quota, setting: &Setting) -> Option<(MilliCpu, Option<CpuRange>)> {
    let stands_for = kubelet::limit_of(quota, setting.period)?;
    Some((stands_for, quota.limited().and_then(|quota| limits(quota, setting))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::CgroupDriver;

    fn weight(number: u64) -> Weight {
        Weight::new(number).unwrap()
    }

    fn milli(range: Option<CpuRange>) -> (u64, Option<u64>) {
        let range = range.unwrap();
        (range.min.get(), range.max.map(MilliCpu::get))
    }

    #[test]
    fn weight_39_is_a_cpu_to_the_kubelet_and_three_tenths_to_a_new_runtime() {
        let found: Vec<_> = of_weight(weight(39), None)
            .into_iter()
            .map(|way| (way.level, way.formula.unwrap(), milli(way.request)))
            .collect();
        use WeightFormula::{Linear, Logarithmic, SystemdScale};
        assert_eq!(found[0], (Level::Pod, Linear, (976, Some(1000))));
        assert_eq!(found[1], (Level::Container, Logarithmic, (289, Some(298))));
        assert_eq!(found[2], (Level::Container, Linear, (976, Some(1000))));
        assert_eq!((found[3].0, found[3].1), (Level::Unit, SystemdScale));
    }

    #[test]
    fn the_ends_are_open() {
        let ways = of_weight(weight(10_000), Some(Level::Container));
        assert!(ways.iter().all(|way| way.request.unwrap().max.is_none()), "{ways:?}");
        let ways = of_weight(weight(1), Some(Level::Pod));
        assert_eq!(milli(ways[0].request), (0, Some(28)));
    }

    #[test]
    fn some_shares_come_from_no_request() {
        // 41m is 41 shares and 42m is 43.
        assert_eq!(of_shares(Shares::new(42).unwrap(), Level::Pod).request, None);
        assert_eq!(milli(of_shares(Shares::new(1024).unwrap(), Level::Pod).request), (1000, Some(1000)));
    }

    #[test]
    fn a_quota_comes_from_a_range_that_the_driver_widens() {
        let cgroupfs = Setting::default();
        let systemd = Setting { driver: CgroupDriver::Systemd, ..Setting::default() };
        assert_eq!(milli(limits(Micros::new(34_000), &cgroupfs)), (340, Some(340)));
        assert_eq!(milli(limits(Micros::new(34_000), &systemd)), (331, Some(340)));
        assert_eq!(limits(Micros::new(33_300), &systemd), None);
        assert_eq!(milli(limits(Micros::new(1_000), &cgroupfs)), (1, Some(10)));
        assert_eq!(limits(Micros::new(33_333), &cgroupfs), None, "no whole thousandth gives it");
    }

    #[test]
    fn a_pod_and_its_only_container_tell_the_formula() {
        let alone = |pod, container| {
            let sibling = Sibling { weight: weight(container), request: None };
            Judgement::of(Some(weight(pod)), &[sibling]).formula()
        };
        // One CPU each: 39 and 100 under a new runtime, 39 and 39 under an old one.
        assert_eq!(alone(39, 100), Some(WeightFormula::Logarithmic));
        assert_eq!(alone(39, 39), Some(WeightFormula::Linear));
        // Weight 1 is nothing by either.
        assert_eq!(alone(1, 1), None);
    }

    #[test]
    fn a_known_request_decides() {
        let known = |request| {
            let sibling = Sibling { weight: weight(39), request: Some(MilliCpu::new(request)) };
            Judgement::of(None, &[sibling]).formula()
        };
        assert_eq!(known(1000), Some(WeightFormula::Linear));
        assert_eq!(known(290), Some(WeightFormula::Logarithmic));
        assert_eq!(known(500), None, "neither");
    }

    proptest! {
        #[test]
        fn a_request_lies_in_the_range_of_what_becomes_of_it(request in 0_u64..300_000, limit in 1_u64..300_000, systemd: bool) {
            let (request, limit) = (MilliCpu::new(request), MilliCpu::new(limit));
            let shares = kubelet::shares(request);
            prop_assert!(requests(&(shares..=shares)).unwrap().contains(request));
            for formula in WeightFormula::ALL {
                let range = formula.shares(formula.weight(shares)).unwrap();
                prop_assert!(range.contains(&shares));
                prop_assert!(requests(&range).unwrap().contains(request));
            }
            let driver = if systemd { CgroupDriver::Systemd } else { CgroupDriver::Cgroupfs };
            let setting = Setting { driver, ..Setting::default() };
            let quota = setting.container_quota(kubelet::quota(limit, setting.period)).limited().unwrap();
            prop_assert!(limits(quota, &setting).unwrap().contains(limit));
        }

        #[test]
        fn the_formula_in_use_is_never_ruled_out(
            amounts in proptest::collection::vec(1_u64..20_000, 1..5), newest: bool, know: bool
        ) {
            let formula = if newest { WeightFormula::Logarithmic } else { WeightFormula::Linear };
            let containers: Vec<_> = amounts.iter().map(|&milli| Sibling {
                weight: formula.weight(kubelet::shares(MilliCpu::new(milli))),
                request: know.then(|| MilliCpu::new(milli)),
            }).collect();
            let pod = kubelet::weight(kubelet::shares(MilliCpu::new(amounts.iter().sum())));
            let judged = Judgement::of(Some(pod), &containers);
            prop_assert!(judged.formula().is_none_or(|found| found == formula), "{:?}", judged);
            let fit = judged.fits.iter().find(|(found, _)| *found == formula).unwrap().1;
            prop_assert_eq!(fit, Fit::Exact);
        }
    }
}
