//! A burst as a person asks for it: a time, a part of the quota, or CPUs over one period.

use std::{fmt, str::FromStr};

use crate::{
    Micros, MilliCpu, Quota,
    convert::{
        kubelet,
        quantity::{CpuQuantity, QuantityError},
    },
    text::Escaped,
    units::DurationError,
};

/// How much unused CPU time may be saved up for later periods.
///
/// `20ms` is a time, `50%` a part of the quota, `200m` a CPU amount times the period. Note that `m` is
/// thousandths of a CPU here, as in a request: a burst of minutes would be beyond any quota.
///
/// ```
/// use cgtune_core::{Micros, Quota, convert::Burst};
///
/// let (quota, period) = (Quota::Limited(Micros::from_ms(50)), Micros::from_ms(100));
/// for form in ["20ms", "40%", "200m"] {
///     assert_eq!(form.parse::<Burst>()?.amount(quota, period), Some(Micros::from_ms(20)));
/// }
/// # Ok::<(), cgtune_core::convert::BurstError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Burst {
    /// So much CPU time.
    Time(Micros),
    /// A part of the quota.
    OfQuota(Percent),
    /// So many CPUs for one period.
    Cpu(MilliCpu),
}

impl Burst {
    /// The burst in CPU time, truncated to microseconds; `None` for a part of a quota that is not there.
    #[must_use]
    pub fn amount(self, quota: Quota, period: Micros) -> Option<Micros> {
        match self {
            Self::Time(time) => Some(time),
            Self::OfQuota(percent) => quota.limited().map(|quota| percent.of(quota)),
            Self::Cpu(cpu) => Some(kubelet::of_period(cpu, period)),
        }
    }
}

impl fmt::Display for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => time.fmt(f),
            Self::OfQuota(percent) => percent.fmt(f),
            // Always in thousandths: a bare "2" would not be read back.
            Self::Cpu(cpu) => f.pad(&format!("{}m", cpu.get())),
        }
    }
}

/// A percentage with two decimals, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent {
    hundredths: u64,
}

impl Percent {
    /// That part of an amount, truncated; held at the largest value.
    #[must_use]
    pub fn of(self, amount: Micros) -> Micros {
        let part = u128::from(amount.get()) * u128::from(self.hundredths) / 10_000;
        Micros::new(u64::try_from(part).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.hundredths / 100, self.hundredths % 100);
        match rest {
            0 => f.pad(&format!("{whole}%")),
            _ if rest.is_multiple_of(10) => f.pad(&format!("{whole}.{}%", rest / 10)),
            _ => f.pad(&format!("{whole}.{rest:02}%")),
        }
    }
}

/// Why a text is no burst.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BurstError {
    /// A bare number could be a time, a percentage or CPUs.
    #[error("\"{0}\" has no unit: write {0}ms, {0}% (of the quota) or {0}m (CPU, times the period)")]
    NoUnit(String),
    /// Not a percentage with at most two decimals.
    #[error("\"{0}\" is not a percentage with at most two decimals, such as 50% or 12.5%")]
    Percent(String),
    /// Not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// Neither of the others, and no CPU amount either.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
}

impl FromStr for Burst {
    type Err = BurstError;

    fn from_str(text: &str) -> Result<Self, BurstError> {
        if let Some(number) = text.strip_suffix('%') {
            let percent =
                percent(number).ok_or_else(|| BurstError::Percent(Escaped(text.as_bytes()).to_string()))?;
            return Ok(Self::OfQuota(percent));
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(['s', 'h']) {
            return Ok(Self::Time(Micros::parse(text)?));
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(BurstError::NoUnit(text.to_owned()));
        }
        Ok(Self::Cpu(text.parse::<CpuQuantity>()?.milli()))
    }
}

/// Digits with at most two decimals → hundredths of a percent.
fn percent(number: &str) -> Option<Percent> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(decimals) || decimals.len() > 2 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let decimals: u64 = format!("{decimals:0<2}").parse().ok()?;
    Some(Percent { hundredths: whole.checked_mul(100)?.checked_add(decimals)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_form_is_told_by_its_unit() {
        let read = |text: &str| text.parse::<Burst>().unwrap();
        assert_eq!(read("20ms"), Burst::Time(Micros::from_ms(20)));
        assert_eq!(read("12.5%"), Burst::OfQuota(Percent { hundredths: 1250 }));
        assert_eq!(read("200m"), Burst::Cpu(MilliCpu::new(200)));
        assert_eq!(read("0.5k"), Burst::Cpu(MilliCpu::new(500_000)));
    }

    #[test]
    fn a_bare_number_is_refused_with_the_forms_it_could_have_meant() {
        let error = "20".parse::<Burst>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"20\" has no unit: write 20ms, 20% (of the quota) or 20m (CPU, times the period)"
        );
        assert!(matches!("1.5".parse::<Burst>(), Err(BurstError::NoUnit(_))));
        assert!(matches!("0".parse::<Burst>(), Err(BurstError::NoUnit(_))));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "%",
            "-5%",
            "1.234%",
            ".5%",
            "5.%",
            "1e2%",
            "-20ms",
            "ms",
            "20 ms",
            "99999999999999999999%",
            "-200m",
        ] {
            assert!(text.parse::<Burst>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_burst_reads_back_as_itself(number in any::<u32>(), form in 0..3) {
            let number = u64::from(number);
            let burst = match form {
                0 => Burst::Time(Micros::new(number)),
                1 => Burst::OfQuota(Percent { hundredths: number }),
                _ => Burst::Cpu(MilliCpu::new(number)),
            };
            prop_assert_eq!(burst.to_string().parse(), Ok(burst));
        }

        #[test]
        fn parsing_never_panics(text in "[-0-9.%msuhk]{0,20}|.{0,30}") {
            let _ = text.parse::<Burst>().map_err(|error| error.to_string());
        }
    }
}
