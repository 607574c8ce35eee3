//! How many threads work, and the pool in which they do.

use std::sync::Mutex;

use crate::{Error, Result};

/// Threads that share work whose result does not depend on their number.
#[derive(Debug)]
pub struct Threads {
    /// All but the calling thread, which works too: to hand everything over and to be woken when it is done would cost as much as
    /// a few images. None for a single thread: nothing is started where nothing is shared (or where, as in a browser, nothing can
    /// be).
    others: Option<rayon::ThreadPool>,
}

impl Threads {
    /// The largest number that can be asked for.
    pub const MOST: usize = 1024;

    /// `count` threads; 0 for one per processor.
    ///
    /// # Errors
    /// If `count` is above [`Threads::MOST`] or the system refuses to start so many.
    pub fn new(count: usize) -> Result<Self> {
        let count = match count {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(Self::MOST),
            count => count,
        };
        if count > Self::MOST {
            return Err(Error::invalid(
                format!("{count} threads"),
                format!("at most {}; leave it out to use one per processor", Self::MOST),
            ));
        }
        if count == 1 {
            return Ok(Self { others: None });
        }
        let others = rayon::ThreadPoolBuilder::new().num_threads(count - 1).build().map_err(|error| {
            Error::invalid(format!("{count} threads"), format!("cannot be started ({error}); try fewer"))
        })?;
        Ok(Self { others: Some(others) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        1 + self.others.as_ref().map_or(0, rayon::ThreadPool::current_num_threads)
    }

    /// Calls `work(thread, index, item)` for every item, on any thread and in any order; threads are numbered from 0, the caller's,
    /// and one does nothing else while it works on an item.
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, usize, &mut T) + Sync) {
        let threads = self.count().min(items.len());
        let queue = Mutex::new(items.iter_mut().enumerate());
        let next = || queue.lock().expect("no thread panics while it holds the lock").next();
        let run = |thread| {
            while let Some((index, item)) = next() {
                work(thread, index, item);
            }
        };
        match &self.others {
            Some(others) if threads > 1 => others.in_place_scope(|scope| {
                for thread in 1..threads {
                    let run = &run;
                    scope.spawn(move |_| run(thread));
                }
                run(0);
            }),
            _ => run(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_visited_once_on_any_number_of_threads() {
        for count in [1, 2, 3, 8] {
            let threads = Threads::new(count).unwrap();
            assert_eq!(threads.count(), count);
            let mut items = vec![0; 1000];
            threads.for_each(&mut items, |thread, index, item| {
                assert!(thread < count);
                *item += index;
            });
            assert!(items.iter().enumerate().all(|(index, &item)| item == index));
        }
    }

    #[test]
    fn too_many_threads_are_refused() {
        let message = Threads::new(1_000_000).unwrap_err().to_string();
        assert_eq!(message, "1000000 threads: at most 1024; leave it out to use one per processor");
    }
}
