//! One stencil: a dense correlation of a padded map with a few taps, written to every n-th pixel of another map.

use super::axis::Axis;
use super::lanes_over_run;
use crate::aligned::Aligned;
use crate::{ConvShape, Isa};

/// Which way through the layer's kernel tensor `[ky][kx][input channel][output channel]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the tensor's input channels to its output channels.
    Forward,
    /// From the tensor's output channels to its input channels.
    Backward,
}

/// `y[out + out_stride * i] = activation(bias + sum over taps t, channels c of x[in + in_stride * i + t, c] * w[t, c])`
/// for all `i` in rows x columns. The taps of a row are neighbours in memory, so they and the input channels form one
/// run.
#[derive(Debug, Clone)]
pub(super) struct Stencil {
    pub(super) row: Axis,
    pub(super) column: Axis,
    pub(super) in_channels: usize,
    pub(super) out_channels: usize,
    /// Rows and columns of the kernel tensor that the weights come from.
    kernel: usize,
    direction: Direction,
    pub(super) layout: Layout,
    pub(super) weights: Aligned,
}

/// Where the SIMD lanes lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Over output channels; weights `[block of channels][tap row][run][channels of a block]`.
    Wide,
    /// Over the run; weights `[output channel][tap row][run]`.
    Dot,
}

impl Stencil {
    /// Most vectors of output channels that a tile computes at a time.
    pub(super) const BLOCK: usize = 2;

    pub(super) fn new(isa: Isa, shape: &ConvShape, direction: Direction, row: &Axis, column: &Axis) -> Self {
        let (in_channels, out_channels) = match direction {
            Direction::Forward => (shape.input.channels, shape.output.channels),
            Direction::Backward => (shape.output.channels, shape.input.channels),
        };
        let run = column.taps.len() * in_channels;
        let (layout, channels) = if lanes_over_run(isa.lanes(), out_channels, run) {
            (Layout::Dot, out_channels)
        } else {
            (Layout::Wide, out_channels.next_multiple_of(isa.lanes()))
        };
        let weights = Aligned::zeros(row.taps.len() * run * channels);
        let (row, column) = (row.clone(), column.clone());
        Self { row, column, in_channels, out_channels, kernel: shape.kernel, direction, layout, weights }
    }

    /// Values of a row of taps, neighbours in memory.
    pub(super) fn run_len(&self) -> usize {
        self.column.taps.len() * self.in_channels
    }

    /// Multiply-accumulates of one pass over one image.
    pub(super) fn macs(&self) -> u64 {
        let pixels = self.row.count * self.column.count;
        (pixels * self.row.taps.len() * self.run_len() * self.out_channels) as u64
    }

    /// Copies the stencil's weights from the kernel tensor into the order in which the tiles read them.
    pub(super) fn set_weights(&mut self, isa: Isa, kernel: &[f32]) {
        assert_eq!(
            kernel.len(),
            self.kernel * self.kernel * self.in_channels * self.out_channels,
            "the kernel tensor must fit the convolution"
        );
        let (run, depth) = (self.run_len(), self.row.taps.len() * self.run_len());
        let block = Self::BLOCK * isa.lanes();
        for (ty, &ky) in self.row.taps.iter().enumerate() {
            for (tx, &kx) in self.column.taps.iter().enumerate() {
                for ci in 0..self.in_channels {
                    let k = ty * run + tx * self.in_channels + ci;
                    for co in 0..self.out_channels {
                        let (first, second, second_count) = match self.direction {
                            Direction::Forward => (ci, co, self.out_channels),
                            Direction::Backward => (co, ci, self.in_channels),
                        };
                        let first_count = self.in_channels * self.out_channels / second_count;
                        let from = ((ky * self.kernel + kx) * first_count + first) * second_count + second;
                        let to = match self.layout {
                            Layout::Dot => co * depth + k,
                            Layout::Wide => {
                                // The last block may be narrower than the others.
                                let start = co / block * block;
                                let width = block.min(self.weights.len() / depth - start);
                                start * depth + k * width + co - start
                            }
                        };
                        self.weights[to] = kernel[from];
                    }
                }
            }
        }
    }
}
