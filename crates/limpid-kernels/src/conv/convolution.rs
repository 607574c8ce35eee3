//! A convolution prepared for one geometry and one instruction set: the forward pass or the data gradient.

use super::axis::Axis;
use super::stencil::{Direction, Layout, Stencil};
use super::{dot_tile, wide_tile};
use crate::{ConvShape, FeatureMap, Isa, Shape};

/// The forward pass or the data gradient of a 2-D convolution, with its weights in the order in which they are read.
///
/// ```
/// use limpid_kernels::{conv::Convolution, ConvShape, FeatureMap, Isa, Shape};
///
/// // A 3x3 box filter over a 4x4 image.
/// let shape = ConvShape::same(Shape::new(4, 4, 1), 1, 3, 1);
/// let mut blur = Convolution::forward(Isa::best(), &shape);
/// blur.set_weights(&[1.0 / 9.0; 9], &[0.0]);
///
/// let mut x = FeatureMap::new(shape.input, blur.input_pad());
/// x.copy_from(&[9.0; 16]);
/// let mut y = FeatureMap::new(shape.output, 0);
/// blur.run(1.0, &x, &mut y);
/// assert!((y.row(1)[1] - 9.0).abs() < 1e-5);
/// assert!((y.row(0)[0] - 4.0).abs() < 1e-5); // five of nine pixels are padding
/// ```
#[derive(Debug, Clone)]
pub struct Convolution {
    isa: Isa,
    input: Shape,
    output: Shape,
    input_pad: usize,
    stencils: Vec<Stencil>,
    /// One value per output channel, then zeros up to a whole block of vectors.
    bias: Vec<f32>,
}

impl Convolution {
    /// The forward pass of a convolution, `shape.input -> shape.output`; also the data gradient of the transposed
    /// convolution with that geometry.
    ///
    /// # Panics
    /// If a size of the geometry is 0 or so large that positions overflow.
    pub fn forward(isa: Isa, shape: &ConvShape) -> Self {
        shape.check();
        let axis = |outputs, pad| vec![Axis::forward(outputs, shape.kernel, shape.stride, pad)];
        let rows = axis(shape.output.height, shape.pad.0);
        let columns = axis(shape.output.width, shape.pad.1);
        Self::new(isa, shape, Direction::Forward, &rows, &columns)
    }

    /// The data gradient of a convolution, `shape.output -> shape.input`; also the forward pass of the transposed
    /// convolution with that geometry.
    ///
    /// # Panics
    /// As [`Convolution::forward`].
    pub fn backward_data(isa: Isa, shape: &ConvShape) -> Self {
        shape.check();
        let axes = |positions, pad| Axis::backward(positions, shape.kernel, shape.stride, pad);
        let rows = axes(shape.input.height, shape.pad.0);
        let columns = axes(shape.input.width, shape.pad.1);
        Self::new(isa, shape, Direction::Backward, &rows, &columns)
    }

    fn new(isa: Isa, shape: &ConvShape, direction: Direction, rows: &[Axis], columns: &[Axis]) -> Self {
        let (input, output) = match direction {
            Direction::Forward => (shape.input, shape.output),
            Direction::Backward => (shape.output, shape.input),
        };
        let mut stencils = Vec::new();
        let mut input_pad = 0;
        for row in rows {
            for column in columns {
                input_pad = input_pad.max(row.pad(input.height)).max(column.pad(input.width));
                stencils.push(Stencil::new(isa, shape, direction, row, column));
            }
        }
        let bias = vec![0.0; output.channels.next_multiple_of(Stencil::BLOCK * isa.lanes())];
        Self { isa, input, output, input_pad, stencils, bias }
    }

    /// Pixels of zeros that the input map must have on each side.
    pub fn input_pad(&self) -> usize {
        self.input_pad
    }

    /// Takes the weights: `kernel` is `[ky][kx][channels of shape.input][channels of shape.output]` whichever the
    /// direction, `bias` has one value per output channel of this direction (a data gradient has zeros).
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_weights(&mut self, kernel: &[f32], bias: &[f32]) {
        assert_eq!(bias.len(), self.output.channels, "one bias per output channel");
        self.bias[..bias.len()].copy_from_slice(bias);
        for stencil in &mut self.stencils {
            stencil.set_weights(self.isa, kernel);
        }
    }

    /// `y = max(slope * z, z)` with `z = bias + stencil(x)`. Slope 1 is no activation, 0 is ReLU.
    ///
    /// Every value is one sum of `kernel * kernel * channels` products in `f32`; it differs from the reference twin by at
    /// most that many rounding errors of the sum of the products' magnitudes.
    ///
    /// # Panics
    /// If a map has another size than the geometry, or the input's border is too narrow.
    pub fn run(&self, slope: f32, x: &FeatureMap, y: &mut FeatureMap) {
        assert_eq!((x.shape(), y.shape()), (self.input, self.output), "the maps must fit the convolution");
        assert!(x.pad() >= self.input_pad, "the input needs a border of {}, not {}", self.input_pad, x.pad());
        for stencil in &self.stencils {
            let run = match stencil.layout {
                Layout::Wide => wide_tile::run,
                Layout::Dot => dot_tile::run,
            };
            run(self.isa, stencil, &self.bias, slope, x, y);
        }
    }
}
