"""The seed network, in Keras, with its loss and gradients. Nothing here is random but the seeded initializers."""

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers

LAYERS = ["conv1", "conv2", "conv3", "upsample1", "upsample2", "logits"]  # those with weights, in order
TENSORS = [f"{layer}.{part}" for layer in LAYERS for part in ("kernel", "bias")]


def leaky_relu(x):
    return tf.maximum(0.1 * x, x)


def build(dtype: str) -> keras.Model:
    """[n, 28, 28, 1] -> activations of every layer, by name; the last, `logits`, is [n, 28, 28, 1]."""
    keras.config.set_floatx(dtype)  # the optimizer's own numbers
    keras.config.set_dtype_policy(dtype)  # the layers' weights and activations

    def weighted(kind, filters, name, **options):
        seed = LAYERS.index(name)
        return kind(
            filters, 3, padding="same", name=name,
            kernel_initializer=initializers.GlorotUniform(seed=seed),
            bias_initializer=initializers.RandomUniform(-0.05, 0.05, seed=100 + seed),
            **options,
        )  # fmt: skip

    image = keras.Input((28, 28, 1))
    stack = [
        weighted(layers.Conv2D, 32, "conv1", activation=leaky_relu),
        layers.MaxPooling2D(2, name="pool1"),
        weighted(layers.Conv2D, 32, "conv2", activation=leaky_relu),
        layers.MaxPooling2D(2, name="encoding"),
        weighted(layers.Conv2D, 32, "conv3", activation=leaky_relu),
        weighted(layers.Conv2DTranspose, 32, "upsample1", strides=2),
        weighted(layers.Conv2DTranspose, 32, "upsample2", strides=2),
        weighted(layers.Conv2D, 1, "logits"),
    ]
    outputs, x = {}, image
    for layer in stack:
        x = outputs[layer.name] = layer(x)
    model = keras.Model(image, outputs)
    assert model.compute_dtype == dtype
    return model


def initial_weights() -> dict[str, np.ndarray]:
    """The fixed weights that every golden file starts from: Glorot-uniform kernels, small nonzero biases, f32."""
    return weights_of(build("float32"))


def with_weights(dtype: str, weights: dict[str, np.ndarray]) -> keras.Model:
    model = build(dtype)
    model.set_weights([weights[name].astype(dtype) for name in TENSORS])
    return model


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    return dict(zip(TENSORS, model.get_weights(), strict=True))


def loss_and_gradients(model: keras.Model, noisy: np.ndarray, clean: np.ndarray):
    """Activations by name, the mean sigmoid cross-entropy over all pixels and images, its gradients by tensor."""
    dtype = model.compute_dtype
    with tf.GradientTape() as tape:
        activations = model(tf.cast(noisy, dtype))
        per_pixel = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(clean, dtype), activations["logits"])
        loss = tf.reduce_mean(per_pixel)
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    return activations, loss.numpy(), dict(zip(TENSORS, (g.numpy() for g in gradients), strict=True))
