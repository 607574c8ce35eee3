"""MNIST as everything here trains on it: the files that the crate limpid-mnist carries (IDX, zstd-compressed)."""

from pathlib import Path

import numpy as np
import zstandard

DIRECTORY = Path(__file__).parents[2] / "crates/limpid-mnist/data"
TRAINED_ON = 55_000  # of 60,000: the rest is MNIST's validation split, which limpid does not train on either
BATCH = 64
STEPS_PER_EPOCH = 860  # the last one smaller
NOISE = 0.5  # clip(x + NOISE * N(0, 1), 0, 1)


def images(split: str) -> np.ndarray:
    """All images of "train" (the 55,000) or "t10k": u8, [n, 28, 28]."""
    with open(DIRECTORY / f"{split}-images-idx3-ubyte.zst", "rb") as file:
        idx = zstandard.ZstdDecompressor().stream_reader(file).read()
    magic, count, rows, columns = np.frombuffer(idx, ">u4", 4)
    assert (magic, rows, columns) == (0x803, 28, 28), f"no IDX file of 28x28 images: {idx[:16]!r}"
    return np.frombuffer(idx, np.uint8, offset=16).reshape(count, 28, 28)[:TRAINED_ON]


class Batches:
    """Indices of one batch after the other, every epoch in an order of its own; a last, smaller batch is left out."""

    def __init__(self, count: int):
        self.random, self.count, self.at, self.order = np.random.default_rng(1), count, count, None

    def next(self) -> np.ndarray:
        if self.at + BATCH > self.count:
            self.order, self.at = self.random.permutation(self.count), 0
        self.at += BATCH
        return self.order[self.at - BATCH : self.at]
