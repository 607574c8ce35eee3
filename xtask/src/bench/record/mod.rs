//! The record of a comparison, as Markdown.

mod goals;
mod table;
#[cfg(test)]
mod tests;

use super::contenders::{KERAS, LIMPID, ONNX_RUNTIME, Trial, limpid_on, peak};
use super::inference::Inference;
use super::machine::Machine;
use super::quality::{self, Quality};
use super::rounds::{Measured, Plan, Results};
use super::series::Series;
use super::training::BATCH_SIZE;
use table::{Table, figure, spread, times};

/// Everything that was measured; what could not be is absent, and told in `problems`.
pub(crate) struct Figures {
    pub(crate) date: String,
    pub(crate) command: String,
    pub(crate) machine: Machine,
    pub(crate) python: String,
    pub(crate) packages: Vec<String>,
    pub(crate) plan: Plan,
    pub(crate) quick: bool,
    pub(crate) trials: Vec<Trial>,
    pub(crate) training: Option<Results>,
    pub(crate) batches: Option<Results>,
    /// Seconds from the command to the end of the first step.
    pub(crate) starts: Vec<(String, Series)>,
    pub(crate) quality: Option<Quality>,
    pub(crate) inference: Vec<Inference>,
    /// What `cargo bench` printed of the kernels.
    pub(crate) kernels: Option<String>,
    pub(crate) problems: Vec<String>,
}

/// `2026-11-23-amd-epyc-family-25-model-17.md`
pub(super) fn file_name(date: &str, cpu: &str) -> String {
    let words = cpu.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(date.to_owned(), |name, word| name + "-" + &word.to_lowercase()) + ".md"
}

/// The figures that count, as plain text.
pub(super) fn summary(figures: &Figures) -> String {
    goals::table(figures)
}

/// The whole record.
pub(super) fn markdown(figures: &Figures) -> String {
    let mut parts = vec![head(figures), format!("## What counts\n\n{}", goals::table(figures))];
    if !figures.problems.is_empty() {
        let lines: Vec<String> = figures.problems.iter().map(|problem| format!("- {problem}")).collect();
        parts.push(format!("## What could not be measured\n\n{}\n", lines.join("\n")));
    }
    parts.extend(
        figures.training.iter().flat_map(|training| [steps(training, &figures.trials), threads(training)]),
    );
    parts.extend(figures.batches.as_ref().map(batch_sizes));
    parts.extend(figures.quality.as_ref().map(until_loss));
    parts.extend((!figures.inference.is_empty()).then(|| inference(&figures.inference)));
    parts.extend(memory_and_start(figures));
    parts.extend(figures.kernels.as_ref().map(|text| {
        format!(
            "## Kernels\n\nOne thread; what `cargo bench -p limpid-kernels` printed:\n\n```text\n{}\n```\n",
            text.trim_end()
        )
    }));
    parts.join("\n")
}

fn head(figures: &Figures) -> String {
    let Figures { machine, plan, .. } = figures;
    let mut facts = Table::new(&["", ""]);
    facts.row(["Command", &format!("`{}`", figures.command)]);
    facts.row(["Commit", &machine.commit]);
    facts.row(["CPU", &format!("{}, {} cores", machine.cpu, machine.cores)]);
    facts.row(["Features", &machine.features.join(" ")]);
    facts.row(["System", &machine.system]);
    facts.row(["Load before", &machine.load.map_or("unknown".to_owned(), |load| format!("{load}"))]);
    facts.row(["Compiler", &machine.rustc]);
    facts.row(["Python", &format!("{}: {}", figures.python, figures.packages.join(", "))]);
    let quick = if figures.quick { "**A quick try: the figures are not to be quoted.**\n\n" } else { "" };
    format!(
        "# {}, {}\n\n{quick}{}\nEverything in one table took turns, {} rounds of {} s each. A figure is the median over the rounds of \
         each round's median, with the smallest and the largest round behind it; a ratio is the median of the rounds' own ratios. \
         [How it is measured](../README.md).\n",
        figures.date,
        machine.cpu,
        facts.text(),
        plan.rounds,
        plan.seconds,
    )
}

fn steps(training: &Results, trials: &[Trial]) -> String {
    let mut table =
        Table::new(&["", "ms per step", "images/s", "times as fast as Keras", "loss of its last batch"]);
    for (name, Measured { ms, loss, .. }) in training.0.iter().filter(|(_, measured)| measured.loss.is_some())
    {
        let speed = BATCH_SIZE as f64 * 1e3 / ms.median();
        let ratio = training.faster(name, KERAS).map_or("–".to_owned(), |ratio| times(&ratio));
        let loss = loss.map_or("–".to_owned(), |loss| format!("{loss:.4}"));
        table.row([name, &spread(ms), &format!("{speed:.0}"), &ratio, &loss]);
    }
    let mut text = format!(
        "## A step of training\n\nBatch of {BATCH_SIZE}: noise, forward, backward, Adam. The last column only shows that everyone \
         learns; the numbers of steps behind it differ.\n\n{}",
        table.text()
    );
    for Trial { name, settings } in trials {
        let settings: Vec<String> =
            settings.iter().map(|(name, ms)| format!("{name} {}", figure(*ms))).collect();
        text += &format!(
            "\n{name} ran in the fastest of its settings (ms in the trial): {}.\n",
            settings.join("; ")
        );
    }
    text
}

fn threads(training: &Results) -> String {
    let mut table = Table::new(&["threads", "ms per step", "efficiency", "share of the fp32 peak"]);
    let one = training.get(&limpid_on(1)).or_else(|| training.get(LIMPID));
    let count = |measured: &Measured| measured.about["threads"].as_u64().filter(|_| measured.loss.is_some());
    let ours = training.0.iter().filter(|(name, _)| !name.contains("LIMPID_ISA"));
    let mut ours: Vec<_> =
        ours.filter_map(|(name, measured)| Some((count(measured)?, name, measured))).collect();
    ours.sort_by_key(|(count, ..)| *count);
    for (count, name, measured) in ours {
        let efficiency = one.map(|one| one.ms.over(&measured.ms).map(|ratio| ratio / count as f64));
        let efficiency = efficiency.map_or("–".to_owned(), |efficiency| percent(&efficiency));
        let share = share_of_peak(training, name, BATCH_SIZE as f64)
            .map_or("–".to_owned(), |share| percent(&share));
        table.row([&count.to_string(), &spread(&measured.ms), &efficiency, &share]);
    }
    format!(
        "## Threads\n\nEfficiency: the speed of n threads over n times that of one. Share of the peak: of the multiply-accumulates that \
         are executed, forward and backward, at the speed of a loop that does nothing else on as many threads.\n\n{}",
        table.text()
    )
}

fn batch_sizes(batches: &Results) -> String {
    let mut table = Table::new(&["images per step", "us per image"]);
    for (name, Measured { ms, .. }) in &batches.0 {
        let images: f64 = name.parse().expect("contenders are named by their number of images");
        table.row([name, &spread(&ms.map(|ms| 1e3 * ms / images))]);
    }
    format!("## Batch sizes\n\nTraining on all threads.\n\n{}", table.text())
}

fn until_loss(quality: &Quality) -> String {
    let Quality { command, seconds, training_seconds, loss, epochs, keras_full, .. } = quality;
    let mut table = Table::new(&["", "seconds", "times as fast", "test loss"]);
    let keras = quality.keras_seconds();
    if let Some(keras) = &keras {
        let what = format!(
            "Keras, {} epochs of {} steps, not run but multiplied",
            quality::KERAS_EPOCHS,
            quality::STEPS_PER_EPOCH
        );
        table.row([&what, &spread(keras), "1", &format!("{:.4}", quality::LOSS)]);
    }
    if let Some((seconds, loss)) = keras_full {
        table.row(["Keras, all its epochs, training alone", &figure(*seconds), "", &format!("{loss:.4}")]);
    }
    let ratio =
        |seconds: &Series| keras.as_ref().map_or("–".to_owned(), |keras| times(&keras.over(seconds)));
    let [least, most] = loss.range();
    let loss = format!("{:.4} ({least:.4}–{most:.4})", loss.median());
    table.row([
        &format!("limpid, {epochs} epochs, training alone"),
        &spread(training_seconds),
        &ratio(training_seconds),
        &loss,
    ]);
    table.row([
        "limpid, the whole command with evaluation, pictures and report",
        &spread(seconds),
        &ratio(seconds),
        &loss,
    ]);
    format!(
        "## Until a test loss of {}\n\nIt is what Keras has after {} epochs at a constant learning rate. Keras' seconds are those of its \
         steps alone, measured in turns with the runs of limpid: `{command}`.\n\n{}",
        quality::LOSS,
        quality::KERAS_EPOCHS,
        table.text()
    )
}

fn inference(all: &[Inference]) -> String {
    let mut table = Table::new(&["", "", "ms", "megapixels/s", "times as fast", "share of the fp32 peak"]);
    let mut text = String::new();
    for Inference { what, pixels, results, difference } in all {
        for (name, Measured { ms, about, .. }) in
            results.0.iter().filter(|(name, _)| [LIMPID, ONNX_RUNTIME].contains(&name.as_str()))
        {
            let speed = spread(&ms.map(|ms| *pixels as f64 / 1e3 / ms));
            let ratio = results.faster(name, ONNX_RUNTIME).map_or("–".to_owned(), |ratio| times(&ratio));
            let images = about["images"].as_u64().unwrap_or(1) as f64;
            let share =
                share_of_peak(results, name, images).map_or("–".to_owned(), |share| percent(&share));
            table.row([what, name, &spread(ms), &speed, &ratio, &share]);
        }
        if let Some(difference) = difference {
            text += &format!("\nLargest difference of a pixel of the two, {what}: {difference:.1e}.\n");
        }
    }
    format!(
        "## Denoising\n\nThe same trained weights, all threads, the network unchanged.\n\n{}{text}",
        table.text()
    )
}

fn memory_and_start(figures: &Figures) -> Option<String> {
    let mut table = Table::new(&["", "peak memory, MiB", "from command to first step, s"]);
    let training = figures.training.as_ref();
    for (name, seconds) in &figures.starts {
        let memory = match training.and_then(|training| training.get(name)?.memory_mib) {
            Some(memory) => format!("{memory:.0}"),
            None if name == LIMPID => {
                figures.quality.as_ref().map_or("–".to_owned(), |q| spread(&q.memory_mib))
            }
            None => "–".to_owned(),
        };
        table.row([name, &memory, &spread(seconds)]);
    }
    let text = "## Memory and start\n\nlimpid's memory is that of the whole `limpid train`, its start that of the library: data \
                unpacked, trainer made, one step done.\n\n";
    (!figures.starts.is_empty()).then(|| format!("{text}{}", table.text()))
}

/// Which part a contender's multiply-accumulates are of what its threads could do in the same time. None if it does not tell
/// how many they are.
fn share_of_peak(results: &Results, name: &str, images: f64) -> Option<Series> {
    let Measured { ms, about, .. } = results.get(name)?;
    let forward = about["macs_forward"].as_u64()?;
    // Denoising has no backward pass; training has to tell.
    let backward = about.get("macs_backward").map_or(Some(0), serde_json::Value::as_u64)?;
    let peak = results.get(&peak(about["isa"].as_str()?, about["threads"].as_u64()?))?;
    let possible = peak.about["macs"].as_u64()? as f64;
    // Both are times of a known number of multiply-accumulates; the peak's time over ours, at the same number.
    let scale = (forward + backward) as f64 * images / possible;
    Some(peak.ms.over(ms).map(|ratio| ratio * scale))
}

fn percent(series: &Series) -> String {
    format!("{:.0} %", 100.0 * series.median())
}
