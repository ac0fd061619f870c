//! The kubelet's configuration as far as CPU goes: what its fields mean, what a release of it takes, and what follows.
//!
//! Here live the fields of KubeletConfiguration v1beta1 that decide who gets which CPUs and how much of them, with their defaults and
//! feature gates by release, 1.30 to 1.36 ([`KubeletConfig`], [`Effective`]), and what is wrong with such a configuration ([`check()`]),
//! and what it should say ([`recommend()`]).
//! Deliberately absent: reading files, and the choice of CPUs itself ([`crate::assign`]). The kubelet's arithmetic is
//! [`convert::kubelet`](crate::convert::kubelet).

pub mod check;
pub mod config;
pub mod duration;
pub mod fields;
pub mod finding;
pub mod gates;
pub mod options;
pub mod recommend;
pub mod release;
pub mod topology_manager;

pub use check::{Machine, check};
pub use config::{CpuManagerPolicy, Effective, KubeletConfig};
pub use duration::GoDuration;
pub use finding::{Fault, Finding, Place, Severity};
pub use gates::{Gate, Stage};
pub use options::{Options, PolicyOption};
pub use recommend::{Recommendation, Situation, recommend};
pub use release::{Release, UnknownRelease};
pub use topology_manager::{TopologyPolicy, TopologyScope};
