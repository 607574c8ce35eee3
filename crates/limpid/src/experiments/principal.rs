//! Principal component analysis: the directions along which images differ most (Pearson 1901, Hotelling 1933).

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::{Error, Result};

/// The mean of some rows of numbers, and the directions of their largest variance.
///
/// ```
/// use limpid::experiments::Principal;
///
/// // Points on a line through (1, 1): one direction says it all.
/// let line = Principal::of(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0], 2)?;
/// let code = line.encode(&[3.0, 3.0], 1);
/// let back = line.decode(&code);
/// assert!(back.iter().all(|value| (value - 3.0).abs() < 1e-5));
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Principal {
    mean: DVector<f64>,
    /// A direction of length 1 in each column, that of the largest variance first.
    directions: DMatrix<f64>,
    /// The variances along them.
    variances: Vec<f64>,
}

impl Principal {
    /// The components of some rows of `features` numbers.
    ///
    /// # Errors
    /// If there are less than two rows, or a number is not finite.
    pub fn of(rows: &[f32], features: usize) -> Result<Self> {
        let count = rows.len() / features.max(1);
        if count < 2 || rows.len() != count * features || rows.iter().any(|value| !value.is_finite()) {
            return Err(Error::invalid(
                "principal components",
                "expected at least two rows of finite numbers",
            ));
        }
        // In memory a row of theirs is a column of nalgebra's.
        let sum = rows.chunks_exact(features).fold(DVector::zeros(features), |sum: DVector<f64>, row| {
            sum + DVector::from_iterator(features, row.iter().map(|&value| f64::from(value)))
        });
        let mean = sum / count as f64;
        let mut covariance = DMatrix::zeros(features, features);
        for rows in rows.chunks(2048 * features) {
            let mut part =
                DMatrix::from_iterator(features, rows.len() / features, rows.iter().map(|&v| f64::from(v)));
            for mut column in part.column_iter_mut() {
                column -= &mean;
            }
            let transposed = part.transpose();
            covariance.gemm(1.0 / (count - 1) as f64, &part, &transposed, 1.0);
        }
        let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(covariance);
        let mut order: Vec<usize> = (0..features).collect();
        order.sort_by(|&a, &b| eigenvalues[b].total_cmp(&eigenvalues[a]));
        Ok(Self {
            mean,
            directions: eigenvectors.select_columns(&order),
            variances: order.iter().map(|&index| eigenvalues[index].max(0.0)).collect(),
        })
    }

    /// The variance along each component, the largest first.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// A row's position along the first `count` components.
    ///
    /// # Panics
    /// If the row has another number of features, or there are less components.
    pub fn encode(&self, row: &[f32], count: usize) -> Vec<f32> {
        let row = DVector::from_iterator(row.len(), row.iter().map(|&value| f64::from(value))) - &self.mean;
        self.directions.columns(0, count).tr_mul(&row).iter().map(|&value| value as f32).collect()
    }

    /// The row at a position along the first components.
    ///
    /// # Panics
    /// If the position has more numbers than there are components.
    pub fn decode(&self, code: &[f32]) -> Vec<f32> {
        let code = DVector::from_iterator(code.len(), code.iter().map(|&value| f64::from(value)));
        let row = self.directions.columns(0, code.len()) * code + &self.mean;
        row.iter().map(|&value| value as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<f32> {
        (0..60 * 4).map(|i| ((i * 37 + i * i * 11) % 101) as f32 / 101.0).collect()
    }

    #[test]
    fn all_components_give_the_row_back_and_fewer_lose_what_they_leave_out() {
        let principal = Principal::of(&rows(), 4).unwrap();
        assert!(principal.variances().is_sorted_by(|a, b| a >= b));
        for count in 0..=4 {
            let lost: f64 = rows()
                .chunks_exact(4)
                .map(|row| {
                    let back = principal.decode(&principal.encode(row, count));
                    back.iter().zip(row).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
                })
                .sum();
            let left_out: f64 = principal.variances()[count..].iter().sum();
            assert!((lost / 59.0 - left_out).abs() < 1e-5, "{count}: {lost} {left_out}");
        }
    }

    #[test]
    fn what_has_no_components_is_refused() {
        for rows in [&[][..], &[1.0, 2.0], &[1.0, 2.0, 3.0], &[1.0, f32::NAN, 2.0, 3.0]] {
            assert!(Principal::of(rows, 2).is_err());
        }
    }
}
