//! Numbers as they were typed.
//!
//! What is kept is the text: a CPU amount such as `0.5` or `1e3` is read from it by whoever knows what an amount is.
//! What a number is follows both YAML 1.2's core schema and the YAML 1.1 dialect of Kubernetes (sigs.k8s.io/yaml, a
//! fork of go-yaml v2, resolve.go). Where the two disagree, or where the text says another number to a person than
//! to Kubernetes, the number is *ambiguous*, which [`Number::plain`] refuses.

use std::{fmt, sync::Arc};

/// A number, not yet computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Arc<str>);

impl Number {
    /// A number of JSON, which serde_json has checked.
    pub(crate) fn from_json(text: &str) -> Self {
        Self(text.into())
    }

    /// A plain YAML scalar, if one of the dialects takes it for a number.
    pub(crate) fn from_yaml(text: &str) -> Option<Self> {
        // Few scalars start like a number; the rest need no closer look.
        if !matches!(text.as_bytes().first(), Some(b'0'..=b'9' | b'+' | b'-' | b'.')) {
            return None;
        }
        let read = if text.contains('_') { is_number(&text.replace('_', "")) } else { is_number(text) };
        read.then(|| Self(text.into()))
    }

    /// The text as it was typed.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.0
    }

    /// The text, if it is a plain decimal number that means the same to everyone.
    ///
    /// `None` for `010` (eight to Kubernetes, ten to YAML 1.2), `0x10`, `0o17`, `0b1`, `1_000`, `.inf` and `.nan`.
    #[must_use]
    pub fn plain(&self) -> Option<&str> {
        let unsigned = self.0.strip_prefix(['+', '-']).unwrap_or(&self.0);
        let octal =
            unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.as_bytes()[1].is_ascii_digit();
        (is_decimal(unsigned) && !octal).then_some(&*self.0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text without underscores is a number to YAML 1.2 or to go-yaml v2.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let based = |prefixes: [&str; 2], digit: fn(&u8) -> bool| {
        prefixes.into_iter().any(|prefix| {
            unsigned
                .strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.as_bytes().iter().all(digit))
        })
    };
    is_decimal(unsigned)
        || based(["0x", "0X"], u8::is_ascii_hexdigit)
        || based(["0o", "0O"], |digit| matches!(digit, b'0'..=b'7'))
        || based(["0b", "0B"], |digit| matches!(digit, b'0' | b'1'))
}

/// `1`, `1.5`, `1.`, `.5`, each also with an exponent; the sign is already off.
fn is_decimal(unsigned: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    let mut fraction = 0;
    if let Some(behind) = rest.strip_prefix('.') {
        fraction = digits(behind);
        rest = &behind[fraction..];
    }
    if whole + fraction == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_numbers_are_plain() {
        for text in
            ["0", "5", "-1", "+5", "0.5", ".5", "5.", "1e3", "1E-3", "0.0e+0", "99999999999999999999999"]
        {
            assert_eq!(Number::from_yaml(text).unwrap().plain(), Some(text), "{text}");
        }
    }

    #[test]
    fn numbers_that_mean_something_else_to_kubernetes_are_not_plain() {
        for text in [
            "010", "-010", "08", "00", "01.5", "0x10", "0X1f", "0o17", "0b11", "-0b1", "1_000", "1_", "0x_f",
            "1_0.5", ".inf", "-.Inf", "+.INF", ".nan", ".NaN",
        ] {
            let number = Number::from_yaml(text).unwrap_or_else(|| panic!("{text} is not a number"));
            assert_eq!((number.written(), number.plain()), (text, None));
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "",
            "-",
            "+",
            ".",
            "..",
            "-.",
            "e3",
            ".e3",
            "1e",
            "1e+",
            "500m",
            "1.2.3",
            "0x",
            "0o8",
            "0b2",
            "0xg",
            "_1",
            "--1",
            "+-1",
            "1 2",
            "12:30",
            "inf",
            "nan",
            "-.nan",
            "1_0a",
            "2001-01-01",
            "10.0.0.1",
            "１",
        ] {
            assert_eq!(Number::from_yaml(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_of_rust_is_a_plain_number(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            for text in [value.to_string(), format!("{value:e}")] {
                let number = Number::from_yaml(&text);
                prop_assert_eq!(number.as_ref().and_then(Number::plain), Some(&*text));
            }
        }

        #[test]
        fn resolving_never_panics(text in "[-+.0-9_xobeEfinaN]{0,12}|.{0,20}") {
            if let Some(number) = Number::from_yaml(&text) {
                let _ = number.plain();
                prop_assert_eq!(number.written(), text);
            }
        }
    }
}
