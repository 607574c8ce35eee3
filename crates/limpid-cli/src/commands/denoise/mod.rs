//! `limpid denoise`: the noise out of people's own pictures.
//!
//! `jobs` says which picture goes where; `picture` takes one from its file to its file, band by band (`bands`), tile by tile
//! through the network (`limpid::denoise`). Small files are done side by side, large ones with all threads.

mod args;
mod bands;
mod jobs;
mod measure;
mod picture;
mod progress;
mod warnings;

use std::fmt;
use std::io::{IsTerminal, Write, stdout};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::bail;
use limpid::number::{grouped, psnr};
use limpid::threads::Threads;

use crate::model;
pub(crate) use args::Args;
use args::is_stream;
use bands::Work;
use jobs::{Job, Jobs};
use measure::Figures;
use picture::{Denoiser, Outcome};
use progress::Progress;
use warnings::Warnings;

/// Files of more bytes than this are done one after the other, each with all threads; smaller ones side by side.
const LARGE_FILE: u64 = 2_000_000;

/// Not everything was done; each problem has been printed.
#[derive(Debug)]
pub(crate) struct Incomplete {
    done: usize,
    failed: usize,
    interrupted: bool,
}

impl Incomplete {
    /// 1 if some pictures were denoised, 2 if none was, 130 after Ctrl-C.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self { interrupted: true, .. } => 130,
            Self { done: 0, .. } => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, failed, interrupted } = self;
        if *interrupted {
            return write!(
                f,
                "interrupted; {} whole, --resume does the others",
                pictures(*done, "is", "are")
            );
        }
        write!(f, "{} not denoised", pictures(*failed, "was", "were"))
    }
}

impl std::error::Error for Incomplete {}

fn pictures(count: usize, one: &str, many: &str) -> String {
    let (noun, verb) = if count == 1 { ("picture", one) } else { ("pictures", many) };
    format!("{} {noun} {verb}", grouped(count as u64))
}

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Denoises.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let to_stream = args.output.as_deref().is_some_and(is_stream);
    if to_stream && stdout().is_terminal() {
        bail!(limpid::Error::invalid("-o -", "standard output is a terminal; redirect it, or name a file"));
    }
    let (model, _) = model::load(args.model.as_deref())?;
    let Jobs { jobs, problems, done_before, others, is_folder } = Jobs::find(args)?;
    if is_folder && jobs.is_empty() && problems.is_empty() && done_before == 0 {
        let problem = format!("holds no pictures ({} other files)", grouped(others as u64));
        bail!(limpid::Error::data(&args.input, problem));
    }

    let threads = Threads::new(args.threads)?;
    let (large, small): (Vec<_>, Vec<_>) =
        jobs.iter().partition(|job| jobs.len() == 1 || job.length > LARGE_FILE);
    let progress = Progress::new(jobs.len(), args.quiet);
    let run = Run::new(args, &progress)?;
    for (name, problem) in &problems {
        run.fail(format_args!("{name}: {problem}"));
    }
    // Of the memory, a quarter is for what goes through the network, a quarter for rows, half for pictures that are held.
    let share = args.max_memory / 4;
    let tile = match args.tile {
        0 => {
            limpid::denoise::Denoiser::tile_within(&model.net, threads.count(), share)?.ok_or_else(|| {
                let problem = format!(
                    "too little for the smallest tile on {} threads; allow more, or use fewer",
                    threads.count()
                );
                limpid::Error::invalid("--max-memory", problem)
            })?
        }
        tile => tile,
    };
    let network = limpid::denoise::Denoiser::new(model.clone(), tile)?;
    let work = |threads, parallel: u64| Denoiser {
        args,
        work: Work {
            denoiser: &network,
            threads,
            color: args.color,
            invert: args.invert,
            memory: share / parallel,
        },
        memory: 2 * share / parallel,
    };
    let single = Threads::new(1)?;
    side_by_side(threads.count().min(small.len()), small.len(), |index| {
        run.one(&work(&single, threads.count() as u64), small[index]);
    });
    for job in large {
        run.one(&work(&threads, 1), job);
    }
    progress.finish();
    run.end(out, jobs.len() > 1, done_before, others)
}

/// Calls `work` with each number below `count`, on so many threads.
fn side_by_side(threads: usize, count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count || INTERRUPTED.load(Ordering::Relaxed) {
                        break;
                    }
                    work(index);
                }
            });
        }
    });
}

/// What has come of the pictures so far.
struct Run<'a> {
    args: &'a Args,
    progress: &'a Progress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: usize,
    failed: usize,
    warnings: Warnings,
    figures: Vec<(String, Figures)>,
    /// The picture for standard output.
    bytes: Vec<u8>,
}

impl<'a> Run<'a> {
    fn new(args: &'a Args, progress: &'a Progress) -> anyhow::Result<Self> {
        ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        })?;
        Ok(Self { args, progress, state: Mutex::default() })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the lock")
    }

    fn fail(&self, problem: impl fmt::Display) {
        self.state().failed += 1;
        self.progress.line(format_args!("error: {problem}"));
    }

    /// Denoises one picture and takes note of what came of it.
    fn one(&self, denoiser: &Denoiser<'_>, job: &Job) {
        if INTERRUPTED.load(Ordering::Relaxed) {
            return;
        }
        let go_on = |rows| {
            self.progress.rows(rows);
            if INTERRUPTED.load(Ordering::Relaxed) {
                let interrupted = std::io::Error::from(std::io::ErrorKind::Interrupted);
                return Err(limpid::Error::io("finish", job.name.as_ref(), interrupted));
            }
            Ok(())
        };
        let mut bytes = Vec::new();
        match denoiser.run(job, &mut bytes, &|rows| self.progress.start(rows), &go_on) {
            Ok(Outcome { header, sample, figures }) => {
                let found = warnings::look(self.args, denoiser.work.denoiser.model(), &header, &sample);
                let mut state = self.state();
                state.warnings.add(&job.name, found);
                state.figures.extend(figures.map(|figures| (job.name.clone(), figures)));
                state.done += 1;
                state.bytes.append(&mut bytes);
            }
            Err(_) if INTERRUPTED.load(Ordering::Relaxed) => {}
            Err(error) => self.fail(error),
        }
        self.progress.picture();
    }

    /// Says what came of everything.
    fn end(self, out: &mut dyn Write, many: bool, done_before: usize, others: usize) -> anyhow::Result<()> {
        let state = self.state.into_inner().expect("no thread panics while it holds the lock");
        let State { done, failed, warnings, mut figures, bytes } = state;
        out.write_all(&bytes)?;
        if !self.args.quiet {
            for line in warnings.lines() {
                self.progress.line(format_args!("warning: {line}"));
            }
        }
        figures.sort_by(|a, b| a.0.cmp(&b.0));
        // Where the picture is on standard output, nothing else is.
        let to_stream = self.args.output.as_deref().is_some_and(is_stream);
        if to_stream {
            let mut lines = Vec::new();
            write_figures(&mut lines, &figures)?;
            String::from_utf8_lossy(&lines).lines().for_each(|line| self.progress.line(line));
        } else {
            write_figures(out, &figures)?;
        }
        if !self.args.quiet && !to_stream && (many || done_before > 0) {
            write!(out, "{} denoised", pictures(done, "was", "were"))?;
            if done_before > 0 {
                write!(out, ", {} done before", grouped(done_before as u64))?;
            }
            if failed > 0 {
                write!(out, ", {} failed", grouped(failed as u64))?;
            }
            if others > 0 {
                write!(out, "; files that are no pictures: {}", grouped(others as u64))?;
            }
            writeln!(out)?;
        }
        let interrupted = INTERRUPTED.load(Ordering::Relaxed);
        if interrupted || failed > 0 {
            bail!(Incomplete { done: done + done_before, failed, interrupted });
        }
        Ok(())
    }
}

/// A line for each picture, and one for their means.
fn write_figures(out: &mut dyn Write, figures: &[(String, Figures)]) -> std::io::Result<()> {
    let mut line = |name: &str, Figures { psnr: [before, after], ssim }: &Figures| {
        let (before, after) = (psnr(*before), psnr(*after));
        writeln!(out, "{name}: PSNR {before} -> {after} dB, SSIM {:.4} -> {:.4}", ssim[0], ssim[1])
    };
    for (name, figures) in figures {
        line(name, figures)?;
    }
    if figures.len() > 1 {
        let mean = |of: &dyn Fn(&Figures) -> f64| {
            figures.iter().map(|(_, figures)| of(figures)).sum::<f64>() / figures.len() as f64
        };
        let pair =
            |of: fn(&Figures) -> [f64; 2]| [mean(&|figures| of(figures)[0]), mean(&|figures| of(figures)[1])];
        line("mean", &Figures { psnr: pair(|figures| figures.psnr), ssim: pair(|figures| figures.ssim) })?;
    }
    Ok(())
}
