//! The experiments that come with cgbench.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// The name to ask for it by, which is that of its file.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(Shipped { name: $name, text: include_str!(concat!("../../plans/", $name, ".toml")) }),*]
    };
}

/// All of them, the most usual first.
pub const SHIPPED: &[Shipped] = shipped![
    "quick",
    "encoder",
    "burst-sweep",
    "period-sweep",
    "threads",
    "pinning",
    "gate",
    "kernel-burst-test",
    "exponential",
    "h264-like",
    "fibtest",
    "request-latency",
    "regressions",
    "overhead",
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn every_file_of_a_plan_is_shipped_and_reads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let names: BTreeSet<String> = SHIPPED.iter().map(|shipped| shipped.name.to_owned()).collect();
        assert_eq!(files, names);
        for shipped in SHIPPED {
            let found = Experiment::find(shipped.name, &[]).unwrap();
            assert_eq!(found.name, shipped.name);
            assert!(!found.about.is_empty() && !found.points.is_empty());
        }
    }
}
