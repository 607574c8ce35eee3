//! The buffers that one image needs on its way through a plan.

use limpid_kernels::{FeatureMap, Shape};

use super::step::Scratch;
use super::{Plan, Purpose};

/// Activations, gradients and pooling positions of one image at a time. Made by [`Plan::workspace`] and good for that
/// plan only.
#[derive(Debug)]
pub struct Workspace {
    /// The input, then the output of each step.
    pub(super) activations: Vec<FeatureMap>,
    /// The gradient of the output of each step; none in a plan for inference. Nobody asks for that of the input.
    pub(super) gradients: Vec<FeatureMap>,
    /// What each step needs beside its input and output.
    pub(super) scratch: Vec<Scratch>,
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
        let scratch = plan.steps.iter().map(|step| step.scratch(plan.purpose == Purpose::Training)).collect();
        let ends = plan.spans.iter().map(|span| span.end).collect();
        Self { activations: maps(&plan.shapes, &plan.pads), gradients, scratch, ends }
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

    /// The output of layer `index`, after [`Plan::forward`]; none if the plan executes this layer together with the next one,
    /// so that its output never exists.
    pub fn activation(&self, index: usize) -> Option<&FeatureMap> {
        if let Some(step) = self.ends.iter().position(|&end| end == index + 1) {
            return Some(&self.activations[step + 1]);
        }
        // A convolution whose pool is part of its step, but not of its kernel.
        let step = self.ends.iter().position(|&end| end == index + 2)?;
        match &self.scratch[step] {
            Scratch::Pooled(scratch) => scratch.unpooled.as_ref(),
            _ => None,
        }
    }
}
