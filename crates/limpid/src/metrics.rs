//! How far a restored image is from the original: MSE, PSNR and SSIM.

use crate::image::Image;

/// SSIM's window is this many pixels on a side, or the image's side where that is smaller.
const WINDOW: usize = 7;
/// `C1 = (K1 L)^2` and `C2 = (K2 L)^2` with `K1` = 0.01, `K2` = 0.03 and the dynamic range `L` = 1.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// The mean squared error: the mean of `(a - b)^2` over all pixels; 0 for equal images.
///
/// # Panics
/// If the images differ in size.
pub fn mse(a: &Image, b: &Image) -> f64 {
    assert_same_size(a, b);
    let squares = a.pixels().iter().zip(b.pixels()).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
    squares.sum::<f64>() / a.pixels().len() as f64
}

/// The peak signal-to-noise ratio in dB of a mean squared error, for images in `[0, 1]`: `-10 log10(mse)`; higher is
/// better, infinite for equal images.
///
/// The PSNR of a mean over several images is not the mean of their PSNRs: say which one you report.
///
/// ```
/// assert_eq!(limpid::metrics::psnr(0.01), 20.0);
/// ```
pub fn psnr(mse: f64) -> f64 {
    -10.0 * mse.log10()
}

/// The structural similarity of two images: 1 for equal ones, around 0 for unrelated ones, -1 at the least.
///
/// For every 7x7 window that lies within the images, with means `m`, sample variances `v` and covariance `c`,
///
/// ```text
///            (2 m_a m_b + C1) (2 c_ab + C2)
/// SSIM = -------------------------------------      C1 = 0.01^2, C2 = 0.03^2
///        (m_a^2 + m_b^2 + C1) (v_a + v_b + C2)
/// ```
///
/// and of that the mean over all windows: Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality
/// assessment: from error visibility to structural similarity", 2004, with the uniform window and sample covariance
/// that are scikit-image's default. Where an image is less than 7 pixels high or wide, about which the paper says
/// nothing, the window is as high or as wide as the image.
///
/// # Panics
/// If the images differ in size.
pub fn ssim(a: &Image, b: &Image) -> f64 {
    assert_same_size(a, b);
    let size = (a.height(), a.width());
    let window = (WINDOW.min(size.0), WINDOW.min(size.1));
    let means = |value: &dyn Fn(f64, f64) -> f64| {
        let plane =
            a.pixels().iter().zip(b.pixels()).map(|(&a, &b)| value(f64::from(a), f64::from(b))).collect();
        window_means(plane, size, window)
    };
    let mean_a = means(&|a, _| a);
    let mean_b = means(&|_, b| b);
    let mean_aa = means(&|a, _| a * a);
    let mean_bb = means(&|_, b| b * b);
    let mean_ab = means(&|a, b| a * b);

    // From the population's (co)variance to the sample's. A window of one pixel varies in nothing either way.
    let n = (window.0 * window.1) as f64;
    let sample = n / (n - 1.0).max(1.0);
    let windows = mean_a.len();
    let similarity = |i: usize| {
        let (a, b) = (mean_a[i], mean_b[i]);
        let variance_a = sample * (mean_aa[i] - a * a);
        let variance_b = sample * (mean_bb[i] - b * b);
        let covariance = sample * (mean_ab[i] - a * b);
        (2.0 * a * b + C1) * (2.0 * covariance + C2) / ((a * a + b * b + C1) * (variance_a + variance_b + C2))
    };
    (0..windows).map(similarity).sum::<f64>() / windows as f64
}

/// The mean over each window of `window` pixels that lies within a plane of `size`, row by row.
fn window_means(plane: Vec<f64>, size: (usize, usize), window: (usize, usize)) -> Vec<f64> {
    // First along the rows, then along the columns: two short sums instead of one over the whole window.
    let along_rows: Vec<f64> = plane
        .chunks_exact(size.1)
        .flat_map(|row| row.windows(window.1).map(|part| part.iter().sum()))
        .collect();
    let width = size.1 - window.1 + 1;
    let n = (window.0 * window.1) as f64;
    (0..(size.0 - window.0 + 1) * width)
        .map(|start| along_rows[start..].iter().step_by(width).take(window.0).sum::<f64>() / n)
        .collect()
}

fn assert_same_size(a: &Image, b: &Image) {
    assert_eq!((a.height(), a.width()), (b.height(), b.width()), "the images have one size");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(height: usize, width: usize) -> Image {
        let pixels = (0..height * width).map(|i| (i * i % 11) as f32 / 10.0).collect();
        Image::new(height, width, pixels).unwrap()
    }

    #[test]
    fn equal_images_are_perfect() {
        for (height, width) in [(1, 1), (1, 9), (9, 3), (7, 7), (28, 28)] {
            let image = image(height, width);
            assert_eq!(mse(&image, &image), 0.0);
            assert_eq!(psnr(mse(&image, &image)), f64::INFINITY);
            assert!((ssim(&image, &image) - 1.0).abs() < 1e-12, "{height}x{width}");
        }
    }

    #[test]
    fn an_image_of_one_pixel_is_compared_by_its_brightness() {
        let pixel = |value| Image::new(1, 1, vec![value]).unwrap();
        let expected = (2.0 * 0.5 * 0.25 + C1) / (0.5 * 0.5 + 0.25 * 0.25 + C1);
        assert!((ssim(&pixel(0.5), &pixel(0.25)) - expected).abs() < 1e-12);
    }

    #[test]
    fn every_measure_is_symmetric() {
        let (a, b) = (image(9, 12), Image::new(9, 12, image(12, 9).pixels().to_vec()).unwrap());
        let b = Image::new(9, 12, b.pixels().iter().rev().copied().collect()).unwrap();
        assert_ne!(a, b);
        assert_eq!(mse(&a, &b), mse(&b, &a));
        assert_eq!(ssim(&a, &b), ssim(&b, &a));
    }

    #[test]
    #[should_panic(expected = "the images have one size")]
    fn images_of_different_sizes_cannot_be_compared() {
        ssim(&image(2, 3), &image(3, 2));
    }
}
