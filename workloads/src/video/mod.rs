//! Uncompressed pictures and where they come from: a synthetic [`scene`] or a [`y4m`] file.
//!
//! Not here: anything an encoder does with them.

mod clip;
mod plane;
pub mod scene;
mod texture;
pub mod y4m;

pub use clip::Clip;
pub use plane::Picture;
pub(crate) use plane::Plane;
pub use scene::SceneConfig;
