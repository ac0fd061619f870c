//! Starting a program *inside* a cgroup: there is no moment at which it runs elsewhere.
//!
//! v2: the child is born there (clone3 with CLONE_INTO_CGROUP, 5.7+). v1: a helper thread joins each controller's
//! group by its thread id (`tasks`), starts the child, which inherits them, and ends. On a hybrid host both happen.
//! Moving a running process instead would charge its first milliseconds to the wrong group, and leave it there
//! should we die in between.

use std::{
    ffi::{CString, OsString},
    fs::File,
    io::{self, Read as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::PathBuf,
};

use cgtune_core::Layout;
use nix::{fcntl::OFlag, unistd::pipe2};

use crate::{
    dir::Dir,
    error::{Action, Error},
    process::Child,
    raw::{self, Image, Streams},
};

/// A program and its arguments. Our environment is passed on; standard input and output become pipes.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file to execute.
    pub path: PathBuf,
    /// What follows the program's own name.
    pub args: Vec<OsString>,
}

/// The groups to start in: each directory with the layout of its hierarchy.
pub(crate) type Places<'a> = &'a [(&'a Dir, Layout)];

pub(crate) fn spawn(program: &Program, places: Places<'_>) -> Result<Child, Error> {
    let failed = |error: io::Error| Error::io(Action::Spawn, &program.path, error);
    let image = image(program).map_err(failed)?;
    let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(|errno| failed(errno.into()));
    let ((child_in, our_out), (our_in, child_out), (our_failure, failure)) = (pipe()?, pipe()?, pipe()?);
    let streams = Streams { stdin: child_in.as_fd(), stdout: child_out.as_fd(), failure: failure.as_fd() };

    let v2 = places.iter().find(|(_, layout)| *layout == Layout::V2).map(|(dir, _)| dir.as_fd());
    let start = || -> Result<i32, Error> {
        for (dir, _) in places.iter().filter(|(_, layout)| *layout == Layout::V1) {
            // "0" is the writing thread itself (cgroup_attach_task via cgroup1_tasks_write, kernel/cgroup/cgroup-v1.c).
            dir.write("tasks", "0")?;
        }
        raw::spawn(&image, &streams, v2).map_err(failed)
    };
    let pid = std::thread::scope(|scope| match scope.spawn(start).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })?;
    drop((child_in, child_out, failure));
    let mut child = Child::new(pid, File::from(our_out), File::from(our_in));
    if let Some(error) = exec_failure(our_failure) {
        let _ = child.wait();
        return Err(failed(error));
    }
    Ok(child)
}

/// Waits until the child has become the program (the pipe closes) or says why it could not.
fn exec_failure(pipe: OwnedFd) -> Option<io::Error> {
    let mut errno = [0; 4];
    File::from(pipe)
        .read_exact(&mut errno)
        .ok()
        .map(|()| io::Error::from_raw_os_error(i32::from_ne_bytes(errno)))
}

fn image(program: &Program) -> io::Result<Image> {
    let c = |bytes: Vec<u8>| CString::new(bytes).map_err(io::Error::from);
    let path = c(program.path.as_os_str().as_bytes().to_vec())?;
    let args = std::iter::once(Ok(path.clone()))
        .chain(program.args.iter().map(|arg| c(arg.as_bytes().to_vec())))
        .collect::<io::Result<_>>()?;
    let env = std::env::vars_os()
        .map(|(key, value)| {
            let mut pair = key.into_vec();
            pair.push(b'=');
            pair.extend(value.into_vec());
            c(pair)
        })
        .collect::<io::Result<_>>()?;
    Ok(Image::new(path, args, env))
}
