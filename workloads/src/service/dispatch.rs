//! Requests enter the queue at their times.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::config::ServiceConfig;
use super::piece::{Piece, Run};
use super::queue::Queue;
use super::requests::Request;
use crate::Error;
use crate::latency::MonotonicNs;

/// Queues each request at its intended start, or at once when that has passed, until there are no more or the other end
/// of `hang_up` is dropped.
pub(super) fn dispatch(
    run: &Arc<Run>,
    config: &ServiceConfig,
    requests: impl Iterator<Item = Request>,
    queue: &Queue<Piece>,
    hang_up: &Receiver<Infallible>,
) -> Result<(), Error> {
    for (index, Request { intended_ns, demand_ns }) in (0..=u32::MAX).zip(requests) {
        let ns_left = run.origin.plus_ns(intended_ns).ns_since(MonotonicNs::now()?);
        // As exact as `clock::sleep_until`, which only a signal would end: a run must end though its next request is an
        // hour away.
        match hang_up.recv_timeout(Duration::from_nanos(ns_left)) {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Ok(never) => match never {},
        }
        queue.push(Piece::all_of(run, index, intended_ns, config.fan_out, config.piece_ns(demand_ns)));
    }
    Ok(())
}
