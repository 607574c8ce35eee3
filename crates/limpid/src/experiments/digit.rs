//! A picture of a digit made into what MNIST's digits are.

use image::{ImageBuffer, Luma, imageops};

use crate::image::Image;
use crate::{Error, Result};

/// Of the side of an image, what a digit fills at most: 20 of MNIST's 28 pixels.
const FILLED: f32 = 20.0 / 28.0;
/// Brightness above the background from which on a pixel belongs to the digit, of the brightest one's.
const INK: f32 = 0.25;

/// A picture of a digit, made light on black if it is dark on light, cut out, scaled to fit the inner 20 x 20 pixels of an image
/// of 28 x 28, and moved so that its centre of mass is the centre: Y. LeCun et al., "Gradient-based learning applied to
/// document recognition", 1998, III.A. For other sizes in proportion. A picture of this size is only made light on black.
///
/// # Errors
/// If the picture shows nothing: all of it has one brightness.
pub fn as_mnist(picture: &Image, (height, width): (usize, usize)) -> Result<Image> {
    let picture = light_on_black(picture)?;
    if (picture.height(), picture.width()) == (height, width) {
        return Ok(picture);
    }
    let largest = picture.pixels().iter().fold(0.0_f32, |largest, &value| largest.max(value));
    let ink = |index: &usize| picture.pixels()[*index] >= INK * largest;
    let places =
        || (0..picture.pixels().len()).filter(ink).map(|i| (i / picture.width(), i % picture.width()));
    let span = |of: fn((usize, usize)) -> usize| {
        places().map(of).fold((usize::MAX, 0), |(low, high), v| (low.min(v), high.max(v)))
    };
    let ((top, bottom), (left, right)) = (span(|place| place.0), span(|place| place.1));
    let (rows, columns) = (bottom - top + 1, right - left + 1);
    let cut: Vec<f32> = (top..=bottom)
        .flat_map(|row| picture.pixels()[row * picture.width() + left..][..columns].iter().copied())
        .collect();
    let scale = (FILLED * height as f32 / rows as f32).min(FILLED * width as f32 / columns as f32);
    let scaled = |side: usize| ((side as f32 * scale).round() as u32).max(1);
    let cut =
        ImageBuffer::<Luma<f32>, _>::from_raw(columns as u32, rows as u32, cut).expect("it has these sides");
    let small = imageops::resize(&cut, scaled(columns), scaled(rows), imageops::FilterType::Triangle);

    let mass: f32 = small.pixels().map(|pixel| pixel.0[0]).sum();
    let centre = small.enumerate_pixels().fold((0.0, 0.0), |sum, (x, y, pixel)| {
        (sum.0 + (x as f32 + 0.5) * pixel.0[0] / mass, sum.1 + (y as f32 + 0.5) * pixel.0[0] / mass)
    });
    let x0 = (width as f32 / 2.0 - centre.0).round() as i64;
    let y0 = (height as f32 / 2.0 - centre.1).round() as i64;
    let mut pixels = vec![0.0; height * width];
    for (x, y, pixel) in small.enumerate_pixels() {
        let (x, y) = (x0 + i64::from(x), y0 + i64::from(y));
        if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
            pixels[y as usize * width + x as usize] = pixel.0[0].clamp(0.0, 1.0);
        }
    }
    Image::new(height, width, pixels)
}

/// The picture with its background at 0 and its brightest pixel as bright as it was; inverted if the border is the lighter part.
fn light_on_black(picture: &Image) -> Result<Image> {
    let (height, width) = (picture.height(), picture.width());
    let pixels = picture.pixels();
    let (low, high) =
        pixels.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    if high - low < 1.0 / 255.0 || !(high - low).is_finite() {
        return Err(Error::invalid("picture", "all of it has one brightness: there is no digit to be seen"));
    }
    let border: Vec<f32> = (0..pixels.len())
        .filter(|&i| i < width || i >= pixels.len() - width || i % width == 0 || i % width == width - 1)
        .map(|i| pixels[i])
        .collect();
    let mean = border.iter().sum::<f32>() / border.len() as f32;
    let pixels = match mean > (low + high) / 2.0 {
        true => pixels.iter().map(|&value| (high - value) / (high - low)).collect(),
        false => pixels.to_vec(),
    };
    Image::new(height, width, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_dark_stroke_becomes_a_small_light_one_in_the_middle() {
        // A black bar of 40 x 10 near the corner of a white page.
        let ink = |i: usize| (5..45).contains(&(i / 100)) && (80..90).contains(&(i % 100));
        let page = Image::new(60, 100, (0..6000).map(|i| if ink(i) { 0.0 } else { 1.0 }).collect()).unwrap();
        let digit = as_mnist(&page, (28, 28)).unwrap();
        let light: Vec<usize> = (0..784).filter(|&i| digit.pixels()[i] > 0.5).collect();
        assert_eq!(light.len(), 20 * 5);
        assert_eq!((light[0] / 28, light[light.len() - 1] / 28), (4, 23));
    }

    #[test]
    fn a_picture_of_the_right_size_stays_as_it_is_and_an_empty_one_is_refused() {
        let digit = Image::new(4, 4, (0..16).map(|i| if i == 5 { 0.9 } else { 0.0 }).collect()).unwrap();
        assert_eq!(as_mnist(&digit, (4, 4)).unwrap(), digit);
        let message = as_mnist(&Image::new(9, 9, vec![0.3; 81]).unwrap(), (28, 28)).unwrap_err().to_string();
        assert!(message.contains("no digit"), "{message}");
    }
}
