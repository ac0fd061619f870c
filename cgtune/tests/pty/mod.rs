//! The tool on a terminal of its own: a pseudoterminal whose screen is kept by an emulator, so that tests see what a
//! person would.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Write as _},
    num::NonZero,
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    pty::{OpenptyResult, Winsize, openpty},
    sys::{
        signal::{Signal, kill},
        termios::{Termios, tcgetattr},
    },
    unistd::{Pid, ttyname},
};

/// Long enough for a loaded machine; only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with the tool on it.
pub(crate) struct Terminal {
    keys: File,
    device: OwnedFd,
    before: Termios,
    child: Child,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// Starts it on a terminal of that size.
    pub(crate) fn start(binary: &OsStr, args: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_as("xterm-256color", binary, args, columns, rows)
    }

    /// Starts it on a terminal of that kind.
    pub(crate) fn start_as(term: &str, binary: &OsStr, args: &[&str], columns: u16, rows: u16) -> Self {
        let pty = open(columns, rows);
        let before = tcgetattr(&pty.slave).unwrap();
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = Command::new(binary)
            .args(args)
            .env_clear()
            .env("TERM", term)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0)));
        let (theirs, mut from) = (Arc::clone(&screen), File::from(pty.master.try_clone().unwrap()));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut bytes) {
                theirs.lock().unwrap().process(&bytes[..n]);
            }
        });
        Self { keys: pty.master.into(), device: pty.slave, before, child, screen }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// What is on the screen.
    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen is as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if wanted(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "waited for {what}; the screen is:\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Another size, of which the kernel would tell a tool in the foreground of its session.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(at_least_one(rows), at_least_one(columns));
        let device = ttyname(&self.device).unwrap();
        let size = ["cols".to_owned(), columns.to_string(), "rows".to_owned(), rows.to_string()];
        assert!(Command::new("/bin/stty").arg("-F").arg(device).args(size).status().unwrap().success());
        self.signal(Signal::SIGWINCH);
    }

    /// Waits for the end, and checks that the terminal is as it was found.
    pub(crate) fn end(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end; the screen is:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(tcgetattr(&self.device).unwrap() == self.before, "raw mode was left on");
        // What it wrote last may still be on its way.
        while self.screen.lock().unwrap().screen().alternate_screen() {
            assert!(Instant::now() < deadline, "the alternate screen was left on");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!self.screen.lock().unwrap().screen().hide_cursor(), "the cursor was left hidden");
        status
    }
}

/// A pseudoterminal that is not inherited: one that a child holds open itself never hangs up.
pub(crate) fn open(columns: u16, rows: u16) -> OpenptyResult {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).expect("this test needs a pseudoterminal (/dev/ptmx)");
    for end in [&pty.master, &pty.slave] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    }
    pty
}

fn at_least_one(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap_or(NonZero::<u16>::MIN)
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
