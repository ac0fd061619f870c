//! Programs of Debian's archive for tests: fetched once and unpacked into `~/.cache`. Nothing is installed: a package's installation
//! would start its daemon, or take the place of something.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder into which `packages` are unpacked, and nothing else is; once fetched they are kept.
///
/// # Panics
/// With what to do, where they cannot be fetched.
pub(crate) fn unpacked(folder: &str, packages: &[String]) -> PathBuf {
    let home = env::var_os("HOME").unwrap_or_else(|| "/root".into());
    let root = Path::new(&home).join(".cache/cgtune-testbed").join(folder);
    if root.join("complete").exists() {
        return root;
    }
    let downloads = root.join("download");
    fs::create_dir_all(&downloads).unwrap();
    let download = || {
        let mut apt = Command::new("apt-get");
        apt.current_dir(&downloads).args(["-q", "download"]).args(packages);
        apt
    };
    if !download().output().is_ok_and(|output| output.status.success()) {
        run(Command::new("apt-get").args(["-q", "update"]), packages);
        run(&mut download(), packages);
    }
    for package in fs::read_dir(&downloads).unwrap() {
        run(Command::new("dpkg-deb").arg("-x").arg(package.unwrap().path()).arg(&root), packages);
    }
    fs::remove_dir_all(&downloads).unwrap();
    fs::write(root.join("complete"), "").unwrap();
    root
}

/// A package, and those that this machine would have to install with it.
#[allow(dead_code, reason = "not every test that unpacks asks for it")]
pub(crate) fn with_what_it_needs(package: &str) -> Vec<String> {
    let simulated = || {
        let mut apt = Command::new("apt-get");
        apt.args(["-q", "-s", "--no-install-recommends", "install", package]);
        apt
    };
    if !simulated().output().is_ok_and(|output| output.status.success()) {
        run(Command::new("apt-get").args(["-q", "update"]), &[package.to_owned()]);
    }
    let said = run(&mut simulated(), &[package.to_owned()]);
    let named = said.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    let all: BTreeSet<String> = named.chain([package]).map(str::to_owned).collect();
    all.into_iter().collect()
}

/// What it says on stdout.
fn run(command: &mut Command, packages: &[String]) -> String {
    let output = command.output();
    let said = output.as_ref().map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    let done = output.as_ref().is_ok_and(|output| output.status.success());
    let packages = packages.join(" ");
    assert!(
        done,
        "this test needs programs of Debian's packages {packages}, and fetching them failed ({command:?}: {said:?}). Are apt's lists \
         current (apt-get update)? Or install them: apt-get install {packages}"
    );
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}
