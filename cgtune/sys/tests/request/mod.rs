//! Requests and limits that look random and are the same in every run.

use cgtune_core::{
    Micros, MilliCpu,
    convert::{
        Burst, ContainerCpu, Conversion, CpuQuantity, Runtime, RuntimeName, Setting, Version, WeightFormula,
    },
};

/// SplitMix64.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One time in so many.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    /// Between both, each order of magnitude as likely as the others.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        (low as f64 * (high as f64 / low as f64).powf(self.unit())).round() as u64
    }
}

/// A request and a limit as people write them, each of which may be absent, and what becomes of them.
pub(crate) fn random(seeded: &mut Seeded, formula: WeightFormula, bursts: bool) -> Conversion {
    let quantity = |milli| CpuQuantity::from(MilliCpu::new(milli));
    loop {
        let limit = (!seeded.once_in(6)).then(|| seeded.between(1, 300_000));
        let request = (!seeded.once_in(6)).then(|| match limit {
            Some(limit) => seeded.between(1, limit.max(2)),
            None => seeded.between(1, 400_000),
        });
        let period = if seeded.once_in(2) { 100_000 } else { seeded.between(1000, 1_000_000) };
        let burst = limit.filter(|_| bursts && seeded.once_in(2)).map(|limit| {
            let quota = period as f64 * limit as f64 / 1000.0;
            Burst::Time(Micros::new((quota * seeded.unit()) as u64))
        });
        let asked = ContainerCpu {
            request: request.map(quantity),
            limit: limit.map(quantity),
            burst,
            ..ContainerCpu::default()
        };
        let version = (formula == WeightFormula::Linear).then_some(Version::new(1, 1, 5));
        let runtime = Runtime { name: RuntimeName::Runc, version };
        let setting = Setting { period: Micros::new(period), runtime, ..Setting::default() };
        // Not every quota is legal.
        if let Ok(conversion) = asked.convert(&setting) {
            return conversion;
        }
    }
}
