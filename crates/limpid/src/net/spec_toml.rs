//! How a network description is written: TOML tables, and the way from them to a [`NetSpec`] and back.

use limpid_kernels::Shape;
use serde::{Deserialize, Serialize};

use super::{Activation, LayerKind, LayerSpec, NetSpec};
use crate::{Error, Result};

/// The root table of a description.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetTable {
    name: String,
    /// Height, width, channels.
    input: [usize; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    latent: Option<String>,
    #[serde(rename = "layer", default)]
    layers: Vec<LayerTable>,
}

/// One `[[layer]]`. Which of the optional fields it takes depends on its type.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerTable {
    name: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stride: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    /// Of a dense layer: the values of an output of 1 x 1 x `units`, or the output's height, width and channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<[usize; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<Activation>,
}

impl NetTable {
    /// Reads the tables, without a look at what they mean.
    pub(super) fn parse(text: &str) -> Result<Self> {
        toml::from_str(text)
            .map_err(|error| Error::invalid("network description", error.to_string().trim_end().to_owned()))
    }

    pub(super) fn print(&self) -> String {
        toml::to_string(self).expect("tables of strings and small numbers can be written as TOML")
    }
}

impl TryFrom<NetTable> for NetSpec {
    type Error = Error;

    fn try_from(table: NetTable) -> Result<Self> {
        let [height, width, channels] = table.input;
        let layers = table.layers.into_iter().map(LayerSpec::try_from).collect::<Result<_>>()?;
        let spec = Self {
            name: table.name,
            input: Shape::new(height, width, channels),
            layers,
            latent: table.latent,
        };
        spec.validate()?;
        Ok(spec)
    }
}

impl From<NetSpec> for NetTable {
    fn from(spec: NetSpec) -> Self {
        Self {
            name: spec.name,
            input: [spec.input.height, spec.input.width, spec.input.channels],
            latent: spec.latent,
            layers: spec.layers.into_iter().map(LayerTable::from).collect(),
        }
    }
}

impl TryFrom<LayerTable> for LayerSpec {
    type Error = Error;

    fn try_from(table: LayerTable) -> Result<Self> {
        let LayerTable { name, r#type, filters, kernel, stride, size, units, shape, activation } = table;
        let refuse = |problem: String| Error::invalid(format!("layer {name:?}"), problem);
        let surplus = |fields: &[(&str, bool)], takes: &str| match fields.iter().find(|(_, given)| *given) {
            Some((field, _)) => Err(refuse(format!("a {type} layer has no \"{field}\"; it takes {takes}"))),
            None => Ok(()),
        };
        let convolution = |default_stride| {
            let fields = [("size", size.is_some()), ("units", units.is_some()), ("shape", shape.is_some())];
            surplus(&fields, "filters, kernel, stride and activation")?;
            let filters = filters.ok_or_else(|| {
                refuse(
                    "\"filters\" is missing, the number of output channels, for example filters = 32".into(),
                )
            })?;
            Ok((
                filters,
                kernel.unwrap_or(3),
                stride.unwrap_or(default_stride),
                activation.unwrap_or_default(),
            ))
        };
        let kind = match r#type.as_str() {
            "conv" => {
                let (filters, kernel, stride, activation) = convolution(1)?;
                LayerKind::Conv { filters, kernel, stride, activation }
            }
            "conv_transpose" => {
                let (filters, kernel, stride, activation) = convolution(2)?;
                LayerKind::ConvTranspose { filters, kernel, stride, activation }
            }
            "max_pool" => {
                let fields = [
                    ("filters", filters.is_some()),
                    ("kernel", kernel.is_some()),
                    ("stride", stride.is_some()),
                    ("units", units.is_some()),
                    ("shape", shape.is_some()),
                    ("activation", activation.is_some()),
                ];
                surplus(&fields, "size, which is also its stride")?;
                LayerKind::MaxPool { size: size.unwrap_or(2) }
            }
            "dense" => {
                let fields = [
                    ("filters", filters.is_some()),
                    ("kernel", kernel.is_some()),
                    ("stride", stride.is_some()),
                    ("size", size.is_some()),
                ];
                surplus(&fields, "units or shape, and activation")?;
                let output = match (units, shape) {
                    (Some(units), None) => Shape::new(1, 1, units),
                    (None, Some([height, width, channels])) => Shape::new(height, width, channels),
                    _ => {
                        return Err(refuse(
                            "a dense layer takes either \"units\", the number of its outputs, for example units = 30, or \
                             their \"shape\", for example shape = [28, 28, 1]"
                                .into(),
                        ));
                    }
                };
                LayerKind::Dense { output, activation: activation.unwrap_or_default() }
            }
            _ => {
                return Err(refuse(format!(
                    "unknown type {type:?}, expected \"conv\", \"conv_transpose\", \"max_pool\" or \"dense\""
                )));
            }
        };
        Ok(Self { name, kind })
    }
}

impl From<LayerSpec> for LayerTable {
    fn from(LayerSpec { name, kind }: LayerSpec) -> Self {
        let bare = Self {
            name,
            r#type: kind.type_name().to_owned(),
            filters: None,
            kernel: None,
            stride: None,
            size: None,
            units: None,
            shape: None,
            activation: None,
        };
        match kind {
            LayerKind::MaxPool { size } => Self { size: Some(size), ..bare },
            LayerKind::Dense { output: Shape { height: 1, width: 1, channels }, activation } => {
                Self { units: Some(channels), activation: Some(activation), ..bare }
            }
            LayerKind::Dense { output, activation } => Self {
                shape: Some([output.height, output.width, output.channels]),
                activation: Some(activation),
                ..bare
            },
            LayerKind::Conv { filters, kernel, stride, activation }
            | LayerKind::ConvTranspose { filters, kernel, stride, activation } => Self {
                filters: Some(filters),
                kernel: Some(kernel),
                stride: Some(stride),
                activation: Some(activation),
                ..bare
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = \"tiny\"\ninput = [8, 8, 1]\n";

    fn message(rest: &str) -> String {
        NetSpec::from_toml(&format!("{HEAD}{rest}")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let seed = NetSpec::seed();
        assert_eq!(NetSpec::from_toml(&seed.to_toml()).unwrap(), seed);
        let without_latent = NetSpec { latent: None, ..seed };
        assert_eq!(NetSpec::from_toml(&without_latent.to_toml()).unwrap(), without_latent);
    }

    #[test]
    fn the_text_is_the_template_without_its_comments() {
        let template: String = include_str!("../../nets/seed.toml")
            .lines()
            .map(|line| line.split('#').next().unwrap().trim_end())
            .skip_while(|line| line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(NetSpec::seed().to_toml(), template);
    }

    #[test]
    fn other_formats_of_serde_hold_it_too() {
        let seed = NetSpec::seed();
        let json = serde_json::to_string(&seed).unwrap();
        assert_eq!(serde_json::from_str::<NetSpec>(&json).unwrap(), seed);
        let broken = json.replace("\"filters\":1,", "\"filters\":2,");
        assert!(
            serde_json::from_str::<NetSpec>(&broken).unwrap_err().to_string().contains("layer \"logits\"")
        );
    }

    #[test]
    fn defaults_make_it_short() {
        let text = "[[layer]]\nname = \"down\"\ntype = \"max_pool\"\n\
                    [[layer]]\nname = \"up\"\ntype = \"conv_transpose\"\nfilters = 4\n\
                    [[layer]]\nname = \"logits\"\ntype = \"conv\"\nfilters = 1\n";
        let spec = NetSpec::from_toml(&format!("{HEAD}{text}")).unwrap();
        let activation = Activation::Linear;
        assert_eq!(spec.layers[0].kind, LayerKind::MaxPool { size: 2 });
        assert_eq!(
            spec.layers[1].kind,
            LayerKind::ConvTranspose { filters: 4, kernel: 3, stride: 2, activation }
        );
        assert_eq!(spec.layers[2].kind, LayerKind::Conv { filters: 1, kernel: 3, stride: 1, activation });
        assert_eq!(spec.latent, None);
    }

    #[test]
    fn unknown_fields_are_named() {
        let text = message("[[layer]]\nname = \"a\"\ntype = \"conv\"\nfilters = 1\npadding = \"valid\"\n");
        assert!(text.starts_with("network description: TOML parse error at line 7"), "{text}");
        assert!(
            text.contains("unknown field `padding`, expected one of `name`, `type`, `filters`"),
            "{text}"
        );
        let text = message("epochs = 3\n");
        assert!(text.contains("unknown field `epochs`"), "{text}");
    }

    #[test]
    fn fields_that_the_type_does_not_take_are_named() {
        assert_eq!(
            message("[[layer]]\nname = \"p\"\ntype = \"max_pool\"\nfilters = 3\n"),
            "layer \"p\": a max_pool layer has no \"filters\"; it takes size, which is also its stride"
        );
        assert_eq!(
            message("[[layer]]\nname = \"c\"\ntype = \"conv\"\nfilters = 3\nsize = 2\n"),
            "layer \"c\": a conv layer has no \"size\"; it takes filters, kernel, stride and activation"
        );
    }

    #[test]
    fn missing_and_impossible_values_are_named() {
        assert_eq!(
            message("[[layer]]\nname = \"c\"\ntype = \"conv\"\n"),
            "layer \"c\": \"filters\" is missing, the number of output channels, for example filters = 32"
        );
        assert_eq!(
            message("[[layer]]\nname = \"d\"\ntype = \"lstm\"\n"),
            "layer \"d\": unknown type \"lstm\", expected \"conv\", \"conv_transpose\", \"max_pool\" or \"dense\""
        );
        let text = message("[[layer]]\nname = \"c\"\ntype = \"conv\"\nfilters = -1\n");
        assert!(text.contains("line 6") && text.contains("-1"), "{text}");
        let text = message("[[layer]]\nname = \"c\"\ntype = \"conv\"\nfilters = 1\nactivation = \"tanh\"\n");
        assert!(text.contains("line 7") && text.contains("expected linear, relu or lrelu:SLOPE"), "{text}");
        let text = NetSpec::from_toml("name = \"x\"").unwrap_err().to_string();
        assert!(text.contains("missing field `input`"), "{text}");
    }
}
