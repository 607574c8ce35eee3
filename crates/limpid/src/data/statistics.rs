//! The figures that describe a set of images: look at the data before learning from it.

use super::Images;

/// What the pixel values of some images are, after scaling to `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The mean over all pixels of all images.
    pub mean: f64,
    /// The (population) standard deviation over all pixels of all images.
    pub deviation: f64,
}

impl Statistics {
    /// The figures of `images`; `None` if there are none.
    ///
    /// Exact up to the last divisions: a pixel has only 256 possible values, so counting them is enough.
    ///
    /// ```
    /// use limpid::data::{Images, Statistics};
    ///
    /// let images = Images::new(1, 1, 4, vec![0, 0, 255, 255])?;
    /// let half = Statistics::of(&images).unwrap();
    /// assert_eq!((half.min, half.max, half.mean, half.deviation), (0.0, 1.0, 0.5, 0.5));
    /// # Ok::<(), limpid::Error>(())
    /// ```
    pub fn of(images: &Images) -> Option<Self> {
        let mut counts = [0_u64; 256];
        for &byte in images.all_bytes() {
            counts[usize::from(byte)] += 1;
        }
        let min = counts.iter().position(|&count| count > 0)?;
        let max = counts.iter().rposition(|&count| count > 0)?;

        // Sums of bytes and of their squares; u128, so that n * squares fits for any n that memory can hold.
        let (mut n, mut sum, mut squares) = (0_u128, 0_u128, 0_u128);
        for (value, &count) in (0_u128..).zip(&counts) {
            let count = u128::from(count);
            n += count;
            sum += count * value;
            squares += count * value * value;
        }
        let mean = sum as f64 / n as f64;
        let variance = (n * squares - sum * sum) as f64 / (n * n) as f64;
        Some(Self {
            min: min as f64 / 255.0,
            max: max as f64 / 255.0,
            mean: mean / 255.0,
            deviation: variance.sqrt() / 255.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.1307 and 0.3081 are the numbers that every MNIST program normalises with.
    #[test]
    fn mnist_has_the_mean_and_deviation_that_everybody_knows() {
        let bytes = limpid_mnist::train_images()[16..].to_vec();
        let whole = Statistics::of(&Images::new(60_000, 28, 28, bytes).unwrap()).unwrap();
        assert_eq!((whole.min, whole.max), (0.0, 1.0));
        assert_eq!(format!("{:.4} {:.4}", whole.mean, whole.deviation), "0.1307 0.3081");
    }

    #[test]
    fn only_the_images_of_a_slice_count() {
        let images = Images::new(3, 1, 1, vec![0, 51, 255]).unwrap();
        let middle = Statistics::of(&images.slice(1..2)).unwrap();
        assert_eq!(middle, Statistics { min: 0.2, max: 0.2, mean: 0.2, deviation: 0.0 });
        assert_eq!(Statistics::of(&images.slice(1..1)), None);
    }
}
