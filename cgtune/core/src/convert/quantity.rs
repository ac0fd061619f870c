//! CPU quantities as Kubernetes writes them (`500m`, `1.5`, `2`, `1e-3`, `100u`) → thousandths of a CPU.
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

use crate::{MilliCpu, text::Escaped};

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

/// Where and why a text is no CPU quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantityError {
    /// What was read.
    pub text: String,
    /// Byte offset of the offending character, counted from 0; the text's length when something is missing at its end.
    pub at: usize,
    /// What is wrong there.
    pub fault: QuantityFault,
}

/// What is wrong with a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityFault {
    /// A digit is missing. Upstream reads digit-less text as zero.
    NoDigits,
    /// A character that has no place there.
    Unexpected(char),
    /// An exponent that does not fit 32 bits. Upstream wraps it.
    Exponent,
    /// Below zero.
    Negative,
    /// 2^63 thousandths or more. Upstream wraps it or makes it zero.
    TooLarge,
}

impl std::error::Error for QuantityError {}

/// Most characters shown on either side of a fault; texts come from manifests and may be of any length.
const SHOWN: usize = 30;

/// The offending character's surroundings, fit for a terminal, and the column in it.
fn surroundings(text: &str, at: usize) -> (String, usize) {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let (before, after) = (Escaped(before.as_bytes()).to_string(), Escaped(after.as_bytes()).to_string());
    let width = before.chars().count();
    let mut shown = String::new();
    if width > SHOWN {
        shown.push('…');
    }
    shown.extend(before.chars().skip(width.saturating_sub(SHOWN)));
    let column = shown.chars().count();
    shown.extend(after.chars().take(SHOWN));
    if after.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    (shown, column)
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, _) = surroundings(&self.text, self.at);
        write!(f, "\"{shown}\" is not a CPU amount: ")?;
        match self.fault {
            QuantityFault::NoDigits => write!(f, "a digit is missing at byte {}", self.at),
            QuantityFault::Unexpected(c) => {
                write!(
                    f,
                    "'{}' at byte {} does not belong there",
                    Escaped(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    self.at
                )
            }
            QuantityFault::Exponent => write!(f, "the exponent at byte {} does not fit 32 bits", self.at),
            QuantityFault::Negative => write!(f, "it is below zero"),
            QuantityFault::TooLarge => {
                write!(f, "it is above 9223372036854775807m, the largest that Kubernetes can hold")
            }
        }
    }
}

impl QuantityError {
    /// The text with a caret under the offending character, on two lines without a newline at the end.
    ///
    /// ```
    /// let error = "1K".parse::<cgtune_core::convert::CpuQuantity>().unwrap_err();
    /// assert_eq!(error.caret(), "1K\n ^");
    /// ```
    #[must_use]
    pub fn caret(&self) -> String {
        let (shown, column) = surroundings(&self.text, self.at);
        format!("{shown}\n{:column$}^", "")
    }

    /// What was likely meant, or the forms there are.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let duration = ["s", "us", "µs", "ms", "h"].contains(&rest) || self.text.ends_with("ms");
        match self.fault {
            QuantityFault::Unexpected('K') => "a thousand is a small k",
            QuantityFault::Unexpected(c) if c.is_whitespace() => "write it without blanks, as in 500m",
            QuantityFault::Unexpected(',') => "the decimal point is a dot: 1.5",
            QuantityFault::Unexpected('%') => "50% of a CPU is 500m",
            QuantityFault::Unexpected(_) if duration => "this looks like a duration; 500m is half a CPU",
            QuantityFault::Negative => "leave it out for none",
            _ => "write a CPU amount as 500m, 1.5 or 2",
        }
    }
}

/// What a suffix multiplies by.
struct Suffix {
    /// Power of ten.
    ten: i64,
    /// Power of 1024.
    kibi: u32,
}

/// The named suffixes, longest first, so that `Mi` is not read as `M` and an `i`.
const NAMED: [(&str, Suffix); 15] = [
    ("Ki", Suffix { ten: 0, kibi: 1 }),
    ("Mi", Suffix { ten: 0, kibi: 2 }),
    ("Gi", Suffix { ten: 0, kibi: 3 }),
    ("Ti", Suffix { ten: 0, kibi: 4 }),
    ("Pi", Suffix { ten: 0, kibi: 5 }),
    ("Ei", Suffix { ten: 0, kibi: 6 }),
    ("n", Suffix { ten: -9, kibi: 0 }),
    ("u", Suffix { ten: -6, kibi: 0 }),
    ("m", Suffix { ten: -3, kibi: 0 }),
    ("k", Suffix { ten: 3, kibi: 0 }),
    ("M", Suffix { ten: 6, kibi: 0 }),
    ("G", Suffix { ten: 9, kibi: 0 }),
    ("T", Suffix { ten: 12, kibi: 0 }),
    ("P", Suffix { ten: 15, kibi: 0 }),
    ("E", Suffix { ten: 18, kibi: 0 }),
];

/// How many digits the text starts with.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Reads everything behind the number; a fault comes with its offset in `suffix`.
fn read_suffix(suffix: &str) -> Result<Suffix, (usize, QuantityFault)> {
    let unexpected = |at: usize| {
        suffix.get(at..).and_then(|rest| rest.chars().next()).map(|c| (at, QuantityFault::Unexpected(c)))
    };
    if suffix.is_empty() {
        return Ok(Suffix { ten: 0, kibi: 0 });
    }
    // "E" alone is exa, "E3" an exponent; "e" alone is nothing.
    if let Some(exponent) = suffix.strip_prefix(['e', 'E']) {
        let sign = exponent.bytes().take_while(|b| matches!(b, b'+' | b'-')).count().min(1);
        let length = digits(&exponent[sign..]);
        if length > 0 {
            if let Some(fault) = unexpected(1 + sign + length) {
                return Err(fault);
            }
            let ten: i32 = exponent.parse().map_err(|_| (1, QuantityFault::Exponent))?;
            return Ok(Suffix { ten: i64::from(ten), kibi: 0 });
        }
        if sign > 0 {
            return Err(unexpected(1 + sign).unwrap_or((1 + sign, QuantityFault::NoDigits)));
        }
    }
    match NAMED.into_iter().find(|(name, _)| suffix.starts_with(name)) {
        Some((name, known)) => unexpected(name.len()).map_or(Ok(known), Err),
        None => Err(unexpected(0).unwrap_or((0, QuantityFault::NoDigits))),
    }
}

/// A decimal number as its digits, most significant first, and where the point stands among them.
struct Decimal {
    /// Values 0..=9, no leading zeros.
    digits: Vec<u8>,
    /// How many of the digits stand before the point; negative for further zeros behind it.
    point: i64,
}

impl Decimal {
    fn new(whole: &str, fraction: &str) -> Self {
        let all = || whole.bytes().chain(fraction.bytes());
        let zeros = all().take_while(|&b| b == b'0').count();
        let digits: Vec<u8> = all().skip(zeros).map(|b| b - b'0').collect();
        Self { point: length(whole.len()) - length(zeros), digits }
    }

    /// Digit by digit, so that a number of any length stays exact and costs no more than its length.
    fn times_1024(&mut self) {
        let mut carry = 0_u32;
        for digit in self.digits.iter_mut().rev() {
            let product = u32::from(*digit) * 1024 + carry;
            *digit = (product % 10) as u8;
            carry = product / 10;
        }
        let mut front = Vec::new();
        while carry > 0 {
            front.push((carry % 10) as u8);
            carry /= 10;
        }
        self.point += length(front.len());
        self.digits.splice(0..0, front.into_iter().rev());
    }

    /// The value times `10^ten`, rounded up; `None` from 10^38 on.
    fn ceil_times_ten_to(&self, ten: i64) -> Option<u128> {
        let point = self.point.saturating_add(ten);
        if self.digits.is_empty() {
            return Some(0);
        }
        let whole = usize::try_from(point.max(0)).ok().filter(|&digits| digits <= 38)?;
        let value = (0..whole)
            .fold(0_u128, |value, i| value * 10 + u128::from(self.digits.get(i).copied().unwrap_or(0)));
        let remains = self.digits.get(whole..).unwrap_or_default().iter().any(|&digit| digit != 0);
        Some(value + u128::from(remains))
    }
}

/// A length as a signed number; no text is longer than that.
fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

impl FromStr for CpuQuantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let fault = |at, fault| QuantityError { text: text.to_owned(), at, fault };
        let number = usize::from(text.starts_with(['+', '-']));
        let point = number + digits(&text[number..]);
        let (whole, mut end) = (&text[number..point], point);
        let mut fraction = "";
        if text[point..].starts_with('.') {
            end = point + 1 + digits(&text[point + 1..]);
            fraction = &text[point + 1..end];
        }
        if whole.is_empty() && fraction.is_empty() {
            // Letters may follow in place of the digits: "aoeu" is about the 'a', "m" about what is missing before it.
            return match text[end..].chars().next() {
                Some(c) if read_suffix(&text[end..]).is_err() => {
                    Err(fault(end, QuantityFault::Unexpected(c)))
                }
                _ => Err(fault(end, QuantityFault::NoDigits)),
            };
        }
        let suffix = read_suffix(&text[end..]).map_err(|(at, what)| fault(end + at, what))?;
        let mut decimal = Decimal::new(whole, fraction);
        if text.starts_with('-') && !decimal.digits.is_empty() {
            return Err(fault(0, QuantityFault::Negative));
        }
        (0..suffix.kibi).for_each(|_| decimal.times_1024());

        // Up to billionths, then up to thousandths: the same as up to thousandths at once.
        let too_large = || fault(number, QuantityFault::TooLarge);
        let nano = decimal.ceil_times_ten_to(suffix.ten.saturating_add(9)).ok_or_else(too_large)?;
        let milli = nano.div_ceil(u128::from(NANO_PER_MILLI));
        let added = milli * u128::from(NANO_PER_MILLI) - nano;
        let milli = i64::try_from(milli).map_err(|_| too_large())?.unsigned_abs();
        Ok(Self { milli: MilliCpu::new(milli), added_nano: u32::try_from(added).unwrap_or(0) })
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
