//! A record from fixed figures.

use serde_json::{Value, json};

use super::*;
use crate::bench::contenders::{LIMPID_AVX2, TORCH_EAGER};

fn measured(ms: [f64; 3], loss: Option<f64>, memory_mib: Option<f64>, about: Value) -> Measured {
    Measured { ms: Series(ms.into()), loss, memory_mib, about }
}

fn results<const N: usize>(all: [(&str, Measured); N]) -> Results {
    Results(all.map(|(name, measured)| (name.to_owned(), measured)).into())
}

fn limpid(isa: &str, threads: u64) -> Value {
    json!({ "isa": isa, "threads": threads, "macs_forward": 1_000_000, "macs_backward": 2_000_000 })
}

fn figures() -> Figures {
    let peak_of = |ms: [f64; 3]| measured(ms, None, None, json!({ "macs": 192_000_000 }));
    let training = results([
        (KERAS, measured([13.0, 26.0, 13.4], Some(0.11), Some(1025.4), json!({}))),
        (TORCH_EAGER, measured([28.0, 56.0, 28.4], Some(0.12), Some(973.0), json!({}))),
        (LIMPID, measured([1.0, 2.0, 1.25], Some(0.1), None, limpid("avx512", 2))),
        (LIMPID_AVX2, measured([2.0, 4.0, 2.0], Some(0.1), None, limpid("avx2", 2))),
        ("limpid, 1 thread", measured([1.8, 3.6, 1.9], Some(0.1), None, limpid("avx512", 1))),
        ("peak of avx512, 2 threads", peak_of([0.5, 1.0, 0.5])),
        ("peak of avx512, 1 thread", peak_of([1.0, 2.0, 1.0])),
    ]);
    let denoising = results([
        (ONNX_RUNTIME, measured([30.0, 31.0, 32.0], None, None, json!({}))),
        (
            LIMPID,
            measured(
                [2.0, 2.0, 2.0],
                None,
                None,
                json!({ "isa": "avx512", "threads": 2, "macs_forward": 1_000_000, "images": 256 }),
            ),
        ),
    ]);
    Figures {
        date: "2026-11-23".to_owned(),
        command: "cargo xtask bench --rounds 3".to_owned(),
        machine: Machine {
            cpu: "Some CPU (family 1, model 2)".to_owned(),
            features: vec!["fma".to_owned(), "avx2".to_owned()],
            cores: 2,
            system: "Some Linux 1, Linux 6.1 x86_64".to_owned(),
            rustc: "rustc 1.89.0".to_owned(),
            commit: "123456789".to_owned(),
            load: Some(0.25),
        },
        python: "3.11.7".to_owned(),
        packages: vec!["keras 3.15.1".to_owned(), "torch 2.15.0".to_owned()],
        plan: Plan { rounds: 3, seconds: 1.0 },
        quick: false,
        trials: vec![Trial {
            name: KERAS.to_owned(),
            settings: vec![("tf.function".to_owned(), 13.1), ("Model.fit".to_owned(), 15.25)],
        }],
        training: Some(training),
        batches: Some(results([
            ("1", measured([0.1, 0.2, 0.1], Some(0.3), None, json!({}))),
            ("64", measured([1.28, 1.28, 1.28], Some(0.3), None, json!({}))),
        ])),
        starts: vec![
            (KERAS.to_owned(), Series(vec![5.9, 6.1, 6.0])),
            (LIMPID.to_owned(), Series(vec![0.21, 0.19, 0.22])),
        ],
        quality: Some(Quality {
            command: "limpid train --preset fast --json".to_owned(),
            seconds: Series(vec![7.0, 7.5, 7.1]),
            training_seconds: Series(vec![5.0, 5.5, 5.1]),
            memory_mib: Series(vec![140.0, 141.0, 142.0]),
            loss: Series(vec![0.0946, 0.0947, 0.0946]),
            epochs: 5,
            keras_ms: Some(Series(vec![13.0, 13.5, 13.2])),
            keras_full: None,
        }),
        inference: vec![Inference {
            what: "256 images of 28x28",
            pixels: 200_704,
            results: denoising,
            difference: Some(3.6e-7),
        }],
        kernels: Some("isa  kernel\navx2 forward\n".to_owned()),
        problems: vec!["torch.compile: there is no C++ compiler".to_owned()],
    }
}

#[test]
fn a_record_says_it_all() {
    insta::assert_snapshot!(markdown(&figures()));
}

#[test]
fn a_loss_that_is_not_reached_has_no_time() {
    let mut figures = figures();
    figures.quality.as_mut().unwrap().loss = Series(vec![0.0951; 3]);
    let line =
        |figures| goals::table(figures).lines().find(|line| line.contains("test loss")).map(str::to_owned);
    assert!(line(&figures).unwrap().ends_with("| not measured |"));
}

#[test]
fn records_of_a_day_and_a_machine_have_one_name() {
    assert_eq!(
        file_name("2026-11-23", "AMD EPYC (family 25, model 17)"),
        "2026-11-23-amd-epyc-family-25-model-17.md"
    );
}
