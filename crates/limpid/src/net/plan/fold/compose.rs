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

use num_traits::Float;

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
    /// Where the matrix of kernel position `(ky, kx)` starts in the kernel: `[before][behind]`, or, transposed,
    /// `[behind][before]`.
    fn block(&self, ky: usize, kx: usize) -> usize {
        (ky * self.kernel + kx) * self.channels.0 * self.channels.1
    }
}

/// A run of linear layers along both axes.
#[derive(Debug, Clone)]
pub(super) struct Composition {
    pub(super) layers: Vec<LinearLayer>,
    pub(super) rows: Paths,
    pub(super) columns: Paths,
    /// Channels of the output.
    pub(super) out_channels: usize,
}

/// The matrices `K_m` for `m` from 0, each flat: `[class of rows][class of columns][out][channels behind m]`.
pub(super) type Matrices<T> = Vec<Vec<T>>;

impl Composition {
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

    fn zeros<T: Float>(&self) -> Matrices<T> {
        (0..=self.layers.len()).map(|m| vec![T::zero(); self.len(m)]).collect()
    }

    /// Visits every product of the composition of layer `m`, counted from 1: `visit(start of K_(m-1)[cy][cx], start of
    /// K_m[ny][nx], start of W_m[ky][kx])`.
    fn for_each_product(&self, m: usize, mut visit: impl FnMut(usize, usize, usize)) {
        let layer = &self.layers[m - 1];
        let (before, behind) = (self.out_channels * layer.channels.0, self.out_channels * layer.channels.1);
        let (_, columns_behind) = self.classes(m);
        let (rows, columns): (&[Branches], &[Branches]) =
            (&self.rows.classes[m - 1], &self.columns.classes[m - 1]);
        for (cy, row) in rows.iter().enumerate() {
            for (cx, column) in columns.iter().enumerate() {
                let to = (cy * columns.len() + cx) * before;
                for &(ky, ny) in row {
                    for &(kx, nx) in column {
                        visit(to, (ny * columns_behind + nx) * behind, layer.block(ky, kx));
                    }
                }
            }
        }
    }

    /// All `K_m` for the network's parameters.
    pub(super) fn matrices<T: Float>(&self, parameters: &[T]) -> Matrices<T> {
        let mut matrices = self.zeros();
        let last = self.layers.len();
        for channel in 0..self.out_channels {
            matrices[last][channel * self.out_channels + channel] = T::one();
        }
        for m in (1..=last).rev() {
            let layer = &self.layers[m - 1];
            let (inputs, outputs) = layer.channels;
            let (weights, _) = layer.ranges.split(parameters);
            let (before, behind) = matrices.split_at_mut(m);
            let (to, from) = (&mut before[m - 1], &behind[0]);
            self.for_each_product(m, |to_at, from_at, weight_at| {
                let weights = &weights[weight_at..][..inputs * outputs];
                for o in 0..self.out_channels {
                    let to = &mut to[to_at + o * inputs..][..inputs];
                    let from = &from[from_at + o * outputs..][..outputs];
                    if layer.transposed {
                        for (&k, row) in from.iter().zip(weights.chunks_exact(inputs)) {
                            add_multiple(k, row, to);
                        }
                    } else {
                        for (to, row) in to.iter_mut().zip(weights.chunks_exact(outputs)) {
                            *to = *to + dot(from, row);
                        }
                    }
                }
            });
        }
        matrices
    }

    /// What the biases add to every pixel of the output: HWC.
    pub(super) fn bias_map<T: Float>(&self, parameters: &[T], matrices: &Matrices<T>) -> Vec<T> {
        let mut of_kinds = vec![T::zero(); self.kinds_len()];
        for (before, (layer, matrices)) in self.layers.iter().zip(&matrices[1..]).enumerate() {
            let (_, bias) = layer.ranges.split(parameters);
            // What one pixel behind the layer adds, by classes.
            let added: Vec<T> = matrices.chunks_exact(bias.len()).map(|row| dot(row, bias)).collect();
            self.for_each_reach(before + 1, |kind, classes| {
                let from = &added[classes * self.out_channels..][..self.out_channels];
                add_multiple(T::one(), from, &mut of_kinds[kind * self.out_channels..][..self.out_channels]);
            });
        }
        self.pixels()
            .flat_map(|kind| &of_kinds[kind * self.out_channels..][..self.out_channels])
            .copied()
            .collect()
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
    pub(super) fn backward<T: Float>(
        &self,
        parameters: &[T],
        matrices: &Matrices<T>,
        first: Vec<T>,
        bias_map: &[T],
        gradient: &mut [T],
    ) {
        let mut gradients = self.zeros();
        gradients[0] = first;
        let mut of_kinds = vec![T::zero(); self.kinds_len()];
        for (kind, values) in self.pixels().zip(bias_map.chunks_exact(self.out_channels)) {
            add_multiple(T::one(), values, &mut of_kinds[kind * self.out_channels..][..self.out_channels]);
        }
        for m in 1..=self.layers.len() {
            let layer = &self.layers[m - 1];
            let (inputs, outputs) = layer.channels;
            // The bias behind layer `m`.
            let mut added = vec![T::zero(); matrices[m].len() / outputs];
            self.for_each_reach(m, |kind, classes| {
                let from = &of_kinds[kind * self.out_channels..][..self.out_channels];
                add_multiple(T::one(), from, &mut added[classes * self.out_channels..][..self.out_channels]);
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
            let from = &matrices[m];
            self.for_each_product(m, |to_at, from_at, weight_at| {
                let weights = &weights[weight_at..][..inputs * outputs];
                let dweights = &mut dweights[weight_at..][..inputs * outputs];
                for o in 0..self.out_channels {
                    let dto = &dto[to_at + o * inputs..][..inputs];
                    let from = &from[from_at + o * outputs..][..outputs];
                    let dfrom = &mut dfrom[from_at + o * outputs..][..outputs];
                    if layer.transposed {
                        let rows = weights.chunks_exact(inputs).zip(dweights.chunks_exact_mut(inputs));
                        for ((&k, dk), (row, drow)) in from.iter().zip(dfrom).zip(rows) {
                            *dk = *dk + dot(dto, row);
                            add_multiple(k, dto, drow);
                        }
                    } else {
                        let rows = weights.chunks_exact(outputs).zip(dweights.chunks_exact_mut(outputs));
                        for (&dk, (row, drow)) in dto.iter().zip(rows) {
                            add_multiple(dk, row, dfrom);
                            add_multiple(dk, from, drow);
                        }
                    }
                }
            });
        }
    }
}

/// Sums side by side: one alone would wait for each addition before the next.
const SUMS: usize = 8;

fn dot<T: Float>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::zero(); SUMS];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<SUMS>(), b.as_chunks::<SUMS>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..SUMS {
            sums[i] = sums[i] + a[i] * b[i];
        }
    }
    for (sum, (&a, &b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum = *sum + a * b;
    }
    sums.into_iter().fold(T::zero(), |sum, value| sum + value)
}

/// `to += factor * from`.
fn add_multiple<T: Float>(factor: T, from: &[T], to: &mut [T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = *to + factor * from;
    }
}
