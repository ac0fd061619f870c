//! `cgtune topology`: the machine as text, JSON and a picture.

pub(crate) mod json;
mod shape;
pub(crate) mod text;
