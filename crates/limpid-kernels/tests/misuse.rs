//! The public functions are safe: whatever sizes they are given, they refuse or stay inside the maps.

#[path = "common/cases.rs"]
mod cases;

use std::panic::catch_unwind;

use cases::cases;
use limpid_kernels::conv::{Convolution, backward_weights, forward_input_pad};
use limpid_kernels::{ConvShape, FeatureMap, Isa, Shape, activation, loss, pool};
use proptest::prelude::*;

/// What a closure panics with.
fn message<T>(run: impl FnOnce() -> T + std::panic::UnwindSafe) -> String {
    let Err(panic) = catch_unwind(run) else { panic!("this was not refused") };
    panic.downcast_ref::<String>().map_or_else(
        || panic.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned()),
        Clone::clone,
    )
}

/// In a build without overflow checks these positions would wrap, and kernels would read where they point to.
#[test]
#[cfg_attr(panic = "abort", ignore = "a panic ends the program here")]
fn geometries_whose_positions_overflow_are_refused() {
    let small = Shape::new(3, 3, 1);
    let good = ConvShape::same(small, 1, 1, 1);
    for shape in [
        ConvShape { stride: 1 << (usize::BITS - 1), ..good },
        ConvShape { stride: usize::MAX, ..good },
        ConvShape { stride: 0, ..good },
        ConvShape { kernel: 0, ..good },
        ConvShape { kernel: usize::MAX, ..good },
        ConvShape { kernel: 1 << (usize::BITS / 2), ..good },
        ConvShape { output: Shape::new(0, 3, 1), ..good },
        ConvShape { input: Shape::new(3, 3, 0), ..good },
        ConvShape { input: Shape::new(usize::MAX, 3, 1), ..good },
        ConvShape { output: Shape::new(3, usize::MAX, 1), stride: 2, ..good },
        ConvShape { output: Shape::new(3, 3, usize::MAX), input: Shape::new(3, 3, 2), ..good },
    ] {
        for refused in [
            message(|| Convolution::forward(Isa::SCALAR, &shape)),
            message(|| Convolution::backward_data(Isa::SCALAR, &shape)),
            message(|| forward_input_pad(&shape)),
        ] {
            assert!(refused.starts_with("no convolution has this geometry: ConvShape"), "{refused}");
        }
    }
}

#[test]
#[cfg_attr(panic = "abort", ignore = "a panic ends the program here")]
fn maps_that_do_not_fit_are_refused() {
    let shape = ConvShape::same(Shape::new(4, 4, 2), 3, 3, 1);
    let maps = |x: Shape, pad, y: Shape| (FeatureMap::new(x, pad), FeatureMap::new(y, 0));
    let too_wide = Shape::new(4, 5, 2);
    for isa in Isa::available() {
        for (x, pad, y, expected) in [
            (shape.input, 0, shape.output, "the input needs a border of 1, not 0"),
            (too_wide, 1, shape.output, "the maps must fit the convolution"),
            (shape.input, 1, Shape::new(4, 4, 2), "the maps must fit the convolution"),
        ] {
            let refused = message(|| {
                let (x, mut y) = maps(x, pad, y);
                let conv = Convolution::forward(isa, &shape);
                conv.run(1.0, &x, &mut y, &mut conv.scratch());
            });
            assert!(refused.contains(expected), "{refused}");
            let refused = message(|| {
                let (x, y) = maps(x, pad, y);
                backward_weights(isa, &shape, &x, &y, &mut vec![0.0; shape.kernel_len()]);
            });
            assert!(refused.contains(expected), "{refused}");
        }
        let refused = message(|| {
            let (x, y) = maps(shape.input, 1, shape.output);
            backward_weights(isa, &shape, &x, &y, &mut vec![0.0; shape.kernel_len() - 1]);
        });
        assert!(refused.contains("the gradient must fit the kernel"), "{refused}");
        let refused = message(|| {
            Convolution::forward(isa, &shape).set_weights(&vec![0.0; shape.kernel_len() + 1], &[0.0; 3]);
        });
        assert!(refused.contains("the kernel tensor must fit the convolution"), "{refused}");
    }
}

#[test]
#[cfg_attr(panic = "abort", ignore = "a panic ends the program here")]
fn every_other_kernel_compares_sizes() {
    let (large, small) = (Shape::new(4, 4, 2), Shape::new(2, 2, 2));
    let new = |shape| FeatureMap::new(shape, 0);
    let pooled = |size, argmax: usize| {
        message(move || pool::forward(Isa::best(), size, &new(large), &mut new(small), &mut vec![0; argmax]))
    };
    assert!(pooled(3, 8).contains("the maps must fit the pooling"));
    assert!(pooled(2, 7).contains("one position per pooled value"));
    assert!(pooled(0, 8).contains("a pooling window has 1 to 15 rows, not 0"));
    assert!(pooled(16, 8).contains("a pooling window has 1 to 15 rows, not 16"));
    let refused = message(|| activation::backward(Isa::best(), 0.5, &new(large), &mut new(small)));
    assert!(refused.contains("output and gradient must have one size"), "{refused}");
    let refused = message(|| loss::sigmoid_cross_entropy(Isa::best(), &new(small), &[0.0; 7]));
    assert!(refused.contains("one target per logit"), "{refused}");
}

proptest! {
    #![proptest_config(cases(256))]

    /// The fields of a geometry are public: it need not be a 'SAME' one. Whatever it is, the border that it asks for holds
    /// every read; the kernels' debug assertions watch each of them in this build.
    #[test]
    fn a_geometry_that_is_not_same_stays_inside_its_maps(
        input in (1..=6_usize, 1..=6_usize, 1..=18_usize),
        output in (1..=9_usize, 1..=9_usize, 1..=18_usize),
        kernel in 1..=4_usize,
        stride in 1..=9_usize,
        pad in (0..=7_usize, 0..=7_usize),
    ) {
        let shape = ConvShape {
            input: Shape::new(input.0, input.1, input.2),
            output: Shape::new(output.0, output.1, output.2),
            kernel,
            stride,
            pad,
        };
        let ones = |shape: Shape, pad| {
            let mut map = FeatureMap::new(shape, pad);
            map.copy_from(&vec![1.0; shape.len()]);
            map
        };
        let kernel = vec![1.0; shape.kernel_len()];
        for isa in Isa::available() {
            for (mut conv, from, to) in [
                (Convolution::forward(isa, &shape), shape.input, shape.output),
                (Convolution::backward_data(isa, &shape), shape.output, shape.input),
            ] {
                conv.set_weights(&kernel, &vec![0.0; to.channels]);
                let mut y = ones(to, 1);
                conv.run(1.0, &ones(from, conv.input_pad()), &mut y, &mut conv.scratch());
                prop_assert!(y.rows().flatten().all(|v| v.is_finite()));
            }
            let mut gradient = vec![0.0; shape.kernel_len()];
            let x = ones(shape.input, forward_input_pad(&shape));
            backward_weights(isa, &shape, &x, &ones(shape.output, 2), &mut gradient);
            // Each weight meets each output position at most once.
            prop_assert!(gradient.iter().all(|&g| g >= 0.0 && g <= shape.output.pixels() as f32));
        }
    }
}
