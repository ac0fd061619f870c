//! Quantities as numbers: apimachinery's grammar, exact up to billionths.

use super::{QuantityError, QuantityFault, Resource};

/// Reads a quantity of any resource → billionths, rounded up: apimachinery keeps nothing finer.
pub(super) fn nano(text: &str, resource: Resource) -> Result<u128, QuantityError> {
    let fault = |at, fault| QuantityError { resource, text: text.to_owned(), at, fault };
    let number = number_at(text);
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
            Some(c) if read_suffix(&text[end..]).is_err() => Err(fault(end, QuantityFault::Unexpected(c))),
            _ => Err(fault(end, QuantityFault::NoDigits)),
        };
    }
    let suffix = read_suffix(&text[end..]).map_err(|(at, what)| fault(end + at, what))?;
    let mut decimal = Decimal::new(whole, fraction);
    if text.starts_with('-') && !decimal.digits.is_empty() {
        return Err(fault(0, QuantityFault::Negative));
    }
    (0..suffix.kibi).for_each(|_| decimal.times_1024());
    decimal
        .ceil_times_ten_to(suffix.ten.saturating_add(9))
        .ok_or_else(|| fault(number, QuantityFault::TooLarge))
}

/// Where the number begins, behind its sign.
pub(super) fn number_at(text: &str) -> usize {
    usize::from(text.starts_with(['+', '-']))
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
