//! Pooling, activation, loss, Adam and small matrices against their reference twins, on every instruction set that this CPU has.

mod common;

use common::{assert_close, cases, map, values, wide};
use limpid_kernels::{FeatureMap, Isa, Shape, activation, adam, loss, matrix, pool};
use proptest::prelude::*;

fn shape() -> impl Strategy<Value = Shape> {
    (1..=11_usize, 1..=11_usize, prop_oneof![1..=9_usize, Just(16), Just(33)])
        .prop_map(|(height, width, channels)| Shape::new(height, width, channels))
}

/// A shape with two sets of values of its length.
fn pair() -> impl Strategy<Value = (Shape, Vec<f32>, Vec<f32>)> {
    shape().prop_flat_map(|shape| (Just(shape), values(shape.len()), values(shape.len())))
}

proptest! {
    #![proptest_config(cases(256))]

    /// Values are coarse so that ties occur: the first maximum counts.
    #[test]
    fn pooling_is_the_reference((shape, x, dy) in pair(), size in 1..=4_usize) {
        let x: Vec<f32> = x.iter().map(|v| (v * 2.0).round()).collect();
        let small = pool::output_shape(shape, size);
        prop_assume!(!small.is_empty());
        let (mut want, mut want_argmax) = (vec![0.0; small.len()], vec![0; small.len()]);
        pool::reference::forward(shape, size, &x, &mut want, &mut want_argmax);
        let mut want_dx = vec![0.0; shape.len()];
        pool::reference::backward(shape, size, &dy[..small.len()], &want_argmax, &mut want_dx);
        for isa in Isa::available() {
            let (mut y, mut argmax) = (FeatureMap::new(small, 1), vec![9; small.len()]);
            pool::forward(isa, size, &map(shape, 1, &x), &mut y, &mut argmax);
            prop_assert_eq!(&y.to_vec(), &want);
            prop_assert_eq!(&argmax, &want_argmax);
            let mut dx = map(shape, 1, &vec![f32::NAN; shape.len()]);
            pool::backward(isa, size, &map(small, 0, &dy[..small.len()]), &argmax, &mut dx);
            prop_assert_eq!(&dx.to_vec(), &want_dx);
        }
    }

    #[test]
    fn activation_is_the_reference((shape, y, dy) in pair(), slope in prop_oneof![Just(0.0_f32), Just(0.1), Just(1.0)]) {
        let want: Vec<f32> =
            y.iter().zip(&dy).map(|(&y, &dy)| activation::reference::backward(slope, y, dy)).collect();
        for isa in Isa::available() {
            let mut dx = map(shape, 1, &dy);
            activation::backward(isa, slope, &map(shape, 2, &y), &mut dx);
            prop_assert_eq!(&dx.to_vec(), &want);
        }
    }

    #[test]
    fn loss_is_the_reference((shape, logits, target) in pair(), spread in prop_oneof![Just(1.0_f32), Just(30.0), Just(1000.0)]) {
        let logits: Vec<f32> = logits.iter().map(|z| z * spread).collect();
        let target: Vec<f32> = target.iter().map(|t| t.abs()).collect();
        let pairs = || wide(&logits).into_iter().zip(wide(&target));
        let want: f64 = pairs().map(|(z, t)| loss::reference::sigmoid_cross_entropy(z, t)).sum();
        let want_gradient: Vec<f64> =
            pairs().map(|(z, t)| 0.5 * loss::reference::sigmoid_cross_entropy_gradient(z, t)).collect();
        let want_sigmoid: Vec<f64> = wide(&logits).into_iter().map(loss::reference::sigmoid).collect();
        for isa in Isa::available() {
            let logits = map(shape, 1, &logits);
            let got = loss::sigmoid_cross_entropy(isa, &logits, &target);
            let largest = f64::from(spread).max(1.0);
            prop_assert!((got - want).abs() <= 1e-6 * largest * shape.len() as f64, "{isa}: {got}, not {want}");
            let mut dlogits = FeatureMap::new(shape, 1);
            loss::backward(isa, 0.5, &logits, &target, &mut dlogits);
            assert_close(&dlogits.to_vec(), &want_gradient, 2, isa.name())?;
            let mut sigmoid = vec![0.0; shape.len()];
            loss::sigmoid(isa, &logits, &mut sigmoid);
            assert_close(&sigmoid, &want_sigmoid, 2, isa.name())?;
        }
    }

    #[test]
    fn adam_is_the_reference(initial in values(37), gradients in proptest::collection::vec(values(37), 1..4)) {
        let mut want = wide(&initial);
        let (mut first, mut second) = (vec![0.0; 37], vec![0.0; 37]);
        for (t, gradient) in gradients.iter().enumerate() {
            let settings = (0.001, 0.9, 0.999, 1e-7);
            adam::reference::step(settings, t as i32 + 1, &wide(gradient), &mut want, &mut first, &mut second);
        }
        for isa in Isa::available() {
            let mut parameters = initial.clone();
            let (mut first, mut second) = (vec![0.0; 37], vec![0.0; 37]);
            for (t, gradient) in gradients.iter().enumerate() {
                let coefficients = adam::Coefficients::new(0.001, 0.9, 0.999, 1e-7, t as u64 + 1);
                adam::step(isa, coefficients, gradient, &mut parameters, &mut first, &mut second);
            }
            assert_close(&parameters, &want, 3, isa.name())?;
        }
    }
}

#[test]
fn infinite_and_undefined_logits_give_a_loss_that_is_not_finite() {
    for isa in Isa::available() {
        for bad in [f32::NAN, f32::INFINITY] {
            for width in [1, 16, 20] {
                let mut values = vec![0.5; width];
                values[width - 1] = bad;
                let logits = map(Shape::new(1, width, 1), 0, &values);
                let loss = loss::sigmoid_cross_entropy(isa, &logits, &vec![0.25; width]);
                assert!(!loss.is_finite(), "{isa}, {bad} of {width}: {loss}");
            }
        }
    }
}

#[test]
fn gradients_add_up() {
    for isa in Isa::available() {
        let mut sum: Vec<f32> = (0..37).map(|i| i as f32).collect();
        adam::add(isa, &[0.5; 37], &mut sum);
        assert!(sum.iter().enumerate().all(|(i, &s)| s == i as f32 + 0.5));
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// Several products that overlap: each adds to what the ones before it have left.
    #[test]
    fn small_matrices_are_the_reference(
        (rows, columns) in (1..=40_usize, 1..=70_usize),
        count in 0..5_usize,
        all in values(40 + 70 + 40 * 70 + 3 * 12),
    ) {
        let products: Vec<_> = (0..count).map(|i| matrix::Product { m: i / 2 * 5, x: 3 * i, y: i }).collect();
        let (x, rest) = all.split_at(40 + 12);
        let (y, m) = rest.split_at(70 + 12);
        let size = (rows, columns);
        let (mut want_x, mut want_y, mut want_m) = (wide(x), wide(y), wide(m));
        matrix::reference::vector_matrix(size, &products, &wide(x), &wide(m), &mut want_y);
        matrix::reference::matrix_vector(size, &products, &mut want_x, &wide(m), &wide(y));
        matrix::reference::outer(size, &products, &wide(x), &mut want_m, &wide(y));
        for isa in Isa::available() {
            let (mut got_x, mut got_y, mut got_m) = (x.to_vec(), y.to_vec(), m.to_vec());
            matrix::vector_matrix(isa, size, &products, x, m, &mut got_y);
            matrix::matrix_vector(isa, size, &products, &mut got_x, m, y);
            matrix::outer(isa, size, &products, x, &mut got_m, y);
            let terms = count * rows.max(columns) + 1;
            assert_close(&got_x, &want_x, terms, isa.name())?;
            assert_close(&got_y, &want_y, terms, isa.name())?;
            assert_close(&got_m, &want_m, count + 1, isa.name())?;
        }
    }
}
