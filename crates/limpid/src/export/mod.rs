//! A trained network as an ONNX file, for OpenCV, ONNX Runtime and whoever else reads ONNX.
//!
//! Opset 13 and IR version 8, explicit pads, names instead of numbers for batch, height and width: what every importer
//! takes. Images go in and out as `[batch, 1, height, width]`, pixels in `[0, 1]`, as the network was trained. The same model
//! gives the same bytes.

mod graph;
mod layers;
mod proto;
mod tail;

use std::str::FromStr;

use prost::Message as _;

use crate::denoise::Autoencoder;
use crate::net::NetSpec;
use crate::{Error, Result};
use graph::Builder;
use proto::{
    Dimension, Entry, FLOAT, Graph, Model, OperatorSet, Size, TensorShape, TensorType, Type, ValueInfo,
};
use tail::Tail;

/// Version of the standard's operators.
const OPSET: i64 = 13;
/// Version of the file format.
const IR_VERSION: i64 = 8;

/// Which layers to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// From the noisy image to the denoised one.
    #[default]
    Full,
    /// From the noisy image to the code, the output of the layer that the network calls its latent one.
    Encoder,
    /// From the code to the denoised image.
    Decoder,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Full, Self::Encoder, Self::Decoder];

    /// `full`, `encoder` or `decoder`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Part {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|part| part.name() == text).ok_or_else(|| {
            Error::invalid(format!("part {text:?}"), "expected full, encoder or decoder, for example full")
        })
    }
}

/// What to export, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnnxOptions {
    /// Which layers.
    pub part: Part,
    /// Write the layers behind the last activation as one operation. Equal up to rounding, and several times faster.
    pub folded: bool,
    /// End with the logits instead of their sigmoid.
    pub logits: bool,
}

impl OnnxOptions {
    /// The name of the graph's input: `image`, or `code` for a decoder.
    pub fn input_name(&self) -> &'static str {
        if self.part == Part::Decoder { "code" } else { "image" }
    }

    /// The name of the graph's output: `denoised` or `logits`, or `code` for an encoder.
    pub fn output_name(&self) -> &'static str {
        match self {
            Self { part: Part::Encoder, .. } => "code",
            Self { logits: true, .. } => "logits",
            _ => "denoised",
        }
    }
}

/// The model as the bytes of an ONNX file.
///
/// [`OnnxOptions::input_name`] and [`OnnxOptions::output_name`] say what input and output are called.
///
/// ```
/// use limpid::{denoise::Autoencoder, export::{OnnxOptions, to_onnx}, net::NetSpec};
///
/// let model = Autoencoder::untrained(NetSpec::seed(), 1)?;
/// let bytes = to_onnx(&model, &OnnxOptions { folded: true, ..OnnxOptions::default() })?;
/// # assert!(bytes.len() > 4 * 19_000);
/// # Ok::<(), limpid::Error>(())
/// ```
///
/// # Errors
/// If the model's network and parameters do not belong together, the network has no latent layer and a part was asked for, or
/// its tail cannot be folded.
pub fn to_onnx(model: &Autoencoder, options: &OnnxOptions) -> Result<Vec<u8>> {
    let exported = Exported::new(model, options)?;
    Ok(exported.model().encode_to_vec())
}

/// A graph with what must be said about it.
struct Exported<'a> {
    source: &'a Autoencoder,
    options: &'a OnnxOptions,
    graph: Builder,
    input: ValueInfo,
    output: ValueInfo,
    /// Height and width of images must be multiples of this, ...
    multiple: usize,
    /// ... and no smaller than this.
    minimum: usize,
}

impl<'a> Exported<'a> {
    fn new(model: &'a Autoencoder, options: &'a OnnxOptions) -> Result<Self> {
        let (spec, OnnxOptions { part, folded, logits }) = (&model.net, *options);
        let fitted = spec.layers(spec.input)?;
        if crate::net::ParameterLayout::new(spec)? != *model.parameters.layout() {
            return Err(Error::invalid("parameters", "they are those of another network than the model's"));
        }
        let multiple = multiple(spec)?;
        let latent = latent(spec, part)?;
        let (first, last) = match part {
            Part::Full => (0, spec.layers.len()),
            Part::Encoder => (0, latent + 1),
            Part::Decoder => (latent + 1, spec.layers.len()),
        };
        if part == Part::Encoder && (folded || logits) {
            let (option, what) =
                if folded { ("folding", "tail to fold") } else { ("logits", "logits and no sigmoid") };
            return Err(Error::invalid(
                option,
                format!("the encoder ends with the code and has no {what}; leave it out"),
            ));
        }
        let tail = folded.then(|| Tail::new(spec, &model.parameters, first)).transpose()?;

        let mut graph = Builder::default();
        let mut value = options.input_name().to_owned();
        for index in first..tail.as_ref().map_or(last, |tail| tail.first) {
            let layer = &spec.layers[index];
            let tensors = model.parameters.layout().layer(index);
            let tensors = tensors.map(|ranges| ranges.split(model.parameters.values()));
            value = layers::add(&mut graph, layer, tensors, &value);
        }
        if let Some(tail) = &tail {
            value = tail.add(&mut graph, &value);
        }
        let output_name = options.output_name();
        if output_name == "denoised" {
            value = graph.node("Sigmoid", "sigmoid", &[&value], []);
        }
        graph.rename_output(&value, output_name);

        // Pixels of the image along each side, by pixels of the tail's input.
        let scale = |index: usize| spec.input.height / fitted[index].input().height;
        let minimum = tail.as_ref().map_or(multiple, |tail| multiple.max(tail.minimum() * scale(tail.first)));
        let code = |doc: &str| {
            let channels = fitted[latent].output().channels;
            value_info("code", channels, ["code_height", "code_width"], doc)
        };
        let sizes = format!("height and width multiples of {multiple} and at least {minimum}");
        let image = |name: &str, doc: &str| value_info(name, 1, ["height", "width"], doc);
        let input = match part {
            Part::Decoder => code("the code, as the encoder gives it"),
            _ => image("image", &format!("noisy gray images, pixels in [0, 1]; {sizes}")),
        };
        let output = match output_name {
            "code" => code("the code, a map of the image"),
            "logits" => image("logits", "the denoised images before the sigmoid"),
            _ => image("denoised", "the denoised images, pixels in [0, 1]"),
        };
        Ok(Self { source: model, options, graph, input, output, multiple, minimum })
    }

    fn model(self) -> Model {
        let Self { source, options, graph, input, output, multiple, minimum } = self;
        let json =
            |value: serde_json::Result<String>| value.expect("strings and numbers can be written as JSON");
        let mut metadata = vec![
            ("limpid.part", options.part.to_string()),
            ("limpid.network", json(serde_json::to_string(&source.net))),
            ("limpid.noise", source.noise.to_string()),
            ("limpid.input_range", "[0, 1]".to_owned()),
            ("limpid.multiple", multiple.to_string()),
            ("limpid.minimum", minimum.to_string()),
        ];
        if let Some(training) = &source.training {
            metadata.push(("limpid.training", json(serde_json::to_string(training))));
        }
        let entry = |(key, value): (&str, String)| Entry { key: key.to_owned(), value };
        Model {
            ir_version: IR_VERSION,
            producer_name: "limpid".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            doc_string: format!(
                "Denoising autoencoder {:?} ({}), trained to remove noise {}. Images are [batch, 1, height, width], \
                 pixels in [0, 1]; height and width are multiples of {multiple} and at least {minimum}.",
                source.net.name, options.part, source.noise
            ),
            graph: Some(Graph {
                node: graph.nodes,
                name: source.net.name.clone(),
                initializer: graph.initializers,
                input: vec![input],
                output: vec![output],
            }),
            opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
            metadata_props: metadata.into_iter().map(entry).collect(),
        }
    }
}

/// What height and width must be a multiple of.
fn multiple(spec: &NetSpec) -> Result<usize> {
    match spec.multiple() {
        Some(multiple)
            if spec.input.height.is_multiple_of(multiple) && spec.input.width.is_multiple_of(multiple) =>
        {
            Ok(multiple)
        }
        // Rounding up in one layer can make up for rounding down in another, at one size. ONNX would need to know the size.
        _ => Err(Error::invalid(
            "export",
            format!(
                "network {:?} fits its images of {}x{} only because its layers' roundings cancel at this size; \
                 to export it, give it an input whose sides divide at every layer",
                spec.name, spec.input.height, spec.input.width
            ),
        )),
    }
}

/// Index of the latent layer; any number where the part does not ask for it.
fn latent(spec: &NetSpec, part: Part) -> Result<usize> {
    match (spec.latent_index(), part) {
        (None, Part::Full) => Ok(0),
        (Some(latent), Part::Decoder) if latent + 1 == spec.layers.len() => Err(Error::invalid(
            "decoder",
            format!(
                "the latent layer of network {:?} is its last one; there is nothing behind it to export",
                spec.name
            ),
        )),
        (Some(latent), _) => Ok(latent),
        (None, _) => Err(Error::invalid(
            part.name(),
            format!(
                "network {:?} does not say which layer's output is the code: it has no line latent = \"LAYER\"; \
                 only the full network can be exported",
                spec.name
            ),
        )),
    }
}

/// An input or output `[batch, channels, height, width]`.
fn value_info(name: &str, channels: usize, sides: [&str; 2], doc: &str) -> ValueInfo {
    let symbol = |name: &str| Dimension { size: Some(Size::Symbol(name.to_owned())) };
    let fixed = Dimension { size: Some(Size::Fixed(channels as i64)) };
    let dim = vec![symbol("batch"), fixed, symbol(sides[0]), symbol(sides[1])];
    let tensor = TensorType { elem_type: FLOAT, shape: Some(TensorShape { dim }) };
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type { tensor_type: Some(tensor) }),
        doc_string: doc.to_owned(),
    }
}
