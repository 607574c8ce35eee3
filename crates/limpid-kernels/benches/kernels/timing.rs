//! Times a kernel and the machine's peak in turns, and prints a line.

use std::time::{Duration, Instant};

use limpid_kernels::Isa;
use limpid_kernels::peak::multiply_accumulates;

/// Pairs of a kernel's and the peak's time. What disturbs a core only ever makes it slower, so of each the fastest tenth is
/// told.
const PAIRS: usize = 50;
/// Of each of a pair: shorter than what a busy system gives a process at a time.
const LENGTH: Duration = Duration::from_millis(1);
/// About a tenth of a millisecond.
const PEAK_STEPS: usize = 30_000;

/// The benchmarks that were asked for.
pub(crate) struct Bench {
    words: Vec<String>,
}

impl Bench {
    /// Those with all `words` in their names.
    pub(crate) fn new(words: Vec<String>) -> Self {
        println!(
            "{:<8}{:<18}{:<10}{:>11}{:>11}{:>15}",
            "isa", "kernel", "layer", "us/image", "GFLOP/s", "share of peak"
        );
        Self { words }
    }

    /// A kernel that executes so many multiply-accumulates per call.
    pub(crate) fn macs(&self, isa: Isa, kernel: &str, layer: &str, macs: u64, mut call: impl FnMut()) {
        let Some(name) = self.name(isa, kernel, layer) else { return };
        let flop = 2.0 * macs as f64;
        let peak_flop = 2.0 * multiply_accumulates(isa, PEAK_STEPS) as f64;
        let pairs = (0..PAIRS)
            .map(|_| (seconds(&mut call), seconds(&mut || _ = multiply_accumulates(isa, PEAK_STEPS))));
        let (times, peak_times) = pairs.unzip();
        let (seconds, peak_seconds) = (fast(times), fast(peak_times));
        let (speed, peak) = (flop / seconds, peak_flop / peak_seconds);
        println!("{name}{:>11.2}{:>11.1}{:>13.0} %", 1e6 * seconds, 1e-9 * speed, 100.0 * speed / peak);
    }

    /// A kernel that reads so many values per call.
    pub(crate) fn values(&self, isa: Isa, kernel: &str, layer: &str, values: usize, mut call: impl FnMut()) {
        let Some(name) = self.name(isa, kernel, layer) else { return };
        let seconds = fast((0..PAIRS).map(|_| seconds(&mut call)).collect());
        println!(
            "{name}{:>11.2}{:>26}",
            1e6 * seconds,
            format!("{:.1} G values/s", 1e-9 * values as f64 / seconds)
        );
    }

    /// The beginning of a line, unless it was not asked for.
    fn name(&self, isa: Isa, kernel: &str, layer: &str) -> Option<String> {
        let name = format!("{:<8}{kernel:<18}{layer:<10}", isa.name());
        self.words.iter().all(|word| name.contains(word.as_str())).then_some(name)
    }
}

/// Of one call: the mean of as many as take [`LENGTH`].
fn seconds(call: &mut dyn FnMut()) -> f64 {
    let (start, mut calls) = (Instant::now(), 0);
    while start.elapsed() < LENGTH {
        call();
        calls += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(calls)
}

/// The slowest of the fastest tenth.
fn fast(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}
