//! One axis of a run of linear layers: which taps the composed kernel has, and which outputs near the border lack some.
//!
//! A path through the run is a choice of one kernel position per layer. Counting the paths from every input to every output
//! tells the two apart: an output is regular if as many paths reach it as far from any border. Where a transposed convolution
//! crops or a convolution reads padding between two layers, some paths are cut, and the output needs a kernel of its own.

use std::collections::BTreeMap;

/// One linear layer along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct AxisLayer {
    pub(super) kernel: usize,
    /// Outputs per input; 1 for a convolution.
    pub(super) stride: usize,
    pub(super) transposed: bool,
}

impl AxisLayer {
    /// Rows that `'SAME'` cuts or pads at the start: input `x` reaches output `stride * x + k - pad` (transposed) or
    /// `x - k + pad`.
    fn pad(self) -> usize {
        self.kernel.saturating_sub(self.stride) / 2
    }

    /// Kernel positions, counting those of a stride that the kernel does not fill: the bias is there too.
    fn reach(self) -> usize {
        if self.transposed { self.kernel.max(self.stride) } else { self.kernel }
    }

    /// The inputs that reach an output by one of `kernel` positions, each with that position: `(k, input)`.
    fn sources_within(
        self,
        kernel: usize,
        output: usize,
        inputs: usize,
    ) -> impl Iterator<Item = (usize, usize)> {
        let Self { stride, transposed, .. } = self;
        let pad = self.pad();
        (0..kernel).filter_map(move |k| {
            let input = if transposed {
                let position = (output + pad).checked_sub(k)?;
                position.is_multiple_of(stride).then_some(position / stride)?
            } else {
                (output + k).checked_sub(pad)?
            };
            (input < inputs).then_some((k, input))
        })
    }

    /// As [`AxisLayer::sources_within`] by the positions of the kernel itself.
    pub(super) fn sources(self, output: usize, inputs: usize) -> impl Iterator<Item = (usize, usize)> {
        self.sources_within(self.kernel, output, inputs)
    }
}

/// How many paths reach an output from each input that reaches it.
type Counts = BTreeMap<usize, u64>;

/// The outputs of a run along one axis, which has `stride * inputs` of them, in bands: first those near the start, one by one,
/// then the regular ones, then those near the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// Outputs per input.
    pub(super) stride: usize,
    /// Positions of the composed kernel: tap `t` takes input `i` to output `stride * i + t - pad`.
    pub(super) taps: usize,
    /// See `taps`.
    pub(super) pad: usize,
    /// Irregular outputs at the start, ...
    pub(super) start: usize,
    /// ... the first inputs, which are all that reach them, ...
    pub(super) start_inputs: usize,
    /// ... and the same at the end.
    pub(super) end: usize,
    pub(super) end_inputs: usize,
    /// The fewest inputs with which the start does not meet the end.
    pub(super) minimum: usize,
    /// Enough inputs for the middle to be far from both borders.
    pub(super) ample: usize,
}

/// Outputs to look at, at most: what has more is no run that anyone would fold.
const MAX_OUTPUTS: usize = 1 << 13;

impl Axis {
    /// The axis of a run; none if it is too large or branches too much to be looked at.
    pub(super) fn new(layers: &[AxisLayer]) -> Option<Self> {
        // The composed kernel takes input 0 to outputs from -pad on.
        let (mut stride, mut low, mut high) = (1_usize, 0_usize, 0_usize);
        for layer in layers {
            let (pad, last) = (layer.pad(), layer.reach() - 1);
            if layer.transposed {
                stride = stride.checked_mul(layer.stride).filter(|&stride| stride <= MAX_OUTPUTS)?;
                (low, high) = (low * layer.stride + pad, high * layer.stride + (last - pad));
            } else {
                (low, high) = (low + (last - pad), high + pad);
            }
            if low.max(high) > MAX_OUTPUTS {
                return None;
            }
        }
        let (taps, pad) = (low + high + 1, low);
        // Twice as far as any path reaches, from both sides.
        let ample = 4 * (taps / stride + 2);
        if ample * stride > MAX_OUTPUTS {
            return None;
        }

        let counts = |inputs: usize| -> Option<Vec<Counts>> {
            (0..stride * inputs).map(|output| paths(layers, output, inputs)).collect()
        };
        let of_ample = counts(ample)?;
        // In the middle nothing is cut: the paths of each tap.
        let middle = ample / 2 * stride;
        let mut of_taps = vec![0; taps];
        for (phase, counts) in of_ample[middle..middle + stride].iter().enumerate() {
            for (&input, &paths) in counts {
                of_taps[middle + phase + pad - stride * input] = paths;
            }
        }
        let regular = |output: usize, inputs: usize| -> Counts {
            let paths = |input: usize| of_taps.get((output + pad).checked_sub(stride * input)?).copied();
            (0..inputs)
                .filter_map(|input| Some((input, paths(input)?)))
                .filter(|&(_, paths)| paths > 0)
                .collect()
        };

        let irregular: Vec<usize> =
            (0..stride * ample).filter(|&o| of_ample[o] != regular(o, ample)).collect();
        let start = irregular.iter().rev().find(|&&o| o < middle).map_or(0, |&o| o + 1);
        let end = irregular.iter().find(|&&o| o >= middle).map_or(0, |&o| stride * ample - o);
        let at_start = &of_ample[..start];
        let at_end = &of_ample[stride * ample - end..];
        let start_inputs = at_start.iter().flat_map(Counts::keys).max().map_or(0, |&input| input + 1);
        let end_inputs = at_end.iter().flat_map(Counts::keys).min().map_or(0, |&input| ample - input);

        // Whether the bands are so for this many inputs too.
        let holds = |inputs: usize| -> Option<bool> {
            if stride * inputs <= start + end || inputs < start_inputs.max(end_inputs) {
                return Some(false);
            }
            let shifted = |counts: &Counts| -> Counts {
                counts.iter().map(|(&input, &paths)| (input + inputs - ample, paths)).collect()
            };
            let outputs = stride * inputs;
            Some(counts(inputs)?.iter().enumerate().all(|(output, found)| match output {
                _ if output < start => *found == at_start[output],
                _ if output >= outputs - end => *found == shifted(&at_end[output - (outputs - end)]),
                _ => *found == regular(output, inputs),
            }))
        };
        let mut minimum = ample;
        while minimum > 1 && holds(minimum - 1)? {
            minimum -= 1;
        }
        Some(Self { stride, taps, pad, start, start_inputs, end, end_inputs, minimum, ample })
    }
}

/// How many paths reach `output` from each of `inputs` inputs; none if they cannot be counted.
fn paths(layers: &[AxisLayer], output: usize, inputs: usize) -> Option<Counts> {
    let mut sizes = vec![inputs];
    sizes.extend(layers.iter().scan(inputs, |size, layer| {
        *size *= layer.stride;
        Some(*size)
    }));
    let mut reached = Counts::from([(output, 1)]);
    for (layer, &before) in layers.iter().zip(&sizes).rev() {
        let mut sources = Counts::new();
        for (&position, &paths) in &reached {
            for (_, input) in layer.sources_within(layer.reach(), position, before) {
                let sum = sources.entry(input).or_insert(0);
                *sum = u64::checked_add(*sum, paths)?;
            }
        }
        reached = sources;
    }
    Some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn up(kernel: usize, stride: usize) -> AxisLayer {
        AxisLayer { kernel, stride, transposed: true }
    }

    const fn conv(kernel: usize) -> AxisLayer {
        AxisLayer { kernel, stride: 1, transposed: false }
    }

    #[test]
    fn only_the_last_row_of_the_seed_network_is_irregular() {
        let axis = Axis::new(&[up(3, 2), up(3, 2), conv(3)]).unwrap();
        assert_eq!((axis.stride, axis.taps, axis.pad), (4, 9, 1));
        assert_eq!((axis.start, axis.start_inputs, axis.end, axis.end_inputs), (0, 0, 1, 2));
        assert_eq!(axis.minimum, 2);
    }

    #[test]
    fn layers_that_only_copy_have_no_border() {
        let axis = Axis::new(&[up(2, 2), up(2, 2), conv(1)]).unwrap();
        assert_eq!((axis.stride, axis.taps, axis.pad), (4, 4, 0));
        assert_eq!((axis.start, axis.end, axis.minimum), (0, 0, 1));
    }

    #[test]
    fn padding_between_two_convolutions_cuts_paths_on_both_sides() {
        let axis = Axis::new(&[conv(3), conv(3)]).unwrap();
        assert_eq!((axis.stride, axis.taps, axis.pad), (1, 5, 2));
        // Output 0 lacks the path 0 -> -1 -> 0 and the like.
        assert_eq!((axis.start, axis.end), (1, 1));
        assert_eq!((axis.start_inputs, axis.end_inputs), (3, 3));
    }

    #[test]
    fn runs_beyond_all_measure_are_left_alone() {
        assert_eq!(Axis::new(&[up(31, 16); 8]), None);
        assert_eq!(Axis::new(&[conv(31); 256]), None);
    }
}
