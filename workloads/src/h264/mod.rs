//! An H.264 encoder that encodes a clip against a frame clock.
//!
//! A baseline-profile encoder (ITU-T H.264 Annex A.2.1): I_16x16, P_L0_16x16 and P_Skip macroblocks,
//! CAVLC, quarter-sample motion, one reference picture, the deblocking filter on. It does an
//! encoder's work on real pictures rather than imitate its timing, so that CPU time varies from
//! frame to frame for the reason it does in production: the content.
//!
//! A frame is a *serial head* (copy of the source, lookahead, choice of type and QP), slices
//! encoded in parallel, and a *serial tail* (assembly, deblocking, half-sample planes), as in an
//! encoder with sliced threads. One file a stage, each naming the clause that it follows. [`Waste`] adds to each frame
//! what a careless change would.
//!
//! Not here: pictures ([`crate::video`]), the clock ([`crate::latency`]), choosing a size that
//! suits the machine ([`crate::calibrate`]).

mod bits;
mod cavlc;
mod cavlc_tables;
mod config;
#[cfg(test)]
mod content;
mod deblock;
mod distortion;
mod encode_loop;
mod encoder;
mod interpolation;
mod intra;
mod lookahead;
mod macroblock;
mod motion;
mod nal;
mod parameter_sets;
mod pool;
mod quantization;
mod rate_control;
mod reference;
mod residual;
mod search;
mod slice;
mod slice_header;
mod stages;
mod transform;
mod waste;

pub use crate::video::SceneConfig;
pub use config::EncodeConfig;
pub use encode_loop::EncodeLoop;
pub use encoder::{EncodedFrame, Encoder};
pub use stages::{Stage, StageTimes};
pub use waste::Waste;

/// Samples of a macroblock's luma, row by row.
type Luma = [[u8; 16]; 16];
/// Samples of one of a macroblock's chroma components, row by row.
type Chroma = [[u8; 8]; 8];
