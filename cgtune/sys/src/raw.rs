//! The unsafe calls: clone3 into a cgroup, and affinity masks of any length. Nothing else in this crate is unsafe.

use std::{
    ffi::{CStr, CString},
    io,
    mem::size_of,
    os::fd::{AsRawFd as _, BorrowedFd, RawFd},
    ptr,
};

use nix::{
    errno::Errno,
    libc::{self, c_char, c_int, c_long},
};

/// A program made ready to be executed: after the clone only system calls may happen, no allocation.
pub(crate) struct Image {
    program: CString,
    args: Vec<CString>,
    env: Vec<CString>,
}

impl Image {
    pub(crate) fn new(program: CString, args: Vec<CString>, env: Vec<CString>) -> Self {
        Self { program, args, env }
    }
}

/// Where the child's standard streams go; `None` leaves ours.
pub(crate) struct Streams<'a> {
    pub(crate) stdin: BorrowedFd<'a>,
    pub(crate) stdout: BorrowedFd<'a>,
    /// Close-on-exec: the child writes its errno here when it could not become the program.
    pub(crate) failure: BorrowedFd<'a>,
}

/// `struct clone_args` as of Linux 5.7 (include/uapi/linux/sched.h), the first with a cgroup.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// CLONE_INTO_CGROUP (include/uapi/linux/sched.h).
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Starts a program as a child of this process, born inside the v2 cgroup if one is given; v1 groups are inherited
/// from the calling thread.
pub(crate) fn spawn(
    image: &Image,
    streams: &Streams<'_>,
    cgroup: Option<BorrowedFd<'_>>,
) -> io::Result<libc::pid_t> {
    let pointers = |strings: &[CString]| -> Vec<*const c_char> {
        strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect()
    };
    let (argv, envp) = (pointers(&image.args), pointers(&image.env));
    let (stdin, stdout, failure) =
        (streams.stdin.as_raw_fd(), streams.stdout.as_raw_fd(), streams.failure.as_raw_fd());

    let mut args =
        CloneArgs { exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()), ..CloneArgs::default() };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    // SAFETY: without CLONE_VM the child runs on a copy of our memory, as after fork. It calls `become_program` only,
    // which makes system calls on memory prepared above and never returns, so no lock or allocator that another
    // thread held at this instant is touched.
    let mut pid =
        unsafe { libc::syscall(libc::SYS_clone3, ptr::from_mut(&mut args), size_of::<CloneArgs>()) };
    if pid == -1 && Errno::last() == Errno::ENOSYS && cgroup.is_none() {
        // Older container runtimes hide clone3 behind ENOSYS; on v1 nothing of it is needed.
        // SAFETY: as above.
        pid = unsafe { c_long::from(libc::fork()) };
    }
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => become_program(&image.program, &argv, &envp, stdin, stdout, failure),
        pid => libc::pid_t::try_from(pid).map_err(io::Error::other),
    }
}

/// What the child does. Async-signal-safe calls only.
fn become_program(
    program: &CStr,
    argv: &[*const c_char],
    envp: &[*const c_char],
    stdin: RawFd,
    stdout: RawFd,
    failure: RawFd,
) -> ! {
    // SAFETY: all pointers come from live, NUL-terminated and NULL-ended buffers of the caller; the calls are
    // async-signal-safe (signal-safety(7)), and this function does not return.
    unsafe {
        // A group of its own: the terminal's Ctrl-C reaches our parent, which ends us in order.
        libc::setpgid(0, 0);
        // Rust ignores SIGPIPE and its threads may block signals; a program expects neither.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        if libc::dup2(stdin, libc::STDIN_FILENO) != -1 && libc::dup2(stdout, libc::STDOUT_FILENO) != -1 {
            libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr());
        }
        let errno = *libc::__errno_location();
        libc::write(failure, ptr::from_ref(&errno).cast(), size_of::<c_int>());
        libc::_exit(127)
    }
}

/// Words of a CPU mask that reaches past the largest machine mainline supports (8192 CPUs).
const MASK_WORDS: usize = 8192 / 64;

/// The CPUs that a thread may run on; 0 is the calling thread.
pub(crate) fn affinity(tid: u32) -> io::Result<Vec<u64>> {
    let mut mask = vec![0_u64; MASK_WORDS];
    // SAFETY: the kernel writes at most the given number of bytes into the live buffer.
    let bytes = unsafe {
        libc::syscall(libc::SYS_sched_getaffinity, tid, mask.len() * size_of::<u64>(), mask.as_mut_ptr())
    };
    let bytes = usize::try_from(bytes).map_err(|_| io::Error::last_os_error())?;
    mask.truncate(bytes.div_ceil(size_of::<u64>()));
    Ok(mask)
}

/// Sets them.
pub(crate) fn set_affinity(tid: u32, mask: &[u64]) -> io::Result<()> {
    // SAFETY: the kernel reads the given number of bytes from the live slice.
    let result = unsafe { libc::syscall(libc::SYS_sched_setaffinity, tid, size_of_val(mask), mask.as_ptr()) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
