//! The validation loss is that of *test* images under noise of their own.
//!
//! The tutorial's notebook took its "test" batch from the training set, and a reader noticed. These tests follow a number
//! from MNIST's `t10k` file to the epoch's report, so that it cannot happen here.

use std::sync::{Arc, Mutex, OnceLock};

use limpid::data::{Dataset, Images, Samples};
use limpid::denoise::Autoencoder;
use limpid::evaluate::evaluate;
use limpid::net::plan::{self, Plan, Purpose};
use limpid::noise::{Noise, Stream, test_stream};
use limpid::threads::Threads;
use limpid::train::{Event, TrainConfig, Trainer};

/// Images of each set: not a multiple of any group.
const TRAIN: usize = 90;
const TEST: usize = 61;

/// MNIST, read once.
fn digits() -> &'static Dataset {
    static DIGITS: OnceLock<Dataset> = OnceLock::new();
    DIGITS.get_or_init(Dataset::mnist)
}

fn config() -> TrainConfig {
    TrainConfig { epochs: 2, batch_size: 32, ..TrainConfig::default() }
}

fn trainer(config: TrainConfig, train: Arc<dyn Samples>, test: Arc<dyn Samples>) -> Trainer {
    Trainer::new(config, train, test, 2).unwrap()
}

fn sets() -> (Arc<Images>, Arc<Images>) {
    (Arc::new(digits().train.images.slice(0..TRAIN)), Arc::new(digits().test.images.slice(0..TEST)))
}

/// The mean loss of 28x28 images, by the means of the library's floors below the trainer.
fn mean_loss(parameters: &[f32], images: &[&[u8]], stream: impl Fn(usize) -> Stream) -> f64 {
    let config = config();
    let mut plan = Plan::new(&config.net, (28, 28), plan::isa().unwrap(), Purpose::Inference).unwrap();
    plan.set_parameters(parameters);
    let mut workspace = plan.workspace();
    let mut sum = 0.0;
    for (index, bytes) in images.iter().enumerate() {
        let clean: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let mut noisy = vec![0.0; clean.len()];
        config.noise.corrupt(plan.isa(), stream(index), &clean, &mut noisy);
        workspace.set_input(&noisy);
        plan.forward(&mut workspace);
        sum += plan.loss(&workspace, &clean);
    }
    sum / (images.len() * 784) as f64
}

/// Equal up to the order in which as many numbers are added up.
fn assert_same(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-13 * a.abs(), "{a} and {b}");
}

#[test]
fn the_reported_loss_is_that_of_the_test_file_under_its_own_noise() {
    let (train, test) = sets();
    let mut trainer = trainer(config(), train, test);
    // MNIST's files: a header of 16 bytes, then the images.
    let (test_file, train_file) = (limpid_mnist::test_images(), limpid_mnist::train_images());
    let images = |file| -> Vec<&[u8]> { <[u8]>::chunks_exact(file, 784).take(TEST).collect() };
    let (test_bytes, train_bytes) = (images(&test_file[16..]), images(&train_file[16..]));
    let mut epochs = 0;
    while let Some(event) = trainer.step().unwrap() {
        let Event::Epoch(epoch) = event else { continue };
        epochs += 1;
        let parameters = trainer.state().parameters.values();
        assert_same(epoch.validation_loss, mean_loss(parameters, &test_bytes, test_stream));
        // What it must not be: training images, whatever their noise; test images under noise of the training.
        let training = |index| Stream { seed: 1, index: index as u32, draw: epoch.epoch, purpose: 0 };
        for other in [
            mean_loss(parameters, &train_bytes, test_stream),
            mean_loss(parameters, &train_bytes, training),
            mean_loss(parameters, &test_bytes, training),
        ] {
            assert!((epoch.validation_loss - other).abs() > 1e-5, "{} and {other}", epoch.validation_loss);
        }
    }
    assert_eq!(epochs, 2);
}

/// The figures of all runs are taken on the very same noisy images: this stream can never change.
#[test]
fn the_noise_of_test_images_has_a_stream_of_its_own() {
    assert_eq!(test_stream(7), Stream { seed: 20_111, index: 7, draw: 0, purpose: 1 });
    // A run's own streams have another purpose, so no seed and no epoch can meet it.
    assert_eq!(limpid::noise::Purpose::Training as u32, 0);
}

/// Images that note who was read.
struct Watched {
    images: Arc<Images>,
    reads: Mutex<Vec<usize>>,
}

impl Watched {
    fn new(images: Arc<Images>) -> Arc<Self> {
        Arc::new(Self { images, reads: Mutex::new(Vec::new()) })
    }

    /// The images that were read since the last call, in the order of their indices.
    fn take(&self) -> Vec<usize> {
        let mut reads = std::mem::take(&mut *self.reads.lock().unwrap());
        reads.sort_unstable();
        reads
    }
}

impl Samples for Watched {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn size(&self) -> (usize, usize) {
        self.images.size()
    }

    fn read(&self, index: usize, pixels: &mut [f32]) {
        self.reads.lock().unwrap().push(index);
        self.images.read(index, pixels);
    }
}

#[test]
fn training_reads_training_images_and_validation_reads_test_images() {
    let (train, test) = sets();
    let (train, test) = (Watched::new(train), Watched::new(test));
    let mut trainer = trainer(config(), train.clone(), test.clone());
    let mut of_epoch = Vec::new();
    while let Some(event) = trainer.step().unwrap() {
        match event {
            Event::Step(step) => {
                let read = train.take();
                assert_eq!(read.len(), step.images);
                of_epoch.extend(read);
                assert!(test.take().is_empty(), "a step of training looks at a test image");
            }
            Event::Epoch(_) => {
                assert!(train.take().is_empty(), "validation looks at a training image");
                assert_eq!(test.take(), (0..TEST).collect::<Vec<_>>(), "every test image once");
                of_epoch.sort_unstable();
                assert_eq!(of_epoch, (0..TRAIN).collect::<Vec<_>>(), "every training image once");
                of_epoch.clear();
            }
        }
    }
}

#[test]
fn validation_depends_on_parameters_and_test_images_and_on_nothing_else() {
    let (train, test) = sets();
    let mut original = trainer(config(), train.clone(), test.clone());
    for _ in 0..2 {
        original.step().unwrap();
    }
    let state = original.state().clone();
    let of = |config: TrainConfig, train: Arc<Images>, test: Arc<Images>, threads| {
        Trainer::resume(config, state.clone(), train, test, threads).unwrap().validation_loss()
    };
    let loss = original.validation_loss();
    assert_eq!(original.validation_loss(), loss, "measured twice");
    for threads in [1, 3] {
        assert_eq!(of(config(), train.clone(), test.clone(), threads), loss, "on {threads} threads");
    }
    assert_eq!(of(TrainConfig { seed: 2, ..config() }, train.clone(), test.clone(), 1), loss, "another seed");
    let others = Arc::new(digits().train.images.slice(1000..1000 + TRAIN));
    assert_eq!(of(config(), others, test.clone(), 1), loss, "other training images");
    let mut bytes = test.all_bytes().to_vec();
    bytes[TEST / 2 * 784 + 400] ^= 0x80;
    let changed = Arc::new(Images::new(TEST, 28, 28, bytes).unwrap());
    assert_ne!(of(config(), train.clone(), changed, 1), loss, "one pixel of one test image");
    // Images swap their noise when they swap places.
    let mut bytes = test.all_bytes().to_vec();
    bytes.rotate_left(784);
    let moved = Arc::new(Images::new(TEST, 28, 28, bytes).unwrap());
    assert_ne!(of(config(), train, moved, 1), loss, "test images at other places");
}

#[test]
fn the_evaluation_of_a_model_reports_the_same_loss() {
    let (train, test) = sets();
    let mut trainer = trainer(config(), train, test.clone());
    let mut losses = Vec::new();
    while let Some(event) = trainer.step().unwrap() {
        if let Event::Epoch(epoch) = event {
            losses.push(epoch.validation_loss);
        }
    }
    let model = |parameters: &limpid::net::Parameters| Autoencoder {
        net: config().net,
        parameters: parameters.clone(),
        noise: Noise::default(),
        training: None,
    };
    let measure = |parameters, threads| {
        let threads = Threads::new(threads).unwrap();
        evaluate(&model(parameters), &*test, &Noise::default(), &threads).unwrap()
    };
    let last = measure(&trainer.state().parameters, 2);
    assert_same(last.loss, *losses.last().unwrap());
    assert_eq!(measure(&trainer.state().parameters, 1), last, "measured twice, on other threads");
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_same(measure(trainer.best(), 3).loss, best);
    assert_eq!(trainer.state().best_epoch().unwrap().1, best);
    // The noisy images that they were measured on are as the tutorial makes them: MSE 0.1156 over all test images.
    assert!((last.noisy.mse - 0.1156).abs() < 0.002, "{}", last.noisy.mse);
    assert_eq!(last.images, TEST as u64);
}

#[test]
fn a_model_is_refused_what_does_not_fit_it() {
    let threads = Threads::new(1).unwrap();
    let seed = Autoencoder::untrained(config().net, 1).unwrap();
    let refuse = |model: &Autoencoder, images: Images| {
        evaluate(model, &images, &Noise::default(), &threads).unwrap_err().to_string()
    };
    assert_eq!(
        refuse(&seed, Images::new(0, 28, 28, vec![]).unwrap()),
        "test images: there are none; expected at least one"
    );
    assert!(refuse(&seed, Images::new(1, 6, 8, vec![0; 48]).unwrap()).contains("must be multiples of 4"));
    let relu = config().net.with_activation(limpid::net::Activation::Relu);
    let mut wrong = Autoencoder { net: relu, ..seed.clone() };
    assert!(evaluate(&wrong, &digits().test.images.slice(0..1), &Noise::default(), &threads).is_ok());
    wrong.net.layers.remove(0);
    assert_eq!(
        refuse(&wrong, Images::new(1, 28, 28, vec![0; 784]).unwrap()),
        "parameters: they are those of another network than the model's"
    );
}
