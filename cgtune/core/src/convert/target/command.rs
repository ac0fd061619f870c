//! Lines for container tools: `run` for a new container, `update` for one that is there.

use crate::{
    Quota,
    convert::{
        container::Conversion,
        runtime::{Runtime, RuntimeName},
        setting::Setting,
        target::Form,
        tool::{Options, Tool},
    },
    text::shell,
};

/// `docker run` and its likes. A new container has no quota, so that none needs no option.
pub(super) fn run(tool: Tool, conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let program = tool.program();
    let sent = conversion.sent.filter(|sent| sent.quota != Quota::Unlimited);
    let options = Options {
        quota: sent.map(|sent| sent.quota),
        period: sent.map(|sent| sent.period),
        ..shares(conversion)
    };
    let mut words = words(&[program, "run"], options, tool);
    let mut cannot = vec![conversion.shares_travel(program, &setting.runtime)];
    match conversion.wanted_burst() {
        Some(burst) if tool.cgroup_conf() => {
            words.extend(["--cgroup-conf".to_owned(), format!("cpu.max.burst={}", burst.get())]);
            cannot.push(format!(
                "burst: {program} has no option of its own for it; --cgroup-conf works on cgroup v2 alone"
            ));
        }
        Some(_) => cannot.push(format!("burst: {program} has no option for it")),
        None => {}
    }
    if sent.is_some() {
        // docker-run(1), podman-run(1), nerdctl's run_cgroup_linux.go.
        cannot.push(
            "--cpus: it says the same for a period of 100ms alone, and is refused beside --cpu-period and --cpu-quota"
                .to_owned(),
        );
    }
    words.push("<image>".to_owned());
    (line(&words), cannot)
}

/// `runc update` and `crun update`. That there is no quota is said as well: the container may have one.
pub(super) fn update(tool: Tool, conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let program = tool.program();
    let runtime = version_of(tool, setting);
    let burst = conversion.wanted_burst();
    // runc heeds `linux.resources.cpu.burst` and has the option since one release, 1.2.0-rc.1.
    let has_option = tool.burst_and_idle() && runtime.writes_burst() != Some(false);
    let options = Options {
        quota: conversion.sent.map(|sent| sent.quota),
        period: conversion.sent.map(|sent| sent.period),
        burst: burst.filter(|_| has_option),
        ..shares(conversion)
    };
    let mut words = words(&[program, "update"], options, tool);
    let mut cannot = vec![conversion.shares_travel(program, &runtime)];
    if burst.is_some() {
        cannot.push(match (tool, has_option) {
            (Tool::Runc, true) => "burst: runc before 1.2 has no option for it".to_owned(),
            (Tool::Runc, false) => format!("burst: {runtime} has no option for it; runc 1.2 brought one"),
            // From its source: update hands the file on to the code that starts containers.
            _ if runtime.writes_burst() == Some(true) => {
                format!("burst: {program} has no option for it, though a file of resources may name it (--resources)")
            }
            _ => format!("burst: {runtime} has no option for it"),
        });
    }
    if tool == Tool::Crun && conversion.sent.is_some() {
        cannot
            .push("period: alone it takes the limit away on cgroup v2; give --cpu-quota with it".to_owned());
    }
    cannot.push(
        "record: containerd, CRI-O or Docker above is not told, and writes its own values again when it updates the container"
            .to_owned(),
    );
    words.push("<container>".to_owned());
    (line(&words), cannot)
}

fn shares(conversion: &Conversion) -> Options<'static> {
    Options { shares: Some(conversion.shares.get()), ..Options::default() }
}

fn words(program: &[&str], options: Options<'_>, tool: Tool) -> Vec<String> {
    program.iter().map(|&word| word.to_owned()).chain(options.words(tool)).collect()
}

fn line(words: &[String]) -> Form {
    // Never nothing: these words are ours, and hold no control characters.
    Form::Command(shell::line(words).unwrap_or_default())
}

/// The tool in the version of the setting, where that is about the same one; else the newest.
fn version_of(tool: Tool, setting: &Setting) -> Runtime {
    let name = if tool == Tool::Crun { RuntimeName::Crun } else { RuntimeName::Runc };
    let version = setting.runtime.version.filter(|_| setting.runtime.name == name);
    Runtime { name, version }
}
