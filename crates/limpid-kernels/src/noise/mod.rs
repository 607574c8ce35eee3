//! Random numbers that depend on a key and a counter only, so that any thread may draw any part in any order: uniform,
//! normal and Poisson distributed.
//!
//! No fused multiply-add and no function of the system's mathematical library is used, so a key gives the same bits on
//! every machine.

mod normal;
mod philox;
mod poisson;
mod uniform;

pub use normal::{normal, normal_from};
pub use poisson::{LARGEST_MEAN, poisson_from};
pub use uniform::{uniform, uniform_from};

use philox::philox4x32;

/// Counters side by side.
const BLOCKS: usize = 16;
/// Values that are drawn together. Where a draw begins further on in a stream, it begins at a multiple of this.
pub const CHUNK: usize = 4 * BLOCKS;

/// Names one stream of random numbers: streams that differ in any field are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// The seed of the run.
    pub seed: u64,
    /// What is drawn for: which image, say.
    pub index: u32,
    /// Which time it is drawn: the epoch, say.
    pub draw: u32,
    /// What the numbers are used for, where one image needs several kinds.
    pub purpose: u32,
}

impl Stream {
    /// The key of the generator.
    #[inline(always)]
    fn key(self) -> [u32; 2] {
        [self.seed as u32, (self.seed >> 32) as u32]
    }

    /// The random words of chunk `chunk`, the first of all counters, then the second...
    #[inline(always)]
    fn words(self, chunk: usize) -> [[u32; BLOCKS]; 4] {
        let mut words = [[0; BLOCKS]; 4];
        for block in 0..BLOCKS {
            let counter = [(chunk * BLOCKS + block) as u32, self.index, self.draw, self.purpose];
            let four = philox4x32(counter, self.key());
            for (word, value) in words.iter_mut().zip(four) {
                word[block] = value;
            }
        }
        words
    }
}

/// The chunk in which the value number `first` of a stream is the first.
fn chunk_at(first: usize) -> usize {
    assert!(first.is_multiple_of(CHUNK), "a draw begins at a multiple of {CHUNK} values, not at {first}");
    first / CHUNK
}

/// The 24 high bits of a word as a number in `[0, 1)`.
#[inline(always)]
fn unit(word: u32) -> f32 {
    (word >> 8) as i32 as f32 * (1.0 / 16_777_216.0)
}
