//! A pod and a container in it, changed together: the pod's limit is the sum of its containers', so whoever changes one
//! alone leaves the other in force, and v1 refuses a container above its pod.

use std::path::{Path, PathBuf};

use cgtune_core::{CpuControl as _, Micros, ObservedBandwidth, Quota, plan::Goal};
use cgtune_sys::{Cgroup, Hierarchies};

use super::{ChangeError, Ready, prepare};

/// The pod's group above a container's, by the kubelet's names.
#[must_use]
pub fn pod_of(container: &Path) -> Option<PathBuf> {
    let is_pod = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        let tail = name.strip_suffix(".slice").unwrap_or(name);
        // cgroupfs: pod<uid>; systemd: kubepods[-burstable|-besteffort]-pod<uid>.slice, also behind a prefix of kind's.
        (tail.starts_with("pod") || (tail.contains("kubepods") && tail.contains("-pod"))).then_some(())
    };
    container.ancestors().skip(1).find(|path| is_pod(path).is_some()).map(Path::to_owned)
}

/// Plans a container's change and its pod's, in the order in which no moment breaks a rule: the pod first when its limit rises, the container first
/// when it falls.
///
/// # Errors
/// What the kernel would refuse; a group that cannot be opened or read.
pub fn prepare_with_pod(
    hierarchies: &Hierarchies,
    pod: &Path,
    mut container: Cgroup,
    goal: Goal,
) -> Result<Vec<Ready>, ChangeError> {
    let kernel = |path: &Path, source| ChangeError::Kernel { path: path.to_owned(), source };
    let path = container.path().to_owned();
    let before = container.observe().map_err(|source| kernel(&path, source))?.bandwidth;
    let mut above = Cgroup::open(hierarchies, pod).map_err(|source| kernel(pod, source))?;
    let pod_before = above.observe().map_err(|source| kernel(pod, source))?.bandwidth;
    let changed = goal.bandwidth.zip(before).zip(pod_before);
    let wanted = changed.and_then(|((to, from), pod)| Some((to, pod, for_pod(pod, from, to)?)));
    let Some((to, from, wanted)) = wanted.filter(|(_, from, wanted)| from != wanted) else {
        return Ok(vec![prepare(container, goal)?]);
    };
    let pod_goal = Goal { bandwidth: Some(wanted), ..Goal::default() };
    let rises = match (from.ratio(), wanted.ratio()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(from), Some(wanted)) => wanted >= from,
    };
    if rises {
        container.assume(&above, wanted);
        Ok(vec![prepare(above, pod_goal)?, prepare(container, goal)?])
    } else {
        above.assume(&container, to);
        Ok(vec![prepare(container, goal)?, prepare(above, pod_goal)?])
    }
}

/// What the pod needs when one of its containers changes; `None` where the pod has no limit and gets none. Its own period
/// stays.
fn for_pod(
    pod: ObservedBandwidth,
    from: ObservedBandwidth,
    to: ObservedBandwidth,
) -> Option<ObservedBandwidth> {
    let quota = pod.quota.limited()?;
    // A container without limit in a pod with one: the kubelet sets the pod's only where all containers have one.
    let (Quota::Limited(before), Quota::Limited(after)) = (from.quota, to.quota) else {
        return match to.quota {
            Quota::Unlimited => Some(ObservedBandwidth {
                quota: Quota::Unlimited,
                burst: pod.burst.map(|_| Micros::ZERO),
                ..pod
            }),
            Quota::Limited(_) => None,
        };
    };
    let scaled = |time: Micros, period: Micros| {
        u128::from(time.get()) * u128::from(pod.period.get()) / u128::from(period.get().max(1))
    };
    let moved = |now: Micros, before: u128, after: u128| {
        let moved = (u128::from(now.get()) + after).saturating_sub(before);
        Micros::new(u64::try_from(moved).unwrap_or(u64::MAX))
    };
    // Rounded up, so that on v1 the container's ratio is not above the pod's by the rounding.
    let after_scaled =
        (u128::from(after.get()) * u128::from(pod.period.get())).div_ceil(u128::from(to.period.get().max(1)));
    let quota = moved(quota, scaled(before, from.period), after_scaled);
    let burst = |bandwidth: ObservedBandwidth| bandwidth.burst.unwrap_or_default();
    let saved = moved(burst(pod), scaled(burst(from), from.period), scaled(burst(to), to.period)).min(quota);
    Some(ObservedBandwidth {
        quota: Quota::Limited(quota),
        period: pod.period,
        burst: pod.burst.map(|_| saved),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bandwidth(quota_ms: u64, period_ms: u64, burst_ms: u64) -> ObservedBandwidth {
        ObservedBandwidth {
            quota: Quota::Limited(Micros::from_ms(quota_ms)),
            period: Micros::from_ms(period_ms),
            burst: Some(Micros::from_ms(burst_ms)),
        }
    }

    #[test]
    fn the_pod_moves_by_what_its_container_moves() {
        let pod = bandwidth(150, 100, 0);
        assert_eq!(
            for_pod(pod, bandwidth(50, 100, 0), bandwidth(80, 100, 40)),
            Some(bandwidth(180, 100, 40))
        );
        assert_eq!(for_pod(pod, bandwidth(50, 100, 0), bandwidth(5, 20, 0)), Some(bandwidth(125, 100, 0)));
        let free = ObservedBandwidth { quota: Quota::Unlimited, ..pod };
        assert_eq!(for_pod(free, bandwidth(50, 100, 0), bandwidth(80, 100, 0)), None);
        assert_eq!(for_pod(pod, bandwidth(50, 100, 0), free).unwrap().quota, Quota::Unlimited);
    }

    #[test]
    fn a_pods_group_is_known_by_its_name() {
        let of = |path: &str| pod_of(Path::new(path)).map(|pod| pod.display().to_string());
        assert_eq!(of("/kubepods/burstable/podab12/c0ffee"), Some("/kubepods/burstable/podab12".into()));
        assert_eq!(
            of("/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-c0.scope/container"),
            Some("/kubepods.slice/kubepods-pod1_2.slice".into())
        );
        assert_eq!(of("/system.slice/nginx.service"), None);
        assert_eq!(of("/kubepods/burstable"), None);
    }
}
