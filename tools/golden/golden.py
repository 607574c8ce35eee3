"""Make limpid's golden values, or check the committed ones.

    python tools/golden/golden.py [--check] [TOPIC ...]

A topic is a module of this folder with `make() -> Golden`, and one file in crates/limpid/tests/golden.
Inputs come from seeded generators, are rounded to f32, and everything after them is computed in float64;
what is stored as f32 is the rounded float64 result. The differences printed beside each file compare that
result with independent ways to the same numbers (TensorFlow in float32, PyTorch, a plain formula).
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path

os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}

import numpy as np
from safetensors.numpy import load_file, save_file

TOPICS = ["seed_network", "loss_curve", "conv", "conv_transpose", "pool", "activation", "loss", "adam", "metrics", "noise_level"]
DIRECTORY = Path(__file__).parents[2] / "crates/limpid/tests/golden"

# --check allows a few last bits of f32; more for what was computed in f32, in whatever order this machine prefers.
RELATIVE, RELATIVE_OF_F32, ABSOLUTE = 1e-6, 1e-5, 1e-9
WITNESS = 1e-12  # two float64 computations of numbers around 1 must agree this closely, or one of them is wrong


@dataclass
class Golden:
    tensors: dict[str, np.ndarray]
    settings: dict = field(default_factory=dict)  # stored as JSON, one metadata key each
    differences: dict[str, float] = field(default_factory=dict)  # for the README
    witnesses: dict[str, float] = field(default_factory=dict)  # differences of two float64 computations


def max_difference(a, b) -> float:
    """Largest absolute difference; of two dictionaries, over all their tensors."""
    if isinstance(a, dict):
        return max(max_difference(a[name], b[name]) for name in a | b)
    return float(np.max(np.abs(np.float64(a) - np.float64(b))))


def f32(tensors: dict[str, np.ndarray], prefix: str = "") -> dict[str, np.ndarray]:
    return {prefix + name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}


def check(path: Path, tensors: dict[str, np.ndarray]) -> bool:
    stored, good = load_file(path), True
    for name in sorted(stored.keys() | tensors.keys()):
        if name not in stored or name not in tensors:
            problem = "is not in the file" if name in tensors else "is in the file but no longer made"
        elif stored[name].dtype != tensors[name].dtype or stored[name].shape != tensors[name].shape:
            problem = "has another type or shape"
        elif not np.allclose(
            stored[name], tensors[name], RELATIVE_OF_F32 if name.endswith(".f32") else RELATIVE, ABSOLUTE
        ):
            problem = f"differs by up to {max_difference(stored[name], tensors[name]):.3g}"
        else:
            continue
        good = False
        print(f"  {path.name}: {name} {problem}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"one of {', '.join(TOPICS)}; default: all")
    options = parser.parse_args()

    packages = ["tensorflow-cpu", "keras", "torch", "numpy", "safetensors", "scikit-image", "PyWavelets"]
    print(", ".join([f"python {sys.version.split()[0]}"] + [f"{name} {metadata.version(name)}" for name in packages]))
    good = True
    for topic in options.topics or TOPICS:
        golden = import_module(topic).make()
        path = DIRECTORY / f"{topic}.safetensors"
        if options.check:
            fine = check(path, golden.tensors)
            good &= fine
            print(f"{path.name}: {'agrees' if fine else 'DIFFERS'}")
        else:
            save_file(golden.tensors, path, {key: json.dumps(value) for key, value in golden.settings.items()})
            print(f"{path.name}: {len(golden.tensors)} tensors, {path.stat().st_size:,} bytes")
        for what, difference in (golden.differences | golden.witnesses).items():
            print(f"  {what}: {difference:.2e}")
        if max(golden.witnesses.values(), default=0) > WITNESS:
            sys.exit(f"{topic}: the float64 computations do not agree")
    return 0 if good else 1


if __name__ == "__main__":
    sys.modules["golden"] = sys.modules["__main__"]  # the topics import Golden from here
    sys.exit(main())
