//! CPU quantities against upstream's own table: what apimachinery gives, or, where this crate is stricter on
//! purpose, the fault it names. No row is passed over in silence: the counts are asserted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use cgtune_core::convert::{CpuQuantity, QuantityFault};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/quantity_cpu.json")).unwrap()
}

fn rows<'a>(vectors: &'a Value, table: &str) -> &'a [Value] {
    vectors[table].as_array().unwrap()
}

fn read(text: &str) -> Result<u64, QuantityFault> {
    text.parse::<CpuQuantity>().map(|quantity| quantity.milli().get()).map_err(|error| error.fault)
}

/// What a valid upstream row should give here.
///
/// Left out of "as upstream", each with its reason: values whose thousandths don't fit 63 bits (upstream answers
/// with a wrapped number or zero), an exponent that upstream wraps to 32 bits, text without digits (zero there),
/// amounts below zero (no request or limit may be).
fn expected(row: &Value) -> Result<u64, QuantityFault> {
    let input = row["input"].as_str().unwrap();
    if input == "1e99999999999" {
        return Err(QuantityFault::Exponent);
    }
    if row.get("quirk").is_some() {
        return Err(QuantityFault::NoDigits);
    }
    if row["milli_fits_int64"] == false {
        return Err(QuantityFault::TooLarge);
    }
    u64::try_from(row["milli_value"].as_i64().unwrap()).map_err(|_| QuantityFault::Negative)
}

#[test]
fn valid_upstream_quantities_have_upstreams_thousandths() {
    let vectors = vectors();
    let (mut same, mut stricter) = (0, 0);
    for row in rows(&vectors, "upstream_valid").iter().chain(rows(&vectors, "cpu_examples")) {
        if row.get("ok") == Some(&Value::Bool(false)) {
            continue;
        }
        let expected = expected(row);
        assert_eq!(read(row["input"].as_str().unwrap()), expected, "{row}");
        *if expected.is_ok() { &mut same } else { &mut stricter } += 1;
    }
    assert_eq!((same, stricter), (90, 23));
}

#[test]
fn what_upstream_refuses_is_refused() {
    let vectors = vectors();
    let invalid = rows(&vectors, "upstream_invalid").iter();
    let examples =
        rows(&vectors, "cpu_examples").iter().filter(|row| row["ok"] == false).map(|row| &row["input"]);
    let refused: Vec<_> = invalid.chain(examples).collect();
    for text in &refused {
        assert!(read(text.as_str().unwrap()).is_err(), "{text}");
    }
    assert_eq!(refused.len(), 21);
}

#[test]
fn canonical_and_alternative_spellings_are_the_same_amount() {
    let vectors = vectors();
    for row in rows(&vectors, "upstream_string") {
        let (numerator, denominator) =
            row["value"].as_str().map(|v| v.split_once('/').unwrap_or((v, "1"))).unwrap();
        let (numerator, denominator): (u128, u128) =
            (numerator.parse().unwrap(), denominator.parse().unwrap());
        let expected = (numerator * 1000).div_ceil(denominator);
        for text in [&row["canonical"], &row["alternate_input"]].into_iter().filter_map(Value::as_str) {
            assert_eq!(u128::from(read(text).unwrap()), expected, "{row}");
        }
    }
}

/// Left out: the rows of `upstream_round_up` at scales other than −3 (this crate rounds to thousandths only), and
/// the parts that `upstream_parse_string` splits a text into (an inner function there; here only the outcome is
/// compared).
#[test]
fn rounding_to_thousandths_and_the_parser_agree_with_upstream() {
    let vectors = vectors();
    let to_milli = rows(&vectors, "upstream_round_up").iter().filter(|row| row["scale"] == -3);
    for row in to_milli {
        let expected = if row["input"] == "9.01" { Ok(9010) } else { Err(QuantityFault::Negative) };
        assert_eq!(read(row["input"].as_str().unwrap()), expected, "{row}");
    }
    for row in rows(&vectors, "upstream_parse_string") {
        let input = row["input"].as_str().unwrap();
        let digits = !row["num"].as_str().unwrap().trim_matches('0').is_empty() || row["denom"] != "";
        let fault = read(input).err();
        let expected = match (row["positive"].as_bool().unwrap(), digits) {
            (_, false) => Some(QuantityFault::NoDigits),
            (false, true) => Some(QuantityFault::Negative),
            (true, true) => None,
        };
        assert_eq!(fault, expected, "{row}");
    }
}
