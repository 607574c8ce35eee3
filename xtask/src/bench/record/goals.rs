//! The figures that limpid is built for, beside what is asked of them.

use super::table::{Table, figure};
use super::{BATCH_SIZE, Figures, share_of_peak};
use crate::bench::contenders::{KERAS, LIMPID, LIMPID_AVX2, ONNX_RUNTIME};
use crate::bench::quality::{LOSS, Quality};
use crate::bench::series::Series;

/// Which way is better.
enum Wanted {
    AtLeast,
    AtMost,
}
use Wanted::{AtLeast, AtMost};

/// One of the figures.
struct Goal {
    what: String,
    measured: Option<f64>,
    unit: &'static str,
    wanted: Wanted,
    must: f64,
    aim: f64,
}

impl Goal {
    fn verdict(&self) -> &'static str {
        let reaches = |bound: f64| {
            self.measured.is_some_and(|x| match self.wanted {
                AtLeast => x >= bound,
                AtMost => x <= bound,
            })
        };
        match self.measured {
            None => "not measured",
            Some(_) if reaches(self.aim) => "aim reached",
            Some(_) if reaches(self.must) => "reached",
            Some(_) => "**missed**",
        }
    }
}

/// All of them.
pub(super) fn table(figures: &Figures) -> String {
    let mut table = Table::new(&["", "measured", "must", "aim", ""]);
    for goal in goals(figures) {
        let sign = match goal.wanted {
            AtLeast => "≥",
            AtMost => "≤",
        };
        let bound = |bound: f64| format!("{sign} {bound}{}", goal.unit);
        let measured = goal.measured.map_or("–".to_owned(), |x| figure(x) + goal.unit);
        table.row([&goal.what, &measured, &bound(goal.must), &bound(goal.aim), goal.verdict()]);
    }
    table.text()
}

fn goals(figures: &Figures) -> Vec<Goal> {
    let goal = |what: &str, measured: Option<f64>, unit, wanted, [must, aim]: [f64; 2]| Goal {
        what: what.to_owned(),
        measured,
        unit,
        wanted,
        must,
        aim,
    };
    let training = figures.training.as_ref();
    let against_keras = |name: &str| Some(training?.faster(name, KERAS)?.median());
    let quality = figures.quality.as_ref();
    // A run that does not get there has no time until it.
    let there = quality.filter(|quality| quality.loss.median() <= LOSS + 0.00005);
    let against_epochs = |seconds: fn(&Quality) -> &Series| {
        there.and_then(|quality| Some(quality.keras_seconds()?.over(seconds(quality)).median()))
    };
    let (training_alone, command) = (against_epochs(|q| &q.training_seconds), against_epochs(|q| &q.seconds));
    let start = figures.starts.iter().find(|(name, _)| name == LIMPID).map(|(_, seconds)| seconds.median());
    let share = |results, images| Some(100.0 * share_of_peak(results, LIMPID, images)?.median());
    let mut goals = vec![
        goal("Step of training against Keras", against_keras(LIMPID), " x", AtLeast, [11.0, 15.0]),
        goal("The same limited to AVX2", against_keras(LIMPID_AVX2), " x", AtLeast, [5.5, 7.0]),
        goal(
            "Until a test loss of 0.0948, training alone, against Keras",
            training_alone,
            " x",
            AtLeast,
            [40.0, 54.0],
        ),
        goal("The same, limpid's whole command", command, " x", AtLeast, [40.0, 54.0]),
    ];
    for inference in &figures.inference {
        let faster = inference.results.faster(LIMPID, ONNX_RUNTIME).map(|ratio| ratio.median());
        let what = format!("Denoising {} against ONNX Runtime", inference.what);
        goals.push(goal(&what, faster, " x", AtLeast, [12.0, 20.0]));
    }
    let memory = quality.map(|quality| quality.memory_mib.median());
    goals.push(goal("Peak memory of `limpid train`", memory, " MiB", AtMost, [250.0, 150.0]));
    goals.push(goal("From command to first step", start, " s", AtMost, [0.4, 0.2]));
    let of_training = training.and_then(|training| share(training, BATCH_SIZE as f64));
    goals.push(goal("Share of the fp32 peak, training", of_training, " %", AtLeast, [55.0, 55.0]));
    for inference in &figures.inference {
        let images = inference.results.get(LIMPID).and_then(|measured| measured.about["images"].as_u64());
        let measured = images.and_then(|images| share(&inference.results, images as f64));
        goals.push(goal(
            &format!("Share of the fp32 peak, {}", inference.what),
            measured,
            " %",
            AtLeast,
            [55.0, 55.0],
        ));
    }
    goals
}
