"""Ten training steps from the seed network's fixed weights, on fixed digits with fixed noise."""

import numpy as np

import adam
import mnist
import network
from golden import Golden, f32, max_difference

STEPS, BATCH = 10, 8


def train(dtype: str, noisy: np.ndarray, clean: np.ndarray):
    """The loss before each step; the weights after the first and after the last."""
    model = network.with_weights(dtype, network.initial_weights())
    optimizer, losses, weights = adam.optimizer(dtype), [], []
    optimizer.build(model.trainable_variables)
    for noisy_batch, clean_batch in zip(noisy, clean, strict=True):
        _, loss, gradients = network.loss_and_gradients(model, noisy_batch, clean_batch)
        optimizer.apply(list(gradients.values()))
        losses.append(loss)
        weights.append(network.weights_of(model))
    return np.array(losses), weights[0], weights[-1]


def make() -> Golden:
    digits = mnist.images("train", STEPS * BATCH)
    clean = mnist.as_batch(digits)
    noisy = mnist.add_noise(clean, np.random.default_rng(2))
    batches = (STEPS, BATCH, 28, 28, 1)

    losses, first, final = train("float64", noisy.reshape(batches), clean.reshape(batches))
    single_losses, single_first, single_final = train("float32", noisy.reshape(batches), clean.reshape(batches))
    return Golden(
        {"clean": digits.reshape(batches[:-1]), "losses": losses, "losses.f32": single_losses}
        | f32({"noisy": noisy.reshape(batches[:-1])})
        | f32(first, "step1.")
        | f32(final, "final."),
        {"adam": adam.SETTINGS},
        {
            "losses, Keras f32 - f64": max_difference(single_losses, losses),
            "weights after 1 step, Keras f32 - f64": max_difference(single_first, first),
            "weights after 10 steps, Keras f32 - f64": max_difference(single_final, final),
        },
    )
