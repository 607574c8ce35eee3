"""Activations and their derivatives (upstream gradient 1), zeros of both signs among the inputs."""

import numpy as np
import tensorflow as tf

from golden import Golden, f32, max_difference

ACTIVATIONS = {
    "leaky_relu": lambda x: tf.maximum(0.1 * x, x),
    "relu": tf.nn.relu,
    "sigmoid": tf.nn.sigmoid,
}


def evaluate(activation, dtype: str, x: np.ndarray) -> dict[str, np.ndarray]:
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = activation(x)
    return {"y": y.numpy(), "dx": tape.gradient(y, x).numpy()}


def make() -> Golden:
    small = [0.0, 1e-37, 1e-20, 1e-7, 1e-3, 0.1, 0.5, 1.0, 2.5, 10.0, 30.0, 80.0, 100.0]
    x = np.float32(small + [-value for value in small])  # -0.0 among them
    tensors, differences = {"x": x}, {}
    for name, activation in ACTIVATIONS.items():
        double, single = evaluate(activation, "float64", x), evaluate(activation, "float32", x)
        tensors |= f32(double, f"{name}.")
        differences[f"{name}, TensorFlow f32 - f64"] = max_difference(single, double)
    leaky = evaluate(lambda x: tf.nn.leaky_relu(x, 0.1), "float64", x)
    own = evaluate(ACTIVATIONS["leaky_relu"], "float64", x)
    differences["leaky_relu, tf.nn.leaky_relu - maximum(0.1 x, x)"] = max_difference(leaky, own)
    return Golden(tensors, differences=differences)
