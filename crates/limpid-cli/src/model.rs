//! `MODEL`: the argument that names a trained network.

use std::path::{Path, PathBuf};

use limpid::denoise::Autoencoder;
use limpid::number::grouped;
use limpid::run_dir::RunDir;

/// Loads a model from its file, or from the directory of the run that made it; also says which file that was.
pub(crate) fn load(path: &Path) -> limpid::Result<(Autoencoder, PathBuf)> {
    let file = if path.is_dir() { RunDir::open(path)?.model_path() } else { path.to_path_buf() };
    Ok((Autoencoder::load(&file)?, file))
}

/// One line about a model.
pub(crate) fn describe(model: &Autoencoder) -> String {
    let parameters = grouped(model.parameters.values().len() as u64);
    let trained = match &model.training {
        None => "untrained".to_owned(),
        Some(training) => {
            let loss =
                training.validation_loss.map_or(String::new(), |loss| format!(", validation loss {loss:.4}"));
            format!(
                "trained on {} images of {} under {}, epoch {}{loss}",
                grouped(training.images),
                training.data,
                model.noise,
                training.epoch
            )
        }
    };
    format!("{}, {parameters} parameters, {trained}", model.net.name)
}
