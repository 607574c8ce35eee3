//! k-nearest neighbours: an image has the class of most of the training images that it resembles.

use nalgebra::DMatrix;

use crate::threads::Threads;

/// Rows that are compared with each other at one time: 4 MB of distances for each thread.
const QUERIES: usize = 512;
const REFERENCES: usize = 2048;

/// The nearest rows of each query so far: squared distance and class, the nearest first.
type Nearest = Vec<(f32, u8)>;

/// A search that is shown the training rows part by part, so that they need not be in memory at once.
///
/// ```
/// use limpid::experiments::Neighbours;
/// use limpid::threads::Threads;
///
/// let threads = Threads::new(1)?;
/// let mut search = Neighbours::new(vec![0.1, 0.0, 0.9, 1.0], 2, 1);
/// search.show(&[0.0, 0.0, 1.0, 1.0], &[4, 7], &threads);
/// assert_eq!(search.classes(), [4, 7]);
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug)]
pub struct Neighbours {
    queries: Vec<f32>,
    features: usize,
    count: usize,
    nearest: Vec<Nearest>,
}

impl Neighbours {
    /// A search for the `count` nearest neighbours of some rows of `features` numbers.
    ///
    /// # Panics
    /// If the rows are not whole, or one of the numbers is 0.
    pub fn new(queries: Vec<f32>, features: usize, count: usize) -> Self {
        assert!(features > 0 && count > 0 && queries.len().is_multiple_of(features), "rows of {features}");
        let nearest = vec![Vec::with_capacity(count + 1); queries.len() / features];
        Self { queries, features, count, nearest }
    }

    /// Compares all queries with some training rows and their classes, by Euclidean distance.
    ///
    /// # Panics
    /// If there is not a class for each row.
    pub fn show(&mut self, rows: &[f32], classes: &[u8], threads: &Threads) {
        let Self { queries, features, count, nearest } = self;
        let (features, count) = (*features, *count);
        assert_eq!(rows.len(), classes.len() * features, "a class for each row");
        // |q - r|^2 = |q|^2 - 2 q.r + |r|^2: all q.r are one product of matrices.
        for (rows, classes) in rows.chunks(REFERENCES * features).zip(classes.chunks(REFERENCES)) {
            let references = DMatrix::from_row_slice(classes.len(), features, rows);
            let squares: Vec<f32> = rows.chunks_exact(features).map(square).collect();
            let mut groups: Vec<_> =
                queries.chunks(QUERIES * features).zip(nearest.chunks_mut(QUERIES)).collect();
            threads.for_each(&mut groups, |_, _, (queries, nearest)| {
                // In memory a row of theirs is a column of nalgebra's.
                let queries = DMatrix::from_column_slice(features, nearest.len(), queries);
                let products = &references * &queries;
                for ((nearest, products), query) in
                    nearest.iter_mut().zip(products.column_iter()).zip(queries.column_iter())
                {
                    let own = square(query.as_slice());
                    for ((product, square), &class) in products.iter().zip(&squares).zip(classes) {
                        insert(nearest, (own - 2.0 * product + square, class), count);
                    }
                }
            });
        }
    }

    /// The class of most of the nearest neighbours; of several such, that of the nearest.
    pub fn classes(&self) -> Vec<u8> {
        self.nearest.iter().map(majority).collect()
    }
}

fn square(row: &[f32]) -> f32 {
    row.iter().map(|v| v * v).sum()
}

fn insert(nearest: &mut Nearest, new: (f32, u8), count: usize) {
    if nearest.len() == count && nearest.last().is_some_and(|last| new.0 >= last.0) {
        return;
    }
    let at = nearest.partition_point(|old| old.0 <= new.0);
    nearest.insert(at, new);
    nearest.truncate(count);
}

fn majority(nearest: &Nearest) -> u8 {
    let votes = |class: u8| nearest.iter().filter(|one| one.1 == class).count();
    // The last of equal maxima wins, so from the farthest to the nearest.
    nearest.iter().rev().map(|one| one.1).max_by_key(|&class| votes(class)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_found_however_the_rows_are_cut() {
        let value = |i: usize| ((i * 7919) % 1009) as f32 / 1009.0;
        let (features, queries, references) = (5, 700, 4300);
        let q: Vec<f32> = (0..queries * features).map(value).collect();
        let r: Vec<f32> = (0..references * features).map(|i| value(i + 17)).collect();
        let classes: Vec<u8> = (0..references).map(|i| (i % 7) as u8).collect();
        let mut search = Neighbours::new(q.clone(), features, 3);
        let threads = Threads::new(2).unwrap();
        for (rows, classes) in r.chunks(1000 * features).zip(classes.chunks(1000)) {
            search.show(rows, classes, &threads);
        }
        for (query, found) in q.chunks(features).zip(&search.nearest) {
            let mut distances: Vec<f32> = r
                .chunks(features)
                .map(|row| row.iter().zip(query).map(|(a, b)| (a - b).powi(2)).sum::<f32>())
                .collect();
            distances.sort_by(f32::total_cmp);
            for (found, expected) in found.iter().zip(&distances) {
                assert!((found.0 - expected).abs() < 1e-5, "{found:?} {expected}");
            }
        }
    }

    #[test]
    fn most_votes_win_and_the_nearest_decides() {
        assert_eq!(majority(&vec![(0.1, 3), (0.2, 5), (0.3, 5)]), 5);
        assert_eq!(majority(&vec![(0.1, 3), (0.2, 5), (0.3, 5), (0.4, 3)]), 3);
    }
}
