//! The kubelet's configuration as far as CPU goes: what its fields mean, what a version of it takes, and what follows.
//!
//! Here live the fields of KubeletConfiguration v1beta1 that decide who gets which CPUs and how much of them, with their defaults and
//! feature gates by version, 1.30 to 1.36. Deliberately absent: reading files, and the choice of CPUs itself ([`crate::assign`]).
//! The kubelet's arithmetic is [`convert::kubelet`](crate::convert::kubelet).

pub mod gates;
pub mod options;

pub use gates::{Gate, Stage};
pub use options::{Options, PolicyOption};
