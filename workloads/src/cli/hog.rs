//! `workloads hog`.

use std::thread;
use std::time::Instant;

use workloads::hog::{self, Manner};

use super::args::HogArgs;
use super::ending::{Ending, Stop};

pub(crate) fn run(args: &HogArgs) -> anyhow::Result<Ending> {
    let stop = Stop::listen(args.until_stdin_closes)?;
    if let Some(duration) = args.duration {
        let (end, stop) = (Instant::now() + duration, stop.clone());
        // Not joined: the process may end earlier.
        thread::spawn(move || {
            thread::sleep(end.saturating_duration_since(Instant::now()));
            stop.flag().store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
    hog::burn(args.threads, Manner::Greedy, stop.flag());
    Ok(stop.ending())
}
