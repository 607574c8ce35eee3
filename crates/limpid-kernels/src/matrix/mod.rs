//! Products of many small matrices with vectors, for what is computed once per batch: the composition of linear layers.
//!
//! Formulas, for each of a list of products with a matrix `m`, a vector `x` as long as it has rows and a vector `y` as long as it
//! has columns; all lie somewhere in three slices, and results are added to what is there:
//!
//! ```text
//! vector_matrix: y[c] += sum over r of x[r] * m[r, c]
//! matrix_vector: x[r] += sum over c of m[r, c] * y[c]
//! outer:         m[r, c] += x[r] * y[c]
//! ```
//!
//! The first two are linear in `m` and in a vector; `outer` with one of the others is the gradient of either.
//!
//! Why it is fast: a whole list is one call, and products with the same matrix stand together in it: `matrix_vector` transposes
//! each matrix once, so that its lanes need not be added up, and `outer` keeps a piece of the matrix in registers over all its
//! products.

pub mod reference;

use crate::Isa;
use crate::isa::per_isa;
use crate::lanes::{Lanes, read};
use crate::tiling::with_constant;

/// Where one product finds its matrix and its vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// Start of the matrix, row by row.
    pub m: usize,
    /// Start of the vector as long as the matrix has rows.
    pub x: usize,
    /// Start of the vector as long as it has columns.
    pub y: usize,
}

/// Rows and columns of the matrices of a list.
pub type Size = (usize, usize);

/// `y += x m` for each product.
///
/// # Panics
/// If a product reaches beyond a slice.
pub fn vector_matrix(isa: Isa, size: Size, products: &[Product], x: &[f32], m: &[f32], y: &mut [f32]) {
    check(size, products, (x.len(), m.len(), y.len()));
    vector_matrix_all(isa, size, products, x, m, y);
}

/// `x += m y` for each product; those with the same matrix should stand together.
///
/// # Panics
/// As [`vector_matrix`].
pub fn matrix_vector(isa: Isa, size: Size, products: &[Product], x: &mut [f32], m: &[f32], y: &[f32]) {
    check(size, products, (x.len(), m.len(), y.len()));
    matrix_vector_all(isa, size, products, x, m, y);
}

/// `m += x y` for each product; those with the same matrix should stand together.
///
/// # Panics
/// As [`vector_matrix`].
pub fn outer(isa: Isa, size: Size, products: &[Product], x: &[f32], m: &mut [f32], y: &[f32]) {
    check(size, products, (x.len(), m.len(), y.len()));
    outer_all(isa, size, products, x, m, y);
}

fn check((rows, columns): Size, products: &[Product], (x, m, y): (usize, usize, usize)) {
    let fits = |start: usize, count: Option<usize>, len: usize| {
        count.and_then(|count| start.checked_add(count)).is_some_and(|end| end <= len)
    };
    let inside = |product: &Product| {
        fits(product.m, rows.checked_mul(columns), m)
            && fits(product.x, Some(rows), x)
            && fits(product.y, Some(columns), y)
    };
    assert!(products.iter().all(inside), "a product reaches beyond the values");
}

/// Vectors of columns whose sums are kept side by side.
const SIDE_BY_SIDE: usize = 4;

per_isa! {
    fn vector_matrix_all<L>(lanes; size: Size, products: &[Product], x: &[f32], m: &[f32], y: &mut [f32]) {
        for product in products {
            add_product(lanes, size, (&x[product.x..], &m[product.m..]), &mut y[product.y..]);
        }
    }
}

per_isa! {
    fn matrix_vector_all<L>(lanes; size: Size, products: &[Product], x: &mut [f32], m: &[f32], y: &[f32]) {
        let (rows, columns) = size;
        let mut transposed = vec![0.0; rows * columns];
        for same in products.chunk_by(|a, b| a.m == b.m) {
            let matrix = &m[same[0].m..][..rows * columns];
            for (row, values) in matrix.chunks_exact(columns).enumerate() {
                for (to, value) in transposed[row..].iter_mut().step_by(rows).zip(values) {
                    *to = *value;
                }
            }
            for product in same {
                add_product(lanes, (columns, rows), (&y[product.y..], &transposed), &mut x[product.x..]);
            }
        }
    }
}

/// `y += x m`.
#[inline(always)]
fn add_product<L: Lanes>(lanes: L, (rows, columns): Size, (x, m): (&[f32], &[f32]), y: &mut [f32]) {
    assert!(
        x.len() >= rows && m.len() >= rows * columns && y.len() >= columns,
        "the product lies inside the values"
    );
    let whole = columns / L::LEN;
    let mut first = 0;
    while first < whole {
        let vectors = (whole - first).min(SIDE_BY_SIDE);
        with_constant!(vectors, [1 2 3 4] as V => {
            let mut sums = [lanes.splat(0.0); V];
            for row in 0..rows {
                // SAFETY: asserted above.
                unsafe {
                    let value = lanes.splat(read(x, row));
                    for (v, sum) in sums.iter_mut().enumerate() {
                        let weights = lanes.load(m, row * columns + (first + v) * L::LEN);
                        *sum = lanes.mul_add(value, weights, *sum);
                    }
                }
            }
            for (v, sum) in sums.into_iter().enumerate() {
                let at = (first + v) * L::LEN;
                // SAFETY: asserted above.
                unsafe { lanes.store(y, at, lanes.add(lanes.load(y, at), sum)) };
            }
        });
        first += vectors;
    }
    for column in whole * L::LEN..columns {
        let terms = x[..rows].iter().zip(m[column..].iter().step_by(columns));
        y[column] += terms.map(|(x, m)| x * m).sum::<f32>();
    }
}

/// Rows whose sums are kept side by side.
const ROWS: usize = 4;

per_isa! {
    fn outer_all<L>(lanes; size: Size, products: &[Product], x: &[f32], m: &mut [f32], y: &[f32]) {
        let (rows, columns) = size;
        for same in products.chunk_by(|a, b| a.m == b.m) {
            for first in (0..rows).step_by(ROWS) {
                for column in (0..columns).step_by(L::LEN) {
                    let mut sums = [lanes.splat(0.0); ROWS];
                    // SAFETY: `check` has seen that the products lie inside the slices.
                    unsafe {
                        for product in same {
                            let values = load(lanes, y, product.y + column, columns - column);
                            for (r, sum) in sums.iter_mut().enumerate() {
                                if first + r < rows {
                                    let value = lanes.splat(read(x, product.x + first + r));
                                    *sum = lanes.mul_add(value, values, *sum);
                                }
                            }
                        }
                        for (row, sum) in (first..rows).zip(sums) {
                            add(lanes, m, same[0].m + row * columns + column, columns - column, sum);
                        }
                    }
                }
            }
        }
    }
}

/// A vector, or the `left` values that are left of one.
///
/// # Safety
/// They lie in `from`.
#[inline(always)]
unsafe fn load<L: Lanes>(lanes: L, from: &[f32], at: usize, left: usize) -> L::F32 {
    // SAFETY: the caller's promise.
    unsafe { if left >= L::LEN { lanes.load(from, at) } else { lanes.load_first(from, at, left) } }
}

/// Adds a vector, or the `left` values that are left of one.
///
/// # Safety
/// They lie in `to`.
#[inline(always)]
unsafe fn add<L: Lanes>(lanes: L, to: &mut [f32], at: usize, left: usize, value: L::F32) {
    // SAFETY: the caller's promise.
    unsafe {
        if left >= L::LEN {
            lanes.store(to, at, lanes.add(lanes.load(to, at), value));
        } else {
            lanes.store_first(to, at, left, lanes.add(lanes.load_first(to, at, left), value));
        }
    }
}
