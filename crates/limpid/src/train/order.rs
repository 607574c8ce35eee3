//! The order in which an epoch visits the training images.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A permutation of `0..len` for one epoch. It depends on nothing but the arguments, so a run can be continued in the
/// middle without having kept a generator's state.
pub(crate) fn shuffled(seed: u64, epoch: u32, len: usize) -> Vec<u32> {
    let mut key = *b"________ limpid order of images ";
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(key);
    random.set_stream(u64::from(epoch));
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.shuffle(&mut random);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_visits_every_image_once_in_an_order_of_its_own() {
        let first = shuffled(1, 1, 1000);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert_eq!(shuffled(1, 1, 1000), first);
        for (seed, epoch) in [(1, 2), (2, 1)] {
            let other = shuffled(seed, epoch, 1000);
            let same = first.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!(same < 10, "{same} of 1000 images stand at the same place");
        }
    }

    #[test]
    fn the_order_stays_what_it_was() {
        // A dependency that changed its way of shuffling would break the continuation of old runs.
        assert_eq!(shuffled(7, 3, 8), [2, 3, 1, 7, 6, 4, 5, 0]);
    }
}
