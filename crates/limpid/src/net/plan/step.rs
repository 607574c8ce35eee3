//! One step of a plan: a layer, or several in one, with the kernels that execute them.

use std::ops::Range;

use limpid_kernels::conv::backward_bias;
use limpid_kernels::{FeatureMap, Isa, activation, pool};

use super::convolution::ConvolutionStep;
use super::fold::Fold;
use super::pooled::{PooledStep, Unpooled};

/// One or several layers with their kernels.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A convolution or a transposed one.
    Convolution(Box<ConvolutionStep>),
    /// A max-pool alone.
    MaxPool { size: usize, outputs: usize },
    /// A convolution with the max-pool behind it.
    Pooled(Box<PooledStep>),
    /// Linear layers in one, and where in the batch's gradient its own is added up.
    Fold { fold: Box<Fold>, gradient: Range<usize> },
}

/// What one image needs for a step beside its input and output.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Positions of maxima.
    pub(super) argmax: Vec<u8>,
    pub(super) unpooled: Option<Unpooled>,
}

impl Step {
    /// Zeros around the input.
    pub(super) fn input_pad(&self) -> usize {
        match self {
            Self::Convolution(step) => step.input_pad(),
            Self::MaxPool { .. } => 0,
            Self::Pooled(step) => step.input_pad(),
            Self::Fold { fold, .. } => fold.input_pad(),
        }
    }

    /// Zeros around the gradient of the output.
    pub(super) fn gradient_pad(&self) -> usize {
        match self {
            Self::Convolution(step) => step.gradient_pad(),
            Self::MaxPool { .. } | Self::Pooled(_) => 0,
            Self::Fold { fold, .. } => fold.gradient_pad(),
        }
    }

    /// Zeros around the gradient of the input, which the step writes.
    pub(super) fn input_gradient_pad(&self) -> usize {
        match self {
            Self::Pooled(step) => step.input_gradient_pad(),
            Self::Convolution(_) | Self::MaxPool { .. } | Self::Fold { .. } => 0,
        }
    }

    pub(super) fn scratch(&self, training: bool) -> Scratch {
        match self {
            Self::Convolution(_) | Self::Fold { .. } => Scratch::default(),
            Self::MaxPool { outputs, .. } => Scratch { argmax: vec![0; *outputs], unpooled: None },
            Self::Pooled(step) => {
                Scratch { argmax: vec![0; step.argmax_len()], unpooled: Some(step.unpooled(training)) }
            }
        }
    }

    /// Multiply-accumulates of one image forward.
    pub(super) fn macs(&self) -> u64 {
        match self {
            Self::Convolution(step) => step.shape().macs(),
            Self::MaxPool { .. } => 0,
            Self::Pooled(step) => step.convolution().shape().macs(),
            Self::Fold { fold, .. } => fold.macs(),
        }
    }

    /// How the step is executed, in a few words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Convolution(step) if step.is_transposed() => {
                format!("stencils, one for each of {0}x{0} phases", step.shape().stride)
            }
            Self::Convolution(_) => "stencil".into(),
            Self::MaxPool { .. } => "max-pool".into(),
            Self::Pooled(step) => step.describe().into(),
            Self::Fold { fold, .. } => fold.describe(),
        }
    }

    /// Takes the step's part of the network's parameters.
    pub(super) fn set_parameters(&mut self, values: &[f32]) {
        match self {
            Self::Convolution(step) => step.set_parameters(values),
            Self::MaxPool { .. } => (),
            Self::Pooled(step) => step.set_parameters(values),
            Self::Fold { fold, .. } => fold.set_parameters(values),
        }
    }

    pub(super) fn forward(&self, isa: Isa, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut Scratch) {
        match (self, &mut scratch.unpooled) {
            (Self::Convolution(step), _) => step.forward(x, y),
            (Self::MaxPool { size, .. }, _) => pool::forward(isa, *size, x, y, &mut scratch.argmax),
            (Self::Pooled(step), Some(unpooled)) => step.forward(isa, x, unpooled, y, &mut scratch.argmax),
            (Self::Pooled(_), None) => unreachable!("the scratch is another step's"),
            (Self::Fold { fold, .. }, _) => fold.forward(x, y),
        }
    }

    /// From the gradient `dy` of the step's output to that of its input and its part of the batch's `gradient`. `dy` is
    /// overwritten by the gradient before the activation.
    pub(super) fn backward(
        &self,
        isa: Isa,
        (x, y): (&FeatureMap, &FeatureMap),
        dy: &mut FeatureMap,
        dx: Option<&mut FeatureMap>,
        scratch: &mut Scratch,
        gradient: &mut [f32],
    ) {
        match (self, &mut scratch.unpooled) {
            (Self::Convolution(step), _) => {
                activation::backward(isa, step.slope(), y, dy);
                let (_, bias) = step.ranges().split_mut(gradient);
                backward_bias(isa, dy, bias);
                step.gradients(isa, x, dy, dx, gradient);
            }
            (Self::MaxPool { size, .. }, _) => {
                if let Some(dx) = dx {
                    pool::backward(isa, *size, dy, &scratch.argmax, dx);
                }
            }
            (Self::Pooled(step), Some(unpooled)) => {
                step.backward(isa, (x, y), dy, dx, unpooled, &scratch.argmax, gradient);
            }
            (Self::Pooled(_), None) => unreachable!("the scratch is another step's"),
            (Self::Fold { fold, gradient: own }, _) => fold.backward(x, dy, dx, &mut gradient[own.clone()]),
        }
    }

    /// Carries what the step has added up for a batch to the gradient of the parameters, the first `parameters` values.
    pub(super) fn finish_gradient(&self, parameters: usize, gradient: &mut [f32]) {
        match self {
            Self::Convolution(_) | Self::MaxPool { .. } => (),
            Self::Pooled(step) => step.finish_gradient(parameters, gradient),
            Self::Fold { fold, gradient: own } => {
                let (of_parameters, rest) = gradient.split_at_mut(parameters);
                fold.finish_gradient(&rest[own.start - parameters..own.end - parameters], of_parameters);
            }
        }
    }
}
