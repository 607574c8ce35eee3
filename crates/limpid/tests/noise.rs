//! The noise on an image depends on its stream alone: not on who draws it, nor in which order.

use limpid::net::plan::{self, Isa};
use limpid::noise::{Noise, Purpose, Stream, test_stream};
use limpid::threads::Threads;

const PIXELS: usize = 28 * 28;

fn noisy(isa: Isa, stream: Stream) -> Vec<f32> {
    let clean: Vec<f32> = (0..PIXELS).map(|i| (i % 29) as f32 / 28.0).collect();
    let mut noisy = vec![f32::NAN; PIXELS];
    Noise::default().corrupt(isa, stream, &clean, &mut noisy);
    noisy
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
