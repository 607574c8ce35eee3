"""The seed network written a second time, in PyTorch and float64: a witness that does not share TensorFlow's code."""

import numpy as np
import torch
from torch.nn import functional as F


def loss_and_gradients(weights: dict[str, np.ndarray], noisy: np.ndarray, clean: np.ndarray):
    """logits [n, 28, 28, 1], the mean loss, gradients by tensor: all in Keras' layouts."""
    w = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in weights.items()}

    def kernel(name):  # HWIO -> OIHW; for a transposed convolution, [kh, kw, out, in] -> [in, out, kh, kw]
        return w[f"{name}.kernel"].permute(3, 2, 0, 1).contiguous()

    def conv(x, name):
        return F.conv2d(x, kernel(name), w[f"{name}.bias"], padding=1)

    def upsample(x, name):  # 'SAME' keeps the leading 2n of 2n + 1 rows and columns
        return F.conv_transpose2d(x, kernel(name), w[f"{name}.bias"], stride=2)[:, :, :-1, :-1]

    def lrelu(x):
        return F.leaky_relu(x, 0.1)

    x = nchw(noisy)
    x = F.max_pool2d(lrelu(conv(x, "conv1")), 2)
    x = F.max_pool2d(lrelu(conv(x, "conv2")), 2)
    x = lrelu(conv(x, "conv3"))
    logits = conv(upsample(upsample(x, "upsample1"), "upsample2"), "logits")
    loss = F.binary_cross_entropy_with_logits(logits, nchw(clean))
    loss.backward()
    return logits.detach().permute(0, 2, 3, 1).numpy(), loss.item(), {name: t.grad.numpy() for name, t in w.items()}


def nchw(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64).permute(0, 3, 1, 2)
