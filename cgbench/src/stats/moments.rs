//! Mean and spread, for quantities that have no tail to speak of: the CPU time of a frame.

use serde::{Deserialize, Serialize};

/// Mean and coefficient of variation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// Sample standard deviation over mean; `None` for fewer than two values or a mean of zero.
    pub cv: Option<f64>,
}

impl Moments {
    /// Of these values; `None` of nothing.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let cv = standard_deviation(values).filter(|_| mean > 0.0).map(|sd| sd / mean);
        Some(Self { mean, cv })
    }
}

/// The sample standard deviation (n − 1); `None` for fewer than two values.
///
/// ```
/// # use cgbench::stats::moments::standard_deviation;
/// assert_eq!(standard_deviation(&[1.0, 3.0]), Some(2.0_f64.sqrt()));
/// ```
#[must_use]
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let found = Moments::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(found.mean, 5.0);
        assert!((found.cv.unwrap() - (32.0_f64 / 7.0).sqrt() / 5.0).abs() < 1e-12);
    }

    #[test]
    fn one_value_does_not_vary() {
        assert_eq!(standard_deviation(&[3.0]), None);
        assert_eq!(standard_deviation(&[-3.0, -3.0, -3.0]), Some(0.0));
        assert_eq!(Moments::of(&[3.0]), Some(Moments { mean: 3.0, cv: None }));
        assert_eq!(Moments::of(&[]), None);
    }
}
