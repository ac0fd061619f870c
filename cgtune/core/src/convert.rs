//! What a Kubernetes CPU request and limit become in the kernel's files, and who converts with which formula.
//!
//! Here live the formulas of the kubelet and of the low-level runtimes, each with its source and version, CPU
//! quantities, and the conversion of one container ([`ContainerCpu::convert`]). Deliberately absent: reading
//! manifests, and what is found on a machine. Nothing is chosen in silence: a [`Conversion`] carries the formula
//! it used, and everything that a reader should be told about it as [`Warning`]s.
//!
//! ```
//! use cgtune_core::convert::{ContainerCpu, WeightFormula};
//!
//! let asked = ContainerCpu { request: Some("500m".parse()?), limit: Some("2".parse()?), ..ContainerCpu::default() };
//! let conversion = asked.convert(WeightFormula::Logarithmic)?;
//! assert_eq!(conversion.shares.get(), 512);
//! assert_eq!(conversion.weight.get(), 59);
//! assert_eq!(conversion.bandwidth.cpus(), Some(2.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod burst;
pub mod container;
pub mod kubelet;
pub mod quantity;
pub mod warning;
pub mod weight;

pub use burst::{Burst, BurstError};
pub use container::{ContainerCpu, Conversion, ConvertError, RequestOrigin};
pub use quantity::{CpuQuantity, QuantityError, QuantityFault};
pub use warning::Warning;
pub use weight::WeightFormula;

/// The Kubernetes version whose behaviour is assumed where none is named: the newest release that was read.
pub const ASSUMED_KUBERNETES: &str = "1.36";
