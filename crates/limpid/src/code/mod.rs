//! The code: what the encoder makes of an image, and what the decoder makes of a code.

mod file;

use crate::denoise::Autoencoder;
use crate::net::Shape;
use crate::net::plan::{Cut, Plan, Workspace};
use crate::{Error, Result};

pub use file::{Codes, Format};

/// The two halves of a model, for images of one size.
///
/// ```
/// use limpid::{code::Coder, denoise::Autoencoder, net::NetSpec};
///
/// let model = Autoencoder::untrained(NetSpec::seed(), 1)?;
/// let coder = Coder::new(&model, (28, 28))?;
/// assert_eq!(coder.shape().to_string(), "7x7x32");
/// let mut workspace = coder.workspace();
/// let code = coder.encode(&mut workspace, &[0.5; 784]);
/// let mut pixels = [0.0; 784];
/// coder.decode(&mut workspace, &code, &mut pixels);
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Coder {
    plan: Plan,
    cut: Cut,
    shape: Shape,
}

impl Coder {
    /// The halves of a model for images of `height` x `width`.
    ///
    /// # Errors
    /// If the network does not take images of this size, does not say which layer's output is the code, or computes that
    /// layer together with the next one, so that the code never exists.
    pub fn new(model: &Autoencoder, (height, width): (usize, usize)) -> Result<Self> {
        let net = &model.net;
        let refuse = |problem: String| Error::invalid(format!("network {:?}", net.name), problem);
        let index = net.latent_index().ok_or_else(|| {
            refuse(
                "does not say which layer's output is the code; add latent = \"NAME OF A LAYER\" to its \
                 description"
                    .into(),
            )
        })?;
        let plan = model.plan((height, width))?;
        let cut = plan.cut(index).ok_or_else(|| {
            refuse(format!(
                "its code, the output of layer {:?}, is never computed: the layer is folded into the next one; give it an \
                 activation, or name another layer",
                net.layers[index].name
            ))
        })?;
        let shape = net.shapes(Shape::new(height, width, net.input.channels))?[index];
        Ok(Self { plan, cut, shape })
    }

    /// The shape of a code; its values lie in this order, channels last.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The plan of both halves.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Buffers for one image at a time.
    pub fn workspace(&self) -> Workspace {
        self.plan.workspace()
    }

    /// The code of an image.
    ///
    /// # Panics
    /// If the number of pixels is not that of the images that the coder was made for.
    pub fn encode(&self, workspace: &mut Workspace, pixels: &[f32]) -> Vec<f32> {
        workspace.set_input(pixels);
        self.plan.forward_to(self.cut, workspace);
        workspace.values(self.cut).to_vec()
    }

    /// The image that a code stands for.
    ///
    /// # Panics
    /// If the number of values is not that of a code, or that of pixels not that of an image.
    pub fn decode(&self, workspace: &mut Workspace, code: &[f32], pixels: &mut [f32]) {
        workspace.set_values(self.cut, code);
        self.plan.forward_from(self.cut, workspace);
        self.plan.reconstruction(workspace, pixels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Image;
    use crate::net::{LayerKind, NetSpec};

    #[test]
    fn decoding_the_code_is_the_whole_network() {
        let model = Autoencoder::untrained(NetSpec::seed(), 3).unwrap();
        let image = Image::new(28, 28, (0..784).map(|i| (i % 29) as f32 / 28.0).collect()).unwrap();
        let coder = Coder::new(&model, (28, 28)).unwrap();
        let mut workspace = coder.workspace();
        let code = coder.encode(&mut workspace, image.pixels());
        assert_eq!(code.len(), 1568);
        // A workspace that has seen another image since.
        coder.encode(&mut workspace, &[0.0; 784]);
        let mut pixels = [0.0; 784];
        coder.decode(&mut workspace, &code, &mut pixels);
        assert_eq!(pixels, model.denoise(&image).unwrap().pixels());
    }

    #[test]
    fn networks_without_a_code_are_refused() {
        let message = |spec: NetSpec| {
            Coder::new(&Autoencoder::untrained(spec, 1).unwrap(), (28, 28)).unwrap_err().to_string()
        };
        let no_name = NetSpec { latent: None, ..NetSpec::seed() };
        assert!(message(no_name).contains("does not say which layer's output is the code"));
        let folded = NetSpec { latent: Some("upsample1".into()), ..NetSpec::seed() };
        assert!(matches!(folded.layers[5].kind, LayerKind::ConvTranspose { .. }));
        assert!(message(folded).contains("layer \"upsample1\", is never computed"));
    }
}
