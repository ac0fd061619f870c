//! `cgtune topology`: the machine as text, JSON and a picture.

pub(crate) mod json;
mod layout;
pub(crate) mod picture;
mod shape;
pub(crate) mod text;
mod words;
