//! What holds for every form of any conversion.

use std::process::Command;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::convert::CpuQuantity;

/// What a shell makes of a line.
fn words(line: &str) -> Vec<String> {
    let output = Command::new("sh").args(["-c", &format!("printf '%s\\n' {line}")]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_reads_commands_as_they_are_meant() {
    let burst = asked(Some("500m"), Some("2"), Some("50%"));
    let setting = Setting::default();
    let run = |target| words(&text(&rendered(burst, target, &setting).form));
    assert_eq!(
        run(Target::Podman).join("|"),
        "podman|run|--cpu-period|100000|--cpu-quota|200000|--cpu-shares|512|--cgroup-conf|cpu.max.burst=100000|<image>"
    );
    assert_eq!(run(Target::Runc).last().unwrap(), "<container>");
    let Form::Patch { patch, command } = rendered(burst, Target::Resize, &setting).form else {
        panic!("a resize is a patch")
    };
    // The patch is written by hand in there: it is the document.
    let sent: Value = serde_json::from_str(words(&command).last().unwrap()).unwrap();
    assert_eq!(sent, serde_json::to_value(patch).unwrap());
}

proptest! {
    #[test]
    fn any_conversion_has_every_form(
        request in proptest::option::of(0..=400_000_u64),
        limit in proptest::option::of(0..=10_000_000_u64),
        pod_limit in proptest::option::of(0..=10_000_000_u64),
        exclusive in any::<bool>(),
        burst in proptest::option::of("[0-9]{1,3}(%|ms|m)"),
        period in 1_000..=1_000_000_u64,
        systemd in any::<bool>(),
        cfs_quota in any::<bool>(),
        runtime in prop::sample::select(vec!["runc", "runc@1.1.5", "crun@1.8.1", "crun", "youki", "kata", "runsc"]),
    ) {
        let read = |milli: u64| CpuQuantity::from(MilliCpu::new(milli));
        let asked = ContainerCpu {
            request: request.map(read),
            limit: limit.map(read),
            pod_limit: pod_limit.map(read),
            exclusive,
            burst: burst.map(|text| text.parse().unwrap()),
            ..ContainerCpu::default()
        };
        let driver = if systemd { CgroupDriver::Systemd } else { CgroupDriver::Cgroupfs };
        let setting = Setting { period: Micros::new(period), driver, cfs_quota, ..on(runtime) };
        let Ok(done) = asked.convert(&setting) else { return Ok(()) };
        for target in Target::ALL {
            let rendition = done.target(target, &setting);
            prop_assert!(!text(&rendition.form).is_empty());
            for said in &rendition.cannot {
                let (what, why) = said.split_once(": ").unwrap_or_default();
                prop_assert!(!what.is_empty() && !why.is_empty() && !said.ends_with('.'), "{}", said);
            }
            match &rendition.form {
                Form::Document(Document::Oci(spec)) => {
                    let cpu = spec.linux.resources.cpu;
                    if let (Some(burst), Some(quota)) = (cpu.burst, cpu.quota) {
                        prop_assert!(i64::try_from(burst.get()).unwrap() <= quota);
                    }
                }
                Form::Patch { patch, .. } => {
                    let read: Value = serde_json::from_str(&patch.to_string()).unwrap();
                    prop_assert_eq!(read, serde_json::to_value(patch).unwrap());
                }
                _ => {}
            }
        }
    }
}
