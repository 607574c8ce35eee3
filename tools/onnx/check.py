"""Do other runtimes compute what limpid computes?

    python tools/onnx/check.py CASES_DIRECTORY --opencv DIRECTORY [DIRECTORY ...] [--speed SECONDS]

CASES_DIRECTORY is what `cargo run -p limpid --example export_cases` wrote; each DIRECTORY holds another version of OpenCV
(`pip install --target`). Prints the largest difference per runtime and network; exit code 1 if one is above the bound.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import onnx

BOUND = 1e-5
HERE = Path(__file__).parent


def well_formed(directory: Path, cases: list[dict]) -> None:
    """The standard's own checks, with inferred shapes; then what we promise beyond them."""
    for case in cases:
        model = onnx.load(directory / case["file"])
        onnx.checker.check_model(model, full_check=True)
        assert model.ir_version == 8 and [(o.domain, o.version) for o in model.opset_import] == [("", 13)]
        assert model.producer_name == "limpid" and model.producer_version
        assert {"limpid.network", "limpid.noise"} <= {entry.key for entry in model.metadata_props}
        for value in [*model.graph.input, *model.graph.output]:
            batch, _, height, width = value.type.tensor_type.shape.dim
            assert batch.dim_param and height.dim_param and width.dim_param, value.name
        for node in model.graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            assert not {"auto_pad", "output_shape", "output_padding"} & attributes.keys(), node.name
            pads = attributes.get("pads", [0] * 4)
            assert pads[:2] == pads[2:], f"{node.name}: pads {pads}"
    print(f"onnx {onnx.__version__}: {len(cases)} files pass the full check")


def run(runtime: str, directory: Path, path: Path | None, seconds: float | None) -> dict:
    environment = dict(os.environ)
    if path:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, str(HERE / "runtime.py"), runtime, str(directory)]
    if seconds and runtime != "reference":
        command.append(str(seconds))
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def table(title: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    width = max(map(len, [title, *rows]))
    widths = [max(len(column), *(len(row[i]) for row in rows.values())) for i, column in enumerate(columns)]
    print(f"\n{title:{width}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(columns, widths)))
    for name, row in rows.items():
        print(f"{name:{width}}  " + "  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--opencv", type=Path, nargs="*", default=[], metavar="DIRECTORY")
    parser.add_argument("--speed", type=float, metavar="SECONDS", help="also measure, so long per network and size")
    options = parser.parse_args()

    cases = json.loads((options.cases / "cases.json").read_text())
    well_formed(options.cases, cases)
    runtimes = [("onnxruntime", None), ("reference", None), *(("opencv", path) for path in options.opencv)]
    results = [run(runtime, options.cases, path, options.speed) for runtime, path in runtimes]
    names = [result["version"] for result in results]
    differences = {
        case["name"]: [f"{result['differences'][case['name']]:.1e}" for result in results] for case in cases
    }
    table("largest difference", names, differences)
    if options.speed:
        measured = [result for result in results if result["speed"]]
        rows = {}
        for i, shape in enumerate(["1 x 28x28", "64 x 28x28", "1 x 512x512"]):
            for file, label in [("seed-full", "plain"), ("seed-full-folded", "folded")]:
                rows[f"{shape}, {label}"] = [f"{result['speed'][file][i]:.3f}" for result in measured]
        table("median ms, 2 threads", [result["version"] for result in measured], rows)
    # Written so that a NaN fails.
    good = all(value <= BOUND for result in results for value in result["differences"].values())
    print(f"\n{'all within' if good else 'NOT all within'} {BOUND:.0e}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
