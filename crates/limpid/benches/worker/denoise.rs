//! Denoising: many small images, or one large one.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use limpid::denoise::Autoencoder;
use limpid::net::plan::{Plan, Workspace};
use limpid::threads::Threads;
use serde_json::{Value, json};

use crate::Work;

/// Images that one thread takes at a time.
const GROUP: usize = 16;

/// A trained network on the images of a file.
pub(crate) struct Denoise {
    plan: Plan,
    threads: Threads,
    idle: Mutex<Vec<Workspace>>,
    /// Of an image.
    macs: u64,
    noisy: Vec<f32>,
    denoised: Vec<f32>,
}

impl Denoise {
    /// Reads the model, and `NAME.f32`: f32 in native byte order, of square images. What the first call makes of them goes
    /// to `NAME.limpid.f32`.
    pub(crate) fn new(
        model: &Path,
        directory: &Path,
        name: &str,
        threads: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let model = Autoencoder::load(model)?;
        let bytes = fs::read(directory.join(format!("{name}.f32")))?;
        let noisy: Vec<f32> =
            bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect();
        let side = if name == "batch" { 28 } else { noisy.len().isqrt() };
        let plan = model.plan((side, side))?;
        let macs = plan.explain(&model.net).steps.iter().map(|step| step.macs).sum();
        let denoised = vec![0.0; noisy.len()];
        let threads = Threads::new(threads)?;
        let mut this = Self { plan, threads, idle: Mutex::default(), macs, noisy, denoised };
        this.run();
        let bytes: Vec<u8> = this.denoised.iter().flat_map(|pixel| pixel.to_ne_bytes()).collect();
        fs::write(directory.join(format!("{name}.limpid.f32")), bytes)?;
        Ok(this)
    }

    fn run(&mut self) {
        let (plan, threads, idle) = (&self.plan, &self.threads, &self.idle);
        let len = plan.shape().len();
        let lock = || idle.lock().expect("no thread panics while it holds the lock");
        let mut groups: Vec<_> =
            self.noisy.chunks(GROUP * len).zip(self.denoised.chunks_mut(GROUP * len)).collect();
        threads.for_each(&mut groups, |_, _, (noisy, denoised)| {
            let mut workspace = { lock().pop() }.unwrap_or_else(|| plan.workspace());
            for (noisy, denoised) in noisy.chunks(len).zip(denoised.chunks_mut(len)) {
                workspace.set_input(noisy);
                plan.forward(&mut workspace);
                plan.reconstruction(&workspace, denoised);
            }
            lock().push(workspace);
        });
    }
}

impl Work for Denoise {
    fn about(&self) -> Value {
        let images = self.noisy.len() / self.plan.shape().len();
        json!({
            "isa": self.plan.isa().name(),
            "threads": self.threads.count(),
            "macs_forward": self.macs,
            "images": images,
        })
    }

    fn work(&mut self) -> Result<Duration, Box<dyn Error>> {
        let start = Instant::now();
        self.run();
        Ok(start.elapsed())
    }
}
