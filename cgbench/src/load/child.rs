//! The child's end. It knows nothing of cgroups: it was born in one.

use std::{
    io::{BufRead as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use workloads::{h264::EncodeLoop, hog, service::Service};

use super::{Answer, LoadConfig, Start};
use crate::plan::{Instrument, Load};

/// Runs the load that standard input asks for.
///
/// # Errors
/// A malformed request, a load that cannot be prepared, a closed standard output.
pub fn run() -> anyhow::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    input.read_line(&mut line)?;
    let config: LoadConfig = serde_json::from_str(&line)?;
    drop(input);
    match config {
        LoadConfig::Hog { threads, manner } => {
            let stop = stop_when_input_closes();
            say(&Answer::Ready)?;
            hog::burn(threads, manner, &stop);
        }
        LoadConfig::Planned { load, instrument } => match *load {
            Load::Encode(load) => {
                let mut encoder = EncodeLoop::prepare(&load.encode)?;
                let Some((start, stop)) = told_to_start()? else { return Ok(()) };
                let mut reporter = Reporter::new(instrument, &stop);
                encoder.run(&load.clock, start.origin, start.count, &stop, &mut |frame| {
                    reporter.say(Answer::Frame(frame.clone()));
                })?;
                reporter.finish()?;
            }
            Load::Service(load) => {
                let mut service = Service::prepare(&load.service)?;
                let Some((start, stop)) = told_to_start()? else { return Ok(()) };
                let mut reporter = Reporter::new(instrument, &stop);
                service.run(start.origin, start.count, &stop, &mut |request| {
                    reporter.say(Answer::Request(*request));
                })?;
                reporter.finish()?;
            }
        },
    }
    Ok(())
}

/// Says that it is prepared, and waits for what to do; `None` where nobody is there any more.
fn told_to_start() -> anyhow::Result<Option<(Start, Arc<AtomicBool>)>> {
    say(&Answer::Ready)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some((serde_json::from_str(&line)?, stop_when_input_closes())))
}

/// Tells the parent what was done, at once or at the end.
struct Reporter<'a> {
    /// Where all is told at the end.
    kept: Option<Vec<Answer>>,
    stop: &'a AtomicBool,
    failure: Option<anyhow::Error>,
}

impl<'a> Reporter<'a> {
    fn new(instrument: Instrument, stop: &'a AtomicBool) -> Self {
        let kept = match instrument {
            Instrument::Full => None,
            Instrument::Bare => Some(Vec::new()),
        };
        Self { kept, stop, failure: None }
    }

    /// The parent collects while we sleep; a frame's line costs about a thousandth of the frame.
    fn say(&mut self, answer: Answer) {
        match &mut self.kept {
            Some(kept) => kept.push(answer),
            None => {
                if let Err(error) = say(&answer) {
                    self.failure.get_or_insert(error);
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        self.kept.into_iter().flatten().try_for_each(|answer| say(&answer))?;
        if !self.stop.load(Ordering::Relaxed) {
            say(&Answer::Done)?;
        }
        Ok(())
    }
}

/// A flag that a sleeping thread sets when nobody holds the other end of our input any more.
fn stop_when_input_closes() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().lock().read_until(b'\0', &mut rest);
        flag.store(true, Ordering::Relaxed);
    });
    stop
}

fn say(answer: &Answer) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut output = std::io::stdout().lock();
    output.write_all(&line)?;
    output.flush()?;
    Ok(())
}
