//! A convolution as an explicit list of its terms, for the few pixels that follow no regular pattern.
//!
//! Formula: for each term `(small, large, block)`, `y[large, :] += w[block] * x[small, :]`, where a block of weights is
//! `[channels of the large side][channels of the small side]`. `x` is the small map, `y` the large one.
//!
//! Why it is fast enough: a block's rows lie along the channels of the small side, so each term is a few dot products or
//! multiples of contiguous vectors, which the compiler vectorises; there are few terms.

use crate::isa::per_isa;
use crate::lanes::Lanes;
use crate::{FeatureMap, Isa};

/// One pixel of the small map that has a part in one pixel of the large map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Row and column in the small map.
    pub small: (usize, usize),
    /// Row and column in the large map.
    pub large: (usize, usize),
    /// Which block of weights joins them.
    pub block: usize,
}

fn check(terms: &[Term], small: &FeatureMap, large: &FeatureMap, weights: &[f32]) {
    let block = small.shape().channels * large.shape().channels;
    let inside = |map: &FeatureMap, (y, x): (usize, usize)| y < map.shape().height && x < map.shape().width;
    let fits = |term: &Term| {
        inside(small, term.small) && inside(large, term.large) && (term.block + 1) * block <= weights.len()
    };
    debug_assert!(terms.iter().all(fits), "a term lies outside the maps or the weights");
}

/// `y[large] += w[block] * x[small]` for all terms.
pub fn forward_terms(isa: Isa, terms: &[Term], x: &FeatureMap, w: &[f32], y: &mut FeatureMap) {
    check(terms, x, y, w);
    forward(isa, terms, x, w, y);
}

/// `dx[small] += transpose of w[block] * dy[large]` for all terms.
pub fn backward_data_terms(isa: Isa, terms: &[Term], dy: &FeatureMap, w: &[f32], dx: &mut FeatureMap) {
    check(terms, dx, dy, w);
    backward_data(isa, terms, dy, w, dx);
}

/// `dw[block] += dy[large] * x[small]` for all terms.
pub fn backward_weights_terms(isa: Isa, terms: &[Term], x: &FeatureMap, dy: &FeatureMap, dw: &mut [f32]) {
    check(terms, x, dy, dw);
    backward_weights(isa, terms, x, dy, dw);
}

/// The values of a pixel.
#[inline(always)]
fn pixel(map: &FeatureMap, (y, x): (usize, usize)) -> &[f32] {
    let channels = map.shape().channels;
    &map.values()[map.offset(y as isize, x as isize)..][..channels]
}

#[inline(always)]
fn pixel_mut(map: &mut FeatureMap, (y, x): (usize, usize)) -> &mut [f32] {
    let (channels, at) = (map.shape().channels, map.offset(y as isize, x as isize));
    &mut map.values_mut()[at..][..channels]
}

#[inline(always)]
fn dot<L: Lanes>(lanes: L, a: &[f32], b: &[f32]) -> f32 {
    let mut sum = lanes.splat(0.0);
    let tail = a.len() % L::LEN;
    // SAFETY: both have the length of `a`, asserted here.
    unsafe {
        assert_eq!(a.len(), b.len(), "vectors of one length");
        for at in (0..a.len() - tail).step_by(L::LEN) {
            sum = lanes.mul_add(lanes.load(a, at), lanes.load(b, at), sum);
        }
        if tail > 0 {
            let at = a.len() - tail;
            sum = lanes.mul_add(lanes.load_first(a, at, tail), lanes.load_first(b, at, tail), sum);
        }
    }
    lanes.sum(sum)
}

/// `to += factor * from`.
#[inline(always)]
fn add_multiple(factor: f32, from: &[f32], to: &mut [f32]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

per_isa! {
    fn forward<L>(lanes; terms: &[Term], x: &FeatureMap, w: &[f32], y: &mut FeatureMap) {
        let (small, large) = (x.shape().channels, y.shape().channels);
        for term in terms {
            let block = &w[term.block * small * large..][..small * large];
            let (x, y) = (pixel(x, term.small), pixel_mut(y, term.large));
            for (y, row) in y.iter_mut().zip(block.chunks_exact(small)) {
                *y += dot(lanes, row, x);
            }
        }
    }
}

per_isa! {
    fn backward_data<L>(_lanes; terms: &[Term], dy: &FeatureMap, w: &[f32], dx: &mut FeatureMap) {
        let (small, large) = (dx.shape().channels, dy.shape().channels);
        for term in terms {
            let block = &w[term.block * small * large..][..small * large];
            let (dx, dy) = (pixel_mut(dx, term.small), pixel(dy, term.large));
            for (&dy, row) in dy.iter().zip(block.chunks_exact(small)) {
                add_multiple(dy, row, dx);
            }
        }
    }
}

per_isa! {
    fn backward_weights<L>(_lanes; terms: &[Term], x: &FeatureMap, dy: &FeatureMap, dw: &mut [f32]) {
        let (small, large) = (x.shape().channels, dy.shape().channels);
        for term in terms {
            let block = &mut dw[term.block * small * large..][..small * large];
            let (x, dy) = (pixel(x, term.small), pixel(dy, term.large));
            for (&dy, row) in dy.iter().zip(block.chunks_exact_mut(small)) {
                add_multiple(dy, x, row);
            }
        }
    }
}
