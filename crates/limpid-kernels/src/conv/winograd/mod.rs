//! A 3x3 convolution of stride 1 by Winograd's minimal filtering F(4x4, 3x3).
//!
//! Formula: the output is cut into tiles of 4x4 pixels; with `d` the 6x6 inputs of a tile and `g` the kernel,
//! `y = A^T [sum over input channels of (G g G^T) * (B^T d B)] A` (`transforms.rs` has the matrices). Plainly it is the
//! convolution of `reference.rs`.
//!
//! Shapes: transformed inputs and products are `[tile][36 positions][channels]`, transformed weights `[block of output
//! channels][36 positions][input channel][channels of a block]` with a line between positions. The input map needs zeros wherever a tile reaches.
//!
//! Why it is fast: 36 multiply-accumulates per tile and pair of channels instead of 144. Each position is a product of
//! matrices, tiles x input channels x output channels, for the same routine as every other convolution (`products.rs`). A few
//! tiles at a time stay in the cache from the first transform to the last.
//!
//! Rounding: the transforms add and subtract values up to 100 times as large as what is left of them, so results differ from
//! those of the direct sum by some 10 times as much as two direct sums in another order; a test states the bound.

mod transforms;

use super::output::{Output, activate, store_maximum};
use super::products::Products;
use super::stencil::{Direction, Stencil};
use crate::aligned::Aligned;
use crate::isa::per_isa;
use crate::lanes::Lanes;
use crate::tiling::{split, with_constant};
use crate::{ConvShape, FeatureMap, Isa, Shape};
use transforms::{Input, Transform, Weights};

/// Output rows and columns of a tile.
const SIDE: usize = 4;
/// Rows and columns that a tile reads.
const REACH: usize = 6;
/// Products of a tile and a pair of channels.
const POSITIONS: usize = REACH * REACH;
/// Values of a cache line.
const LINE: usize = 16;
/// Tiles that are on their way together: their transforms (4.6 KB each for 32 channels) share the second-level cache with the
/// weights, and they share each weight that is loaded.
const TILES: usize = 8;

/// A convolution, or its data gradient, with transformed weights.
#[derive(Debug, Clone)]
pub(super) struct Winograd {
    direction: Direction,
    in_channels: usize,
    out_channels: usize,
    /// Output channels of a block; the last may have fewer.
    block: usize,
    /// Zeros before the first input row and column.
    pad: (usize, usize),
    /// Tiles that the output has, in height and width.
    tiles: (usize, usize),
    /// Zeros that the tiles need around the input.
    input_pad: usize,
    weights: Aligned,
}

/// What the tiles on their way need.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The transformed input.
    input: FeatureMap,
    /// Its products with the transformed weights, added up over the input channels.
    products: FeatureMap,
}

impl Winograd {
    /// The algorithm for a geometry, if it has it (3x3, stride 1, channels that fill their vectors) and it is less work.
    pub(super) fn new(isa: Isa, shape: &ConvShape, direction: Direction) -> Option<Self> {
        let (input, output, pad) = match direction {
            Direction::Forward => (shape.input, shape.output, shape.pad),
            // The data gradient is the convolution with the kernel turned around, and as many zeros as it reaches beyond.
            Direction::Backward => (
                shape.output,
                shape.input,
                (2_usize.checked_sub(shape.pad.0)?, 2_usize.checked_sub(shape.pad.1)?),
            ),
        };
        let tiles = (output.height.div_ceil(SIDE), output.width.div_ceil(SIDE));
        let fits = shape.kernel == 3
            && shape.stride == 1
            && input.channels.is_multiple_of(isa.lanes())
            && output.channels.is_multiple_of(isa.lanes())
            && tiles.0 * tiles.1 * POSITIONS < output.pixels() * 9;
        let behind =
            |tiles: usize, pad: usize, inputs: usize| (tiles * SIDE + 2).saturating_sub(pad + inputs);
        let behind = behind(tiles.0, pad.0, input.height).max(behind(tiles.1, pad.1, input.width));
        let block = Stencil::BLOCK * isa.lanes();
        let weights = output.channels.div_ceil(block) * POSITIONS * (input.channels * block + LINE);
        fits.then(|| Self {
            block,
            direction,
            in_channels: input.channels,
            out_channels: output.channels,
            pad,
            tiles,
            input_pad: pad.0.max(pad.1).max(behind),
            weights: Aligned::zeros(weights),
        })
    }

    /// Zeros that the input must have on each side.
    pub(super) fn input_pad(&self) -> usize {
        self.input_pad
    }

    /// Multiply-accumulates of one pass over one image, without the transforms.
    pub(super) fn macs(&self) -> u64 {
        (self.tiles.0 * self.tiles.1 * POSITIONS * self.in_channels * self.out_channels) as u64
    }

    pub(super) fn scratch(&self) -> Scratch {
        let map = |channels| {
            FeatureMap::new(Shape::new(TILES.min(self.tiles.0 * self.tiles.1), POSITIONS, channels), 0)
        };
        Scratch { input: map(self.in_channels), products: map(self.out_channels) }
    }

    /// Transforms the weights of the kernel tensor `[3][3][channels of shape.input][channels of shape.output]`.
    pub(super) fn set_weights(&mut self, isa: Isa, kernel: &[f32]) {
        assert_eq!(
            kernel.len(),
            9 * self.in_channels * self.out_channels,
            "the kernel tensor must fit the convolution"
        );
        transform_weights(isa, self, kernel);
    }

    pub(super) fn run(
        &self,
        isa: Isa,
        bias: &[f32],
        slope: f32,
        x: &FeatureMap,
        output: &mut Output<'_>,
        scratch: &mut Scratch,
    ) {
        let maps =
            |map: &FeatureMap, channels| map.shape().width == POSITIONS && map.shape().channels == channels;
        assert!(
            maps(&scratch.input, self.in_channels) && maps(&scratch.products, self.out_channels),
            "the scratch is another convolution's"
        );
        run_tiles(isa, self, bias, slope, x, output, scratch);
    }

    /// Where the matrix of a position starts, for the block of output channels from `first` on, `width` of them. Matrices are a
    /// line further apart than they are long: at powers of two they would all want the same lines of the cache.
    fn matrix(&self, (first, width): (usize, usize), position: usize) -> usize {
        first / self.block * POSITIONS * (self.in_channels * self.block + LINE)
            + position * (self.in_channels * width + LINE)
    }
}

per_isa! {
    fn transform_weights<L>(lanes; conv: &mut Winograd, kernel: &[f32]) {
        let (inputs, outputs) = (conv.in_channels, conv.out_channels);
        let mut taps = vec![0.0; 9 * L::LEN];
        for first in (0..outputs).step_by(Stencil::BLOCK * L::LEN) {
            let width = (outputs - first).min(Stencil::BLOCK * L::LEN);
            for input in 0..inputs {
                for lane in (0..width).step_by(L::LEN) {
                    for (tap, values) in taps.chunks_exact_mut(L::LEN).enumerate() {
                        match conv.direction {
                            Direction::Forward => {
                                let from = (tap * inputs + input) * outputs + first + lane;
                                values.copy_from_slice(&kernel[from..][..L::LEN]);
                            }
                            Direction::Backward => {
                                let from = ((8 - tap) * outputs + first + lane) * inputs + input;
                                for (value, from) in values.iter_mut().zip(kernel[from..].iter().step_by(inputs)) {
                                    *value = *from;
                                }
                            }
                        }
                    }
                    // SAFETY: `taps` has nine vectors.
                    let square: [[L::F32; 3]; 3] = unsafe { load_square(lanes, &taps, 0, 3 * L::LEN, L::LEN) };
                    let square: [[L::F32; REACH]; REACH] = Weights::both(lanes, &square);
                    for (position, value) in square.as_flattened().iter().enumerate() {
                        let to = conv.matrix((first, width), position) + input * width + lane;
                        // SAFETY: `weights` has 36 matrices of inputs x block for each block.
                        unsafe { lanes.store(&mut conv.weights, to, *value) };
                    }
                }
            }
        }
    }
}

per_isa! {
    fn run_tiles<L>(
        lanes;
        conv: &Winograd,
        bias: &[f32],
        slope: f32,
        x: &FeatureMap,
        output: &mut Output<'_>,
        scratch: &mut Scratch,
    ) {
        let total = conv.tiles.0 * conv.tiles.1;
        for first in (0..total).step_by(TILES) {
            let count = TILES.min(total - first);
            transform_input(lanes, conv, first, count, x, &mut scratch.input);
            multiply(lanes, conv, count, &scratch.input, &mut scratch.products);
            transform_products(lanes, conv, first, count, (bias, slope), &scratch.products, output);
        }
    }
}

/// `N` x `N` vectors, `down` and `right` apart.
///
/// # Safety
/// They lie in `from`.
#[inline(always)]
unsafe fn load_square<L: Lanes, const N: usize>(
    lanes: L,
    from: &[f32],
    at: usize,
    down: usize,
    right: usize,
) -> [[L::F32; N]; N] {
    let mut square = [[lanes.splat(0.0); N]; N];
    for (y, row) in square.iter_mut().enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *value = unsafe { lanes.load(from, at + y * down + x * right) };
        }
    }
    square
}

/// `B^T d B` for each of `count` tiles and each input channel.
#[inline(always)]
fn transform_input<L: Lanes>(
    lanes: L,
    conv: &Winograd,
    first: usize,
    count: usize,
    x: &FeatureMap,
    transformed: &mut FeatureMap,
) {
    let channels = conv.in_channels;
    for at in 0..count {
        let (row, column) = ((first + at) / conv.tiles.1 * SIDE, (first + at) % conv.tiles.1 * SIDE);
        let from = x.offset(row as isize - conv.pad.0 as isize, column as isize - conv.pad.1 as isize);
        let to = transformed.offset(at as isize, 0);
        for channel in (0..channels).step_by(L::LEN) {
            // SAFETY: the tile lies in `x`, border included: `Convolution::run` has checked its size and border.
            let square: [[L::F32; REACH]; REACH] =
                unsafe { load_square(lanes, x.values(), from + channel, x.row_stride(), channels) };
            let square: [[L::F32; REACH]; REACH] = Input::both(lanes, &square);
            for (position, value) in square.as_flattened().iter().enumerate() {
                // SAFETY: the scratch has 36 positions of so many channels for each tile.
                unsafe { lanes.store(transformed.values_mut(), to + position * channels + channel, *value) };
            }
        }
    }
}

/// At each position, tiles x input channels times input channels x output channels.
#[inline(always)]
fn multiply<L: Lanes>(lanes: L, conv: &Winograd, count: usize, x: &FeatureMap, y: &mut FeatureMap) {
    for block in (0..conv.out_channels).step_by(Stencil::BLOCK * L::LEN) {
        let vectors = (conv.out_channels - block).min(Stencil::BLOCK * L::LEN) / L::LEN;
        for position in 0..POSITIONS {
            for (tile, tiles) in split(count, if L::REGISTERS >= 32 { 8 } else { 6 }) {
                let call = Call { conv, block, position, tile };
                with_constant!(vectors, [1 2] as V => with_constant!(tiles, [1 2 3 4 5 6 7 8] as Q => {
                    // 32 channels are the common case.
                    if conv.in_channels == 32 {
                        call.products::<L, Q, V, { 32 * POSITIONS }>(lanes, x, y);
                    } else {
                        call.products::<L, Q, V, 0>(lanes, x, y);
                    }
                }));
            }
        }
    }
}

/// One position of some tiles and a block of output channels.
struct Call<'a> {
    conv: &'a Winograd,
    /// The first output channel.
    block: usize,
    position: usize,
    /// The first tile.
    tile: usize,
}

impl Call<'_> {
    #[inline(always)]
    fn products<L: Lanes, const Q: usize, const V: usize, const STEP: usize>(
        &self,
        lanes: L,
        x: &FeatureMap,
        y: &mut FeatureMap,
    ) {
        let Self { conv, block, position, tile } = *self;
        let inputs = conv.in_channels;
        let matrix = inputs * V * L::LEN;
        let products = Products {
            weights: &conv.weights[conv.matrix((block, V * L::LEN), position)..][..matrix],
            tap_rows: 1,
            run: inputs,
            x: x.values(),
            from: x.offset(tile as isize, position as isize),
            tap_step: 0,
            down: 0,
            right: x.row_stride(),
        };
        // SAFETY: `weights` was cut to V vectors for each input channel; the scratch has 36 positions of all channels for each
        // tile.
        let [sums] = unsafe { products.sums::<L, 1, Q, V, STEP>(lanes, [lanes.splat(0.0); V]) };
        for (q, tile_sums) in sums.iter().enumerate() {
            let to = y.offset((tile + q) as isize, position as isize) + block;
            for (v, sum) in tile_sums.iter().enumerate() {
                // SAFETY: as above.
                unsafe { lanes.store(y.values_mut(), to + v * L::LEN, *sum) };
            }
        }
    }
}

/// `A^T m A` for each of `count` tiles and each output channel, then bias, activation and pool.
#[inline(always)]
fn transform_products<L: Lanes>(
    lanes: L,
    conv: &Winograd,
    first: usize,
    count: usize,
    (bias, slope): (&[f32], f32),
    products: &FeatureMap,
    output: &mut Output<'_>,
) {
    let channels = conv.out_channels;
    let slope = lanes.splat(slope);
    for at in 0..count {
        let (row, column) = ((first + at) / conv.tiles.1 * SIDE, (first + at) % conv.tiles.1 * SIDE);
        let from = products.offset(at as isize, 0);
        for channel in (0..channels).step_by(L::LEN) {
            // SAFETY: the scratch has 36 positions of so many channels for each tile, and there are as many biases.
            let (square, bias): ([[L::F32; REACH]; REACH], L::F32) = unsafe {
                let square =
                    load_square(lanes, products.values(), from + channel, REACH * channels, channels);
                (square, lanes.load(bias, channel))
            };
            let square: [[L::F32; SIDE]; SIDE] = transforms::Output::both(lanes, &square);
            match output {
                Output::Map(y) => {
                    let Shape { height, width, .. } = y.shape();
                    for (dy, values) in square.iter().enumerate().take(height - row) {
                        for (dx, value) in values.iter().enumerate().take(width - column) {
                            let to = y.offset((row + dy) as isize, (column + dx) as isize) + channel;
                            let value = activate(lanes, slope, lanes.add(*value, bias));
                            // SAFETY: the pixel lies inside `y`, the vector inside its channels.
                            unsafe { lanes.store(y.values_mut(), to, value) };
                        }
                    }
                }
                Output::Pooled { y, argmax } => {
                    let Shape { height, width, .. } = y.shape();
                    for dy in (0..SIDE / 2).take(height - (row / 2).min(height)) {
                        for dx in (0..SIDE / 2).take(width - (column / 2).min(width)) {
                            let [above, below] = [square[2 * dy], square[2 * dy + 1]];
                            let window = [above[2 * dx], above[2 * dx + 1], below[2 * dx], below[2 * dx + 1]];
                            let window = [
                                lanes.add(window[0], bias),
                                lanes.add(window[1], bias),
                                lanes.add(window[2], bias),
                                lanes.add(window[3], bias),
                            ];
                            let to = (row / 2 + dy, column / 2 + dx, channel);
                            // SAFETY: the cell lies inside `y`, and `Convolution::run_pooled` has checked that `argmax` is as
                            // long.
                            unsafe { store_maximum(lanes, slope, window, (&mut **y, &mut **argmax), to) };
                        }
                    }
                }
            }
        }
    }
}
