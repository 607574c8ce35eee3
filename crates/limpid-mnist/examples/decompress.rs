//! How long the training images take to decompress: `cargo run --release -p limpid-mnist --example decompress`.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

use std::time::Instant;

fn main() {
    for _ in 0..5 {
        let start = Instant::now();
        let bytes = limpid_mnist::train_images();
        println!("{} bytes in {:.0} ms", bytes.len(), start.elapsed().as_secs_f64() * 1e3);
    }
}
