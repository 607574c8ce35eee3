//! The formulas as they are written.

use num_traits::Float;

use super::{Product, Size};

/// `y += x m`.
pub fn vector_matrix<T: Float>((rows, columns): Size, products: &[Product], x: &[T], m: &[T], y: &mut [T]) {
    for product in products {
        for row in 0..rows {
            for column in 0..columns {
                let term = x[product.x + row] * m[product.m + row * columns + column];
                y[product.y + column] = y[product.y + column] + term;
            }
        }
    }
}

/// `x += m y`.
pub fn matrix_vector<T: Float>((rows, columns): Size, products: &[Product], x: &mut [T], m: &[T], y: &[T]) {
    for product in products {
        for row in 0..rows {
            for column in 0..columns {
                let term = m[product.m + row * columns + column] * y[product.y + column];
                x[product.x + row] = x[product.x + row] + term;
            }
        }
    }
}

/// `m += x y`.
pub fn outer<T: Float>((rows, columns): Size, products: &[Product], x: &[T], m: &mut [T], y: &[T]) {
    for product in products {
        for row in 0..rows {
            for column in 0..columns {
                let at = product.m + row * columns + column;
                m[at] = m[at] + x[product.x + row] * y[product.y + column];
            }
        }
    }
}
