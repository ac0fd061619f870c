//! `python3 cgbench/tests/reference/with_scipy.py > cgbench/tests/reference/scipy.json` makes the reference again
//! (SciPy 1.17.1).
//!
//! The statistics against SciPy: tests, intervals, quantiles, the family test, power and the change point.
//!
//! Tolerances, relative or of 1, whichever is larger: 10⁻⁹ for what both count or compute outright, since sums are
//! taken in other orders and SciPy's own tail functions promise no more; 10⁻⁶ where both integrate and look for a
//! root.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgbench::stats::{
    Method,
    changepoint::change_point,
    drift::drift,
    effect::effect,
    family::{Alternative, Row, max_t},
    paired::signed_rank,
    power::{Demand, Spread, detectable_shift},
    rank::mann_whitney,
    shift::hodges_lehmann,
};
use serde::{Deserialize, de::DeserializeOwned};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// What both compute outright.
const COMPUTED: f64 = 1e-9;

/// What both find by integrating and looking for a root.
const SOUGHT: f64 = 1e-6;

/// The cases of one kind: never none.
fn cases<T: DeserializeOwned>(kind: &str) -> Vec<T> {
    let mut all: serde_json::Value = serde_json::from_str(include_str!("reference/scipy.json")).unwrap();
    let cases: Vec<T> = serde_json::from_value(all.pointer_mut(kind).unwrap().take()).unwrap();
    assert!(!cases.is_empty());
    cases
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, what: &dyn std::fmt::Debug) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(1.0),
        "{found} is not {expected}: {what:?}"
    );
}

fn method(exact: bool) -> Method {
    if exact { Method::Exact } else { Method::Normal }
}

#[derive(Debug, Deserialize)]
struct MannWhitneyCase {
    a: Vec<f64>,
    b: Vec<f64>,
    exact: bool,
    u: f64,
    p_two_sided: f64,
    p_b_greater: f64,
}

#[test]
fn mann_whitney_is_that_of_scipy_exact_tied_and_approximate() {
    for case in cases::<MannWhitneyCase>("/mann_whitney") {
        let found = mann_whitney(&case.a, &case.b).unwrap();
        assert_eq!((found.u, found.method), (case.u, method(case.exact)), "{case:?}");
        close(found.p_two_sided, case.p_two_sided, COMPUTED, &case);
        close(found.p_b_greater, case.p_b_greater, COMPUTED, &case);
    }
}

#[derive(Debug, Deserialize)]
struct ShiftCase {
    a: Vec<f64>,
    b: Vec<f64>,
    confidence: f64,
    shift: f64,
    interval: Option<(f64, f64)>,
}

#[test]
fn the_interval_of_a_shift_holds_what_scipys_test_does_not_reject() {
    for case in cases::<ShiftCase>("/shift") {
        let found = hodges_lehmann(&case.a, &case.b, case.confidence).unwrap();
        close(found.shift, case.shift, COMPUTED, &case);
        assert_eq!(found.interval.is_some(), case.interval.is_some(), "{case:?}");
        if let (Some(found), Some(expected)) = (found.interval, case.interval) {
            close(found.0, expected.0, COMPUTED, &case);
            close(found.1, expected.1, COMPUTED, &case);
        }
    }
}

#[derive(Debug, Deserialize)]
struct EffectCase {
    a: Vec<f64>,
    b: Vec<f64>,
    delta: f64,
}

#[test]
fn cliffs_delta_is_the_mean_sign_of_all_differences() {
    for case in cases::<EffectCase>("/effect") {
        close(effect(&case.a, &case.b).unwrap().delta, case.delta, COMPUTED, &case);
    }
}

#[derive(Debug, Deserialize)]
struct SignedRankCase {
    differences: Vec<f64>,
    exact: bool,
    w_plus: f64,
    p_two_sided: f64,
    p_positive: f64,
}

#[test]
fn signed_ranks_are_those_of_scipy_with_pratts_zeros() {
    for case in cases::<SignedRankCase>("/signed_rank") {
        let found = signed_rank(&case.differences).unwrap();
        assert_eq!((found.w_plus, found.method), (case.w_plus, method(case.exact)), "{case:?}");
        close(found.p_two_sided, case.p_two_sided, COMPUTED, &case);
        close(found.p_positive, case.p_positive, COMPUTED, &case);
    }
}

#[derive(Debug, Deserialize)]
struct DriftCase {
    series: Vec<(f64, f64)>,
    exact: bool,
    s: i64,
    p_two_sided: f64,
    p_rising: f64,
    slope: f64,
}

#[test]
fn drift_is_that_of_scipys_tau_and_slopes() {
    for case in cases::<DriftCase>("/drift") {
        let found = drift(&case.series).unwrap();
        assert_eq!((found.s, found.method), (case.s, method(case.exact)), "{case:?}");
        close(found.p_two_sided, case.p_two_sided, COMPUTED, &case);
        close(found.p_rising, case.p_rising, COMPUTED, &case);
        close(found.slope, case.slope, COMPUTED, &case);
    }
}

#[derive(Debug, Deserialize)]
struct ColumnCase {
    base: Vec<f64>,
    new: Vec<f64>,
    t: f64,
    p_greater: f64,
    p_two_sided: f64,
}

#[test]
fn a_family_of_one_is_scipys_permutation_test() {
    let rows = |values: &[f64]| values.iter().map(|&value| vec![Some(value)]).collect::<Vec<Row>>();
    for case in cases::<ColumnCase>("/one_column") {
        for (alternative, p) in
            [(Alternative::Greater, case.p_greater), (Alternative::TwoSided, case.p_two_sided)]
        {
            let found = max_t(&rows(&case.base), &rows(&case.new), &[0.0], alternative, 0).unwrap();
            assert_eq!(found.method, Method::Exact);
            let column = found.columns[0].unwrap();
            close(column.t.unwrap(), case.t, COMPUTED, &case);
            close(column.p, p, COMPUTED, &case);
            assert_eq!(column.p, column.p_adjusted);
        }
    }
}

#[derive(Debug, Deserialize)]
struct FamilyCase {
    base: Vec<Row>,
    new: Vec<Row>,
    margins: Vec<f64>,
    alternative: Alternative,
    t: Vec<f64>,
    p: Vec<f64>,
    p_adjusted: Vec<f64>,
}

#[test]
fn adjusted_p_values_are_those_of_going_through_all_labels_with_scipys_t() {
    for case in cases::<FamilyCase>("/family") {
        let found = max_t(&case.base, &case.new, &case.margins, case.alternative, 0).unwrap();
        assert_eq!(found.columns.len(), case.t.len());
        for (i, column) in found.columns.iter().enumerate() {
            let column = column.unwrap();
            close(column.t.unwrap(), case.t[i], COMPUTED, &case);
            close(column.p, case.p[i], COMPUTED, &case);
            close(column.p_adjusted, case.p_adjusted[i], COMPUTED, &case);
        }
    }
}

#[derive(Debug, Deserialize)]
struct NormalCase {
    p: f64,
    x: f64,
}

#[derive(Debug, Deserialize)]
struct StudentCase {
    freedom: f64,
    p: f64,
    x: f64,
}

/// Of the crate that the statistics take them from: a second opinion on it, in the range that is used.
#[test]
fn quantiles_of_the_normal_and_of_students_distribution_are_those_of_scipy() {
    for case in cases::<NormalCase>("/quantiles/normal") {
        close(Normal::standard().inverse_cdf(case.p), case.x, COMPUTED, &case);
    }
    for case in cases::<StudentCase>("/quantiles/student") {
        let student = StudentsT::new(0.0, 1.0, case.freedom).unwrap();
        close(student.inverse_cdf(case.p), case.x, COMPUTED, &case);
    }
}

#[derive(Debug, Deserialize)]
struct PowerCase {
    base: Spread,
    new: Spread,
    demand: Demand,
    shift: f64,
}

#[test]
fn the_detectable_shift_is_that_of_scipys_noncentral_t() {
    for case in cases::<PowerCase>("/power") {
        let found = detectable_shift(case.base, case.new, case.demand).unwrap();
        close(found / case.shift, 1.0, SOUGHT, &case);
    }
}

#[derive(Debug, Deserialize)]
struct ChangePointCase {
    values: Vec<f64>,
    at: usize,
    k: u64,
    p: f64,
}

#[test]
fn pettitts_p_is_that_of_all_orders() {
    for case in cases::<ChangePointCase>("/change_point") {
        let found = change_point(&case.values, 0).unwrap();
        assert_eq!((found.at, found.k, found.method), (case.at, case.k, Method::Exact), "{case:?}");
        close(found.p, case.p, COMPUTED, &case);
    }
}
