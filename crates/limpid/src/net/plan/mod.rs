//! How a network is executed: a description, fitted to an image size, as a list of kernels with planned buffers.
//!
//! One image goes through the whole network, forward and backward, before the next one starts, so that everything it
//! touches stays in the processor's cache. A [`Plan`] holds what all images share (the kernels with their weights), a
//! [`Workspace`] what one image at a time needs. Neither knows of threads: whoever has several gives each a workspace.

mod convolution;
mod cut;
mod dense;
mod explanation;
mod fold;
mod pooled;
mod step;
mod workspace;

use std::ops::Range;

use limpid_kernels::{Shape, loss};

use super::layers::Layer;
use super::{NetSpec, ParameterLayout};
use crate::{Error, Result};
use convolution::ConvolutionStep;
use dense::DenseStep;
use fold::Fold;
use pooled::PooledStep;
use step::Step;

pub use cut::Cut;
pub use explanation::{Explanation, PlannedStep};
pub use limpid_kernels::Isa;
pub use workspace::Workspace;

/// Names an instruction set to use instead of the fastest, e.g. `avx2`; for comparisons and for finding faults.
pub const ISA_VARIABLE: &str = "LIMPID_ISA";

/// The instruction set that this process uses: the fastest that the CPU has, or the one that the environment variable
/// [`ISA_VARIABLE`] names.
///
/// # Errors
/// If the variable names one that does not exist or that this CPU does not have.
pub fn isa() -> Result<Isa> {
    match std::env::var(ISA_VARIABLE) {
        Ok(name) if !name.is_empty() => Isa::named(&name.to_ascii_lowercase()).ok_or_else(|| {
            let available: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
            Error::invalid(
                format!("{ISA_VARIABLE}={name}"),
                format!("this CPU has {}; unset the variable to use the fastest", available.join(", ")),
            )
        }),
        _ => Ok(Isa::best()),
    }
}

/// What a plan can do, and so what it prepares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Forward passes only.
    Inference,
    /// Forward and backward passes.
    Training,
}

/// A network fitted to one image size and instruction set, with its weights in the order in which kernels read them.
#[derive(Debug, Clone)]
pub struct Plan {
    isa: Isa,
    purpose: Purpose,
    layout: ParameterLayout,
    /// The input's shape, then the output's of each step.
    shapes: Vec<Shape>,
    /// Zeros around the activation of the same index: what the step that reads it needs.
    pads: Vec<usize>,
    /// Zeros around the gradient of the output of each step.
    gradient_pads: Vec<usize>,
    steps: Vec<Step>,
    /// The layers that each step executes.
    spans: Vec<Range<usize>>,
    /// Multiply-accumulates of the layers as described, one image forward.
    described_macs: u64,
}

impl Plan {
    /// Plans a network for images of `height` x `width`. The weights are not set yet.
    ///
    /// # Errors
    /// If the description is not valid for this size.
    pub fn new(spec: &NetSpec, (height, width): (usize, usize), isa: Isa, purpose: Purpose) -> Result<Self> {
        let input = Shape::new(height, width, spec.input.channels);
        let layers = spec.layers(input)?;
        let layout = ParameterLayout::new(spec)?;
        let mut steps: Vec<Step> = Vec::new();
        let mut spans: Vec<Range<usize>> = Vec::new();
        let mut next = 0;
        while next < layers.len() {
            // Nobody asks for the gradient of the image itself.
            let data_gradient = purpose == Purpose::Training && next > 0;
            let ranges = |i: usize| layout.layer(next + i);
            let convolution = || ConvolutionStep::new(&layers[next], ranges(0), isa, data_gradient);
            let (step, count) = match (&layers[next], layers.get(next + 1)) {
                (Layer::MaxPool(pool), _) => {
                    (Step::MaxPool { size: pool.size(), outputs: pool.output().len() }, 1)
                }
                (Layer::Dense(dense), _) => {
                    let ranges = ranges(0).expect("a dense layer has weights");
                    (Step::Dense(Box::new(DenseStep::new(dense, ranges, data_gradient))), 1)
                }
                (Layer::Conv(_), Some(Layer::MaxPool(pool))) => {
                    let convolution = convolution().expect("a convolution has weights");
                    (Step::Pooled(Box::new(PooledStep::new(isa, convolution, pool.size()))), 2)
                }
                _ => match Fold::of_run(&layers[next..], ranges, isa, data_gradient) {
                    Some((fold, count)) => (Step::Fold(Box::new(fold)), count),
                    None => {
                        let convolution = convolution().expect("a convolution has weights");
                        (Step::Convolution(Box::new(convolution)), 1)
                    }
                },
            };
            steps.push(step);
            spans.push(next..next + count);
            next += count;
        }
        let mut shapes = vec![input];
        shapes.extend(spans.iter().map(|span| layers[span.end - 1].output()));
        let mut pads: Vec<usize> = steps.iter().map(Step::input_pad).collect();
        pads.push(0);
        let gradient_pads = steps.iter().map(Step::gradient_pad).collect();
        let described_macs = layers.iter().map(Layer::macs).sum();
        Ok(Self { isa, purpose, layout, shapes, pads, gradient_pads, steps, spans, described_macs })
    }

    /// What the plan does, step by step, for people.
    pub fn explain(&self, spec: &NetSpec) -> Explanation {
        let step = |(step, span): (&Step, &Range<usize>)| PlannedStep {
            layers: spec.layers[span.clone()].iter().map(|layer| layer.name.clone()).collect(),
            execution: step.describe(),
            macs: step.macs(),
            backward_macs: step.backward_macs(),
        };
        Explanation {
            isa: self.isa,
            steps: self.steps.iter().zip(&self.spans).map(step).collect(),
            described_macs: self.described_macs,
        }
    }

    /// The input's shape, which is also the output's.
    pub fn shape(&self) -> Shape {
        self.shapes[0]
    }

    /// The instruction set.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Which tensor lies where in the vector that [`Plan::set_parameters`] takes.
    pub fn layout(&self) -> &ParameterLayout {
        &self.layout
    }

    /// Takes the network's parameters, laid out as [`Plan::layout`].
    ///
    /// # Panics
    /// If their number is another.
    pub fn set_parameters(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.layout.len(), "the parameters must be those of the network");
        for step in &mut self.steps {
            step.set_parameters(values);
        }
    }

    /// Buffers for one image at a time.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(self)
    }

    /// Forward pass: from the input in the workspace to its logits.
    pub fn forward(&self, workspace: &mut Workspace) {
        self.forward_steps(0..self.steps.len(), workspace);
    }

    fn forward_steps(&self, steps: Range<usize>, workspace: &mut Workspace) {
        for i in steps {
            let (before, after) = workspace.activations.split_at_mut(i + 1);
            self.steps[i].forward(self.isa, &before[i], &mut after[0], &mut workspace.scratch[i]);
        }
    }

    /// The sum of the pixels' losses against `clean` (values in `[0, 1]`, `height * width`), for the logits in the
    /// workspace; in nats.
    ///
    /// # Panics
    /// If `clean` is not as long as the image.
    pub fn loss(&self, workspace: &Workspace, clean: &[f32]) -> f64 {
        loss::sigmoid_cross_entropy(self.isa, workspace.logits(), clean)
    }

    /// Length of the vector in which a batch's gradients are added up: each step's own values, in the order of the steps.
    pub fn gradient_len(&self) -> usize {
        self.steps.iter().map(Step::gradient_len).sum()
    }

    /// Backward pass for the logits in the workspace: adds the gradient of `scale` times [`Plan::loss`] to `sums`, of length
    /// [`Plan::gradient_len`]. After the last image of a batch, [`Plan::finish_gradient`] makes of it the gradient of the
    /// parameters.
    ///
    /// # Panics
    /// If the plan was made for inference, or a length does not fit.
    pub fn backward(&self, workspace: &mut Workspace, clean: &[f32], scale: f32, sums: &mut [f32]) {
        assert_eq!(self.purpose, Purpose::Training, "a plan for inference has no backward pass");
        assert_eq!(sums.len(), self.gradient_len(), "the plan's number of values");
        let last = self.steps.len() - 1;
        let Workspace { activations, gradients, .. } = workspace;
        loss::backward(self.isa, scale, &activations[last + 1], clean, &mut gradients[last]);
        self.backward_steps(self.steps.len(), workspace, sums);
    }

    /// The backward pass of the first `count` steps, from the gradient of the last one's output. What it adds up stands at
    /// the beginning of `sums`.
    fn backward_steps(&self, count: usize, workspace: &mut Workspace, sums: &mut [f32]) {
        let Workspace { activations, gradients, scratch, .. } = workspace;
        let steps = &self.steps[..count];
        let mut left = &mut sums[..steps.iter().map(Step::gradient_len).sum()];
        for (i, step) in steps.iter().enumerate().rev() {
            let own;
            (left, own) = left.split_at_mut(left.len() - step.gradient_len());
            let (before, after) = gradients.split_at_mut(i);
            step.backward(
                self.isa,
                (&activations[i], &activations[i + 1]),
                &mut after[0],
                before.last_mut(),
                &mut scratch[i],
                own,
            );
        }
    }

    /// Makes of what a batch has added up the gradient of the parameters, laid out as [`Plan::layout`], for the parameters that
    /// were set.
    ///
    /// # Panics
    /// If a length does not fit: that of `sums` is [`Plan::gradient_len`].
    pub fn finish_gradient(&self, parameters: &[f32], sums: &[f32], gradient: &mut [f32]) {
        assert_eq!(sums.len(), self.gradient_len(), "the plan's number of values");
        assert_eq!(parameters.len(), self.layout.len(), "the parameters must be those of the network");
        assert_eq!(gradient.len(), self.layout.len(), "one gradient per parameter");
        gradient.fill(0.0);
        let mut left = sums;
        for step in &self.steps {
            let own;
            (own, left) = left.split_at(step.gradient_len());
            step.finish_gradient(parameters, own, gradient);
        }
    }

    /// `pixels = sigmoid(logits)`: the reconstruction, in `[0, 1]`.
    ///
    /// # Panics
    /// If `pixels` is not as long as the image.
    pub fn reconstruction(&self, workspace: &Workspace, pixels: &mut [f32]) {
        loss::sigmoid(self.isa, workspace.logits(), pixels);
    }
}
