//! The noise on an image depends on its stream alone: not on who draws it, nor in which order.

use limpid::net::plan::{self, Isa};
use limpid::noise::{Noise, Purpose, Stream, test_stream};
use limpid::threads::Threads;

const PIXELS: usize = 28 * 28;

/// Every kind, in ranges and after each other.
const KINDS: [&str; 7] = [
    "gaussian:0.5",
    "salt-pepper:0.1..0.3",
    "masking:0.25",
    "speckle:0.5",
    "poisson:5..300",
    "uniform:0.3",
    "gaussian:0.1..0.5+poisson:50+salt-pepper:0.02",
];

fn corrupted(noise: &str, isa: Isa, stream: Stream) -> Vec<f32> {
    let clean: Vec<f32> = (0..PIXELS).map(|i| (i % 29) as f32 / 28.0).collect();
    let mut noisy = vec![f32::NAN; PIXELS];
    noise.parse::<Noise>().unwrap().corrupt(isa, stream, &clean, &mut noisy);
    noisy
}

fn noisy(isa: Isa, stream: Stream) -> Vec<f32> {
    KINDS.iter().flat_map(|noise| corrupted(noise, isa, stream)).collect()
}

#[test]
fn the_same_seed_gives_the_same_images_on_any_number_of_threads() {
    let isa = plan::isa().unwrap();
    for of in [test_stream as fn(usize) -> Stream, |index| Stream {
        seed: 5,
        index: index as u32,
        draw: 3,
        purpose: Purpose::Training as u32,
    }] {
        let mut backwards: Vec<Vec<f32>> = (0..200).rev().map(|index| noisy(isa, of(index))).collect();
        backwards.reverse();
        for threads in [1, 2, 3, 8] {
            let mut images = vec![Vec::new(); 200];
            Threads::new(threads)
                .unwrap()
                .for_each(&mut images, |_, index, image| *image = noisy(isa, of(index)));
            assert!(images == backwards, "{threads} threads");
        }
        for (index, image) in backwards.iter().enumerate() {
            assert!(image.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
            assert!(
                index == 0 || image != &backwards[index - 1],
                "image {index} has the noise of its neighbour"
            );
        }
    }
}

/// `clean + factor * noise` is two roundings everywhere, so runs on different CPUs see the same images.
#[test]
fn every_instruction_set_makes_the_same_images() {
    for isa in Isa::available() {
        assert_eq!(noisy(isa, test_stream(3)), noisy(Isa::SCALAR, test_stream(3)), "{isa}");
    }
}

/// A seed that is written down somewhere means these numbers, in every later version. The pixels are numbers 10 to 13 of test
/// image 3, whose clean values are 10/28 to 13/28.
#[test]
fn seeds_keep_their_meaning() {
    let bits = |noise: &str| -> [f32; 4] {
        corrupted(noise, Isa::SCALAR, test_stream(3))[10..14].try_into().unwrap()
    };
    let expected: [[f32; 4]; 7] = [
        [0.5092211, 0.21954139, 0.9797121, 0.12575316],
        [1.0, 1.0, 0.0, 0.4642857],
        [0.35714287, 0.39285713, 0.0, 0.4642857],
        [0.4114565, 0.3247688, 0.6647746, 0.3071099],
        [0.45049405, 0.51232654, 0.3179958, 0.52115977],
        [0.6089034, 0.6566807, 0.17103255, 0.6351213],
        [0.32, 0.22, 0.68, 0.32],
    ];
    for (noise, expected) in KINDS.iter().zip(expected) {
        assert_eq!(bits(noise), expected, "{noise}");
    }
}
