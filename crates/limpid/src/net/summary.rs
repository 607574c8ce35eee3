//! What `limpid info` shows: the layers, their shapes, parameters and cost, as people know it from Keras.

use std::fmt;

use limpid_kernels::Shape;

use super::{LayerKind, NetSpec};
use crate::Result;
use crate::number::grouped;

/// A table of a network's layers. Its `Display` is the text table; the fields serve other forms.
///
/// ```
/// use limpid::net::{NetSpec, Summary};
///
/// let spec = NetSpec::seed();
/// let summary = Summary::new(&spec, spec.input)?;
/// assert_eq!(summary.parameters, 37_601);
/// println!("{summary}");
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Name of the network.
    pub name: String,
    /// Shape of the image.
    pub input: Shape,
    /// One row per layer, in order.
    pub rows: Vec<Row>,
    /// Parameters of all layers.
    pub parameters: usize,
    /// Multiply-accumulates of a forward pass over one image.
    pub macs: u64,
    /// Index of the row whose output is the code.
    pub latent: Option<usize>,
}

/// One layer of a [`Summary`].
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name of the layer.
    pub name: String,
    /// Type, size and activation, e.g. `conv 3x3, lrelu:0.1`.
    pub kind: String,
    /// Shape of the output.
    pub output: Shape,
    /// Number of parameters, kernel and bias.
    pub parameters: usize,
    /// Multiply-accumulates of a forward pass over one image, those with padding zeros counted too.
    pub macs: u64,
}

impl Summary {
    /// The summary of a network that is fitted to images of shape `input`.
    ///
    /// # Errors
    /// If the description is not valid, or not for such images.
    pub fn new(spec: &NetSpec, input: Shape) -> Result<Self> {
        let row = |(layer, fitted): (&super::LayerSpec, &super::layers::Layer)| Row {
            name: layer.name.clone(),
            kind: kind(&layer.kind),
            output: fitted.output(),
            parameters: fitted.parameters(),
            macs: fitted.macs(),
        };
        let rows: Vec<Row> = spec.layers.iter().zip(&spec.layers(input)?).map(row).collect();
        Ok(Self {
            name: spec.name.clone(),
            input,
            parameters: rows.iter().map(|row| row.parameters).sum(),
            macs: rows.iter().map(|row| row.macs).sum(),
            latent: spec.latent_index(),
            rows,
        })
    }
}

/// Type, size and activation of a layer; a stride of 1 and the absence of an activation are not worth a word.
fn kind(kind: &LayerKind) -> String {
    let name = kind.type_name();
    match *kind {
        LayerKind::MaxPool { size } => format!("{name} {size}x{size}"),
        LayerKind::Dense { activation: super::Activation::Linear, .. } => name.to_owned(),
        LayerKind::Dense { activation, .. } => format!("{name}, {activation}"),
        LayerKind::Conv { kernel, stride, activation, .. }
        | LayerKind::ConvTranspose { kernel, stride, activation, .. } => {
            let mut text = format!("{name} {kernel}x{kernel}");
            if stride != 1 {
                text += &format!(", stride {stride}");
            }
            if activation != super::Activation::Linear {
                text += &format!(", {activation}");
            }
            text
        }
    }
}

/// The headings; layer and output stand left, numbers right.
const HEADINGS: [&str; 4] = ["Layer (type)", "Output", "Parameters", "Multiply-accumulates"];

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total =
            [String::from("Total"), String::new(), grouped(self.parameters as u64), grouped(self.macs)];
        let rows: Vec<[String; 4]> = self
            .rows
            .iter()
            .map(|row| {
                let layer = format!("{} ({})", row.name, row.kind);
                [layer, row.output.to_string(), grouped(row.parameters as u64), grouped(row.macs)]
            })
            .collect();
        let widths: [usize; 4] = std::array::from_fn(|column| {
            let cells = rows.iter().chain([&total]).map(|row| row[column].len());
            cells.chain([HEADINGS[column].len()]).max().expect("there is a heading")
        });
        let mut line = |cells: [&str; 4]| {
            let [layer, output, parameters, macs] = cells;
            let [w0, w1, w2, w3] = widths;
            writeln!(f, "{layer:<w0$}  {output:<w1$}  {parameters:>w2$}  {macs:>w3$}")
        };
        let rules = widths.map(|width| "─".repeat(width));
        let rule = rules.each_ref().map(String::as_str);

        line(HEADINGS)?;
        line(rule)?;
        for row in &rows {
            line(row.each_ref().map(String::as_str))?;
        }
        line(rule)?;
        line(total.each_ref().map(String::as_str))?;

        write!(f, "\nNetwork {:?} on images of {}", self.name, self.input)?;
        if let Some(latent) = self.latent {
            let Row { name, output, .. } = &self.rows[latent];
            write!(
                f,
                "; the code is the output of {name}: {output} = {} numbers",
                grouped(output.len() as u64)
            )?;
        }
        writeln!(f, ".\nThe sigmoid that turns logits into pixels is part of the loss.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_seed_network() {
        let seed = NetSpec::seed();
        insta::assert_snapshot!(Summary::new(&seed, seed.input).unwrap());
    }

    #[test]
    fn rows_carry_the_design_table() {
        let seed = NetSpec::seed();
        let summary = Summary::new(&seed, seed.input).unwrap();
        let parameters: Vec<usize> = summary.rows.iter().map(|row| row.parameters).collect();
        assert_eq!(parameters, [320, 0, 9_248, 0, 9_248, 9_248, 9_248, 289]);
        // Pixels of the small side, kernel values: a transposed convolution multiplies each input pixel by its kernel.
        let kernel = 9 * 32 * 32;
        let macs: Vec<u64> = summary.rows.iter().map(|row| row.macs).collect();
        let expected =
            [784 * 9 * 32, 0, 196 * kernel, 0, 49 * kernel, 49 * kernel, 196 * kernel, 784 * 9 * 32];
        assert_eq!(macs, expected);
        assert_eq!(summary.macs, expected.iter().sum::<u64>());
    }
}
