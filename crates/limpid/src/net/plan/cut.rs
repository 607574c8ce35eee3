//! A plan in two parts: encoder and decoder, each of which can be executed alone.
//!
//! A cut lies between two steps. Where a plan executes the layers on both sides of a place in one step, there is no value
//! there to look at, so no plan can be cut there.

use limpid_kernels::FeatureMap;

use super::{Plan, Purpose, Workspace};

/// A place between two steps of a plan, behind one of its layers. Made by [`Plan::cut`] and good for that plan only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Steps in front of it, at least one.
    steps: usize,
}

impl Plan {
    /// The place behind layer `index`; none if the plan executes this layer together with the next one, or it is none.
    pub fn cut(&self, index: usize) -> Option<Cut> {
        let step = self.spans.iter().position(|span| span.end == index + 1)?;
        Some(Cut { steps: step + 1 })
    }

    /// Forward pass from the input in the workspace to the cut.
    pub fn forward_to(&self, cut: Cut, workspace: &mut Workspace) {
        self.forward_steps(0..cut.steps, workspace);
    }

    /// Forward pass from the values at the cut ([`Workspace::set_values`]) to the logits.
    pub fn forward_from(&self, cut: Cut, workspace: &mut Workspace) {
        self.forward_steps(cut.steps..self.steps.len(), workspace);
    }

    /// Backward pass from the cut to the input, behind [`Plan::forward_to`]: adds to `sums`, of length
    /// [`Plan::gradient_len`], the gradient of a loss whose gradient at the cut is `dvalues`. [`Plan::finish_gradient`] stays to be
    /// called behind a batch.
    ///
    /// # Panics
    /// If the plan was made for inference, or a length does not fit.
    pub fn backward_from(&self, cut: Cut, workspace: &mut Workspace, dvalues: &[f32], sums: &mut [f32]) {
        assert_eq!(self.purpose, Purpose::Training, "a plan for inference has no backward pass");
        assert_eq!(sums.len(), self.gradient_len(), "the plan's number of values");
        workspace.gradients[cut.steps - 1].copy_from(dvalues);
        self.backward_steps(cut.steps, workspace, sums);
    }
}

impl Workspace {
    /// The values at a cut, after [`Plan::forward_to`] or [`Plan::forward`].
    pub fn values(&self, cut: Cut) -> &FeatureMap {
        &self.activations[cut.steps]
    }

    /// Sets the values at a cut, to go on from.
    ///
    /// # Panics
    /// If their number is another.
    pub fn set_values(&mut self, cut: Cut, values: &[f32]) {
        self.activations[cut.steps].copy_from(values);
    }
}
