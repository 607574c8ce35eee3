"""Keras' transposed convolution with 'SAME' padding: output and gradients. Kernels are [kh, kw, out, in].

The output is `stride` times as large as the input. Input i reaches output o = stride * i + k - cut, where the start
loses cut = (kernel - stride) / 2, rounded down, and what lies past the end is lost too. With kernel 3 and stride 2
nothing is cut at the start and one row and column at the end.
"""

import keras

from conv import golden_of
from golden import Golden

#        name            x: [n, h, w, c]  kernel: [kh, kw, out, in]  stride
CASES = [
    ("k3s2_7x7",         (2, 7, 7, 3),    (3, 3, 5, 3),              2),
    ("k3s2_14x14",       (1, 14, 14, 3),  (3, 3, 2, 3),              2),
    ("k3s2_5x3",         (2, 5, 3, 3),    (3, 3, 5, 3),              2),
    ("k3s2_13x9",        (1, 13, 9, 3),   (3, 3, 2, 3),              2),
    ("k3s2_1x1",         (1, 1, 1, 2),    (3, 3, 3, 2),              2),
    ("k3s2_7x7_c32",     (1, 7, 7, 32),   (3, 3, 32, 32),            2),
    ("k2s2_5x3",         (2, 5, 3, 3),    (2, 2, 4, 3),              2),
    ("k4s2_5x3",         (2, 5, 3, 3),    (4, 4, 4, 3),              2),
    ("k5s3_4x3",         (2, 4, 3, 3),    (5, 5, 4, 3),              3),
    ("k3s1_5x6",         (2, 5, 6, 3),    (3, 3, 4, 3),              1),
]  # fmt: skip


def conv_transpose(x, kernel, stride):
    return keras.ops.conv_transpose(x, kernel, stride, padding="same", data_format="channels_last")


def make() -> Golden:
    return golden_of(CASES, conv_transpose, out_axis=2, seed=4)
