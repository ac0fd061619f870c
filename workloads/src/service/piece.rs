//! A piece of a request, and what is known of a request while its pieces are under way.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;
use crate::arithmetic::burn;
use crate::latency::{JobRecord, MonotonicNs};

/// What all pieces of a run need.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) origin: MonotonicNs,
    /// Whether nobody waits for the pieces any more.
    pub(super) ended: Arc<AtomicBool>,
    /// Where a request's record goes, or what failed. It hangs up with the last piece, so that whoever listens finds out
    /// if one was lost.
    pub(super) done: Sender<Result<JobRecord, Error>>,
}

/// Some of a request's work, for one worker.
#[derive(Debug)]
pub(super) struct Piece {
    request: Arc<UnderWay>,
    work_ns: u64,
}

#[derive(Debug)]
struct UnderWay {
    run: Arc<Run>,
    index: u32,
    intended_ns: u64,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    pieces_left: u32,
    /// Of the pieces that are done; `None` before the first.
    record: Option<JobRecord>,
}

impl Piece {
    /// All `count` pieces of a request, of `work_ns` CPU time each.
    pub(super) fn all_of(
        run: &Arc<Run>,
        index: u32,
        intended_ns: u64,
        count: u32,
        work_ns: u64,
    ) -> impl Iterator<Item = Self> {
        let progress = Mutex::new(Progress { pieces_left: count, record: None });
        let request = Arc::new(UnderWay { run: Arc::clone(run), index, intended_ns, progress });
        (0..count).map(move |_| Self { request: Arc::clone(&request), work_ns })
    }

    /// Does the work, and tells the request's record if this was its last piece.
    pub(super) fn work(self) {
        let told = match self.timed() {
            Ok(Some(part)) => self.request.finish(part).map(Ok),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        };
        if let Some(told) = told {
            // Whoever does not listen any more does not want to know.
            let _ = self.request.run.done.send(told);
        }
    }

    /// The record of this piece alone; `None` when the run ended meanwhile.
    fn timed(&self) -> Result<Option<JobRecord>, Error> {
        let &UnderWay { ref run, index, intended_ns, .. } = &*self.request;
        let start_ns = MonotonicNs::now()?.ns_since(run.origin);
        let Some(cpu_ns) = burn(self.work_ns, &run.ended)? else { return Ok(None) };
        let end_ns = MonotonicNs::now()?.ns_since(run.origin);
        Ok(Some(JobRecord { index, intended_ns, start_ns, end_ns, cpu_ns }))
    }
}

impl UnderWay {
    /// Adds a piece that is done; the whole record if it was the last.
    fn finish(&self, part: JobRecord) -> Option<JobRecord> {
        // A thread that panicked while it held the lock has left whole records behind.
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let record = progress.record.map_or(part, |record| record.joined(part));
        progress.record = Some(record);
        progress.pieces_left -= 1;
        (progress.pieces_left == 0).then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn pieces(ended: bool) -> (Vec<Piece>, Receiver<Result<JobRecord, Error>>) {
        let (done, told) = channel();
        let run = Arc::new(Run { origin: MonotonicNs::now().unwrap(), ended: Arc::new(ended.into()), done });
        (Piece::all_of(&run, 7, 0, 3, 50_000).collect(), told)
    }

    #[test]
    fn a_request_ends_with_its_last_piece() {
        let (mut pieces, told) = pieces(false);
        let last = pieces.pop().unwrap();
        pieces.into_iter().for_each(Piece::work);
        assert!(told.try_recv().is_err());
        last.work();
        let record = told.recv().unwrap().unwrap();
        assert_eq!(record.index, 7);
        assert!(record.cpu_ns >= 150_000 && record.start_ns + 150_000 <= record.end_ns, "{record:?}");
        assert!(told.recv().is_err(), "it hangs up with the last piece");
    }

    #[test]
    fn nothing_is_told_of_a_run_that_has_ended() {
        let (pieces, told) = pieces(true);
        pieces.into_iter().for_each(Piece::work);
        assert!(told.recv().is_err());
    }
}
