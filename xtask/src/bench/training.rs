//! Steps of training: beside the peers, on fewer threads, with other batch sizes, and how soon the first is done.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Bench;
use super::contenders::{self, LIMPID, LIMPID_AVX2, Settings, limpid_on, peak};
use super::rounds::{self, Contender, Plan, Results};
use super::series::Series;

/// Images per step, where nothing else is said.
pub(crate) const BATCH_SIZE: usize = 64;

/// Batches of 64: the peers, limpid on all threads and on fewer, with the best instruction set and with AVX2, and the peaks
/// of what limpid used.
pub(super) fn steps(bench: &Bench, settings: &Settings) -> Result<Results> {
    let best = bench.isas.last().map_or("", String::as_str);
    let mut contenders = contenders::training_peers(bench, settings);
    let mut peaks = BTreeSet::new();
    let mut ours = |name: String, isa: &str, threads: usize| {
        peaks.insert((isa.to_owned(), threads));
        train(bench, name, BATCH_SIZE, threads, Some(isa))
    };
    contenders.push(ours(LIMPID.to_owned(), best, bench.cores));
    if best != "avx2" && bench.isas.iter().any(|isa| isa == "avx2") {
        contenders.push(ours(LIMPID_AVX2.to_owned(), "avx2", bench.cores));
    }
    for threads in fewer(bench.cores) {
        contenders.push(ours(limpid_on(threads), best, threads));
    }
    contenders.extend(peaks.iter().map(|(isa, threads)| Contender {
        name: peak(isa, *threads as u64),
        command: bench.ours.worker(&["peak", &threads.to_string()], Some(isa)),
    }));
    rounds::run("training, batches of 64", contenders, bench.plan, &bench.logs())
}

/// 1, 2, 4... below the number of cores.
fn fewer(cores: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(1), |threads| Some(threads * 2)).take_while(move |threads| *threads < cores)
}

/// Batches of 1 to 1024 images; a contender's name is their number.
pub(super) fn batch_sizes(bench: &Bench) -> Result<Results> {
    let contenders =
        (0..=10).map(|power| train(bench, (1 << power).to_string(), 1 << power, 0, None)).collect();
    let plan = Plan { seconds: bench.plan.seconds / 2.0, ..bench.plan };
    rounds::run("training, by images per step", contenders, plan, &bench.logs())
}

/// Seconds until the first step is done.
pub(super) fn starts(bench: &Bench, settings: &Settings) -> Result<Vec<(String, Series)>> {
    let mut contenders = contenders::training_peers(bench, settings);
    contenders.push(train(bench, LIMPID.to_owned(), BATCH_SIZE, 0, None));
    rounds::starts(&mut contenders, bench.plan.rounds.min(3), &bench.logs())
}

fn train(bench: &Bench, name: String, batch_size: usize, threads: usize, isa: Option<&str>) -> Contender {
    let arguments = ["train", &batch_size.to_string(), &threads.to_string()];
    Contender { name, command: bench.ours.worker(&arguments, isa) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_double_up_to_the_cores() {
        assert_eq!(fewer(1).count(), 0);
        assert_eq!(fewer(2).collect::<Vec<_>>(), [1]);
        assert_eq!(fewer(12).collect::<Vec<_>>(), [1, 2, 4, 8]);
    }
}
