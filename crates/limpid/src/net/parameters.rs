//! All parameters of a network in one flat vector, and which tensor lies where in it.
//!
//! One vector lets the optimizer, the gradient reduction and the checkpoint each run over everything in one loop.

use std::ops::Range;

use super::{NetSpec, glorot};
use crate::{Error, Result};

/// Where each named tensor lies in the flat vector of parameters.
///
/// The tensors follow the layers, kernel before bias: `conv1.kernel`, `conv1.bias`, `conv2.kernel`, ... Kernels lie as
/// Keras keeps them: `[ky, kx, in, out]` for a convolution, `[ky, kx, out, in]` for a transposed one, either of which is the
/// `[ky, kx, input, output]` of the layer's [`ConvShape`](limpid_kernels::ConvShape), and `[in, out]` for a dense layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterLayout {
    tensors: Vec<TensorLayout>,
    layers: Vec<Option<LayerRanges>>,
    len: usize,
}

/// One tensor of a [`ParameterLayout`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorLayout {
    /// Layer and role, e.g. `conv1.kernel`.
    pub name: String,
    /// Sizes, outermost first: four for a kernel, two for a dense layer's, one for a bias.
    pub shape: Vec<usize>,
    /// Its values in the flat vector, row-major.
    pub range: Range<usize>,
}

/// The two tensors of a layer in the flat vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerRanges {
    /// The kernel's values.
    pub kernel: Range<usize>,
    /// The bias's values, one per output channel, or per output of a dense layer; they follow the kernel's.
    pub bias: Range<usize>,
}

impl LayerRanges {
    /// Kernel and bias of the layer in a vector that is laid out so: parameters, gradients or moments.
    pub fn split<'a, T>(&self, values: &'a [T]) -> (&'a [T], &'a [T]) {
        (&values[self.kernel.clone()], &values[self.bias.clone()])
    }

    /// As [`LayerRanges::split`], to write.
    pub fn split_mut<'a, T>(&self, values: &'a mut [T]) -> (&'a mut [T], &'a mut [T]) {
        values[self.kernel.start..self.bias.end].split_at_mut(self.kernel.len())
    }
}

impl ParameterLayout {
    /// The layout of a network's parameters. It does not depend on the size of the images.
    ///
    /// # Errors
    /// If the description is not valid at its nominal input.
    pub fn new(spec: &NetSpec) -> Result<Self> {
        let (mut tensors, mut layers, mut len) = (Vec::new(), Vec::new(), 0);
        for (layer, fitted) in spec.layers.iter().zip(spec.layers(spec.input)?) {
            let ranges = fitted.kernel_shape().map(|shape| {
                let mut push = |role: &str, shape: Vec<usize>| {
                    let range = len..len + shape.iter().product::<usize>();
                    len = range.end;
                    tensors.push(TensorLayout {
                        name: format!("{}.{role}", layer.name),
                        shape,
                        range: range.clone(),
                    });
                    range
                };
                let kernel = push("kernel", shape);
                let bias = push("bias", vec![fitted.biases()]);
                LayerRanges { kernel, bias }
            });
            layers.push(ranges);
        }
        Ok(Self { tensors, layers, len })
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none; a valid network has some.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All tensors, in the order in which they lie.
    pub fn tensors(&self) -> &[TensorLayout] {
        &self.tensors
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&TensorLayout> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The tensors of the layer `index`; none for a pooling.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn layer(&self, index: usize) -> Option<&LayerRanges> {
        self.layers[index].as_ref()
    }
}

/// The parameters of a network: a layout and its values.
///
/// ```
/// use limpid::net::{NetSpec, Parameters};
///
/// let parameters = Parameters::glorot_uniform(&NetSpec::seed(), 1)?;
/// assert_eq!(parameters.values().len(), 37_601);
/// assert_eq!(parameters.tensor("conv2.bias"), Some(&[0.0; 32][..]));
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    layout: ParameterLayout,
    values: Vec<f32>,
}

impl Parameters {
    /// Parameters from a flat vector.
    ///
    /// # Errors
    /// If the number of values is not that of the layout.
    pub fn new(layout: ParameterLayout, values: Vec<f32>) -> Result<Self> {
        if values.len() != layout.len() {
            return Err(Error::invalid(
                "parameters",
                format!("{} values, but the network has {} parameters", values.len(), layout.len()),
            ));
        }
        Ok(Self { layout, values })
    }

    /// Parameters to start training from: Glorot-uniform kernels, biases of zero.
    ///
    /// The same seed gives the same bits on every machine, and a tensor's values depend on nothing but the seed, its
    /// position among the tensors and its shape.
    ///
    /// # Errors
    /// If the description is not valid at its nominal input.
    pub fn glorot_uniform(spec: &NetSpec, seed: u64) -> Result<Self> {
        let layout = ParameterLayout::new(spec)?;
        let mut values = vec![0.0; layout.len()];
        for (index, tensor) in layout.tensors.iter().enumerate() {
            let fans = match tensor.shape[..] {
                [ky, kx, rows, columns] => (ky * kx * rows, ky * kx * columns),
                [rows, columns] => (rows, columns),
                _ => continue, // a bias, which starts at 0
            };
            glorot::fill(seed, index as u64, fans, &mut values[tensor.range.clone()]);
        }
        Ok(Self { layout, values })
    }

    /// Which tensor lies where.
    pub fn layout(&self) -> &ParameterLayout {
        &self.layout
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to write.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values of the tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&[f32]> {
        Some(&self.values[self.layout.tensor(name)?.range.clone()])
    }

    /// The values of the tensor of this name, to write.
    pub fn tensor_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        Some(&mut self.values[self.layout.tensor(name)?.range.clone()])
    }

    /// Every tensor with its values, in the order in which they lie.
    pub fn tensors(&self) -> impl Iterator<Item = (&TensorLayout, &[f32])> {
        self.layout.tensors.iter().map(|tensor| (tensor, &self.values[tensor.range.clone()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{LayerKind, Shape};

    #[test]
    fn tensors_follow_each_other() {
        let layout = ParameterLayout::new(&NetSpec::seed()).unwrap();
        let mut end = 0;
        for tensor in layout.tensors() {
            assert_eq!(tensor.range.start, end, "{}", tensor.name);
            assert_eq!(tensor.range.len(), tensor.shape.iter().product::<usize>(), "{}", tensor.name);
            end = tensor.range.end;
        }
        assert_eq!((end, layout.len(), layout.tensors().len()), (37_601, 37_601, 12));
        assert_eq!(layout.tensor("conv1.kernel").unwrap().shape, [3, 3, 1, 32]);
        assert_eq!(layout.tensor("logits.bias").unwrap().range, 37_600..37_601);
        assert_eq!(layout.tensor("pool1.kernel"), None);
        assert_eq!(layout.layer(1), None);
        assert_eq!(layout.layer(2).unwrap().kernel, 320..320 + 9 * 32 * 32);
    }

    #[test]
    fn transposed_kernels_keep_the_output_before_the_input() {
        let mut spec = NetSpec::seed();
        let LayerKind::ConvTranspose { filters, .. } = &mut spec.layers[5].kind else { panic!("upsample1") };
        *filters = 16;
        let layout = ParameterLayout::new(&spec).unwrap();
        assert_eq!(layout.tensor("upsample1.kernel").unwrap().shape, [3, 3, 16, 32]);
        assert_eq!(layout.tensor("upsample2.kernel").unwrap().shape, [3, 3, 32, 16]);
    }

    #[test]
    fn the_layout_does_not_depend_on_the_image() {
        let seed = NetSpec::seed();
        let other = NetSpec { input: Shape::new(64, 4, 1), ..seed.clone() };
        assert_eq!(ParameterLayout::new(&seed).unwrap(), ParameterLayout::new(&other).unwrap());
    }

    #[test]
    fn kernel_and_bias_split_the_same_to_read_and_to_write() {
        let layout = ParameterLayout::new(&NetSpec::seed()).unwrap();
        let mut values: Vec<usize> = (0..layout.len()).collect();
        let ranges = layout.layer(4).unwrap();
        let (kernel, bias) = ranges.split(&values);
        let (kernel, bias) = (kernel.to_vec(), bias.to_vec());
        assert_eq!((kernel[0], bias[0]), (ranges.kernel.start, ranges.bias.start));
        assert_eq!(ranges.split_mut(&mut values), (&mut kernel.clone()[..], &mut bias.clone()[..]));
    }

    #[test]
    fn initial_parameters_are_glorots() {
        let parameters = Parameters::glorot_uniform(&NetSpec::seed(), 7).unwrap();
        for (tensor, values) in parameters.tensors() {
            let Some(&[ky, kx, rows, columns]) = tensor.shape.first_chunk() else {
                assert!(values.iter().all(|&v| v == 0.0), "{}", tensor.name);
                continue;
            };
            let limit = (6.0 / (ky * kx * (rows + columns)) as f64).sqrt();
            let n = values.len() as f64;
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
            let largest = values.iter().fold(0.0, |m: f64, &v| m.max(f64::from(v.abs())));
            // Uniform in +-limit: variance limit^2 / 3. Five standard errors of each estimate.
            assert!(largest <= limit && largest > 0.95 * limit, "{}: {largest} of {limit}", tensor.name);
            assert!(mean.abs() < 5.0 * limit / (3.0 * n).sqrt(), "{}: mean {mean}", tensor.name);
            let error = (variance / (limit * limit / 3.0) - 1.0).abs();
            assert!(error < 5.0 * (0.8 / n).sqrt(), "{}: variance off by {error}", tensor.name);
        }
    }

    #[test]
    fn the_seed_decides_every_bit() {
        let spec = NetSpec::seed();
        let [a, b, c] = [1, 1, 2].map(|seed| Parameters::glorot_uniform(&spec, seed).unwrap());
        assert_eq!(a, b);
        assert!(a.tensor("conv1.kernel") != c.tensor("conv1.kernel"));
        // Tensors of one shape have values of their own.
        assert!(a.tensor("conv2.kernel") != a.tensor("conv3.kernel"));
    }

    #[test]
    fn a_wrong_number_of_values_is_refused() {
        let layout = ParameterLayout::new(&NetSpec::seed()).unwrap();
        assert_eq!(
            Parameters::new(layout, vec![0.0; 3]).unwrap_err().to_string(),
            "parameters: 3 values, but the network has 37601 parameters"
        );
    }
}
