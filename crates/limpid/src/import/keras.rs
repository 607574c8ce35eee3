//! Keras 3: `model.save_weights("x.weights.h5")`.
//!
//! Of a sequential or functional model Keras calls the layers by their class and a count, whatever their names:
//! `layers/conv2d`, `layers/conv2d_1`, ..., `layers/conv2d_transpose`, ... Of a subclassed model the names are those of its
//! attributes: `conv1`, ... In each, `vars/0` is the kernel and `vars/1` the bias, as they lie in our own parameters.

use std::collections::HashSet;
use std::path::Path;

use hdf5_reader::group::Group;
use hdf5_reader::{Hdf5File, OpenOptions};

use super::{listed, weighted};
use crate::net::{LayerKind, NetSpec, ParameterLayout};
use crate::{Error, Result};

pub(super) fn read(bytes: Vec<u8>, path: &Path, net: &NetSpec, layout: &ParameterLayout) -> Result<Vec<f32>> {
    let damaged = |error: hdf5_reader::error::Error| {
        Error::data(path, format!("cannot be read as HDF5 ({error}); was it copied whole?"))
    };
    // Neither compressed nor anything but whole tensors: nothing in it can be longer than the file.
    let options = OpenOptions::default().with_max_read_bytes(bytes.len()).with_max_chunk_bytes(bytes.len());
    let file = Hdf5File::from_vec_with_options(bytes, options).map_err(damaged)?;
    let root = file.root_group().map_err(damaged)?;
    let (by_class, holder) = match root.group("layers") {
        Ok(layers) => (true, layers),
        Err(_) => (false, root),
    };
    let groups = holder.groups().map_err(damaged)?;
    let has_variables =
        |group: &Group| group.group("vars").and_then(|vars| vars.datasets()).is_ok_and(|d| !d.is_empty());
    let held: Vec<&Group> =
        groups.iter().filter(|group| group.name() != "optimizer" && has_variables(group)).collect();
    let names = || listed(held.iter().map(|group| group.name().to_owned()));

    let mut values = Vec::with_capacity(layout.len());
    let mut used = HashSet::new();
    let mut counts = [0; 2];
    for (index, layer) in weighted(net, layout) {
        let transposed = matches!(net.layers[index].kind, LayerKind::ConvTranspose { .. });
        let class = if transposed { "conv2d_transpose" } else { "conv2d" };
        let count = &mut counts[usize::from(transposed)];
        let name = match (by_class, *count) {
            (false, _) => layer.to_owned(),
            (true, 0) => class.to_owned(),
            (true, count) => format!("{class}_{count}"),
        };
        *count += 1;
        let group = held.iter().find(|group| group.name() == name).ok_or_else(|| {
            Error::data(path, format!("has no weights {name:?} for layer {layer:?}; it has {}", names()))
        })?;
        used.insert(name.clone());
        let variables = group.group("vars").map_err(damaged)?;
        let ranges = layout.layer(index).expect("only layers with weights");
        for (variable, role) in ["kernel", "bias"].into_iter().enumerate() {
            let tensor = layout.tensor(&format!("{layer}.{role}")).expect("a layer with weights has both");
            let expected: Vec<u64> = tensor.shape.iter().map(|&size| size as u64).collect();
            let dataset = variables.dataset(&variable.to_string()).map_err(|_| {
                let hint = if role == "bias" { "; layers need use_bias=True" } else { "" };
                Error::data(path, format!("has no {role} ({name}/vars/{variable}) for layer {layer:?}{hint}"))
            })?;
            if dataset.shape() != expected {
                return Err(Error::data(
                    path,
                    format!(
                        "{name}/vars/{variable} has the shape {:?}, the {role} of layer {layer:?} needs {expected:?}",
                        dataset.shape()
                    ),
                ));
            }
            let array = dataset.read_array::<f32>().map_err(|error| {
                Error::data(
                    path,
                    format!("{name}/vars/{variable} cannot be read as 32-bit numbers ({error})"),
                )
            })?;
            let read = array.iter().copied();
            if read.len() != tensor.range.len() {
                return Err(Error::data(
                    path,
                    format!("{name}/vars/{variable} does not have all its values"),
                ));
            }
            values.extend(read);
        }
        debug_assert_eq!(values.len(), ranges.bias.end);
    }
    if let Some(surplus) = held.iter().find(|group| !used.contains(group.name())) {
        return Err(Error::data(
            path,
            format!(
                "also has weights {:?}, for which network {:?} has no layer: it belongs to another network",
                surplus.name(),
                net.name
            ),
        ));
    }
    Ok(values)
}
