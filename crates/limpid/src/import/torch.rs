//! PyTorch: `safetensors.torch.save_file(model.state_dict(), "x.safetensors")`.
//!
//! A layer's tensors are `NAME.weight` and `NAME.bias`, where `NAME` is the layer's name in the network's description, or, in an
//! `nn.Sequential`, its number there: then the layers with weights are taken in their order. Either may stand behind a common
//! prefix, as in `module.conv1.weight`.
//!
//! `Conv2d` keeps `[out][in][ky][kx]`, ours is `[ky][kx][in][out]`; `ConvTranspose2d` keeps `[in][out][ky][kx]`, ours is
//! `[ky][kx][out][in]`: in both, the two outer sizes exchanged with the two inner ones, each pair in its order reversed.

use std::collections::HashSet;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::{listed, weighted};
use crate::net::{NetSpec, ParameterLayout, TensorLayout};
use crate::{Error, Result};

pub(super) fn read(bytes: &[u8], path: &Path, net: &NetSpec, layout: &ParameterLayout) -> Result<Vec<f32>> {
    let damaged = |error: safetensors::SafeTensorError| {
        Error::data(path, format!("is no intact .safetensors file ({error}); was it copied whole?"))
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    if metadata.metadata().as_ref().is_some_and(|entries| entries.contains_key("limpid")) {
        return Err(Error::data(path, "was written by limpid: it can be used as it is, without an import"));
    }
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let layers: Vec<&str> = weighted(net, layout).map(|(_, name)| name).collect();
    let names = names(&file, &layers).ok_or_else(|| {
        Error::data(
            path,
            format!(
                "has no tensors {:?}, {:?}, ... for the {} layers of network {:?} that have weights; it has {}",
                format!("{}.weight", layers[0]),
                format!("{}.bias", layers[0]),
                layers.len(),
                net.name,
                listed(file.names().into_iter().map(str::to_owned))
            ),
        )
    })?;

    let mut values = Vec::with_capacity(layout.len().min(bytes.len() / 4));
    let mut used = HashSet::new();
    for (layer, name) in layers.iter().zip(names) {
        for (role, suffix) in [("kernel", "weight"), ("bias", "bias")] {
            let tensor = layout.tensor(&format!("{layer}.{role}")).expect("a layer with weights has both");
            let name = format!("{name}.{suffix}");
            append(&file, path, &name, tensor, &mut values)?;
            used.insert(name);
        }
    }
    let surplus: Vec<String> =
        file.names().into_iter().filter(|&name| !used.contains(name)).map(str::to_owned).collect();
    if !surplus.is_empty() {
        let problem = "for which the network has no place: it belongs to another network";
        return Err(Error::data(path, format!("also has {}, {problem}", listed(surplus))));
    }
    Ok(values)
}

/// What stands before `.weight` in the name of each layer's kernel.
fn names(file: &SafeTensors<'_>, layers: &[&str]) -> Option<Vec<String>> {
    let stems: HashSet<&str> =
        file.names().into_iter().filter_map(|name| name.strip_suffix(".weight")).collect();
    // By name, behind whatever stands before the first layer's.
    let prefixes = stems.iter().filter_map(|stem| {
        let prefix = stem.strip_suffix(layers[0])?;
        (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
    });
    for prefix in prefixes {
        let named: Vec<String> = layers.iter().map(|layer| format!("{prefix}{layer}")).collect();
        if named.iter().all(|name| stems.contains(name.as_str())) {
            return Some(named);
        }
    }
    // By number in an `nn.Sequential`.
    let split = |stem: &str| -> Option<(String, u32)> {
        let (prefix, number) = stem.rsplit_once('.').unwrap_or(("", stem));
        Some((prefix.to_owned(), number.parse().ok()?))
    };
    let mut numbered: Vec<((String, u32), &str)> =
        stems.iter().map(|&stem| Some((split(stem)?, stem))).collect::<Option<_>>()?;
    numbered.sort_unstable();
    let one_sequence = numbered.iter().all(|((prefix, _), _)| *prefix == numbered[0].0.0);
    (one_sequence && numbered.len() == layers.len())
        .then(|| numbered.into_iter().map(|(_, stem)| stem.to_owned()).collect())
}

/// Appends a tensor's values in our order.
fn append(
    file: &SafeTensors<'_>,
    path: &Path,
    name: &str,
    tensor: &TensorLayout,
    values: &mut Vec<f32>,
) -> Result<()> {
    let view = file.tensor(name).map_err(|_| {
        let hint = if name.ends_with(".bias") { " (layers need bias=True)" } else { "" };
        Error::data(path, format!("has no tensor {name:?}, for {}{hint}", tensor.name))
    })?;
    let expected: Vec<usize> = tensor.shape.iter().rev().copied().collect();
    // A kernel is square, so which of its two sides comes first does not show in the shape.
    if view.dtype() != Dtype::F32 || view.shape() != expected {
        return Err(Error::data(
            path,
            format!(
                "tensor {name:?} is {:?} of shape {:?}, {} needs F32 of shape {expected:?}",
                view.dtype(),
                view.shape(),
                tensor.name
            ),
        ));
    }
    let read: Vec<f32> = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    match tensor.shape[..] {
        [rows, columns, a, b] => {
            let ours = (0..rows * columns).flat_map(|position| (0..a * b).map(move |ab| (position, ab)));
            values
                .extend(ours.map(|(position, ab)| read[((ab % b) * a + ab / b) * rows * columns + position]));
        }
        _ => values.extend(read),
    }
    Ok(())
}
