//! A synthetic scene: what a hand-held camera sees, cheap to draw and the same for the same seed.
//!
//! A textured background pans, textured objects move over it each its own way, and the sensor adds
//! noise. How strongly things move swings within a few frames, and has no slower trend, so that
//! the work of an encoder varies from frame to frame while its average over half a second stays
//! (see `Liveliness`). Sizes and speeds are in samples whatever the picture's size, and the
//! number of objects goes with the area: the work per macroblock does not depend on the size.
//!
//! Not here: files ([`super::y4m`]), looping ([`super::Clip`]).

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use super::texture::{FRACTION_BITS, RowScratch, Texture};
use super::{Picture, Plane};

/// What the synthetic scene shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneConfig {
    /// Decides textures, objects, motion and noise.
    pub seed: u64,
    /// A cut to another view every so many frames; `None`: one view only.
    pub cut_every: Option<u32>,
    /// How far things move, 1 for the default.
    pub motion: f64,
    /// How strong the sensor's noise is, 1 for the default.
    pub noise: f64,
}

impl Default for SceneConfig {
    fn default() -> Self {
        Self { seed: 1, cut_every: None, motion: 1.0, noise: 1.0 }
    }
}

/// One object for so many luma samples.
const SAMPLES_PER_OBJECT: usize = 6000;
/// The radii of objects, in luma samples.
const RADII: std::ops::Range<i32> = 14..40;
/// The mean speed of objects at rest of the swing, in sixteenths of a sample a frame.
const OBJECT_SPEED: f64 = 40.0;
/// The camera's own speed, in sixteenths of a sample a frame: off any whole sample, so that the
/// background needs interpolation as real content does.
const PAN: (i32, i32) = (21, 6);
/// How far the hand shakes the camera, in sixteenths of a sample a frame.
const SHAKE: f64 = 8.0;
/// The mean gain of the noise, in 1/64 of the noise table.
const NOISE_GAIN: f64 = 8.0;
const NOISE_SAMPLES: usize = 1 << 16;

/// Pictures of the scene, one after the other, without end.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    config: SceneConfig,
    width: usize,
    height: usize,
    random: Pcg64Mcg,
    luma: Texture,
    chroma: [Texture; 2],
    noise: Vec<i8>,
    objects: Vec<Object>,
    /// The camera's position, in sixteenths of a sample.
    camera: (i32, i32),
    objects_swing: Liveliness,
    noise_swing: Liveliness,
    shake: [Liveliness; 2],
    index: u32,
    scratch: RowScratch,
}

impl Scene {
    pub(crate) fn new(config: &SceneConfig, width: usize, height: usize) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(config.seed);
        let luma = Texture::new(random.random(), 8, &[(6, 64), (4, 40), (3, 22), (2, 14), (1, 3)]);
        let chroma = [0, 1].map(|_| Texture::new(random.random(), 7, &[(5, 60), (3, 20)]));
        // The sum of four is bell-shaped enough for a sensor.
        let noise = (0..NOISE_SAMPLES)
            .map(|_| (0..4).map(|_| random.random_range(-16i32..=15)).sum::<i32>().clamp(-64, 63) as i8)
            .collect();
        let mut scene = Self {
            config: config.clone(),
            width,
            height,
            luma,
            chroma,
            noise,
            objects: Vec::new(),
            camera: (0, 0),
            objects_swing: Liveliness::new(&mut random),
            noise_swing: Liveliness::new(&mut random),
            shake: [Liveliness::new(&mut random), Liveliness::new(&mut random)],
            random,
            index: 0,
            scratch: RowScratch::default(),
        };
        scene.set_view();
        scene
    }

    /// Draws the next picture.
    pub(crate) fn next_picture(&mut self) -> Picture {
        if self
            .config
            .cut_every
            .is_some_and(|every| every > 0 && self.index > 0 && self.index.is_multiple_of(every))
        {
            self.set_view();
        }
        let objects = self.objects_swing.advance(&mut self.random);
        let gain = NOISE_GAIN
            * self.config.noise
            * (1.0 + 0.95 * objects + 0.1 * self.noise_swing.advance(&mut self.random));
        let shake = [0, 1].map(|axis| self.shake[axis].advance(&mut self.random));
        let motion = self.config.motion;
        self.camera.0 += ((f64::from(PAN.0) + SHAKE * shake[0]) * motion) as i32;
        self.camera.1 += ((f64::from(PAN.1) + SHAKE * shake[1]) * motion) as i32;
        let stride = (OBJECT_SPEED * motion * (1.0 + 0.9 * objects).max(0.0)) as i32;
        for object in &mut self.objects {
            object.advance(stride, self.width as i32, self.height as i32);
        }

        let mut picture = Picture::new(self.width, self.height, 0);
        self.draw(&mut picture.luma, 0, None);
        self.draw(&mut picture.cb, 1, Some(0));
        self.draw(&mut picture.cr, 1, Some(1));
        add_noise(&mut picture.luma, &self.noise, gain, &mut self.random);
        add_noise(&mut picture.cb, &self.noise, gain * 0.5, &mut self.random);
        add_noise(&mut picture.cr, &self.noise, gain * 0.5, &mut self.random);
        self.index += 1;
        picture
    }

    /// Points the camera somewhere else, at other objects.
    fn set_view(&mut self) {
        let side = 1 << 13;
        self.camera = (self.random.random_range(0..side), self.random.random_range(0..side));
        let count = (self.width * self.height / SAMPLES_PER_OBJECT).max(2);
        self.objects = (0..count)
            .map(|_| Object::new(&mut self.random, self.width as i32, self.height as i32))
            .collect();
    }

    /// Draws background and objects into a plane that is `shift` binary orders smaller than luma.
    fn draw(&mut self, plane: &mut Plane, shift: u32, chroma: Option<usize>) {
        let texture = chroma.map_or(&self.luma, |index| &self.chroma[index]);
        let (width, height) = (plane.width() as i32, plane.height() as i32);
        for y in 0..height {
            let at = (self.camera.0 >> shift, (self.camera.1 >> shift) + (y << FRACTION_BITS));
            texture.draw_row(at.0, at.1, plane.row_mut(y as usize), &mut self.scratch);
        }
        for object in &self.objects {
            let radius = object.radius >> shift;
            let center = (object.x >> (FRACTION_BITS + shift), object.y >> (FRACTION_BITS + shift));
            for y in (center.1 - radius).max(0)..(center.1 + radius + 1).min(height) {
                let dy = y - center.1;
                let half = (radius * radius - dy * dy).max(0).isqrt();
                let (from, to) = ((center.0 - half).max(0), (center.0 + half + 1).min(width));
                if from >= to {
                    continue;
                }
                // The texture is tied to the object's exact place, so it moves by fractions of a
                // sample although the outline moves by whole ones.
                let tx = object.texture.0 + (from << FRACTION_BITS) - (object.x >> shift);
                let ty = object.texture.1 + (y << FRACTION_BITS) - (object.y >> shift);
                texture.draw_row(
                    tx,
                    ty,
                    &mut plane.row_mut(y as usize)[from as usize..to as usize],
                    &mut self.scratch,
                );
            }
        }
    }
}

/// A textured disc. Places are in sixteenths of a luma sample.
#[derive(Clone, Debug)]
struct Object {
    x: i32,
    y: i32,
    /// The direction of motion, in 1/64 of the frame's stride.
    direction: (i32, i32),
    radius: i32,
    texture: (i32, i32),
}

impl Object {
    fn new(random: &mut Pcg64Mcg, width: i32, height: i32) -> Self {
        Self {
            x: random.random_range(0..width << FRACTION_BITS),
            y: random.random_range(0..height << FRACTION_BITS),
            direction: (random.random_range(-90..=90), random.random_range(-90..=90)),
            radius: random.random_range(RADII),
            texture: (random.random_range(0..1 << 13), random.random_range(0..1 << 13)),
        }
    }

    /// Moves on, and turns around at the picture's edge: how much is covered by objects stays.
    fn advance(&mut self, stride: i32, width: i32, height: i32) {
        let step = |place: i32, direction: &mut i32, end: i32| {
            let next = place + ((stride * *direction) >> 6);
            if (0..end).contains(&next) {
                return next;
            }
            *direction = -*direction;
            next.clamp(0, end - 1)
        };
        self.x = step(self.x, &mut self.direction.0, width << FRACTION_BITS);
        self.y = step(self.y, &mut self.direction.1, height << FRACTION_BITS);
    }
}

/// How lively a part of the scene is, as a random swing around 0 with variance 1.
///
/// A second-order autoregression that resonates at a period of ten frames (a shaking hand, 3 Hz) and decays by 0.85 a frame, driven by noise of which each value takes nine tenths of the
/// one before back. So a few frames are alike, while the mean over a second stays near zero: its
/// variance is a fifth of what independent frames would have. A first-order autoregression, the
/// simpler choice, would have three times theirs, and drift.
#[derive(Clone, Debug)]
struct Liveliness {
    now: f64,
    before: f64,
    pushed: f64,
}

impl Liveliness {
    /// 2 · 0.85 · cos(2π/10): a constant, so that no machine's cosine has a say.
    const NEAR: f64 = 1.375_33;
    /// −0.85².
    const FAR: f64 = -0.7225;
    const TAKEN_BACK: f64 = 0.9;
    /// Makes the variance 1: the inverse root of what unit noise would give, 2.152.
    const SCALE: f64 = 0.6817;

    fn new(random: &mut Pcg64Mcg) -> Self {
        let mut swing = Self { now: 0.0, before: 0.0, pushed: 0.0 };
        // From rest, a few periods bring it into its stationary state.
        for _ in 0..32 {
            swing.advance(random);
        }
        swing
    }

    fn advance(&mut self, random: &mut Pcg64Mcg) -> f64 {
        // Three uniforms of variance 1/3 each: variance 1, and never beyond ±3.
        let push: f64 = (0..3).map(|_| random.random_range(-1.0..1.0)).sum();
        let driven = Self::SCALE * (push - Self::TAKEN_BACK * self.pushed);
        let next = Self::NEAR * self.now + Self::FAR * self.before + driven;
        (self.before, self.now, self.pushed) = (self.now, next, push);
        next
    }
}

/// Adds sensor noise of the given gain (1/64 of the table's values).
fn add_noise(plane: &mut Plane, noise: &[i8], gain: f64, random: &mut Pcg64Mcg) {
    let gain = gain.clamp(0.0, 255.0) as i16;
    let width = plane.width();
    for y in 0..plane.height() {
        let from = random.random_range(0..noise.len().saturating_sub(width).max(1));
        for (sample, &value) in plane.row_mut(y).iter_mut().zip(&noise[from..]) {
            *sample = (i16::from(*sample) + ((i16::from(value) * gain) >> 6)).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(config: &SceneConfig, count: usize) -> Vec<Picture> {
        let mut scene = Scene::new(config, 96, 64);
        (0..count).map(|_| scene.next_picture()).collect()
    }

    fn mean_difference(a: &Picture, b: &Picture) -> f64 {
        let (a, b) = (a.to_raw(), b.to_raw());
        a.iter().zip(&b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
    }

    #[test]
    fn a_seed_gives_one_scene() {
        let config = SceneConfig::default();
        assert_eq!(pictures(&config, 4), pictures(&config, 4));
        assert_ne!(pictures(&config, 1), pictures(&SceneConfig { seed: 2, ..config }, 1));
    }

    #[test]
    fn something_changes_in_every_picture() {
        let shown = pictures(&SceneConfig::default(), 20);
        assert!(shown.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_cut_changes_far_more_than_motion() {
        let shown = pictures(&SceneConfig { cut_every: Some(5), ..SceneConfig::default() }, 10);
        let moved = mean_difference(&shown[3], &shown[4]);
        let cut = mean_difference(&shown[4], &shown[5]);
        assert!(cut > 2.0 * moved, "cut {cut:.1}, motion {moved:.1}");
    }

    #[test]
    fn the_swing_is_alike_from_frame_to_frame_and_has_no_trend() {
        let mut random = Pcg64Mcg::seed_from_u64(3);
        let mut swing = Liveliness::new(&mut random);
        let values: Vec<f64> = (0..30_000).map(|_| swing.advance(&mut random)).collect();
        let variance = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
        let lag1 = values.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / values.len() as f64 / variance;
        assert!((0.9..1.1).contains(&variance), "variance {variance:.3}");
        assert!((0.53..0.59).contains(&lag1), "lag-1 {lag1:.3}");
        // The mean of 30 independent values would have a variance of 1/30.
        let means: Vec<f64> = values.chunks_exact(30).map(|c| c.iter().sum::<f64>() / 30.0).collect();
        let of_means = means.iter().map(|v| v * v).sum::<f64>() / means.len() as f64;
        assert!(of_means < 0.25 / 30.0, "variance of second-long means {of_means:.4}");
    }
}
