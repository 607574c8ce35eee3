//! Which picture goes where.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use limpid::Error;
use limpid::image::file::Format;
use walkdir::{DirEntry, WalkDir};

use super::args::{Args, is_stream};
use crate::values::shown;

/// A picture to denoise.
pub(super) struct Job {
    pub(super) input: PathBuf,
    /// None where only figures are wanted.
    pub(super) output: Option<PathBuf>,
    /// Its clean twin.
    pub(super) clean: Option<PathBuf>,
    /// What to call it: its path, in which no character can disturb a terminal.
    pub(super) name: String,
    /// The length of its file.
    pub(super) length: u64,
}

/// All that is to be done.
#[derive(Default)]
pub(super) struct Jobs {
    pub(super) jobs: Vec<Job>,
    /// Why something is not done: its name, and what is wrong.
    pub(super) problems: Vec<(String, String)>,
    /// Pictures whose output exists, with `--resume`.
    pub(super) done_before: usize,
    /// Files with other endings than those of pictures.
    pub(super) others: usize,
    pub(super) is_folder: bool,
}

impl Jobs {
    /// Looks at what there is; writes nothing.
    pub(super) fn find(args: &Args) -> anyhow::Result<Self> {
        let input = &args.input;
        if is_stream(input) {
            let output = args.output.clone().filter(|output| !is_stream(output));
            let clean = args.compare.clone();
            let mut jobs = Self::default();
            let name = "standard input".to_owned();
            jobs.add(args, Job { input: input.clone(), output, clean, name, length: 0 }, &HashSet::new());
            return Ok(jobs);
        }
        let metadata = fs::metadata(input).map_err(|error| Error::io("read", input, error))?;
        if metadata.is_dir() { Self::folder(args) } else { Ok(Self::file(args, metadata.len())) }
    }

    fn file(args: &Args, length: u64) -> Self {
        let input = args.input.clone();
        let mut output = args.output.clone().filter(|output| !is_stream(output));
        if let Some(folder) = output.as_mut().filter(|output| output.is_dir()) {
            folder.push(input.file_name().unwrap_or_default());
            rename(folder, args.format);
        }
        let inputs = fs::canonicalize(&input).into_iter().collect();
        let mut jobs = Self::default();
        jobs.add(
            args,
            Job { name: shown(&input), output, clean: args.compare.clone(), input, length },
            &inputs,
        );
        jobs
    }

    fn folder(args: &Args) -> anyhow::Result<Self> {
        let folder = &args.input;
        if let Some(output) = &args.output {
            if is_stream(output) {
                bail!(Error::invalid(
                    "-o -",
                    "standard output takes one picture, not those of a folder; name a folder"
                ));
            }
            if output.exists() && !output.is_dir() {
                bail!(Error::data(output, "exists and is no folder, but the input is one"));
            }
        }
        if let Some(clean) = args.compare.as_ref().filter(|clean| !clean.is_dir()) {
            bail!(Error::data(clean, "is no folder, but the input is one"));
        }
        // Where the output lies within the input, it is not denoised again.
        let output_within = args.output.as_ref().and_then(|output| fs::canonicalize(output).ok());
        let output_within =
            output_within.filter(|output| fs::canonicalize(folder).is_ok_and(|input| input != *output));
        let enter = |entry: &DirEntry| {
            !(entry.file_type().is_dir()
                && output_within
                    .as_ref()
                    .is_some_and(|output| fs::canonicalize(entry.path()).is_ok_and(|path| path == *output)))
        };
        let mut jobs = Self { is_folder: true, ..Self::default() };
        let mut found = Vec::new();
        for entry in
            WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(enter)
        {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if Format::of_name(entry.path()).is_none() => jobs.others += 1,
                Ok(entry) => found.push(entry),
                Err(error) => jobs.problem_with_entry(folder, &error),
            }
        }
        let inputs = found.iter().filter_map(|entry| fs::canonicalize(entry.path()).ok()).collect();
        for entry in found {
            let input = entry.into_path();
            let within = input.strip_prefix(folder).with_context(|| format!("{}", input.display()))?;
            let output = args.output.as_ref().map(|output| {
                let mut output = output.join(within);
                rename(&mut output, args.format);
                output
            });
            let clean = args.compare.as_ref().map(|clean| clean.join(within));
            let length = fs::metadata(&input).map_or(0, |metadata| metadata.len());
            jobs.add(args, Job { name: shown(&input), output, clean, input, length }, &inputs);
        }
        jobs.refuse_twins();
        Ok(jobs)
    }

    /// A job, unless there is a reason not to do it.
    fn add(&mut self, args: &Args, job: Job, inputs: &HashSet<PathBuf>) {
        let Some(output) = &job.output else { return self.jobs.push(job) };
        let problem = if output.is_dir() {
            format!("{} is a folder", shown(output))
        } else if output.symlink_metadata().is_err() {
            return self.jobs.push(job);
        } else if args.resume {
            self.done_before += 1;
            return;
        } else if !args.overwrite {
            format!(
                "{} exists; --overwrite replaces it, --resume leaves it and does the others",
                shown(output)
            )
        } else {
            let (target, own) = (fs::canonicalize(output).ok(), fs::canonicalize(&job.input).ok());
            if target == own || !target.is_some_and(|target| inputs.contains(&target)) {
                return self.jobs.push(job);
            }
            format!("{} is another picture of the input, which would be lost", shown(output))
        };
        self.problems.push((job.name, problem));
    }

    /// Of pictures that would be written to the same file, as happens with `--format`, none but the first is done.
    fn refuse_twins(&mut self) {
        let mut first: HashMap<PathBuf, String> = HashMap::new();
        for job in std::mem::take(&mut self.jobs) {
            let Some(output) = &job.output else {
                self.jobs.push(job);
                continue;
            };
            if let Some(other) = first.get(output) {
                let problem = format!("would be written to {}, as {other} is; rename one", shown(output));
                self.problems.push((job.name, problem));
            } else {
                first.insert(output.clone(), job.name.clone());
                self.jobs.push(job);
            }
        }
    }

    fn problem_with_entry(&mut self, folder: &Path, error: &walkdir::Error) {
        let path = error.path().unwrap_or(folder);
        let problem = match (error.loop_ancestor(), error.io_error()) {
            (Some(ancestor), _) => {
                format!("is a link back to {}; what is in there is done once", shown(ancestor))
            }
            (None, Some(error)) => format!("cannot be read: {error}"),
            (None, None) => error.to_string(),
        };
        self.problems.push((shown(path), problem));
    }
}

/// Gives a file the ending of a format, if it has that of another one.
fn rename(path: &mut PathBuf, format: Option<Format>) {
    if let Some(format) = format.filter(|format| Format::of_name(path) != Some(*format)) {
        path.set_extension(format.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_follow_the_format() {
        let renamed = |name: &str, format| {
            let mut path = PathBuf::from(name);
            rename(&mut path, format);
            path.display().to_string()
        };
        assert_eq!(renamed("a/b.jpeg", Some(Format::Png)), "a/b.png");
        assert_eq!(renamed("a/b.jpeg", Some(Format::Jpeg)), "a/b.jpeg");
        assert_eq!(renamed("a/b.jpeg", None), "a/b.jpeg");
    }
}
