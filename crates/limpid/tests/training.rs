//! Training on real digits: the same bits on any number of threads and across interruptions, a loss that falls, and runs
//! that go wrong in ways that are told.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use limpid::Error;
use limpid::checkpoint::Checkpoint;
use limpid::data::{Dataset, Images};
use limpid::denoise::Autoencoder;
use limpid::net::plan::{self, Plan, Purpose};
use limpid::net::{NetSpec, Parameters};
use limpid::noise::{self, Stream};
use limpid::optim::{Adam, Schedule};
use limpid::train::{Event, TrainConfig, Trainer, TrainerState};

/// MNIST, read once.
fn digits() -> &'static Dataset {
    static DIGITS: OnceLock<Dataset> = OnceLock::new();
    DIGITS.get_or_init(Dataset::mnist)
}

fn train_images(count: usize) -> Arc<Images> {
    Arc::new(digits().train.images.slice(0..count))
}

fn test_images(count: usize) -> Arc<Images> {
    Arc::new(digits().test.images.slice(0..count))
}

/// A network as deep as a network must be to have every kind of layer, and small enough to be trained dozens of times.
fn tiny_net() -> NetSpec {
    NetSpec::from_toml(
        r#"
        name = "tiny"
        input = [28, 28, 1]
        layer = [
            { name = "down", type = "conv", filters = 3, stride = 2, activation = "lrelu:0.1" },
            { name = "pool", type = "max_pool", size = 2 },
            { name = "up1", type = "conv_transpose", filters = 3 },
            { name = "up2", type = "conv_transpose", filters = 2 },
            { name = "logits", type = "conv", filters = 1 },
        ]
        "#,
    )
    .unwrap()
}

/// All events up to the end of the run.
fn finish(trainer: &mut Trainer) -> Vec<Event> {
    std::iter::from_fn(|| trainer.step().unwrap()).collect()
}

fn epochs(events: &[Event]) -> Vec<limpid::train::Finished> {
    events
        .iter()
        .filter_map(|event| if let Event::Epoch(epoch) = event { Some(*epoch) } else { None })
        .collect()
}

/// Every bit of a run's state.
fn bytes(trainer: &Trainer) -> Vec<u8> {
    Checkpoint::of(trainer).to_bytes()
}

/// The last batch of an epoch is smaller than the others, and neither divides into even groups.
#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let run = |seed, threads| {
        let config = TrainConfig { epochs: 2, batch_size: 51, seed, ..TrainConfig::default() };
        let mut trainer = Trainer::new(config, train_images(230), test_images(45), threads).unwrap();
        let events = finish(&mut trainer);
        (trainer, events)
    };
    let (one, events) = run(1, 1);
    assert_eq!(events.len(), 2 * (5 + 1));
    let model = |trainer: &Trainer| {
        let (parameters, net) = (trainer.best().clone(), trainer.config().net.clone());
        Autoencoder { net, parameters, noise: trainer.config().noise, training: None }.to_bytes()
    };
    for threads in [2, 3] {
        let (several, several_events) = run(1, threads);
        assert_eq!(several_events, events, "{threads} threads");
        let bits = |trainer: &Trainer| -> Vec<u32> {
            trainer.state().parameters.values().iter().map(|value| value.to_bits()).collect()
        };
        assert!(bits(&several) == bits(&one), "parameters on {threads} threads");
        assert!(bytes(&several) == bytes(&one), "moments and best parameters on {threads} threads");
        assert!(model(&several) == model(&one), "the model file on {threads} threads");
    }
    let (other, other_events) = run(2, 1);
    assert_ne!(other_events, events);
    assert!(model(&other) != model(&one));
}

#[test]
fn two_thousand_digits_are_enough_to_see_the_loss_fall() {
    let config = TrainConfig { epochs: 1, batch_size: 16, ..TrainConfig::default() };
    let mut trainer = Trainer::new(config, train_images(2000), test_images(200), 0).unwrap();
    let before = trainer.validation_loss();
    let events = finish(&mut trainer);
    let [epoch] = epochs(&events)[..] else { panic!("one epoch") };
    // An untrained network is as good as a guess, ln 2. Measured after the epoch: 0.1474 on AVX2 and AVX-512, 0.1473 on
    // scalar code; a blank image in the mean gray of the digits would have 0.39.
    assert!((before - std::f64::consts::LN_2).abs() < 0.01, "{before}");
    assert!(epoch.validation_loss < 0.16, "{}", epoch.validation_loss);
    assert!(epoch.validation_loss < epoch.training_loss, "{epoch:?}: the epoch's mean has its start in it");
    let Some(Event::Step(last)) = events.iter().rev().find(|event| matches!(event, Event::Step(_))) else {
        panic!("an epoch has steps")
    };
    assert_eq!((last.step, last.steps_per_epoch, last.images), (125, 125, 16));
    assert_eq!(last.mean_loss, epoch.training_loss);
}

/// A run that was good for an epoch, continued with a learning rate that throws the weights out of the range of `f32`.
#[test]
fn a_learning_rate_that_is_too_large_ends_the_run_and_keeps_the_best() {
    let good = TrainConfig { epochs: 1, batch_size: 16, ..TrainConfig::default() };
    let (train, test) = (train_images(64), test_images(8));
    let mut trainer = Trainer::new(good.clone(), train.clone(), test.clone(), 1).unwrap();
    finish(&mut trainer);
    let state = trainer.state().clone();
    let (best, best_epoch) = (state.best.clone().unwrap(), state.best_epoch());

    for learning_rate in [1e6, 1e30, 3e38] {
        let config =
            TrainConfig { epochs: 3, adam: Adam { learning_rate, ..Adam::default() }, ..good.clone() };
        let mut trainer = Trainer::resume(config, state.clone(), train.clone(), test.clone(), 2).unwrap();
        let mut steps = state.adam.step;
        let error = loop {
            match trainer.step() {
                Ok(Some(Event::Step(progress))) => {
                    steps += 1;
                    assert!(progress.loss.is_finite());
                }
                Ok(Some(Event::Epoch(epoch))) => assert!(!epoch.is_best && epoch.validation_loss.is_finite()),
                Ok(None) => panic!("a learning rate of {learning_rate} did no harm"),
                Err(error) => break error,
            }
        };
        let Error::Diverged { loss, step, epoch, learning_rate: reported } = error else { panic!("{error}") };
        assert!(!loss.is_finite());
        assert!(step == steps + 1 || step == steps, "step {step} after {steps}");
        assert_eq!((epoch, reported), (trainer.state().epoch, learning_rate));
        let message = error.to_string();
        let place = format!(
            "the loss is {loss:.4} at step {step} (epoch {epoch}): training has diverged; try a smaller"
        );
        assert!(message.starts_with(&place) && message.ends_with("--lr 1e-3"), "{message}");
        // What was good is still there, and asking again changes nothing.
        assert_eq!(trainer.best(), &best);
        assert_eq!(trainer.state().best_epoch(), best_epoch);
        assert_eq!(trainer.state().adam.step, steps);
        assert_eq!(trainer.step().unwrap_err().to_string(), message);
    }
}

/// Finite weights can make logits that are not: then it is the validation that fails, behind an epoch's last step.
#[test]
fn a_validation_loss_that_is_not_finite_is_told_too() {
    let config = TrainConfig { batch_size: 16, net: tiny_net(), ..TrainConfig::default() };
    let (train, test) = (train_images(32), test_images(8));
    let mut trainer = Trainer::new(config.clone(), train.clone(), test.clone(), 1).unwrap();
    for _ in 0..2 {
        assert!(matches!(trainer.step().unwrap(), Some(Event::Step(_))));
    }
    let mut state = trainer.state().clone();
    state.parameters.values_mut().fill(1e30);
    let mut trainer = Trainer::resume(config, state, train, test, 1).unwrap();
    let message = trainer.step().unwrap_err().to_string();
    assert!(message.contains(" at step 2 (epoch 1)") && message.ends_with("--lr 1e-4"), "{message}");
    assert!(trainer.state().best.is_none());
}

#[test]
fn every_batch_size_visits_every_image_once_per_epoch() {
    for (batch_size, expected) in [(1, vec![1; 20]), (7, vec![7, 7, 6]), (20, vec![20]), (1000, vec![20])] {
        let config = TrainConfig { epochs: 2, batch_size, net: tiny_net(), ..TrainConfig::default() };
        let mut trainer = Trainer::new(config, train_images(20), test_images(5), 2).unwrap();
        assert_eq!(trainer.steps_per_epoch(), expected.len() as u64);
        let events = finish(&mut trainer);
        assert_eq!(epochs(&events).iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [1, 2]);
        let images: Vec<usize> = events
            .iter()
            .filter_map(|event| if let Event::Step(step) = event { Some(step.images) } else { None })
            .collect();
        assert_eq!(images, expected.repeat(2), "batches of {batch_size}");
        assert!(events.iter().all(|event| match event {
            Event::Step(step) => step.loss.is_finite(),
            Event::Epoch(epoch) => epoch.validation_loss.is_finite(),
        }));
    }
}

/// `--limit N` trains on a slice: the rest of the data set is as good as absent.
#[test]
fn a_slice_is_trained_on_as_if_there_were_nothing_else() {
    let run = |images: Arc<Images>| {
        let config = TrainConfig { epochs: 1, batch_size: 8, net: tiny_net(), ..TrainConfig::default() };
        let mut trainer = Trainer::new(config, images, test_images(5), 2).unwrap();
        finish(&mut trainer);
        bytes(&trainer)
    };
    let slice = digits().train.images.slice(100..130);
    let alone = Images::new(30, 28, 28, slice.all_bytes().to_vec()).unwrap();
    let sliced = run(Arc::new(slice));
    assert!(sliced == run(Arc::new(alone)));
    assert!(sliced != run(train_images(30)));
}

/// With a learning rate next to nothing and all images in one batch, losses differ by their noise alone.
#[test]
fn noise_is_drawn_anew_in_every_epoch_and_is_the_same_on_any_number_of_threads() {
    let images = train_images(24);
    let config = TrainConfig {
        epochs: 3,
        batch_size: 24,
        seed: 9,
        adam: Adam { learning_rate: 1e-30, ..Adam::default() },
        ..TrainConfig::default()
    };
    let losses = |config: &TrainConfig, threads| -> Vec<f64> {
        let mut trainer = Trainer::new(config.clone(), images.clone(), test_images(4), threads).unwrap();
        epochs(&finish(&mut trainer)).iter().map(|epoch| epoch.training_loss).collect()
    };
    let one = losses(&config, 1);
    assert_eq!(losses(&config, 2), one);
    assert_eq!(losses(&config, 3), one);
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!((one[a] - one[b]).abs() > 1e-8, "the losses of two epochs: {} and {}", one[a], one[b]);
    }

    // Each is the loss under the noise that seed, image and epoch name.
    let mut plan = Plan::new(&config.net, (28, 28), plan::isa().unwrap(), Purpose::Inference).unwrap();
    plan.set_parameters(Parameters::glorot_uniform(&config.net, config.seed).unwrap().values());
    let mut workspace = plan.workspace();
    for (draw, loss) in (1..).zip(&one) {
        let mut sum = 0.0;
        for index in 0..24 {
            let clean: Vec<f32> = images.bytes(index).iter().map(|&byte| f32::from(byte) / 255.0).collect();
            let mut noisy = vec![0.0; clean.len()];
            let purpose = noise::Purpose::Training as u32;
            let stream = Stream { seed: config.seed, index: index as u32, draw, purpose };
            config.noise.corrupt(plan.isa(), stream, &clean, &mut noisy);
            workspace.set_input(&noisy);
            plan.forward(&mut workspace);
            sum += plan.loss(&workspace, &clean);
        }
        // The tiny steps in between may break a tie of rounding.
        assert!((sum / (24.0 * 784.0) - loss).abs() < 1e-9, "epoch {draw}: {loss}");
    }

    let silent = losses(&TrainConfig { noise: "gaussian:0".parse().unwrap(), ..config }, 2);
    assert!((silent[0] - silent[2]).abs() < 1e-9, "without noise epochs are alike: {silent:?}");
}

/// From every point of a run, in the middle of epochs too: written to bytes, read, continued on other threads.
#[test]
fn a_run_that_is_interrupted_anywhere_ends_in_the_same_bits() {
    let config = TrainConfig {
        epochs: 3,
        batch_size: 8,
        schedule: Schedule::Cosine,
        warmup_steps: 5,
        // Large enough that some epoch is worse than the one before.
        adam: Adam { learning_rate: 0.02, ..Adam::default() },
        net: tiny_net(),
        ..TrainConfig::default()
    };
    let (train, test) = (train_images(53), test_images(11));
    let mut trainer = Trainer::new(config, train.clone(), test.clone(), 1).unwrap();
    let mut checkpoints = vec![bytes(&trainer)];
    let mut events = Vec::new();
    while let Some(event) = trainer.step().unwrap() {
        events.push(event);
        checkpoints.push(bytes(&trainer));
    }
    assert_eq!(events.len(), 3 * (7 + 1));
    let end = checkpoints.last().unwrap();
    for (done, checkpoint) in checkpoints.iter().enumerate() {
        let read = Checkpoint::from_bytes(checkpoint, Path::new("run")).unwrap();
        let mut resumed = read.resume(train.clone(), test.clone(), 1 + done % 3).unwrap();
        assert!(bytes(&resumed) == *checkpoint, "read back after {done} events");
        assert_eq!(finish(&mut resumed), events[done..], "continued after {done} events");
        assert!(bytes(&resumed) == *end, "the end, continued after {done} events");
        assert_eq!(resumed.best(), trainer.best());
    }
}

/// A run whose learning rate does not depend on its length can be made longer as if it had been longer from the start.
#[test]
fn a_finished_run_goes_on_with_more_epochs() {
    let (train, test) = (train_images(53), test_images(11));
    let config = |epochs, schedule| TrainConfig {
        epochs,
        schedule,
        batch_size: 8,
        warmup_steps: 5,
        net: tiny_net(),
        ..TrainConfig::default()
    };
    let new = |config| Trainer::new(config, train.clone(), test.clone(), 1).unwrap();
    for schedule in [Schedule::Constant, Schedule::Cosine, Schedule::Linear] {
        let (mut short, mut long) = (new(config(2, schedule)), new(config(4, schedule)));
        finish(&mut short);
        finish(&mut long);
        let mut read = Checkpoint::from_bytes(&bytes(&short), Path::new("run")).unwrap();
        read.config.epochs = 4;
        let mut longer = read.resume(train.clone(), test.clone(), 1).unwrap();
        assert_eq!(epochs(&finish(&mut longer)).iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(bytes(&longer) == bytes(&long), !schedule.ends_with_the_run(), "{schedule}");
    }
}

#[test]
fn a_run_does_not_go_on_with_other_images() {
    let config = TrainConfig { epochs: 1, batch_size: 8, net: tiny_net(), ..TrainConfig::default() };
    let (train, test) = (train_images(16), test_images(5));
    let checkpoint = Checkpoint::of(&Trainer::new(config, train.clone(), test.clone(), 1).unwrap());
    let resume = |train: &Arc<Images>, test: &Arc<Images>| {
        let resumed = checkpoint.clone().resume(train.clone(), test.clone(), 1);
        resumed.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(resume(&train, &test), Ok(()));
    assert_eq!(
        resume(&train_images(17), &test).unwrap_err(),
        "training images: they are not those that the run began with: 17 images of 28x28, not 16 of 28x28"
    );
    let mut pixels = train.all_bytes().to_vec();
    *pixels.last_mut().unwrap() ^= 1;
    let other = Arc::new(Images::new(16, 28, 28, pixels).unwrap());
    let message = resume(&other, &test).unwrap_err();
    assert!(
        message.starts_with("training images: ") && message.contains("other pixels in as many"),
        "{message}"
    );
    let message = resume(&train, &Arc::new(digits().test.images.slice(1..6))).unwrap_err();
    assert!(message.starts_with("validation images: ") && message.contains("(SHA-256 "), "{message}");
}

#[test]
fn states_of_other_runs_are_refused() {
    let config = TrainConfig { epochs: 2, batch_size: 8, net: tiny_net(), ..TrainConfig::default() };
    let mut trainer = Trainer::new(config.clone(), train_images(30), test_images(5), 1).unwrap();
    for _ in 0..7 {
        trainer.step().unwrap();
    }
    let state = trainer.state().clone();
    assert_eq!((state.epoch, state.step, state.images, state.adam.step), (2, 2, 16, 6));
    let resume = |config: &TrainConfig, state: TrainerState, images: usize| {
        Trainer::resume(config.clone(), state, train_images(images), test_images(5), 1)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert_eq!(resume(&config, state.clone(), 30), Ok(()));
    for images in [24, 29, 33, 60] {
        let message = resume(&config, state.clone(), images).unwrap_err();
        let expected = format!("state of the run: its run had 30 training images, these are {images}");
        assert_eq!(message, expected);
    }
    let other = TrainConfig { net: NetSpec::seed(), ..config.clone() };
    assert_eq!(
        resume(&other, state.clone(), 30).unwrap_err(),
        "state of the run: its parameters are those of another network"
    );
    type Edit = fn(&mut TrainerState);
    let edits: [(&str, Edit); 13] = [
        ("its parameters are those of another network", |state| state.adam.second.truncate(7)),
        ("its parameters are those of another network", |state| {
            state.best = Some(Parameters::glorot_uniform(&NetSpec::seed(), 1).unwrap());
        }),
        ("step 5 of epoch 2, but an epoch over 30 images has 4 steps", |state| state.step = 5),
        ("step 18446744073709551615 of epoch 2, but", |state| state.step = u64::MAX),
        ("step 2 of epoch 0, but", |state| state.epoch = 0),
        ("step 2 of epoch 4294967295, but the run has 2 epochs", |state| state.epoch = u32::MAX),
        ("step 2 of epoch 3, but the run has 2 epochs", |state| state.epoch = 3),
        ("18446744073709551615 updates and 16 images", |state| state.adam.step = u64::MAX),
        ("6 updates and 17 images of the epoch before step 3 of epoch 2, expected 6 and 16", |state| {
            state.images = 17;
        }),
        ("a loss is NaN, expected a number of 0 or more", |state| state.loss_sum = f64::NAN),
        ("a loss is -1, expected a number of 0 or more", |state| state.history[0].training = -1.0),
        ("losses of 0 epochs in epoch 2, expected those of 1", |state| state.history.clear()),
        ("losses of 1 epochs and no best parameters in epoch 2, expected those of 1", |state| {
            state.best = None
        }),
    ];
    for (expected, edit) in edits {
        let mut state = state.clone();
        edit(&mut state);
        let message = resume(&config, state, 30).unwrap_err();
        assert!(message.starts_with("state of the run: ") && message.contains(expected), "{message}");
    }
}

#[test]
fn runs_that_make_no_sense_are_refused() {
    let new = |config: TrainConfig, train: Arc<Images>, test: Arc<Images>| {
        Trainer::new(config, train, test, 1).map(drop).unwrap_err().to_string()
    };
    let config = TrainConfig::default;
    let small = || Arc::new(Images::new(2, 8, 4, vec![0; 64]).unwrap());
    let odd = || Arc::new(Images::new(1, 30, 30, vec![0; 900]).unwrap());
    assert_eq!(
        new(config(), train_images(0), test_images(5)),
        "training images: there are none; expected at least one"
    );
    assert_eq!(
        new(config(), train_images(5), test_images(0)),
        "validation images: there are none; expected at least one"
    );
    assert_eq!(
        new(config(), train_images(5), small()),
        "validation images: they have 8x4 pixels, the training images 28x28"
    );
    assert!(new(config(), odd(), odd()).contains("must be multiples of 4"));
    assert_eq!(
        new(TrainConfig { epochs: 0, ..config() }, small(), small()),
        "epochs: 0 epochs would train nothing; expected 1 or more"
    );
    assert_eq!(
        new(TrainConfig { epochs: u32::MAX, ..config() }, small(), small()),
        "epochs: 4294967295, expected 1 to 1000000, for example 25"
    );
    for batch_size in [0, usize::MAX] {
        assert_eq!(
            new(TrainConfig { batch_size, ..config() }, small(), small()),
            format!("batch size: {batch_size}, expected 1 to 65536, for example 64")
        );
    }
    let adam = Adam { learning_rate: f64::NAN, ..Adam::default() };
    assert!(
        new(TrainConfig { adam, ..config() }, small(), small()).starts_with("learning rate NaN: expected")
    );
    let message = Trainer::new(config(), small(), small(), 1025).map(drop).unwrap_err().to_string();
    assert!(message.starts_with("1025 threads: at most 1024"), "{message}");
}
