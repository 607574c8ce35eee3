"""One runtime executes the exported networks: JSON on standard output.

    python tools/onnx/runtime.py onnxruntime|reference|opencv CASES_DIRECTORY [SECONDS]

With SECONDS, also measures for so long per network and size. A process of its own for each runtime, because two versions of OpenCV cannot be loaded side by side: PYTHONPATH says which.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

SPEED_SHAPES = [(1, 28, 28), (64, 28, 28), (1, 512, 512)]
SPEED_FILES = ["seed-full", "seed-full-folded"]


def onnxruntime(path: Path):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda name, x: session.run(None, {name: x})[0]


def reference(path: Path):
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(path))
    return lambda name, x: evaluator.run(None, {name: x})[0]


def opencv(path: Path):
    import cv2

    cv2.setNumThreads(2)
    net = cv2.dnn.readNetFromONNX(str(path))

    def run(_, x):
        net.setInput(x)
        return net.forward()

    return run


def version(runtime: str) -> str:
    if runtime == "opencv":
        import cv2

        return f"OpenCV {cv2.__version__}"
    if runtime == "reference":
        import onnx

        return f"onnx {onnx.__version__} reference evaluator"
    import onnxruntime as ort

    return f"ONNX Runtime {ort.__version__}"


def tensor(directory: Path, entry: dict) -> np.ndarray:
    return np.fromfile(directory / entry["file"], "<f4").reshape(entry["shape"])


def difference(run, case: dict, directory: Path) -> float:
    """The largest absolute difference from our own output; infinite if a shape or a value is wrong.

    One loaded network takes all sizes in turn, as in a program that is given one picture after the other. Logits and codes,
    which are not bounded, are measured by their largest value where that is above 1.
    """
    largest = 0.0
    for entry in case["runs"]:
        expected = tensor(directory, entry["output"])
        actual = run(case["input"], tensor(directory, entry["input"]))
        if actual.shape != expected.shape or not np.isfinite(actual).all():
            print(f"{case['name']}: {entry['input']['file']} gives {actual.shape}", file=sys.stderr)
            return float("inf")
        error = np.abs(actual - expected).max() / max(1.0, np.abs(expected).max())
        largest = max(largest, float(error))
    return largest


def median_ms(run, shape, seconds: float) -> float:
    batch, height, width = shape
    x = np.random.default_rng(1).random((batch, 1, height, width), np.float32)
    for _ in range(2):
        run("image", x)
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 3:
        before = time.perf_counter()
        run("image", x)
        times.append(time.perf_counter() - before)
    return float(np.median(times)) * 1e3


def main() -> None:
    runtime, directory = sys.argv[1], Path(sys.argv[2])
    load = {"onnxruntime": onnxruntime, "reference": reference, "opencv": opencv}[runtime]
    result = {"version": version(runtime), "differences": {}, "speed": {}}
    for case in json.loads((directory / "cases.json").read_text()):
        try:
            result["differences"][case["name"]] = difference(load(directory / case["file"]), case, directory)
        except Exception as error:  # what a runtime raises is its own affair; the table says which network it refused
            print(f"{result['version']}: {case['name']}: {error}", file=sys.stderr)
            result["differences"][case["name"]] = float("inf")
    if len(sys.argv) > 3:
        seconds = float(sys.argv[3])
        for name in SPEED_FILES:
            run = load(directory / f"{name}.onnx")
            result["speed"][name] = [median_ms(run, shape, seconds) for shape in SPEED_SHAPES]
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
