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

/// Values of a gradient that one thread adds up at a time.
const CHUNK: usize = 4096;

/// Runs batches of images through plans of one network and size.
#[derive(Debug)]
pub(super) struct BatchRunner {
    threads: Threads,
    groups: Groups,
}

impl BatchRunner {
    /// Runs on these threads.
    pub(super) fn new(threads: Threads) -> Self {
        Self { threads, groups: Groups::default() }
    }

    /// The threads that it runs on.
    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Sets the plan's parameters, each step's on any thread.
    pub(super) fn set_parameters(&self, plan: &mut Plan, parameters: &[f32]) {
        self.threads.for_each(&mut plan.parts(), |_, part| part.set_parameters(parameters));
    }

    /// The mean loss per pixel of a batch for these parameters, and its gradient, which overwrites `gradient`.
    pub(super) fn gradient(
        &mut self,
        plan: &mut Plan,
        parameters: &[f32],
        batch: &Batch<'_>,
        gradient: &mut [f32],
    ) -> f64 {
        let Self { threads, groups } = self;
        // All at once, so that the threads are woken once per batch.
        threads.install(|| {
            threads.for_each(&mut plan.parts(), |_, part| part.set_parameters(parameters));
            let plan = &*plan;
            let scale = 1.0 / (batch.images.len() * plan.shape().len()) as f32;
            let len = gradient.len();
            let loss = groups.run(threads, plan, batch, |scratch, group| {
                group.gradient.resize(len, 0.0);
                plan.backward(&mut scratch.workspace, &scratch.clean, scale, &mut group.gradient);
            });
            threads.for_each(&mut gradient.chunks_mut(CHUNK).collect::<Vec<_>>(), |chunk, sum| {
                sum.fill(0.0);
                for group in &groups.groups {
                    adam::add(plan.isa(), &group.gradient[chunk * CHUNK..][..sum.len()], sum);
                }
            });
            plan.finish_gradient(gradient);
            loss
        })
    }

    /// The mean loss per pixel of a batch, for the parameters that the plan has.
    pub(super) fn loss(&mut self, plan: &Plan, batch: &Batch<'_>) -> f64 {
        self.groups.run(&self.threads, plan, batch, |_, _| ())
    }
}

/// The groups of a batch and the buffers that their images need.
#[derive(Debug, Default)]
struct Groups {
    /// As many as threads have been at work at one time.
    idle: Mutex<Vec<Scratch>>,
    groups: Vec<Group>,
}

impl Groups {
    /// Forward pass and loss of every image, then `then` for it.
    fn run(
        &mut self,
        threads: &Threads,
        plan: &Plan,
        batch: &Batch<'_>,
        then: impl Fn(&mut Scratch, &mut Group) + Sync,
    ) -> f64 {
        let Batch { samples, images, noise, stream } = *batch;
        assert!(!images.is_empty(), "the mean loss of no images");
        let size = images.len().div_ceil(MOST_GROUPS).max(SMALLEST_GROUP);
        self.groups.resize_with(images.len().div_ceil(size), Group::default);
        let idle = &self.idle;
        threads.for_each(&mut self.groups, |index, group| {
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
