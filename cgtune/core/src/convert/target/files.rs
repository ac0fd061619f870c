//! Files of a container's group, by hand or through the `unified` map of an OCI spec.

use crate::{
    Layout,
    convert::{
        container::Conversion, runtime::RuntimeName, setting::Setting, target::Form, weight::WeightFormula,
    },
    parse::cpu_max,
};

const NEEDS_KERNEL: &str = "burst: Linux before 5.14 has no file for it, unless its vendor backported it";

/// The files of one layout, with what is in force. With `cpuCFSQuota: false` the kubelet writes no quota, so none is
/// named.
pub(super) fn of(layout: Layout, conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let mut files = conversion.files(layout);
    if conversion.sent.is_none() {
        // The share comes first.
        files.truncate(1);
    }
    let mut cannot = vec![match layout {
        Layout::V1 => "weight: cgroup v1 has shares alone, and takes them as they are".to_owned(),
        Layout::V2 => no_shares(conversion, setting),
    }];
    if conversion.wanted_burst().is_some() {
        cannot.push(NEEDS_KERNEL.to_owned());
    }
    (Form::Files(files), cannot)
}

/// `linux.resources.unified`: names of cgroup v2's files and their texts. Runtimes write it after everything else (runc:
/// fs2 `setUnified`, opencontainers/cgroups 30a2293), so that it wins over `linux.resources.cpu`.
pub(super) fn unified(conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let mut files = vec![("cpu.weight", conversion.assumed_weight().get().to_string())];
    if let Some(sent) = conversion.sent {
        files.push(("cpu.max", cpu_max::format(sent.quota, sent.period)));
    }
    let mut cannot = vec![
        "v1: the map is for cgroup v2 alone".to_owned(),
        no_shares(conversion, setting),
        "update: containerd keeps the map and writes it again on every update, over what a resize has set"
            .to_owned(),
    ];
    if let Some(burst) = conversion.wanted_burst() {
        files.push(("cpu.max.burst", burst.get().to_string()));
        cannot.push(
            "order: runc writes the map in a random one, so that a quota lowered below the present burst may be refused"
                .to_owned(),
        );
        cannot.push(NEEDS_KERNEL.to_owned());
    }
    if setting.runtime.name == RuntimeName::Youki {
        cannot.push(
            "weight: youki takes the map's cpu.weight for shares and converts it once more (a bug of it)"
                .to_owned(),
        );
    }
    (Form::Files(files), cannot)
}

fn no_shares(conversion: &Conversion, setting: &Setting) -> String {
    let (shares, weight) = (conversion.shares.get(), conversion.assumed_weight().get());
    match conversion.formula {
        Some(formula) => format!(
            "shares: cgroup v2 has none; {shares} are weight {weight} by the {formula} formula of {}",
            setting.runtime
        ),
        None => format!(
            "shares: cgroup v2 has none; {shares} are weight {weight} by the {} formula of the newest runc, since that of {} is \
             not known here",
            WeightFormula::Logarithmic,
            setting.runtime
        ),
    }
}
