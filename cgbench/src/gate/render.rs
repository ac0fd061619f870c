//! What was found, for its readers. One file a format; all are pure and escape what is somebody else's text.

pub mod annotations;
pub mod benchmark;
pub mod history;
pub mod json;
pub mod junit;
pub mod markdown;
mod phrase;
pub mod text;
