//! What `cgtune pin plan --json` printed, as far as it is applied.

use std::path::Path;

use anyhow::anyhow;
use cgtune_core::{CpuSet, Shares};
use serde::Deserialize;

use crate::{failure::Hinted, named::Named};

/// A plan for thousands of CPUs takes some kilobytes.
const LARGEST: u64 = 1 << 20;
const SCHEMA: &str = "cgtune.pin/1";

/// The keys of a plan that become files of a cgroup.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) cpus: CpuSet,
    /// `None`: not known; what is there stays.
    pub(super) mems: Option<CpuSet>,
    /// `None`: whole CPUs, where nobody competes.
    pub(super) shares: Option<Shares>,
}

#[derive(Deserialize)]
struct Written {
    schema: String,
    cpus: CpuSet,
    mems: Option<CpuSet>,
    shares: Option<u64>,
}

/// Reads a file, or standard input where it is named `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<Plan> {
    let named = Named(path);
    let bytes = named.read("a plan", LARGEST)?;
    parse(&bytes).map_err(|error| {
        let error = error.context(format!("--plan: {}", named.name()));
        Hinted::new(error, "a plan is what cgtune pin plan --json prints").into()
    })
}

fn parse(bytes: &[u8]) -> anyhow::Result<Plan> {
    // A list would be taken for the fields in their order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|&byte| byte != b'{') {
        return Err(anyhow!("it is no JSON object"));
    }
    let Written { schema, cpus, mems, shares } = serde_json::from_slice(bytes)?;
    if schema != SCHEMA {
        return Err(anyhow!("its schema is \"{}\", not \"{SCHEMA}\"", schema.escape_debug()));
    }
    if cpus.is_empty() {
        return Err(anyhow!("it names no CPU"));
    }
    Ok(Plan { cpus, mems, shares: shares.map(Shares::new).transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_that_are_there_are_taken() {
        let plan =
            parse(br#"{"schema":"cgtune.pin/1","cpus":"1,5","mems":null,"shares":205,"more":1}"#).unwrap();
        assert_eq!(plan, Plan { cpus: "1,5".parse().unwrap(), mems: None, shares: Shares::new(205).ok() });
        let plan = parse(br#"{"schema":"cgtune.pin/1","cpus":"2-3","mems":"0"}"#).unwrap();
        assert_eq!((plan.mems, plan.shares), ("0".parse().ok(), None));
    }

    #[test]
    fn what_is_no_plan_says_why() {
        for (text, why) in [
            ("", "line 1"),
            ("[]", "it is no JSON object"),
            (r#" ["cgtune.pin/1","1",null,null]"#, "it is no JSON object"),
            (r#"{"cpus":"1"}"#, "schema"),
            (r#"{"schema":"cgtune.stat/1","cpus":"1"}"#, "cgtune.stat/1"),
            (r#"{"schema":"cgtune.pin/1","cpus":""}"#, "no CPU"),
            (r#"{"schema":"cgtune.pin/1","cpus":"1-"}"#, "neither a number nor a range"),
            (r#"{"schema":"cgtune.pin/1","cpus":[1]}"#, "line 1"),
            (r#"{"schema":"cgtune.pin/1","cpus":"1","shares":1}"#, "1"),
        ] {
            let error = format!("{:#}", parse(text.as_bytes()).unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
