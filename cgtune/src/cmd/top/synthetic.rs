//! Synthetic groups for the tests of state and drawing: made up, on no kernel.

use std::{collections::HashMap, path::Path, sync::Arc};

use cgtune_core::{
    Micros, Nanos, ObservedBandwidth, Quota, Snapshot,
    diagnose::Cause,
    parse::{
        cpu_stat::{BandwidthCounters, BurstCounters, CpuStat, EventCount},
        pressure::{Pressure, Stall},
    },
    snapshot::{CgroupId, Usage},
};
use cgtune_node::names::{Container, Kind, Pod, Resident, Runtime, Source};
use cgtune_sys::scan::{Look, Seen, ThreadTimes};

use super::{
    causes::{Told, Verdicts},
    model::Model,
    names::{Known, Named},
    scanner::Tick,
};

/// One made-up group: what it does in every second.
struct Group {
    path: &'static str,
    quota_ms: Option<u64>,
    cpu_ms: u64,
    throttled: u64,
    periods: u64,
    stall_ms: u64,
    burst_ms: u64,
    threads: u32,
}

const fn idle(path: &'static str) -> Group {
    Group { path, quota_ms: None, cpu_ms: 0, throttled: 0, periods: 0, stall_ms: 0, burst_ms: 0, threads: 0 }
}

const GROUPS: &[Group] = &[
    Group { cpu_ms: 1340, threads: 90, ..idle("/") },
    Group { cpu_ms: 900, threads: 23, ..idle("/kubepods") },
    Group { cpu_ms: 900, threads: 23, ..idle("/kubepods/burstable") },
    Group { quota_ms: Some(400), cpu_ms: 310, periods: 10, ..idle("/kubepods/burstable/poddb") },
    Group {
        cpu_ms: 200,
        threads: 4,
        ..idle("/kubepods/burstable/poddb/3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6")
    },
    Group {
        quota_ms: Some(200),
        cpu_ms: 110,
        periods: 10,
        burst_ms: 22,
        threads: 9,
        ..idle("/kubepods/burstable/poddb/postgres")
    },
    Group {
        quota_ms: Some(54),
        cpu_ms: 480,
        throttled: 3,
        periods: 10,
        stall_ms: 31,
        ..idle("/kubepods/burstable/podweb")
    },
    Group {
        quota_ms: Some(44),
        cpu_ms: 435,
        throttled: 7,
        periods: 10,
        stall_ms: 385,
        threads: 8,
        ..idle("/kubepods/burstable/podweb/app")
    },
    Group {
        quota_ms: Some(10),
        cpu_ms: 45,
        throttled: 0,
        periods: 9,
        threads: 2,
        ..idle("/kubepods/burstable/podweb/sidecar")
    },
    Group { cpu_ms: 440, threads: 50, ..idle("/system.slice") },
    Group {
        cpu_ms: 3,
        threads: 1,
        ..idle("/system.slice/a\u{1b}[31mname\nthat would steer a terminal.service")
    },
    idle("/user.slice"),
];

impl Group {
    fn seen(&self, place: usize, second: u64) -> Seen {
        let ms = |ms: u64| Nanos::new(ms * 1_000_000 * second);
        let parent = Path::new(self.path).parent().map(|parent| {
            let above = GROUPS.iter().position(|group| Path::new(group.path) == parent);
            1000 + above.unwrap_or(0) as u64
        });
        let id = CgroupId { inode: 1000 + place as u64, boot: [7; 16] };
        let stall = |total| Stall { avg10: 0.0, avg60: 0.0, avg300: 0.0, total };
        let stat = CpuStat {
            bandwidth: Some(BandwidthCounters {
                nr_periods: EventCount::new(self.periods * second),
                nr_throttled: EventCount::new(self.throttled * second),
                throttled: ms(self.stall_ms),
            }),
            bursts: Some(BurstCounters { nr_bursts: EventCount::new(0), burst: ms(self.burst_ms) }),
            ..CpuStat::default()
        };
        let snapshot = Snapshot {
            stat,
            usage: Some(Usage::Counter(ms(self.cpu_ms))),
            pressure: Some(Pressure { some: stall(ms(self.stall_ms)), full: None }),
            ..Snapshot::empty(at(second), id)
        };
        let quota = self.quota_ms.map_or(Quota::Unlimited, |ms| Quota::Limited(Micros::from_ms(ms)));
        let burst = Some(if self.burst_ms > 0 { Micros::from_ms(50) } else { Micros::ZERO });
        let bandwidth = Some(ObservedBandwidth { quota, period: Micros::from_ms(100), burst });
        Seen { path: Path::new(self.path).into(), parent, bandwidth, snapshot }
    }

    fn threads(&self, second: u64) -> Vec<ThreadTimes> {
        let share = |part: u64| Nanos::new(part * 1_000_000 * second / u64::from(self.threads.max(1)));
        (0..self.threads)
            .map(|i| ThreadTimes { tid: 4711 + i, cpu: share(self.cpu_ms), run_delay: share(self.stall_ms) })
            .collect()
    }
}

/// So many seconds after the machine was booted.
pub(crate) fn at(second: u64) -> Nanos {
    Nanos::new(second * 1_000_000_000)
}

/// One tick, at a second.
pub(crate) fn tick(second: u64) -> Tick {
    let groups = GROUPS.iter().enumerate().map(|(place, group)| group.seen(place, second)).collect();
    let threads: HashMap<Arc<Path>, _> = GROUPS
        .iter()
        .filter(|group| group.threads < 50)
        .map(|group| (Path::new(group.path).into(), (at(second), group.threads(second))))
        .collect();
    let names = (0..8).map(|i| (4711 + i, format!("worker-{i}").into_bytes())).collect();
    let look =
        Look { at: at(second), took: Nanos::new(12_000_000), groups, reopened: 0, unreadable: 0, why: None };
    Tick { look, interval: Micros::from_ms(1000), threads, names }
}

/// A verdict on one group, another under watch.
pub(crate) fn verdicts() -> Verdicts {
    let path = |path: &str| Arc::<Path>::from(Path::new(path));
    let told = [
        (path("/kubepods/burstable/podweb/app"), Told::Cause(Cause::ShortBursts, 385.0)),
        (path("/kubepods/burstable/podweb"), Told::Watching),
    ];
    Verdicts { told: told.into_iter().collect(), trouble: None }
}

/// Forty seconds of made-up groups.
pub(crate) fn model() -> Model {
    let mut model = Model::new(true, Some(4), Micros::from_ms(1000));
    for second in 100..140 {
        model.take(tick(second), &verdicts(), &Known::new(), false);
    }
    model
}

/// Who lives in some of the groups.
fn known() -> Known {
    let pod = |name: &str| {
        let (namespace, name) = (Some("prod".to_owned()), Some(name.to_owned()));
        Pod { uid: None, namespace, name, qos: None, astray: false, source: Source::Cri }
    };
    let container = |path: &str, name: Option<&str>| Container {
        id: path.rsplit('/').next().unwrap_or_default().to_owned(),
        name: name.map(str::to_owned),
        runtime: Runtime::Containerd,
        source: Source::Cri,
    };
    let place = |path: &str, kind, pod, container| {
        let resident = Resident { kind, pod: Some(pod), container, unit: None, node: None };
        let path = Path::new(path);
        (path.into(), Arc::new(Named::new(resident, path)))
    };
    let [web, db] = ["/kubepods/burstable/podweb", "/kubepods/burstable/poddb"];
    let [app, postgres] = [format!("{web}/app"), GROUPS[4].path.to_owned()];
    let [sidecar, sandbox] = [format!("{web}/sidecar"), format!("{db}/postgres")];
    [
        place(web, Kind::Pod, pod("web"), None),
        place(&app, Kind::Container, pod("web"), Some(container(&app, Some("app")))),
        place(&sidecar, Kind::Sandbox, pod("web"), Some(container(&sidecar, None))),
        place(db, Kind::Pod, pod("db"), None),
        place(&postgres, Kind::Container, pod("db"), Some(container(&postgres, Some("postgres")))),
        place(&sandbox, Kind::Inside, pod("db"), None),
    ]
    .into_iter()
    .collect()
}

/// The same groups, on a node whose runtime tells names.
pub(crate) fn named() -> Model {
    let mut model = model();
    model.take(tick(140), &verdicts(), &known(), false);
    model
}
