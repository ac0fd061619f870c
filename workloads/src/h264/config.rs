//! What to encode and how, as data.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::waste::Waste;
use crate::Error;
use crate::video::y4m::{Y4mError, Y4mReader};
use crate::video::{Clip, SceneConfig};

/// Below this, a level could outgrow what the baseline profile can code: level_prefix ends at 15
/// (ITU-T H.264 9.2.2.1), which reaches 2063; at QP 12 the largest luma DC level is 1632.
pub(super) const MIN_QP: u8 = 12;
const MAX_QP: u8 = 51;
const SIDES: std::ops::RangeInclusive<u32> = 32..=4096;

/// What to encode and how. The same configuration gives the same stream, bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncodeConfig {
    /// Width in luma samples, even.
    pub width: u32,
    /// Height in luma samples, even.
    pub height: u32,
    /// The quantiser's parameter around which the rate control works, 15 to 49.
    pub qp: u8,
    /// An I frame at least every so many frames.
    pub gop: u32,
    /// Slices a frame, each encoded by a thread of its own (the caller's is one of them).
    pub threads: u32,
    /// The synthetic scene, where there is no `input`.
    pub scene: SceneConfig,
    /// A YUV4MPEG2 file to encode instead; it must have the configured size.
    pub input: Option<PathBuf>,
    /// How many different frames are kept in memory; they play forward, then backward, and so on.
    pub clip_frames: u32,
    /// What is wasted on each frame; usually nothing.
    #[serde(default, skip_serializing_if = "Waste::is_none")]
    pub waste: Waste,
}

impl Default for EncodeConfig {
    /// 640x360 of the default scene with one thread; five seconds of pictures.
    fn default() -> Self {
        Self {
            width: 640,
            height: 360,
            qp: 28,
            gop: 60,
            threads: 1,
            scene: SceneConfig::default(),
            input: None,
            clip_frames: 150,
            waste: Waste::default(),
        }
    }
}

impl EncodeConfig {
    /// The same configuration for a file, with the file's size.
    ///
    /// # Errors
    /// When the file is not a clip that we can read.
    pub fn with_input(mut self, path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::ReadClip { path: path.into(), source })?;
        let reader = Y4mReader::new(BufReader::new(file)).map_err(|error| match error {
            Y4mError::Read(source) => Error::ReadClip { path: path.into(), source },
            reason => Error::ParseClip { path: path.into(), reason },
        })?;
        (self.width, self.height) = (reader.width(), reader.height());
        self.input = Some(path.into());
        Ok(self)
    }

    /// Checks what no encoder can work with.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, hint| Err(Error::Setting { name, value, hint });
        for (name, side) in [("width", self.width), ("height", self.height)] {
            if !SIDES.contains(&side) || !side.is_multiple_of(2) {
                return refuse(name, side.to_string(), "an even number from 32 to 4096");
            }
        }
        // I frames get 3 less and calm or lively frames up to 2 less or more.
        if !(MIN_QP + 3..=MAX_QP - 2).contains(&self.qp) {
            return refuse("QP", self.qp.to_string(), "15 (fine) to 49 (coarse)");
        }
        if self.gop == 0 {
            return refuse("GOP length", self.gop.to_string(), "1 (only I frames) or more");
        }
        if self.threads == 0 || self.threads > self.height.div_ceil(16) {
            return refuse(
                "number of threads",
                self.threads.to_string(),
                "at least 1, and no more than the picture has rows of macroblocks (height / 16)",
            );
        }
        if self.clip_frames == 0 {
            return refuse("clip length", self.clip_frames.to_string(), "1 frame or more");
        }
        for (name, value) in [("motion", self.scene.motion), ("noise", self.scene.noise)] {
            if !(0.0..=10.0).contains(&value) {
                return refuse(name, value.to_string(), "a factor from 0 to 10, 1 is the default");
            }
        }
        if self.scene.cut_every == Some(0) {
            return refuse("distance of scene cuts", "0".into(), "1 frame or more, or none at all");
        }
        self.waste.check()
    }

    /// Draws or reads the clip.
    pub(super) fn load_clip(&self) -> Result<Clip, Error> {
        let Some(path) = &self.input else {
            return Ok(Clip::from_scene(&self.scene, self.width, self.height, self.clip_frames));
        };
        let clip = Clip::from_y4m(path, self.clip_frames)?;
        if (clip.width(), clip.height()) != (self.width, self.height) {
            return Err(Error::ClipSize {
                path: path.clone(),
                found_width: clip.width(),
                found_height: clip.height(),
                width: self.width,
                height: self.height,
            });
        }
        Ok(clip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_fine() {
        EncodeConfig::default().check().unwrap();
    }

    #[test]
    fn impossible_settings_are_refused_with_a_hint() {
        let good = EncodeConfig::default();
        for bad in [
            EncodeConfig { width: 0, ..good.clone() },
            EncodeConfig { height: 361, ..good.clone() },
            EncodeConfig { qp: 51, ..good.clone() },
            EncodeConfig { gop: 0, ..good.clone() },
            EncodeConfig { threads: 0, ..good.clone() },
            EncodeConfig { threads: 24, ..good.clone() },
            EncodeConfig { clip_frames: 0, ..good.clone() },
            EncodeConfig { scene: SceneConfig { motion: f64::NAN, ..good.scene.clone() }, ..good.clone() },
            EncodeConfig { scene: SceneConfig { cut_every: Some(0), ..good.scene.clone() }, ..good.clone() },
            EncodeConfig { waste: Waste { compute_frac: -1.0, ..Waste::default() }, ..good.clone() },
        ] {
            assert!(bad.check().unwrap_err().hint().is_some());
        }
    }

    #[test]
    fn it_travels_as_json() {
        let config = EncodeConfig { input: Some("clip.y4m".into()), ..EncodeConfig::default() };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<EncodeConfig>(&json).unwrap(), config);
    }

    #[test]
    fn without_waste_it_is_written_and_read_as_before_there_was_any() {
        let json = serde_json::to_value(EncodeConfig::default()).unwrap();
        assert!(json.get("waste").is_none(), "{json}");
        assert_eq!(serde_json::from_value::<EncodeConfig>(json).unwrap(), EncodeConfig::default());
    }

    #[test]
    fn waste_travels_and_what_is_not_named_is_not_wasted() {
        let waste = Waste { compute_frac: 0.05, memory_bytes: 8 << 20, one_by_one: true };
        let config = EncodeConfig { waste, ..EncodeConfig::default() };
        let mut json = serde_json::to_value(&config).unwrap();
        assert_eq!(serde_json::from_value::<EncodeConfig>(json.clone()).unwrap(), config);
        json["waste"] = serde_json::json!({ "memory_bytes": 4096 });
        let read: EncodeConfig = serde_json::from_value(json).unwrap();
        assert_eq!(read.waste, Waste { memory_bytes: 4096, ..Waste::default() });
    }
}
