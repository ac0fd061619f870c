//! One run over many objects: what holds for all of them, and what is remembered of them.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use anyhow::anyhow;
use cgtune_core::{
    convert::{
        Burst, Setting, Warning,
        cgroup_name::CgroupName,
        pod::{ContainerConfig, LimitRange, PodConversion, defaults},
    },
    text::Escaped,
};
use cgtune_manifest::{FieldError, Node, Object, Workload};

use crate::{
    exit::Exit,
    manifests::{self, At, Failure, input::Input},
    render::convert::{
        explain,
        json::Said,
        pods::{self, Shown},
        pods_json::{Steps, Writer},
    },
    streams::{self, ERROR, WARNING},
};

/// One pod, converted.
pub(super) struct Converted<'a> {
    shown: Shown<'a>,
    source: manifests::Source,
    /// With the container's name where they are about one.
    warnings: Vec<(Option<&'a str>, &'a Warning)>,
    /// With `--explain`.
    steps: Option<Steps>,
}

/// Where converted pods go.
pub(super) trait Answer {
    /// Takes one more.
    fn pod(&mut self, pod: &Converted<'_>, err: &mut dyn Write) -> io::Result<()>;
}

/// As text; warnings follow their pod on stderr.
pub(super) struct Text<'a>(pub(super) &'a mut dyn Write);

impl Answer for Text<'_> {
    fn pod(&mut self, pod: &Converted<'_>, err: &mut dyn Write) -> io::Result<()> {
        pods::write(&pod.shown, self.0)?;
        if let Some(steps) = &pod.steps {
            explain::write(&steps.pod, "", self.0)?;
            for (container, steps) in pod.shown.done.containers.iter().zip(&steps.containers) {
                explain::write(steps, &container.name, self.0)?;
            }
            writeln!(self.0)?;
        }
        if !pod.warnings.is_empty() {
            self.0.flush()?;
        }
        for (container, warning) in &pod.warnings {
            let of = container.map_or_else(String::new, |name| format!(", container {name}"));
            streams::labelled(err, "warning", WARNING, &format!("{}{of}: {warning}", pod.shown.label()))?;
        }
        Ok(())
    }
}

/// As JSON; warnings are part of it.
pub(super) struct Json<'a, 'b>(pub(super) &'a mut Writer<'b>);

impl Answer for Json<'_, '_> {
    fn pod(&mut self, pod: &Converted<'_>, _: &mut dyn Write) -> io::Result<()> {
        let said = pod.warnings.iter().map(|(container, warning)| Said::of(*container, warning));
        self.0.pod(&pod.shown, &pod.source, said.collect(), pod.steps.as_ref())
    }
}

/// What holds for the whole run, and what has come up in it.
pub(super) struct Session<'a> {
    setting: &'a Setting,
    burst: Option<Burst>,
    /// Of objects that name none.
    namespace: Option<&'a str>,
    all_pods: CgroupName,
    explain: bool,
    ranges: Vec<LimitRange>,
    pods: u64,
    failures: Vec<Failure>,
    /// Objects that make no pods, by their kind.
    passed: BTreeMap<String, u64>,
}

/// What is done with each object.
type Take<'t, 'a> = dyn FnMut(&mut Session<'a>, At, Node, &mut dyn Write) -> io::Result<()> + 't;

impl<'a> Session<'a> {
    pub(super) fn new(
        setting: &'a Setting,
        burst: Option<Burst>,
        namespace: Option<&'a str>,
        cgroup_root: &str,
        explain: bool,
    ) -> Self {
        Self {
            setting,
            burst,
            namespace,
            all_pods: CgroupName::of_all_pods(cgroup_root, true),
            explain,
            ranges: Vec::new(),
            pods: 0,
            failures: Vec::new(),
            passed: BTreeMap::new(),
        }
    }

    pub(super) fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Reads LimitRanges; whether all of them could be.
    pub(super) fn limit_ranges(&mut self, inputs: &[Input], err: &mut dyn Write) -> io::Result<bool> {
        let mut ranges = Vec::new();
        self.each(inputs, err, &mut |session, place, node, err| {
            match Object::read(&node) {
                Ok(Object::LimitRange(range)) => ranges.push(range),
                Ok(_) => {}
                Err(faults) => session.refused(&place, faults, err)?,
            }
            Ok(())
        })?;
        if ranges.is_empty() && !inputs.is_empty() && self.failures.is_empty() {
            streams::labelled(err, "warning", WARNING, "there is no LimitRange in what --limit-range names")?;
        }
        self.ranges = ranges;
        Ok(self.failures.is_empty())
    }

    /// Converts everything in the inputs.
    pub(super) fn convert(
        &mut self,
        inputs: &[Input],
        answer: &mut dyn Answer,
        err: &mut dyn Write,
    ) -> io::Result<()> {
        self.each(inputs, err, &mut |session, place, node, err| {
            match Object::read(&node) {
                Ok(Object::Workload(workload)) => session.workload(&place, *workload, answer, err)?,
                Ok(Object::LimitRange(_)) => *session.passed.entry("LimitRange".to_owned()).or_default() += 1,
                Ok(Object::Other(kind)) => {
                    // A hostile stream could name any number of kinds.
                    let known = session.passed.len() < MOST_KINDS || session.passed.contains_key(&kind);
                    let kind = if known { kind } else { "others".to_owned() };
                    *session.passed.entry(kind).or_default() += 1;
                }
                Err(faults) => session.refused(&place, faults, err)?,
            }
            Ok(())
        })
    }

    fn each(&mut self, inputs: &[Input], err: &mut dyn Write, take: &mut Take<'_, 'a>) -> io::Result<()> {
        manifests::each(inputs, &mut |found| match found {
            Ok((at, node)) => take(self, at, node, err),
            Err(failure) => self.fail(failure, err),
        })
    }

    fn workload(
        &mut self,
        at: &At,
        mut found: Workload,
        answer: &mut dyn Answer,
        err: &mut dyn Write,
    ) -> io::Result<()> {
        for note in &found.notes {
            streams::labelled(err, "warning", WARNING, &Failure::of(at, note.clone()).to_string())?;
        }
        defaults::apply(&mut found.pod);
        let namespace = found.namespace.as_deref().or(self.namespace);
        let ranges: Vec<_> = self.ranges.iter().filter(|range| range.covers(namespace)).collect();
        for range in &ranges {
            range.apply(&mut found.pod);
        }
        let done = match PodConversion::of(&found.pod, self.setting, self.burst) {
            Ok(done) => done,
            Err((container, error)) => {
                let message = format!("container {}: {error}", Escaped(container.as_bytes()));
                return self.fail(Failure { message, ..Failure::at(at) }, err);
            }
        };
        let broken: Vec<_> = ranges.iter().flat_map(|range| range.broken_by(&found.pod)).collect();
        let mut warnings: Vec<(Option<&str>, &Warning)> = Vec::new();
        for container in &done.containers {
            warnings.extend(container.cpu.warnings.iter().map(|warning| (Some(&*container.name), warning)));
        }
        warnings.extend(broken.iter().map(|(container, warning)| (container.as_deref(), warning)));
        warnings.extend(done.warnings.iter().map(|warning| (None, warning)));
        let of_container =
            |container: &ContainerConfig| container.cpu.explain(&container.asked, self.setting);
        let steps = self.explain.then(|| Steps {
            pod: done.explain(&found.pod, self.setting),
            containers: done.containers.iter().map(of_container).collect(),
        });
        let uid = found.uid.as_deref().unwrap_or("<uid>");
        let cgroup = CgroupName::of_pod(self.all_pods.clone(), done.qos, uid);
        let shown = Shown {
            kind: found.kind,
            namespace,
            name: found.name.as_deref(),
            replicas: found.replicas,
            cgroup: &cgroup,
            done: &done,
        };
        self.pods += 1;
        answer.pod(&Converted { shown, source: at.source(), warnings, steps }, err)
    }

    /// An object with mistakes in it.
    fn refused(&mut self, at: &At, faults: Vec<FieldError>, err: &mut dyn Write) -> io::Result<()> {
        faults.into_iter().try_for_each(|fault| self.fail(Failure::of(at, fault), err))
    }

    fn fail(&mut self, failure: Failure, err: &mut dyn Write) -> io::Result<()> {
        streams::labelled(err, "error", ERROR, &failure.to_string())?;
        self.failures.push(failure);
        Ok(())
    }

    /// The last word: what was passed over, and how many mistakes there were.
    pub(super) fn close(self, err: &mut dyn Write) -> anyhow::Result<Exit> {
        if !self.passed.is_empty() {
            let kinds: Vec<_> = self.passed.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let ranges = if self.passed.contains_key("LimitRange") && self.ranges.is_empty() {
                "; name their file with --limit-range to have LimitRanges applied"
            } else {
                ""
            };
            let text = format!("passed over, since they make no pods: {}{ranges}", kinds.join(", "));
            streams::labelled(err, "note", streams::HINT, &text)?;
        }
        match (self.failures.len(), self.pods) {
            (0, 0) => Err(anyhow!("there is no pod in it, nor anything that makes pods")),
            (0, _) => Ok(Exit::Done),
            (wrong, pods) => {
                let wrong = if wrong == 1 { "1 mistake".to_owned() } else { format!("{wrong} mistakes") };
                let pods = match pods {
                    0 => "nothing is converted".to_owned(),
                    1 => "the one other pod is converted".to_owned(),
                    pods => format!("the other {pods} pods are converted"),
                };
                Err(anyhow!("{wrong} above; {pods}"))
            }
        }
    }
}

/// Most kinds that are counted each for itself.
const MOST_KINDS: usize = 50;
