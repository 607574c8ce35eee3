"""The seed network on four real digits: every activation, the loss, every gradient."""

import numpy as np

import mnist
import network
import network_torch
from golden import Golden, f32, max_difference


def make() -> Golden:
    clean = mnist.as_batch(mnist.images("t10k", 4))
    noisy = mnist.add_noise(clean, np.random.default_rng(1))
    weights = network.initial_weights()

    activations, loss, gradients = network.loss_and_gradients(network.with_weights("float64", weights), noisy, clean)
    logits = activations["logits"].numpy()
    first_image = {name: value.numpy()[:1] for name, value in activations.items() if name != "logits"}

    single_activations, single_loss, single_gradients = network.loss_and_gradients(
        network.with_weights("float32", weights), noisy, clean
    )
    torch_logits, torch_loss, torch_gradients = network_torch.loss_and_gradients(weights, noisy, clean)
    return Golden(
        f32(weights)
        | f32({"clean": clean, "noisy": noisy, "logits": logits, "recon": 1 / (1 + np.exp(-logits))})
        | f32(first_image, "act.")
        | {"loss": np.array(loss)}
        | f32(gradients, "grad."),
        differences={
            "largest logit": np.abs(logits).max(),
            "smallest of the tensors' largest gradients": min(np.abs(g).max() for g in gradients.values()),
            "logits, TensorFlow f32 - f64": max_difference(single_activations["logits"], logits),
            "loss, TensorFlow f32 - f64": max_difference(single_loss, loss),
            "gradients, TensorFlow f32 - f64": max_difference(single_gradients, gradients),
        },
        witnesses={
            "logits, PyTorch f64 - TensorFlow f64": max_difference(torch_logits, logits),
            "loss, PyTorch f64 - TensorFlow f64": max_difference(torch_loss, loss),
            "gradients, PyTorch f64 - TensorFlow f64": max_difference(torch_gradients, gradients),
        },
    )
