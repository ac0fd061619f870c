//! How each number of a conversion comes about: the formula, the arithmetic with this input, who does it, and where that
//! is written.
//!
//! A [`Step`] is data; its order is that of the way from what was typed to what the kernel holds.

mod container;
mod pod;
mod source;

pub use source::Source;

/// One number and its way.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// What it is: `cpu.shares`, `request`, …
    pub value: &'static str,
    /// Whose: the container's, or the pod's.
    pub of: Subject,
    /// The number, as it is written.
    pub result: String,
    /// The rule.
    pub formula: &'static str,
    /// The rule with this input, its rounding shown.
    pub arithmetic: String,
    /// Who does it.
    pub writer: String,
    /// From which version on.
    pub since: &'static str,
    /// Where it is written.
    pub source: Source,
}

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The container's.
    Container,
    /// The pod's.
    Pod,
}
