//! The child's end. It knows nothing of cgroups: it was born in one.

use std::{
    io::{BufRead as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
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
            say(&[Answer::Ready])?;
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
    say(&[Answer::Ready])?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some((serde_json::from_str(&line)?, stop_when_input_closes())))
}

/// Between two reports: each wakes the parent, which takes CPU time on the machine that is measured. What was done since is lost
/// when a block is interrupted.
const EVERY: Duration = Duration::from_secs(1);

/// Tells the parent what was done, now and then or at the end.
struct Reporter<'a> {
    instrument: Instrument,
    kept: Vec<Answer>,
    told: Instant,
    stop: &'a AtomicBool,
    failure: Option<anyhow::Error>,
}

impl<'a> Reporter<'a> {
    fn new(instrument: Instrument, stop: &'a AtomicBool) -> Self {
        Self { instrument, kept: Vec::new(), told: Instant::now(), stop, failure: None }
    }

    fn say(&mut self, answer: Answer) {
        self.kept.push(answer);
        if self.instrument == Instrument::Full && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            if let Err(error) = say(&std::mem::take(&mut self.kept)) {
                self.failure.get_or_insert(error);
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        if !self.stop.load(Ordering::Relaxed) {
            self.kept.push(Answer::Done);
        }
        say(&self.kept)
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

/// Each a line, all at once.
fn say(answers: &[Answer]) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for answer in answers {
        serde_json::to_writer(&mut lines, answer)?;
        lines.push(b'\n');
    }
    let mut output = std::io::stdout().lock();
    output.write_all(&lines)?;
    output.flush()?;
    Ok(())
}
