//! Threads that encode slices, kept from frame to frame: starting one for each frame would add a
//! jitter of its own.
//!
//! A slice travels to its thread and back by value, so nothing is shared but what nobody writes.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::slice::{PictureTask, Slice};
use crate::Error;

/// One thread for each slice but the first, which the caller encodes itself.
#[derive(Debug)]
pub(super) struct Pool {
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    /// `None` only while the pool is being dropped: hanging up ends the thread.
    orders: Option<SyncSender<(PictureTask, Slice)>>,
    results: Receiver<Slice>,
    thread: Option<JoinHandle<()>>,
}

impl Pool {
    /// Starts `threads` threads.
    pub(super) fn start(threads: usize) -> Result<Self, Error> {
        let mut workers = Vec::with_capacity(threads);
        for number in 1..=threads {
            let (orders, incoming) = sync_channel::<(PictureTask, Slice)>(1);
            let (outgoing, results) = sync_channel(1);
            let name = format!("slice-{number}");
            let work = move || {
                while let Ok((task, mut slice)) = incoming.recv() {
                    slice.encode(&task);
                    // Before the slice goes back: whoever has all slices may write the pictures.
                    drop(task);
                    if outgoing.send(slice).is_err() {
                        return;
                    }
                }
            };
            let thread = Builder::new()
                .name(name.clone())
                .spawn(work)
                .map_err(|source| Error::StartThread { name, source })?;
            workers.push(Worker { orders: Some(orders), results, thread: Some(thread) });
        }
        Ok(Self { workers })
    }

    /// Encodes all slices of a picture; they are back in their places afterwards.
    pub(super) fn encode(&self, task: &PictureTask, slices: &mut Vec<Slice>) -> Result<(), Error> {
        let rest = slices.split_off(1);
        for (index, (worker, slice)) in self.workers.iter().zip(rest).enumerate() {
            let lost = Error::ThreadLost { thread: index + 1 };
            let Some(orders) = &worker.orders else { return Err(lost) };
            orders.send((task.clone(), slice)).map_err(|_| lost)?;
        }
        for slice in slices.iter_mut() {
            slice.encode(task);
        }
        for (index, worker) in self.workers.iter().enumerate() {
            slices.push(worker.results.recv().map_err(|_| Error::ThreadLost { thread: index + 1 })?);
        }
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            worker.orders = None;
        }
        for worker in &mut self.workers {
            if let Some(thread) = worker.thread.take() {
                // A panic was reported when it happened; there is nobody left to tell.
                let _ = thread.join();
            }
        }
    }
}
