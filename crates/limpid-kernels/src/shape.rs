//! Sizes of feature maps and the geometry of a convolution.

/// Size of one image's feature map: `height` x `width` x `channels`, stored row by row, channels last (HWC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values per pixel.
    pub channels: usize,
}

impl Shape {
    /// A shape from its three sizes.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// Pixels: `height * width`.
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Values: `height * width * channels`.
    pub const fn len(self) -> usize {
        self.pixels() * self.channels
    }

    /// Whether there are no values.
    pub const fn is_empty(self) -> bool {
        self.height == 0 || self.width == 0 || self.channels == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// Geometry of a square 2-D convolution.
///
/// Per axis, with `p` the leading padding: `y[o] = sum over k of x[stride * o + k - p] * w[k]`, where `x` is zero
/// outside. With TensorFlow's `'SAME'` padding the output has `ceil(n / stride)` rows for `n` input rows; of the
/// `max((out - 1) * stride + kernel - n, 0)` zeros that this takes, the smaller half stands in front.
///
/// The transposed convolution of a layer `small -> large` is the adjoint of the convolution `large -> small`, so one
/// geometry serves both: the forward pass of the one is the data gradient of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// The side that the kernel slides over.
    pub input: Shape,
    /// The side that has one pixel per kernel position.
    pub output: Shape,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Distance between neighbouring kernel positions, in input pixels.
    pub stride: usize,
    /// Zeros before the first row and before the first column.
    pub pad: (usize, usize),
}

impl ConvShape {
    /// The geometry of a `'SAME'` convolution of `input` to `filters` channels.
    ///
    /// # Panics
    /// If `kernel`, `stride` or `filters` is 0 or `input` is empty.
    pub fn same(input: Shape, filters: usize, kernel: usize, stride: usize) -> Self {
        assert!(
            kernel > 0 && stride > 0 && filters > 0 && !input.is_empty(),
            "a convolution needs a kernel, a stride, filters and an input of at least 1: \
             {input}, {filters} filters, kernel {kernel}, stride {stride}"
        );
        let output = Shape::new(input.height.div_ceil(stride), input.width.div_ceil(stride), filters);
        let pad = |input: usize, output: usize| ((output - 1) * stride + kernel).saturating_sub(input) / 2;
        let pad = (pad(input.height, output.height), pad(input.width, output.width));
        Self { input, output, kernel, stride, pad }
    }

    /// The geometry whose adjoint is the `'SAME'` transposed convolution of `input` to `filters` channels, which
    /// enlarges by `stride`: here `output` is the layer's input and `input` the layer's output.
    ///
    /// # Panics
    /// As [`ConvShape::same`].
    pub fn transposed_same(input: Shape, filters: usize, kernel: usize, stride: usize) -> Self {
        let large = Shape::new(input.height * stride, input.width * stride, filters);
        Self::same(large, input.channels, kernel, stride)
    }

    /// Checks that no position, of those that a kernel reaches, and no number of weights overflows. The fields are public,
    /// and the fast kernels compute with them which values they may read without another check.
    ///
    /// # Panics
    /// If a size is 0 or too large.
    pub(crate) fn check(&self) {
        let Self { input, output, kernel, stride, pad } = *self;
        let nothing = kernel == 0 || stride == 0 || input.is_empty() || output.is_empty();
        let fits = |positions: Option<usize>| positions.is_some_and(|p| p <= isize::MAX as usize / 2);
        let axis = |inputs: usize, outputs: usize| {
            let reach = stride.checked_mul(outputs - 1).and_then(|last| last.checked_add(kernel));
            fits(reach) && fits(Some(inputs))
        };
        let pads = fits(Some(pad.0)) && fits(Some(pad.1));
        let weights =
            [kernel, input.channels, output.channels].into_iter().try_fold(kernel, usize::checked_mul);
        assert!(
            !nothing
                && pads
                && axis(input.height, output.height)
                && axis(input.width, output.width)
                && fits(weights),
            "no convolution has this geometry: {self:?}"
        );
    }

    /// Values of the kernel tensor, `[kernel][kernel][input channels][output channels]`.
    pub fn kernel_len(&self) -> usize {
        self.kernel * self.kernel * self.input.channels * self.output.channels
    }

    /// Multiply-accumulates of one pass over one image, those with padding zeros counted too, as is usual.
    pub fn macs(&self) -> u64 {
        self.output.pixels() as u64 * self.kernel_len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_follows_tensorflow() {
        let pad = |n, kernel, stride| ConvShape::same(Shape::new(n, n, 1), 1, kernel, stride).pad.0;
        assert_eq!(pad(28, 3, 1), 1);
        assert_eq!(pad(28, 5, 1), 2);
        assert_eq!(pad(28, 4, 1), 1); // three zeros: one in front, two behind
        assert_eq!(pad(28, 3, 2), 0); // one zero, behind
        assert_eq!(pad(7, 3, 2), 1);
        assert_eq!(pad(8, 2, 2), 0);
        assert_eq!(pad(8, 1, 3), 0);
    }

    #[test]
    fn the_transposed_geometry_swaps_the_sides() {
        let shape = ConvShape::transposed_same(Shape::new(7, 5, 32), 16, 3, 2);
        assert_eq!(shape.input, Shape::new(14, 10, 16));
        assert_eq!(shape.output, Shape::new(7, 5, 32));
        assert_eq!(shape.kernel_len(), 9 * 16 * 32);
    }
}
