//! The arguments of `limpid train`, and the settings that they make.

use std::path::PathBuf;

use limpid::data::{Dataset, Samples};
use limpid::net::Shape;
use limpid::noise::Noise;
use limpid::number::grouped;
use limpid::optim::{Adam, Schedule};
use limpid::train::TrainConfig;

use super::progress::Output;
use crate::dataset::DataArgs;
use crate::network::NetArgs;
use crate::values;

/// The arguments of `limpid train`. The defaults are the tutorial's run.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,

    /// How often every training image is seen
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = values::at_least_one, allow_negative_numbers = true)]
    epochs: u32,

    /// Images per step
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    batch_size: usize,

    /// Learning rate of Adam, the largest of the schedule
    #[arg(long, value_name = "RATE", default_value_t = 1e-3, value_parser = values::number, allow_negative_numbers = true)]
    lr: f64,

    /// Learning rate over the run: constant, or falling to 0 along a cosine
    #[arg(long, value_name = "constant|cosine", default_value_t = Schedule::Constant, value_parser = values::parsed::<Schedule>)]
    schedule: Schedule,

    /// What the images suffer, before they are clipped to [0, 1]
    #[arg(long, value_name = "KIND:VALUE", default_value_t = Noise::default(), value_parser = values::parsed::<Noise>, allow_negative_numbers = true)]
    noise: Noise,

    #[command(flatten)]
    net: NetArgs,

    /// Seed of initial weights, order of images and training noise
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::seed, allow_negative_numbers = true)]
    seed: u64,

    /// Threads; they do not change the result [default: 0, one per processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = values::count, allow_negative_numbers = true)]
    pub(super) threads: usize,

    /// Train on the first N images only, for a quick try
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
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

    /// The settings of the run. The network's nominal size becomes that of the images; that it does is noted.
    pub(super) fn config(&self, data: &Dataset, notes: &mut Vec<String>) -> limpid::Result<TrainConfig> {
        let mut net = self.net.load()?;
        let (height, width) = data.train.images.size();
        if (net.input.height, net.input.width) != (height, width) && self.net.is_from_file() {
            notes.push(format!(
                "the network describes {}x{} images; it is trained on {height}x{width}",
                net.input.height, net.input.width
            ));
        }
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
