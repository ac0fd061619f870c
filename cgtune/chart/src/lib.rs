//! The chart kit: pictures as data, their scales, text and colours, and painting them.
//!
//! A chart first becomes a [`Scene`]: lines, areas and text in a coordinate system of our own, without any backend, so
//! that tests can ask whether two texts overlap. [`paint`] then turns it into SVG and PNG, so that both are the same
//! picture. Files are the caller's business: painting gives text and bytes.
//!
//! | module | holds |
//! |---|---|
//! | [`scene`] | marks from back to front |
//! | [`canvas`] | putting marks into a scene |
//! | [`axis`] | from values to places, with ticks |
//! | [`labels`] | names beside the ends of lines |
//! | [`font`] | the font that is built in |
//! | [`theme`] | sizes and colours, for light and dark pages |
//! | [`format`](mod@format) | for which page a chart is laid out |
//! | [`ranges`] | a figure: what may be, as shaded bands, and what was measured, as dots |

pub mod axis;
pub mod canvas;
pub mod font;
pub mod format;
pub mod labels;
pub mod paint;
pub mod ranges;
pub mod scene;
pub mod theme;

pub use format::Format;
pub use scene::Scene;
