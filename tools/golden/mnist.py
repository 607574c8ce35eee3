"""Images of the MNIST files that the crate limpid-mnist carries (IDX, zstd-compressed)."""

from pathlib import Path

import numpy as np
import zstandard

DIRECTORY = Path(__file__).parents[2] / "crates/limpid-mnist/data"


def images(split: str, count: int) -> np.ndarray:
    """The first `count` images of "train" or "t10k": u8, [count, 28, 28]."""
    with open(DIRECTORY / f"{split}-images-idx3-ubyte.zst", "rb") as file:
        idx = zstandard.ZstdDecompressor().stream_reader(file).read(16 + count * 28 * 28)
    magic, _, rows, columns = np.frombuffer(idx, ">u4", 4)
    assert (magic, rows, columns) == (0x803, 28, 28), f"no IDX file of 28x28 images: {idx[:16]!r}"
    return np.frombuffer(idx, np.uint8, offset=16).reshape(count, 28, 28)


def as_batch(pixels: np.ndarray) -> np.ndarray:
    """u8 [n, 28, 28] -> f32 [n, 28, 28, 1] in [0, 1]."""
    return pixels[..., None].astype(np.float32) / np.float32(255)


def add_noise(clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """clip(clean + 0.5 * N(0, 1), 0, 1), f32, of the shape of `clean`."""
    noise = rng.standard_normal(clean.shape, np.float32)
    return np.clip(clean + np.float32(0.5) * noise, 0, 1)
