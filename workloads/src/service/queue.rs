//! What waits for a free worker, first come, first served.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue that any number of threads take from.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { waiting: VecDeque::new(), closed: false }), filled: Condvar::new() }
    }

    /// Puts all items behind what waits, next to each other, and wakes a thread for each.
    pub(super) fn push(&self, items: impl Iterator<Item = T>) {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.extend(items);
        let added = state.waiting.len() - before;
        drop(state);
        for _ in 0..added {
            self.filled.notify_one();
        }
    }

    /// Takes the first item, waiting for it; `None` when the queue is closed.
    pub(super) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            match state.waiting.pop_front() {
                Some(item) => return Some(item),
                None => state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Throws away what waits.
    pub(super) fn clear(&self) {
        self.lock().waiting.clear();
    }

    /// Lets nobody wait any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// A thread that panicked while it held the lock has left a whole queue behind.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn first_come_first_served() {
        let queue = Queue::new();
        queue.push([1, 2].into_iter());
        queue.push(std::iter::once(3));
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn each_item_is_taken_once_by_threads_that_wait() {
        let queue = Queue::new();
        let taken = thread::scope(|scope| {
            let take = || std::iter::from_fn(|| queue.pop()).take(25).collect::<Vec<u32>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            (0..20).for_each(|i| queue.push(i * 5..i * 5 + 5));
            let mut taken: Vec<u32> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            taken.sort_unstable();
            taken
        });
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_waits_for_a_closed_queue() {
        let queue: Queue<()> = Queue::new();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.pop());
            queue.close();
            assert_eq!(waiting.join().unwrap(), None);
        });
        queue.push(std::iter::once(()));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn what_was_thrown_away_is_not_served() {
        let queue = Queue::new();
        queue.push([1, 2].into_iter());
        queue.clear();
        queue.push(std::iter::once(3));
        assert_eq!(queue.pop(), Some(3));
    }
}
