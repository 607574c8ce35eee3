"""The programs in docs/onnx.md do what the page says.

    python tools/onnx/snippets.py CASES_DIRECTORY --opencv DIRECTORY [DIRECTORY ...] --node DIRECTORY

Each is taken from the page and run in a folder that holds `model.onnx` and `noisy.png`, with the plain file and with the folded one;
the `denoised.png` that it leaves must be limpid's own, up to one step of gray. The DIRECTORYs hold versions of OpenCV for Python and
the `node_modules` of onnxruntime-web. Exit code 1 if a program fails or a picture differs.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs/onnx.md"
FENCE = re.compile(r"^```(cpp|python|js)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INCLUDES = "/usr/include/opencv4"

# What a web page would do around the snippet: pixels in, pixels out.
NODE_CALLER = """
import { readFileSync, writeFileSync } from "node:fs";
import { denoise } from "./snippet.mjs";
const pixels = new Float32Array(new Uint8Array(readFileSync("noisy.f32")).buffer);
const side = Math.sqrt(pixels.length);
const denoised = await denoise(pixels, side, side);
writeFileSync("denoised.f32", Buffer.from(denoised.buffer, denoised.byteOffset, denoised.byteLength));
"""


def run(command: list, folder: Path, **environment: str) -> None:
    subprocess.run([str(word) for word in command], cwd=folder, env=os.environ | environment, check=True)


def run_python(code: str, folder: Path, path: Path | None) -> None:
    (folder / "snippet.py").write_text(code)
    run([sys.executable, "snippet.py"], folder, **({"PYTHONPATH": str(path.resolve())} if path else {}))


def run_cpp(code: str, folder: Path) -> None:
    (folder / "snippet.cpp").write_text(code)
    libraries = ["-lopencv_dnn", "-lopencv_imgcodecs", "-lopencv_core"]
    run(["g++", "snippet.cpp", "-o", "snippet", f"-I{INCLUDES}", *libraries], folder)
    run(["./snippet"], folder)


def run_node(code: str, folder: Path, modules: Path) -> None:
    (folder / "node_modules").symlink_to((modules / "node_modules").resolve())
    (folder / "snippet.mjs").write_text(code)
    (folder / "caller.mjs").write_text(NODE_CALLER)
    noisy = np.asarray(Image.open(folder / "noisy.png"), "<f4") / 255
    (folder / "noisy.f32").write_bytes(noisy.tobytes())
    run(["node", "caller.mjs"], folder)
    denoised = np.fromfile(folder / "denoised.f32", "<f4").reshape(noisy.shape)
    Image.fromarray((denoised * 255).round().astype(np.uint8)).save(folder / "denoised.png")


def opencv_version() -> str:
    text = Path(INCLUDES, "opencv2/core/version.hpp").read_text()
    return ".".join(re.search(rf"define CV_VERSION_{part}\s+(\d+)", text)[1] for part in ["MAJOR", "MINOR", "REVISION"])


def programs(options) -> list[tuple[str, object]]:
    """Name and runner of every program on the page."""
    found = []
    for language, code in FENCE.findall(PAGE.read_text()):
        if language == "cpp":
            found.append((f"OpenCV {opencv_version()} in C++", lambda folder, code=code: run_cpp(code, folder)))
        elif language == "js":
            found.append(("onnxruntime-web in Node", lambda folder, code=code: run_node(code, folder, options.node)))
        elif "import cv2" in code:
            for path in options.opencv:
                runner = lambda folder, code=code, path=path: run_python(code, folder, path)
                found.append((f"OpenCV in Python, {path.name}", runner))
        else:
            found.append(("ONNX Runtime in Python", lambda folder, code=code: run_python(code, folder, None)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--opencv", type=Path, nargs="+", required=True, metavar="DIRECTORY")
    parser.add_argument("--node", type=Path, required=True, metavar="DIRECTORY")
    options = parser.parse_args()

    expected = np.asarray(Image.open(options.cases / "denoised.png"), int)
    found, good = programs(options), True
    assert len(found) >= 4, f"{PAGE} has only {len(found)} programs"
    for name, runner in found:
        for model in ["seed-full", "seed-full-folded"]:
            with tempfile.TemporaryDirectory() as directory:
                folder = Path(directory)
                shutil.copy(options.cases / f"{model}.onnx", folder / "model.onnx")
                shutil.copy(options.cases / "noisy.png", folder)
                runner(folder)
                actual = np.asarray(Image.open(folder / "denoised.png"), int)
            fine = actual.shape == expected.shape and np.abs(actual - expected).max() <= 1
            good &= fine
            print(f"docs/onnx.md: {name}, {model}.onnx: {'the same picture' if fine else 'ANOTHER PICTURE'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
