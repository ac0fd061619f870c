//! Scales: from values to places, with ticks at round numbers.

/// A straight scale of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Linear {
    /// Maps `from`..`to` onto `start`..`end`. An empty range of values is widened.
    pub fn new((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self { from, to, start, end }
    }

    /// Where a value is, held within the scale.
    pub fn at(&self, value: f64) -> f64 {
        let part = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        self.start + (self.end - self.start) * if part.is_nan() { 0.0 } else { part }
    }

    /// Round values at a distance of 1, 2 or 5 times a power of ten, at most `most` + 1 of them.
    pub fn ticks(&self, most: u32) -> Vec<f64> {
        let step = round_step((self.to - self.from) / f64::from(most.max(1)));
        let first = (self.from / step).ceil();
        (0..=most)
            .map(|i| (first + f64::from(i)) * step)
            .filter(|tick| *tick <= self.to * (1.0 + 1e-9))
            .collect()
    }
}

/// The end of an axis from zero that holds `value`: a multiple of a tick's distance.
pub fn round_up(value: f64, most: u32) -> f64 {
    let step = round_step(value.max(1e-3) / f64::from(most.max(1)));
    (value / step).ceil().max(1.0) * step
}

fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.max(1e-12).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A tick's value as short as it can be.
pub fn tick_text(value: f64) -> String {
    let size = value.abs();
    if size >= 1e5 || (size > 0.0 && size < 5e-4) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.into() }
}

/// A logarithmic scale of values above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Log {
    straight: Linear,
    from: f64,
    to: f64,
}

impl Log {
    /// Maps `from`..`to` onto `start`..`end`. What is not above zero is held at the smallest normal number.
    #[must_use]
    pub fn new((from, to): (f64, f64), places: (f64, f64)) -> Self {
        let from = from.max(f64::MIN_POSITIVE);
        let to = to.max(from);
        Self { straight: Linear::new((from.log10(), to.log10()), places), from, to }
    }

    /// Where a value is, held within the scale.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        self.straight.at(value.max(f64::MIN_POSITIVE).log10())
    }

    /// 1, 2 and 5 times powers of ten, or only 1 and 3, or only powers, or only some of them: as fine as is possible with
    /// at most `most` of them, or a few more where even the coarsest are that many.
    #[must_use]
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        let (low, high) = (self.from.log10().floor() as i32, self.to.log10().ceil() as i32);
        let within = |tick: &f64| (self.from * (1.0 - 1e-9)..=self.to * (1.0 + 1e-9)).contains(tick);
        for factors in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let powers = (low..=high).map(|power| 10_f64.powi(power));
            let ticks: Vec<f64> =
                powers.flat_map(|power| factors.iter().map(move |f| f * power)).filter(within).collect();
            if ticks.len() <= most {
                return ticks;
            }
        }
        let step = ((high - low) as usize).div_ceil(most.max(1)).max(1);
        (low..=high).step_by(step).map(|power| 10_f64.powi(power)).filter(within).collect()
    }
}

/// The scale of the tail: equal steps from one in ten to one in a hundred to one in a thousand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    straight: Linear,
    last: f64,
}

impl Tail {
    /// The share beyond which a curve begins: half of all.
    pub const FIRST: f64 = 0.5;

    /// From the median to the fraction `last`.
    pub fn new(last: f64, places: (f64, f64)) -> Self {
        let last = last.clamp(0.9, 0.999_99);
        Self { straight: Linear::new((decades(Self::FIRST), decades(last)), places), last }
    }

    /// Where a fraction is, held within the scale.
    #[must_use]
    pub fn at(&self, fraction: f64) -> f64 {
        self.straight.at(decades(fraction))
    }

    /// Percentiles that people know.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        [(0.5, "50 %"), (0.9, "90 %"), (0.95, "95 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")]
            .into_iter()
            .filter(|(fraction, _)| *fraction <= self.last + 1e-9)
            .map(|(fraction, text)| (fraction, text.to_owned()))
            .collect()
    }

    /// Fractions for a smooth curve from the median to `last`, ascending and closing with it.
    pub fn steps(last: f64) -> Vec<f64> {
        const A_DECADE: f64 = 40.0;
        let (from, to) = (decades(Self::FIRST), decades(last.max(Self::FIRST)));
        let steps = ((to - from) * A_DECADE).ceil().max(1.0) as u32;
        (0..=steps)
            .map(|i| from + (to - from) * f64::from(i) / f64::from(steps))
            .map(|decades| 1.0 - 10_f64.powf(-decades))
            .collect()
    }
}

/// 1/(1 − p) as a power of ten: 1 for 90 %, 2 for 99 %.
fn decades(fraction: f64) -> f64 {
    -(1.0 - fraction).max(1e-9).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(Linear::new((0.0, 70.0), (0.0, 1.0)).ticks(5), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(round_up(61.0, 5), 80.0);
        assert_eq!(round_up(0.31, 4), 0.4);
        assert_eq!([0.0, 0.5, 20.0, 0.1].map(tick_text), ["0", "0.5", "20", "0.1"]);
    }

    #[test]
    fn logarithmic_ticks_are_as_fine_as_there_is_room_for() {
        let ticks = |from, to| Log::new((from, to), (0.0, 1.0)).ticks(7);
        assert_eq!(ticks(10.0, 200.0), [10.0, 20.0, 50.0, 100.0, 200.0]);
        assert_eq!(ticks(10.0, 5000.0), [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]);
        assert_eq!(ticks(1.0, 1e5), [1.0, 10.0, 100.0, 1e3, 1e4, 1e5]);
        assert!(ticks(1e-300, 1e300).len() <= 8);
        assert!(Log::new((f64::NAN, 0.0), (0.0, 1.0)).at(f64::NAN).is_finite());
    }

    #[test]
    fn the_tail_has_equal_decades() {
        let tail = Tail::new(0.999, (0.0, 1.0));
        let [nine, ninety_nine, last] = [0.9, 0.99, 0.999].map(|fraction| tail.at(fraction));
        assert!(((ninety_nine - nine) - (last - ninety_nine)).abs() < 1e-9);
        assert_eq!(last, 1.0);
    }

    #[test]
    fn an_empty_range_and_no_number_stay_within() {
        let scale = Linear::new((3.0, 3.0), (10.0, 20.0));
        assert_eq!((scale.at(3.0), scale.at(99.0), scale.at(f64::NAN)), (10.0, 20.0, 10.0));
    }
}
