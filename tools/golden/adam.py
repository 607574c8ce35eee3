"""A few steps of Keras' Adam on a vector, with gradients from large to vanishing.

Keras adds epsilon to the *uncorrected* second moment's root (Kingma and Ba's "epsilon hat"):
    alpha_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)
    w -= alpha_t * m / (sqrt(v) + epsilon)
PyTorch divides sqrt(v) by sqrt(1 - beta2^t) first; tiny gradients tell the two apart.
"""

import keras
import numpy as np

from golden import Golden, f32, max_difference

SETTINGS = {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
STEPS = 5


def optimizer(dtype: str) -> keras.optimizers.Adam:
    # Keras turns a Python float into a float32 tensor before it casts it to the weights' type: 0.999 would lose 1e-5 of
    # 1 - 0.999 in float64 too. A NumPy float64 stays one.
    number = np.float64 if dtype == "float64" else float
    return keras.optimizers.Adam(**{name: number(value) for name, value in SETTINGS.items()})


def run(dtype: str, initial: np.ndarray, gradients: np.ndarray) -> dict[str, np.ndarray]:
    keras.config.set_floatx(dtype)
    adam, w = optimizer(dtype), keras.Variable(initial, dtype=dtype)
    adam.build([w])
    weights = []
    for gradient in gradients:
        adam.apply([gradient.astype(dtype)])
        weights.append(w.numpy())
    m, v = (next(x.numpy() for x in adam.variables if part in x.path) for part in ("momentum", "velocity"))
    return {"weights": np.stack(weights), "m": m, "v": v}


def formula(initial: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    lr, beta1, beta2, epsilon = SETTINGS.values()
    w, m, v, weights = np.float64(initial), 0.0, 0.0, []
    for t, g in enumerate(np.float64(gradients), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        w = w - lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)
        weights.append(w)
    return np.stack(weights)


def make() -> Golden:
    rng = np.random.default_rng(8)
    scale = np.float32([1e3, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-15, 1e-20, 1e-30, 0, 1])
    gradients = rng.standard_normal((STEPS, scale.size), np.float32) * scale
    gradients[1:, -1] = 0  # one kick, then only momentum
    initial = rng.uniform(-0.1, 0.1, scale.size).astype(np.float32)

    double, single = run("float64", initial, gradients), run("float32", initial, gradients)
    return Golden(
        f32({"initial": initial, "gradients": gradients} | double),
        {"adam": SETTINGS},
        differences={"weights, Keras f32 - f64": max_difference(single["weights"], double["weights"])},
        witnesses={"weights, formula f64 - Keras f64": max_difference(formula(initial, gradients), double["weights"])},
    )
