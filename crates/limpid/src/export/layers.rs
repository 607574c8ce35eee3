//! One layer as nodes.
//!
//! TensorFlow's `'SAME'` cuts or pads one more row at the end than at the start wherever their sum is odd. ONNX can say so
//! (`pads = [0, 0, 1, 1]`, `auto_pad`, `output_shape`), but importers read the three differently or not at all: OpenCV
//! refuses the first and gives wrong sizes for the others. So the kernel gets a row and a column of zeros in front instead,
//! which makes both sides equal: `pads = [1, 1, 1, 1]`, and nothing left to be read differently.

use super::graph::{Builder, float, ints};
use crate::net::{Activation, LayerKind, LayerSpec};

/// Adds a layer that reads the value `input`; returns the name of its output. `parameters` are its kernel and bias, `inputs`
/// the channels of `input`.
pub(super) fn add(
    graph: &mut Builder,
    layer: &LayerSpec,
    parameters: Option<(&[f32], &[f32])>,
    input: &str,
) -> String {
    let name = &layer.name;
    match (layer.kind, parameters) {
        (LayerKind::Conv { kernel, stride, activation, .. }, Some((weights, bias))) => {
            let padding = Padding::even(kernel, kernel.saturating_sub(stride));
            convolution(graph, "Conv", name, (weights, bias), input, (kernel, stride), padding);
            activate(graph, name, activation)
        }
        (LayerKind::ConvTranspose { kernel, stride, activation, .. }, Some((weights, bias))) => {
            // A kernel smaller than its stride leaves gaps, which only zeros behind it can make part of the output.
            let padding = Padding::even(kernel.max(stride), kernel.saturating_sub(stride));
            convolution(graph, "ConvTranspose", name, (weights, bias), input, (kernel, stride), padding);
            activate(graph, name, activation)
        }
        (LayerKind::MaxPool { size }, _) => graph.node(
            "MaxPool",
            &format!("{name}.output"),
            &[input],
            [ints("kernel_shape", &[size; 2]), ints("pads", &[0; 4]), ints("strides", &[size; 2])],
        ),
        (LayerKind::Dense { .. }, Some(_)) => unreachable!("a network with dense layers is refused before"),
        (_, None) => unreachable!("the layout has the parameters of every layer that takes some"),
    }
}

/// How a kernel is enlarged with zeros so that as much is padded, or cut, at the start as at the end.
struct Padding {
    /// Zeros in front of the kernel, along each axis.
    front: usize,
    /// Rows of the enlarged kernel.
    size: usize,
    /// `pads` on every side.
    pad: usize,
}

impl Padding {
    /// For a kernel of `size` rows and `total` rows of padding, of which `'SAME'` puts the smaller half at the start.
    fn even(size: usize, total: usize) -> Self {
        let front = total % 2;
        Self { front, size: size + front, pad: total.div_ceil(2) }
    }
}

fn convolution(
    graph: &mut Builder,
    op: &str,
    name: &str,
    (weights, bias): (&[f32], &[f32]),
    input: &str,
    (kernel, stride): (usize, usize),
    padding: Padding,
) {
    let Padding { front, size, pad } = padding;
    let channels = weights.len() / (kernel * kernel);
    // Ours: [ky][kx][a][b]. Theirs: [b][a][ky][kx], for both kinds, whose a and b are exchanged in both.
    let (filters, one) = (bias.len(), channels / bias.len());
    let (a, b) = if op == "Conv" { (one, filters) } else { (filters, one) };
    let mut values = vec![0.0; channels * size * size];
    for (from, &weight) in weights.iter().enumerate() {
        let (position, ab) = (from / channels, from % channels);
        let (ky, kx) = (position / kernel + front, position % kernel + front);
        let (of_a, of_b) = (ab / b, ab % b);
        values[((of_b * a + of_a) * size + ky) * size + kx] = weight;
    }
    let kernel = graph.floats(&format!("{name}.kernel"), &[b, a, size, size], &values);
    let bias = graph.floats(&format!("{name}.bias"), &[filters], bias);
    graph.node(
        op,
        &sum(name),
        &[input, &kernel, &bias],
        [ints("kernel_shape", &[size; 2]), ints("pads", &[pad; 4]), ints("strides", &[stride; 2])],
    );
}

/// The value before the activation.
fn sum(name: &str) -> String {
    format!("{name}.sum")
}

fn activate(graph: &mut Builder, name: &str, activation: Activation) -> String {
    let (sum, output) = (sum(name), format!("{name}.output"));
    match activation.slope() {
        1.0 => sum,
        0.0 => graph.node("Relu", &output, &[&sum], []),
        slope => graph.node("LeakyRelu", &output, &[&sum], [float("alpha", slope as f32)]),
    }
}
