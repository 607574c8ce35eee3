"""The noise of an image, estimated by scikit-image from its finest wavelet details (median absolute deviation)."""

import numpy as np
import pywt
from skimage.restoration import estimate_sigma

from golden import Golden, max_difference


def by_formula(image: np.ndarray) -> float:
    """Donoho and Johnstone (1994): the median of the diagonal details over the 3/4 quantile of the normal distribution."""
    details = pywt.dwt2(image, "db2")[1][2]
    details = np.abs(details[details != 0])
    return float(np.median(details) / 0.6744897501960817)


def make() -> Golden:
    rng = np.random.default_rng(11)
    rows, columns = np.mgrid[0:61, 0:48] / 60
    smooth = 0.5 + 0.3 * np.sin(7 * rows) * np.cos(5 * columns)
    noisy = smooth + 0.1 * rng.standard_normal(smooth.shape)
    images = {
        "noisy_61x48": noisy,
        "clipped_61x48": np.clip(smooth + 0.5 * rng.standard_normal(smooth.shape), 0, 1),
        "text_40x40": np.where(rng.random((40, 40)) < 0.1, 0.0, 1.0),  # most details are exactly 0 and left out
        "odd_7x9": rng.random((7, 9)),
        "small_3x2": rng.random((3, 2)),
    }
    tensors, witnesses = {}, {}
    for name, image in images.items():
        tensors[f"{name}.image"] = np.float32(image)
        image = np.float64(np.float32(image))
        sigma = estimate_sigma(image)
        tensors[f"{name}.sigma"] = np.float64([sigma])
        witnesses[f"{name}, by the formula - scikit-image"] = max_difference(by_formula(image), sigma)
    return Golden(tensors, witnesses=witnesses)
