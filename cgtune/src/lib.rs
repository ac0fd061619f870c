//! cgtune for those who embed it: one crate to depend on, under whose name the parts are found.
//!
//! The tool of the same name is a thin skin over these parts; what it prints is its own affair and not offered here.
//!
//! ```
//! use cgtune::core::convert::{ContainerCpu, Setting};
//!
//! let asked = ContainerCpu { request: Some("250m".parse()?), ..ContainerCpu::default() };
//! assert_eq!(asked.convert(&Setting::default())?.weight().map(|weight| weight.get()), Some(35));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(inline)]
pub use cgtune_core as core;
