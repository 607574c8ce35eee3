//! A batch of images through a plan, on any number of threads, with a result that does not depend on their number.
//!
//! The batch is cut into groups whose size depends on the batch alone. A group's images go one after the other and add up
//! in a buffer of the group; then the groups are added up in their order. So every sum has one order, and threads only
//! decide when each part of it is computed.
//!
//! Each thread has a plan of its own, which it prepares for the parameters of a step: that is less work than to fetch weights from
//! another core's cache.

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

/// What a thread works with.
#[derive(Debug)]
struct Worker {
    plan: Plan,
    /// The number of the parameters that the plan was prepared for.
    prepared: u64,
    workspace: Workspace,
    clean: Vec<f32>,
    noisy: Vec<f32>,
}

/// What the images of a group add up to.
#[derive(Debug, Default)]
struct Group {
    sums: Vec<f32>,
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
const CHUNK: usize = 8192;

/// Runs batches of images through a plan.
#[derive(Debug)]
pub(super) struct BatchRunner {
    threads: Threads,
    plan: Plan,
    /// How often parameters were set.
    prepared: u64,
    workers: Vec<Mutex<Option<Worker>>>,
    groups: Vec<Group>,
    /// What the groups add up to.
    sums: Vec<f32>,
}

impl BatchRunner {
    /// Runs this plan on these threads.
    pub(super) fn new(plan: Plan, threads: Threads) -> Self {
        let workers = (0..threads.count()).map(|_| Mutex::default()).collect();
        let sums = vec![0.0; plan.gradient_len()];
        Self { threads, plan, prepared: 0, workers, groups: Vec::new(), sums }
    }

    /// The threads that it runs on.
    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// The plan that it runs.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The mean loss per pixel of a batch for these parameters, and its gradient, which overwrites `gradient`.
    pub(super) fn gradient(&mut self, parameters: &[f32], batch: &Batch<'_>, gradient: &mut [f32]) -> f64 {
        let scale = 1.0 / (batch.images.len() * self.plan.shape().len()) as f32;
        let loss = self.run(parameters, batch, |Worker { plan, workspace, clean, .. }, group| {
            group.sums.resize(plan.gradient_len(), 0.0);
            plan.backward(workspace, clean, scale, &mut group.sums);
        });
        let Self { threads, plan, groups, sums, workers, .. } = self;
        let isa = plan.isa();
        let mut chunks: Vec<_> = sums.chunks_mut(CHUNK).collect();
        threads.for_each(&mut chunks, |_, chunk, sum| {
            sum.fill(0.0);
            for group in &*groups {
                adam::add(isa, &group.sums[chunk * CHUNK..][..sum.len()], sum);
            }
        });
        // Any plan that is prepared for these parameters.
        let worker = workers.iter_mut().filter_map(|worker| worker.get_mut().ok()?.as_ref());
        let worker = worker.max_by_key(|worker| worker.prepared).expect("a thread was at work");
        worker.plan.finish_gradient(parameters, sums, gradient);
        loss
    }

    /// The mean loss per pixel of a batch for these parameters.
    pub(super) fn loss(&mut self, parameters: &[f32], batch: &Batch<'_>) -> f64 {
        self.run(parameters, batch, |_, _| ())
    }

    /// Forward pass and loss of every image, then `then` for it.
    fn run(
        &mut self,
        parameters: &[f32],
        batch: &Batch<'_>,
        then: impl Fn(&mut Worker, &mut Group) + Sync,
    ) -> f64 {
        let Batch { samples, images, noise, stream } = *batch;
        assert!(!images.is_empty(), "the mean loss of no images");
        let size = images.len().div_ceil(MOST_GROUPS).max(SMALLEST_GROUP);
        self.prepared += 1;
        let Self { threads, plan, prepared, workers, groups, .. } = self;
        groups.resize_with(images.len().div_ceil(size), Group::default);
        threads.for_each(groups, |thread, index, group| {
            group.sums.fill(0.0);
            group.loss = 0.0;
            let mut worker = workers[thread].lock().expect("no thread panics while it holds the lock");
            let worker = worker.get_or_insert_with(|| Worker {
                workspace: plan.workspace(),
                clean: vec![0.0; plan.shape().len()],
                noisy: vec![0.0; plan.shape().len()],
                plan: plan.clone(),
                prepared: 0,
            });
            if worker.prepared != *prepared {
                worker.plan.set_parameters(parameters);
                worker.prepared = *prepared;
            }
            for &image in images.chunks(size).nth(index).expect("there is a group for each chunk") {
                let Worker { plan, workspace, clean, noisy, .. } = worker;
                let image = image as usize;
                samples.read(image, clean);
                noise.corrupt(plan.isa(), stream(image), clean, noisy);
                workspace.set_input(noisy);
                plan.forward(workspace);
                group.loss += plan.loss(workspace, clean);
                then(worker, group);
            }
        });
        let sum: f64 = groups.iter().map(|group| group.loss).sum();
        sum / (images.len() * plan.shape().len()) as f64
    }
}
