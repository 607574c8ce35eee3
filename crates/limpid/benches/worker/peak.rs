//! The machine's limit: multiply-accumulates on all threads at once.

use std::error::Error;
use std::time::{Duration, Instant};

use limpid::net::plan::{self, Isa};
use limpid::threads::Threads;
use limpid_kernels::peak::multiply_accumulates;
use serde_json::{Value, json};

use crate::Work;

/// Long enough that starting the threads does not count, about 4 ms.
const STEPS: usize = 1 << 20;

/// The same loop on every thread.
pub(crate) struct Peak {
    isa: Isa,
    threads: Threads,
}

impl Peak {
    pub(crate) fn new(threads: usize) -> Result<Self, Box<dyn Error>> {
        Ok(Self { isa: plan::isa()?, threads: Threads::new(threads)? })
    }

    /// Of one call.
    fn macs(&self) -> u64 {
        let mut counts = vec![0; self.threads.count()];
        self.threads.for_each(&mut counts, |_, _, count| *count = multiply_accumulates(self.isa, STEPS));
        counts.iter().sum()
    }
}

impl Work for Peak {
    fn about(&self) -> Value {
        json!({ "isa": self.isa.name(), "threads": self.threads.count(), "macs": self.macs() })
    }

    fn work(&mut self) -> Result<Duration, Box<dyn Error>> {
        let start = Instant::now();
        self.macs();
        Ok(start.elapsed())
    }
}
