//! From a scene to the bytes of a picture. plotters draws both formats; text in a PNG is set here, because plotters'
//! own drops the space that a glyph has on its left. A chart inside of a page is written by [`inline`], and
//! one that follows its reader's light or dark page by [`themed`].

pub mod inline;
pub mod themed;

use ab_glyph::{Font, GlyphId, ScaleFont, point};
use plotters::{
    backend::{BitMapBackend, SVGBackend},
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Circle, PathElement, Polygon},
    prelude::{Color, DrawingBackend, FontFamily, FontStyle, IntoFont, RGBAColor, ShapeStyle, TextStyle},
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{
    font,
    font::Weight,
    scene::{Anchor, Ink, Mark, Point, Scene, Text},
};

/// Why a picture could not be painted.
#[derive(Debug, thiserror::Error)]
pub enum PaintError {
    /// The font that is built in cannot be used.
    #[error("cannot use the built-in font")]
    Font(#[from] ab_glyph::InvalidFont),
    /// A backend failed.
    #[error("cannot draw the chart as {format}: {reason}")]
    Draw {
        /// `SVG` or `PNG`.
        format: &'static str,
        /// What the backend says.
        reason: String,
    },
}

/// plotters has whole pixels only, so everything is drawn that much larger. In the SVG the view box makes up for it.
const FINE: u32 = 4;
/// Pixels of the PNG to a unit: sharp on screens that have two.
const DENSITY: u32 = 2;
/// plotters' SVG backend divides font sizes by this.
const PLOTTERS_FONT_SCALE: f64 = 1.24;
/// Where plotters' SVG backend puts the baseline below the top, in ems.
const PLOTTERS_TOP: f64 = 0.76;

/// The scene as the text of an SVG file.
///
/// # Errors
/// [`PaintError::Draw`]
pub fn svg(scene: &Scene) -> Result<String, PaintError> {
    let (width, height) = size(scene, FINE);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
        draw(scene, &area, true)
            .and_then(|()| area.present().map_err(|e| e.to_string()))
            .map_err(failed("SVG"))?;
    }
    // Shown at its own size, kept at the finer one, and with its title for those who have it read to them.
    let opened = format!("<svg width=\"{width}\" height=\"{height}\"");
    let (shown_width, shown_height) = size(scene, 1);
    let opens = format!("<svg role=\"img\" width=\"{shown_width}\" height=\"{shown_height}\"");
    let text = text.replacen(&opened, &opens, 1);
    let title = scene.title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Ok(text.replacen(">\n", &format!(">\n<title>{title}</title>\n"), 1))
}

/// The scene as the bytes of a PNG file, two pixels to a unit.
///
/// # Errors
/// [`PaintError`]
pub fn png(scene: &Scene) -> Result<Vec<u8>, PaintError> {
    let (fine_width, fine_height) = size(scene, FINE);
    let mut fine = vec![255; fine_width as usize * fine_height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut fine, (fine_width, fine_height)).into_drawing_area();
        draw(scene, &area, false)
            .and_then(|()| area.present().map_err(|e| e.to_string()))
            .map_err(failed("PNG"))?;
    }
    let (width, height) = size(scene, DENSITY);
    let mut pixels = Pixels { width, height, rgb: shrunk(&fine, fine_width, width, height) };
    for text in scene.texts() {
        pixels.set(text)?;
    }
    pixels.encoded().map_err(|e| failed("PNG")(e.to_string()))
}

fn failed(format: &'static str) -> impl Fn(String) -> PaintError {
    move |reason| PaintError::Draw { format, reason }
}

fn size(scene: &Scene, factor: u32) -> (u32, u32) {
    (scene.width.round() as u32 * factor, scene.height.round() as u32 * factor)
}

fn draw<DB: DrawingBackend>(
    scene: &Scene,
    area: &DrawingArea<DB, Shift>,
    with_text: bool,
) -> Result<(), String> {
    let fine = f64::from(FINE);
    let place = |(x, y): &Point| ((x * fine).round() as i32, (y * fine).round() as i32);
    for mark in &scene.marks {
        match mark {
            Mark::Area { points, ink } => {
                area.draw(&Polygon::new(points.iter().map(place).collect::<Vec<_>>(), colour(*ink)))
            }
            Mark::Line { points, width, ink } => {
                let style =
                    ShapeStyle::from(colour(*ink)).stroke_width((width * fine).round().max(1.0) as u32);
                area.draw(&PathElement::new(points.iter().map(place).collect::<Vec<_>>(), style))
            }
            Mark::Dot { at, radius, ink } => area.draw(&Circle::new(
                place(at),
                (radius * fine).round() as i32,
                ShapeStyle::from(colour(*ink)).filled(),
            )),
            Mark::Text(text) if with_text => {
                let style = TextStyle::from(
                    (
                        FontFamily::Name(font::FAMILY),
                        text.size * fine * PLOTTERS_FONT_SCALE,
                        font_style(text.weight),
                    )
                        .into_font(),
                )
                .pos(Pos::new(across(text.anchor), VPos::Top));
                let style = TextStyle { color: colour(text.ink).to_backend_color(), ..style };
                let top = (text.at.0, text.at.1 - PLOTTERS_TOP * text.size);
                area.draw(&plotters::element::Text::new(text.text.clone(), place(&top), style))
            }
            Mark::Text(_) => Ok(()),
        }
        .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn colour(ink: Ink) -> RGBAColor {
    let (r, g, b) = ink.rgb;
    RGBAColor(r, g, b, ink.alpha)
}

fn font_style(weight: Weight) -> FontStyle {
    match weight {
        Weight::Regular => FontStyle::Normal,
        Weight::Bold => FontStyle::Bold,
    }
}

fn across(anchor: Anchor) -> HPos {
    match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    }
}

/// Each pixel the mean of those that it covers.
fn shrunk(fine: &[u8], fine_width: u32, width: u32, height: u32) -> Vec<u8> {
    let (width, height, fine_width) = (width as usize, height as usize, fine_width as usize);
    let factor = (FINE / DENSITY) as usize;
    let mut out = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let mut sum = 0;
                for row in y * factor..(y + 1) * factor {
                    for column in x * factor..(x + 1) * factor {
                        sum += usize::from(fine[(row * fine_width + column) * 3 + channel]);
                    }
                }
                out.push(u8::try_from(sum / (factor * factor)).unwrap_or(u8::MAX));
            }
        }
    }
    out
}

/// The PNG's pixels.
struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Pixels {
    /// The bytes of a PNG file.
    fn encoded(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::Best);
        encoder.write_header()?.write_image_data(&self.rgb)?;
        Ok(bytes)
    }

    /// Sets a text, glyph by glyph.
    fn set(&mut self, text: &Text) -> Result<(), PaintError> {
        let density = f64::from(DENSITY);
        let font = font::face(text.weight)?;
        let scaled = font.as_scaled(font::scale(font, text.size * density));
        let mut x = (text.extent().left * density) as f32;
        let y = (text.at.1 * density) as f32;
        let mut last: Option<GlyphId> = None;
        for id in text.text.chars().map(|c| scaled.glyph_id(c)) {
            x += last.map_or(0.0, |last| scaled.kern(last, id));
            let glyph = id.with_scale_and_position(scaled.scale(), point(x, y));
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|column, row, cover| {
                    self.blend(
                        corner.x as i64 + i64::from(column),
                        corner.y as i64 + i64::from(row),
                        text.ink,
                        cover,
                    );
                });
            }
            x += scaled.h_advance(id);
            last = Some(id);
        }
        Ok(())
    }

    fn blend(&mut self, x: i64, y: i64, ink: Ink, cover: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        let start = (y as usize * self.width as usize + x as usize) * 3;
        let part = f64::from(cover.clamp(0.0, 1.0)) * ink.alpha;
        let (r, g, b) = ink.rgb;
        for (pixel, wanted) in self.rgb[start..start + 3].iter_mut().zip([r, g, b]) {
            *pixel = (f64::from(*pixel) + (f64::from(wanted) - f64::from(*pixel)) * part).round() as u8;
        }
    }
}
