//! Where and why a text is no quantity: values, whose `Display` is the sentence.

use std::fmt;

use crate::text::Escaped;

/// Where and why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantityError {
    /// What it should have been an amount of.
    pub resource: Resource,
    /// What was read.
    pub text: String,
    /// Byte offset of the offending character, counted from 0; the text's length when something is missing at its end.
    pub at: usize,
    /// What is wrong there.
    pub fault: QuantityFault,
}

/// What an amount is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// CPU, which is counted in thousandths.
    Cpu,
    /// Anything else: memory, huge pages.
    Other,
}

impl Resource {
    const fn amount(self) -> &'static str {
        match self {
            Self::Cpu => "a CPU amount",
            Self::Other => "an amount",
        }
    }

    const fn largest(self) -> &'static str {
        match self {
            Self::Cpu => "9223372036854775807m",
            Self::Other => "9223372036854775807",
        }
    }
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
        write!(f, "\"{shown}\" is not {}: ", self.resource.amount())?;
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
                write!(f, "it is above {}, the largest that Kubernetes can hold", self.resource.largest())
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
            _ if self.resource == Resource::Other => "write an amount as 512Mi, 1.5Gi or 1000000",
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
