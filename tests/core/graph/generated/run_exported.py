"""Runs exported programs in a process that does not have their source: `run_exported.py FOLDER`.

The folder has ``NAME.safetensors``, a graph, and ``NAME.npz``, its arguments ``x0``, ``x1``, ...; the results are
written to ``NAME.out.npz``, outputs before the variable.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import polytape as pt


def main(folder: Path) -> None:
    """Run every program of the folder twice: the second run starts from the variables that the first one left."""
    for path in sorted(folder.glob("*.safetensors")):
        device = path.name.split("-")[0]
        graph = pt.load_graph(path, device=device)
        with np.load(path.with_suffix(".npz")) as arrays, np.errstate(all="ignore"):
            inputs = [pt.asarray(arrays[f"x{k}"], device=device) for k in range(len(arrays.files))]
            results = [x.numpy() for _ in range(2) for x in graph(*inputs)]
        results += [v.numpy() for v in graph.variables if v.name == "w"]
        np.savez(path.with_suffix(".out.npz"), *results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
