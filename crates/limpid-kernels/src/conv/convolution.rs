//! A convolution prepared for one geometry and one instruction set: the forward pass or the data gradient.

use super::axis::Axis;
use super::output::Output;
use super::phases::{self, Phases};
use super::stencil::{Direction, Layout, Stencil};
use super::winograd::{self, Winograd};
use super::{dot_tile, wide_tile};
use crate::aligned::Aligned;
use crate::{ConvShape, FeatureMap, Isa, Shape, pool};

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
/// blur.run(1.0, &x, &mut y, &mut blur.scratch());
/// assert!((y.row(1)[1] - 9.0).abs() < 1e-5);
/// assert!((y.row(0)[0] - 4.0).abs() < 1e-5); // five of nine pixels are padding
/// ```
#[derive(Debug, Clone)]
pub struct Convolution {
    isa: Isa,
    input: Shape,
    output: Shape,
    input_pad: usize,
    algorithm: Algorithm,
    /// One value per output channel, then zeros up to a whole block of vectors.
    bias: Aligned,
}

/// How a convolution is computed.
#[derive(Debug, Clone)]
enum Algorithm {
    /// The sums as they are defined, one stencil for each phase.
    Direct(Vec<Stencil>),
    /// The phases of a strided data gradient as the channels of another convolution.
    Phases(Phases),
    /// Fewer products of transformed values.
    Winograd(Winograd),
}

/// What a [`Convolution`] needs beside its maps, for one image at a time. Made by [`Convolution::scratch`].
#[derive(Debug)]
pub struct ConvolutionScratch(AlgorithmScratch);

#[derive(Debug)]
enum AlgorithmScratch {
    Direct,
    Phases(phases::Scratch),
    Winograd(winograd::Scratch),
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
        let bias = Aligned::zeros(output.channels.next_multiple_of(Stencil::BLOCK * isa.lanes()));
        if let Some(winograd) = Winograd::new(isa, shape, direction) {
            let input_pad = winograd.input_pad();
            return Self { isa, input, output, input_pad, algorithm: Algorithm::Winograd(winograd), bias };
        }
        if direction == Direction::Backward
            && let Some(phases) = Phases::new(isa, shape, rows, columns)
        {
            let input_pad = phases.input_pad();
            return Self { isa, input, output, input_pad, algorithm: Algorithm::Phases(phases), bias };
        }
        let mut stencils = Vec::new();
        let mut input_pad = 0;
        for row in rows {
            for column in columns {
                input_pad = input_pad.max(row.pad(input.height)).max(column.pad(input.width));
                stencils.push(Stencil::new(isa, shape, direction, row, column));
            }
        }
        Self { isa, input, output, input_pad, algorithm: Algorithm::Direct(stencils), bias }
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
        match &mut self.algorithm {
            Algorithm::Direct(stencils) => {
                for stencil in stencils {
                    stencil.set_weights(self.isa, kernel);
                }
            }
            Algorithm::Phases(phases) => phases.set_weights(kernel, bias),
            Algorithm::Winograd(winograd) => winograd.set_weights(self.isa, kernel),
        }
    }

    /// Space for one image at a time.
    pub fn scratch(&self) -> ConvolutionScratch {
        ConvolutionScratch(match &self.algorithm {
            Algorithm::Direct(_) => AlgorithmScratch::Direct,
            Algorithm::Phases(phases) => AlgorithmScratch::Phases(phases.scratch()),
            Algorithm::Winograd(winograd) => AlgorithmScratch::Winograd(winograd.scratch()),
        })
    }

    /// How it is computed, in a few words.
    pub fn algorithm(&self) -> String {
        match &self.algorithm {
            Algorithm::Direct(stencils) if stencils.len() > 1 => {
                format!("{} stencils, one for each phase", stencils.len())
            }
            Algorithm::Direct(_) => "stencil".into(),
            Algorithm::Phases(phases) => phases.algorithm(),
            Algorithm::Winograd(_) => "Winograd F(4x4, 3x3)".into(),
        }
    }

    /// Multiply-accumulates of one pass over one image.
    pub fn macs(&self) -> u64 {
        match &self.algorithm {
            Algorithm::Direct(stencils) => stencils.iter().map(Stencil::macs).sum(),
            Algorithm::Phases(phases) => phases.macs(),
            Algorithm::Winograd(winograd) => winograd.macs(),
        }
    }

    /// `y = max(slope * z, z)` with `z = bias + stencil(x)`. Slope 1 is no activation, 0 is ReLU.
    ///
    /// A direct convolution is one sum of `kernel * kernel * channels` products in `f32`; it differs from the reference twin by
    /// at most that many rounding errors of the sum of the products' magnitudes. Winograd's transforms round more: by at
    /// most 64 rounding errors of a typical value of the output.
    ///
    /// # Panics
    /// If a map has another size than the geometry, the input's border is too narrow, or the scratch is another convolution's.
    pub fn run(&self, slope: f32, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut ConvolutionScratch) {
        assert_eq!(y.shape(), self.output, "the maps must fit the convolution");
        self.check_input(x);
        match &self.algorithm {
            Algorithm::Direct(stencils) => {
                for stencil in stencils {
                    let run = match stencil.layout {
                        Layout::Wide => wide_tile::run,
                        Layout::Dot => dot_tile::run,
                    };
                    run(self.isa, stencil, &self.bias, slope, x, y);
                }
            }
            Algorithm::Phases(phases) => phases.run(slope, x, y, scratch.phases()),
            Algorithm::Winograd(winograd) => {
                winograd.run(self.isa, &self.bias, slope, x, &mut Output::Map(y), scratch.winograd());
            }
        }
    }

    /// Whether [`Convolution::run_pooled`] can be called: for a single stencil over all pixels (a forward pass, or stride 1),
    /// whose channels fill their vectors.
    pub fn can_pool(&self) -> bool {
        let cells = pool::output_shape(self.output, 2);
        let fits = match &self.algorithm {
            Algorithm::Direct(stencils) => matches!(stencils.as_slice(), [one] if one.layout == Layout::Wide),
            Algorithm::Phases(_) => false,
            Algorithm::Winograd(_) => true,
        };
        fits && !cells.is_empty() && self.output.channels.is_multiple_of(self.isa.lanes())
    }

    /// As [`Convolution::run`] with a max-pool over windows of 2x2 behind it, as [`pool::forward`] has it: `y` is half as high
    /// and wide, and `argmax` the positions of the maxima. The values between are never stored.
    ///
    /// Activations with a slope from 0 to 1 never fall, so the largest activation is the activation of the largest value. Where
    /// several activations are equal although the values are not (a slope of 0), the position is that of the largest value.
    ///
    /// # Panics
    /// As [`Convolution::run`]; if it cannot be called; if `argmax` has not one position per value of `y`.
    pub fn run_pooled(
        &self,
        slope: f32,
        x: &FeatureMap,
        y: &mut FeatureMap,
        argmax: &mut [u8],
        scratch: &mut ConvolutionScratch,
    ) {
        assert!(self.can_pool(), "this convolution has no pool built in");
        assert!(
            (0.0..=1.0).contains(&slope),
            "an activation of slope {slope} is not one that this pool can be taken before"
        );
        assert_eq!(
            y.shape(),
            pool::output_shape(self.output, 2),
            "the maps must fit the convolution and its pool"
        );
        assert_eq!(argmax.len(), y.shape().len(), "one position per pooled value");
        self.check_input(x);
        match &self.algorithm {
            Algorithm::Direct(stencils) => {
                wide_tile::run_pooled(self.isa, &stencils[0], &self.bias, slope, x, y, argmax);
            }
            Algorithm::Phases(_) => unreachable!("it has no pool built in"),
            Algorithm::Winograd(winograd) => {
                let mut output = Output::Pooled { y, argmax };
                winograd.run(self.isa, &self.bias, slope, x, &mut output, scratch.winograd());
            }
        }
    }

    fn check_input(&self, x: &FeatureMap) {
        assert_eq!(x.shape(), self.input, "the maps must fit the convolution");
        assert!(x.pad() >= self.input_pad, "the input needs a border of {}, not {}", self.input_pad, x.pad());
    }
}

impl ConvolutionScratch {
    fn phases(&mut self) -> &mut phases::Scratch {
        match &mut self.0 {
            AlgorithmScratch::Phases(scratch) => scratch,
            _ => panic!("the scratch is another convolution's"),
        }
    }

    fn winograd(&mut self) -> &mut winograd::Scratch {
        match &mut self.0 {
            AlgorithmScratch::Winograd(scratch) => scratch,
            _ => panic!("the scratch is another convolution's"),
        }
    }
}
