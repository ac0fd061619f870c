//! The steps of one container.

use super::{Source, Step, Subject, source};
use crate::{
    Micros, MilliCpu, Quota, Shares,
    convert::{
        burst::Burst,
        container::{ContainerCpu, Conversion, RequestOrigin},
        kubelet::{self, MILLI_PER_CPU, SHARES_PER_CPU},
        quantity::CpuQuantity,
        runtime::{Runtime, RuntimeName},
        setting::Setting,
        systemd::{self, CgroupDriver},
        weight::WeightFormula,
    },
};

/// Decimals shown of a quotient that is no whole number.
const PLACES: u32 = 3;

impl Conversion {
    /// How its numbers come about, and the weight of a pod that holds nothing else.
    #[must_use]
    pub fn explain_alone(&self, asked: &ContainerCpu, setting: &Setting) -> Vec<Step> {
        let mut steps = self.explain(asked, setting);
        let behind_weights = steps.iter().rposition(|step| step.value == "cpu.weight").map_or(0, |at| at + 1);
        steps.insert(behind_weights, pod_weight(self.shares));
        steps
    }

    /// How its numbers come about, from what was asked on the node that was meant.
    #[must_use]
    pub fn explain(&self, asked: &ContainerCpu, setting: &Setting) -> Vec<Step> {
        let mut steps = Vec::new();
        steps.extend(asked.request.and_then(|request| rounding("request", request)));
        steps.extend(asked.limit.and_then(|limit| rounding("limit", limit)));
        steps.extend(origin(self));
        steps.push(shares(Subject::Container, self.request, self.shares));
        for formula in
            self.formula.map_or(vec![WeightFormula::Logarithmic, WeightFormula::Linear], |f| vec![f])
        {
            steps.push(weight(formula, self.shares, &setting.runtime, self.formula.is_some()));
        }
        steps.extend(self.quota_steps(setting));
        steps.extend(self.burst_step(asked, setting));
        steps
    }

    fn quota_steps(&self, setting: &Setting) -> Vec<Step> {
        let Some(sent) = self.sent else {
            return vec![Step {
                value: "quota",
                of: Subject::Container,
                result: "none".to_owned(),
                formula: "with cpuCFSQuota: false no limit becomes a quota",
                arithmetic: "neither quota nor period is sent".to_owned(),
                writer: "kubelet".to_owned(),
                since: "all versions",
                source: source::CALCULATE,
            }];
        };
        let Some(limit) = self.limit else { return Vec::new() };
        let mut steps = vec![quota(Subject::Container, limit, sent.quota, sent.period)];
        if let (CgroupDriver::Systemd, Quota::Limited(before)) = (setting.driver, sent.quota)
            && setting.runtime.rounds_for_systemd()
        {
            steps.push(driver(Subject::Container, before, sent.period));
        }
        steps
    }

    fn burst_step(&self, asked: &ContainerCpu, setting: &Setting) -> Option<Step> {
        let burst = asked.burst?;
        let quota = self.sent?.quota.limited()?;
        let got = self.bandwidth.burst();
        let arithmetic = match burst {
            Burst::Time(time) => format!("{} as given", time.get()),
            Burst::OfQuota(part) => format!("{part} of {} = {}", quota.get(), part.of(quota).get()),
            Burst::Cpu(cpu) => product(cpu.get(), setting.period.get(), MILLI_PER_CPU),
        };
        let wanted = burst.amount(Quota::Limited(quota), setting.period).unwrap_or(Micros::ZERO);
        let held = if wanted > got { format!(", held at the quota: {}", got.get()) } else { String::new() };
        Some(Step {
            value: "burst",
            of: Subject::Container,
            result: got.get().to_string(),
            formula: "unused CPU time kept for later periods, at most one quota",
            arithmetic: format!("{arithmetic}{held}"),
            writer: "nobody in Kubernetes: an OCI hook, an NRI plugin, or a write to the file".to_owned(),
            since: "Linux 5.14",
            source: source::SET_CPU,
        })
    }
}

/// `a × b / c`, with the remainder shown before it is cut off.
pub(super) fn product(a: u64, b: u64, c: u64) -> String {
    let (exact, value) = divided(u128::from(a) * u128::from(b), u128::from(c));
    match exact {
        None => format!("{a} × {b} / {c} = {value}"),
        Some(exact) => format!("{a} × {b} / {c} = {exact} → {value}"),
    }
}

/// A quotient with [`PLACES`] decimals where it is no whole number, and its whole part.
fn divided(number: u128, by: u128) -> (Option<String>, u128) {
    let Some(value) = number.checked_div(by) else { return (None, 0) };
    let scale = 10_u128.pow(PLACES);
    let rest = (number % by) * scale / by;
    let exact = (!number.is_multiple_of(by)).then(|| {
        let digits = format!("{rest:0width$}", width = PLACES as usize);
        let digits = digits.trim_end_matches('0');
        // Below the last decimal shown, but there.
        if digits.is_empty() { format!("{value}.000…") } else { format!("{value}.{digits}") }
    });
    (exact, value)
}

fn rounding(value: &'static str, quantity: CpuQuantity) -> Option<Step> {
    let milli = quantity.milli();
    (quantity.asked_nano() != u128::from(milli.get()) * 1_000_000).then(|| Step {
        value,
        of: Subject::Container,
        result: milli.to_string(),
        formula: "rounded up to thousandths of a CPU",
        arithmetic: format!("{quantity} → {}m", milli.get()),
        writer: "API server".to_owned(),
        since: "all versions",
        source: source::ROUND_UP,
    })
}

fn origin(done: &Conversion) -> Option<Step> {
    let (formula, source) = match done.request_origin {
        RequestOrigin::Given => return None,
        RequestOrigin::Limit => ("without a request, the limit is the request", source::SET_DEFAULTS),
        RequestOrigin::PodLimit => {
            ("without a request and a limit, the pod's limit stands for both", source::CALCULATE)
        }
        RequestOrigin::Nothing => ("without a request and a limit, the request is zero", source::CALCULATE),
    };
    Some(Step {
        value: "request",
        of: Subject::Container,
        result: done.request.to_string(),
        formula,
        arithmetic: format!("request := {}", done.request),
        writer: if done.request_origin == RequestOrigin::Limit { "API server" } else { "kubelet" }.to_owned(),
        since: "all versions",
        source,
    })
}

pub(super) fn shares(of: Subject, request: MilliCpu, shares: Shares) -> Step {
    let arithmetic = product(request.get(), SHARES_PER_CPU, MILLI_PER_CPU);
    let exact = u128::from(request.get()) * u128::from(SHARES_PER_CPU) / u128::from(MILLI_PER_CPU);
    let held = match exact.cmp(&u128::from(shares.get())) {
        std::cmp::Ordering::Less => format!(", raised to {}", shares.get()),
        std::cmp::Ordering::Greater => format!(", held at {}", shares.get()),
        std::cmp::Ordering::Equal => String::new(),
    };
    Step {
        value: "cpu.shares",
        of,
        result: shares.get().to_string(),
        formula: "request × 1024 / 1000, cut off, between 2 and 262144",
        arithmetic: format!("{arithmetic}{held}"),
        writer: match of {
            Subject::Container => "kubelet, sent to the runtime".to_owned(),
            Subject::Pod => "kubelet".to_owned(),
        },
        since: "all versions",
        source: source::SHARES,
    }
}

const LINEAR: &str = "1 + (shares − 2) × 9999 / 262142, cut off";

fn linear(shares: Shares) -> String {
    let spread = shares.get() - Shares::MIN.get();
    let (exact, value) =
        divided(u128::from(spread) * 9999, u128::from(Shares::MAX.get() - Shares::MIN.get()));
    let exact = exact.map_or_else(String::new, |exact| format!("1 + {exact} → "));
    format!("1 + ({} − 2) × 9999 / 262142 = {exact}{}", shares.get(), value + 1)
}

fn weight(formula: WeightFormula, shares: Shares, runtime: &Runtime, known: bool) -> Step {
    let (rule, arithmetic) = match formula {
        WeightFormula::Linear => (LINEAR, linear(shares)),
        WeightFormula::SystemdScale => {
            ("shares × 100 / 1024, cut off", product(shares.get(), 100, SHARES_PER_CPU))
        }
        WeightFormula::Logarithmic => {
            ("10^((l² + 125 l) / 612 − 7/34) with l = log2(shares), rounded up", logarithmic(shares))
        }
    };
    let writer =
        if known { runtime.to_string() } else { format!("{runtime}, if it is like {}", formula.used_by()) };
    Step {
        value: "cpu.weight",
        of: Subject::Container,
        result: formula.weight(shares).get().to_string(),
        formula: rule,
        arithmetic,
        writer,
        since: formula.used_by(),
        source: weight_source(formula, &runtime.name),
    }
}

#[allow(clippy::cast_precision_loss, reason = "shown only")]
fn logarithmic(shares: Shares) -> String {
    let weight = WeightFormula::Logarithmic.weight(shares).get();
    if shares == Shares::MIN || shares == Shares::MAX {
        return format!("{} shares are {weight}, an end of the scale", shares.get());
    }
    let l = (shares.get() as f64).log2();
    let exact = 10_f64.powf((l * l + 125.0 * l) / 612.0 - 7.0 / 34.0);
    format!(
        "l = log2({}) = {l:.3}; 10^(({l:.3}² + 125 × {l:.3}) / 612 − 7/34) = {exact:.2} → {weight}",
        shares.get()
    )
}

fn weight_source(formula: WeightFormula, runtime: &RuntimeName) -> Source {
    match (runtime, formula) {
        (RuntimeName::Crun, _) => source::CRUN_WEIGHT,
        (RuntimeName::Youki, _) => source::YOUKI_WEIGHT,
        (RuntimeName::Kata, _) => source::KATA_WEIGHT,
        (_, WeightFormula::Linear) => source::RUNC_OLD_WEIGHT,
        _ => source::RUNC_WEIGHT,
    }
}

pub(super) fn pod_weight(shares: Shares) -> Step {
    Step {
        value: "cpu.weight",
        of: Subject::Pod,
        result: kubelet::weight(shares).get().to_string(),
        formula: LINEAR,
        arithmetic: linear(shares),
        writer: "kubelet".to_owned(),
        since: "all versions, whatever the runtime does",
        source: source::POD_WEIGHT,
    }
}

pub(super) fn quota(of: Subject, limit: MilliCpu, quota: Quota, period: Micros) -> Step {
    let (result, arithmetic) = match quota {
        Quota::Unlimited if limit == MilliCpu::ZERO => {
            ("none".to_owned(), "a limit of 0 is no limit".to_owned())
        }
        Quota::Unlimited => ("none".to_owned(), "CPUs of its own, so no quota".to_owned()),
        Quota::Limited(quota) => {
            let raised = if kubelet::of_period(limit, period) < quota {
                format!(", raised to {}", quota.get())
            } else {
                String::new()
            };
            (
                quota.get().to_string(),
                format!("{}{raised}", product(limit.get(), period.get(), MILLI_PER_CPU)),
            )
        }
    };
    Step {
        value: "quota",
        of,
        result,
        formula: "limit × period / 1000, cut off, at least 1000 µs",
        arithmetic,
        writer: match of {
            Subject::Container => "kubelet, sent to the runtime".to_owned(),
            Subject::Pod => "kubelet".to_owned(),
        },
        since: "all versions",
        source: source::QUOTA,
    }
}

pub(super) fn driver(of: Subject, before: Micros, period: Micros) -> Step {
    let rounded = systemd::rounded(Quota::Limited(before), period);
    let per_second = rounded.per_second.limited().unwrap_or(Micros::ZERO).get();
    let after = rounded.quota.limited().unwrap_or(before).get();
    let (exact, value) = divided(u128::from(before.get()) * 1_000_000, u128::from(period.get()));
    let exact = exact.unwrap_or_else(|| value.to_string());
    let percent = per_second / systemd::STEP.get();
    let there = format!("{} × 1000000 / {} = {exact}", before.get(), period.get());
    let arithmetic = if after == before.get() {
        format!("{there}, {percent} %: whole already")
    } else {
        format!("{there} → {per_second} ({percent} %); {per_second} × {} / 1000000 = {after}", period.get())
    };
    Step {
        value: "quota",
        of,
        result: after.to_string(),
        formula: "CPU time per second, rounded up to a whole percent of a CPU, and back",
        arithmetic,
        writer: match of {
            Subject::Container => "runc, systemd driver".to_owned(),
            Subject::Pod => "kubelet, systemd driver".to_owned(),
        },
        since: "all versions with that driver",
        source: source::SYSTEMD_QUOTA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(request: &str, limit: &str, setting: &Setting) -> Vec<String> {
        let quantity = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        let asked = ContainerCpu {
            request: quantity(request),
            limit: quantity(limit),
            burst: (!limit.is_empty()).then(|| "50%".parse().unwrap()),
            ..ContainerCpu::default()
        };
        let steps = asked.convert(setting).unwrap().explain_alone(&asked, setting);
        steps.into_iter().map(|step| format!("{} {}: {}", step.value, step.result, step.arithmetic)).collect()
    }

    #[test]
    fn each_number_comes_with_its_arithmetic() {
        let systemd = Setting { driver: CgroupDriver::Systemd, ..Setting::default() };
        assert_eq!(
            explained("0.3325", "333m", &systemd),
            [
                "request 333m: 332500u → 333m",
                "cpu.shares 340: 333 × 1024 / 1000 = 340.992 → 340",
                "cpu.weight 43: l = log2(340) = 8.409; 10^((8.409² + 125 × 8.409) / 612 − 7/34) = 42.39 → 43",
                "cpu.weight 13: 1 + (340 − 2) × 9999 / 262142 = 1 + 12.892 → 13",
                "quota 33300: 333 × 100000 / 1000 = 33300",
                "quota 34000: 33300 × 1000000 / 100000 = 333000 → 340000 (34 %); 340000 × 100000 / 1000000 = 34000",
                "burst 16650: 50% of 33300 = 16650",
            ]
        );
    }

    #[test]
    fn what_is_not_there_is_explained_as_well() {
        let old = Setting { runtime: "runc@1.1.5".parse().unwrap(), ..Setting::default() };
        assert_eq!(
            explained("", "5m", &old),
            [
                "request 5m: request := 5m",
                "cpu.shares 5: 5 × 1024 / 1000 = 5.12 → 5",
                "cpu.weight 1: 1 + (5 − 2) × 9999 / 262142 = 1 + 0.114 → 1",
                "cpu.weight 1: 1 + (5 − 2) × 9999 / 262142 = 1 + 0.114 → 1",
                "quota 1000: 5 × 100000 / 1000 = 500, raised to 1000",
                "burst 500: 50% of 1000 = 500",
            ]
        );
        let off = Setting { cfs_quota: false, ..Setting::default() };
        assert!(
            explained("1", "2", &off).contains(&"quota none: neither quota nor period is sent".to_owned())
        );
        assert!(
            explained("", "", &off).contains(&"cpu.shares 2: 0 × 1024 / 1000 = 0, raised to 2".to_owned())
        );
    }

    #[test]
    fn every_source_is_an_address() {
        assert_eq!(
            source::SHARES.url(),
            "https://github.com/kubernetes/kubernetes/blob/9283b256656828fd07ead9b67e5c3bbd79cf2c6e/pkg/kubelet/cm/helpers_linux.go"
        );
        assert!(
            source::SHARES.to_string().starts_with("MilliCPUToShares, kubernetes/kubernetes pkg/kubelet/cm/")
        );
    }
}
