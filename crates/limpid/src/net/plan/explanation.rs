//! What a plan does, for people: `limpid info --plan`.

use std::fmt;

use limpid_kernels::Isa;

use crate::number::grouped;

/// A plan in words and numbers. Its `Display` is a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The instruction set.
    pub isa: Isa,
    /// What is done, in order.
    pub steps: Vec<PlannedStep>,
    /// Multiply-accumulates of the layers as they are described, for one image forward.
    pub described_macs: u64,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// The names of the layers that it executes.
    pub layers: Vec<String>,
    /// How.
    pub execution: String,
    /// Multiply-accumulates of one image forward.
    pub macs: u64,
    /// Multiply-accumulates of one image backward, in a plan for training; in one for inference those of the parameters' gradients
    /// alone.
    pub backward_macs: u64,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADINGS: [&str; 4] = ["Layers", "Executed as", "MAC forward", "MAC backward"];
        let cells = |step: &PlannedStep| {
            [step.layers.join(" + "), step.execution.clone(), grouped(step.macs), grouped(step.backward_macs)]
        };
        let rows: Vec<[String; 4]> = self.steps.iter().map(cells).collect();
        let widths: [usize; 4] = std::array::from_fn(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([HEADINGS[column].len()])
                .max()
                .unwrap_or(0)
        });
        let [w0, w1, w2, w3] = widths;
        let mut line = |[a, b, c, d]: [&str; 4]| writeln!(f, "{a:<w0$}  {b:<w1$}  {c:>w2$}  {d:>w3$}");
        line(HEADINGS)?;
        let rules = widths.map(|width| "─".repeat(width));
        line(std::array::from_fn(|column| rules[column].as_str()))?;
        for row in &rows {
            line(std::array::from_fn(|column| row[column].as_str()))?;
        }
        let forward = self.steps.iter().map(|step| step.macs).sum();
        let backward = self.steps.iter().map(|step| step.backward_macs).sum();
        writeln!(
            f,
            "\nMultiply-accumulates (MAC) of one image: {} forward as described, {} as executed and {} backward, with {}.",
            grouped(self.described_macs),
            grouped(forward),
            grouped(backward),
            self.isa
        )
    }
}
