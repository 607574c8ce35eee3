//! One step of a plan: a layer, or a run of layers, with the kernels that execute it.

use std::ops::Range;

use limpid_kernels::conv::{self, Convolution};
use limpid_kernels::{ConvShape, FeatureMap, Isa, activation, pool};

use super::fold::Fold;
use crate::net::LayerRanges;
use crate::net::layers::Layer;

/// A layer or a run of layers, with its kernels.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Convolution(Box<ConvolutionStep>),
    MaxPool {
        size: usize,
        outputs: usize,
    },
    /// Linear layers in one, and where in the batch's gradient its own is added up.
    Fold {
        fold: Box<Fold>,
        gradient: Range<usize>,
    },
}

/// A convolution or a transposed one: the same three operations, in other roles.
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

impl Step {
    /// `data_gradient` says whether the step is ever asked for the gradient of its input.
    pub(super) fn new(layer: &Layer, ranges: Option<&LayerRanges>, isa: Isa, data_gradient: bool) -> Self {
        let (shape, transposed, activation) = match layer {
            Layer::MaxPool(layer) => {
                return Self::MaxPool { size: layer.size(), outputs: layer.output().len() };
            }
            Layer::Conv(layer) => (layer.shape, false, layer.activation),
            Layer::ConvTranspose(layer) => (layer.shape, true, layer.activation),
        };
        // Transposed, the two directions change places.
        let large_to_small = || Convolution::forward(isa, &shape);
        let small_to_large = || Convolution::backward_data(isa, &shape);
        let forward = if transposed { small_to_large() } else { large_to_small() };
        let backward = data_gradient.then(|| if transposed { large_to_small() } else { small_to_large() });
        Self::Convolution(Box::new(ConvolutionStep {
            shape,
            transposed,
            slope: activation.slope() as f32,
            ranges: ranges.expect("a convolution has parameters").clone(),
            forward,
            backward,
        }))
    }

    /// Zeros that the step needs around its input: for itself, and for the gradient of its weights.
    pub(super) fn input_pad(&self) -> usize {
        match self {
            Self::Convolution(step) => step.forward.input_pad(),
            Self::MaxPool { .. } => 0,
            Self::Fold { fold, .. } => fold.input_pad(),
        }
    }

    /// Zeros that the step needs around the gradient of its output.
    pub(super) fn gradient_pad(&self) -> usize {
        match self {
            Self::Convolution(step) => {
                let data = step.backward.as_ref().map_or(0, Convolution::input_pad);
                // Transposed, the gradient of the weights slides over the gradient of the output.
                if step.transposed { data.max(conv::forward_input_pad(&step.shape)) } else { data }
            }
            Self::MaxPool { .. } => 0,
            Self::Fold { fold, .. } => fold.gradient_pad(),
        }
    }

    /// Positions of maxima that the step remembers.
    pub(super) fn argmax_len(&self) -> usize {
        match self {
            Self::MaxPool { outputs, .. } => *outputs,
            Self::Convolution(_) | Self::Fold { .. } => 0,
        }
    }

    /// Multiply-accumulates of one image forward.
    pub(super) fn macs(&self) -> u64 {
        match self {
            Self::Convolution(step) => step.shape.macs(),
            Self::MaxPool { .. } => 0,
            Self::Fold { fold, .. } => fold.macs(),
        }
    }

    /// How the step is executed, in a few words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Convolution(step) if step.transposed => {
                format!("stencils, one for each of {0}x{0} phases", step.shape.stride)
            }
            Self::Convolution(_) => "stencil".into(),
            Self::MaxPool { .. } => "max-pool".into(),
            Self::Fold { fold, .. } => fold.describe(),
        }
    }

    /// Takes the step's part of the network's parameters.
    pub(super) fn set_parameters(&mut self, values: &[f32]) {
        match self {
            Self::Convolution(step) => {
                let (kernel, bias) = step.ranges.split(values);
                step.forward.set_weights(kernel, bias);
                if let Some(backward) = &mut step.backward {
                    let inputs = if step.transposed { step.shape.output } else { step.shape.input };
                    backward.set_weights(kernel, &vec![0.0; inputs.channels]);
                }
            }
            Self::MaxPool { .. } => (),
            Self::Fold { fold, .. } => fold.set_parameters(values),
        }
    }

    /// Carries what the step has added up for a batch to the gradient of the parameters, the first `parameters` values.
    pub(super) fn finish_gradient(&self, parameters: usize, gradient: &mut [f32]) {
        if let Self::Fold { fold, gradient: own } = self {
            let (of_parameters, rest) = gradient.split_at_mut(parameters);
            fold.finish_gradient(&rest[own.start - parameters..own.end - parameters], of_parameters);
        }
    }

    pub(super) fn forward(&self, isa: Isa, x: &FeatureMap, y: &mut FeatureMap, argmax: &mut [u8]) {
        match self {
            Self::Convolution(step) => step.forward.run(step.slope, x, y),
            Self::MaxPool { size, .. } => pool::forward(isa, *size, x, y, argmax),
            Self::Fold { fold, .. } => fold.forward(x, y),
        }
    }

    /// From the gradient `dy` of the step's output to that of its input and its part of the parameters' `gradient`. `dy` is
    /// overwritten by the gradient before the activation.
    pub(super) fn backward(
        &self,
        isa: Isa,
        (x, y): (&FeatureMap, &FeatureMap),
        dy: &mut FeatureMap,
        dx: Option<&mut FeatureMap>,
        argmax: &[u8],
        gradient: &mut [f32],
    ) {
        match self {
            Self::Fold { fold, gradient: own } => fold.backward(x, dy, dx, &mut gradient[own.clone()]),
            Self::MaxPool { size, .. } => {
                if let Some(dx) = dx {
                    pool::backward(isa, *size, dy, argmax, dx);
                }
            }
            Self::Convolution(step) => {
                activation::backward(isa, step.slope, y, dy);
                let (kernel, bias) = step.ranges.split_mut(gradient);
                conv::backward_bias(isa, dy, bias);
                let (large, small) = if step.transposed { (&*dy, x) } else { (x, &*dy) };
                conv::backward_weights(isa, &step.shape, large, small, kernel);
                if let (Some(dx), Some(backward)) = (dx, &step.backward) {
                    backward.run(1.0, dy, dx);
                }
            }
        }
    }
}
