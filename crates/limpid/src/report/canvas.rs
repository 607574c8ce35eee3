//! A picture in memory: antialiased shapes, text and images on white, encoded as PNG.

use std::f32::consts::TAU;

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};

use super::font::{Face, Weight};
use crate::image::Image;
use crate::{Error, Result};

/// Red, green, blue (sRGB).
pub(crate) type Rgb = [u8; 3];

/// Pictures beyond this many pixels are refused before anything is allocated (300 MB of RGB).
const MAX_PIXELS: u64 = 100_000_000;

/// Which part of a text stands at the given position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextStyle {
    /// Pixels per em.
    pub(crate) size: f32,
    pub(crate) weight: Weight,
    pub(crate) color: Rgb,
    pub(crate) align: Align,
    /// Turned a quarter to the left, so that it reads upwards.
    pub(crate) upwards: bool,
}

/// An RGB picture; `(0, 0)` is the top left corner of the top left pixel, `y` grows downwards.
pub(crate) struct Canvas {
    width: u32,
    height: u32,
    /// `height * width * 3` bytes, row by row.
    rgb: Vec<u8>,
}

impl Canvas {
    /// A white picture.
    ///
    /// # Errors
    /// If it would have no pixel, or more than [`MAX_PIXELS`].
    pub(crate) fn new(width: u32, height: u32) -> Result<Self> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MAX_PIXELS {
            return Err(Error::invalid(
                format!("picture of {width} x {height} pixels"),
                format!("expected 1 to {MAX_PIXELS} pixels in all; show fewer or smaller images"),
            ));
        }
        Ok(Self { width, height, rgb: vec![255; pixels as usize * 3] })
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Lays `color` over one pixel with `opacity` in `[0, 1]`. Outside of the picture nothing happens.
    pub(crate) fn blend(&mut self, x: i32, y: i32, color: Rgb, opacity: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        for (old, new) in self.rgb[at..at + 3].iter_mut().zip(color) {
            let (from, to) = (f32::from(*old), f32::from(new));
            *old = (from + (to - from) * opacity.clamp(0.0, 1.0)).round() as u8;
        }
    }

    /// Fills the rectangle of whole pixels with its top left corner at `(x, y)`.
    pub(crate) fn fill_rect(&mut self, x: i32, y: i32, width: u32, height: u32, color: Rgb) {
        for y in y..y.saturating_add_unsigned(height).min(self.height as i32) {
            for x in x..x.saturating_add_unsigned(width).min(self.width as i32) {
                self.blend(x, y, color, 1.0);
            }
        }
    }

    /// Fills the union of `outlines`: closed polygons that all turn the same way.
    pub(crate) fn fill_outlines(&mut self, outlines: &[Vec<Point>], color: Rgb, opacity: f32) {
        let mut points = outlines.iter().flatten();
        let Some(&first) = points.next() else { return };
        let (low, high) = points.fold((first, first), |(low, high), p| {
            (point(low.x.min(p.x), low.y.min(p.y)), point(high.x.max(p.x), high.y.max(p.y)))
        });
        // The rasterizer wants every point inside of its own grid: one box around the shape, clipped when blending.
        let (left, top) = (low.x.floor() - 1.0, low.y.floor() - 1.0);
        let (width, height) = ((high.x - left).ceil() + 2.0, (high.y - top).ceil() + 2.0);
        let cells = width * height;
        if cells.is_nan() || cells > 4.0 * MAX_PIXELS as f32 {
            return; // far outside of any picture
        }
        let mut rasterizer = Rasterizer::new(width as usize, height as usize);
        for outline in outlines {
            for (i, &from) in outline.iter().enumerate() {
                let to = outline[(i + 1) % outline.len()];
                rasterizer.draw_line(point(from.x - left, from.y - top), point(to.x - left, to.y - top));
            }
        }
        rasterizer.for_each_pixel_2d(|x, y, coverage| {
            if coverage > 0.0 {
                self.blend(left as i32 + x as i32, top as i32 + y as i32, color, coverage.min(1.0) * opacity);
            }
        });
    }

    /// Draws a line through `points`, with round joints and ends.
    pub(crate) fn stroke(&mut self, points: &[Point], width: f32, color: Rgb, opacity: f32) {
        let half = width / 2.0;
        let mut outlines: Vec<Vec<Point>> = Vec::with_capacity(points.len() * 2);
        for pair in points.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let (dx, dy) = (to.x - from.x, to.y - from.y);
            let length = dx.hypot(dy);
            if length > 0.0 {
                let (nx, ny) = (-dy / length * half, dx / length * half);
                outlines.push(vec![
                    point(from.x - nx, from.y - ny),
                    point(to.x - nx, to.y - ny),
                    point(to.x + nx, to.y + ny),
                    point(from.x + nx, from.y + ny),
                ]);
            }
        }
        // A hairline along the axes stays sharp without round ends.
        let axis_parallel = |p: &[Point]| p[0].x == p[1].x || p[0].y == p[1].y;
        if !(points.len() == 2 && axis_parallel(points)) {
            outlines.extend(points.iter().map(|&centre| circle(centre, half)));
        }
        self.fill_outlines(&outlines, color, opacity);
    }

    /// Fills a circle.
    pub(crate) fn disc(&mut self, centre: Point, radius: f32, color: Rgb, opacity: f32) {
        self.fill_outlines(&[circle(centre, radius)], color, opacity);
    }

    /// Writes one line of text; `(x, y)` is a point of its baseline, which one `style.align` tells.
    pub(crate) fn text(&mut self, text: &str, x: f32, y: f32, style: &TextStyle) {
        let face = Face::new(style.weight, style.size);
        let shift = match style.align {
            Align::Start => 0.0,
            Align::Middle => -face.width(text) / 2.0,
            Align::End => -face.width(text),
        };
        // Baselines rest on whole pixels, which keeps the feet of the letters sharp; along the line the
        // fraction stays, which keeps their spacing even.
        let (along, across) = if style.upwards { (-y, x) } else { (x, y) };
        let across = across.round() as i32;
        for glyph in face.outlines(text, along + shift) {
            let origin = glyph.px_bounds().min;
            glyph.draw(|dx, dy, coverage| {
                let (a, b) = (origin.x as i32 + dx as i32, origin.y as i32 + dy as i32 + across);
                let (px, py) = if style.upwards { (b, -a - 1) } else { (a, b) };
                self.blend(px, py, style.color, coverage);
            });
        }
    }

    /// Shows an image with its top left corner at `(x, y)`, every pixel as a square of `zoom` x `zoom`.
    pub(crate) fn image(&mut self, image: &Image, x: i32, y: i32, zoom: u32) {
        let grey = image.to_u8();
        for (row, line) in grey.chunks_exact(image.width()).enumerate() {
            for (column, &value) in line.iter().enumerate() {
                let (left, top) = (x + column as i32 * zoom as i32, y + row as i32 * zoom as i32);
                self.fill_rect(left, top, zoom, zoom, [value; 3]);
            }
        }
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// If the encoder fails, which it does not for a picture in memory.
    pub(crate) fn to_png(&self) -> Result<Vec<u8>> {
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&self.rgb, self.width, self.height, ExtendedColorType::Rgb8)
            .map_err(|e| Error::invalid("picture", format!("cannot be encoded as PNG: {e}")))?;
        Ok(png)
    }

    /// The colour of one pixel.
    #[cfg(test)]
    pub(crate) fn pixel(&self, x: u32, y: u32) -> Rgb {
        let at = (y as usize * self.width as usize + x as usize) * 3;
        self.rgb[at..at + 3].try_into().expect("three bytes")
    }
}

/// A polygon that cannot be told from a circle, turning the same way as the segments of a stroke.
fn circle(centre: Point, radius: f32) -> Vec<Point> {
    let corners = (8.0 + radius * 2.0).min(128.0) as usize;
    (0..corners)
        .map(|i| {
            let angle = TAU * i as f32 / corners as f32;
            point(centre.x + radius * angle.cos(), centre.y + radius * angle.sin())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_make_no_picture_are_refused() {
        assert!(Canvas::new(0, 10).is_err());
        let message = Canvas::new(u32::MAX, u32::MAX).err().expect("too large").to_string();
        assert!(message.contains("4294967295 x 4294967295") && message.contains("fewer"), "{message}");
    }

    #[test]
    fn shapes_cover_what_they_should() {
        let mut canvas = Canvas::new(40, 40).unwrap();
        canvas.disc(point(20.0, 20.0), 8.0, [0, 0, 255], 1.0);
        assert_eq!(canvas.pixel(20, 20), [0, 0, 255]);
        assert_eq!(canvas.pixel(20, 5), [255; 3]);
        let area: f32 = (0..40)
            .flat_map(|y| (0..40).map(move |x| (x, y)))
            .map(|(x, y)| 1.0 - f32::from(canvas.pixel(x, y)[0]) / 255.0)
            .sum();
        assert!((area / (TAU / 2.0 * 64.0) - 1.0).abs() < 0.02, "a disc of radius 8 covers {area}");
    }

    #[test]
    fn a_bent_stroke_is_solid_at_its_joint() {
        let mut canvas = Canvas::new(60, 60).unwrap();
        let path = [point(5.0, 50.0), point(30.0, 10.0), point(55.0, 50.0)];
        canvas.stroke(&path, 6.0, [255, 0, 0], 1.0);
        for (x, y) in [(30, 10), (17, 30), (42, 30)] {
            assert_eq!(canvas.pixel(x, y), [255, 0, 0], "at {x}, {y}");
        }
        assert_eq!(canvas.pixel(30, 40), [255; 3], "inside of the angle stays white");
    }

    #[test]
    fn drawing_outside_is_clipped() {
        let mut canvas = Canvas::new(10, 10).unwrap();
        let style = TextStyle {
            size: 20.0,
            weight: Weight::Regular,
            color: [0; 3],
            align: Align::Middle,
            upwards: true,
        };
        canvas.text("far away", -500.0, 900.0, &style);
        canvas.disc(point(-3.0, 14.0), 2.0, [0; 3], 1.0);
        canvas.disc(point(f32::NAN, 1e30), 2.0, [0; 3], 1.0);
        canvas.fill_rect(-5, -5, 3, 3, [0; 3]);
        assert!((0..10).all(|i| canvas.pixel(i, i) == [255; 3]));
        canvas.fill_rect(-5, -5, 100, 100, [9; 3]);
        assert!((0..10).all(|i| canvas.pixel(i, i) == [9; 3]));
    }

    #[test]
    fn upward_text_is_the_turned_text() {
        let style = TextStyle {
            size: 16.0,
            weight: Weight::Medium,
            color: [0; 3],
            align: Align::Start,
            upwards: false,
        };
        let mut level = Canvas::new(80, 80).unwrap();
        level.text("Loss (g)", 10.0, 40.0, &style);
        let mut turned = Canvas::new(80, 80).unwrap();
        turned.text("Loss (g)", 40.0, 70.0, &TextStyle { upwards: true, ..style });
        let mut ink = 0;
        for y in 0..80 {
            for x in 0..80 {
                // A quarter to the left: (x, y) goes to (y, 80 - 1 - x).
                assert_eq!(level.pixel(x, y), turned.pixel(y, 79 - x));
                ink += usize::from(level.pixel(x, y)[0] < 128);
            }
        }
        assert!(ink > 100, "only {ink} dark pixels");
    }
}
