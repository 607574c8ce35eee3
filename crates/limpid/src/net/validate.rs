//! Whether a description makes sense, and fits an image: every message names the layer.
//!
//! The limits are far beyond any useful network. They are here so that a hostile or mistyped description, or the header
//! of a damaged model file, is refused before anything of its size is allocated or multiplied.

use std::collections::HashSet;

use limpid_kernels::Shape;

use super::{Activation, LayerKind, LayerSpec, NetSpec, layers::Layer};
use crate::{Error, Result};

/// Layers of a network, at most.
pub const MAX_LAYERS: usize = 256;
/// Characters of a layer's name, at most; the name is part of tensor names in files.
pub const MAX_NAME: usize = 64;
/// Filters of a layer, at most.
pub const MAX_FILTERS: usize = 4096;
/// Rows and columns of a kernel, at most.
pub const MAX_KERNEL: usize = 31;
/// Stride of a convolution, at most.
pub const MAX_STRIDE: usize = 16;
/// Size of a pooling window, at most: the position of the maximum, below 15 * 15 = 225, is kept in a byte.
pub const MAX_POOL: usize = limpid_kernels::pool::MAX_SIZE;
/// Height and width of a feature map, at most.
pub const MAX_SIDE: usize = 1 << 16;
/// Values of a feature map, at most: `2^31`, or as many `f64` as the machine can address where that is less.
pub const MAX_VALUES: usize = {
    let addressable = isize::MAX as usize / size_of::<f64>();
    if addressable < (1 << 31) { addressable } else { 1 << 31 }
};
/// Parameters of a network, at most: `2^26`, 256 MiB as `f32` and 1 GiB with gradient and Adam's two moments.
pub const MAX_PARAMETERS: usize = 1 << 26;

/// See [`NetSpec::layers`].
pub(super) fn layers(spec: &NetSpec, input: Shape) -> Result<Vec<Layer>> {
    check_input(input)?;
    check_names(spec)?;
    for layer in &spec.layers {
        check_numbers(layer)?;
    }
    check_last(spec)?;

    let mut shape = input;
    let mut layers = Vec::with_capacity(spec.layers.len());
    let mut parameters = 0;
    for layer in &spec.layers {
        if matches!(layer.kind, LayerKind::Dense { .. }) && input != spec.input {
            let problem = format!(
                "a dense layer has weights for images of {} only, these are {input}; use images of that size, or a network of \
                 convolutions",
                spec.input
            );
            return Err(at(layer, problem));
        }
        let fitted = fit(layer, shape)?;
        parameters += fitted.parameters();
        if parameters > MAX_PARAMETERS {
            return Err(at(
                layer,
                format!("more than {MAX_PARAMETERS} parameters up to here; try fewer filters"),
            ));
        }
        shape = fitted.output();
        layers.push(fitted);
    }
    check_output(spec, input, shape)?;
    Ok(layers)
}

/// See [`NetSpec::multiple`].
pub(super) fn multiple(spec: &NetSpec) -> Option<usize> {
    // Behind each layer the side is `side * up / down` in lowest terms, whole if it is a multiple of `down`.
    let (mut up, mut down, mut multiple) = (1_usize, 1_usize, 1_usize);
    for layer in &spec.layers {
        let (LayerKind::Conv { stride: factor, .. }
        | LayerKind::MaxPool { size: factor }
        | LayerKind::ConvTranspose { stride: factor, .. }) = layer.kind
        else {
            return None; // a dense layer takes one size only
        };
        if factor == 0 {
            return None;
        }
        match layer.kind {
            LayerKind::ConvTranspose { .. } => up = factor.checked_mul(up)?,
            _ => down = factor.checked_mul(down)?,
        }
        let common = gcd(up, down);
        (up, down) = (up / common, down / common);
        multiple = down.checked_mul(multiple / gcd(multiple, down))?;
    }
    (up == 1 && down == 1).then_some(multiple)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// An error about a layer.
fn at(layer: &LayerSpec, problem: impl Into<String>) -> Error {
    Error::invalid(format!("layer {:?}", layer.name), problem)
}

fn check_input(input: Shape) -> Result<()> {
    let refuse = |problem: String| Err(Error::invalid(format!("network input of {input}"), problem));
    if input.channels != 1 {
        return refuse(format!("{} channels, expected 1: images are gray", input.channels));
    }
    if !(1..=MAX_SIDE).contains(&input.height) || !(1..=MAX_SIDE).contains(&input.width) {
        return refuse(format!("height and width must be between 1 and {MAX_SIDE}"));
    }
    if input.height as u64 * input.width as u64 > MAX_VALUES as u64 {
        return refuse(format!("an image can have at most {MAX_VALUES} pixels"));
    }
    Ok(())
}

fn check_names(spec: &NetSpec) -> Result<()> {
    let refuse = |problem: String| Err(Error::invalid("network description", problem));
    if spec.layers.is_empty() {
        return refuse("there are no layers, expected at least one [[layer]]".into());
    }
    if spec.layers.len() > MAX_LAYERS {
        return refuse(format!("{} layers, expected at most {MAX_LAYERS}", spec.layers.len()));
    }
    let mut names = HashSet::new();
    for (index, LayerSpec { name, .. }) in spec.layers.iter().enumerate() {
        let place = format!("layer {} of {}", index + 1, spec.layers.len());
        if name.is_empty() {
            return Err(Error::invalid(place, "its name is empty, expected a name such as \"conv1\""));
        }
        if name.len() > MAX_NAME || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        {
            return Err(Error::invalid(
                place,
                format!("the name {name:?} must be 1 to {MAX_NAME} of the characters a-z, A-Z, 0-9, _ and -"),
            ));
        }
        if !names.insert(name.as_str()) {
            return Err(Error::invalid(place, format!("the name {name:?} is taken by a layer before it")));
        }
    }
    if let Some(latent) = spec.latent.as_deref().filter(|latent| !names.contains(latent)) {
        let names: Vec<&str> = spec.layers.iter().map(|layer| layer.name.as_str()).collect();
        return Err(Error::invalid(
            format!("latent {latent:?}"),
            format!("no layer has this name, expected one of {}", names.join(", ")),
        ));
    }
    Ok(())
}

fn check_numbers(layer: &LayerSpec) -> Result<()> {
    let between = |what: &str, value: usize, max: usize| {
        if (1..=max).contains(&value) {
            Ok(())
        } else {
            Err(at(layer, format!("{what} is {value}, expected 1 to {max}")))
        }
    };
    match layer.kind {
        LayerKind::Conv { filters, kernel, stride, activation }
        | LayerKind::ConvTranspose { filters, kernel, stride, activation } => {
            between("filters", filters, MAX_FILTERS)?;
            between("kernel", kernel, MAX_KERNEL)?;
            between("stride", stride, MAX_STRIDE)?;
            activation.validate().map_err(|error| at(layer, error.to_string()))
        }
        LayerKind::MaxPool { size } => between("size", size, MAX_POOL),
        LayerKind::Dense { output, activation } => {
            between("height", output.height, MAX_SIDE)?;
            between("width", output.width, MAX_SIDE)?;
            between("units", output.channels, MAX_FILTERS)?;
            activation.validate().map_err(|error| at(layer, error.to_string()))
        }
    }
}

/// The last layer gives the logits.
fn check_last(spec: &NetSpec) -> Result<()> {
    let Some(last) = spec.layers.last() else { return Ok(()) };
    match last.kind {
        LayerKind::MaxPool { .. } => Err(at(
            last,
            "the last layer gives the logits and cannot be a max_pool; end with a conv of 1 filter",
        )),
        LayerKind::Conv { filters, .. } | LayerKind::ConvTranspose { filters, .. } if filters != 1 => {
            Err(at(
                last,
                format!(
                    "the last layer gives the logits of a gray image: expected filters = 1, found {filters}"
                ),
            ))
        }
        kind if kind.activation() != Activation::Linear => Err(at(
            last,
            format!(
                "the last layer gives the logits, which a sigmoid in the loss turns into pixels: \
                 expected activation = \"linear\", found \"{}\"",
                kind.activation()
            ),
        )),
        _ => Ok(()),
    }
}

/// Gives a layer with valid numbers its input.
fn fit(layer: &LayerSpec, input: Shape) -> Result<Layer> {
    match layer.kind {
        LayerKind::MaxPool { size } if size > input.height.min(input.width) => {
            return Err(at(
                layer,
                format!(
                    "its pool of {size}x{size} is larger than its input of {input}; use larger images or fewer pools"
                ),
            ));
        }
        _ => {}
    }
    // The factors are at most MAX_SIDE, MAX_STRIDE and MAX_FILTERS: their product fits 64 bits.
    let (height, width, channels) = output_sides(layer.kind, input);
    let side = MAX_SIDE as u64;
    if height > side || width > side || height * width * channels > MAX_VALUES as u64 {
        return Err(at(
            layer,
            format!(
                "its output of {height}x{width}x{channels} is too large: at most {MAX_SIDE} rows and columns and \
                 {MAX_VALUES} values; use smaller images, strides or fewer filters"
            ),
        ));
    }
    // Both sides have at most MAX_VALUES: their product fits 64 bits, but not always a usize.
    if matches!(layer.kind, LayerKind::Dense { .. })
        && input.len() as u64 * (height * width * channels) > MAX_PARAMETERS as u64
    {
        return Err(at(
            layer,
            format!(
                "a dense layer from {input} to {height}x{width}x{channels} has more than {MAX_PARAMETERS} parameters; try \
                 smaller images or fewer units"
            ),
        ));
    }
    Ok(Layer::new(layer.kind, input))
}

/// Height, width and channels of a layer's output, in integers that do not overflow.
fn output_sides(kind: LayerKind, input: Shape) -> (u64, u64, u64) {
    let (height, width) = (input.height as u64, input.width as u64);
    match kind {
        LayerKind::Conv { filters, stride, .. } => {
            (height.div_ceil(stride as u64), width.div_ceil(stride as u64), filters as u64)
        }
        LayerKind::MaxPool { size } => (height / size as u64, width / size as u64, input.channels as u64),
        LayerKind::ConvTranspose { filters, stride, .. } => {
            (height * stride as u64, width * stride as u64, filters as u64)
        }
        LayerKind::Dense { output, .. } => {
            (output.height as u64, output.width as u64, output.channels as u64)
        }
    }
}

/// The reconstruction must have the size of the image.
fn check_output(spec: &NetSpec, input: Shape, output: Shape) -> Result<()> {
    if output == input {
        return Ok(());
    }
    let would = format!("the output would be {output} but the input is {input}");
    if spec.layers.iter().any(|layer| matches!(layer.kind, LayerKind::Dense { .. })) {
        let problem = format!(
            "{would}; end with a dense layer of shape = [{}, {}, {}], or with layers that enlarge to it",
            input.height, input.width, input.channels
        );
        return Err(Error::invalid("network description", problem));
    }
    let Some(multiple) = multiple(spec) else {
        return Err(Error::invalid(
            "network description",
            format!(
                "{would}; the layers must enlarge (conv_transpose) as much as they reduce (max_pool, strides)"
            ),
        ));
    };
    // Name the first layer that rounds.
    let mut shape = input;
    for layer in &spec.layers {
        if let LayerKind::Conv { stride: factor, .. } | LayerKind::MaxPool { size: factor } = layer.kind
            && !(shape.height.is_multiple_of(factor) && shape.width.is_multiple_of(factor))
        {
            return Err(at(
                layer,
                format!(
                    "its input of {}x{} does not divide by {factor}, so {would}; \
                     height and width must be multiples of {multiple}",
                    shape.height, shape.width
                ),
            ));
        }
        shape = Layer::new(layer.kind, shape).output();
    }
    unreachable!("where no layer rounds, layers that balance give an output of the input's size")
}

#[cfg(test)]
mod tests;
