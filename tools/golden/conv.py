"""tf.nn.conv2d with 'SAME' padding: output and gradients. Kernels are HWIO."""

import numpy as np
import tensorflow as tf

from golden import Golden, f32, max_difference

#        name            x: [n, h, w, c]  kernel: [kh, kw, in, out]  stride
CASES = [
    ("k3s1_7x7",         (2, 7, 7, 3),    (3, 3, 3, 5),              1),
    ("k3s1_5x8",         (1, 5, 8, 3),    (3, 3, 3, 5),              1),
    ("k3s1_1x1",         (1, 1, 1, 2),    (3, 3, 2, 3),              1),
    ("k3s1_14x14_c32",   (1, 14, 14, 32), (3, 3, 32, 32),            1),
    ("k5s1_7x6",         (2, 7, 6, 3),    (5, 5, 3, 4),              1),
    ("k3s2_8x8",         (2, 8, 8, 3),    (3, 3, 3, 5),              2),
    ("k3s2_7x9",         (2, 7, 9, 3),    (3, 3, 3, 5),              2),
    ("k2s2_8x6",         (1, 8, 6, 3),    (2, 2, 3, 5),              2),
    ("k2s2_5x7",         (1, 5, 7, 3),    (2, 2, 3, 5),              2),
    ("k1s1_4x5",         (2, 4, 5, 3),    (1, 1, 3, 5),              1),
]  # fmt: skip


def conv2d(x, kernel, stride):
    return tf.nn.conv2d(x, kernel, stride, "SAME")


def make() -> Golden:
    return golden_of(CASES, conv2d, out_axis=3, seed=3)


def golden_of(cases, operation, out_axis: int, seed: int) -> Golden:
    """Every case in float64, and in float32 to see how far that is."""
    rng = np.random.default_rng(seed)
    tensors, settings, difference = {}, {}, 0.0
    for name, x_shape, kernel_shape, stride in cases:
        x, kernel = normal(rng, x_shape), normal(rng, kernel_shape)
        bias = normal(rng, kernel_shape[out_axis])
        dy = normal(rng, operation(x, kernel, stride).shape)
        double = forward_and_backward(operation, "float64", x, kernel, bias, dy, stride)
        single = forward_and_backward(operation, "float32", x, kernel, bias, dy, stride)
        tensors |= f32({"x": x, "kernel": kernel, "bias": bias, "dy": dy} | double, f"{name}.")
        settings[name] = {"stride": stride}
        difference = max(difference, max_difference(single, double))
    return Golden(tensors, {"cases": settings}, {"all results, TensorFlow f32 - f64": difference})


def normal(rng: np.random.Generator, shape) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def forward_and_backward(operation, dtype: str, x, kernel, bias, dy, stride) -> dict[str, np.ndarray]:
    x, kernel, bias, dy = (tf.constant(value, dtype) for value in (x, kernel, bias, dy))
    with tf.GradientTape() as tape:
        tape.watch([x, kernel, bias])
        y = operation(x, kernel, stride) + bias
    dx, dkernel, dbias = tape.gradient(y, [x, kernel, bias], output_gradients=dy)
    results = {"y": y, "dx": dx, "dkernel": dkernel, "dbias": dbias}
    return {name: value.numpy() for name, value in results.items()}
