//! What a file holds beside the network: its parameters, how they came to be, and the file itself.

use std::io::{self, Write};

use limpid::checkpoint::{Checkpoint, FileSummary};
use limpid::data::Identity;
use limpid::denoise::{Autoencoder, Losses, Settings, Training};
use limpid::net::Parameters;
use limpid::number::{grouped, loss};
use limpid::train::TrainConfig;

/// Everything in a model that its network does not tell.
pub(super) fn write_model(model: &Autoencoder, file: &FileSummary, out: &mut dyn Write) -> io::Result<()> {
    write_parameters(&model.parameters, out)?;
    let mut rows = vec![("noise", model.noise.to_string())];
    if let Some(training) = &model.training {
        let Training { data, images, epoch, seed, settings, .. } = training;
        rows.push(("data", format!("{} images of {data}", grouped(*images))));
        rows.push(("seed", seed.to_string()));
        rows.extend(settings.iter().flat_map(settings_rows));
        rows.push(("parameters", format!("those of epoch {epoch}")));
    }
    write_rows("Training", &rows, out)?;
    if let Some(training) = &model.training {
        write_history(&training.history, out)?;
    }
    write_file("model", file, out)
}

/// Everything in a checkpoint that its network does not tell.
pub(super) fn write_checkpoint(run: &Checkpoint, file: &FileSummary, out: &mut dyn Write) -> io::Result<()> {
    let Checkpoint { config, state, training_images, validation_images, isa } = run;
    write_parameters(&state.parameters, out)?;
    let TrainConfig { epochs, batch_size, seed, schedule, warmup_steps, adam, ref noise, .. } = *config;
    let settings = Settings { epochs, batch_size, schedule, warmup_steps, adam };
    let images = |Identity { images, height, width, sha256 }: &Identity| {
        format!("{} of {height}x{width}, SHA-256 {sha256}", grouped(*images))
    };
    let place = if state.epoch > epochs {
        "finished".to_owned()
    } else {
        let steps = config.steps_per_epoch(state.training_images as usize);
        format!("in epoch {}, behind {} of its {steps} steps", state.epoch, state.step)
    };
    let mut rows = vec![
        ("noise", noise.to_string()),
        ("training images", images(training_images)),
        ("validation images", images(validation_images)),
        ("seed", seed.to_string()),
    ];
    rows.extend(settings_rows(&settings));
    rows.extend([("place", place), ("updates", grouped(state.adam.step)), ("computed with", isa.clone())]);
    if let Some((epoch, validation)) = state.best_epoch() {
        rows.push((
            "best parameters",
            format!("those of epoch {epoch}, validation loss {}", loss(validation)),
        ));
    }
    write_rows("Run", &rows, out)?;
    write_history(&state.history, out)?;
    write_file("checkpoint", file, out)
}

fn settings_rows(settings: &Settings) -> [(&'static str, String); 4] {
    let Settings { epochs, batch_size, schedule, warmup_steps, adam } = settings;
    let warmup = match warmup_steps {
        0 => String::new(),
        steps => format!(" after {steps} steps of warm-up"),
    };
    [
        ("epochs", epochs.to_string()),
        ("batch size", batch_size.to_string()),
        ("optimizer", adam.to_string()),
        ("schedule", format!("{schedule}{warmup}")),
    ]
}

/// A line per tensor: its shape, and how its values are spread.
fn write_parameters(parameters: &Parameters, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{:<20}  {:<15}  {:>8}  {:>9}  {:>8}  {:>8}",
        "Tensor", "Shape", "Mean", "Deviation", "Least", "Largest"
    )?;
    for tensor in parameters.layout().tensors() {
        let values = &parameters.values()[tensor.range.clone()];
        let count = values.len() as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let variance = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
        let least = values.iter().copied().fold(f32::INFINITY, f32::min);
        let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shape = tensor.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        writeln!(
            out,
            "{:<20}  {shape:<15}  {mean:>8.4}  {:>9.4}  {least:>8.4}  {largest:>8.4}",
            tensor.name,
            variance.sqrt()
        )?;
    }
    Ok(())
}

fn write_rows(heading: &str, rows: &[(&str, String)], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{heading}")?;
    rows.iter().try_for_each(|(name, value)| writeln!(out, "  {name:<17}  {value}"))
}

fn write_history(history: &[Losses], out: &mut dyn Write) -> io::Result<()> {
    if history.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{:>7}  {:>13}  {:>15}", "Epoch", "Training loss", "Validation loss")?;
    (1..).zip(history).try_for_each(|(epoch, Losses { training, validation }): (u32, _)| {
        writeln!(out, "{epoch:>7}  {:>13}  {:>15}", loss(*training), loss(*validation))
    })
}

fn write_file(kind: &str, file: &FileSummary, out: &mut dyn Write) -> io::Result<()> {
    let rows = [
        ("format", format!("limpid {kind}, version {}", file.version)),
        ("size", format!("{} bytes", grouped(file.bytes))),
        ("SHA-256", file.sha256.to_string()),
    ];
    write_rows("File", &rows, out)
}
