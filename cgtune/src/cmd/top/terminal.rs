//! The terminal, taken and given back: whatever happens in between, also a panic, it is left as it was found.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write},
    os::fd::AsFd as _,
    sync::{Mutex, Once, PoisonError},
};

use anyhow::anyhow;
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor, execute,
        terminal::{
            Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
        },
    },
};

use crate::failure::Hinted;

/// What a panic in another thread than the main one said. `main` holds the locks of stdout and stderr, so nobody else can.
static SAID: Mutex<Option<String>> = Mutex::new(None);

/// A terminal of our own until it is dropped.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<File>>>,
}

/// Whether there is a terminal that a table can live on.
///
/// # Errors
/// What is missing, with what to do instead.
pub(crate) fn check() -> anyhow::Result<()> {
    const INSTEAD: &str = "cgtune top --once prints one frame as text, cgtune top --json a line a tick";
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Hinted::new(anyhow!("the table needs a terminal for stdin and stdout"), INSTEAD).into());
    }
    match std::env::var("TERM") {
        Ok(term) if term == "dumb" => {
            let error = anyhow!("this terminal cannot place its cursor (TERM=dumb)");
            Err(Hinted::new(error, INSTEAD).into())
        }
        _ => Ok(()),
    }
}

impl Screen {
    pub(crate) fn enter() -> io::Result<Self> {
        // Not through std's stdout, whose lock main holds: a panic hook of another thread must be able to write, too.
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let for_hook = out.try_clone()?;
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let main = std::thread::current().id();
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                leave(&mut &for_hook);
                if std::thread::current().id() == main {
                    usual(panic);
                } else {
                    *SAID.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic.to_string());
                }
            }));
        });
        let mut screen = Self { terminal: Terminal::new(CrosstermBackend::new(BufWriter::new(out)))? };
        enable_raw_mode()?;
        // Not `Terminal::clear`, which asks the terminal where its cursor is and fails where nobody answers.
        execute!(screen.terminal.backend_mut(), EnterAlternateScreen, cursor::Hide, Clear(ClearType::All))?;
        Ok(screen)
    }

    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut ratatui::buffer::Buffer)) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame.buffer_mut())).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave(self.terminal.backend_mut());
    }
}

/// Gives the terminal back. One that is gone cannot be, and needs not.
fn leave(out: &mut impl Write) {
    let _ = execute!(out, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
}

/// What a panic in another thread said, if one has.
pub(crate) fn panic_elsewhere() -> Option<String> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::Read as _,
        process::{Command, Stdio},
    };

    use nix::{
        pty::{Winsize, openpty},
        sys::termios::tcgetattr,
    };

    use super::*;

    /// Set in the process that is to panic.
    const WHO: &str = "CGTUNE_TEST_PANIC";

    /// Not a test of its own: what the next one starts on a terminal.
    #[test]
    fn inner_process_that_panics() {
        let Some(who) = std::env::var_os(WHO) else { return };
        let _screen = Screen::enter().unwrap();
        if who == "this thread" {
            panic!("as asked: this thread");
        }
        let died = std::thread::spawn(|| panic!("as asked: another thread")).join();
        assert!(died.is_err());
        let said = panic_elsewhere().unwrap();
        assert!(said.contains("as asked: another thread"), "{said}");
    }

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_told() {
        for (who, succeeds) in [("this thread", false), ("another thread", true)] {
            let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
            let pty = openpty(&size, None).expect("this test needs a pseudoterminal (/dev/ptmx)");
            let before = tcgetattr(&pty.slave).unwrap();
            let end = || Stdio::from(pty.slave.try_clone().unwrap());
            let name = "cmd::top::terminal::tests::inner_process_that_panics";
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture", "--test-threads", "1"])
                .env(WHO, who)
                .stdin(end())
                .stdout(end())
                .stderr(end())
                .spawn()
                .unwrap();
            let mut master = File::from(pty.master);
            let said = std::thread::spawn(move || {
                let mut said = Vec::new();
                let mut bytes = [0; 4096];
                // Ends with EIO when nobody has the other end open.
                while let Ok(n @ 1..) = master.read(&mut bytes) {
                    said.extend_from_slice(&bytes[..n]);
                }
                String::from_utf8_lossy(&said).into_owned()
            });
            let status = child.wait().unwrap();
            assert!(tcgetattr(&pty.slave).unwrap() == before, "{who}: raw mode was left on");
            drop(pty.slave);
            let said = said.join().unwrap();
            assert_eq!(status.success(), succeeds, "{who}: {said}");
            let (entered, left) = (said.find("\x1b[?1049h"), said.find("\x1b[?1049l"));
            assert!(entered.is_some() && left > entered, "{who}: {said:?}");
            if let Some(told) = said.find("as asked") {
                assert!(left < Some(told), "{who}: told on the alternate screen, which is gone: {said:?}");
            }
        }
    }
}
