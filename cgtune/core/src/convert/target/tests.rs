//! What each form holds, to the letter.

use serde_json::json;

use super::*;
use crate::convert::{CgroupDriver, ContainerCpu, Kubernetes, Version};

mod laws;

fn asked(request: Option<&str>, limit: Option<&str>, burst: Option<&str>) -> ContainerCpu {
    ContainerCpu {
        request: request.map(|text| text.parse().unwrap()),
        limit: limit.map(|text| text.parse().unwrap()),
        burst: burst.map(|text| text.parse().unwrap()),
        ..ContainerCpu::default()
    }
}

fn rendered(asked: ContainerCpu, target: Target, setting: &Setting) -> Rendition {
    asked.convert(setting).unwrap().target(target, setting)
}

/// A form as one text: JSON for documents, lines for files and properties.
fn text(form: &Form) -> String {
    match form {
        Form::Files(files) => {
            files.iter().map(|(file, text)| format!("{file}={text}")).collect::<Vec<_>>().join("\n")
        }
        Form::Document(document) => serde_json::to_string(document).unwrap(),
        Form::Command(command) | Form::Patch { command, .. } => command.clone(),
        Form::Properties(properties) => properties.join(" "),
    }
}

#[track_caller]
fn holds(asked: ContainerCpu, setting: &Setting, expected: &[(Target, &str)]) {
    for (target, expected) in expected {
        assert_eq!(text(&rendered(asked, *target, setting).form), *expected, "{target}");
    }
}

#[track_caller]
fn says(asked: ContainerCpu, setting: &Setting, target: Target, expected: &[&str]) {
    let found = rendered(asked, target, setting).cannot;
    let starts: Vec<&str> = found
        .iter()
        .zip(expected)
        .map(|(found, expected)| if found.starts_with(expected) { expected } else { found.as_str() })
        .collect();
    assert_eq!((starts.as_slice(), found.len()), (expected, expected.len()), "{target}: {found:#?}");
}

fn on(runtime: &str) -> Setting {
    Setting { runtime: runtime.parse().unwrap(), ..Setting::default() }
}

#[test]
fn half_a_cpu_of_two() {
    let asked = asked(Some("500m"), Some("2"), None);
    let run = "run --cpu-period 100000 --cpu-quota 200000 --cpu-shares 512 '<image>'";
    let update = "update --cpu-period 100000 --cpu-quota 200000 --cpu-share 512 '<container>'";
    holds(
        asked,
        &Setting::default(),
        &[
            (
                Target::V1,
                "cpu.shares=512\ncpu.cfs_period_us=100000\ncpu.cfs_quota_us=200000\ncpu.cfs_burst_us=0",
            ),
            (Target::V2, "cpu.weight=59\ncpu.max=200000 100000\ncpu.max.burst=0"),
            (Target::Oci, r#"{"linux":{"resources":{"cpu":{"shares":512,"quota":200000,"period":100000}}}}"#),
            (Target::Unified, "cpu.weight=59\ncpu.max=200000 100000"),
            (Target::Cri, r#"{"cpu_period":100000,"cpu_quota":200000,"cpu_shares":512}"#),
            (
                Target::Nri,
                r#"{"linux":{"resources":{"cpu":{"shares":{"value":512},"quota":{"value":200000},"period":{"value":100000}}}}}"#,
            ),
            (Target::Docker, &format!("docker {run}")),
            (Target::Nerdctl, &format!("nerdctl {run}")),
            (Target::Podman, &format!("podman {run}")),
            (Target::Runc, &format!("runc {update}")),
            (Target::Crun, &format!("crun {update}")),
            (Target::Systemd, "CPUWeight=59 CPUQuota=200% CPUQuotaPeriodSec=100000us"),
            (
                Target::Resize,
                "kubectl patch pod '<pod>' -n '<namespace>' --subresource resize --patch \
                 '{\"spec\":{\"containers\":[{\"name\":\"<container>\",\"resources\":\
                 {\"requests\":{\"cpu\":\"500m\"},\"limits\":{\"cpu\":\"2\"}}}]}}'",
            ),
        ],
    );
    let setting = Setting::default();
    let cannot = |target| rendered(asked, target, &setting).cannot;
    assert_eq!(cannot(Target::V1), ["weight: cgroup v1 has shares alone, and takes them as they are"]);
    assert_eq!(
        cannot(Target::V2),
        ["shares: cgroup v2 has none; 512 are weight 59 by the logarithmic formula of runc"]
    );
    assert_eq!(
        cannot(Target::Oci),
        ["weight: an OCI spec has shares alone; runc makes 59 of 512 on cgroup v2"]
    );
    says(asked, &setting, Target::Docker, &["weight: docker has shares alone;", "--cpus:"]);
    says(asked, &setting, Target::Crun, &["weight: crun", "period:", "record:"]);
    says(
        asked,
        &setting,
        Target::Systemd,
        &["shares: on cgroup v1 systemd makes 604 of this weight; CPUShares=512 is exact there"],
    );
    says(asked, &setting, Target::Resize, &["class:"]);
}

#[test]
fn what_is_sent_is_what_was_asked_and_the_files_have_what_the_systemd_driver_made_of_it() {
    let third = asked(None, Some("333m"), None);
    let systemd = Setting { driver: CgroupDriver::Systemd, ..Setting::default() };
    holds(
        third,
        &systemd,
        &[
            (Target::V2, "cpu.weight=43\ncpu.max=34000 100000\ncpu.max.burst=0"),
            (Target::Oci, r#"{"linux":{"resources":{"cpu":{"shares":340,"quota":33300,"period":100000}}}}"#),
            (Target::Cri, r#"{"cpu_period":100000,"cpu_quota":33300,"cpu_shares":340}"#),
            (Target::Runc, "runc update --cpu-period 100000 --cpu-quota 33300 --cpu-share 340 '<container>'"),
            (Target::Systemd, "CPUWeight=43 CPUQuota=34% CPUQuotaPeriodSec=100000us"),
        ],
    );
    assert_eq!(
        rendered(third, Target::Systemd, &systemd).cannot[0],
        "quota: what systemd keeps is whole percent; 34% of 100ms is 34000 µs instead of 33300 µs"
    );
}

#[test]
fn without_a_limit_new_containers_need_no_quota_and_old_ones_lose_theirs() {
    let unlimited = asked(Some("500m"), None, None);
    let setting = Setting::default();
    holds(
        unlimited,
        &setting,
        &[
            (Target::V1, "cpu.shares=512\ncpu.cfs_period_us=100000\ncpu.cfs_quota_us=-1"),
            (Target::Oci, r#"{"linux":{"resources":{"cpu":{"shares":512,"period":100000}}}}"#),
            (Target::Unified, "cpu.weight=59\ncpu.max=max 100000"),
            (Target::Cri, r#"{"cpu_period":100000,"cpu_shares":512}"#),
            (Target::Docker, "docker run --cpu-shares 512 '<image>'"),
            (Target::Runc, "runc update --cpu-period 100000 --cpu-quota -1 --cpu-share 512 '<container>'"),
            (Target::Systemd, "CPUWeight=59 CPUQuota="),
        ],
    );
    says(unlimited, &setting, Target::Cri, &["weight:", "no quota:"]);
    says(unlimited, &setting, Target::Resize, &["no limit:", "class:"]);
    says(asked(None, None, None), &setting, Target::Resize, &["no limit:", "no request:", "class:"]);
    // A limit of zero is none.
    says(asked(None, Some("0"), None), &setting, Target::Cri, &["weight:", "no quota:"]);
}

#[test]
fn cpus_of_its_own_are_a_quota_of_minus_one() {
    let exclusive = ContainerCpu { exclusive: true, ..asked(None, Some("2"), None) };
    let setting = Setting { static_cpus: true, ..Setting::default() };
    holds(
        exclusive,
        &setting,
        &[
            (Target::Oci, r#"{"linux":{"resources":{"cpu":{"shares":2048,"quota":-1,"period":100000}}}}"#),
            (Target::Cri, r#"{"cpu_period":100000,"cpu_quota":-1,"cpu_shares":2048}"#),
        ],
    );
    says(exclusive, &setting, Target::Resize, &["class:", "Guaranteed:"]);
}

#[test]
fn a_burst_goes_where_there_is_a_place_for_it_and_is_missed_where_there_is_none() {
    let burst = asked(Some("500m"), Some("2"), Some("50%"));
    let setting = Setting::default();
    let run = "run --cpu-period 100000 --cpu-quota 200000 --cpu-shares 512";
    holds(
        burst,
        &setting,
        &[
            (Target::V2, "cpu.weight=59\ncpu.max=200000 100000\ncpu.max.burst=100000"),
            (
                Target::Oci,
                r#"{"linux":{"resources":{"cpu":{"shares":512,"quota":200000,"period":100000,"burst":100000}}}}"#,
            ),
            (Target::Unified, "cpu.weight=59\ncpu.max=200000 100000\ncpu.max.burst=100000"),
            (
                Target::Nri,
                r#"{"linux":{"resources":{"cpu":{"shares":{"value":512},"quota":{"value":200000},"period":{"value":100000}},"unified":{"cpu.max.burst":"100000"}}}}"#,
            ),
            (Target::Docker, &format!("docker {run} '<image>'")),
            (Target::Nerdctl, &format!("nerdctl {run} --cgroup-conf cpu.max.burst=100000 '<image>'")),
            (Target::Podman, &format!("podman {run} --cgroup-conf cpu.max.burst=100000 '<image>'")),
            (
                Target::Runc,
                "runc update --cpu-period 100000 --cpu-quota 200000 --cpu-share 512 --cpu-burst 100000 '<container>'",
            ),
            (
                Target::Crun,
                "crun update --cpu-period 100000 --cpu-quota 200000 --cpu-share 512 '<container>'",
            ),
        ],
    );
    for target in Target::ALL {
        let said = rendered(burst, target, &setting).cannot;
        assert!(said.iter().any(|said| said.starts_with("burst:")), "{target}: {said:?}");
    }
    says(burst, &setting, Target::Docker, &["weight:", "burst: docker has no option for it", "--cpus:"]);
    says(burst, &setting, Target::Unified, &["v1:", "shares:", "update:", "order:", "burst:"]);
    says(burst, &setting, Target::Nri, &["weight:", "burst:", "update:", "plugin:"]);
}

#[test]
fn a_kubelet_without_quotas_has_them_written_nowhere() {
    let limited = asked(Some("500m"), Some("2"), Some("50%"));
    let off = Setting { cfs_quota: false, ..Setting::default() };
    holds(
        limited,
        &off,
        &[
            (Target::V1, "cpu.shares=512"),
            (Target::V2, "cpu.weight=59"),
            (Target::Oci, r#"{"linux":{"resources":{"cpu":{"shares":512}}}}"#),
            (Target::Unified, "cpu.weight=59"),
            (Target::Cri, r#"{"cpu_shares":512}"#),
            (Target::Nri, r#"{"linux":{"resources":{"cpu":{"shares":{"value":512}}}}}"#),
            (Target::Docker, "docker run --cpu-shares 512 '<image>'"),
            (Target::Runc, "runc update --cpu-share 512 '<container>'"),
            (Target::Systemd, "CPUWeight=59"),
        ],
    );
    assert!(text(&rendered(limited, Target::Resize, &off).form).contains(r#""limits":{"cpu":"2"}"#));
}

#[test]
fn versions_of_runtimes_decide_on_weight_and_burst() {
    let burst = asked(Some("500m"), Some("2"), Some("50%"));
    let old = on("runc@1.1.5");
    holds(
        burst,
        &old,
        &[
            (Target::V2, "cpu.weight=20\ncpu.max=200000 100000\ncpu.max.burst=100000"),
            (
                Target::Runc,
                "runc update --cpu-period 100000 --cpu-quota 200000 --cpu-share 512 '<container>'",
            ),
        ],
    );
    says(
        burst,
        &old,
        Target::Runc,
        &[
            "weight: runc has shares alone; runc 1.1.5 makes 20 of 512",
            "burst: runc 1.1.5 has no option for it; runc 1.2 brought one",
            "record:",
        ],
    );
    says(burst, &old, Target::Oci, &["weight:", "burst: runc 1.1.5 ignores the field;"]);
    // A version of one runtime says nothing about another.
    says(burst, &old, Target::Crun, &["weight: crun", "burst: crun has no option", "period:", "record:"]);
    says(burst, &on("crun@1.8.1"), Target::Crun, &["weight:", "burst: crun 1.8.1", "period:", "record:"]);
    let unknown = on("runsc");
    says(burst, &unknown, Target::Oci, &["weight:", "burst: whether runsc heeds the field is not known"]);
    assert!(rendered(burst, Target::V2, &unknown).cannot[0].contains("formula of the newest runc"));
    let youki = rendered(burst, Target::Unified, &on("youki")).cannot;
    assert!(youki.iter().any(|said| said.starts_with("weight: youki")), "{youki:?}");
}

#[test]
fn a_resize_says_what_a_cluster_lacks_and_leaves_the_pods_own_limit_alone() {
    let limited = asked(None, Some("2"), None);
    let version =
        |minor| Setting { kubernetes: Kubernetes::new(Version::new(1, minor, 0)), ..Setting::default() };
    says(limited, &version(26), Target::Resize, &["resize: Kubernetes 1.26 has none;", "class:"]);
    says(
        limited,
        &version(32),
        Target::Resize,
        &["resize: Kubernetes 1.32 has it only behind the feature gate", "class:"],
    );
    says(limited, &version(33), Target::Resize, &["class:"]);
    let short = Setting { period: Micros::from_ms(20), ..Setting::default() };
    says(limited, &short, Target::Resize, &["class:", "period:"]);
    let of_pod = ContainerCpu { pod_limit: Some("3".parse().unwrap()), ..asked(Some("1"), None, None) };
    let setting = Setting::default();
    says(of_pod, &setting, Target::Resize, &["limit: it is the pod's own", "class:"]);
    let Form::Patch { patch, .. } = rendered(of_pod, Target::Resize, &setting).form else {
        panic!("a resize is a patch")
    };
    assert_eq!(
        serde_json::to_value(patch).unwrap(),
        json!({"spec": {"containers": [{"name": "<container>", "resources": {"requests": {"cpu": "1"}}}]}})
    );
}

#[test]
fn names_are_those_of_the_json() {
    for target in Target::ALL {
        assert_eq!(serde_json::to_value(target).unwrap(), json!(target.name()));
    }
    let asked = asked(None, Some("1"), None);
    let shown = serde_json::to_value(rendered(asked, Target::V2, &Setting::default())).unwrap();
    assert_eq!(shown["form"]["files"]["cpu.max"], "100000 100000");
}
