//! Convolutions of every geometry against their reference twin in f64, on every instruction set that this CPU has.

mod common;

use common::{assert_close, cases, map, values, wide};
use limpid_kernels::conv::{
    Convolution, PooledConv, PooledImageConv, Term, backward_bias, backward_data_terms, backward_weights,
    backward_weights_terms, forward_input_pad, forward_terms, reference,
};
use limpid_kernels::{ConvShape, Isa, Shape};
use proptest::prelude::*;

/// Geometries that reach every branch: kernels smaller and larger than the stride and than the map, channels below, at
/// and above the vectors of each instruction set.
fn geometry() -> impl Strategy<Value = ConvShape> {
    let channels = || prop_oneof![1..=9_usize, Just(16), Just(17), Just(32), Just(33), Just(48)];
    // Miri has time for a few thousand weights.
    let (side, most, kernel) = if cfg!(miri) { (1..=4_usize, 17, 1..=3_usize) } else { (1..=17, 48, 1..=5) };
    (side.clone(), side, channels(), channels(), kernel, 1..=4_usize).prop_map(
        move |(height, width, input, filters, kernel, stride)| {
            ConvShape::same(Shape::new(height, width, input.min(most)), filters.min(most), kernel, stride)
        },
    )
}

/// Rows and columns of the maps under a pool.
const LARGEST: usize = if cfg!(miri) { 4 } else { 9 };

/// A geometry with an input, a kernel, a bias and an output gradient.
#[derive(Debug, Clone)]
struct Case {
    shape: ConvShape,
    x: Vec<f32>,
    w: Vec<f32>,
    b: Vec<f32>,
    dy: Vec<f32>,
}

fn case() -> impl Strategy<Value = Case> {
    geometry().prop_flat_map(|shape| {
        let tensors = (
            values(shape.input.len()),
            values(shape.kernel_len()),
            values(shape.output.channels.max(shape.input.channels)),
            values(shape.output.len()),
        );
        tensors.prop_map(move |(x, w, b, dy)| Case { shape, x, w, b, dy })
    })
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn forward_is_the_reference(case in case(), slope in prop_oneof![Just(0.0_f32), Just(0.1), Just(1.0)]) {
        let Case { shape, x, w, b, .. } = case;
        let b = &b[..shape.output.channels];
        let mut want: Vec<f64> = wide(b).repeat(shape.output.pixels());
        reference::forward(&shape, &wide(&x), &wide(&w), &mut want);
        want.iter_mut().for_each(|z| *z = z.max(f64::from(slope) * *z));
        for isa in Isa::available() {
            let mut conv = Convolution::forward(isa, &shape);
            conv.set_weights(&w, b);
            let mut y = map(shape.output, 2, &vec![f32::NAN; shape.output.len()]);
            conv.run(slope, &map(shape.input, conv.input_pad(), &x), &mut y, &mut conv.scratch());
            assert_close(&y.to_vec(), &want, shape.kernel * shape.kernel * shape.input.channels + 1, isa.name())?;
        }
    }

    /// The pool built into a convolution is the convolution and then the pool.
    #[test]
    fn a_pool_in_the_convolution_is_the_pool_behind_it(
        case in case(),
        slope in prop_oneof![Just(0.0_f32), Just(0.1), Just(1.0)],
        pad in 0..3_usize,
    ) {
        let Case { shape, x, w, b, .. } = case;
        let b = &b[..shape.output.channels];
        let pooled = limpid_kernels::pool::output_shape(shape.output, 2);
        let mut z: Vec<f64> = wide(b).repeat(shape.output.pixels());
        reference::forward(&shape, &wide(&x), &wide(&w), &mut z);
        z.iter_mut().for_each(|z| *z = z.max(f64::from(slope) * *z));
        let (mut want, mut positions) = (vec![0.0; pooled.len()], vec![0; pooled.len()]);
        limpid_kernels::pool::reference::forward(shape.output, 2, &z, &mut want, &mut positions);
        let terms = shape.kernel * shape.kernel * shape.input.channels + 1;
        for isa in Isa::available() {
            let mut conv = Convolution::forward(isa, &shape);
            if !conv.can_pool() {
                prop_assert!(pooled.is_empty() || shape.output.channels % isa.lanes() > 0 || 2 * shape.output.channels <= isa.lanes());
                continue;
            }
            conv.set_weights(&w, b);
            let mut y = map(pooled, pad, &vec![f32::NAN; pooled.len()]);
            let mut argmax = vec![9; pooled.len()];
            let x = map(shape.input, conv.input_pad(), &x);
            conv.run_pooled(slope, &x, &mut y, &mut argmax, &mut conv.scratch());
            assert_close(&y.to_vec(), &want, terms, isa.name())?;
            // Positions may differ where values are as good as equal; the value there is still the maximum.
            let at: Vec<f32> = (0..pooled.len())
                .map(|i| {
                    let (cell, channel) = (i / pooled.channels, i % pooled.channels);
                    let (cy, cx, p) = (cell / pooled.width, cell % pooled.width, usize::from(argmax[i]));
                    z[((2 * cy + p / 2) * shape.output.width + 2 * cx + p % 2) * pooled.channels + channel] as f32
                })
                .collect();
            assert_close(&at, &want, 2 * terms, isa.name())?;
        }
    }

    #[test]
    fn backward_data_is_the_reference(case in case()) {
        let Case { shape, w, b, dy, .. } = case;
        let b = &b[..shape.input.channels];
        let mut want: Vec<f64> = wide(b).repeat(shape.input.pixels());
        reference::backward_data(&shape, &wide(&dy), &wide(&w), &mut want);
        for isa in Isa::available() {
            let mut conv = Convolution::backward_data(isa, &shape);
            conv.set_weights(&w, b);
            let mut dx = map(shape.input, 1, &vec![f32::NAN; shape.input.len()]);
            conv.run(1.0, &map(shape.output, conv.input_pad() + 1, &dy), &mut dx, &mut conv.scratch());
            assert_close(&dx.to_vec(), &want, shape.kernel * shape.kernel * shape.output.channels + 1, isa.name())?;
        }
    }

    #[test]
    fn backward_weights_and_bias_are_the_reference(case in case()) {
        let Case { shape, x, w, b, dy } = case;
        let b = &b[..shape.output.channels];
        // The gradients are added to what is there.
        let (mut want_w, mut want_b) = (wide(&w), wide(b));
        reference::backward_weights(&shape, &wide(&x), &wide(&dy), &mut want_w);
        reference::backward_bias(&wide(&dy), &mut want_b);
        for isa in Isa::available() {
            let x = map(shape.input, forward_input_pad(&shape), &x);
            let dy = map(shape.output, 0, &dy);
            let (mut dw, mut db) = (w.clone(), b.to_vec());
            backward_weights(isa, &shape, &x, &dy, &mut dw);
            backward_bias(isa, &dy, &mut db);
            assert_close(&dw, &want_w, shape.output.pixels() + 1, isa.name())?;
            assert_close(&db, &want_b, shape.output.pixels() + 1, isa.name())?;
        }
    }

    /// Terms that spell out a whole transposed convolution are that convolution.
    #[test]
    fn terms_are_the_reference(case in case()) {
        let Case { shape, x: large, w, dy: small, .. } = case;
        let (top, left) = shape.pad;
        let mut terms = Vec::new();
        for (oy, ox) in (0..shape.output.height).flat_map(|y| (0..shape.output.width).map(move |x| (y, x))) {
            for (ky, kx) in (0..shape.kernel).flat_map(|y| (0..shape.kernel).map(move |x| (y, x))) {
                let at = |o: usize, k: usize, pad: usize| (o * shape.stride + k).checked_sub(pad);
                let inside = |i: Option<usize>, size: usize| i.filter(|&i| i < size);
                let (iy, ix) = (at(oy, ky, top), at(ox, kx, left));
                if let (Some(iy), Some(ix)) = (inside(iy, shape.input.height), inside(ix, shape.input.width)) {
                    terms.push(Term { small: (oy, ox), large: (iy, ix), block: ky * shape.kernel + kx });
                }
            }
        }
        let (mut want_large, mut want_small, mut want_w) = (wide(&large), wide(&small), wide(&w));
        reference::backward_data(&shape, &wide(&small), &wide(&w), &mut want_large);
        reference::forward(&shape, &wide(&large), &wide(&w), &mut want_small);
        reference::backward_weights(&shape, &wide(&large), &wide(&small), &mut want_w);
        let products = shape.kernel * shape.kernel * shape.input.channels.max(shape.output.channels) + 1;
        for isa in Isa::available() {
            let maps = || (map(shape.input, 1, &large), map(shape.output, 0, &small));
            let ((mut y, x), (dy, mut dx), mut dw) = (maps(), maps(), w.clone());
            forward_terms(isa, &terms, &x, &w, &mut y);
            backward_data_terms(isa, &terms, &dy, &w, &mut dx);
            backward_weights_terms(isa, &terms, &x, &dy, &mut dw);
            assert_close(&y.to_vec(), &want_large, products, isa.name())?;
            assert_close(&dx.to_vec(), &want_small, products, isa.name())?;
            assert_close(&dw, &want_w, shape.output.pixels() + 1, isa.name())?;
        }
    }

    /// What a max-pool leaves of a gradient of an image, in the dense kernels' reference.
    #[test]
    fn sparse_gradients_of_an_image_are_the_reference(
        (height, width) in (2..=LARGEST, 2..=LARGEST),
        output in prop_oneof![Just(16_usize), Just(32), Just(8), Just(48)],
        kernel in 1..=5_usize,
        seed in 0..1000_usize,
    ) {
        let shape = ConvShape::same(Shape::new(height, width, 1), output, kernel, 1);
        let pooled = limpid_kernels::pool::output_shape(shape.output, 2);
        let values = |len: usize, offset: usize| -> Vec<f32> {
            (0..len).map(|i| ((i * 7919 + offset * 104_729 + seed * 31) % 2003) as f32 / 1001.5 - 1.0).collect()
        };
        let (x, w, g) = (values(shape.input.len(), 1), values(shape.kernel_len(), 2), values(pooled.len(), 3));
        let argmax: Vec<u8> = (0..pooled.len()).map(|i| ((i * 31 + i / 5 + seed) % 4) as u8).collect();
        let mut dense = vec![0.0; shape.output.len()];
        limpid_kernels::pool::reference::backward(shape.output, 2, &wide(&g), &argmax, &mut dense);
        let mut want = wide(&w);
        reference::backward_weights(&shape, &wide(&x), &dense, &mut want);
        for isa in Isa::available() {
            let Some(conv) = PooledImageConv::new(isa, &shape, 2) else { continue };
            let (x, g) = (map(shape.input, forward_input_pad(&shape), &x), map(pooled, 0, &g));
            let mut dw = w.clone();
            conv.backward_weights(&x, &g, &argmax, &mut dw, &mut conv.scratch());
            assert_close(&dw, &want, pooled.pixels() + 1, isa.name())?;
        }
    }

    /// What a max-pool leaves of a gradient, in the dense kernels' reference.
    #[test]
    fn sparse_gradients_are_the_reference(
        (size, height, width) in (1..=3_usize, 1..=LARGEST, 1..=LARGEST),
        (input, output) in (prop_oneof![Just(8_usize), Just(16), Just(32), Just(48)], prop_oneof![Just(1_usize), Just(5), Just(32)]),
        kernel in 1..=4_usize,
        seed in 0..1000_usize,
    ) {
        let shape = ConvShape::same(Shape::new(height, width, input), output, kernel, 1);
        let pooled = limpid_kernels::pool::output_shape(shape.output, size);
        prop_assume!(!pooled.is_empty());
        let values = |len: usize, offset: usize| -> Vec<f32> {
            (0..len).map(|i| ((i * 7919 + offset * 104_729 + seed * 31) % 2003) as f32 / 1001.5 - 1.0).collect()
        };
        let (x, w) = (values(shape.input.len(), 1), values(shape.kernel_len(), 2));
        // Every third gradient is zero, as behind a ReLU.
        let g: Vec<f32> =
            values(pooled.len(), 3).iter().enumerate().map(|(i, g)| if i % 3 == 0 { 0.0 } else { *g }).collect();
        let argmax: Vec<u8> = (0..pooled.len()).map(|i| ((i * 31 + seed) % (size * size)) as u8).collect();
        let mut dense = vec![0.0; shape.output.len()];
        limpid_kernels::pool::reference::backward(shape.output, size, &wide(&g), &argmax, &mut dense);
        let (mut want_dw, mut want_dx) = (wide(&w), vec![0.0; shape.input.len()]);
        reference::backward_weights(&shape, &wide(&x), &dense, &mut want_dw);
        reference::backward_data(&shape, &dense, &wide(&w), &mut want_dx);
        for isa in Isa::available() {
            let Some(mut conv) = PooledConv::new(isa, &shape, size) else { continue };
            let g = map(pooled, 0, &g);
            let (mut packed, mut scratch) = (vec![0.0; w.len()], conv.scratch());
            conv.backward_weights(&map(shape.input, 0, &x), &g, &argmax, &mut packed, &mut scratch);
            conv.set_weights(&w);
            let mut dw = vec![f32::NAN; w.len()];
            conv.unpack(&packed, &mut dw);
            let dw: Vec<f32> = dw.iter().zip(&w).map(|(dw, w)| dw + w).collect();
            assert_close(&dw, &want_dw, pooled.pixels() + 1, isa.name())?;
            let mut dx = map(shape.input, 1, &x);
            conv.backward_data(&g, &argmax, &mut dx, &mut scratch);
            assert_close(&dx.to_vec(), &want_dx, kernel * kernel * output, isa.name())?;
        }
    }
}

/// Winograd's transforms round more than direct sums, by a factor that does not grow with the size: at most 64 rounding errors of
/// the mean magnitude of a sum, here for sums of 288 products.
#[test]
fn winograd_is_as_exact_as_it_says() {
    let shape = ConvShape::same(Shape::new(14, 14, 32), 32, 3, 1);
    let value = |i: usize| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0;
    let x: Vec<f32> = (0..shape.input.len()).map(value).collect();
    let w: Vec<f32> = (0..shape.kernel_len()).map(|i| value(i * 31 + 7)).collect();
    let mut want = vec![0.0; shape.output.len()];
    reference::forward(&shape, &wide(&x), &wide(&w), &mut want);
    let magnitude = (want.iter().map(|v| v * v).sum::<f64>() / want.len() as f64).sqrt();
    for isa in Isa::available() {
        let mut conv = Convolution::forward(isa, &shape);
        assert!(conv.algorithm().starts_with("Winograd"), "{}", conv.algorithm());
        assert_eq!(conv.macs(), 16 * 36 * 32 * 32);
        conv.set_weights(&w, &[0.0; 32]);
        let mut y = map(shape.output, 0, &vec![0.0; shape.output.len()]);
        conv.run(1.0, &map(shape.input, conv.input_pad(), &x), &mut y, &mut conv.scratch());
        let errors = y.to_vec().iter().zip(&want).map(|(y, w)| (f64::from(*y) - w).abs()).fold(0.0, f64::max);
        let bound = 64.0 * f64::from(f32::EPSILON) * magnitude;
        assert!(errors <= bound, "{isa}: off by {errors:e}, more than {bound:e}");
        assert!(errors > 0.0);
    }
}

/// Large strides with few channels: phases as channels.
#[test]
fn the_phases_of_a_large_stride_fill_the_lanes() {
    let shape = ConvShape::transposed_same(Shape::new(7, 7, 32), 1, 9, 4);
    for isa in Isa::available() {
        let conv = Convolution::backward_data(isa, &shape);
        assert_eq!(conv.algorithm(), "16 phases, Winograd F(4x4, 3x3)", "{isa}");
        assert_eq!(conv.macs(), 4 * 36 * 32 * 16);
    }
}
