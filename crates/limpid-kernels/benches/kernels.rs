//! Speed of the kernels on the layers of the seed network, one image at a time: `cargo bench -p limpid-kernels`.
//! The item counter counts multiply-accumulates; twice that is the FLOP.

use divan::{Bencher, counter::ItemsCount};
use limpid_kernels::conv::{Convolution, backward_weights, forward_input_pad};
use limpid_kernels::{ConvShape, FeatureMap, Isa, Shape, pool};

fn main() {
    divan::main();
}

/// The convolutions of the seed network by name; transposed ones by the geometry that they are the adjoint of.
fn layer(name: &str) -> ConvShape {
    match name {
        "conv1" => ConvShape::same(Shape::new(28, 28, 1), 32, 3, 1),
        "conv2" => ConvShape::same(Shape::new(14, 14, 32), 32, 3, 1),
        "conv3" => ConvShape::same(Shape::new(7, 7, 32), 32, 3, 1),
        "upsample1" => ConvShape::transposed_same(Shape::new(7, 7, 32), 32, 3, 2),
        "upsample2" => ConvShape::transposed_same(Shape::new(14, 14, 32), 32, 3, 2),
        "logits" => ConvShape::same(Shape::new(28, 28, 32), 1, 3, 1),
        _ => unreachable!("no layer {name}"),
    }
}

const LAYERS: [&str; 6] = ["conv1", "conv2", "conv3", "upsample1", "upsample2", "logits"];

/// Every layer on every instruction set.
fn cases() -> Vec<(&'static str, &'static str)> {
    let sets = Isa::available();
    sets.iter().flat_map(|isa| LAYERS.map(|layer| (isa.name(), layer))).collect()
}

fn filled(shape: Shape, pad: usize) -> FeatureMap {
    let mut map = FeatureMap::new(shape, pad);
    map.copy_from(&(0..shape.len()).map(|i| (i % 17) as f32 / 16.0).collect::<Vec<_>>());
    map
}

fn run(bencher: Bencher<'_, '_>, shape: &ConvShape, mut conv: Convolution, input: Shape, output: Shape) {
    conv.set_weights(&vec![0.01; shape.kernel_len()], &vec![0.0; output.channels]);
    let (x, mut y) = (filled(input, conv.input_pad()), FeatureMap::new(output, 1));
    bencher.counter(ItemsCount::new(shape.macs())).bench_local(|| conv.run(0.1, &x, &mut y));
}

#[divan::bench(args = cases())]
fn forward(bencher: Bencher<'_, '_>, (isa, name): (&str, &str)) {
    let (isa, shape) = (Isa::named(isa).expect("listed"), layer(name));
    run(bencher, &shape, Convolution::forward(isa, &shape), shape.input, shape.output);
}

#[divan::bench(args = cases())]
fn backward_data(bencher: Bencher<'_, '_>, (isa, name): (&str, &str)) {
    let (isa, shape) = (Isa::named(isa).expect("listed"), layer(name));
    run(bencher, &shape, Convolution::backward_data(isa, &shape), shape.output, shape.input);
}

#[divan::bench(args = cases())]
fn weights(bencher: Bencher<'_, '_>, (isa, name): (&str, &str)) {
    let (isa, shape) = (Isa::named(isa).expect("listed"), layer(name));
    let (x, dy) = (filled(shape.input, forward_input_pad(&shape)), filled(shape.output, 0));
    let mut dw = vec![0.0; shape.kernel_len()];
    bencher
        .counter(ItemsCount::new(shape.macs()))
        .bench_local(|| backward_weights(isa, &shape, &x, &dy, &mut dw));
}

/// The pools behind conv1 and conv2; the counter counts values that are compared.
#[divan::bench(args = pools())]
fn max_pool(bencher: Bencher<'_, '_>, (isa, side): (&str, usize)) {
    let isa = Isa::named(isa).expect("listed");
    let x = filled(Shape::new(side, side, 32), 0);
    let small = pool::output_shape(x.shape(), 2);
    let (mut y, mut argmax) = (FeatureMap::new(small, 1), vec![0; small.len()]);
    bencher
        .counter(ItemsCount::new(x.shape().len()))
        .bench_local(|| pool::forward(isa, 2, &x, &mut y, &mut argmax));
}

fn pools() -> Vec<(&'static str, usize)> {
    Isa::available().iter().flat_map(|isa| [28, 14].map(|side| (isa.name(), side))).collect()
}
