//! A convolution and the max-pool behind it, as one step.
//!
//! Forward, the pool is part of the convolution's kernel where that has one, so that the map between them never exists;
//! otherwise one comes after the other. Backward, activation and bias are cheaper behind the pool than before it: the maximum of
//! activated values is the activation of the maximum, and only the maxima have a gradient. Where the geometry allows it, so are
//! the gradients of weights and data: of 2x2 positions three have no gradient.

use limpid_kernels::conv::{PooledConv, PooledImageConv, PooledImageScratch, PooledScratch, backward_bias};
use limpid_kernels::{FeatureMap, Isa, Shape, activation, pool};

use super::convolution::{self, ConvolutionStep};

/// A convolution with its max-pool.
#[derive(Debug, Clone)]
pub(super) struct PooledStep {
    convolution: ConvolutionStep,
    size: usize,
    sparse: Option<Sparse>,
}

/// The sparse backward pass.
#[derive(Debug, Clone)]
enum Sparse {
    /// Of any convolution; it adds up the gradient of its kernel in an order of its own.
    Map(PooledConv),
    /// Of a convolution of the image itself.
    Image(PooledImageConv),
}

/// What the sparse backward pass needs.
#[derive(Debug)]
enum SparseScratch {
    Map(PooledScratch),
    Image(PooledImageScratch),
}

/// What one image needs between the convolution and the pool.
#[derive(Debug)]
pub(super) struct Scratch {
    convolution: convolution::Scratch,
    /// Positions of maxima.
    argmax: Vec<u8>,
    sparse: Option<SparseScratch>,
    /// The output of the convolution; none where the pool is part of its kernel.
    pub(super) unpooled: Option<FeatureMap>,
    /// The gradient of that output; none where the backward pass is sparse, or there is none.
    gradient: Option<FeatureMap>,
}

impl PooledStep {
    /// Joins a convolution to the pool behind it.
    pub(super) fn new(isa: Isa, convolution: ConvolutionStep, size: usize) -> Self {
        let shape = convolution.shape();
        let sparse = match PooledConv::new(isa, &shape, size).filter(|_| size > 1) {
            Some(kernels) => Some(Sparse::Map(kernels)),
            // It has no gradient of the data.
            None if convolution.has_data_gradient() => None,
            None => PooledImageConv::new(isa, &shape, size).map(Sparse::Image),
        };
        Self { convolution, size, sparse }
    }

    pub(super) fn convolution(&self) -> &ConvolutionStep {
        &self.convolution
    }

    fn output(&self) -> Shape {
        pool::output_shape(self.convolution.shape().output, self.size)
    }

    /// Zeros around the input.
    pub(super) fn input_pad(&self) -> usize {
        self.convolution.input_pad()
    }

    /// Multiply-accumulates of one image backward.
    pub(super) fn backward_macs(&self) -> u64 {
        // Each pooled value has one product with each weight of its channel, for the weights' gradient and for the data's.
        let shape = self.convolution.shape();
        let once = self.output().pixels() as u64 * shape.kernel_len() as u64;
        match self.sparse {
            Some(Sparse::Map(_)) if self.convolution.has_data_gradient() => 2 * once,
            Some(_) => once,
            None => self.convolution.backward_macs(),
        }
    }

    pub(super) fn describe(&self) -> String {
        let convolution = self.convolution.describe();
        let pool = if self.convolution.can_pool(self.size) { " with max-pool" } else { ", then max-pool" };
        let backward = if self.sparse.is_some() { ", sparse backward" } else { "" };
        format!("{convolution}{pool}{backward}")
    }

    pub(super) fn scratch(&self, training: bool) -> Scratch {
        let shape = self.convolution.shape().output;
        let dense = training && self.sparse.is_none();
        Scratch {
            convolution: self.convolution.scratch(),
            argmax: vec![0; self.output().len()],
            sparse: self.sparse.as_ref().filter(|_| training).map(|sparse| match sparse {
                Sparse::Map(kernels) => SparseScratch::Map(kernels.scratch()),
                Sparse::Image(kernels) => SparseScratch::Image(kernels.scratch()),
            }),
            unpooled: (!self.convolution.can_pool(self.size)).then(|| FeatureMap::new(shape, 0)),
            gradient: dense.then(|| FeatureMap::new(shape, self.convolution.gradient_pad())),
        }
    }

    pub(super) fn set_parameters(&mut self, values: &[f32]) {
        self.convolution.set_parameters(values);
        if let Some(Sparse::Map(kernels)) = &mut self.sparse {
            let (kernel, _) = self.convolution.ranges().split(values);
            kernels.set_weights(kernel);
        }
    }

    pub(super) fn forward(&self, isa: Isa, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut Scratch) {
        let Scratch { convolution, argmax, unpooled, .. } = scratch;
        match unpooled {
            None => self.convolution.forward_pooled(x, y, argmax, convolution),
            Some(unpooled) => {
                self.convolution.forward(x, unpooled, convolution);
                pool::forward(isa, self.size, unpooled, y, argmax);
            }
        }
    }

    /// From the gradient `dy` of the pooled output, overwritten by that before the activation, to that of the input, and of the
    /// parameters, which is added to the step's `sums`.
    pub(super) fn backward(
        &self,
        isa: Isa,
        (x, y): (&FeatureMap, &FeatureMap),
        dy: &mut FeatureMap,
        dx: Option<&mut FeatureMap>,
        scratch: &mut Scratch,
        sums: &mut [f32],
    ) {
        let Scratch { argmax, sparse, gradient: dense, convolution, .. } = scratch;
        activation::backward(isa, self.convolution.slope(), y, dy);
        let (kernel, bias) = self.convolution.split_sums(sums);
        backward_bias(isa, dy, bias);
        match (&self.sparse, sparse, dense) {
            (Some(Sparse::Map(kernels)), Some(SparseScratch::Map(scratch)), _) => {
                kernels.backward_weights(x, dy, argmax, kernel, scratch);
                if let Some(dx) = dx {
                    kernels.backward_data(dy, argmax, dx, scratch);
                }
            }
            (Some(Sparse::Image(kernels)), Some(SparseScratch::Image(scratch)), _) => {
                kernels.backward_weights(x, dy, argmax, kernel, scratch);
            }
            (None, _, Some(dense)) => {
                pool::backward(isa, self.size, dy, argmax, dense);
                self.convolution.gradients(isa, x, dense, dx, convolution, kernel);
            }
            _ => unreachable!("a workspace for training has what the backward pass needs"),
        }
    }

    /// Carries what a batch has added up to the gradient of the network's parameters.
    pub(super) fn finish_gradient(&self, sums: &[f32], gradient: &mut [f32]) {
        match &self.sparse {
            Some(Sparse::Map(kernels)) => {
                let (kernel, bias) = self.convolution.ranges().split_mut(gradient);
                let (packed, of_bias) = sums.split_at(kernel.len());
                kernels.unpack(packed, kernel);
                bias.copy_from_slice(of_bias);
            }
            Some(Sparse::Image(_)) | None => self.convolution.finish_gradient(sums, gradient),
        }
    }
}
