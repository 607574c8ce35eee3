//! The composition of linear layers into one affine map, and its adjoint.
//!
//! `K_m[class of rows][class of columns]` is the matrix, `[channels of the output][channels behind layer m]`, that takes a
//! pixel behind the first `m` layers to a pixel of the output by the paths of these classes. Behind the last layer it is the
//! identity, and, with `W_m` the kernel of layer `m`,
//!
//! ```text
//! K_(m-1)[cy][cx] = sum over (ky, ny) of cy, (kx, nx) of cx:  K_m[ny][nx] * W_m[ky][kx]
//! ```
//!
//! From the last layer on, because that one has few channels. A bias of layer `m` is a constant image behind it: at an output
//! pixel it gives the sum of `K_m * b_m` over all pixels that reach it. The cost does not depend on the batch.

use limpid_kernels::Isa;
use limpid_kernels::matrix::{self, Product};

use super::paths::{Branches, Paths};
use crate::net::LayerRanges;

/// One layer of a run, as the composition sees it.
#[derive(Debug, Clone)]
pub(super) struct LinearLayer {
    pub(super) ranges: LayerRanges,
    /// Channels before and behind it.
    pub(super) channels: (usize, usize),
    pub(super) kernel: usize,
    pub(super) transposed: bool,
}

impl LinearLayer {
    /// Rows and columns of the matrix of one kernel position.
    fn size(&self) -> matrix::Size {
        let (inputs, outputs) = self.channels;
        if self.transposed { (outputs, inputs) } else { (inputs, outputs) }
    }

    /// Where the matrix of kernel position `(ky, kx)` starts in the kernel: `[before][behind]`, or, transposed,
    /// `[behind][before]`.
    fn block(&self, ky: usize, kx: usize) -> usize {
        (ky * self.kernel + kx) * self.channels.0 * self.channels.1
    }
}

/// A run of linear layers along both axes.
#[derive(Debug, Clone)]
pub(super) struct Composition {
    isa: Isa,
    pub(super) layers: Vec<LinearLayer>,
    pub(super) rows: Paths,
    pub(super) columns: Paths,
    /// Channels of the output.
    pub(super) out_channels: usize,
    /// For each layer, the products of its part of the composition.
    products: Vec<Vec<Product>>,
}

/// The matrices `K_m` for `m` from 0, each flat: `[class of rows][class of columns][out][channels behind m]`.
pub(super) type Matrices = Vec<Vec<f32>>;

impl Composition {
    pub(super) fn new(
        isa: Isa,
        layers: Vec<LinearLayer>,
        (rows, columns): (Paths, Paths),
        out_channels: usize,
    ) -> Self {
        let mut composition = Self { isa, layers, rows, columns, out_channels, products: Vec::new() };
        composition.products = (1..=composition.layers.len()).map(|m| composition.products_of(m)).collect();
        composition
    }

    fn channels(&self, m: usize) -> usize {
        if m == 0 { self.layers[0].channels.0 } else { self.layers[m - 1].channels.1 }
    }

    fn classes(&self, m: usize) -> (usize, usize) {
        (self.rows.classes[m].len(), self.columns.classes[m].len())
    }

    /// Values of `K_m`.
    pub(super) fn len(&self, m: usize) -> usize {
        let (rows, columns) = self.classes(m);
        rows * columns * self.out_channels * self.channels(m)
    }

    fn zeros(&self) -> Matrices {
        (0..=self.layers.len()).map(|m| vec![0.0; self.len(m)]).collect()
    }

    /// The products of layer `m`, counted from 1, those with the same matrix together. The rows of a matrix are the channels behind the layer if it is transposed,
    /// otherwise those before it.
    fn products_of(&self, m: usize) -> Vec<Product> {
        let layer = &self.layers[m - 1];
        let (inputs, outputs) = layer.channels;
        let (_, columns_behind) = self.classes(m);
        let (rows, columns): (&[Branches], &[Branches]) =
            (&self.rows.classes[m - 1], &self.columns.classes[m - 1]);
        let mut products = Vec::new();
        for (cy, row) in rows.iter().enumerate() {
            for (cx, column) in columns.iter().enumerate() {
                for &(ky, ny) in row {
                    for &(kx, nx) in column {
                        for o in 0..self.out_channels {
                            let before = ((cy * columns.len() + cx) * self.out_channels + o) * inputs;
                            let behind = ((ny * columns_behind + nx) * self.out_channels + o) * outputs;
                            let (x, y) = if layer.transposed { (behind, before) } else { (before, behind) };
                            products.push(Product { m: layer.block(ky, kx), x, y });
                        }
                    }
                }
            }
        }
        products.sort_by_key(|product| product.m);
        products
    }

    /// All `K_m` for the network's parameters.
    pub(super) fn matrices(&self, parameters: &[f32]) -> Matrices {
        let mut matrices = self.zeros();
        let last = self.layers.len();
        for channel in 0..self.out_channels {
            matrices[last][channel * self.out_channels + channel] = 1.0;
        }
        for m in (1..=last).rev() {
            let (layer, products) = (&self.layers[m - 1], &self.products[m - 1]);
            let (weights, _) = layer.ranges.split(parameters);
            let (before, behind) = matrices.split_at_mut(m);
            let (to, from) = (&mut before[m - 1], &behind[0]);
            if layer.transposed {
                matrix::vector_matrix(self.isa, layer.size(), products, from, weights, to);
            } else {
                matrix::matrix_vector(self.isa, layer.size(), products, to, weights, from);
            }
        }
        matrices
    }

    /// What the biases add to every pixel of the output: HWC.
    pub(super) fn bias_map(&self, parameters: &[f32], matrices: &Matrices) -> Vec<f32> {
        let mut of_kinds = vec![0.0; self.kinds_len()];
        for (before, (layer, matrices)) in self.layers.iter().zip(&matrices[1..]).enumerate() {
            let (_, bias) = layer.ranges.split(parameters);
            // What one pixel behind the layer adds, by classes.
            let added: Vec<f32> = matrices.chunks_exact(bias.len()).map(|row| dot(row, bias)).collect();
            self.for_each_reach(before + 1, |kind, classes| {
                let from = &added[classes * self.out_channels..][..self.out_channels];
                add_multiple(1.0, from, &mut of_kinds[kind * self.out_channels..][..self.out_channels]);
            });
        }
        let mut map =
            Vec::with_capacity(self.rows.kinds.len() * self.columns.kinds.len() * self.out_channels);
        for kind in self.pixels() {
            map.extend_from_slice(&of_kinds[kind * self.out_channels..][..self.out_channels]);
        }
        map
    }

    /// Values by pairs of kinds of rows and columns.
    fn kinds_len(&self) -> usize {
        self.rows.reach.len() * self.columns.reach.len() * self.out_channels
    }

    /// The pair of kinds of every output pixel.
    fn pixels(&self) -> impl Iterator<Item = usize> {
        let columns = self.columns.reach.len();
        self.rows
            .kinds
            .iter()
            .flat_map(move |&row| self.columns.kinds.iter().map(move |column| row * columns + column))
    }

    /// Visits every pixel behind layer `m` that reaches an output pixel: `visit(pair of the output's kinds, pair of classes)`.
    fn for_each_reach(&self, m: usize, mut visit: impl FnMut(usize, usize)) {
        let (_, columns) = self.classes(m);
        for (y, rows) in self.rows.reach.iter().enumerate() {
            for (x, column_classes) in self.columns.reach.iter().enumerate() {
                for &cy in &rows[m] {
                    for &cx in &column_classes[m] {
                        visit(y * self.columns.reach.len() + x, cy * columns + cx);
                    }
                }
            }
        }
    }

    /// The adjoint: from the gradients of `K_0` and of the bias map to those of the layers' parameters, added to `gradient`.
    pub(super) fn backward(
        &self,
        parameters: &[f32],
        matrices: &Matrices,
        first: Vec<f32>,
        bias_map: &[f32],
        gradient: &mut [f32],
    ) {
        let mut gradients = self.zeros();
        gradients[0] = first;
        let mut of_kinds = vec![0.0; self.kinds_len()];
        for (kind, values) in self.pixels().zip(bias_map.chunks_exact(self.out_channels)) {
            add_multiple(1.0, values, &mut of_kinds[kind * self.out_channels..][..self.out_channels]);
        }
        for m in 1..=self.layers.len() {
            let layer = &self.layers[m - 1];
            let (_, outputs) = layer.channels;
            // The bias behind layer `m`.
            let mut added = vec![0.0; matrices[m].len() / outputs];
            self.for_each_reach(m, |kind, classes| {
                let from = &of_kinds[kind * self.out_channels..][..self.out_channels];
                add_multiple(1.0, from, &mut added[classes * self.out_channels..][..self.out_channels]);
            });
            let (weights, bias) = layer.ranges.split(parameters);
            let (dweights, dbias) = layer.ranges.split_mut(gradient);
            let rows = matrices[m].chunks_exact(outputs).zip(gradients[m].chunks_exact_mut(outputs));
            for (&added, (row, drow)) in added.iter().zip(rows) {
                add_multiple(added, row, dbias);
                add_multiple(added, bias, drow);
            }
            // The product with the kernel.
            let (before, behind) = gradients.split_at_mut(m);
            let (dto, dfrom) = (&before[m - 1], &mut behind[0]);
            let (from, products, size) = (&matrices[m], &self.products[m - 1], layer.size());
            if layer.transposed {
                matrix::matrix_vector(self.isa, size, products, dfrom, weights, dto);
                matrix::outer(self.isa, size, products, from, dweights, dto);
            } else {
                matrix::vector_matrix(self.isa, size, products, dto, weights, dfrom);
                matrix::outer(self.isa, size, products, dto, dweights, from);
            }
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `to += factor * from`.
fn add_multiple(factor: f32, from: &[f32], to: &mut [f32]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}
