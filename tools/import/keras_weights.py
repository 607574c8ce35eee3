"""The tutorial's network in Keras, with seeded weights: its weights file, and what it makes of four digits.

    python tools/import/keras_weights.py          (packages: tools/golden/requirements.txt)

Writes crates/limpid/tests/fixtures/import/keras.weights.h5 and keras.expected.safetensors.
"""

import os
from pathlib import Path

os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}

import keras
import numpy as np
from keras import initializers, layers
from safetensors.numpy import load_file, save_file

TESTS = Path(__file__).parents[2] / "crates/limpid/tests"
FIXTURES = TESTS / "fixtures/import"


def build() -> keras.Model:
    def options(seed, **others):
        return {
            "padding": "same",
            "kernel_initializer": initializers.GlorotUniform(seed=seed),
            "bias_initializer": initializers.RandomUniform(-0.1, 0.1, seed=100 + seed),
        } | others

    def leaky_relu(x):
        return keras.ops.maximum(0.1 * x, x)

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, **options(1, activation=leaky_relu)),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, **options(2, activation=leaky_relu)),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, **options(3, activation=leaky_relu)),
            layers.Conv2DTranspose(32, 3, **options(4, strides=2)),
            layers.Conv2DTranspose(32, 3, **options(5, strides=2)),
            layers.Conv2D(1, 3, **options(6)),
        ]
    )


if __name__ == "__main__":
    noisy = load_file(TESTS / "golden/seed_network.safetensors")["noisy"]
    model = build()
    model.save_weights(FIXTURES / "keras.weights.h5")
    logits = np.ascontiguousarray(model.predict(noisy, verbose=0), np.float32)
    save_file({"logits": logits}, FIXTURES / "keras.expected.safetensors")
