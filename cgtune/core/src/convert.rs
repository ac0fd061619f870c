//! What a Kubernetes CPU request and limit become in the kernel's files, and who converts with which formula.
//!
//! Here live the formulas of the kubelet and of the low-level runtimes, each with its source and version,
//! quantities, the conversion of one container ([`ContainerCpu::convert`]) and of a pod ([`pod`]), and every form in
//! which the result can be written ([`target`]). Deliberately absent: reading manifests, and what is found on a machine. Nothing is chosen in silence: a [`Conversion`] carries the formula
//! it used, and everything that a reader should be told about it as [`Warning`]s.
//!
//! ```
//! use cgtune_core::convert::{ContainerCpu, Setting};
//!
//! let asked = ContainerCpu { request: Some("500m".parse()?), limit: Some("2".parse()?), ..ContainerCpu::default() };
//! let conversion = asked.convert(&Setting::default())?;
//! assert_eq!(conversion.shares.get(), 512);
//! assert_eq!(conversion.weight().map(|weight| weight.get()), Some(59));
//! assert_eq!(conversion.bandwidth.cpus(), Some(2.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod burst;
pub mod cgroup_name;
pub mod container;
pub mod explain;
pub mod inverse;
pub mod kubelet;
pub mod kubernetes;
pub mod pod;
pub mod quantity;
pub mod resources;
pub mod runtime;
pub mod setting;
pub mod systemd;
pub mod target;
pub mod tool;
pub mod version;
pub mod warning;
pub mod weight;

pub use burst::{Burst, BurstError};
pub use container::{ContainerCpu, Conversion, ConvertError, RequestOrigin, Sent};
pub use kubernetes::{Availability, Feature, Kubernetes};
pub use quantity::{CpuQuantity, Quantity, QuantityError, QuantityFault};
pub use runtime::{Runtime, RuntimeError, RuntimeName};
pub use setting::Setting;
pub use systemd::CgroupDriver;
pub use target::{Rendition, Target};
pub use version::{Version, VersionError};
pub use warning::Warning;
pub use weight::WeightFormula;
