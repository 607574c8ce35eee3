"""The seed network with trained weights as an ONNX model, and images to run it on.

    python tools/bench/onnx_model.py MODEL.safetensors DIRECTORY

writes to DIRECTORY `seed.onnx`, [batch, 1, height, width] noisy -> the same denoised, and two inputs, f32 in native byte
order: `batch.f32`, 256 noisy digits, and `picture.f32`, 2048x2048 pixels of noisy digits side by side.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

import digits

BATCH, SIDE = 256, 2048


def model(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    nodes, tensors, last = [], [], "noisy"

    def tensor(name: str, value: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(kind: str, output: str, *inputs: str, **attributes) -> None:
        nonlocal last
        nodes.append(helper.make_node(kind, [last, *inputs], [output], output, **attributes))
        last = output

    def conv(name: str) -> None:
        kernel = weights[f"{name}.kernel"].transpose(3, 2, 0, 1)  # HWIO -> OIHW
        inputs = tensor(f"{name}.kernel", kernel), tensor(f"{name}.bias", weights[f"{name}.bias"])
        add("Conv", name, *inputs, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def upsample(name: str) -> None:
        """TensorFlow's 'SAME' with stride 2, o = 2 i + k cropped to 2 n: as a 4x4 kernel with a first row and column of zeros."""
        kernel = weights[f"{name}.kernel"].transpose(3, 2, 0, 1)  # [kh, kw, out, in] -> [in, out, kh, kw]
        kernel = np.pad(kernel, [(0, 0), (0, 0), (1, 0), (1, 0)])
        inputs = tensor(f"{name}.kernel", kernel), tensor(f"{name}.bias", weights[f"{name}.bias"])
        add("ConvTranspose", name, *inputs, kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1])

    for name, pool in (("conv1", "pool1"), ("conv2", "encoding"), ("conv3", None)):
        conv(name)
        add("LeakyRelu", f"{name}.activation", alpha=0.1)
        if pool:
            add("MaxPool", pool, kernel_shape=[2, 2], strides=[2, 2])
    upsample("upsample1")
    upsample("upsample2")
    conv("logits")
    add("Sigmoid", "denoised")

    def images(name: str):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1, "height", "width"])

    graph = helper.make_graph(nodes, "seed", [images("noisy")], [images("denoised")], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made


def noisy(clean: np.ndarray) -> np.ndarray:
    """u8 -> f32 of the same shape, clip(clean + NOISE * N(0, 1), 0, 1)."""
    noise = np.random.default_rng(1).standard_normal(clean.shape, np.float32)
    return np.clip(clean / np.float32(255) + np.float32(digits.NOISE) * noise, 0, 1)


def main() -> None:
    weights, directory = load_file(sys.argv[1]), Path(sys.argv[2])
    onnx.save(model(weights), directory / "seed.onnx")
    images = digits.images("t10k")
    noisy(images[:BATCH]).tofile(directory / "batch.f32")
    rows = -(-SIDE // 28)
    picture = images[: rows * rows].reshape(rows, rows, 28, 28).swapaxes(1, 2).reshape(rows * 28, rows * 28)
    noisy(picture[:SIDE, :SIDE]).tofile(directory / "picture.f32")


if __name__ == "__main__":
    main()
