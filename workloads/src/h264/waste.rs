//! What a careless change does to an encode loop, on purpose: so much more CPU time, memory traffic or system calls a
//! frame, for trying whether a gate against regressions notices.
//!
//! It comes after the frame and inside its time, on the calling thread alone. The stream stays the same, bit for bit.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::arithmetic::burn;

/// Ten times the frame is no longer careless.
const COMPUTE_MAX: f64 = 10.0;

/// No cache is as large, and a frame that goes through more takes seconds.
const MEMORY_MAX: u64 = 1 << 30;

/// Bytes a write: as of a program that writes each as it comes, and has no buffer.
const CHUNK: usize = 1;

/// Where the small writes go: a real descriptor, and a driver that does nothing with the bytes.
const SINK: &str = "/dev/null";

/// What is wasted on each frame; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Waste {
    /// Burns so much more CPU time, as a part of what the frame itself took on all threads: 0.05 is 5 % more. 0 to 10.
    pub compute_frac: f64,
    /// Reads and writes each byte of a buffer of this size once, up to 1 GiB.
    pub memory_bytes: u64,
    /// Writes the frame's stream to `/dev/null` byte by byte, each with a system call, where an encode loop writes it in
    /// one piece. Whoever takes the stream gets it as always.
    pub one_by_one: bool,
}

impl Waste {
    /// Whether nothing is wasted.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Checks what cannot be wasted.
    pub(super) fn check(&self) -> Result<(), Error> {
        if !(0.0..=COMPUTE_MAX).contains(&self.compute_frac) {
            return Err(Error::Setting {
                name: "wasted CPU time",
                value: self.compute_frac.to_string(),
                hint: "a part of the frame's own from 0 to 10, such as 0.05",
            });
        }
        if self.memory_bytes > MEMORY_MAX {
            return Err(Error::Setting {
                name: "wasted memory",
                value: self.memory_bytes.to_string(),
                hint: "0 to 1 GiB",
            });
        }
        Ok(())
    }
}

/// Whoever wastes.
#[derive(Debug)]
pub(super) struct Waster {
    compute_frac: f64,
    buffer: Vec<u8>,
    sink: Option<File>,
}

/// What was wasted on a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wasted {
    /// CPU time that was burned.
    pub(super) cpu_ns: u64,
    /// Bytes that were read and written.
    pub(super) bytes: usize,
    /// System calls.
    pub(super) writes: usize,
}

impl Waster {
    /// Allocates and touches the buffer and opens the sink, where they are needed.
    pub(super) fn prepare(waste: &Waste) -> Result<Self, Error> {
        let bytes = usize::try_from(waste.memory_bytes).unwrap_or(usize::MAX);
        let open = || {
            OpenOptions::new()
                .write(true)
                .open(SINK)
                .map_err(|source| Error::OpenSink { path: PathBuf::from(SINK), source })
        };
        Ok(Self {
            compute_frac: waste.compute_frac,
            // Ones, since pages of zeros would come only when they are first written.
            buffer: vec![1; bytes],
            sink: waste.one_by_one.then(open).transpose()?,
        })
    }

    /// Wastes what belongs to a frame that took `frame_cpu_ns` and became `stream`.
    pub(super) fn waste(&mut self, frame_cpu_ns: u64, stream: &[u8]) -> Result<Wasted, Error> {
        let wanted_ns = (self.compute_frac * frame_cpu_ns as f64) as u64;
        let cpu_ns = burn(wanted_ns, &AtomicBool::new(false))?.unwrap_or(0);
        for byte in black_box(&mut self.buffer).iter_mut() {
            *byte = byte.wrapping_add(1);
        }
        let mut writes = 0;
        if let Some(sink) = &mut self.sink {
            for chunk in stream.chunks(CHUNK) {
                sink.write_all(chunk).map_err(Error::WriteStream)?;
                writes += 1;
            }
        }
        Ok(Wasted { cpu_ns, bytes: self.buffer.len(), writes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn wasted(waste: &Waste, frame_cpu_ns: u64, stream: &[u8]) -> Wasted {
        Waster::prepare(waste).unwrap().waste(frame_cpu_ns, stream).unwrap()
    }

    #[test]
    fn by_default_nothing_is_wasted() {
        assert!(Waste::default().is_none());
        assert_eq!(wasted(&Waste::default(), 1_000_000, &[0; 100]), Wasted::default());
    }

    #[test]
    fn computing_takes_its_part_of_the_frame() {
        let waste = Waste { compute_frac: 0.5, ..Waste::default() };
        let before = clock::thread_cpu_ns().unwrap();
        let wasted = wasted(&waste, 4_000_000, &[]);
        assert!(wasted.cpu_ns >= 2_000_000 && clock::thread_cpu_ns().unwrap() - before >= wasted.cpu_ns);
        assert_eq!((wasted.bytes, wasted.writes), (0, 0));
    }

    #[test]
    fn each_byte_of_the_buffer_is_read_and_written_once_a_frame() {
        let mut waster = Waster::prepare(&Waste { memory_bytes: 1001, ..Waste::default() }).unwrap();
        for frame in 1..=300u32 {
            assert_eq!(waster.waste(0, &[]).unwrap().bytes, 1001);
            assert!(waster.buffer.iter().all(|&byte| u32::from(byte) == (1 + frame) % 256));
        }
    }

    #[test]
    fn a_stream_is_written_byte_by_byte() {
        let waste = Waste { one_by_one: true, ..Waste::default() };
        for bytes in [0, 1, 1000] {
            assert_eq!(wasted(&waste, 0, &vec![7; bytes]).writes, bytes);
        }
    }

    #[test]
    fn impossible_waste_is_refused_with_a_hint() {
        for bad in [
            Waste { compute_frac: -0.1, ..Waste::default() },
            Waste { compute_frac: f64::NAN, ..Waste::default() },
            Waste { compute_frac: 11.0, ..Waste::default() },
            Waste { memory_bytes: MEMORY_MAX + 1, ..Waste::default() },
        ] {
            assert!(bad.check().unwrap_err().hint().is_some(), "{bad:?}");
        }
    }
}
