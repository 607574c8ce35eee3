//! A feature map in memory: HWC with a border of zeros, so that convolutions need no branches at the edges.

use crate::Shape;
use crate::aligned::Aligned;

/// One image's feature map, row by row, channels last, with `pad` pixels of zeros on each of the four sides.
///
/// The border stays zero: only the interior can be written from outside this crate, and no kernel writes elsewhere.
#[derive(Clone)]
pub struct FeatureMap {
    shape: Shape,
    pad: usize,
    /// The border's values too.
    values: Aligned,
}

impl FeatureMap {
    /// A map of zeros.
    ///
    /// # Panics
    /// If `shape` is empty, or the map has more values than memory can hold.
    pub fn new(shape: Shape, pad: usize) -> Self {
        assert!(!shape.is_empty(), "a map of {shape} has no values");
        // Kernels trust that every position inside the border is inside `values`: the product must not wrap.
        let padded = |side: usize| pad.checked_mul(2)?.checked_add(side);
        let pixels = || padded(shape.height)?.checked_mul(padded(shape.width)?);
        let len = pixels().and_then(|pixels| pixels.checked_mul(shape.channels));
        let len = len.unwrap_or_else(|| panic!("a map of {shape} with a border of {pad} is too large"));
        Self { shape, pad, values: Aligned::zeros(len) }
    }

    /// The size of the interior.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Pixels of zeros on each side.
    pub fn pad(&self) -> usize {
        self.pad
    }

    /// Distance between vertically neighbouring values.
    pub(crate) fn row_stride(&self) -> usize {
        (self.shape.width + 2 * self.pad) * self.shape.channels
    }

    /// Where pixel `(y, x)` starts in [`FeatureMap::values`]; both may reach `pad` pixels outside the interior.
    pub(crate) fn offset(&self, y: isize, x: isize) -> usize {
        let (y, x) = (y + self.pad as isize, x + self.pad as isize);
        debug_assert!(y >= 0 && x >= 0, "pixel in front of the border");
        y as usize * self.row_stride() + x as usize * self.shape.channels
    }

    /// All values, the border's too.
    #[inline(always)]
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, the border's too, which must stay zero.
    #[inline(always)]
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Makes the border zero again, after a kernel has used it as space to spill over into.
    pub(crate) fn clear_border(&mut self) {
        let (stride, height) = (self.row_stride(), self.shape.height);
        let (pad, side) = (self.pad, self.pad * self.shape.channels);
        for (y, row) in self.values_mut().chunks_exact_mut(stride).enumerate() {
            if y < pad || y >= pad + height {
                row.fill(0.0);
            } else {
                row[..side].fill(0.0);
                row[stride - side..].fill(0.0);
            }
        }
    }

    /// The interior of row `y`: `width * channels` values.
    pub fn row(&self, y: usize) -> &[f32] {
        let start = self.offset(y as isize, 0);
        &self.values()[start..start + self.shape.width * self.shape.channels]
    }

    /// The interior of row `y`, to write.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let (start, len) = (self.offset(y as isize, 0), self.shape.width * self.shape.channels);
        &mut self.values_mut()[start..start + len]
    }

    /// The interior of all rows, from the top.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        (0..self.shape.height).map(|y| self.row(y))
    }

    /// Sets the interior from `values` (HWC, no border).
    ///
    /// # Panics
    /// If `values.len() != shape.len()`.
    pub fn copy_from(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.shape.len(), "a map of {} takes as many values", self.shape);
        for (y, row) in values.chunks_exact(self.shape.width * self.shape.channels).enumerate() {
            self.row_mut(y).copy_from_slice(row);
        }
    }

    /// The interior without the border (HWC).
    pub fn to_vec(&self) -> Vec<f32> {
        self.rows().flatten().copied().collect()
    }
}

impl std::fmt::Debug for FeatureMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FeatureMap({} with a border of {})", self.shape, self.pad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_can_be_cleared() {
        let mut map = FeatureMap::new(Shape::new(2, 3, 2), 2);
        map.values_mut().fill(1.0);
        map.clear_border();
        assert_eq!(map.to_vec(), [1.0; 12]);
        assert_eq!(map.values().iter().sum::<f32>(), 12.0);
    }

    #[test]
    fn values_stand_inside_a_border_of_zeros() {
        let mut map = FeatureMap::new(Shape::new(2, 3, 2), 1);
        let values: Vec<f32> = (1..=12).map(|v| v as f32).collect();
        map.copy_from(&values);
        assert_eq!(map.to_vec(), values);
        assert_eq!(map.row(1), &values[6..]);
        assert_eq!(map.values().iter().sum::<f32>(), values.iter().sum());
        assert_eq!(map.offset(0, 0), 12);
        assert_eq!(map.values().as_ptr() as usize % 64, 0);
    }

    /// In a build without overflow checks these products would wrap to a small buffer, outside of which kernels read.
    #[test]
    #[cfg_attr(panic = "abort", ignore = "a panic ends the program here")]
    fn sizes_that_overflow_are_refused() {
        let half = 1_usize << (usize::BITS / 2);
        for (shape, pad) in [
            (Shape::new(half, half, 1), 0),
            (Shape::new(half, 1, half), 0),
            (Shape::new(1, 1, 1), half),
            (Shape::new(1, 1, 1), usize::MAX / 2 + 1),
            (Shape::new(usize::MAX, 1, 1), 1),
        ] {
            let panic = std::panic::catch_unwind(|| FeatureMap::new(shape, pad)).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            assert_eq!(message, &format!("a map of {shape} with a border of {pad} is too large"));
        }
    }

    #[test]
    #[should_panic(expected = "a map of 3x0x2 has no values")]
    fn maps_without_values_are_refused() {
        FeatureMap::new(Shape::new(3, 0, 2), 1);
    }
}
