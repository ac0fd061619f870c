//! What can go wrong, as data: the sentence is the `Display`, the advice is [`Error::hint`].

use std::io;
use std::path::PathBuf;

/// An error of a load. `Display` says what was tried and with which value; [`Error::hint`] what to
/// do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that no encoder or clock can work with.
    #[error("cannot use {name} {value}")]
    Setting {
        /// The setting's name, as in the configuration.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// What would be accepted.
        hint: &'static str,
    },
    /// A clip that cannot be opened or read.
    #[error("cannot read clip {}", path.display())]
    ReadClip {
        /// The clip.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A clip that is not what we can decode.
    #[error("cannot parse clip {}: {reason}", path.display())]
    ParseClip {
        /// The clip.
        path: PathBuf,
        /// What is wrong with it.
        reason: crate::video::y4m::Y4mError,
    },
    /// The configured picture size is not the clip's.
    #[error("cannot encode {}: it is {found_width}x{found_height}, configured is {width}x{height}", path.display())]
    ClipSize {
        /// The clip.
        path: PathBuf,
        /// Its width.
        found_width: u32,
        /// Its height.
        found_height: u32,
        /// The width of the configuration.
        width: u32,
        /// The height of the configuration.
        height: u32,
    },
    /// A kernel clock that cannot be read or slept on.
    #[error("cannot use the {clock} clock")]
    Clock {
        /// The clock's name.
        clock: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The encoded stream could not be written.
    #[error("cannot write the encoded stream")]
    WriteStream(#[source] io::Error),
    /// What takes bytes and drops them could not be opened.
    #[error("cannot open {}", path.display())]
    OpenSink {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start thread {name}")]
    StartThread {
        /// The thread's name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A slice thread ended before its slice was encoded.
    #[error("cannot finish the frame: slice thread {thread} ended early")]
    ThreadLost {
        /// The number of the thread, from 1.
        thread: usize,
    },
    /// A worker of a service ended, and the pieces of requests that it had taken with it.
    #[error("cannot finish {lost} requests: a worker ended early")]
    RequestsLost {
        /// Requests that will never end.
        lost: u32,
    },
    /// No picture size costs what was asked for.
    #[error(
        "cannot reach a share of {wanted:.2} of the frame interval: {width}x{height} costs {measured:.3}"
    )]
    Share {
        /// The share that was asked for.
        wanted: f64,
        /// The share of the nearest picture size.
        measured: f64,
        /// That size's width.
        width: u32,
        /// That size's height.
        height: u32,
    },
}

impl Error {
    /// What to do about it, where we know.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Setting { hint, .. } => Some(hint),
            Self::ReadClip { .. } => Some("a clip is a regular YUV4MPEG2 file that this user may read"),
            Self::ParseClip { .. } => {
                Some("convert it first: ffmpeg -i IN -pix_fmt yuv420p -f yuv4mpegpipe OUT.y4m")
            }
            Self::ClipSize { .. } => Some("leave the size to the clip, or scale the clip"),
            Self::Share { .. } => Some("ask for a share that fits, or change the frame rate or the threads"),
            Self::StartThread { .. } => {
                Some("fewer threads, or a higher limit of processes (pids.max, ulimit -u)")
            }
            Self::OpenSink { .. } => Some("leave out the small writes, or run where devices can be opened"),
            Self::Clock { .. }
            | Self::WriteStream(_)
            | Self::ThreadLost { .. }
            | Self::RequestsLost { .. } => None,
        }
    }
}
