//! "Why leaky ReLU and not ReLU": the same network with both, from the same seeds.
//!
//! A unit of a ReLU layer that is negative for every input has no gradient and never learns again: it is dead. A leaky ReLU
//! lets a share of the gradient through. Whether that matters for this network is to be seen.

use limpid_kernels::Isa;

use super::findings::{Cell, Chart, ChartAxis, Drawing, Figure, Findings, Point, Series, Table};
use super::occasion;
use crate::Result;
use crate::data::{Dataset, Samples};
use crate::denoise::Autoencoder;
use crate::evaluate::evaluate;
use crate::net::plan::{Plan, Purpose};
use crate::net::{Activation, ReferenceNet, Shape};
use crate::noise::test_stream;
use crate::threads::Threads;
use crate::train::{Finished, TrainConfig};

/// Values of each layer that has some, by the layer's index: one for each seed.
type ByLayer = Vec<(usize, Vec<f64>)>;

/// How much of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Training images of each run; at most the data set's.
    pub images: usize,
    /// Test images; at most the data set's.
    pub test_images: usize,
    /// What is trained, but for the activation and the seed.
    pub config: TrainConfig,
    /// The activations, in the order of the tables.
    pub activations: Vec<Activation>,
    /// Runs of each, with seeds 1, 2, ...
    pub seeds: u64,
}

impl Settings {
    /// A minute's worth, with the tutorial's settings but for the epochs.
    pub fn small() -> Self {
        Self {
            images: 10_000,
            test_images: 1_000,
            config: TrainConfig { epochs: 3, ..TrainConfig::default() },
            activations: vec![Activation::LeakyRelu(0.1), Activation::Relu],
            seeds: 3,
        }
    }

    /// All of MNIST.
    pub fn full() -> Self {
        let config = TrainConfig { epochs: 10, ..TrainConfig::default() };
        Self { images: usize::MAX, test_images: usize::MAX, config, ..Self::small() }
    }
}

/// Images that are looked at for dead units.
const LOOKED_AT: usize = 100;
/// Images over which a gradient is taken.
const GRADIENT_IMAGES: usize = 64;

/// What came of one activation.
struct Outcome {
    activation: Activation,
    /// The losses of each seed's epochs.
    epochs: Vec<Vec<Finished>>,
    test_losses: Vec<f64>,
    /// For each layer with an activation: its index, and each seed's shares in percent.
    dead: Vec<(usize, Vec<f64>)>,
    negative: Vec<(usize, Vec<f64>)>,
    /// For each layer with parameters: its index, and each seed's norms.
    first_norms: Vec<(usize, Vec<f64>)>,
    last_norms: Vec<(usize, Vec<f64>)>,
}

/// Trains the network with each activation from each seed.
///
/// # Errors
/// If a setting is out of its range, or a run diverges.
pub fn run(
    data: &Dataset,
    settings: &Settings,
    threads: &Threads,
    tell: &mut dyn FnMut(&str),
) -> Result<Findings> {
    let images = settings.images.min(data.train.images.len());
    let mut outcomes = Vec::new();
    for &activation in &settings.activations {
        outcomes.push(outcome(activation, data, settings, threads, tell)?);
    }
    let net = &settings.config.net;
    let name = |index: usize| net.layers[index].name.clone();
    let activations = || outcomes.iter().map(|outcome| outcome.activation.to_string());
    let columns = |first: &str| std::iter::once(first.to_owned()).chain(activations()).collect::<Vec<_>>();
    let by_layer = |file: &str, title: &str, decimals, of: &dyn Fn(&Outcome) -> ByLayer| {
        let of: Vec<_> = outcomes.iter().map(of).collect();
        let layers = of.first().map_or(0, Vec::len);
        let row = |layer: usize| {
            let cells = of.iter().map(|layers| Cell::spread(&layers[layer].1, decimals));
            [Cell::text(name(of[0][layer].0))].into_iter().chain(cells).collect()
        };
        Table {
            name: file.into(),
            title: title.into(),
            columns: columns("layer"),
            rows: (0..layers).map(row).collect(),
        }
    };
    let epochs = settings.config.epochs as usize;
    let loss_row = |epoch: usize| {
        let cells = outcomes.iter().map(|outcome| {
            let losses: Vec<f64> = outcome.epochs.iter().map(|run| run[epoch].validation_loss).collect();
            Cell::spread(&losses, 5)
        });
        [Cell::count(epoch + 1)].into_iter().chain(cells).collect()
    };
    let mut losses = Table {
        name: "losses".into(),
        title:
            "Validation loss after each epoch, and test loss of the best one: mean and deviation of the seeds"
                .into(),
        columns: columns("epoch"),
        rows: (0..epochs).map(loss_row).collect(),
    };
    let test = outcomes.iter().map(|outcome| Cell::spread(&outcome.test_losses, 5));
    losses.rows.push([Cell::text("test")].into_iter().chain(test).collect());

    let series = outcomes.iter().map(|outcome| {
        let point = |epoch: usize| {
            let losses: Vec<f64> = outcome.epochs.iter().map(|run| run[epoch].validation_loss).collect();
            Point::spread((epoch + 1) as f64, &losses)
        };
        Series { name: outcome.activation.to_string(), line: true, points: (0..epochs).map(point).collect() }
    });
    let chart = Chart {
        title: "Validation loss by activation".into(),
        x: ChartAxis::linear("Epoch"),
        y: ChartAxis::linear("Validation loss (nats per pixel)"),
        series: series.collect(),
    };
    Ok(Findings {
        name: "activation",
        title: "Leaky ReLU beside ReLU".into(),
        claim: "The tutorial (3.4) takes leaky ReLU where others take ReLU. Does it learn better here, and do units die?".into(),
        settings: vec![
            ("Network".into(), net.name.clone()),
            (
                "Training".into(),
                format!(
                    "{images} images, {epochs} epochs, batches of {}, learning rate {} ({}), {}",
                    settings.config.batch_size,
                    settings.config.adam.learning_rate,
                    settings.config.schedule,
                    settings.config.noise
                ),
            ),
            ("Seeds".into(), format!("1 to {}", settings.seeds)),
        ],
        tables: vec![
            losses,
            by_layer(
                "dead",
                &format!(
                    "Dead units: channels that are positive nowhere in {LOOKED_AT} noisy test images, in percent of a layer's"
                ),
                1,
                &|outcome| outcome.dead.clone(),
            ),
            by_layer(
                "negative",
                "Values that are not positive, in percent of a layer's: under ReLU they are 0 and have no gradient",
                1,
                &|outcome| outcome.negative.clone(),
            ),
            by_layer(
                "gradients_first",
                &format!("Norm of the gradient of each layer's parameters over {GRADIENT_IMAGES} images, before training"),
                5,
                &|outcome| outcome.first_norms.clone(),
            ),
            by_layer("gradients_last", "The same after training", 5, &|outcome| outcome.last_norms.clone()),
        ],
        figures: vec![Figure {
            name: "losses".into(),
            caption: format!(
                "Validation loss, mean of {} seeds; whiskers are one standard deviation.",
                settings.seeds
            ),
            drawing: Drawing::Chart(chart),
        }],
        remarks: remarks(&outcomes),
    })
}

fn outcome(
    activation: Activation,
    data: &Dataset,
    settings: &Settings,
    threads: &Threads,
    tell: &mut dyn FnMut(&str),
) -> Result<Outcome> {
    let test = data.test.images.slice(0..settings.test_images.min(data.test.images.len()));
    let net = settings.config.net.clone().with_activation(activation);
    let mut outcome = Outcome {
        activation,
        epochs: Vec::new(),
        test_losses: Vec::new(),
        dead: Vec::new(),
        negative: Vec::new(),
        first_norms: Vec::new(),
        last_norms: Vec::new(),
    };
    for seed in 1..=settings.seeds {
        tell(&format!("training with {activation}, seed {seed}"));
        let config = TrainConfig { seed, net: net.clone(), ..settings.config.clone() };
        let first = Autoencoder::untrained(net.clone(), seed)?;
        let (model, epochs) = occasion::train(config, data, settings.images, threads)?;
        tell(&format!("looking at the units with {activation}, seed {seed}"));
        outcome.epochs.push(epochs);
        outcome.test_losses.push(evaluate(&model, &test, &settings.config.noise, threads)?.loss);
        let (dead, negative) = units(&model, &test, settings)?;
        append(&mut outcome.dead, dead);
        append(&mut outcome.negative, negative);
        append(&mut outcome.first_norms, gradient_norms(&first, &test, settings)?);
        append(&mut outcome.last_norms, gradient_norms(&model, &test, settings)?);
    }
    Ok(outcome)
}

/// Adds one seed's values to each layer's.
fn append(to: &mut Vec<(usize, Vec<f64>)>, values: Vec<(usize, f64)>) {
    if to.is_empty() {
        to.extend(values.iter().map(|&(index, _)| (index, Vec::new())));
    }
    for ((_, all), (_, value)) in to.iter_mut().zip(values) {
        all.push(value);
    }
}

/// For each layer with an activation that is not linear, the shares in percent of channels that are never positive, and of
/// values that are not.
#[allow(clippy::type_complexity, reason = "two lists of the same form, taken apart at once")]
fn units(
    model: &Autoencoder,
    test: &dyn Samples,
    settings: &Settings,
) -> Result<(Vec<(usize, f64)>, Vec<(usize, f64)>)> {
    let (height, width) = test.size();
    let net = ReferenceNet::new(&model.net, Shape::new(height, width, model.net.input.channels))?;
    let layers: Vec<usize> = (0..net.layers().len())
        .filter(|&index| model.net.layers[index].kind.activation() != Activation::Linear)
        .collect();
    let mut alive: Vec<Vec<bool>> =
        layers.iter().map(|&index| vec![false; net.layers()[index].output().channels]).collect();
    let mut positive = vec![0_u64; layers.len()];
    let images = test.len().min(LOOKED_AT);
    for image in 0..images {
        let noisy = settings.config.noise.apply(test_stream(image), &test.image(image));
        let outputs = net.forward(model.parameters.values(), noisy.pixels()).outputs;
        for ((&index, alive), positive) in layers.iter().zip(&mut alive).zip(&mut positive) {
            for pixel in outputs[index].chunks_exact(alive.len()) {
                for (alive, &value) in alive.iter_mut().zip(pixel) {
                    *alive |= value > 0.0;
                    *positive += u64::from(value > 0.0);
                }
            }
        }
    }
    let percent = |part: f64, whole: usize| 100.0 * part / whole as f64;
    let dead = layers.iter().zip(&alive).map(|(&index, alive)| {
        (index, percent(alive.iter().filter(|alive| !**alive).count() as f64, alive.len()))
    });
    let negative = layers.iter().zip(&positive).map(|(&index, &positive)| {
        let all = net.layers()[index].output().len() * images;
        (index, 100.0 - percent(positive as f64, all))
    });
    Ok((dead.collect(), negative.collect()))
}

/// The Euclidean norm of the gradient of each layer's parameters, of the mean loss over some noisy test images.
fn gradient_norms(model: &Autoencoder, test: &dyn Samples, settings: &Settings) -> Result<Vec<(usize, f64)>> {
    let mut plan = Plan::new(&model.net, test.size(), crate::net::plan::isa()?, Purpose::Training)?;
    plan.set_parameters(model.parameters.values());
    let isa: Isa = plan.isa();
    let (mut workspace, mut sums) = (plan.workspace(), vec![0.0; plan.gradient_len()]);
    let mut gradient = vec![0.0; plan.layout().len()];
    let mut noisy = vec![0.0; plan.shape().len()];
    let images = test.len().min(GRADIENT_IMAGES);
    let scale = 1.0 / (images * noisy.len()) as f32;
    for image in 0..images {
        let clean = test.image(image);
        settings.config.noise.corrupt(isa, test_stream(image), clean.pixels(), &mut noisy);
        workspace.set_input(&noisy);
        plan.forward(&mut workspace);
        plan.backward(&mut workspace, clean.pixels(), scale, &mut sums);
    }
    plan.finish_gradient(model.parameters.values(), &sums, &mut gradient);
    let layers = (0..model.net.layers.len()).filter_map(|index| Some((index, plan.layout().layer(index)?)));
    let norm = |(index, ranges): (usize, &crate::net::LayerRanges)| {
        let squares: f64 =
            gradient[ranges.kernel.start..ranges.bias.end].iter().map(|&g| f64::from(g).powi(2)).sum();
        (index, squares.sqrt())
    };
    Ok(layers.map(norm).collect())
}

/// How far the activations are apart, beside what the seeds alone make.
fn remarks(outcomes: &[Outcome]) -> Vec<String> {
    let [first, second, ..] = outcomes else { return Vec::new() };
    let (one, spread_one) = super::mean_and_deviation(&first.test_losses);
    let (other, spread_other) = super::mean_and_deviation(&second.test_losses);
    let spread = spread_one.max(spread_other);
    let difference = other - one;
    let judgement = if first.test_losses.len() < 2 {
        "with a single seed, nobody can say whether that is more than chance"
    } else if difference.abs() > 2.0 * spread {
        "more than twice the deviation of the seeds"
    } else {
        "within twice the deviation of the seeds, so no difference is shown"
    };
    vec![format!(
        "The test loss with {} is {} that with {} by {:.5}: {judgement}.",
        second.activation,
        if difference >= 0.0 { "above" } else { "below" },
        first.activation,
        difference.abs()
    )]
}
