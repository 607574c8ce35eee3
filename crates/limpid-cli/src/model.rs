//! `MODEL`: the argument that names a trained network.

use std::path::{Path, PathBuf};

use limpid::denoise::Autoencoder;
use limpid::number::{self, grouped};
use limpid::run_dir::RunDir;

/// Loads a model from its file, or from the directory of the run that made it; also says which file that was.
pub(crate) fn load(path: &Path) -> limpid::Result<(Autoencoder, PathBuf)> {
    let file = file(path)?;
    Ok((Autoencoder::load(&file)?, file))
}

/// The file that the argument names: itself, or the model in a directory.
pub(crate) fn file(path: &Path) -> limpid::Result<PathBuf> {
    if path.is_dir() { find(path) } else { Ok(path.to_path_buf()) }
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
