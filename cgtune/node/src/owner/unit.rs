//! systemd: units whose group this is.
//!
//! Properties: systemd.resource-control(5), 252. What it writes and when: `cgroup_context_apply` in src/core/cgroup.c
//! and `unit_deserialize` (a daemon-reload invalidates everything realised), 252.39.

use cgtune_core::{Micros, Quota, convert::target, text::shell};
use serde::Serialize;

use super::{
    CPUSET, IDLE, Lasting, Overwrite, Owner, Presence, QUOTA, Role, Touched, WEIGHT, Wanted, around,
};
use crate::names::path::unit;

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Its name, as systemctl takes it: characters that unit names may have and no others.
    pub name: String,
    /// Which systemd it belongs to.
    pub manager: Manager,
    /// Whether that systemd is running.
    pub running: Presence,
}

/// Which systemd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// The node's.
    System,
    /// A user's own, by the user's id.
    User(u32),
    /// One that runs in a container, by the container's id.
    InContainer(String),
}

impl Unit {
    /// The unit that a path's last component names.
    pub(super) fn of(names: &[&str], systemd: Presence) -> Option<Self> {
        let (last, above) = names.split_last()?;
        let name = unit(last)?;
        let manager = Manager::above(above);
        let running = if manager == Manager::System { systemd } else { Presence::Unknown };
        Some(Self { name: name.to_owned(), manager, running })
    }

    pub(super) fn owner(self) -> Owner {
        let kind = self.name.rsplit('.').next().unwrap_or_default();
        let running = match (&self.manager, self.running) {
            (Manager::InContainer(id), _) => format!("of the systemd in container {id}, if one runs there"),
            (Manager::User(uid), _) => format!("of the user with id {uid}"),
            (Manager::System, Presence::Seen) => {
                "and systemd is running here (/run/systemd/system)".to_owned()
            }
            (Manager::System, Presence::NotSeen) => "but systemd is not running here".to_owned(),
            (Manager::System, Presence::Unknown) => {
                "and whether systemd is running cannot be seen from here".to_owned()
            }
        };
        Owner {
            name: "systemd".to_owned(),
            evidence: format!("by its name a systemd {kind}, {running}"),
            role: Role::Unit(self),
        }
    }

    pub(super) fn overwrites(&self, touched: &Touched) -> Vec<Overwrite> {
        if self.running == Presence::NotSeen {
            return Vec::new();
        }
        let reloaded = Overwrite::new(
            "systemd",
            touched.among(&[QUOTA, WEIGHT, IDLE]),
            format!(
                "on `systemctl daemon-reload` and on `systemctl set-property` of {}: the unit's own CPUQuota= and \
                 CPUWeight=, or systemd's defaults, wherever it manages cpu for the unit",
                self.name
            ),
        );
        let cpuset = Overwrite::new(
            "systemd",
            touched.among(&[CPUSET]),
            "on the same occasions, where the unit or one beside it has AllowedCPUs= (cgroup v2 alone)",
        );
        [reloaded, cpuset].into_iter().flatten().collect()
    }

    pub(super) fn lasting(&self, goal: &Wanted) -> Lasting {
        let owner = format!("systemd ({})", self.name);
        if self.running == Presence::NotSeen {
            let nobody = "systemd is not running here: nobody would carry out `systemctl set-property`";
            return Lasting { owner, command: None, cannot: vec![nobody.to_owned()] };
        }
        let (properties, mut cannot) = properties(goal);
        let mut words = self.manager.systemctl();
        words.push("set-property".to_owned());
        // The root slice is "-.slice".
        if self.name.starts_with('-') {
            words.push("--".to_owned());
        }
        words.push(self.name.clone());
        let any = !properties.is_empty();
        words.extend(properties);
        if any && let Manager::InContainer(id) = &self.manager {
            cannot.push(format!("it is a unit of the systemd in container {id}: run the command in there"));
        }
        if any && self.name.ends_with(".scope") {
            cannot.push(
                "it lasts as long as the scope: whoever started it sets its own values next time".to_owned(),
            );
        }
        Lasting { owner, command: any.then(|| shell::line(&words)).flatten(), cannot }
    }
}

impl Manager {
    /// Who runs the unit below these components: the last of a container and a user's manager.
    fn above(names: &[&str]) -> Self {
        for (at, name) in names.iter().enumerate().rev() {
            let user = name.strip_prefix("user@").and_then(|rest| rest.strip_suffix(".service"));
            if let Some(uid) = user.and_then(|uid| uid.parse().ok()) {
                return Self::User(uid);
            }
            if let Some(id) = around(&names[at..=at]) {
                return Self::InContainer(id);
            }
        }
        Self::System
    }

    fn systemctl(&self) -> Vec<String> {
        match self {
            Self::System | Self::InContainer(_) => vec!["systemctl".to_owned()],
            // A user's manager is reached through the user's bus, which root does not find by itself.
            Self::User(uid) => vec![
                "sudo".to_owned(),
                "-u".to_owned(),
                format!("#{uid}"),
                format!("XDG_RUNTIME_DIR=/run/user/{uid}"),
                "systemctl".to_owned(),
                "--user".to_owned(),
            ],
        }
    }
}

/// Properties that say what is wanted, and what they do not say.
fn properties(goal: &Wanted) -> (Vec<String>, Vec<String>) {
    let mut properties = Vec::new();
    let mut cannot = Vec::new();
    if let Some((quota, period)) = goal.bandwidth() {
        quota_properties(quota, period, &mut properties, &mut cannot);
    } else if let Some(period) = goal.period() {
        properties.push(format!("CPUQuotaPeriodSec={}us", period.get()));
    }
    match (goal.idle(), goal.weight(), goal.shares()) {
        (Some(true), _, _) => {
            properties.push("CPUWeight=idle".to_owned());
            cannot.push(
                "idle: CPUWeight=idle needs systemd 252 or newer, and takes the place of a weight".to_owned(),
            );
        }
        (_, Some(weight), _) => properties.push(format!("CPUWeight={weight}")),
        (_, None, Some(shares)) => {
            properties.push(format!("CPUShares={shares}"));
            cannot.push(
                "shares: a CPUWeight= of the unit wins over CPUShares=; systemd 258 knows no CPUShares="
                    .to_owned(),
            );
        }
        (Some(false), None, None) => {
            cannot.push("idle: any CPUWeight= of a number ends it; give one".to_owned());
        }
        (None, None, None) => {}
    }
    // v1 is known by its shares. There AllowedCPUs= is accepted and does nothing.
    let legacy = goal.shares().is_some();
    let sets = [("AllowedCPUs", goal.cpus()), ("AllowedMemoryNodes", goal.mems())];
    for (property, set) in sets {
        match set {
            Some(_) if legacy => {}
            Some(set) => properties.push(format!("{property}={set}")),
            None => {}
        }
    }
    if goal.cpus().is_some() || goal.mems().is_some() {
        cannot.push(
            if legacy {
                "cpuset: systemd has no property for it on cgroup v1"
            } else {
                "cpuset: AllowedCPUs= and AllowedMemoryNodes= act on cgroup v2 alone, with systemd 244 or newer"
            }
            .to_owned(),
        );
    }
    if goal.touched.burst {
        cannot.push(target::unit::NO_BURST.to_owned());
    }
    (properties, cannot)
}

fn quota_properties(quota: Quota, period: Micros, properties: &mut Vec<String>, cannot: &mut Vec<String>) {
    let found = target::unit::quota(quota, period);
    properties.extend(found.properties);
    cannot.extend(found.cannot);
}

#[cfg(test)]
mod tests {
    use cgtune_core::CpuSet;

    use super::*;

    fn unit(path: &str) -> Option<Unit> {
        Unit::of(&super::super::names(std::path::Path::new(path)), Presence::Seen)
    }

    fn command(path: &str, goal: &Wanted) -> String {
        unit(path).unwrap().lasting(goal).command.unwrap()
    }

    fn quota(quota: Quota, period_us: u64) -> Wanted {
        Wanted {
            touched: Touched { quota: true, ..Touched::default() },
            quota: Some(quota),
            period: Some(Micros::new(period_us)),
            ..Wanted::default()
        }
    }

    #[test]
    fn the_last_component_names_the_unit() {
        for (path, name) in [
            ("/system.slice/nginx.service", Some("nginx.service")),
            ("/user.slice/user-1001.slice/session-1.scope", Some("session-1.scope")),
            ("/kubepods.slice", Some("kubepods.slice")),
            (r"/system.slice/dev-disk\x2dby.swap", Some(r"dev-disk\x2dby.swap")),
            ("/system.slice/_cpu.service", Some("cpu.service")),
            ("/system.slice/nginx.service/worker", None),
            ("/kubepods/burstable", None),
            ("/x/.slice", None),
            ("/x/a b.service", None),
            ("/x/a'b.service", None),
            ("/x/foo.timer", None),
            ("/", None),
        ] {
            assert_eq!(unit(path).map(|unit| unit.name).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn units_of_users_and_of_containers_are_not_the_nodes() {
        let id = "a".repeat(64);
        let session = unit("/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope").unwrap();
        assert_eq!(session.manager, Manager::User(1000));
        let nested = unit(&format!("/system.slice/docker-{id}.scope/kubelet.slice")).unwrap();
        assert_eq!(nested.manager, Manager::InContainer(id.clone()));
        let own = unit(&format!("/system.slice/docker-{id}.scope")).unwrap();
        assert_eq!(own.manager, Manager::System);
        assert_eq!(unit("/user.slice/user-1000.slice/user@1000.service").unwrap().manager, Manager::System);
    }

    #[test]
    fn properties_follow_the_wish() {
        let mut goal = quota(Quota::Limited(Micros::new(10_000)), 20_000);
        goal.touched.share = true;
        goal.weight = Some(200);
        goal.touched.cpuset = true;
        goal.cpus = Some("0-3,7".parse().unwrap());
        goal.mems = Some(CpuSet::from_iter([0]));
        assert_eq!(
            command("/system.slice/nginx.service", &goal),
            "systemctl set-property nginx.service CPUQuota=50% CPUQuotaPeriodSec=20000us CPUWeight=200 \
             AllowedCPUs=0-3,7 AllowedMemoryNodes=0"
        );
    }

    #[test]
    fn quotas_are_rounded_up_to_whole_percent_and_that_is_said() {
        let goal = quota(Quota::Limited(Micros::new(33_300)), 100_000);
        let lasting = unit("/a.service").unwrap().lasting(&goal);
        assert!(lasting.command.unwrap().contains("CPUQuota=34%"));
        assert!(lasting.cannot[0].contains("34000 µs instead of 33300 µs"), "{:?}", lasting.cannot);
        let goal = quota(Quota::Unlimited, 100_000);
        assert_eq!(command("/a.service", &goal), "systemctl set-property a.service CPUQuota=");
    }

    #[test]
    fn upstreams_rows_of_rounding_hold() {
        // TestAddCPUQuota and derived rows, opencontainers/cgroups 30a2293 systemd/systemd_test.go: per second, in µs.
        for (quota, period, per_sec) in [
            (500_000, 1_000_000, 500_000),
            (123_456, 100_000, 1_240_000),
            (500_000, 900_000, 560_000),
            (1_500, 100_000, 20_000),
            (3_330, 10_000, 340_000),
        ] {
            let (mut properties, mut cannot) = (Vec::new(), Vec::new());
            let limit = Quota::Limited(Micros::new(quota));
            quota_properties(limit, Micros::new(period), &mut properties, &mut cannot);
            assert_eq!(properties[0], format!("CPUQuota={}%", per_sec / 10_000));
        }
    }

    #[test]
    fn on_v1_shares_are_shares_and_cpusets_have_no_property() {
        let goal = Wanted {
            touched: Touched { share: true, cpuset: true, ..Touched::default() },
            shares: Some(512),
            cpus: Some(CpuSet::from_iter([1])),
            ..Wanted::default()
        };
        assert_eq!(command("/a.service", &goal), "systemctl set-property a.service CPUShares=512");
        let cannot = unit("/a.service").unwrap().lasting(&goal).cannot;
        assert!(cannot.iter().any(|text| text.contains("no property for it on cgroup v1")), "{cannot:?}");
    }

    #[test]
    fn a_burst_alone_has_no_command() {
        let goal = Wanted {
            touched: Touched { burst: true, ..Touched::default() },
            burst: Some(Micros::new(1)),
            ..Wanted::default()
        };
        let lasting = unit("/a.service").unwrap().lasting(&goal);
        assert_eq!(lasting.command, None);
        assert_eq!(lasting.cannot.len(), 1);
        assert_eq!(unit("/a.service").unwrap().overwrites(&goal.touched), []);
    }

    #[test]
    fn names_are_quoted_and_a_leading_dash_is_no_option() {
        let goal = quota(Quota::Unlimited, 100_000);
        assert_eq!(command(r"/-a\x2d.slice", &goal), r"systemctl set-property -- '-a\x2d.slice' CPUQuota=");
        assert_eq!(
            command("/user.slice/user@7.service/a.scope", &goal),
            "sudo -u '#7' XDG_RUNTIME_DIR=/run/user/7 systemctl --user set-property a.scope CPUQuota="
        );
    }

    #[test]
    fn where_systemd_does_not_run_nobody_overwrites_and_nobody_is_told() {
        let names = ["a.service"];
        let unit = Unit::of(&names, Presence::NotSeen).unwrap();
        let touched = Touched { quota: true, ..Touched::default() };
        assert_eq!(unit.overwrites(&touched), []);
        assert_eq!(unit.lasting(&quota(Quota::Unlimited, 1000)).command, None);
        assert_eq!(unit.owner().evidence, "by its name a systemd service, but systemd is not running here");
    }
}
