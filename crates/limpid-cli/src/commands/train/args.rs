//! The arguments of `limpid train`, and the settings that they make.

use std::path::PathBuf;

use limpid::data::{Dataset, Samples};
use limpid::net::Shape;
use limpid::noise::Noise;
use limpid::optim::{Adam, Schedule};
use limpid::train::TrainConfig;

use super::progress::Output;
use crate::dataset::DataArgs;
use crate::network::NetArgs;

/// The arguments of `limpid train`. The defaults are the tutorial's run.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,

    /// How often every training image is seen
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Images per step
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch_size: usize,

    /// Learning rate of Adam, the largest of the schedule
    #[arg(long, value_name = "RATE", default_value_t = 1e-3, allow_negative_numbers = true)]
    lr: f64,

    /// Learning rate over the run: constant, or falling to 0 along a cosine
    #[arg(long, value_name = "constant|cosine", default_value_t = Schedule::Constant)]
    schedule: Schedule,

    /// What the images suffer, before they are clipped to [0, 1]
    #[arg(long, value_name = "KIND:VALUE", default_value_t = Noise::default())]
    noise: Noise,

    #[command(flatten)]
    net: NetArgs,

    /// Seed of initial weights, order of images and training noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Threads; they do not change the result [default: one per processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(super) threads: usize,

    /// Train on the first N images only, for a quick try
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Directory of the run, new or empty [default: runs/DATE-TIME]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Print nothing but errors
    #[arg(long, conflicts_with = "json")]
    quiet: bool,

    /// Print one line of JSON per epoch and for the result, for programs to read
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Loads the data set, cut to `--limit`.
    pub(super) fn load_data(&self) -> limpid::Result<Dataset> {
        let mut data = self.data.load()?;
        if let Some(limit) = self.limit {
            let limit = data.train.images.len().min(limit as usize);
            data.train = data.train.slice(0..limit);
        }
        Ok(data)
    }

    /// The settings of the run. The network's nominal size becomes that of the images.
    pub(super) fn config(&self, data: &Dataset) -> limpid::Result<TrainConfig> {
        let mut net = self.net.load()?;
        let (height, width) = data.train.images.size();
        net.input = Shape::new(height, width, net.input.channels);
        Ok(TrainConfig {
            epochs: self.epochs,
            batch_size: self.batch_size,
            seed: self.seed,
            noise: self.noise,
            schedule: self.schedule,
            adam: Adam { learning_rate: self.lr, ..Adam::default() },
            net,
            ..TrainConfig::default()
        })
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
