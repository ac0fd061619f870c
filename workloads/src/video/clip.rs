//! A clip in memory that plays without end.
//!
//! It plays forward, then backward, and so on: a jump from the last picture to the first would be
//! a scene cut that nobody asked for.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::scene::Scene;
use super::y4m::{Y4mError, Y4mReader};
use super::{Picture, SceneConfig};
use crate::Error;

/// Pictures of one size, at least one.
#[derive(Clone, Debug)]
pub struct Clip {
    pictures: Vec<Picture>,
}

impl Clip {
    /// The first `frames` pictures of a synthetic scene (at least one).
    #[must_use]
    pub fn from_scene(scene: &SceneConfig, width: u32, height: u32, frames: u32) -> Self {
        let mut scene = Scene::new(scene, width as usize, height as usize);
        Self { pictures: (0..frames.max(1)).map(|_| scene.next_picture()).collect() }
    }

    /// The first pictures of a YUV4MPEG2 file, at most `max_frames` (which bounds the memory).
    ///
    /// # Errors
    /// When the file cannot be read, is not 4:2:0 with 8 bits, or holds no whole frame.
    pub fn from_y4m(path: &Path, max_frames: u32) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::ReadClip { path: path.into(), source })?;
        let in_clip = |error| match error {
            Y4mError::Read(source) => Error::ReadClip { path: path.into(), source },
            reason => Error::ParseClip { path: path.into(), reason },
        };
        let mut reader = Y4mReader::new(BufReader::new(file)).map_err(in_clip)?;
        let mut pictures = Vec::new();
        while pictures.len() < max_frames.max(1) as usize
            && let Some(picture) = reader.next_picture().map_err(in_clip)?
        {
            pictures.push(picture);
        }
        if pictures.is_empty() {
            return Err(in_clip(Y4mError::NoFrame));
        }
        Ok(Self { pictures })
    }

    /// The picture that plays as number `index`.
    #[must_use]
    pub fn picture(&self, index: u64) -> &Picture {
        let last = self.pictures.len() as u64 - 1;
        let at = if last == 0 { 0 } else { index % (2 * last) };
        let at = if at > last { 2 * last - at } else { at };
        &self.pictures[at as usize]
    }

    /// Width in luma samples.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.picture(0).width() as u32
    }

    /// Height in luma samples.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.picture(0).height() as u32
    }

    /// How many different pictures it holds.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.pictures.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_plays_back_and_forth() {
        let clip = Clip::from_scene(&SceneConfig::default(), 32, 32, 3);
        let order: Vec<usize> =
            (0..9).map(|i| clip.pictures.iter().position(|p| p == clip.picture(i)).unwrap()).collect();
        assert_eq!(order, [0, 1, 2, 1, 0, 1, 2, 1, 0]);
    }

    #[test]
    fn a_single_picture_stands_still() {
        let clip = Clip::from_scene(&SceneConfig::default(), 32, 32, 1);
        assert_eq!(clip.picture(0), clip.picture(17));
    }
}
