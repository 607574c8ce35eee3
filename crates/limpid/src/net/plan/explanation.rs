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
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 3]> = self
            .steps
            .iter()
            .map(|step| [step.layers.join(" + "), step.execution.clone(), grouped(step.macs)])
            .collect();
        let width = |column: usize, heading: &str| {
            rows.iter().map(|row| row[column].chars().count()).chain([heading.len()]).max().unwrap_or(0)
        };
        let headings = ["Layers", "Executed as", "Multiply-accumulates"];
        let [w0, w1, w2] = [0, 1, 2].map(|column| width(column, headings[column]));
        let [h0, h1, h2] = headings;
        writeln!(f, "{h0:<w0$}  {h1:<w1$}  {h2:>w2$}")?;
        let rule = |width| "─".repeat(width);
        writeln!(f, "{}  {}  {}", rule(w0), rule(w1), rule(w2))?;
        for [layers, execution, macs] in rows {
            writeln!(f, "{layers:<w0$}  {execution:<w1$}  {macs:>w2$}")?;
        }
        let executed = self.steps.iter().map(|step| step.macs).sum();
        writeln!(
            f,
            "\n{} multiply-accumulates as described, {} as executed, with {}.",
            grouped(self.described_macs),
            grouped(executed),
            self.isa
        )
    }
}
