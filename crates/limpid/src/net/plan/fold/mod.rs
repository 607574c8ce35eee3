//! A run of convolutions without activations between them, executed as one affine map.
//!
//! The seed network ends in two transposed convolutions and a convolution with nothing nonlinear between them. Together they
//! are one transposed convolution from 7x7x32 to 28x28x1 with a kernel of 9x9 and a stride of 4, plus a map of biases: 127 k
//! multiply-accumulates instead of 2.48 M. The map is composed once per step from the layers' weights; the backward pass takes
//! the gradient of the composed kernel from the batch and carries it to the layers by the adjoint of the composition. Both are
//! exact up to rounding, so what is trained are still the layers.
//!
//! Near the border some paths through the layers are cut off, by the crop of a transposed convolution or by the padding
//! between two layers. Pixels of the output that this concerns are computed term by term (the last row and column, here).

mod compose;
mod paths;

use limpid_kernels::conv::{self, Convolution, ConvolutionScratch, Term};
use limpid_kernels::{FeatureMap, Isa, Shape};

use crate::net::layers::Layer;
use crate::net::{Activation, ConvShape, LayerRanges};
use compose::{Composition, LinearLayer, Matrices};
use paths::{AxisLayer, Paths};

/// What a folded run needs for one image.
#[derive(Debug)]
pub(super) struct Scratch {
    forward: ConvolutionScratch,
    backward: Option<ConvolutionScratch>,
}

/// A folded run of layers.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    isa: Isa,
    composition: Composition,
    /// The composed transposed convolution, by the geometry of its adjoint: `output` is the run's input.
    shape: ConvShape,
    forward: Convolution,
    /// The data gradient; none where nobody asks for it.
    backward: Option<Convolution>,
    matrices: Matrices,
    bias_map: Vec<f32>,
    /// The terms of the output's border pixels.
    terms: Vec<Term>,
    /// These pixels.
    border: Vec<(usize, usize)>,
}

/// What one layer of a run is, if it can be part of one (a convolution of stride 1 or a transposed one, without activation):
/// its geometry, that of the adjoint if it is transposed, and whether it is.
fn linear(layer: &Layer) -> Option<(ConvShape, bool)> {
    let (shape, transposed, activation) = match layer {
        Layer::Conv(layer) if layer.shape.stride == 1 => (layer.shape, false, layer.activation),
        Layer::ConvTranspose(layer) => (layer.shape, true, layer.activation),
        Layer::Conv(_) | Layer::MaxPool(_) | Layer::Dense(_) => return None,
    };
    (activation == Activation::Linear).then_some((shape, transposed))
}

impl Fold {
    /// Folds the layers from the first on, as long as they are linear, if that is less work than to execute them one by one.
    /// Also says how many they are. None if the first layer is better executed alone.
    pub(super) fn of_run<'a>(
        layers: &[Layer],
        ranges: impl Fn(usize) -> Option<&'a LayerRanges>,
        isa: Isa,
        data_gradient: bool,
    ) -> Option<(Self, usize)> {
        let run: Vec<(&Layer, &LayerRanges)> = layers
            .iter()
            .enumerate()
            .map_while(|(i, layer)| linear(layer).map(|_| (layer, ranges(i).expect("it has parameters"))))
            .collect();
        // The whole rest of the run, then without its last layer, ...
        (2..=run.len()).rev().find_map(|count| {
            let described: u64 = run[..count].iter().map(|(layer, _)| layer.macs()).sum();
            if composed_macs(&run[..count]) >= described {
                return None;
            }
            let fold = Self::new(&run[..count], isa, data_gradient);
            (fold.macs() < described).then_some((fold, count))
        })
    }

    /// Folds a run of linear layers.
    fn new(layers: &[(&Layer, &LayerRanges)], isa: Isa, data_gradient: bool) -> Self {
        let geometry: Vec<(ConvShape, bool)> = layers
            .iter()
            .map(|(layer, _)| linear(layer))
            .collect::<Option<_>>()
            .expect("only linear layers are folded");
        let (input, output) = (layers[0].0.input(), layers[layers.len() - 1].0.output());
        let axis = |axis: usize, inputs: usize| {
            let layers: Vec<AxisLayer> =
                geometry.iter().map(|(shape, transposed)| AxisLayer::of(shape, *transposed)[axis]).collect();
            Paths::new(&layers, inputs)
        };
        let (rows, columns) = (axis(0, input.height), axis(1, input.width));
        let shape = ConvShape {
            input: output,
            output: input,
            kernel: rows.taps.len(),
            stride: rows.stride,
            pad: (rows.pad, columns.pad),
        };
        let layers = layers
            .iter()
            .zip(&geometry)
            .map(|((layer, ranges), (shape, transposed))| LinearLayer {
                ranges: (*ranges).clone(),
                channels: (layer.input().channels, layer.output().channels),
                kernel: shape.kernel,
                transposed: *transposed,
            })
            .collect();
        let composition = Composition::new(isa, layers, (rows, columns), output.channels);
        let (terms, border) = border(&composition.rows, &composition.columns);
        Self {
            isa,
            forward: Convolution::backward_data(isa, &shape),
            backward: data_gradient.then(|| Convolution::forward(isa, &shape)),
            shape,
            matrices: Vec::new(),
            bias_map: vec![0.0; output.len()],
            terms,
            border,
            composition,
        }
    }

    /// Multiply-accumulates of one image.
    pub(super) fn macs(&self) -> u64 {
        let channels = self.shape.input.channels * self.shape.output.channels;
        self.forward.macs() + (self.terms.len() * channels) as u64
    }

    /// Multiply-accumulates of one image backward.
    pub(super) fn backward_macs(&self) -> u64 {
        let terms = (self.terms.len() * self.shape.input.channels * self.shape.output.channels) as u64;
        let data = self.backward.as_ref().map_or(0, |backward| backward.macs() + terms);
        self.shape.macs() + terms + data
    }

    /// What it is, in a few words.
    pub(super) fn describe(&self) -> String {
        let ConvShape { kernel, stride, .. } = self.shape;
        let border = match self.border.len() {
            0 => String::new(),
            count => format!(", {count} border pixels apart"),
        };
        format!("folded to {kernel}x{kernel}, stride {stride}: {}{border}", self.forward.algorithm())
    }

    /// Zeros that the run needs around its input.
    pub(super) fn input_pad(&self) -> usize {
        self.forward.input_pad()
    }

    /// Zeros that it needs around the gradient of its output.
    pub(super) fn gradient_pad(&self) -> usize {
        conv::forward_input_pad(&self.shape)
    }

    /// Values in which the batch's gradients are added up: of the composed kernel, of the border's blocks, of the bias map.
    pub(super) fn gradient_len(&self) -> usize {
        self.shape.kernel_len() + self.composition.len(0) + self.bias_map.len()
    }

    /// Composes the run's layers.
    pub(super) fn set_parameters(&mut self, values: &[f32]) {
        self.matrices = self.composition.matrices(values);
        self.bias_map = self.composition.bias_map(values, &self.matrices);
        let kernel = self.interior(&self.matrices[0]);
        self.forward.set_weights(&kernel, &vec![0.0; self.shape.input.channels]);
        if let Some(backward) = &mut self.backward {
            backward.set_weights(&kernel, &vec![0.0; self.shape.output.channels]);
        }
    }

    /// The kernel of the composed transposed convolution: the blocks of the taps' classes.
    fn interior(&self, first: &[f32]) -> Vec<f32> {
        let block = self.shape.input.channels * self.shape.output.channels;
        let mut kernel = Vec::with_capacity(self.shape.kernel_len());
        for class in self.interior_blocks() {
            kernel.extend_from_slice(&first[class * block..][..block]);
        }
        kernel
    }

    /// The pair of classes of every tap of the composed kernel, row by row.
    fn interior_blocks(&self) -> impl Iterator<Item = usize> {
        let Composition { rows, columns, .. } = &self.composition;
        let width = columns.classes[0].len();
        rows.taps.iter().flat_map(move |&cy| columns.taps.iter().map(move |&cx| cy * width + cx))
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            forward: self.forward.scratch(),
            backward: self.backward.as_ref().map(Convolution::scratch),
        }
    }

    pub(super) fn forward(&self, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut Scratch) {
        self.forward.run(1.0, x, y, &mut scratch.forward);
        for &pixel in &self.border {
            self.pixel_mut(y, pixel).fill(0.0);
        }
        conv::forward_terms(self.isa, &self.terms, x, &self.matrices[0], y);
        let row_len = y.shape().width * y.shape().channels;
        for (row, biases) in self.bias_map.chunks_exact(row_len).enumerate() {
            for (y, bias) in y.row_mut(row).iter_mut().zip(biases) {
                *y += bias;
            }
        }
    }

    /// Adds to `sums`, as long as [`Fold::gradient_len`], and writes `dx`.
    pub(super) fn backward(
        &self,
        x: &FeatureMap,
        dy: &mut FeatureMap,
        dx: Option<&mut FeatureMap>,
        scratch: &mut Scratch,
        sums: &mut [f32],
    ) {
        let (dkernel, rest) = sums.split_at_mut(self.shape.kernel_len());
        let (dblocks, dbias) = rest.split_at_mut(self.composition.len(0));
        for (row, values) in dbias.chunks_exact_mut(dy.row(0).len()).zip(dy.rows()) {
            for (sum, value) in row.iter_mut().zip(values) {
                *sum += value;
            }
        }
        conv::backward_weights_terms(self.isa, &self.terms, x, dy, dblocks);
        // The regular part must not see the border's pixels.
        let channels = dy.shape().channels;
        let mut kept = Vec::with_capacity(self.border.len() * channels);
        for &pixel in &self.border {
            let values = self.pixel_mut(dy, pixel);
            kept.extend_from_slice(values);
            values.fill(0.0);
        }
        conv::backward_weights(self.isa, &self.shape, dy, x, dkernel);
        if let (Some(dx), Some(backward), Some(scratch)) = (dx, &self.backward, &mut scratch.backward) {
            backward.run(1.0, dy, dx, scratch);
            for (&pixel, values) in self.border.iter().zip(kept.chunks_exact(channels)) {
                self.pixel_mut(dy, pixel).copy_from_slice(values);
            }
            conv::backward_data_terms(self.isa, &self.terms, dy, &self.matrices[0], dx);
        }
    }

    /// Carries what a batch has added up to the layers: adds to `gradient`, laid out as the network's parameters, which are those
    /// of the last [`Fold::set_parameters`].
    pub(super) fn finish_gradient(&self, parameters: &[f32], sums: &[f32], gradient: &mut [f32]) {
        let (dkernel, rest) = sums.split_at(self.shape.kernel_len());
        let (dblocks, dbias) = rest.split_at(self.composition.len(0));
        let mut first = dblocks.to_vec();
        let block = self.shape.input.channels * self.shape.output.channels;
        for (class, values) in self.interior_blocks().zip(dkernel.chunks_exact(block)) {
            for (sum, value) in first[class * block..][..block].iter_mut().zip(values) {
                *sum += value;
            }
        }
        self.composition.backward(parameters, &self.matrices, first, dbias, gradient);
    }

    fn pixel_mut<'a>(&self, map: &'a mut FeatureMap, (y, x): (usize, usize)) -> &'a mut [f32] {
        let Shape { channels, .. } = map.shape();
        &mut map.row_mut(y)[x * channels..][..channels]
    }
}

/// Multiply-accumulates of the composed kernel, without the border's, before anything of its size is allocated.
fn composed_macs(run: &[(&Layer, &LayerRanges)]) -> u64 {
    let (mut taps, mut scale) = (1_u64, 1_u64);
    for (shape, transposed) in run.iter().rev().filter_map(|(layer, _)| linear(layer)) {
        taps = taps.saturating_add(scale.saturating_mul(shape.kernel as u64 - 1));
        scale = scale.saturating_mul(if transposed { shape.stride as u64 } else { 1 });
    }
    let (input, output) = (run[0].0.input(), run[run.len() - 1].0.output());
    [taps, taps, output.channels as u64].into_iter().fold(input.len() as u64, u64::saturating_mul)
}

/// The output pixels with a row or a column on the border, and their terms.
fn border(rows: &Paths, columns: &Paths) -> (Vec<Term>, Vec<(usize, usize)>) {
    let (mut terms, mut pixels) = (Vec::new(), Vec::new());
    for (y, row) in rows.sources.iter().enumerate() {
        for (x, column) in columns.sources.iter().enumerate() {
            if rows.border.binary_search(&y).is_ok() || columns.border.binary_search(&x).is_ok() {
                pixels.push((y, x));
                for &(iy, cy) in row {
                    for &(ix, cx) in column {
                        let block = cy * columns.classes[0].len() + cx;
                        terms.push(Term { small: (iy, ix), large: (y, x), block });
                    }
                }
            }
        }
    }
    (terms, pixels)
}
