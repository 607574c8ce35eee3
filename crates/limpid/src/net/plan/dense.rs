//! A dense layer, one image at a time: the products of its kernel with a vector.

use limpid_kernels::matrix::{self, Product};
use limpid_kernels::{FeatureMap, Isa, activation};

use crate::net::LayerRanges;
use crate::net::layers::Dense;

/// A dense layer and its weights.
#[derive(Debug, Clone)]
pub(super) struct DenseStep {
    /// Values of the input and of the output.
    size: (usize, usize),
    /// Slope of the activation for negative values.
    slope: f32,
    ranges: LayerRanges,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    /// Whether anybody asks for the gradient of its input.
    data_gradient: bool,
}

/// Input, output and their gradients, without the borders that maps may have.
#[derive(Debug)]
pub(super) struct Scratch {
    x: Vec<f32>,
    y: Vec<f32>,
}

/// The one matrix and its vectors, from their beginnings.
const WHOLE: [Product; 1] = [Product { m: 0, x: 0, y: 0 }];

impl DenseStep {
    pub(super) fn new(layer: &Dense, ranges: &LayerRanges, data_gradient: bool) -> Self {
        Self {
            size: (layer.input().len(), layer.output().len()),
            slope: layer.activation.slope() as f32,
            ranges: ranges.clone(),
            kernel: vec![0.0; ranges.kernel.len()],
            bias: vec![0.0; ranges.bias.len()],
            data_gradient,
        }
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch { x: vec![0.0; self.size.0], y: vec![0.0; self.size.1] }
    }

    /// Multiply-accumulates of one image forward.
    pub(super) fn macs(&self) -> u64 {
        self.kernel.len() as u64
    }

    /// Multiply-accumulates of one image backward: of the weights, and of the input where it is asked for.
    pub(super) fn backward_macs(&self) -> u64 {
        self.macs() * if self.data_gradient { 2 } else { 1 }
    }

    /// Values in which a batch's gradient is added up: of the kernel, and of the bias.
    pub(super) fn gradient_len(&self) -> usize {
        self.kernel.len() + self.bias.len()
    }

    /// Carries what a batch has added up to the gradient of the network's parameters.
    pub(super) fn finish_gradient(&self, sums: &[f32], gradient: &mut [f32]) {
        gradient[self.ranges.kernel.start..self.ranges.bias.end].copy_from_slice(sums);
    }

    /// Takes the layer's part of the network's parameters.
    pub(super) fn set_parameters(&mut self, values: &[f32]) {
        let (kernel, bias) = self.ranges.split(values);
        self.kernel.copy_from_slice(kernel);
        self.bias.copy_from_slice(bias);
    }

    /// `y = activation(bias + x kernel)`.
    pub(super) fn forward(&self, isa: Isa, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut Scratch) {
        let Scratch { x: values, y: sums } = scratch;
        flatten(x, values);
        sums.copy_from_slice(&self.bias);
        matrix::vector_matrix(isa, self.size, &WHOLE, values, &self.kernel, sums);
        for sum in &mut *sums {
            *sum = sum.max(self.slope * *sum);
        }
        y.copy_from(sums);
    }

    /// From the gradient `dy` of the output, overwritten by that before the activation, to that of the input, and of the
    /// parameters, which is added to `sums`.
    pub(super) fn backward(
        &self,
        isa: Isa,
        (x, y): (&FeatureMap, &FeatureMap),
        dy: &mut FeatureMap,
        dx: Option<&mut FeatureMap>,
        scratch: &mut Scratch,
        sums: &mut [f32],
    ) {
        let Scratch { x: values, y: dsums } = scratch;
        activation::backward(isa, self.slope, y, dy);
        flatten(dy, dsums);
        flatten(x, values);
        let (kernel, bias) = sums.split_at_mut(self.kernel.len());
        matrix::outer(isa, self.size, &WHOLE, values, kernel, dsums);
        for (sum, d) in bias.iter_mut().zip(&*dsums) {
            *sum += d;
        }
        if let Some(dx) = dx {
            values.fill(0.0);
            matrix::matrix_vector(isa, self.size, &WHOLE, values, &self.kernel, dsums);
            dx.copy_from(values);
        }
    }
}

/// The values of a map without its border.
fn flatten(map: &FeatureMap, values: &mut [f32]) {
    let len = map.shape().width * map.shape().channels;
    for (to, row) in values.chunks_exact_mut(len).zip(map.rows()) {
        to.copy_from_slice(row);
    }
}
