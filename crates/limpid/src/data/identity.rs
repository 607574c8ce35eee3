//! What tells one set of images from another, so that a run goes on with the images that it began with.

use serde::{Deserialize, Serialize};

use super::Samples;
use crate::digest::Digest;
use crate::number::grouped;

/// Number, size and digest of a set of images.
///
/// ```
/// use limpid::data::{Identity, Images};
///
/// let images = Images::new(2, 1, 2, vec![0, 51, 102, 153])?;
/// let others = Images::new(2, 1, 2, vec![0, 51, 102, 154])?;
/// let difference = Identity::of(&images).difference(&Identity::of(&others)).unwrap();
/// assert!(difference.starts_with("other pixels in as many images of the same size"));
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How many images there are.
    pub images: u64,
    /// Height of each.
    pub height: u64,
    /// Width of each.
    pub width: u64,
    /// What [`Samples::digest`] says of their pixels.
    pub sha256: Digest,
}

impl Identity {
    /// Reads all images.
    pub fn of(samples: &dyn Samples) -> Self {
        let (height, width) = samples.size();
        let sha256 = samples.digest();
        Self { images: samples.len() as u64, height: height as u64, width: width as u64, sha256 }
    }

    /// In what the images of `other` differ from these: `480 images of 28x28, not 55,000 of 28x28`. None if in nothing.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if (self.images, self.height, self.width) != (other.images, other.height, other.width) {
            let Self { images, height, width, .. } = other;
            return Some(format!(
                "{} images of {height}x{width}, not {} of {}x{}",
                grouped(*images),
                grouped(self.images),
                self.height,
                self.width
            ));
        }
        (self.sha256 != other.sha256).then(|| {
            format!(
                "other pixels in as many images of the same size (SHA-256 {}…, not {}…)",
                other.sha256.short(),
                self.sha256.short()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    fn identity(count: usize, height: usize, first: u8) -> Identity {
        let bytes = (0..count * height * 3).map(|i| first.wrapping_add(i as u8)).collect();
        Identity::of(&Images::new(count, height, 3, bytes).unwrap())
    }

    #[test]
    fn every_difference_is_named() {
        let one = identity(4, 2, 0);
        assert_eq!(one.difference(&identity(4, 2, 0)), None);
        assert_eq!(one.difference(&identity(1200, 2, 0)).unwrap(), "1,200 images of 2x3, not 4 of 2x3");
        assert_eq!(one.difference(&identity(4, 5, 0)).unwrap(), "4 images of 5x3, not 4 of 2x3");
        let other = identity(4, 2, 1);
        assert_eq!(
            one.difference(&other).unwrap(),
            format!(
                "other pixels in as many images of the same size (SHA-256 {}…, not {}…)",
                other.sha256.short(),
                one.sha256.short()
            )
        );
    }

    #[test]
    fn a_slice_is_known_by_its_own_images() {
        let images = Images::new(3, 1, 2, vec![1, 2, 3, 4, 1, 2]).unwrap();
        assert_eq!(Identity::of(&images.slice(0..1)), Identity::of(&images.slice(2..3)));
        assert_ne!(Identity::of(&images.slice(0..1)), Identity::of(&images.slice(1..2)));
    }
}
