//! A convolution or a transposed one: the same three operations, in exchanged roles.

use limpid_kernels::conv::{self, Convolution, ConvolutionScratch};
use limpid_kernels::{ConvShape, FeatureMap, Isa};

use crate::net::LayerRanges;
use crate::net::layers::Layer;

/// What the kernels of a layer need for one image.
#[derive(Debug)]
pub(super) struct Scratch {
    forward: ConvolutionScratch,
    backward: Option<ConvolutionScratch>,
}

/// A layer with weights, and its kernels.
#[derive(Debug, Clone)]
pub(super) struct ConvolutionStep {
    /// The geometry; for a transposed convolution that of its adjoint.
    shape: ConvShape,
    transposed: bool,
    /// Slope of the activation for negative values.
    slope: f32,
    ranges: LayerRanges,
    forward: Convolution,
    /// The data gradient; none in a plan for inference, nor where nobody asks for it.
    backward: Option<Convolution>,
}

impl ConvolutionStep {
    /// None for a layer without weights. `data_gradient` says whether the gradient of its input is ever asked for.
    pub(super) fn new(
        layer: &Layer,
        ranges: Option<&LayerRanges>,
        isa: Isa,
        data_gradient: bool,
    ) -> Option<Self> {
        let (shape, transposed, activation) = match layer {
            Layer::MaxPool(_) | Layer::Dense(_) => return None,
            Layer::Conv(layer) => (layer.shape, false, layer.activation),
            Layer::ConvTranspose(layer) => (layer.shape, true, layer.activation),
        };
        // Transposed, the two directions change places.
        let large_to_small = || Convolution::forward(isa, &shape);
        let small_to_large = || Convolution::backward_data(isa, &shape);
        let forward = if transposed { small_to_large() } else { large_to_small() };
        let backward = data_gradient.then(|| if transposed { large_to_small() } else { small_to_large() });
        let (slope, ranges) = (activation.slope() as f32, ranges?.clone());
        Some(Self { shape, transposed, slope, ranges, forward, backward })
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            forward: self.forward.scratch(),
            backward: self.backward.as_ref().map(Convolution::scratch),
        }
    }

    /// Multiply-accumulates of one image forward.
    pub(super) fn macs(&self) -> u64 {
        self.forward.macs()
    }

    /// Multiply-accumulates of one image backward.
    pub(super) fn backward_macs(&self) -> u64 {
        self.shape.macs() + self.data_macs()
    }

    /// Multiply-accumulates of the data gradient of one image.
    pub(super) fn data_macs(&self) -> u64 {
        self.backward.as_ref().map_or(0, Convolution::macs)
    }

    /// How the forward pass is computed, in a few words.
    pub(super) fn describe(&self) -> String {
        self.forward.algorithm()
    }

    /// Whether the max-pool over `size` x `size` behind it can be part of its kernel.
    pub(super) fn can_pool(&self, size: usize) -> bool {
        size == 2 && self.forward.can_pool()
    }

    /// Whether anybody asks for the gradient of its input.
    pub(super) fn has_data_gradient(&self) -> bool {
        self.backward.is_some()
    }

    pub(super) fn shape(&self) -> ConvShape {
        self.shape
    }

    pub(super) fn slope(&self) -> f32 {
        self.slope
    }

    pub(super) fn ranges(&self) -> &LayerRanges {
        &self.ranges
    }

    /// Zeros around the input: for the forward pass, and for the gradient of the weights.
    pub(super) fn input_pad(&self) -> usize {
        self.forward.input_pad()
    }

    /// Zeros around the gradient of the output.
    pub(super) fn gradient_pad(&self) -> usize {
        let data = self.backward.as_ref().map_or(0, Convolution::input_pad);
        // Transposed, the gradient of the weights slides over the gradient of the output.
        if self.transposed { data.max(conv::forward_input_pad(&self.shape)) } else { data }
    }

    /// Takes the layer's part of the network's parameters.
    pub(super) fn set_parameters(&mut self, values: &[f32]) {
        let (kernel, bias) = self.ranges.split(values);
        self.forward.set_weights(kernel, bias);
        if let Some(backward) = &mut self.backward {
            let inputs = if self.transposed { self.shape.output } else { self.shape.input };
            backward.set_weights(kernel, &vec![0.0; inputs.channels]);
        }
    }

    /// `y = activation(bias + kernel * x)`.
    pub(super) fn forward(&self, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut Scratch) {
        self.forward.run(self.slope, x, y, &mut scratch.forward);
    }

    /// The forward pass and the max-pool behind it, where [`ConvolutionStep::can_pool`].
    pub(super) fn forward_pooled(
        &self,
        x: &FeatureMap,
        y: &mut FeatureMap,
        argmax: &mut [u8],
        scratch: &mut Scratch,
    ) {
        self.forward.run_pooled(self.slope, x, y, argmax, &mut scratch.forward);
    }

    /// Values in which a batch's gradient is added up: of the kernel, and of the bias.
    pub(super) fn gradient_len(&self) -> usize {
        self.shape.kernel_len() + self.bias_len()
    }

    fn bias_len(&self) -> usize {
        if self.transposed { self.shape.input.channels } else { self.shape.output.channels }
    }

    /// The kernel's and the bias' part of [`ConvolutionStep::gradient_len`] values.
    pub(super) fn split_sums<'a>(&self, sums: &'a mut [f32]) -> (&'a mut [f32], &'a mut [f32]) {
        sums.split_at_mut(self.shape.kernel_len())
    }

    /// Carries what a batch has added up to the gradient of the network's parameters.
    pub(super) fn finish_gradient(&self, sums: &[f32], gradient: &mut [f32]) {
        let (kernel, bias) = self.ranges.split_mut(gradient);
        kernel.copy_from_slice(&sums[..kernel.len()]);
        bias.copy_from_slice(&sums[kernel.len()..]);
    }

    /// From the gradient `dz` before the activation: adds that of the kernel to `kernel`, writes `dx`.
    pub(super) fn gradients(
        &self,
        isa: Isa,
        x: &FeatureMap,
        dz: &FeatureMap,
        dx: Option<&mut FeatureMap>,
        scratch: &mut Scratch,
        kernel: &mut [f32],
    ) {
        let (large, small) = if self.transposed { (dz, x) } else { (x, dz) };
        conv::backward_weights(isa, &self.shape, large, small, kernel);
        if let (Some(dx), Some(backward), Some(scratch)) = (dx, &self.backward, &mut scratch.backward) {
            backward.run(1.0, dz, dx, scratch);
        }
    }
}
