//! The linear tail, the layers behind the last activation, as one transposed convolution.
//!
//! The seed network ends in two transposed convolutions and a convolution with nothing nonlinear between them: together one
//! transposed convolution of the code's 7x7x32 with a 9x9 kernel and a stride of 4, a twentieth of the work. That is exact but
//! for the border (here the last row and the last column), where a layer's crop or padding cuts some paths through the next
//! ones off. A convolution cannot know where the border is, whatever its kernel. So the border's rows and columns are computed
//! by kernels of their own from a strip of the input that holds all they depend on, and joined to the rest:
//!
//! ```text
//!           regular | column
//!           --------+-------      each a ConvTranspose between Slices; joined by Concat
//!               row | corner
//! ```
//!
//! Biases come along as weights on one more channel, of ones.

mod axis;
mod compose;

use super::graph::{Builder, int, ints};
use crate::net::{LayerKind, NetSpec, ParameterLayout, Parameters};
use crate::{Error, Result};
use axis::{Axis, AxisLayer};
use compose::LinearLayer;

/// Kernels that a tail may be written as, at most: 5 bands along each axis.
const MAX_BLOCKS: usize = 25;

/// Weights of the composed kernel, at most.
const MAX_WEIGHTS: usize = 1 << 24;

/// The end of a slice that goes to the end; larger than any side, and a number that 32-bit readers take.
const TO_THE_END: i64 = i32::MAX as i64;

/// A run of layers to write as one.
pub(super) struct Tail<'a> {
    /// Index of its first layer.
    pub(super) first: usize,
    layers: Vec<LinearLayer<'a>>,
    axis: Axis,
}

impl<'a> Tail<'a> {
    /// The linear tail of a network, from layer `from` on at the earliest.
    ///
    /// # Errors
    /// If it has none of at least two layers, or folding it would not be less work, or its border is too wide.
    pub(super) fn new(spec: &NetSpec, parameters: &'a Parameters, from: usize) -> Result<Self> {
        let refuse = |problem: String| Error::invalid("folding the linear tail", problem + "; leave it out");
        let fitted = spec.layers(spec.input)?;
        let is_linear = |kind: LayerKind| match kind {
            LayerKind::Conv { stride, .. } => stride == 1 && kind.activation().slope() == 1.0,
            LayerKind::ConvTranspose { .. } => kind.activation().slope() == 1.0,
            LayerKind::MaxPool { .. } | LayerKind::Dense { .. } => false,
        };
        let run = spec.layers[from..].iter().rev().take_while(|layer| is_linear(layer.kind)).count();
        if run < 2 {
            return Err(refuse(format!(
                "network {:?} does not end in two or more layers without activation (conv of stride 1, \
                 conv_transpose), so there is nothing to fold",
                spec.name
            )));
        }
        let first = spec.layers.len() - run;
        let layers: Vec<LinearLayer<'a>> = (first..spec.layers.len())
            .map(|index| linear_layer(spec, parameters, fitted[index].input().channels, index))
            .collect();
        let along: Vec<AxisLayer> = layers.iter().map(|layer| layer.axis).collect();
        let axis = Axis::new(&along).ok_or_else(|| refuse("its layers reach too far".into()))?;

        let weights = axis.taps * axis.taps * (layers[0].channels.0 + 1);
        let pixels = fitted[first].input().pixels();
        let described: u64 = fitted[first..].iter().map(crate::net::layers::Layer::macs).sum();
        let composed = (weights as u64).saturating_mul(pixels as u64);
        if composed >= described || weights > MAX_WEIGHTS {
            return Err(refuse(format!(
                "as one operation its last {run} layers would take {composed} multiply-accumulates, as they are {described}"
            )));
        }
        let bands = axis.start + 1 + axis.end;
        if bands * bands > MAX_BLOCKS {
            return Err(refuse(format!(
                "{} rows at the start and {} at the end of the output differ from the others, and so do as many columns: \
                 more than is worth kernels of their own",
                axis.start, axis.end
            )));
        }
        let side = spec.layers(spec.input)?[first].input();
        if side.height.min(side.width) < axis.minimum {
            return Err(refuse(format!(
                "the images of {}x{} are so small that their borders meet",
                spec.input.height, spec.input.width
            )));
        }
        Ok(Self { first, layers, axis })
    }

    /// The fewest rows and columns that the tail's input may have.
    pub(super) fn minimum(&self) -> usize {
        self.axis.minimum
    }

    /// Adds the tail, which reads the value `input`; returns the name of its output, one channel.
    pub(super) fn add(&self, graph: &mut Builder, input: &str) -> String {
        let pads = graph.integers("tail.ones.pads", &[0, 0, 0, 0, 0, 1, 0, 0]);
        let one = graph.floats("tail.ones.value", &[], &[1.0]);
        let input = graph.node("Pad", "tail.input", &[input, &pads, &one], []);
        let bands = self.axis.bands();
        let rows: Vec<String> = bands
            .iter()
            .map(|&y| {
                let blocks: Vec<String> =
                    bands.iter().map(|&x| self.add_block(graph, &input, y, x)).collect();
                concat(graph, &format!("tail.{}", y.name("row")), &blocks, 3)
            })
            .collect();
        concat(graph, "tail.output", &rows, 2)
    }

    /// Adds the block of the output where two bands meet.
    fn add_block(&self, graph: &mut Builder, input: &str, y: Band, x: Band) -> String {
        let name = format!("tail.{}_{}", y.name("row"), x.name("column"));
        let (rows, columns) = (Along::new(&self.axis, y), Along::new(&self.axis, x));
        let input = slice(graph, &format!("{name}.input"), input, [rows.input, columns.input]);

        let channels = self.layers[0].channels.0 + 1;
        let mut values = vec![0.0; channels * rows.kernel * columns.kernel];
        for &oy in &rows.outputs {
            for &ox in &columns.outputs {
                for ((iy, ix), weights) in compose::weights(&self.layers, self.axis.ample, (oy, ox)) {
                    let (ky, kx) = (rows.tap(oy, iy), columns.tap(ox, ix));
                    for (channel, weight) in weights.into_iter().enumerate() {
                        values[(channel * rows.kernel + ky) * columns.kernel + kx] = weight as f32;
                    }
                }
            }
        }
        let dims = [channels, 1, rows.kernel, columns.kernel];
        let kernel = graph.floats(&format!("{name}.kernel"), &dims, &values);
        let settings = [
            ints("kernel_shape", &[rows.kernel, columns.kernel]),
            ints("pads", &[0; 4]),
            ints("strides", &[rows.stride, columns.stride]),
        ];
        let whole = graph.node("ConvTranspose", &format!("{name}.whole"), &[&input, &kernel], settings);
        slice(graph, &name, &whole, [rows.output, columns.output])
    }
}

fn linear_layer<'a>(
    spec: &NetSpec,
    parameters: &'a Parameters,
    channels: usize,
    index: usize,
) -> LinearLayer<'a> {
    let (kernel_size, stride, transposed) = match spec.layers[index].kind {
        LayerKind::Conv { kernel, stride, .. } => (kernel, stride, false),
        LayerKind::ConvTranspose { kernel, stride, .. } => (kernel, stride, true),
        LayerKind::MaxPool { .. } | LayerKind::Dense { .. } => unreachable!("it is no linear convolution"),
    };
    let layout: &ParameterLayout = parameters.layout();
    let ranges = layout.layer(index).expect("a convolution has parameters");
    let (kernel, bias) = ranges.split(parameters.values());
    LinearLayer {
        axis: AxisLayer { kernel: kernel_size, stride, transposed },
        channels: (channels, bias.len()),
        kernel,
        bias,
    }
}

/// A part of the output along one axis: a single row at the start or at the end, counted from there, or all between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Band {
    Start(usize),
    Regular,
    End(usize),
}

impl Band {
    fn name(self, what: &str) -> String {
        match self {
            Self::Start(position) => format!("{what}{position}"),
            Self::Regular => format!("{what}s"),
            Self::End(back) => format!("{what}_{back}_from_end"),
        }
    }
}

impl Axis {
    fn bands(&self) -> Vec<Band> {
        let start = (0..self.start).map(Band::Start);
        start.chain([Band::Regular]).chain((1..=self.end).rev().map(Band::End)).collect()
    }
}

/// Start and end of a slice; a negative number counts from the end.
type Range = (i64, i64);

/// One axis of a block's operations: a slice of the input, a transposed convolution, a slice of what that gives.
///
/// Without pads, because what they would cut at the two sides differs, and importers want it to be equal.
struct Along {
    /// Which inputs are read; none for all of them.
    input: Option<Range>,
    kernel: usize,
    stride: usize,
    /// Which of the outputs count; none for all of them.
    output: Option<Range>,
    /// Outputs of the run, if it has [`Axis::ample`] inputs, that the kernel can be read from.
    outputs: Vec<usize>,
    /// The tap that takes input `i` to output `o` is `o + shift - stride * i`.
    shift: isize,
}

impl Along {
    fn new(axis: &Axis, band: Band) -> Self {
        // All inputs of a strip and the kernel, as long as they are, meet in the one output in the middle.
        let strip = |inputs: usize, input: Range, first: usize, output: usize| Self {
            input: Some(input),
            kernel: inputs,
            stride: 1,
            output: (inputs > 1).then_some((inputs as i64 - 1, inputs as i64)),
            outputs: vec![output],
            shift: (first + inputs - 1) as isize - output as isize,
        };
        match band {
            Band::Start(position) => strip(axis.start_inputs, (0, axis.start_inputs as i64), 0, position),
            Band::End(back) => {
                let inputs = axis.end_inputs;
                strip(
                    inputs,
                    (-(inputs as i64), TO_THE_END),
                    axis.ample - inputs,
                    axis.stride * axis.ample - back,
                )
            }
            Band::Regular => {
                let middle = axis.ample / 2 * axis.stride;
                let (before, behind) = (axis.pad + axis.start, axis.taps - axis.pad - axis.stride + axis.end);
                let end = if behind == 0 { TO_THE_END } else { -(behind as i64) };
                Self {
                    input: None,
                    kernel: axis.taps,
                    stride: axis.stride,
                    output: (before + behind > 0).then_some((before as i64, end)),
                    outputs: (middle..middle + axis.stride).collect(),
                    shift: axis.pad as isize,
                }
            }
        }
    }

    fn tap(&self, output: usize, input: usize) -> usize {
        let tap = output as isize + self.shift - (self.stride * input) as isize;
        usize::try_from(tap).expect("only inputs that a tap takes to the output are asked for")
    }
}

/// Adds a slice of rows and columns, where there is something to slice.
fn slice(graph: &mut Builder, name: &str, value: &str, [rows, columns]: [Option<(i64, i64)>; 2]) -> String {
    let (mut starts, mut ends, mut axes) = (Vec::new(), Vec::new(), Vec::new());
    for (axis, range) in [(2, rows), (3, columns)] {
        if let Some((start, end)) = range {
            starts.push(start);
            ends.push(end);
            axes.push(axis);
        }
    }
    if axes.is_empty() {
        return value.to_owned();
    }
    let starts = graph.integers(&format!("{name}.starts"), &starts);
    let ends = graph.integers(&format!("{name}.ends"), &ends);
    let axes = graph.integers(&format!("{name}.axes"), &axes);
    graph.node("Slice", name, &[value, &starts, &ends, &axes], [])
}

/// Joins values along an axis, where there are several.
fn concat(graph: &mut Builder, name: &str, values: &[String], axis: i64) -> String {
    match values {
        [value] => value.clone(),
        _ => {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            graph.node("Concat", name, &values, [int("axis", axis)])
        }
    }
}
