//! Who was right how often: the confusion matrix. Arithmetic only.

use std::collections::BTreeMap;

use super::Cause;

/// One situation and what was said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What it was.
    pub(crate) truth: Cause,
    /// What the first finding said; `None`: it did not come about, so nobody is judged by it.
    pub(crate) said: Option<Cause>,
}

/// Counts of what was said, for what it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matrix {
    cells: BTreeMap<(Cause, Cause), usize>,
    not_made: BTreeMap<Cause, usize>,
}

impl FromIterator<Verdict> for Matrix {
    fn from_iter<T: IntoIterator<Item = Verdict>>(verdicts: T) -> Self {
        let mut matrix = Self::default();
        for Verdict { truth, said } in verdicts {
            let count = match said {
                Some(said) => matrix.cells.entry((truth, said)).or_default(),
                None => matrix.not_made.entry(truth).or_default(),
            };
            *count += 1;
        }
        matrix
    }
}

impl Matrix {
    /// How often something was said of a truth.
    pub(crate) fn count(&self, truth: Cause, said: Cause) -> usize {
        self.cells.get(&(truth, said)).copied().unwrap_or(0)
    }

    /// How many situations of a truth did not come about.
    pub(crate) fn not_made(&self, truth: Cause) -> usize {
        self.not_made.get(&truth).copied().unwrap_or(0)
    }

    /// All that did not come about.
    pub(crate) fn all_not_made(&self) -> usize {
        self.not_made.values().sum()
    }

    fn sum(&self, which: impl Fn(Cause, Cause) -> bool) -> usize {
        self.cells.iter().filter(|((truth, said), _)| which(*truth, *said)).map(|(_, count)| count).sum()
    }

    /// All that came about and were judged.
    pub(crate) fn judged(&self) -> usize {
        self.sum(|_, _| true)
    }

    /// Those of one truth.
    pub(crate) fn judged_of(&self, of: Cause) -> usize {
        self.sum(|truth, _| truth == of)
    }

    /// Those of which the truth was said.
    pub(crate) fn right(&self) -> usize {
        self.sum(|truth, said| truth == said)
    }

    /// Their part; `None`: nothing was judged.
    pub(crate) fn right_frac(&self) -> Option<f64> {
        (self.judged() > 0).then(|| self.right() as f64 / self.judged() as f64)
    }

    /// Healthy ones of which something else than healthy or unknown was said.
    pub(crate) fn healthy_called_ill(&self) -> usize {
        self.sum(|truth, said| truth == Cause::Healthy && !matches!(said, Cause::Healthy | Cause::Unknown))
    }

    /// Ill ones that were called healthy.
    pub(crate) fn ill_called_healthy(&self) -> usize {
        self.sum(|truth, said| truth != Cause::Healthy && said == Cause::Healthy)
    }

    /// The causes that were the truth, or were said, in the order of [`Cause::ALL`].
    pub(crate) fn truths(&self) -> Vec<Cause> {
        Cause::ALL.into_iter().filter(|&cause| self.judged_of(cause) + self.not_made(cause) > 0).collect()
    }

    /// The causes that were said.
    pub(crate) fn said(&self) -> Vec<Cause> {
        Cause::ALL.into_iter().filter(|&cause| self.sum(|_, said| said == cause) > 0).collect()
    }

    /// Whether the bar is met: right in 95 of 100, no healthy called ill and no ill called healthy.
    pub(crate) fn passes(&self) -> bool {
        // 19 of 20, in whole numbers.
        self.judged() > 0
            && self.right() * 20 >= self.judged() * 19
            && self.healthy_called_ill() == 0
            && self.ill_called_healthy() == 0
    }
}
