"""Max-pooling 2x2 with stride 2 and 'VALID' padding: the last row or column of an odd size is left out.

On a tie TensorFlow gives the whole gradient to the first maximum in row-major order; see the case `ties`.
"""

import numpy as np
import tensorflow as tf

from golden import Golden, f32, max_difference

CASES = {"even": (2, 6, 8, 3), "odd": (2, 7, 5, 3), "odd_height": (1, 5, 4, 2), "two_by_three": (1, 2, 3, 1)}


def forward_and_backward(dtype: str, x: np.ndarray, dy: np.ndarray | None = None):
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.max_pool2d(x, 2, 2, "VALID")
    return y.numpy(), tape.gradient(y, x, output_gradients=None if dy is None else tf.constant(dy, dtype)).numpy()


def make() -> Golden:
    rng = np.random.default_rng(5)
    inputs = {name: rng.standard_normal(shape, np.float32) for name, shape in CASES.items()}
    inputs["ties"] = rng.integers(-1, 2, (2, 8, 10, 3)).astype(np.float32)  # more than half of the windows tie
    tensors, difference = {}, 0.0
    for name, x in inputs.items():
        dy = rng.standard_normal(forward_and_backward("float64", x)[0].shape, np.float32)
        y, dx = forward_and_backward("float64", x, dy)
        single = forward_and_backward("float32", x, dy)
        tensors |= f32({"x": x, "dy": dy, "y": y, "dx": dx}, f"{name}.")
        difference = max(difference, max_difference(single[0], y), max_difference(single[1], dx))
    return Golden(tensors, differences={"all results, TensorFlow f32 - f64": difference})
