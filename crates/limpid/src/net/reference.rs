//! The network executed as its description reads: layer by layer, image by image, over `f32` or `f64`.
//!
//! Slow, and simple enough to be seen right. It is the specification of the fast plan and the oracle of the tests.

use limpid_kernels::Shape;
use num_traits::Float;

use super::{NetSpec, ParameterLayout, layers::Layer};
use crate::{Result, loss};

/// A network fitted to an image size, executed naively.
///
/// ```
/// use limpid::net::{NetSpec, Parameters, ReferenceNet};
///
/// let spec = NetSpec::seed();
/// let net = ReferenceNet::new(&spec, spec.input)?;
/// let parameters = Parameters::glorot_uniform(&spec, 1)?;
/// let image = vec![0.5; 28 * 28];
/// let (loss, gradients) = net.loss_and_gradients(parameters.values(), &image, &image);
/// assert!(loss > 0.6 && gradients.len() == 37_601);
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceNet {
    input: Shape,
    layers: Vec<Layer>,
    layout: ParameterLayout,
}

/// What a forward pass leaves behind for the backward pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations<T> {
    /// The output of every layer, in order; the last are the logits.
    pub outputs: Vec<Vec<T>>,
    /// For a pooling layer the position of each maximum in its window, for others empty.
    pub argmax: Vec<Vec<u8>>,
}

impl<T> Activations<T> {
    /// The output of the last layer, one value per pixel: the reconstruction before its sigmoid.
    pub fn logits(&self) -> &[T] {
        self.outputs.last().expect("a network has at least one layer")
    }
}

impl ReferenceNet {
    /// Fits a network to images of shape `input`.
    ///
    /// # Errors
    /// If the description is not valid, or not for such images.
    pub fn new(spec: &NetSpec, input: Shape) -> Result<Self> {
        Ok(Self { input, layers: spec.layers(input)?, layout: ParameterLayout::new(spec)? })
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How parameters and gradients lie.
    pub fn layout(&self) -> &ParameterLayout {
        &self.layout
    }

    /// All activations of one image, `input.len()` pixels.
    ///
    /// # Panics
    /// If the number of parameters or pixels is wrong.
    pub fn forward<T: Float>(&self, parameters: &[T], image: &[T]) -> Activations<T> {
        assert_eq!(parameters.len(), self.layout.len(), "as many parameters as the network has");
        assert_eq!(image.len(), self.input.len(), "as many pixels as the network's input");
        let (mut outputs, mut argmax) = (Vec::<Vec<T>>::new(), Vec::new());
        for (index, layer) in self.layers.iter().enumerate() {
            let x = outputs.last().map_or(image, |x| x);
            let mut y = vec![T::zero(); layer.output().len()];
            let mut positions = Vec::new();
            match (layer, self.layout.layer(index).map(|tensors| tensors.split(parameters))) {
                (Layer::Conv(conv), Some((kernel, bias))) => conv.forward(x, kernel, bias, &mut y),
                (Layer::ConvTranspose(conv), Some((kernel, bias))) => conv.forward(x, kernel, bias, &mut y),
                (Layer::Dense(dense), Some((kernel, bias))) => dense.forward(x, kernel, bias, &mut y),
                (Layer::MaxPool(pool), _) => {
                    positions = vec![0; y.len()];
                    pool.forward(x, &mut y, &mut positions);
                }
                (_, None) => unreachable!("the layout has the parameters of every layer that takes some"),
            }
            outputs.push(y);
            argmax.push(positions);
        }
        Activations { outputs, argmax }
    }

    /// Adds to `gradients` what one image contributes, from the gradient `dlogits` of the loss at its logits.
    ///
    /// # Panics
    /// If a number of values is wrong.
    pub fn backward<T: Float>(
        &self,
        parameters: &[T],
        image: &[T],
        activations: &Activations<T>,
        dlogits: &[T],
        gradients: &mut [T],
    ) {
        assert_eq!(gradients.len(), self.layout.len(), "as many gradients as parameters");
        let mut dy = dlogits.to_vec();
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let x = if index == 0 { image } else { &activations.outputs[index - 1] };
            let y = &activations.outputs[index];
            let mut dx = vec![T::zero(); layer.input().len()];
            match (layer, self.layout.layer(index)) {
                (Layer::Conv(conv), Some(tensors)) => {
                    let (kernel, _) = tensors.split(parameters);
                    let (dkernel, dbias) = tensors.split_mut(gradients);
                    conv.backward(x, kernel, y, &dy, &mut dx, dkernel, dbias);
                }
                (Layer::ConvTranspose(conv), Some(tensors)) => {
                    let (kernel, _) = tensors.split(parameters);
                    let (dkernel, dbias) = tensors.split_mut(gradients);
                    conv.backward(x, kernel, y, &dy, &mut dx, dkernel, dbias);
                }
                (Layer::Dense(dense), Some(tensors)) => {
                    let (kernel, _) = tensors.split(parameters);
                    let (dkernel, dbias) = tensors.split_mut(gradients);
                    dense.backward(x, kernel, y, &dy, &mut dx, dkernel, dbias);
                }
                (Layer::MaxPool(pool), _) => pool.backward(&dy, &activations.argmax[index], &mut dx),
                (_, None) => unreachable!("the layout has the parameters of every layer that takes some"),
            }
            dy = dx;
        }
    }

    /// The mean loss over all pixels of a batch, and its gradient with respect to every parameter.
    ///
    /// `noisy` and `clean` hold the same number of images, one after the other.
    ///
    /// # Panics
    /// If a number of values is wrong.
    pub fn loss_and_gradients<T: Float>(&self, parameters: &[T], noisy: &[T], clean: &[T]) -> (T, Vec<T>) {
        assert_eq!(noisy.len() % self.input.len(), 0, "whole images");
        let images = || noisy.chunks_exact(self.input.len());
        let activations: Vec<Activations<T>> =
            images().map(|image| self.forward(parameters, image)).collect();
        let logits: Vec<T> = activations.iter().flat_map(|a| a.logits()).copied().collect();

        let dlogits = loss::mean_gradient(&logits, clean);
        let mut gradients = vec![T::zero(); self.layout.len()];
        for ((image, activations), dlogits) in
            images().zip(&activations).zip(dlogits.chunks_exact(self.input.len()))
        {
            self.backward(parameters, image, activations, dlogits, &mut gradients);
        }
        (loss::mean(&logits, clean), gradients)
    }
}
