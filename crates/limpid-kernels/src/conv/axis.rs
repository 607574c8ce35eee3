//! One axis of a convolution as stencils: which output positions they write, and which input and kernel position each
//! of their taps joins.
//!
//! Forward, `y[o] = sum over k of x[s*o + k - p] * w[k]`, is one stencil whose taps are the kernel's.
//!
//! Data gradient, `dx[i] = sum over (o, k) with s*o + k - p = i of dy[o] * w[k]`: writing `i + p = s*q + r` with
//! `0 <= r < s`, only the kernel positions `k = r + s*m` meet `i`, at `o = q - m`. So the outputs of one phase `r` are
//! one stencil with stride 1 over `dy`, whose taps are every `s`-th kernel position, backwards; together the `s` phases
//! do no more multiply-accumulates than the forward pass.

/// One stencil along one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Axis {
    /// The kernel position of each tap, in the order of their input positions.
    pub(super) taps: Vec<usize>,
    /// Input position of the first tap for the first output; negative in the padding.
    pub(super) input_start: isize,
    /// Input positions between the first taps of neighbouring outputs.
    pub(super) input_stride: usize,
    /// The first output position.
    pub(super) output_start: usize,
    /// Distance between output positions.
    pub(super) output_stride: usize,
    /// Number of output positions.
    pub(super) count: usize,
}

impl Axis {
    /// The forward pass to `outputs` positions.
    pub(super) fn forward(outputs: usize, kernel: usize, stride: usize, pad: usize) -> Self {
        Self {
            taps: (0..kernel).collect(),
            input_start: -(pad as isize),
            input_stride: stride,
            output_start: 0,
            output_stride: 1,
            count: outputs,
        }
    }

    /// The data gradient to `positions` positions: one stencil for each phase that has any.
    pub(super) fn backward(positions: usize, kernel: usize, stride: usize, pad: usize) -> Vec<Self> {
        (0..stride.min(positions))
            .map(|first| {
                let (q, phase) = ((first + pad) / stride, (first + pad) % stride);
                let taps: Vec<usize> = (phase..kernel).step_by(stride).rev().collect();
                Self {
                    input_start: q as isize + 1 - taps.len() as isize,
                    taps,
                    input_stride: 1,
                    output_start: first,
                    output_stride: stride,
                    count: (positions - first).div_ceil(stride),
                }
            })
            .collect()
    }

    /// Zeros that the input needs on either side, where it has `inputs` positions.
    pub(super) fn pad(&self, inputs: usize) -> usize {
        let last = self.input_start + (self.input_stride * (self.count - 1) + self.taps.len()) as isize - 1;
        (-self.input_start).max(last + 1 - inputs as isize).max(0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_of_two_splits_the_data_gradient_into_two_phases() {
        let phases = Axis::backward(14, 3, 2, 0);
        assert_eq!(phases.len(), 2);
        // Even positions 2q meet k = 2 at o = q - 1 and k = 0 at o = q; odd ones only k = 1 at o = q.
        assert_eq!((phases[0].taps.as_slice(), phases[0].input_start), (&[2, 0][..], -1));
        assert_eq!((phases[1].taps.as_slice(), phases[1].input_start), (&[1][..], 0));
        assert_eq!((phases[0].output_start, phases[0].count, phases[0].pad(7)), (0, 7, 1));
        assert_eq!((phases[1].output_start, phases[1].count, phases[1].pad(7)), (1, 7, 0));
    }

    #[test]
    fn a_kernel_smaller_than_its_stride_leaves_phases_without_taps() {
        let phases = Axis::backward(9, 1, 3, 0);
        assert_eq!(phases.iter().map(|p| p.taps.len()).collect::<Vec<_>>(), [1, 0, 0]);
    }
}
