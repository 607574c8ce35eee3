//! Speed of the kernels on the layers of the seed network, one image at a time, on one thread:
//!
//!     cargo bench -p limpid-kernels [-- WORD ...]
//!
//! runs those whose line has every word, for example `-- avx512 conv2`. FLOP are two for each multiply-accumulate that is
//! executed; the peak is measured beside each kernel, in turns with it, so that a busy machine slows both.

#![allow(clippy::print_stdout, reason = "a program that talks to people")]

mod timing;

use limpid_kernels::conv::{Convolution, PooledConv, backward_weights, forward_input_pad};
use limpid_kernels::{ConvShape, FeatureMap, Isa, Shape, adam, pool};
use timing::Bench;

/// The convolutions of the seed network; transposed ones by the geometry that they are the adjoint of.
fn layers() -> [(&'static str, ConvShape); 6] {
    [
        ("conv1", ConvShape::same(Shape::new(28, 28, 1), 32, 3, 1)),
        ("conv2", ConvShape::same(Shape::new(14, 14, 32), 32, 3, 1)),
        ("conv3", ConvShape::same(Shape::new(7, 7, 32), 32, 3, 1)),
        ("upsample1", ConvShape::transposed_same(Shape::new(7, 7, 32), 32, 3, 2)),
        ("upsample2", ConvShape::transposed_same(Shape::new(14, 14, 32), 32, 3, 2)),
        ("logits", ConvShape::same(Shape::new(28, 28, 32), 1, 3, 1)),
    ]
}

fn main() {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let bench = Bench::new(words);
    for isa in Isa::available() {
        for (name, shape) in &layers() {
            convolutions(&bench, isa, name, shape);
        }
        max_pools(&bench, isa);
        bench.values(isa, "adam::add", "all", 37_601, {
            let (from, mut to) = (vec![0.5; 37_601], vec![0.0; 37_601]);
            move || adam::add(isa, &from, &mut to)
        });
    }
}

fn convolutions(bench: &Bench, isa: Isa, name: &str, shape: &ConvShape) {
    run(bench, isa, "forward", name, Convolution::forward(isa, shape), shape);
    let adjoint = ConvShape { input: shape.output, output: shape.input, ..*shape };
    run(bench, isa, "backward_data", name, Convolution::backward_data(isa, shape), &adjoint);
    bench.macs(isa, "backward_weights", name, shape.macs(), {
        let (x, dy) = (filled(shape.input, forward_input_pad(shape)), filled(shape.output, 0));
        let mut dw = vec![0.0; shape.kernel_len()];
        move || backward_weights(isa, shape, &x, &dy, &mut dw)
    });
    if ["conv1", "conv2"].contains(&name) {
        pooled(bench, isa, name, shape);
    }
}

/// A convolution from the input to the output of a shape.
fn run(bench: &Bench, isa: Isa, kernel: &str, name: &str, mut conv: Convolution, shape: &ConvShape) {
    conv.set_weights(&vec![0.01; shape.kernel_len()], &vec![0.0; shape.output.channels]);
    let (x, mut y) = (filled(shape.input, conv.input_pad()), FeatureMap::new(shape.output, 1));
    let mut scratch = conv.scratch();
    bench.macs(isa, kernel, name, conv.macs(), || conv.run(0.1, &x, &mut y, &mut scratch));
}

/// A convolution with the max-pool behind it, and the gradients of which only those of the maxima count.
fn pooled(bench: &Bench, isa: Isa, name: &str, shape: &ConvShape) {
    let small = pool::output_shape(shape.output, 2);
    let mut argmax: Vec<u8> = (0..small.len()).map(|i| (i * 7 % 4) as u8).collect();

    let mut gradients = PooledConv::new(isa, shape, 2);
    if let Some(conv) = &mut gradients {
        conv.set_weights(&vec![0.01; shape.kernel_len()]);
        let macs = (small.pixels() * shape.kernel_len()) as u64;
        let (x, g, mut scratch) =
            (filled(shape.input, forward_input_pad(shape)), filled(small, 0), conv.scratch());
        let (mut dw, mut dx) = (vec![0.0; shape.kernel_len()], FeatureMap::new(shape.input, 0));
        bench.macs(isa, "pooled weights", name, macs, || {
            conv.backward_weights(&x, &g, &argmax, &mut dw, &mut scratch);
        });
        bench.macs(isa, "pooled data", name, macs, || conv.backward_data(&g, &argmax, &mut dx, &mut scratch));
    }

    let mut conv = Convolution::forward(isa, shape);
    if conv.can_pool() {
        conv.set_weights(&vec![0.01; shape.kernel_len()], &vec![0.0; small.channels]);
        let (x, mut y) = (filled(shape.input, conv.input_pad()), FeatureMap::new(small, 1));
        let mut scratch = conv.scratch();
        bench.macs(isa, "pooled forward", name, conv.macs(), || {
            conv.run_pooled(0.1, &x, &mut y, &mut argmax, &mut scratch);
        });
    }
}

/// The pools behind conv1 and conv2.
fn max_pools(bench: &Bench, isa: Isa) {
    for (name, side) in [("pool1", 28), ("encoding", 14)] {
        let x = filled(Shape::new(side, side, 32), 0);
        let small = pool::output_shape(x.shape(), 2);
        let (mut y, mut argmax) = (FeatureMap::new(small, 1), vec![0; small.len()]);
        bench.values(isa, "max-pool", name, x.shape().len(), move || {
            pool::forward(isa, 2, &x, &mut y, &mut argmax);
        });
    }
}

fn filled(shape: Shape, pad: usize) -> FeatureMap {
    let mut map = FeatureMap::new(shape, pad);
    map.copy_from(&(0..shape.len()).map(|i| (i % 17) as f32 / 16.0).collect::<Vec<_>>());
    map
}
