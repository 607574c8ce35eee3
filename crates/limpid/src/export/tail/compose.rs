//! The composed kernels of a run, read off the run itself: what an output pixel is made of is its gradient.
//!
//! In `f64`, and over the few pixels that reach one output only, so it costs next to nothing. Biases are weights on a channel
//! that is 1 everywhere in the run's input: a bias behind layer `m` at position `p` counts for input `p / stride`, where
//! `stride` is the enlargement up to there, so that each input pixel brings its share of the border along.

use std::collections::BTreeMap;

use super::axis::AxisLayer;

/// One layer of the run with its parameters.
pub(super) struct LinearLayer<'a> {
    pub(super) axis: AxisLayer,
    /// Channels before and behind it.
    pub(super) channels: (usize, usize),
    /// As Keras keeps it: `[ky][kx][before][behind]`, or, transposed, `[ky][kx][behind][before]`.
    pub(super) kernel: &'a [f32],
    pub(super) bias: &'a [f32],
}

/// Values by pixel, `(y, x)`; pixels that are not here are zero.
pub(super) type Pixels = BTreeMap<(usize, usize), Vec<f64>>;

/// What output pixel `(y, x)` of a run is made of, for an input of `inputs` x `inputs`: for each input pixel the weight of its
/// channels, and last that of the channel of ones. The run's output has one channel.
pub(super) fn weights(layers: &[LinearLayer<'_>], inputs: usize, output: (usize, usize)) -> Pixels {
    let channels = layers[0].channels.0;
    let mut ones: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut scale: usize = layers.iter().map(|layer| layer.axis.stride).product();
    let mut gradient = Pixels::from([(output, vec![1.0])]);
    for layer in layers.iter().rev() {
        for (&(y, x), gradient) in &gradient {
            let bias: f64 = gradient.iter().zip(layer.bias).map(|(g, &b)| g * f64::from(b)).sum();
            *ones.entry((y / scale, x / scale)).or_insert(0.0) += bias;
        }
        scale /= layer.axis.stride;
        gradient = before(layer, inputs * scale, &gradient);
    }
    for (pixel, one) in ones {
        gradient.entry(pixel).or_insert_with(|| vec![0.0; channels]).push(one);
    }
    for weights in gradient.values_mut() {
        weights.resize(channels + 1, 0.0);
    }
    gradient
}

/// From the gradient behind a layer to the gradient before it, where there are `side` x `side` pixels.
fn before(layer: &LinearLayer<'_>, side: usize, behind: &Pixels) -> Pixels {
    let (inputs, outputs) = layer.channels;
    let mut gradient = Pixels::new();
    for (&(y, x), of_pixel) in behind {
        for (ky, y) in layer.axis.sources(y, side) {
            for (kx, x) in layer.axis.sources(x, side) {
                let block =
                    &layer.kernel[(ky * layer.axis.kernel + kx) * inputs * outputs..][..inputs * outputs];
                let sums = gradient.entry((y, x)).or_insert_with(|| vec![0.0; inputs]);
                for (i, sum) in sums.iter_mut().enumerate() {
                    let weight = |o: usize| {
                        block[if layer.axis.transposed { o * inputs + i } else { i * outputs + o }]
                    };
                    *sum += of_pixel.iter().enumerate().map(|(o, g)| g * f64::from(weight(o))).sum::<f64>();
                }
            }
        }
    }
    gradient
}
