//! How noisy an image is, without a clean one to compare it with.

use crate::image::Image;

/// The high-pass filter of Daubechies' wavelet with two vanishing moments, `db2`.
const HIGH_PASS: [f64; 4] =
    [-0.482_962_913_144_690_25, 0.836_516_303_737_469, -0.224_143_868_041_857_35, -0.129_409_522_550_921_45];

/// The 3/4 quantile of the normal distribution: half of all values lie within so many deviations.
const QUARTILE: f64 = 0.674_489_750_196_081_7;

/// An estimate of the deviation of additive white Gaussian noise in an image, in units of the pixel range.
///
/// The finest diagonal details of an image are almost nothing but noise, and the few edges among them do not move their median:
/// the estimate is the median of their magnitudes over 0.6745. D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by
/// wavelet shrinkage", 1994, section 4.2; the wavelet, the treatment of borders and leaving out details of exactly 0 (but not
/// what rounding leaves of them) are those of scikit-image's `estimate_sigma`. Noise that was clipped to black and white is
/// underestimated. 0, or what rounding leaves of it, where there are no details.
///
/// ```
/// use limpid::{image::Image, noise::{Noise, estimate_deviation, test_stream}};
///
/// let gray = Image::new(64, 64, vec![0.5; 64 * 64])?;
/// let noisy = "gaussian:0.1".parse::<Noise>()?.apply(test_stream(0), &gray);
/// assert!(estimate_deviation(&gray) < 1e-12);
/// assert!((estimate_deviation(&noisy) - 0.1).abs() < 0.01);
/// # Ok::<(), limpid::Error>(())
/// ```
pub fn estimate_deviation(image: &Image) -> f64 {
    let (height, width) = (image.height(), image.width());
    let columns = details(width);
    // Along the rows first.
    let mut along_rows = Vec::with_capacity(height * columns);
    for row in image.pixels().chunks_exact(width) {
        along_rows.extend((0..columns).map(|i| detail(i, width, |x| row[x].into())));
    }
    let mut magnitudes = Vec::with_capacity(details(height) * columns);
    for i in 0..details(height) {
        for column in 0..columns {
            let value = detail(i, height, |y| along_rows[y * columns + column]).abs();
            if value != 0.0 {
                magnitudes.push(value);
            }
        }
    }
    median(&mut magnitudes) / QUARTILE
}

/// The number of details of `n` values.
fn details(n: usize) -> usize {
    (n + HIGH_PASS.len() - 1) / 2
}

/// Detail number `i` of `n` values, which are mirrored at their ends.
fn detail(i: usize, n: usize, value: impl Fn(usize) -> f64) -> f64 {
    let place = |tap: usize| {
        let place = (2 * i + 1).checked_sub(tap).unwrap_or_else(|| tap - 2 * i - 2) % (2 * n);
        place.min(2 * n - 1 - place)
    };
    HIGH_PASS.iter().enumerate().map(|(tap, weight)| weight * value(place(tap))).sum()
}

/// The mean of the two middle ones where their number is even; 0 of none.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return upper;
    }
    let lower = below.iter().copied().fold(0.0, f64::max);
    0.5 * (lower + upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_all_values() {
        assert_eq!(median(&mut []), 0.0);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn an_image_of_one_pixel_has_no_noise() {
        assert!(estimate_deviation(&Image::new(1, 1, vec![0.5]).unwrap()) < 1e-12);
    }
}
