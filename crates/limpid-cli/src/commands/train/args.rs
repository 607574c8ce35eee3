//! The arguments of `limpid train`, and the settings that they make.

use std::path::PathBuf;

use limpid::checkpoint::Interval;
use limpid::data::{Dataset, Samples};
use limpid::net::Shape;
use limpid::noise::Noise;
use limpid::number::grouped;
use limpid::optim::Schedule;
use limpid::train::{Preset, TrainConfig};

use super::progress::Output;
use crate::dataset::DataArgs;
use crate::network::NetArgs;
use crate::values;

/// The arguments of `limpid train`. The defaults are the tutorial's run.
#[derive(clap::Args)]
#[command(after_help = presets())]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) data: DataArgs,

    /// Settings to begin with, see below; the options change them one by one [default: tutorial]
    #[arg(long, value_name = "NAME", value_parser = values::parsed::<Preset>)]
    preset: Option<Preset>,

    /// How often every training image is seen [default: the preset's]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
    epochs: Option<u32>,

    /// Images per step [default: the preset's, 64 in all of them]
    #[arg(long, value_name = "N", value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    batch_size: Option<usize>,

    /// What the images suffer: gaussian, salt-pepper, masking, speckle, poisson or uniform noise; gaussian:0.1..0.5 draws
    /// a strength per image, gaussian:0.1+salt-pepper:0.02 is one after the other [default: gaussian:0.5]
    #[arg(long, value_name = "KIND:LEVEL", value_parser = values::parsed::<Noise>, allow_negative_numbers = true)]
    noise: Option<Noise>,

    #[command(flatten)]
    net: NetArgs,

    /// Seed of initial weights, order of images and training noise [default: 1]
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    seed: Option<u64>,

    /// Threads; they do not change the result [default: 0, one per processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = values::count, allow_negative_numbers = true)]
    pub(super) threads: usize,

    /// Train on the first N images only, for a quick try
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
    limit: Option<u32>,

    /// Directory of the run, new or empty [default: runs/DATE-TIME]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Replace the run that --out holds
    #[arg(long, requires = "out")]
    pub(super) overwrite: bool,

    /// Go on with the run in this directory, to the very bits in which it would have ended; of its settings, only --epochs
    /// can change
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "overwrite", "preset", "limit"])]
    pub(super) resume: Option<PathBuf>,

    /// Write the checkpoint not only behind every epoch: 500steps, 90s, 2m, 1h
    #[arg(long, value_name = "INTERVAL", value_parser = values::parsed::<Interval>, allow_negative_numbers = true)]
    pub(super) checkpoint_every: Option<Interval>,

    /// Print nothing but errors
    #[arg(long, conflicts_with = "json")]
    quiet: bool,

    /// Print one line of JSON per epoch and for the result, for programs to read
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    optimizer: OptimizerArgs,
}

/// How gradients become steps.
#[derive(clap::Args)]
#[command(next_help_heading = "Optimizer (defaults: the preset's)")]
struct OptimizerArgs {
    /// Learning rate of Adam, the largest of the schedule
    #[arg(long, value_name = "RATE", value_parser = values::number, allow_negative_numbers = true)]
    lr: Option<f64>,

    /// Learning rate over the run: constant, or falling to 0 where it ends, along a cosine or a line
    #[arg(long, value_name = "constant|cosine|linear", value_parser = values::parsed::<Schedule>)]
    schedule: Option<Schedule>,

    /// Steps over which the learning rate rises from 0 at the start
    #[arg(long, value_name = "STEPS", value_parser = values::steps, allow_negative_numbers = true)]
    warmup: Option<u64>,

    /// Decay of Adam's mean gradient
    #[arg(long, value_name = "DECAY", value_parser = values::number, allow_negative_numbers = true)]
    beta1: Option<f64>,

    /// Decay of Adam's mean squared gradient
    #[arg(long, value_name = "DECAY", value_parser = values::number, allow_negative_numbers = true)]
    beta2: Option<f64>,

    /// What keeps Adam's division finite
    #[arg(long, value_name = "E", value_parser = values::number, allow_negative_numbers = true)]
    epsilon: Option<f64>,
}

/// The table of presets below the options.
fn presets() -> String {
    let lines = Preset::ALL.map(|preset| format!("\n  {:<8}  {}", preset.to_string(), preset.describe()));
    format!("Presets:{}", lines.concat())
}

impl Args {
    /// Loads the data set, cut to `--limit`; also what the user should know about that.
    pub(super) fn load_data(&self) -> limpid::Result<(Dataset, Vec<String>)> {
        let mut data = self.data.load()?;
        let mut notes = Vec::new();
        if let Some(limit) = self.limit {
            let count = data.train.images.len();
            if limit as usize > count {
                notes.push(format!(
                    "--limit {limit} is more than the {} training images",
                    grouped(count as u64)
                ));
            }
            data.train = data.train.slice(0..count.min(limit as usize));
        }
        Ok((data, notes))
    }

    /// The preset that the settings begin with.
    pub(super) fn preset(&self) -> Preset {
        self.preset.unwrap_or_default()
    }

    /// The settings of the run: the preset's, but for the options. The network's nominal size becomes that of the images;
    /// that it does is noted.
    pub(super) fn config(&self, data: &Dataset, notes: &mut Vec<String>) -> limpid::Result<TrainConfig> {
        let mut config = TrainConfig { net: self.net.load()?, ..self.preset().config() };
        let (height, width) = data.train.images.size();
        let input = &mut config.net.input;
        if (input.height, input.width) != (height, width) && self.net.is_from_file() {
            notes.push(format!(
                "the network describes {}x{} images; it is trained on {height}x{width}",
                input.height, input.width
            ));
        }
        *input = Shape::new(height, width, input.channels);
        self.change(&mut config);
        let epochs = u64::from(config.epochs);
        let steps = config.steps_per_epoch(data.train.images.len()).saturating_mul(epochs);
        if config.warmup_steps >= steps {
            notes.push(format!(
                "the warm-up of {} steps is as long as the run ({steps} steps) or longer: the learning rate only rises",
                config.warmup_steps
            ));
        }
        Ok(config)
    }

    /// The settings of a run that goes on: its own, with the number of epochs that is asked for.
    pub(super) fn resumed_config(&self, run: &TrainConfig) -> limpid::Result<TrainConfig> {
        let mut config = TrainConfig { net: self.net.load_or(run.net.clone())?, ..run.clone() };
        config.net.input = Shape { channels: config.net.input.channels, ..run.net.input };
        self.change(&mut config);
        let differences = run.differences(&TrainConfig { epochs: run.epochs, ..config.clone() });
        if !differences.is_empty() {
            return Err(limpid::Error::invalid(
                "options",
                format!(
                    "{} in the run to go on with; a run keeps its settings, but for the epochs: leave these options out, or \
                     begin a new run",
                    differences.join("; ")
                ),
            ));
        }
        Ok(config)
    }

    /// Sets what the options say.
    fn change(&self, config: &mut TrainConfig) {
        fn set<T: Clone>(setting: &mut T, option: &Option<T>) {
            if let Some(value) = option {
                setting.clone_from(value);
            }
        }
        let TrainConfig { epochs, batch_size, seed, noise, schedule, warmup_steps, adam, net: _ } = config;
        set(epochs, &self.epochs);
        set(batch_size, &self.batch_size);
        set(seed, &self.seed);
        set(noise, &self.noise);
        let OptimizerArgs { lr, schedule: form, warmup, beta1, beta2, epsilon } = &self.optimizer;
        set(schedule, form);
        set(warmup_steps, warmup);
        set(&mut adam.learning_rate, lr);
        set(&mut adam.beta1, beta1);
        set(&mut adam.beta2, beta2);
        set(&mut adam.epsilon, epsilon);
    }

    /// Who reads what is printed.
    pub(super) fn output(&self) -> Output {
        match self {
            Self { quiet: true, .. } => Output::Quiet,
            Self { json: true, .. } => Output::Json,
            _ => Output::Person,
        }
    }
}
