"""Sigmoid cross-entropy with logits, per element and unreduced, and its gradient: sigmoid(logit) - target."""

import numpy as np
import tensorflow as tf

from golden import Golden, f32, max_difference

LOGITS = [0, 1e-20, 1e-7, 1e-3, 0.1, 0.5, 1, 2, 3, 5, 8, 12, 16, 17, 20, 30, 50, 80, 88, 89, 100]
TARGETS = [0, 1e-3, 0.25, 0.5, 0.9, 1]


def evaluate(dtype: str, logits: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    logits = tf.constant(logits, dtype)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.nn.sigmoid_cross_entropy_with_logits(tf.constant(targets, dtype), logits)
    return {"loss": loss.numpy(), "dlogits": tape.gradient(loss, logits).numpy()}


def make() -> Golden:
    axis = np.float32(sorted({sign * value for value in LOGITS for sign in (-1, 1)}))
    logits, targets = (grid.copy() for grid in np.meshgrid(axis, np.float32(TARGETS), indexing="ij"))
    double, single = evaluate("float64", logits, targets), evaluate("float32", logits, targets)
    return Golden(
        f32({"logits": logits, "targets": targets} | double),
        differences={f"{name}, TensorFlow f32 - f64": max_difference(single[name], double[name]) for name in double},
    )
