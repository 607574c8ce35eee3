//! Weights that another program trained: Keras' `.weights.h5`, and PyTorch's tensors in a `.safetensors` file.
//!
//! Such a file holds the tensors and nothing else, so the network that they belong to has to be named, and it has to be the same
//! network: every tensor of it must be in the file with its shape, and the file must hold no other layer's. `docs/import.md` says
//! which names are looked for and how the two programs must have been told to pad.
//!
//! Nothing in a file is believed: names, types, shapes and values are checked, and what is allocated is bounded by the network
//! and by the length of the file.

mod keras;
mod torch;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::denoise::Autoencoder;
use crate::net::{MAX_PARAMETERS, NetSpec, ParameterLayout, Parameters};
use crate::noise::Noise;
use crate::{Error, Result};

/// The weights of the largest network, three times, as with an optimizer's moments, and some space for names.
const MAX_FILE_BYTES: u64 = 3 * 4 * MAX_PARAMETERS as u64 + (1 << 24);

/// Reads the weights of a network from a file of Keras or PyTorch; the file's first bytes tell which. Noise is what the network
/// was trained to remove, which the file does not say.
///
/// # Errors
/// If the file cannot be read, is of another kind, is damaged, has a value that is not finite, or belongs to another network.
pub fn import(path: &Path, net: NetSpec, noise: Noise) -> Result<Autoencoder> {
    let mut bytes = Vec::new();
    let metadata = std::fs::metadata(path).map_err(|cause| Error::io("read", path, cause))?;
    if !metadata.is_file() {
        return Err(Error::data(path, "is no regular file, expected a .weights.h5 or .safetensors file"));
    }
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|cause| Error::io("read", path, cause))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::data(
            path,
            format!("has more than {MAX_FILE_BYTES} bytes, more than any network's weights"),
        ));
    }
    import_bytes(bytes, path, net, noise)
}

/// As [`import`], from the bytes of a file; `path` is what errors call it.
///
/// # Errors
/// As [`import`].
pub fn import_bytes(bytes: Vec<u8>, path: &Path, net: NetSpec, noise: Noise) -> Result<Autoencoder> {
    let layout = ParameterLayout::new(&net)?;
    let refuse = |problem: &str| Err(Error::data(path, problem));
    let values = match bytes.as_slice() {
        [] => return refuse("is empty, expected a .weights.h5 or .safetensors file"),
        [0x89, b'H', b'D', b'F', b'\r', b'\n', 0x1a, b'\n', ..] => keras::read(bytes, path, &net, &layout)?,
        // The length of the header comes first, 8 bytes, and the header is a JSON object.
        [_, _, _, _, _, _, _, _, b'{', ..] => torch::read(&bytes, path, &net, &layout)?,
        [b'P', b'K', 3, 4, ..] => {
            return refuse(
                "is a zip archive; of a Keras model save the weights with model.save_weights(\"x.weights.h5\"), of a \
                 PyTorch model with safetensors.torch.save_file(model.state_dict(), \"x.safetensors\")",
            );
        }
        [0x80, ..] => {
            return refuse(
                "is a Python pickle, which could run anything; save the weights with \
                 safetensors.torch.save_file(model.state_dict(), \"x.safetensors\")",
            );
        }
        _ => return refuse("is neither a .weights.h5 file of Keras nor a .safetensors file"),
    };
    if let Some(tensor) =
        layout.tensors().iter().find(|tensor| values[tensor.range.clone()].iter().any(|v| !v.is_finite()))
    {
        return Err(Error::data(
            path,
            format!("what it has for {} includes a value that is not finite", tensor.name),
        ));
    }
    Ok(Autoencoder { net, parameters: Parameters::new(layout, values)?, noise, training: None })
}

/// The layers that have weights: index and name.
fn weighted<'a>(net: &'a NetSpec, layout: &'a ParameterLayout) -> impl Iterator<Item = (usize, &'a str)> {
    let layers = net.layers.iter().enumerate().filter(|(index, _)| layout.layer(*index).is_some());
    layers.map(|(index, layer)| (index, layer.name.as_str()))
}

/// Names for a message: a few of them.
fn listed(names: impl IntoIterator<Item = String>) -> String {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(8);
    names.truncate(8);
    let text = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    if more > 0 { format!("{text} and {more} more") } else { text }
}
