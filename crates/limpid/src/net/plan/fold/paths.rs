//! One axis of a run of linear layers: through which kernel positions an input position reaches an output position.
//!
//! Along an axis, layer `m` takes position `x` to `stride * x + k - pad` (transposed convolution) or to `x - k + pad`
//! (convolution of stride 1) for each kernel position `k`, as long as that lies inside the layer's output: what lies outside
//! is cropped or reads padding. A path is a choice of one `k` per layer. Which paths join an input with an output position
//! depends only on the difference of the two, but for positions near the border, where some paths are cut off.
//!
//! So there are few different *classes* of paths: those of the interior, one per difference (a tap of the composed kernel), and
//! some more for the border. Classes are found by recursion from the last layer: a class behind layer `m` is the list of
//! `(k of layer m + 1, class behind layer m + 1)` that its paths begin with.

use std::collections::HashMap;

use crate::net::ConvShape;

/// One linear layer along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AxisLayer {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) pad: usize,
    pub(super) transposed: bool,
    /// Positions of the layer's output.
    pub(super) outputs: usize,
}

impl AxisLayer {
    /// The rows and the columns of a layer; `shape` is the adjoint's for a transposed convolution.
    pub(super) fn of(shape: &ConvShape, transposed: bool) -> [Self; 2] {
        let output = if transposed { shape.input } else { shape.output };
        [(shape.pad.0, output.height), (shape.pad.1, output.width)].map(|(pad, outputs)| Self {
            kernel: shape.kernel,
            stride: if transposed { shape.stride } else { 1 },
            pad,
            transposed,
            outputs,
        })
    }

    /// Where kernel position `k` takes position `x`.
    fn target(&self, x: isize, k: usize) -> isize {
        let (k, pad) = (k as isize, self.pad as isize);
        if self.transposed { self.stride as isize * x + k - pad } else { x - k + pad }
    }
}

/// What the paths of a class begin with: kernel position of the next layer, and the class that follows it.
pub(super) type Branches = Vec<(usize, usize)>;

/// All classes of paths through a run of layers along one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paths {
    /// `classes[m]` are the classes of paths behind the first `m` layers; `classes[0]` of paths through the whole run. The last
    /// entry has one class, of the path without any step.
    pub(super) classes: Vec<Vec<Branches>>,
    /// The class of each tap of the composed kernel. Taps without any path, in gaps, share one that is empty.
    pub(super) taps: Vec<usize>,
    /// Output positions per input position.
    pub(super) stride: usize,
    /// Zeros in front: tap `t` takes input `i` to output `stride * i + t - pad`.
    pub(super) pad: usize,
    /// For each output position, the inputs that reach it and by which class.
    pub(super) sources: Vec<Vec<(usize, usize)>>,
    /// Output positions whose sources are not those of the composed kernel in the interior.
    pub(super) border: Vec<usize>,
    /// Output positions of one kind are reached by the same classes behind every layer: the number of each position's kind.
    pub(super) kinds: Vec<usize>,
    /// `reach[kind][m]`, for `m` from 1: the classes behind the first `m` layers that reach an output of this kind, one for
    /// each position that does.
    pub(super) reach: Vec<Vec<Vec<usize>>>,
}

/// Gives equal lists one number.
#[derive(Default)]
struct Interner {
    numbers: HashMap<Branches, usize>,
    lists: Vec<Branches>,
}

impl Interner {
    fn number(&mut self, list: Branches) -> usize {
        let Self { numbers, lists } = self;
        *numbers.entry(list).or_insert_with_key(|list| {
            lists.push(list.clone());
            lists.len() - 1
        })
    }
}

impl Paths {
    /// The paths through `layers` from `inputs` positions.
    pub(super) fn new(layers: &[AxisLayer], inputs: usize) -> Self {
        let outputs = layers.last().map_or(inputs, |layer| layer.outputs);
        // Behind the last layer: each position reaches itself. `interior` has differences, `reached[x]` outputs, with classes.
        let mut classes = vec![vec![Branches::new()]];
        let mut interior: Vec<(isize, usize)> = vec![(0, 0)];
        let mut reached: Vec<Vec<(usize, usize)>> = (0..outputs).map(|x| vec![(x, 0)]).collect();
        let mut reach: Vec<Vec<Vec<usize>>> = vec![Vec::new(); outputs]; // by output, from the last layer on
        add_reach(&reached, &mut reach);
        let mut scale = 1; // output positions per position behind the layer
        for (m, layer) in layers.iter().enumerate().rev() {
            let mut interner = Interner::default();
            let mut differences: Vec<(isize, Branches)> = Vec::new();
            for k in 0..layer.kernel {
                for &(difference, class) in &interior {
                    push(&mut differences, scale * layer.target(0, k) + difference, (k, class));
                }
            }
            fill_gaps(&mut differences);
            interior = differences.into_iter().map(|(d, list)| (d, interner.number(list))).collect();

            let before = if m == 0 { inputs } else { layers[m - 1].outputs };
            reached = (0..before)
                .map(|x| {
                    let mut lists: Vec<(usize, Branches)> = Vec::new();
                    for k in 0..layer.kernel {
                        let target = usize::try_from(layer.target(x as isize, k)).ok();
                        for &(output, class) in target.and_then(|t| reached.get(t)).into_iter().flatten() {
                            push(&mut lists, output, (k, class));
                        }
                    }
                    lists.into_iter().map(|(output, list)| (output, interner.number(list))).collect()
                })
                .collect();
            add_reach(&reached, &mut reach);
            classes.push(interner.lists);
            scale *= layer.stride as isize;
        }
        classes.reverse();
        for of_output in &mut reach {
            of_output.reverse();
            of_output[0].clear(); // no bias stands before the first layer
        }
        let mut numbers = HashMap::new();
        let kinds = reach
            .iter()
            .map(|of_output| {
                let next = numbers.len();
                *numbers.entry(of_output.clone()).or_insert(next)
            })
            .collect();
        let mut reach: Vec<_> = numbers.into_iter().collect();
        reach.sort_unstable_by_key(|&(_, number)| number);
        let reach = reach.into_iter().map(|(of_output, _)| of_output).collect();

        let pad = interior.first().map_or(0, |&(difference, _)| -difference);
        let mut sources = vec![Vec::new(); outputs];
        for (input, list) in reached.iter().enumerate() {
            for &(output, class) in list {
                sources[output].push((input, class));
            }
        }
        let regular = |output: usize| -> Vec<(usize, usize)> {
            let of_input = |input: usize| {
                let difference = output as isize - scale * input as isize;
                let &(_, class) = interior.iter().find(|&&(d, _)| d == difference)?;
                Some((input, class)).filter(|_| !classes[0][class].is_empty())
            };
            (0..inputs).filter_map(of_input).collect()
        };
        let border = (0..outputs).filter(|&output| sources[output] != regular(output)).collect();
        Self {
            taps: interior.iter().map(|&(_, class)| class).collect(),
            stride: scale as usize,
            pad: usize::try_from(pad).expect("no layer's first tap lies behind its position"),
            classes,
            sources,
            border,
            kinds,
            reach,
        }
    }
}

/// Adds a branch to the list of `key`; lists stay in the order of their keys.
fn push<K: Ord + Copy>(lists: &mut Vec<(K, Branches)>, key: K, branch: (usize, usize)) {
    match lists.binary_search_by_key(&key, |&(key, _)| key) {
        Ok(at) => lists[at].1.push(branch),
        Err(at) => lists.insert(at, (key, vec![branch])),
    }
}

/// Where the stride is larger than the kernel, some differences have no path: their tap is zero.
fn fill_gaps(lists: &mut Vec<(isize, Branches)>) {
    if let (Some(&(first, _)), Some(&(last, _))) = (lists.first(), lists.last()) {
        for difference in first..=last {
            if let Err(at) = lists.binary_search_by_key(&difference, |&(d, _)| d) {
                lists.insert(at, (difference, Branches::new()));
            }
        }
    }
}

/// Adds to each output's list the classes that reach it.
fn add_reach(reached: &[Vec<(usize, usize)>], reach: &mut [Vec<Vec<usize>>]) {
    for of_output in reach.iter_mut() {
        of_output.push(Vec::new());
    }
    for &(output, class) in reached.iter().flatten() {
        reach[output].last_mut().expect("just pushed").push(class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Shape;

    /// The seed network's tail along one axis.
    fn seed() -> Paths {
        let up = |n| AxisLayer::of(&ConvShape::transposed_same(Shape::new(n, n, 1), 1, 3, 2), true)[0];
        let conv = AxisLayer::of(&ConvShape::same(Shape::new(28, 28, 1), 1, 3, 1), false)[0];
        Paths::new(&[up(7), up(14), conv], 7)
    }

    #[test]
    fn a_stride_larger_than_its_kernel_leaves_gaps() {
        let layer = AxisLayer { kernel: 1, stride: 3, pad: 0, transposed: true, outputs: 6 };
        let conv = AxisLayer { kernel: 2, stride: 1, pad: 0, transposed: false, outputs: 6 };
        let paths = Paths::new(&[layer, conv], 2);
        // Input i reaches outputs 3i - 1 and 3i, the first of which does not exist for i = 0.
        assert_eq!((paths.taps.len(), paths.pad), (2, 1));
        assert_eq!(paths.sources.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1, 1, 0, 0]);
        assert_eq!(paths.border, [] as [usize; 0]);
        let two = AxisLayer { kernel: 2, stride: 3, pad: 0, transposed: true, outputs: 18 };
        let paths = Paths::new(&[layer, two], 2);
        // Taps 0 and 1, and nothing else: a gap is a tap only between two others.
        assert_eq!((paths.taps.len(), paths.stride), (2, 9));
        let wide = AxisLayer { kernel: 2, stride: 2, pad: 0, transposed: true, outputs: 4 };
        let paths = Paths::new(&[wide, AxisLayer { kernel: 1, stride: 2, outputs: 8, ..wide }], 2);
        assert_eq!(paths.taps.len(), 3);
        assert!(paths.classes[0][paths.taps[1]].is_empty());
    }

    #[test]
    fn the_seed_networks_tail_has_nine_taps_and_one_border_row() {
        let paths = seed();
        assert_eq!((paths.taps.len(), paths.stride, paths.pad), (9, 4, 1));
        assert_eq!(paths.border, [27]);
        // The first two rows, even ones, odd ones, the last.
        assert_eq!(paths.reach.len(), 5);
        assert_eq!(paths.kinds[..6], [0, 1, 2, 3, 2, 3]);
        // One class more than taps: the paths to output 27 that the crop does not cut off.
        assert_eq!(paths.classes[0].len(), 10);
        // Every path is found once: 27 choices of kernel positions.
        fn count(classes: &[Vec<Branches>], class: usize) -> usize {
            match classes {
                [] | [_] => 1,
                [first, rest @ ..] => first[class].iter().map(|&(_, next)| count(rest, next)).sum(),
            }
        }
        assert_eq!(paths.taps.iter().map(|&class| count(&paths.classes, class)).sum::<usize>(), 27);
    }
}
