//! How a failure is told: `error: …` with its causes, a picture where there is one, and `hint: …`.

use std::{
    fmt,
    io::{self, Write},
};

use crate::{
    exit::Exit,
    render::paragraph,
    streams::{self, ERROR, HINT},
};

/// An error with what to do about it, to be found anywhere in an [`anyhow::Error`]'s chain.
#[derive(Debug)]
pub(crate) struct Hinted {
    error: anyhow::Error,
    /// Lines shown as they are between the error and the hint.
    picture: Option<String>,
    hint: String,
}

impl Hinted {
    pub(crate) fn new(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), picture: None, hint: hint.into() }
    }

    /// What to do is a command. It stays whole, on a line of its own where it does not fit on the hint's.
    pub(crate) fn command(error: impl Into<anyhow::Error>, why: &str, command: String) -> Self {
        let line = format!("{why}: {command}");
        if "hint: ".len() + line.chars().count() <= paragraph::WIDTH {
            return Self::new(error, line);
        }
        Self::new(error, format!("{why}, with this command")).with_picture(command)
    }

    /// With a picture of the place, free of control characters.
    pub(crate) fn with_picture(self, picture: String) -> Self {
        Self { picture: Some(picture), ..self }
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// The error and its causes on one line; a cause that the line already holds is not said again.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |line, cause| {
        let cause = cause.to_string();
        match line.as_str() {
            "" => cause,
            said if said.contains(&cause) => line,
            said => format!("{said}: {cause}"),
        }
    })
}

/// Tells a failure and gives the exit code for it.
///
/// A reader of our output that went away is no failure: it had what it wanted. An I/O error to which nobody
/// gave a context is one of writing the answer; every other one comes with the name of its file.
pub(crate) fn report(error: &anyhow::Error, err: &mut dyn Write) -> Exit {
    // Not `error.downcast_ref`, which also looks under a context.
    let writing = error.chain().next().and_then(|outermost| outermost.downcast_ref::<io::Error>());
    if writing.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe) {
        return Exit::Done;
    }
    let line = match writing {
        Some(cause) => format!("cannot write the answer: {cause}"),
        None => sentence(error),
    };
    // With stderr gone as well there is nobody left to tell; the exit code still says it.
    let _ = tell(error, &line, err);
    Exit::Failed
}

fn tell(error: &anyhow::Error, line: &str, err: &mut dyn Write) -> io::Result<()> {
    streams::labelled(err, "error", ERROR, line)?;
    let Some(hinted) = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()) else {
        return err.flush();
    };
    for line in hinted.picture.iter().flat_map(|picture| picture.lines()) {
        writeln!(err, "  {line}")?;
    }
    streams::labelled(err, "hint", HINT, &hinted.hint)?;
    err.flush()
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    fn told(error: &anyhow::Error) -> String {
        let mut err = anstream::StripStream::new(Vec::new());
        assert_eq!(report(error, &mut err), Exit::Failed);
        String::from_utf8(err.into_inner()).unwrap()
    }

    #[test]
    fn causes_follow_once_and_the_hint_is_found_under_them() {
        let inner = Hinted::new(anyhow!("burst above quota"), "lower it").with_picture("101%\n^".into());
        let error = Err::<(), _>(inner).context("cannot write it").unwrap_err();
        assert_eq!(told(&error), "error: cannot write it: burst above quota\n  101%\n  ^\nhint: lower it\n");
        let repeated = anyhow!("no such file").context("cannot open x: no such file");
        assert_eq!(told(&repeated), "error: cannot open x: no such file\n");
    }

    #[test]
    fn what_was_typed_cannot_steer_the_terminal() {
        assert_eq!(told(&anyhow!("\"\x1b[2J\" is no duration")), "error: \"\\x1b[2J\" is no duration\n");
    }

    #[test]
    fn a_broken_pipe_is_quiet_only_where_the_answer_was_written() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let mut err = Vec::new();
        assert_eq!(report(&broken().into(), &mut err), Exit::Done);
        assert!(err.is_empty());
        assert!(told(&anyhow::Error::from(broken()).context("cannot ask the runtime")).contains("runtime"));
    }
}
