//! Each cause that `cgtune diagnose` names, as a real situation: a tree of cgroups and loads in it, set up on the kernel
//! of this machine, whose true cause is known because we made it.
//!
//! A [`Scenario`] is a cause, a variant and a seed. Its [`Situation`](situation::Situation) follows from them alone
//! ([`variants`], [`draw`]). [`stage`] sets it up and takes it down, [`measured`] reads the kernel's counters beside
//! whoever judges, [`came_about`] says whether what was meant to happen did, [`diagnosis`] asks the tool, [`matrix`]
//! counts who was right; [`remedies`] does what the tool advises and reads the counters again. What lives elsewhere: how a diagnosis is made. Nothing here may look at that, nor the other way.
//!
//! `kernel-expiry-bug`, host steal and `unknown` cannot be made on a kernel that works.

#![allow(dead_code, reason = "each program uses the part it needs")]

pub(crate) mod came_about;
pub(crate) mod diagnosis;
pub(crate) mod draw;
pub(crate) mod interrupt;
pub(crate) mod matrix;
pub(crate) mod measured;
pub(crate) mod programs;
pub(crate) mod remedies;
pub(crate) mod remedies_report;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod situation;
pub(crate) mod stage;
pub(crate) mod variants;

use std::fmt;

use anyhow::{Context as _, bail};
use cgtune_core::Layout;
pub(crate) use cgtune_core::diagnose::Cause;

use draw::Draw;
use situation::Situation;
use variants::Variant;

/// The machine that a scenario is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// CPUs that are online. The loads are sized for two; more are hogged where a scenario needs a full machine.
    pub(crate) cpus: u32,
    /// The layout of the cpu controller: v1 refuses a child a larger limit than its parent's.
    pub(crate) layout: Layout,
}

/// One situation to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) variant: &'static Variant,
    pub(crate) seed: u64,
}

impl Scenario {
    /// By its name, such as `short-bursts/a`.
    pub(crate) fn named(name: &str, seed: u64) -> anyhow::Result<Self> {
        let variant = name.split_once('/').and_then(|(cause, letter)| {
            variants::ALL
                .iter()
                .find(|variant| variant.cause.name() == cause && variant.letter.to_string() == letter)
        });
        match variant {
            Some(variant) => Ok(Self { variant, seed }),
            None => {
                let names: Vec<String> = variants::ALL.iter().map(Variant::to_string).collect();
                bail!("no scenario is called {name:?}; there are {}", names.join(" "))
            }
        }
    }

    pub(crate) fn cause(self) -> Cause {
        self.variant.cause
    }

    /// What is to be made: a function of the name, the seed and the machine.
    pub(crate) fn situation(self, machine: Machine) -> Situation {
        let variant = self.variant;
        (variant.make)(&mut Draw::new(&variant.to_string(), self.seed), machine)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.variant, self.seed)
    }
}

/// Seeds as they are typed: `7`, `1-3`, `1000-1004`.
pub(crate) fn seeds(text: &str) -> anyhow::Result<Vec<u64>> {
    let number = |text: &str| text.parse::<u64>().with_context(|| format!("not a seed: {text:?}"));
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if last < first || last - first >= 10_000 {
        bail!("not a range of up to 10,000 seeds: {text:?}; such as 7 or 1-3");
    }
    Ok((first..=last).collect())
}
