//! Requests or limits as a list of resources, as far as a pod's CPU settings and QoS class depend on them.

use std::collections::BTreeMap;

use crate::{
    MilliCpu,
    convert::quantity::{CpuQuantity, Quantity},
};

/// `requests` or `limits`. An absent resource is not one of zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceList {
    /// `cpu`.
    pub cpu: Option<CpuQuantity>,
    /// Everything else by its name: `memory`, `hugepages-2Mi`, …
    pub others: BTreeMap<String, Quantity>,
}

impl ResourceList {
    /// Only CPU.
    #[must_use]
    pub fn of_cpu(cpu: CpuQuantity) -> Self {
        Self { cpu: Some(cpu), others: BTreeMap::new() }
    }

    /// `memory`.
    #[must_use]
    pub fn memory(&self) -> Option<Quantity> {
        self.others.get("memory").copied()
    }

    /// Adds the other list resource by resource; what only one of them has stays as it is.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, MilliCpu::saturating_add, Quantity::saturating_add);
    }

    /// The larger of each resource.
    pub fn max(&mut self, other: &Self) {
        self.combine(other, Ord::max, Ord::max);
    }

    /// Takes over what the other list has.
    pub fn replace(&mut self, other: &Self) {
        self.combine(other, |_, b| b, |_, b| b);
    }

    /// Adds what this list has above zero already.
    pub fn add_where_positive(&mut self, other: &Self) {
        if let (Some(mine), Some(more)) = (self.cpu, other.cpu)
            && mine.milli() > MilliCpu::ZERO
        {
            self.cpu = Some(mine.milli().saturating_add(more.milli()).into());
        }
        for (name, mine) in &mut self.others {
            if let Some(more) = other.others.get(name)
                && *mine > Quantity::ZERO
            {
                *mine = mine.saturating_add(*more);
            }
        }
    }

    /// Only what passes, by name.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self {
            cpu: self.cpu.filter(|_| keep("cpu")),
            others: self.others.iter().filter(|(name, _)| keep(name)).map(|(n, q)| (n.clone(), *q)).collect(),
        }
    }

    /// Whether it names nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cpu.is_none() && self.others.is_empty()
    }

    fn combine(
        &mut self,
        other: &Self,
        cpu: impl Fn(MilliCpu, MilliCpu) -> MilliCpu,
        rest: impl Fn(Quantity, Quantity) -> Quantity,
    ) {
        self.cpu = match (self.cpu, other.cpu) {
            // What was typed stays known as long as one list alone decides.
            (Some(mine), None) => Some(mine),
            (None, theirs) => theirs,
            (Some(mine), Some(theirs)) => Some(cpu(mine.milli(), theirs.milli()).into()),
        };
        for (name, theirs) in &other.others {
            self.others
                .entry(name.clone())
                .and_modify(|mine| *mine = rest(*mine, *theirs))
                .or_insert(*theirs);
        }
    }
}
