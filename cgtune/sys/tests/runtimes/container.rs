use std::{fs, path::Path};

use cgtune_core::{CpuControl as _, Observed};
use cgtune_sys::Cgroup;

use super::{Cpu, Runtime, World, world};

/// Made by a runtime in a group of its own at the root of each hierarchy. Dropping it ends and removes it.
pub(crate) struct Container<'a> {
    world: &'a World,
    runtime: &'a Runtime,
    name: String,
}

impl<'a> Container<'a> {
    /// One that sleeps; or what the runtime said to refuse it.
    pub(crate) fn run(runtime: &'a Runtime, world: &'a World, cpu: Cpu) -> Result<Self, String> {
        let name = world::next_name();
        // The least that both of them take.
        let config = format!(
            r#"{{"ociVersion":"1.0.2",
            "process":{{"terminal":false,"user":{{"uid":0,"gid":0}},"cwd":"/","env":["PATH=/bin"],
                "args":["/bin/busybox","sleep","600"]}},
            "root":{{"path":"rootfs"}},
            "mounts":[{{"destination":"/proc","type":"proc","source":"proc"}},
                {{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["mode=755"]}}],
            "linux":{{"cgroupsPath":"/{name}","namespaces":[{{"type":"mount"}},{{"type":"pid"}}],
                "resources":{{"cpu":{cpu}}}}}}}"#
        );
        fs::write(world.folder.path().join("config.json"), config).unwrap();
        // Also where it is refused there may be something to remove.
        let container = Self { world, runtime, name };
        // The root that it runs in is a chroot, out of which nothing can be pivoted.
        container.call(&["run", "--detach", "--no-pivot", "--bundle", "/mnt", &container.name])?;
        Ok(container)
    }

    fn call(&self, args: &[&str]) -> Result<(), String> {
        self.runtime.call(self.world.folder.path(), args).map(|_| ())
    }

    /// `update`, with everything in a file: the flags know no burst.
    pub(crate) fn update(&self, cpu: Cpu) -> Result<(), String> {
        fs::write(self.world.folder.path().join("update.json"), format!("{{\"cpu\":{cpu}}}")).unwrap();
        self.call(&["update", "--resources", "/mnt/update.json", &self.name])
    }

    /// The group, opened anew.
    pub(crate) fn cgroup(&self) -> Cgroup {
        Cgroup::open(&self.world.hierarchies, &Path::new("/").join(&self.name)).unwrap()
    }

    pub(crate) fn observed(&self) -> Observed {
        self.cgroup().observe().unwrap()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        // First by hand: `delete` looks ten times a second whether it has ended.
        if let Ok(Some(group)) = self.world.hierarchies.cpu().open(&Path::new("/").join(&self.name)) {
            for _ in 0..5000 {
                if world::end_members(group.path()) {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        let _ = self.call(&["delete", "--force", &self.name]);
        world::clear(&self.name);
    }
}
