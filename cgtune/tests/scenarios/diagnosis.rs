//! Asks `cgtune diagnose` about a group.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::{Cause, interrupt, programs::Programs};

/// What the tool said first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Diagnosis {
    /// The cause of the first finding: the verdict.
    pub(crate) verdict: Cause,
    /// As it says, in text: high, medium or low.
    pub(crate) confidence: String,
    /// What it costs; `None`: not said.
    pub(crate) stall_ms_per_s: Option<f64>,
    /// The causes of the other findings, in their order.
    pub(crate) others: Vec<Cause>,
    /// What it would do about the first.
    pub(crate) offered: Vec<Offered>,
}

/// A remedy as cgtune itself would carry it out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offered {
    /// Which, as it says: burst, longer-period, …
    pub(crate) kind: String,
    /// A line for a shell.
    pub(crate) command: String,
    pub(crate) expected: Option<Expected>,
}

/// What the model expects, least and most, in milliseconds stalled a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Expected {
    /// As it is.
    pub(crate) stall_now: [f64; 2],
    /// With the remedy.
    pub(crate) stall: [f64; 2],
}

/// Runs it. It may take a while longer than it was asked to watch.
pub(crate) fn ask(programs: &Programs, path: &Path, watch: Duration) -> anyhow::Result<Diagnosis> {
    let mut child = Command::new(&programs.cgtune)
        .args(["diagnose", "--json"])
        .arg(path)
        .args(["--for", &format!("{}ms", watch.as_millis())])
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", programs.cgtune.display()))?;
    // Read beside it, so that a long answer does not block it.
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (status, out, err) = std::thread::scope(|scope| {
        let out = scope.spawn(move || text(out.as_mut().map(|pipe| pipe as &mut dyn std::io::Read)));
        let err = scope.spawn(move || text(err.as_mut().map(|pipe| pipe as &mut dyn std::io::Read)));
        let status = interrupt::wait(&mut child, watch * 3 + Duration::from_secs(30));
        (status, out.join().unwrap_or_default(), err.join().unwrap_or_default())
    });
    let status = status.context("cgtune diagnose")?;
    if !status.success() {
        bail!("cgtune diagnose ended with {status}: {}", err.trim());
    }
    read(&out, path).with_context(|| format!("cgtune diagnose said {out:?}"))
}

fn text(pipe: Option<&mut dyn std::io::Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes the verdict on a path from a document.
pub(crate) fn read(document: &str, path: &Path) -> anyhow::Result<Diagnosis> {
    let document: Value = serde_json::from_str(document).context("not JSON")?;
    let schema = document.get("schema").and_then(Value::as_str);
    if schema != Some("cgtune.diagnose/1") {
        bail!("the schema is {schema:?}, not cgtune.diagnose/1");
    }
    let is_it =
        |group: &&Value| group.get("path").and_then(Value::as_str).is_some_and(|it| Path::new(it) == path);
    let groups = document.get("cgroups").and_then(Value::as_array).context("no cgroups")?;
    let group = groups.iter().find(is_it).with_context(|| format!("nothing about {}", path.display()))?;
    let findings = group.get("findings").and_then(Value::as_array).context("no findings")?;
    let cause = |finding: &Value| {
        let name = finding.get("cause").and_then(Value::as_str).context("a finding without a cause")?;
        name.parse::<Cause>().with_context(|| format!("an unknown cause {name:?}"))
    };
    let causes = findings.iter().map(cause).collect::<anyhow::Result<Vec<_>>>()?;
    let (Some(first), Some((&verdict, others))) = (findings.first(), causes.split_first()) else {
        bail!("an empty list of findings");
    };
    let confidence =
        first.get("confidence").and_then(Value::as_str).context("a finding without confidence")?;
    Ok(Diagnosis {
        verdict,
        confidence: confidence.to_owned(),
        stall_ms_per_s: first.get("stall_ms_per_s").and_then(Value::as_f64),
        others: others.to_vec(),
        offered: offered(first),
    })
}

fn offered(finding: &Value) -> Vec<Offered> {
    let spread = |of: &Value| Some([of.get("min")?.as_f64()?, of.get("max")?.as_f64()?]);
    let expected = |remedy: &Value| {
        let of = remedy.get("expected")?;
        Some(Expected {
            stall_now: spread(of.get("stall_ms_per_s_now")?)?,
            stall: spread(of.get("stall_ms_per_s")?)?,
        })
    };
    let one = |remedy: &Value| {
        let word = |key| remedy.get(key).and_then(Value::as_str);
        (word("owner")? == "cgtune").then_some(())?;
        let (kind, command) = (word("kind")?.to_owned(), word("command")?.to_owned());
        Some(Offered { kind, command, expected: expected(remedy) })
    };
    finding.get("remedies").and_then(Value::as_array).into_iter().flatten().filter_map(one).collect()
}
