"""Measures of image quality, as scikit-image computes them in float64."""

import numpy as np
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from golden import Golden, max_difference


def ssim_by_formula(x: np.ndarray, y: np.ndarray, side: int) -> float:
    """The formula of Wang et al. (2004), one window after the other."""
    values = []
    for i in range(x.shape[0] - side + 1):
        for j in range(x.shape[1] - side + 1):
            a, b = x[i : i + side, j : j + side].ravel(), y[i : i + side, j : j + side].ravel()
            cov = np.cov(a, b)  # sample covariance
            c1, c2 = 0.01**2, 0.03**2
            luminance = (2 * a.mean() * b.mean() + c1) / (a.mean() ** 2 + b.mean() ** 2 + c1)
            values.append(luminance * (2 * cov[0, 1] + c2) / (cov[0, 0] + cov[1, 1] + c2))
    return float(np.mean(values))


def make() -> Golden:
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[0:28, 0:28] / 27
    blob = np.exp(-((rows - 0.4) ** 2 + (columns - 0.6) ** 2) / 0.05)
    uniform = rng.random((13, 20))
    pairs = {
        "noisy_28x28": (blob, np.clip(blob + 0.5 * rng.standard_normal(blob.shape), 0, 1)),
        "close_28x28": (blob, np.clip(blob + 0.01 * rng.standard_normal(blob.shape), 0, 1)),
        "inverted_13x20": (uniform, 1 - uniform),
        "unrelated_7x9": (rng.random((7, 9)), rng.random((7, 9))),
        "flat_7x7": (np.full((7, 7), 0.25), np.full((7, 7), 0.75)),
        "small_5x5": (rng.random((5, 5)), rng.random((5, 5))),  # smaller than the window, which becomes 5x5
    }
    tensors, witnesses = {}, {}
    for name, pair in pairs.items():
        x, y = (np.float32(image) for image in pair)
        tensors |= {f"{name}.x": x, f"{name}.y": y}
        x, y = np.float64(x), np.float64(y)
        side = min(7, *x.shape)
        ssim = structural_similarity(x, y, data_range=1.0, win_size=side)
        tensors[f"{name}.mse"] = np.float64([mean_squared_error(x, y)])
        tensors[f"{name}.psnr"] = np.float64([peak_signal_noise_ratio(x, y, data_range=1.0)])
        tensors[f"{name}.ssim"] = np.float64([ssim])
        witnesses[f"{name}, SSIM by the formula - scikit-image"] = max_difference(ssim_by_formula(x, y, side), ssim)
    return Golden(tensors, witnesses=witnesses)
