//! One picture, from its file to its file.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

use limpid::checkpoint::atomic;
use limpid::image::file::{Format, Header, Limits, Reader, rewrite};
use limpid::{Error, Result};

use super::args::{Args, is_stream};
use super::bands::{Sample, Work};
use super::jobs::Job;
use super::measure::{self, Figures};

/// Denoises pictures as the arguments say.
pub(super) struct Denoiser<'a> {
    pub(super) args: &'a Args,
    pub(super) work: Work<'a>,
    /// Bytes for what of a picture is held as a whole.
    pub(super) memory: u64,
}

/// What came of a picture.
pub(super) struct Outcome {
    pub(super) header: Header,
    pub(super) sample: Sample,
    /// With `--noise-test` and `--compare`.
    pub(super) figures: Option<Figures>,
}

impl Denoiser<'_> {
    /// Denoises a picture; one for standard output is appended to `out`. `start` is told the rows of the picture, `progress` how
    /// many more are done.
    pub(super) fn run(
        &self,
        job: &Job,
        out: &mut Vec<u8>,
        start: &dyn Fn(usize),
        progress: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Outcome> {
        let name = Path::new(&job.name);
        if is_stream(&job.input) {
            let bytes = read_stream(self.memory / 2)?;
            return self.run_on(Cursor::new(bytes), job, out, start, progress);
        }
        self.run_on(open(&job.input, name)?, job, out, start, progress)
    }

    fn run_on<R: BufRead + Seek>(
        &self,
        input: R,
        job: &Job,
        out: &mut Vec<u8>,
        start: &dyn Fn(usize),
        progress: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Outcome> {
        let name = Path::new(&job.name);
        let reader = Reader::open(input, name, Limits { memory: self.memory })?;
        let header = self.header(&reader, job)?;
        start(header.height);
        if self.args.noise_test.is_some() || job.clean.is_some() {
            return measure::run(self, reader, header, job, out, progress);
        }
        let mut sample = None;
        let mut work = |rows: &mut dyn limpid::image::file::Rows| {
            sample = Some(self.work.run(&header, rows, progress)?);
            Ok(())
        };
        match &job.output {
            Some(path) => {
                create_folder(path)?;
                atomic::write_with(path, |file| rewrite(reader, &header, file, path, &mut work))?;
            }
            None => {
                let mut bytes = Cursor::new(Vec::new());
                rewrite(reader, &header, &mut bytes, "standard output".as_ref(), &mut work)?;
                *out = bytes.into_inner();
            }
        }
        let sample = sample.expect("a picture that was written was worked on");
        Ok(Outcome { header, sample, figures: None })
    }

    /// The header of the output: format, depth and quality as asked for, else as the input has them.
    fn header<R: BufRead + Seek>(&self, reader: &Reader<R>, job: &Job) -> Result<Header> {
        let own = reader.header();
        let by_name = || match job.output.as_deref() {
            None => Ok(own.format),
            Some(path) => Format::of_name(path).ok_or_else(|| {
                let problem = "its ending names no format; expected one such as .png, or --format";
                Error::data(path, problem)
            }),
        };
        let format = self.args.format.map_or_else(by_name, Ok)?;
        let mut wanted = own.clone();
        if let Some(depth) = self.args.depth {
            wanted.depth = depth;
        }
        wanted.quality = self.args.quality;
        let header =
            wanted.fit(format).map_err(|error| Error::data(Path::new(&job.name), error.to_string()))?;
        if let Some(depth) = self.args.depth.filter(|&depth| depth != header.depth) {
            let problem = format!(
                "cannot be written as {format} with {depth}, but with {}; leave --depth out",
                header.depth
            );
            return Err(Error::data(Path::new(&job.name), problem));
        }
        Ok(header)
    }

    /// Writes to the job's output, or, without one, to `out` if standard output is asked for.
    pub(super) fn write(
        &self,
        job: &Job,
        out: &mut Vec<u8>,
        content: impl FnOnce(&mut dyn WriteSeek, &Path) -> Result<()>,
    ) -> Result<()> {
        match &job.output {
            Some(path) => {
                create_folder(path)?;
                atomic::write_with(path, |file| content(file, path))
            }
            None if self.args.output.as_deref().is_some_and(is_stream) => {
                let mut bytes = Cursor::new(Vec::new());
                content(&mut bytes, "standard output".as_ref())?;
                *out = bytes.into_inner();
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// What a picture is written to.
pub(super) trait WriteSeek: Write + Seek {}

impl<W: Write + Seek> WriteSeek for W {}

/// Opens a file that is one: a pipe or a device would block or never end.
pub(super) fn open(path: &Path, name: &Path) -> Result<BufReader<File>> {
    let failed = |error| Error::io("read", name, error);
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::data(name, "is no regular file"));
    }
    Ok(BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?))
}

/// All of standard input, if it is not more than `limit` bytes.
fn read_stream(limit: u64) -> Result<Vec<u8>> {
    let (name, mut bytes) = (Path::new("standard input"), Vec::new());
    let read = io::stdin().lock().take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::io("read", name, error))?;
    if bytes.len() as u64 > limit {
        let problem = format!(
            "has more than {} MB, which are held in memory; allow more with --max-memory",
            limit / 1_000_000
        );
        return Err(Error::data(name, problem));
    }
    Ok(bytes)
}

fn create_folder(of: &Path) -> Result<()> {
    match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))
        }
        _ => Ok(()),
    }
}
