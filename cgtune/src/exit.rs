//! What the process's exit code says.

use std::{fmt::Write as _, process::ExitCode};

/// Every exit code of this tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, also when there are findings that nobody asked to gate on.
    Done,
    /// A finding or a regression, under a flag that asks for it.
    Found,
    /// An error or wrong use; clap uses the same number.
    Failed,
    /// Interrupted; what was done is kept.
    Interrupted,
}

impl Exit {
    const ALL: [Self; 4] = [Self::Done, Self::Found, Self::Failed, Self::Interrupted];

    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::Failed => 2,
            // 128 + SIGINT, as shells count.
            Self::Interrupted => 130,
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, also when there are findings nobody asked to gate on",
            Self::Found => "a finding or regression, under a flag that asks for it",
            Self::Failed => "an error or wrong use",
            Self::Interrupted => "interrupted; what was done is kept",
        }
    }

    /// The list of codes at the end of `cgtune --help`.
    pub(crate) fn help() -> String {
        let mut text = String::from("Exit codes:\n");
        for exit in Self::ALL {
            let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
        }
        text
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
