//! The child's end. It knows nothing of cgroups: it was born in one.

use std::{
    io::{BufRead as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use workloads::{h264::EncodeLoop, hog};

use super::{Answer, LoadConfig, Start};

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
        LoadConfig::Encode(config) => {
            let mut encoder = EncodeLoop::prepare(&config)?;
            say(&Answer::Ready)?;
            line.clear();
            std::io::stdin().lock().read_line(&mut line)?;
            if line.is_empty() {
                return Ok(());
            }
            let start: Start = serde_json::from_str(&line)?;
            let stop = stop_when_input_closes();
            let mut failure = None;
            encoder.run(&start.clock, start.origin, start.frames, &stop, &mut |frame| {
                // The parent collects while we sleep; a frame's line costs about a thousandth of the frame.
                if let Err(error) = say(&Answer::Frame(frame.clone())) {
                    failure.get_or_insert(error);
                    stop.store(true, Ordering::Relaxed);
                }
            })?;
            if let Some(error) = failure {
                return Err(error);
            }
            if !stop.load(Ordering::Relaxed) {
                say(&Answer::Done)?;
            }
        }
    }
    Ok(())
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
