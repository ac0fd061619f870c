//! A share of a core, after eru: whole cores for the whole part of an amount, and for the rest a part of one core that others use, too.
//!
//! The containers there are bound and have shares, and no quota: bound *and* limited, three processes at 1.2, 1.3 and 1.5 CPUs were
//! throttled throughout (projecteru2/core#339).

use crate::{CpuSet, MilliCpu, PolicyError, Shares};

/// What an amount of CPU becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// CPUs for it alone.
    pub whole: usize,
    /// What it wants of one more.
    pub part: MilliCpu,
}

impl Fragment {
    /// Divides an amount: `1.2` is one CPU and 200 thousandths of another.
    #[must_use]
    pub fn of(amount: MilliCpu) -> Self {
        let milli = amount.get();
        Self { whole: usize::try_from(milli / 1000).unwrap_or(usize::MAX), part: MilliCpu::new(milli % 1000) }
    }

    /// How many CPUs it touches.
    #[must_use]
    pub const fn cpus(&self) -> usize {
        self.whole.saturating_add((self.part.get() > 0) as usize)
    }

    /// The shares of its group: those of its part, since only on the shared CPU does anybody compete with it. Rounded to the nearest of 1024,
    /// as eru does (`1.2` has 205), and at least the kernel's 2. An amount without a part has 1024: nobody competes.
    ///
    /// # Errors
    /// Never, for any amount; the type of shares checks.
    pub fn shares(&self) -> Result<Shares, PolicyError> {
        match self.part.get() {
            0 => Shares::new(1024),
            part => Shares::new(((part * 1024 + 500) / 1000).max(2)),
        }
    }
}

/// The CPUs that fragments lie on, and how much of each is given away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shared {
    used: std::collections::BTreeMap<u32, MilliCpu>,
}

impl Shared {
    /// Gives a part of a CPU away.
    pub fn give(&mut self, cpu: u32, part: MilliCpu) {
        let used = self.used.entry(cpu).or_insert(MilliCpu::ZERO);
        *used = MilliCpu::new(used.get() + part.get());
    }

    /// How much of a CPU is given away.
    #[must_use]
    pub fn used(&self, cpu: u32) -> MilliCpu {
        self.used.get(&cpu).copied().unwrap_or(MilliCpu::ZERO)
    }

    /// All on which something lies.
    #[must_use]
    pub fn cpus(&self) -> CpuSet {
        self.used.keys().copied().collect()
    }

    /// The fullest of these CPUs that still has room for a part, the lowest of equals: fragments together leave other CPUs whole.
    #[must_use]
    pub fn best(&self, part: MilliCpu, among: &CpuSet) -> Option<u32> {
        let fits = |cpu: &u32| self.used(*cpu).get() + part.get() <= 1000;
        among.iter().filter(fits).max_by_key(|&cpu| (self.used(cpu), std::cmp::Reverse(cpu)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(milli: u64) -> (usize, u64, u64) {
        let fragment = Fragment::of(MilliCpu::new(milli));
        (fragment.whole, fragment.part.get(), fragment.shares().unwrap().get())
    }

    #[test]
    fn an_amount_is_whole_cpus_and_shares_of_one() {
        assert_eq!(parts(1200), (1, 200, 205));
        assert_eq!(parts(1300), (1, 300, 307));
        assert_eq!(parts(1500), (1, 500, 512));
        assert_eq!(parts(2000), (2, 0, 1024));
        assert_eq!(parts(1), (0, 1, 2));
    }

    #[test]
    fn fragments_fill_one_cpu_before_the_next() {
        let cpus: CpuSet = "2-4".parse().unwrap();
        let mut shared = Shared::default();
        let mut place = |milli| {
            let part = MilliCpu::new(milli);
            let cpu = shared.best(part, &cpus)?;
            shared.give(cpu, part);
            Some(cpu)
        };
        assert_eq!([300, 800, 500, 200, 900].map(&mut place), [Some(2), Some(3), Some(2), Some(2), Some(4)]);
        assert_eq!(place(300), None);
    }
}
