//! A batch of images through a plan, on any number of threads, with a result that does not depend on their number.
//!
//! The batch is cut into groups whose size depends on the batch alone. A group's images go one after the other and add up
//! in a buffer of the group; then the groups are added up in their order. So every sum has one order, and threads only
//! decide when each part of it is computed.

use std::sync::Mutex;

use limpid_kernels::adam;

use crate::data::Samples;
use crate::net::plan::{Plan, Workspace};
use crate::noise::{Noise, Stream};
use crate::threads::Threads;

/// Images of a group at least: fewer would spend more time on adding up than on the images.
const SMALLEST_GROUP: usize = 8;
/// Groups at most: each has a gradient buffer of the size of the network.
const MOST_GROUPS: usize = 32;

/// What one image needs beside the plan's own buffers.
#[derive(Debug)]
struct Scratch {
    workspace: Workspace,
    clean: Vec<f32>,
    noisy: Vec<f32>,
}

/// What the images of a group add up to.
#[derive(Debug, Default)]
struct Group {
    gradient: Vec<f32>,
    loss: f64,
}

/// Some images of a set, each under noise of its own.
pub(super) struct Batch<'a> {
    pub(super) samples: &'a dyn Samples,
    /// Their indices; at least one.
    pub(super) images: &'a [u32],
    pub(super) noise: &'a Noise,
    /// Names the noise of the image with an index.
    pub(super) stream: &'a (dyn Fn(usize) -> Stream + Sync),
}

/// Runs batches of images through plans of one network and size.
#[derive(Debug)]
pub(super) struct BatchRunner {
    threads: Threads,
    /// As many as threads have been at work at one time.
    idle: Mutex<Vec<Scratch>>,
    groups: Vec<Group>,
}

impl BatchRunner {
    /// Runs on these threads.
    pub(super) fn new(threads: Threads) -> Self {
        Self { threads, idle: Mutex::new(Vec::new()), groups: Vec::new() }
    }

    /// The threads that it runs on.
    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// The mean loss per pixel of a batch, and its gradient, which overwrites `gradient`.
    pub(super) fn gradient(&mut self, plan: &Plan, batch: &Batch<'_>, gradient: &mut [f32]) -> f64 {
        let scale = 1.0 / (batch.images.len() * plan.shape().len()) as f32;
        let loss = self.run(plan, batch, |scratch, group| {
            group.gradient.resize(gradient.len(), 0.0);
            plan.backward(&mut scratch.workspace, &scratch.clean, scale, &mut group.gradient);
        });
        gradient.fill(0.0);
        for group in &self.groups {
            adam::add(plan.isa(), &group.gradient, gradient);
        }
        plan.finish_gradient(gradient);
        loss
    }

    /// The mean loss per pixel of a batch.
    pub(super) fn loss(&mut self, plan: &Plan, batch: &Batch<'_>) -> f64 {
        self.run(plan, batch, |_, _| ())
    }

    /// Forward pass and loss of every image, then `then` for it.
    fn run(&mut self, plan: &Plan, batch: &Batch<'_>, then: impl Fn(&mut Scratch, &mut Group) + Sync) -> f64 {
        let Batch { samples, images, noise, stream } = *batch;
        assert!(!images.is_empty(), "the mean loss of no images");
        let size = images.len().div_ceil(MOST_GROUPS).max(SMALLEST_GROUP);
        self.groups.resize_with(images.len().div_ceil(size), Group::default);
        let idle = &self.idle;
        self.threads.for_each(&mut self.groups, |index, group| {
            group.gradient.fill(0.0);
            group.loss = 0.0;
            let mut scratch = take(idle).unwrap_or_else(|| Scratch {
                workspace: plan.workspace(),
                clean: vec![0.0; plan.shape().len()],
                noisy: vec![0.0; plan.shape().len()],
            });
            for &image in images.chunks(size).nth(index).expect("there is a group for each chunk") {
                let image = image as usize;
                samples.read(image, &mut scratch.clean);
                noise.corrupt(plan.isa(), stream(image), &scratch.clean, &mut scratch.noisy);
                scratch.workspace.set_input(&scratch.noisy);
                plan.forward(&mut scratch.workspace);
                group.loss += plan.loss(&scratch.workspace, &scratch.clean);
                then(&mut scratch, group);
            }
            idle.lock().expect("no thread panics while it holds the lock").push(scratch);
        });
        let sum: f64 = self.groups.iter().map(|group| group.loss).sum();
        sum / (images.len() * plan.shape().len()) as f64
    }
}

fn take(idle: &Mutex<Vec<Scratch>>) -> Option<Scratch> {
    idle.lock().expect("no thread panics while it holds the lock").pop()
}
