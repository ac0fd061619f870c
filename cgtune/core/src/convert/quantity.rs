//! Quantities as Kubernetes writes them (`500m`, `1.5`, `2`, `1e-3`, `100u`) → thousandths.
//!
//! Source: `ParseQuantity`, `parseQuantityString` and `MilliValue` in k8s.io/apimachinery
//! pkg/api/resource/quantity.go and suffix.go, at eed236c. The grammar is theirs: an optional sign, digits with at
//! most one point, then nothing, one of `n u m k M G T P E Ki Mi Gi Ti Pi Ei`, or a decimal exponent (`e3`,
//! `E-3`). A value is rounded up to whole thousandths, as the API server does when it stores a pod.
//!
//! Stricter than theirs on purpose, where they would quietly compute with another number: no digits at all (`m`,
//! `+`, `.` are zero there), values that don't fit 63 bits of thousandths (they wrap or become zero there),
//! exponents beyond 32 bits (they wrap there), and amounts below zero, which no CPU request or limit may be.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::MilliCpu;

mod error;
mod number;

pub use error::{QuantityError, QuantityFault, Resource};

/// Billionths of a CPU in a thousandth.
const NANO_PER_MILLI: u32 = 1_000_000;

/// A CPU amount as it was typed: whole thousandths, and what rounding up to them added.
///
/// ```
/// use cgtune_core::convert::CpuQuantity;
///
/// let odd: CpuQuantity = "0.0105".parse()?;
/// assert_eq!(odd.milli().get(), 11);
/// assert_eq!(odd.asked_nano(), 10_500_000);
/// # Ok::<(), cgtune_core::convert::QuantityError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CpuQuantity {
    milli: MilliCpu,
    /// Below [`NANO_PER_MILLI`], and zero where `milli` is zero.
    added_nano: u32,
}

impl CpuQuantity {
    /// Thousandths of a CPU, rounded up.
    #[must_use]
    pub const fn milli(self) -> MilliCpu {
        self.milli
    }

    /// What was typed, in billionths of a CPU, themselves rounded up: apimachinery keeps nothing finer.
    #[must_use]
    pub fn asked_nano(self) -> u128 {
        u128::from(self.milli.get()) * u128::from(NANO_PER_MILLI) - u128::from(self.added_nano)
    }
}

impl From<MilliCpu> for CpuQuantity {
    fn from(milli: MilliCpu) -> Self {
        Self { milli, added_nano: 0 }
    }
}

impl From<CpuQuantity> for String {
    fn from(quantity: CpuQuantity) -> Self {
        quantity.to_string()
    }
}

impl TryFrom<String> for CpuQuantity {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, QuantityError> {
        text.parse()
    }
}

impl fmt::Display for CpuQuantity {
    /// The shortest of Kubernetes' own forms: `2`, `500m`, `10500u`, `1n`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nano = self.asked_nano();
        let (divisor, suffix) = [(1_000_000_000, ""), (1_000_000, "m"), (1000, "u")]
            .into_iter()
            .find(|(d, _)| nano.is_multiple_of(*d))
            .unwrap_or((1, "n"));
        f.pad(&format!("{}{suffix}", nano / divisor))
    }
}

impl FromStr for CpuQuantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let nano = number::nano(text, Resource::Cpu)?;
        // Up to billionths, then up to thousandths: the same as up to thousandths at once.
        let milli = nano.div_ceil(u128::from(NANO_PER_MILLI));
        let added = milli * u128::from(NANO_PER_MILLI) - nano;
        let milli = i64::try_from(milli).map_err(|_| too_large(text, Resource::Cpu))?.unsigned_abs();
        Ok(Self { milli: MilliCpu::new(milli), added_nano: u32::try_from(added).unwrap_or(0) })
    }
}

/// An amount of another resource, in thousandths of its unit, to which the API server rounds up as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    milli: u128,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { milli: 0 };

    /// The sum, held at the largest value.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self { milli: self.milli.saturating_add(other.milli) }
    }

    /// In whole units, rounded up.
    #[must_use]
    pub const fn units(self) -> u128 {
        self.milli.div_ceil(1000)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let milli = number::nano(text, Resource::Other)?.div_ceil(u128::from(NANO_PER_MILLI));
        let quantity = Self { milli };
        if i64::try_from(quantity.units()).is_err() {
            return Err(too_large(text, Resource::Other));
        }
        Ok(quantity)
    }
}

fn too_large(text: &str, resource: Resource) -> QuantityError {
    QuantityError {
        resource,
        text: text.to_owned(),
        at: number::number_at(text),
        fault: QuantityFault::TooLarge,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(text: &str) -> QuantityError {
        text.parse::<CpuQuantity>().unwrap_err()
    }

    #[test]
    fn an_error_points_at_the_offending_character() {
        for (text, at, fault) in [
            ("", 0, QuantityFault::NoDigits),
            ("m", 0, QuantityFault::NoDigits),
            ("+.", 2, QuantityFault::NoDigits),
            ("e3", 0, QuantityFault::NoDigits),
            ("1e+", 3, QuantityFault::NoDigits),
            ("1e", 1, QuantityFault::Unexpected('e')),
            ("aoeu", 0, QuantityFault::Unexpected('a')),
            ("1.1.M", 3, QuantityFault::Unexpected('.')),
            ("1e3m", 3, QuantityFault::Unexpected('m')),
            ("1e+-3", 3, QuantityFault::Unexpected('-')),
            ("0.1mi", 4, QuantityFault::Unexpected('i')),
            ("1Mib", 3, QuantityFault::Unexpected('b')),
            ("500 m", 3, QuantityFault::Unexpected(' ')),
            ("1µ", 1, QuantityFault::Unexpected('µ')),
            ("1e3000000000", 2, QuantityFault::Exponent),
            ("-1", 0, QuantityFault::Negative),
            ("+1e300", 1, QuantityFault::TooLarge),
        ] {
            let error = error(text);
            assert_eq!((error.at, error.fault), (at, fault), "{text:?}");
        }
    }

    #[test]
    fn a_long_or_hostile_text_is_shown_cut_and_escaped() {
        let error = error(&format!("{}\x1b[2J{}", "1".repeat(500), "2".repeat(500)));
        assert_eq!(error.caret(), format!("…{}\\x1b[2J{}…\n{:31}^", "1".repeat(30), "2".repeat(23), ""));
        assert!(error.to_string().len() < 160, "{error}");
    }

    #[test]
    fn the_hint_is_about_the_mistake() {
        assert!(error("1K").hint().contains("small k"));
        assert!(error("500ms").hint().contains("duration"));
        assert!(error("1,5").hint().contains("1.5"));
        assert!(error("50%").hint().contains("500m"));
    }

    #[test]
    fn a_very_small_exponent_still_is_some_cpu() {
        assert_eq!("1e-2000000000".parse::<CpuQuantity>().unwrap().milli().get(), 1);
        assert_eq!("0e2000000000".parse::<CpuQuantity>().unwrap().milli().get(), 0);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[-+0-9.eEinumkKMGTP]{0,24}|.{0,40}") {
            if let Err(error) = text.parse::<CpuQuantity>() {
                prop_assert!(text.is_char_boundary(error.at), "{:?}", error);
                let _ = (error.to_string(), error.caret(), error.hint());
            }
        }

        #[test]
        fn shown_thousandths_read_back_as_themselves(milli in 0..=i64::MAX.unsigned_abs()) {
            let milli = MilliCpu::new(milli);
            prop_assert_eq!(milli.to_string().parse(), Ok(CpuQuantity::from(milli)));
        }

        #[test]
        fn a_shown_quantity_reads_back_as_itself(milli in 1..=i64::MAX.unsigned_abs(), added_nano in 0..NANO_PER_MILLI) {
            let quantity = CpuQuantity { milli: MilliCpu::new(milli), added_nano };
            prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
        }

        #[test]
        fn a_quantity_is_its_number_times_its_suffix_rounded_up(
            mantissa in 0_u64..1_000_000_000,
            places in 0_usize..9,
            (name, multiplier, divisor) in prop::sample::select(vec![
                ("", 1_000_u128, 1_u128), ("n", 1, 1_000_000), ("u", 1, 1_000), ("m", 1, 1), ("k", 1_000_000, 1),
                ("Ki", 1_024_000, 1), ("Mi", 1_048_576_000, 1), ("e2", 100_000, 1), ("E-2", 10, 1),
            ]),
        ) {
            let digits = format!("{mantissa:010}");
            let (whole, fraction) = digits.split_at(10 - places);
            let text = if places == 0 { format!("{whole}{name}") } else { format!("{whole}.{fraction}{name}") };
            let scale = 10_u128.pow(u32::try_from(places).unwrap()) * divisor;
            let expected = (u128::from(mantissa) * multiplier).div_ceil(scale);
            let read = text.parse::<CpuQuantity>().unwrap();
            prop_assert_eq!(u128::from(read.milli().get()), expected, "{}", text);
        }
    }
}
