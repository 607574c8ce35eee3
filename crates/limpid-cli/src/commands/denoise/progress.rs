//! What is printed while pictures are denoised: a bar, and lines that must not be overwritten by it.

use std::fmt;
use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Prints to standard error.
pub(super) struct Progress {
    bar: ProgressBar,
    /// There is but one picture, whose rows are counted.
    is_single: bool,
}

impl Progress {
    /// For so many pictures.
    pub(super) fn new(pictures: usize, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(pictures as u64), target);
        let is_single = pictures == 1;
        let template = if is_single {
            "{bar:24.cyan/dim} {percent:>3} %  {eta} left"
        } else {
            "{bar:24.cyan/dim} {pos}/{len} pictures  {eta} left"
        };
        let style = ProgressStyle::with_template(template).expect("the templates are constants");
        bar.set_style(style.progress_chars("━╸─"));
        Self { bar, is_single }
    }

    /// A picture of so many rows is begun.
    pub(super) fn start(&self, rows: usize) {
        if self.is_single {
            self.bar.set_length(rows as u64);
        }
    }

    /// So many more of its rows are done.
    pub(super) fn rows(&self, rows: usize) {
        if self.is_single {
            self.bar.inc(rows as u64);
        }
    }

    /// A picture is done or has failed.
    pub(super) fn picture(&self) {
        if !self.is_single {
            self.bar.inc(1);
        }
    }

    /// Prints a line above the bar.
    pub(super) fn line(&self, line: impl fmt::Display) {
        self.bar.suspend(|| {
            // If nobody can read it, the exit code still tells.
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// Nothing more comes.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
