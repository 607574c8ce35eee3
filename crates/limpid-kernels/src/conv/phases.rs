//! The data gradient of a strided convolution with few input channels (the forward pass of a transposed one with few filters), with
//! its phases as channels.
//!
//! Formula: the outputs of the `stride` x `stride` phases of one cell (`axis.rs` says what these are) are the channels of one pixel
//! of a convolution of stride 1, whose kernel has zeros where a phase has no tap; then its pixels are cut up: output
//! `(stride * i + r, stride * j + c)` is channel `stride * r + c` of pixel `(i, j)`.
//!
//! Why it is fast: with a single output channel each phase alone would leave all lanes but one idle, or need a sum over lanes for
//! each of its pixels. Together they fill the lanes. The folded tail of the seed network, 9x9 with stride 4, becomes a 3x3
//! convolution to 16 channels, for which Winograd's algorithm needs fewer products than there are in the 9x9 kernel.

use super::axis::Axis;
use super::convolution::{Convolution, ConvolutionScratch};
use crate::{ConvShape, FeatureMap, Isa, Shape};

/// The phases of a transposed convolution as one convolution.
#[derive(Debug, Clone)]
pub(super) struct Phases {
    stride: usize,
    /// Channels of the output.
    channels: usize,
    convolution: Box<Convolution>,
    /// The kernel of that, and where each of its taps comes from.
    kernel: Vec<f32>,
    rows: Vec<Tap>,
    columns: Vec<Tap>,
    shape: ConvShape,
}

/// Along one axis: phase, tap of the joint kernel, and position in the kernel tensor.
#[derive(Debug, Clone, Copy)]
struct Tap {
    phase: usize,
    tap: usize,
    position: usize,
}

/// Space for one image.
#[derive(Debug)]
pub(super) struct Scratch {
    map: FeatureMap,
    convolution: Box<ConvolutionScratch>,
}

impl Phases {
    /// The phases of a data gradient as one convolution, if its geometry has them: all of one size, together filling a vector that
    /// a phase alone would leave more than half empty.
    pub(super) fn new(isa: Isa, shape: &ConvShape, rows: &[Axis], columns: &[Axis]) -> Option<Self> {
        let (stride, channels) = (shape.stride, shape.input.channels);
        let even = shape.input.height == shape.output.height * stride
            && shape.input.width == shape.output.width * stride;
        let fits =
            stride > 1 && even && 2 * channels <= isa.lanes() && stride * stride * channels >= isa.lanes();
        if !fits {
            return None;
        }
        let (rows, columns) = (Joint::new(rows), Joint::new(columns));
        let joint = ConvShape {
            input: shape.output,
            output: Shape { channels: stride * stride * channels, ..shape.output },
            kernel: rows.taps.max(columns.taps),
            stride: 1,
            pad: (rows.pad, columns.pad),
        };
        Some(Self {
            stride,
            channels,
            convolution: Box::new(Convolution::forward(isa, &joint)),
            kernel: vec![0.0; joint.kernel_len()],
            rows: rows.of_phases,
            columns: columns.of_phases,
            shape: *shape,
        })
    }

    pub(super) fn input_pad(&self) -> usize {
        self.convolution.input_pad()
    }

    pub(super) fn macs(&self) -> u64 {
        self.convolution.macs()
    }

    pub(super) fn algorithm(&self) -> String {
        format!("{} phases, {}", self.stride * self.stride, self.convolution.algorithm())
    }

    pub(super) fn scratch(&self) -> Scratch {
        let cells = self.shape.output;
        let map = FeatureMap::new(Shape { channels: self.stride * self.stride * self.channels, ..cells }, 0);
        Scratch { map, convolution: Box::new(self.convolution.scratch()) }
    }

    /// Takes the kernel tensor of the strided convolution and a bias for each output channel.
    pub(super) fn set_weights(&mut self, kernel: &[f32], bias: &[f32]) {
        assert_eq!(kernel.len(), self.shape.kernel_len(), "the kernel tensor must fit the convolution");
        let (side, inputs) = (self.shape.kernel, self.shape.output.channels);
        let phases = self.stride * self.stride * self.channels;
        let joint = (self.kernel.len() / (inputs * phases)).isqrt();
        for row in &self.rows {
            for column in &self.columns {
                for channel in 0..self.channels {
                    let from = ((row.position * side + column.position) * self.channels + channel) * inputs;
                    let phase = (row.phase * self.stride + column.phase) * self.channels + channel;
                    let to = (row.tap * joint + column.tap) * inputs * phases + phase;
                    let values = self.kernel[to..].iter_mut().step_by(phases);
                    for (to, from) in values.zip(&kernel[from..from + inputs]) {
                        *to = *from;
                    }
                }
            }
        }
        self.convolution.set_weights(&self.kernel, &bias.repeat(self.stride * self.stride));
    }

    pub(super) fn run(&self, slope: f32, x: &FeatureMap, y: &mut FeatureMap, scratch: &mut Scratch) {
        let Scratch { map, convolution } = scratch;
        self.convolution.run(slope, x, map, convolution);
        // The lengths that occur often as constants, so that a copy is a load and a store.
        match self.stride * self.channels {
            4 => self.cut_up(map, y, 4),
            8 => self.cut_up(map, y, 8),
            other => self.cut_up(map, y, other),
        }
    }

    /// Copies the pixels of each cell to their places; `run` values are a row of a cell.
    #[inline(always)]
    fn cut_up(&self, map: &FeatureMap, y: &mut FeatureMap, run: usize) {
        for cy in 0..map.shape().height {
            for phase in 0..self.stride {
                let cells = map.row(cy).chunks_exact(self.stride * run);
                for (to, cell) in y.row_mut(cy * self.stride + phase).chunks_exact_mut(run).zip(cells) {
                    to.copy_from_slice(&cell[phase * run..][..run]);
                }
            }
        }
    }
}

/// The phases of one axis in one kernel.
struct Joint {
    taps: usize,
    pad: usize,
    of_phases: Vec<Tap>,
}

impl Joint {
    fn new(phases: &[Axis]) -> Self {
        // A phase without taps reaches nothing; all others start at most a kernel before their cell.
        let with_taps = || phases.iter().filter(|phase| !phase.taps.is_empty());
        let start = with_taps().map(|phase| phase.input_start).min().unwrap_or(0).min(0);
        let end = with_taps().map(|phase| phase.input_start + phase.taps.len() as isize).max().unwrap_or(1);
        let of_phases = phases.iter().enumerate().flat_map(|(index, phase)| {
            let taps = phase.taps.iter().enumerate();
            taps.map(move |(tap, &position)| Tap {
                phase: index,
                tap: (phase.input_start - start) as usize + tap,
                position,
            })
        });
        Self { taps: (end - start).max(1) as usize, pad: -start as usize, of_phases: of_phases.collect() }
    }
}
