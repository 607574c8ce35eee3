//! One step of a plan: a layer, or several in one, with the kernels that execute them.

use limpid_kernels::conv::backward_bias;
use limpid_kernels::{FeatureMap, Isa, activation, pool};

use super::convolution::{self, ConvolutionStep};
use super::dense::{self, DenseStep};
use super::fold::{self, Fold};
use super::pooled::{self, PooledStep};

/// One or several layers with their kernels.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A convolution or a transposed one.
    Convolution(Box<ConvolutionStep>),
    /// A max-pool alone.
    MaxPool { size: usize, outputs: usize },
    /// A dense layer.
    Dense(Box<DenseStep>),
    /// A convolution with the max-pool behind it.
    Pooled(Box<PooledStep>),
    /// Linear layers in one.
    Fold(Box<Fold>),
}

/// What one image needs for a step beside its input and output.
#[derive(Debug)]
pub(super) enum Scratch {
    Convolution(convolution::Scratch),
    /// Positions of maxima.
    MaxPool(Vec<u8>),
    Dense(dense::Scratch),
    Pooled(Box<pooled::Scratch>),
    Fold(fold::Scratch),
}

impl Step {
    /// Zeros around the input.
    pub(super) fn input_pad(&self) -> usize {
        match self {
            Self::Convolution(step) => step.input_pad(),
            Self::MaxPool { .. } | Self::Dense(_) => 0,
            Self::Pooled(step) => step.input_pad(),
            Self::Fold(fold) => fold.input_pad(),
        }
    }

    /// Zeros around the gradient of the output.
    pub(super) fn gradient_pad(&self) -> usize {
        match self {
            Self::Convolution(step) => step.gradient_pad(),
            Self::MaxPool { .. } | Self::Dense(_) | Self::Pooled(_) => 0,
            Self::Fold(fold) => fold.gradient_pad(),
        }
    }

    pub(super) fn scratch(&self, training: bool) -> Scratch {
        match self {
            Self::Convolution(step) => Scratch::Convolution(step.scratch()),
            Self::MaxPool { outputs, .. } => Scratch::MaxPool(vec![0; *outputs]),
            Self::Dense(step) => Scratch::Dense(step.scratch()),
            Self::Pooled(step) => Scratch::Pooled(Box::new(step.scratch(training))),
            Self::Fold(fold) => Scratch::Fold(fold.scratch()),
        }
    }

    /// Multiply-accumulates of one image forward.
    pub(super) fn macs(&self) -> u64 {
        match self {
            Self::Convolution(step) => step.macs(),
            Self::MaxPool { .. } => 0,
            Self::Dense(step) => step.macs(),
            Self::Pooled(step) => step.convolution().macs(),
            Self::Fold(fold) => fold.macs(),
        }
    }

    /// Multiply-accumulates of one image backward.
    pub(super) fn backward_macs(&self) -> u64 {
        match self {
            Self::Convolution(step) => step.backward_macs(),
            Self::MaxPool { .. } => 0,
            Self::Dense(step) => step.backward_macs(),
            Self::Pooled(step) => step.backward_macs(),
            Self::Fold(fold) => fold.backward_macs(),
        }
    }

    /// How the step is executed, in a few words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Convolution(step) => step.describe(),
            Self::MaxPool { .. } => "max-pool".into(),
            Self::Dense(_) => "product with a matrix".into(),
            Self::Pooled(step) => step.describe(),
            Self::Fold(fold) => fold.describe(),
        }
    }

    /// Takes the step's part of the network's parameters.
    pub(super) fn set_parameters(&mut self, values: &[f32]) {
        match self {
            Self::Convolution(step) => step.set_parameters(values),
            Self::MaxPool { .. } => (),
            Self::Dense(step) => step.set_parameters(values),
            Self::Pooled(step) => step.set_parameters(values),
            Self::Fold(fold) => fold.set_parameters(values),
        }
    }

    pub(super) fn forward(&self, isa: Isa, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut Scratch) {
        match (self, scratch) {
            (Self::Convolution(step), Scratch::Convolution(scratch)) => step.forward(x, y, scratch),
            (Self::MaxPool { size, .. }, Scratch::MaxPool(argmax)) => pool::forward(isa, *size, x, y, argmax),
            (Self::Dense(step), Scratch::Dense(scratch)) => step.forward(isa, x, y, scratch),
            (Self::Pooled(step), Scratch::Pooled(scratch)) => step.forward(isa, x, y, scratch),
            (Self::Fold(fold), Scratch::Fold(scratch)) => fold.forward(x, y, scratch),
            _ => unreachable!("the scratch is another step's"),
        }
    }

    /// Values in which a batch's gradient is added up.
    pub(super) fn gradient_len(&self) -> usize {
        match self {
            Self::Convolution(step) => step.gradient_len(),
            Self::MaxPool { .. } => 0,
            Self::Dense(step) => step.gradient_len(),
            Self::Pooled(step) => step.convolution().gradient_len(),
            Self::Fold(fold) => fold.gradient_len(),
        }
    }

    /// From the gradient `dy` of the step's output to that of its input, and of its parameters, which is added to `sums`, of
    /// length [`Step::gradient_len`]. `dy` is overwritten by the gradient before the activation.
    pub(super) fn backward(
        &self,
        isa: Isa,
        (x, y): (&FeatureMap, &FeatureMap),
        dy: &mut FeatureMap,
        dx: Option<&mut FeatureMap>,
        scratch: &mut Scratch,
        sums: &mut [f32],
    ) {
        match (self, scratch) {
            (Self::Convolution(step), Scratch::Convolution(scratch)) => {
                activation::backward(isa, step.slope(), y, dy);
                let (kernel, bias) = step.split_sums(sums);
                backward_bias(isa, dy, bias);
                step.gradients(isa, x, dy, dx, scratch, kernel);
            }
            (Self::MaxPool { size, .. }, Scratch::MaxPool(argmax)) => {
                if let Some(dx) = dx {
                    pool::backward(isa, *size, dy, argmax, dx);
                }
            }
            (Self::Dense(step), Scratch::Dense(scratch)) => {
                step.backward(isa, (x, y), dy, dx, scratch, sums);
            }
            (Self::Pooled(step), Scratch::Pooled(scratch)) => {
                step.backward(isa, (x, y), dy, dx, scratch, sums);
            }
            (Self::Fold(fold), Scratch::Fold(scratch)) => {
                fold.backward(x, dy, dx, scratch, sums);
            }
            _ => unreachable!("the scratch is another step's"),
        }
    }

    /// Carries what a batch has added up to the gradient of the network's parameters, for these parameters.
    pub(super) fn finish_gradient(&self, parameters: &[f32], sums: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Convolution(step) => step.finish_gradient(sums, gradient),
            Self::MaxPool { .. } => (),
            Self::Dense(step) => step.finish_gradient(sums, gradient),
            Self::Pooled(step) => step.finish_gradient(sums, gradient),
            Self::Fold(fold) => fold.finish_gradient(parameters, sums, gradient),
        }
    }
}
