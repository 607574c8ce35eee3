//! `MODEL`: the argument that names a trained network.

use std::fmt;
use std::path::{Path, PathBuf};

use limpid::checkpoint::Builtin;
use limpid::denoise::Autoencoder;
use limpid::number::{self, grouped};
use limpid::run_dir::RunDir;

/// What a command says of its MODEL.
pub(crate) const HELP: &str = "Model file, directory of a run, or mnist, which is built in [default: mnist]";

/// Where a model is.
pub(crate) enum Source {
    /// In the program.
    Builtin(Builtin),
    File(PathBuf),
}

impl Source {
    /// What the argument names: a file, the model in a directory, or one of those in the program, if there is no file of that
    /// name; without an argument, the first of these.
    pub(crate) fn of(argument: Option<&Path>) -> limpid::Result<Self> {
        let Some(path) = argument else { return Ok(Self::Builtin(Builtin::ALL[0])) };
        match path.to_str().and_then(Builtin::named) {
            Some(builtin) if !path.exists() => Ok(Self::Builtin(builtin)),
            _ if path.is_dir() => Ok(Self::File(find(path)?)),
            _ => Ok(Self::File(path.to_path_buf())),
        }
    }

    pub(crate) fn load(&self) -> limpid::Result<Autoencoder> {
        match self {
            Self::Builtin(builtin) => Ok(builtin.model()),
            Self::File(path) => Autoencoder::load(path),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(builtin) => write!(f, "{} (built in)", builtin.name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Loads the model that an argument names; also says where it was.
pub(crate) fn load(argument: Option<&Path>) -> limpid::Result<(Autoencoder, Source)> {
    let source = Source::of(argument)?;
    Ok((source.load()?, source))
}

/// The model in a directory.
fn find(directory: &Path) -> limpid::Result<PathBuf> {
    let run = RunDir::at(directory);
    if run.model_path().exists() {
        return Ok(run.model_path());
    }
    let name = file_name(&run.model_path());
    let problem = if run.config_path().exists() {
        format!("the run has no {name}, because no epoch of it was finished")
    } else if let Some(newest) = newest_run(directory) {
        format!("is not a run directory, but holds some; the newest is {}", newest.display())
    } else {
        format!(
            "is not a run directory: it has no {name}; expected a directory such as runs/2026-11-23-133433, or a \
             model file"
        )
    };
    Err(limpid::Error::data(directory, problem))
}

/// Of the directories in a directory that hold a model, the one whose model was written last.
fn newest_run(directory: &Path) -> Option<PathBuf> {
    let entries = directory.read_dir().ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let written = |run: &Path| RunDir::at(run).model_path().metadata().ok()?.modified().ok();
    entries.filter_map(|run| Some((written(&run)?, run))).max().map(|(_, run)| run)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// One line about a model.
pub(crate) fn describe(model: &Autoencoder) -> String {
    let parameters = grouped(model.parameters.values().len() as u64);
    let trained = match &model.training {
        None => "training unknown".to_owned(),
        Some(training) => {
            let epoch = match training.validation_loss {
                Some(loss) => format!("epoch {}, validation loss {}", training.epoch, number::loss(loss)),
                None => format!("stopped in epoch {}", training.epoch),
            };
            format!(
                "trained on {} images of {} under {}, {epoch}",
                grouped(training.images),
                training.data,
                model.noise,
            )
        }
    };
    format!("{}, {parameters} parameters, {trained}", model.net.name)
}
