//! limpid's side of `cargo xtask bench`: a program that works when asked and says how long it took.
//!
//!     worker train BATCH_SIZE THREADS
//!     worker denoise MODEL DIRECTORY (batch|picture) THREADS
//!     worker peak THREADS
//!
//! It says one line of JSON once its first step is done, then answers every line `{"seconds": s}` on standard input with one
//! of its own, until that ends. Between requests it does nothing, so that workers can take turns on one machine. The
//! workers of other systems, in `tools/bench`, do the same.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to another")]

mod denoise;
mod peak;
mod train;

use std::error::Error;
use std::io::{self, BufRead};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Work that is measured, one call at a time.
trait Work {
    /// What there is to know of it, once the first call is done.
    fn about(&self) -> Value;

    /// Does one unit of it, and tells how long that took.
    fn work(&mut self) -> Result<Duration, Box<dyn Error>>;

    /// The loss of the last unit, if it has one.
    fn loss(&self) -> Option<f64> {
        None
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut work: Box<dyn Work> = match words[..] {
        ["train", batch_size, threads] => Box::new(train::Train::new(batch_size.parse()?, threads.parse()?)?),
        ["denoise", model, directory, name, threads] => {
            Box::new(denoise::Denoise::new(model.as_ref(), directory.as_ref(), name, threads.parse()?)?)
        }
        ["peak", threads] => Box::new(peak::Peak::new(threads.parse()?)?),
        _ => {
            eprintln!(
                "The steps of training and denoising are measured by `cargo xtask bench`, which runs this program."
            );
            return Ok(());
        }
    };
    work.work()?;
    println!("{}", work.about());
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let seconds = request["seconds"].as_f64().ok_or("a request has a number `seconds`")?;
        println!("{}", turn(&mut *work, Duration::from_secs_f64(seconds))?);
    }
    Ok(())
}

/// Milliseconds of each unit of work, as many as fit into `length`, two at least; and the last loss.
fn turn(work: &mut dyn Work, length: Duration) -> Result<Value, Box<dyn Error>> {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < 2 || start.elapsed() < length {
        times.push(1e3 * work.work()?.as_secs_f64());
    }
    Ok(json!({ "ms": times, "loss": work.loss() }))
}
