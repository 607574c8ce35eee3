"""Runs the seed network in ONNX Runtime on the CPU, on all its cores.

    python tools/bench/onnxruntime_denoise.py DIRECTORY (batch|picture)

is a worker (see worker.py) on what onnx_model.py wrote to DIRECTORY; the first output goes to NAME.onnxruntime.f32 there.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime

import worker


class Denoise:
    steps = 1  # per call

    def __init__(self, directory: Path, name: str):
        pixels = np.fromfile(directory / f"{name}.f32", np.float32)
        side = 28 if name == "batch" else int(np.sqrt(pixels.size))
        self.images = pixels.reshape(-1, 1, side, side)
        options = onnxruntime.SessionOptions()  # all graph optimisations, one thread per core
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(directory / "seed.onnx", options, ["CPUExecutionProvider"])
        self.run().tofile(directory / f"{name}.onnxruntime.f32")

    def run(self) -> np.ndarray:
        return self.session.run(None, {"noisy": self.images})[0]

    def __call__(self) -> None:
        self.run()


if __name__ == "__main__":
    worker.serve(Denoise(Path(sys.argv[1]), sys.argv[2]))
