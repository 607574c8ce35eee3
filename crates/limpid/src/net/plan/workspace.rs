//! The buffers that one image needs on its way through a plan.

use limpid_kernels::{FeatureMap, Shape};

use super::{Plan, Purpose};

/// Activations, gradients and pooling positions of one image at a time. Made by [`Plan::workspace`] and good for that
/// plan only.
#[derive(Debug)]
pub struct Workspace {
    /// The input, then the output of each step.
    pub(super) activations: Vec<FeatureMap>,
    /// The gradient of the output of each step; none in a plan for inference. Nobody asks for that of the input.
    pub(super) gradients: Vec<FeatureMap>,
    /// Positions of the maxima of each step that pools.
    pub(super) argmax: Vec<Vec<u8>>,
    /// One past the last layer of each step.
    ends: Vec<usize>,
}

impl Workspace {
    pub(super) fn new(plan: &Plan) -> Self {
        let maps = |shapes: &[Shape], pads: &[usize]| -> Vec<FeatureMap> {
            shapes.iter().zip(pads).map(|(&shape, &pad)| FeatureMap::new(shape, pad)).collect()
        };
        let gradients = match plan.purpose {
            Purpose::Training => maps(&plan.shapes[1..], &plan.gradient_pads),
            Purpose::Inference => Vec::new(),
        };
        let argmax = plan.steps.iter().map(|step| vec![0; step.argmax_len()]).collect();
        let ends = plan.spans.iter().map(|span| span.end).collect();
        Self { activations: maps(&plan.shapes, &plan.pads), gradients, argmax, ends }
    }

    /// Sets the input, `height * width` pixels.
    ///
    /// # Panics
    /// If their number is another.
    pub fn set_input(&mut self, pixels: &[f32]) {
        self.activations[0].copy_from(pixels);
    }

    /// The output of the network before the sigmoid, after [`Plan::forward`].
    pub fn logits(&self) -> &FeatureMap {
        self.activations.last().expect("there is an input at least")
    }

    /// The output of layer `index`, after [`Plan::forward`]; none if the plan folds this layer into the next one, so that its
    /// output never exists.
    pub fn activation(&self, index: usize) -> Option<&FeatureMap> {
        let step = self.ends.iter().position(|&end| end == index + 1)?;
        Some(&self.activations[step + 1])
    }
}
