//! The horizontal scale: where each value is, and which of them are named.

use super::{Horizontal, LARGEST};
use crate::{
    axis::{Linear, Log, tick_text},
    canvas::{fitted, legible},
    font::{self, Weight},
    theme,
};

/// Values that are all named, where there are no more of them.
const FEW: usize = 16;
/// Between the plot's edge and what is in it.
const INSET: f64 = 28.0;
/// Between two texts.
const GAP: f64 = 12.0;

enum Scale {
    /// One value only, in the middle.
    One,
    Linear(Linear),
    Log(Log),
    Named(Vec<String>),
}

/// The scale, laid out.
pub(super) struct Across {
    scale: Scale,
    ends: (f64, f64),
    /// The values, in order, each once.
    values: Vec<f64>,
}

impl Across {
    pub(super) fn new(
        horizontal: &Horizontal,
        xs: impl Iterator<Item = f64>,
        (left, right): (f64, f64),
    ) -> Self {
        let mut values: Vec<f64> = xs.filter(|x| x.abs() <= LARGEST).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let ends = (left + INSET, right - INSET);
        let (low, high) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(1.0));
        let scale = match horizontal {
            Horizontal::Named(names) => Scale::Named(names.clone()),
            _ if low >= high => Scale::One,
            Horizontal::Logarithmic if low > 0.0 => Scale::Log(Log::new((low, high), ends)),
            Horizontal::Logarithmic | Horizontal::Linear => Scale::Linear(Linear::new((low, high), ends)),
        };
        Self { scale, ends, values }
    }

    /// Whether there is but one place, in which all series meet.
    pub(super) fn is_one(&self) -> bool {
        self.values.len() < 2
    }

    /// Where a value is; `None` for what is no number, or no name.
    pub(super) fn at(&self, x: f64) -> Option<f64> {
        if x.is_nan() || x.abs() > LARGEST {
            return None;
        }
        match &self.scale {
            Scale::One => Some((self.ends.0 + self.ends.1) / 2.0),
            Scale::Linear(linear) => Some(linear.at(x)),
            Scale::Log(log) => Some(log.at(x)),
            Scale::Named(names) => {
                let count = names.len() as f64;
                let place = (x + 0.5) / count;
                (x >= 0.0 && x < count).then_some(self.ends.0 + (self.ends.1 - self.ends.0) * place)
            }
        }
    }

    /// Places with what is written below them, from left to right, none over another.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        if let Scale::Named(names) = &self.scale {
            let room = (self.ends.1 - self.ends.0) / names.len().max(1) as f64 - GAP;
            let name = |(place, name): (usize, &String)| {
                let text = fitted(&legible(name), room, theme::BODY, Weight::Regular);
                Some((self.at(place as f64)?, text))
            };
            return names.iter().enumerate().filter_map(name).collect();
        }
        let written = |values: &[f64]| -> Vec<(f64, String)> {
            values.iter().filter_map(|&value| Some((self.at(value)?, tick_text(value)))).collect()
        };
        let own = written(&self.values);
        let distinct = own.windows(2).all(|pair| pair[0].1 != pair[1].1);
        if self.values.len() <= FEW && distinct && apart(own.clone()).len() == own.len() {
            return own;
        }
        apart(match &self.scale {
            Scale::Linear(linear) => written(&linear.ticks(10)),
            Scale::Log(log) => written(&log.ticks(10)),
            Scale::One | Scale::Named(_) => own,
        })
    }
}

/// Without those that would stand over the one before.
fn apart(ticks: Vec<(f64, String)>) -> Vec<(f64, String)> {
    let mut free = f64::NEG_INFINITY;
    let fits = |(at, text): &(f64, String)| {
        let half = font::width(text, theme::BODY, Weight::Regular) / 2.0;
        let fits = at - half >= free;
        if fits {
            free = at + half + GAP;
        }
        fits
    };
    ticks.into_iter().filter(fits).collect()
}
