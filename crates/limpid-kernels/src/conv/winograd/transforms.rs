//! The transforms of Winograd's minimal filtering F(4, 3), along one axis, in lanes.
//!
//! With the interpolation points 0, 1, -1, 2, -2 and infinity, four outputs of a filter of three taps over six inputs are
//! `A^T [(G g) * (B^T d)]`, six products instead of twelve:
//!
//! ```text
//!       | 4  0 -5  0  1  0 |        |  1/4    0    0  |
//!       | 0 -4 -4  1  1  0 |        | -1/6 -1/6 -1/6  |          | 1  1  1  1  1  0 |
//! B^T = | 0  4 -4 -1  1  0 |    G = | -1/6  1/6 -1/6  |    A^T = | 0  1 -1  2 -2  0 |
//!       | 0 -2 -1  2  1  0 |        | 1/24 1/12  1/6  |          | 0  1  1  4  4  0 |
//!       | 0  2 -1 -2  1  0 |        | 1/24 -1/12 1/6  |          | 0  1 -1  8 -8  1 |
//!       | 0  4  0 -5  0  1 |        |   0    0    1   |
//! ```
//!
//! Source: A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, section 4.3.

use crate::lanes::Lanes;

/// A transform along one axis. A trait and not a closure, which would lose the instruction set's features.
pub(super) trait Transform<const N: usize, const M: usize> {
    fn along<L: Lanes>(lanes: L, values: [L::F32; N]) -> [L::F32; M];

    /// Along both axes: of the columns, then of the rows.
    #[inline(always)]
    fn both<L: Lanes>(lanes: L, square: &[[L::F32; N]; N]) -> [[L::F32; M]; M] {
        let zero = lanes.splat(0.0);
        let mut half = [[zero; N]; M];
        for x in 0..N {
            let mut column = [zero; N];
            for y in 0..N {
                column[y] = square[y][x];
            }
            let column = Self::along(lanes, column);
            for y in 0..M {
                half[y][x] = column[y];
            }
        }
        let mut whole = [[zero; M]; M];
        for y in 0..M {
            whole[y] = Self::along(lanes, half[y]);
        }
        whole
    }
}

/// `factor * a + b`.
#[inline(always)]
fn multiple<L: Lanes>(lanes: L, factor: f32, a: L::F32, b: L::F32) -> L::F32 {
    lanes.mul_add(lanes.splat(factor), a, b)
}

/// `B^T d`.
pub(super) struct Input;

impl Transform<6, 6> for Input {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, d: [L::F32; 6]) -> [L::F32; 6] {
        let (even, odd) = (multiple(lanes, -4.0, d[2], d[4]), multiple(lanes, -4.0, d[1], d[3]));
        let (even_2, odd_2) = (lanes.sub(d[4], d[2]), lanes.sub(d[3], d[1]));
        [
            multiple(lanes, 4.0, d[0], multiple(lanes, -5.0, d[2], d[4])),
            lanes.add(even, odd),
            lanes.sub(even, odd),
            multiple(lanes, 2.0, odd_2, even_2),
            multiple(lanes, -2.0, odd_2, even_2),
            multiple(lanes, 4.0, d[1], multiple(lanes, -5.0, d[3], d[5])),
        ]
    }
}

/// `G g`.
pub(super) struct Weights;

impl Transform<3, 6> for Weights {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, g: [L::F32; 3]) -> [L::F32; 6] {
        let minus_sixth = lanes.splat(-1.0 / 6.0);
        let outer = lanes.mul(minus_sixth, lanes.add(g[0], g[2]));
        let inner = lanes.mul(minus_sixth, g[1]);
        let outer_2 = multiple(lanes, 1.0 / 6.0, g[2], lanes.mul(lanes.splat(1.0 / 24.0), g[0]));
        let inner_2 = lanes.mul(lanes.splat(1.0 / 12.0), g[1]);
        [
            lanes.mul(lanes.splat(0.25), g[0]),
            lanes.add(outer, inner),
            lanes.sub(outer, inner),
            lanes.add(outer_2, inner_2),
            lanes.sub(outer_2, inner_2),
            g[2],
        ]
    }
}

/// `A^T m`.
pub(super) struct Output;

impl Transform<6, 4> for Output {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, m: [L::F32; 6]) -> [L::F32; 4] {
        let (sum, difference) = (lanes.add(m[1], m[2]), lanes.sub(m[1], m[2]));
        let (sum_2, difference_2) = (lanes.add(m[3], m[4]), lanes.sub(m[3], m[4]));
        [
            lanes.add(lanes.add(m[0], sum), sum_2),
            multiple(lanes, 2.0, difference_2, difference),
            multiple(lanes, 4.0, sum_2, sum),
            lanes.add(multiple(lanes, 8.0, difference_2, difference), m[5]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Scalar;

    /// The definition, on whole numbers that `f32` holds exactly but for the sixths.
    #[test]
    fn six_products_are_four_outputs_of_three_taps() {
        let splat = |values: &[f32]| -> Vec<[f32; 4]> { values.iter().map(|&v| [v; 4]).collect() };
        let (d, g) = ([3.0, -7.0, 2.0, 11.0, -5.0, 1.0], [12.0, -24.0, 6.0]);
        let (bd, gg) = (
            Input::along(Scalar, splat(&d).try_into().unwrap()),
            Weights::along(Scalar, splat(&g).try_into().unwrap()),
        );
        let products = std::array::from_fn(|i| Scalar.mul(bd[i], gg[i]));
        for (o, got) in Output::along(Scalar, products).iter().enumerate() {
            let want: f32 = (0..3).map(|k| d[o + k] * g[k]).sum();
            assert!((got[0] - want).abs() < 1e-4, "output {o}: {} instead of {want}", got[0]);
        }
    }
}
