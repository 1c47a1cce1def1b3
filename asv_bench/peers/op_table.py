"""Time sixty ops beside torch, interleaved in one process on one thread: `python asv_bench/peers/op_table.py`.

Prints the Markdown table of docs/performance.md: the ratio of polytape's time to torch's (below 1, polytape is faster)
for float32 operands of 10, 1,000 and 1,000,000 elements, on the backends numpy and numba: of the op alone, and of the
op with its recording and its gradients for a given gradient of the result. The times are processor times, so that other
processes on a busy machine disturb them less. ``--json`` and ``--markdown`` also write the results to files. Without
torch, the times themselves are printed in microseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interleave import Call, Statement, interleaved, loop_of, median, timed
from ratios import THREADS, conditions

__all__ = ["main"]

BACKENDS = ("numpy", "numba")
KINDS = ("forward", "gradient")
# row -> kind -> size -> contestant -> seconds
Results = dict[str, dict[str, dict[str, dict[str, float]]]]
SLOW_S = 0.02  # a call that takes longer is repeated in at most a third of the batches


def tensors_of(operands: dict[str, Any], make: Callable[[Any], Any], own: str) -> dict[str, Any]:
    """The operands as a library's tensors; those named ``own + name`` replace those named ``name``."""
    given = {name: make(value) if hasattr(value, "dtype") else value for name, value in operands.items()}
    result = {name: value for name, value in given.items() if "_" not in name}
    if own:
        result |= {name.removeprefix(own): value for name, value in given.items() if name.startswith(own)}
    return result


def polytape_calls(row: Any, operands: dict[str, Any], backend: str) -> dict[str, Call]:
    """The op on a backend, and its gradients."""
    import polytape as pt

    with pt.device(f"{backend}:cpu"):
        given = tensors_of(operands, pt.asarray, "")
        forward = Statement(row.ours, pt=pt, **given)
        result = forward()
        calls: dict[str, Call] = {"forward": forward}
        if row.sources:
            seed = pt.asarray(seed_of(result, False))
            sources = [given[name] for name in row.sources.split()]

            def gradient() -> Any:
                with pt.GradientTape() as tape:
                    tape.watch(sources)
                    y = forward.call()
                return tape.gradient(y, sources, output_gradients=seed)

            calls["gradient"] = gradient
    return calls


def torch_calls(row: Any, operands: dict[str, Any]) -> dict[str, Call]:
    """The op in torch, and its gradients."""
    import torch

    torch.set_num_threads(1)
    grad, functional = torch.autograd.grad, torch.nn.functional
    given = tensors_of(operands, torch.tensor, "t_")
    forward = Statement(row.theirs, torch=torch, F=functional, **given)
    calls: dict[str, Call] = {"forward": forward}
    if row.sources:
        leaves = {name: given[name].clone().requires_grad_() for name in row.sources.split()}
        sources = list(leaves.values())
        recorded = Statement(row.theirs, torch=torch, F=functional, **(given | leaves)).call
        seed = torch.tensor(seed_of(recorded().detach().numpy(), "channels" in operands))
        calls["gradient"] = lambda: grad(recorded(), sources, seed)
    return calls


def seed_of(y: Any, images: bool) -> Any:
    """A gradient of torch's result that is not 1, since polytape leaves out products with 1."""
    import numpy as np

    shape = [y.shape[k] for k in LAST] if images else y.shape
    seed = np.asarray(np.random.default_rng(1).uniform(0.5, 1.5, shape), y.dtype)
    return seed.transpose(FIRST) if images else seed


# Torch has the channels first, and the windows of weights last.
FIRST, LAST, OF_WEIGHTS = (0, 3, 1, 2), (0, 2, 3, 1), {"w": (2, 3, 1, 0), "d": (2, 3, 0, 1)}


def check(row: str, calls: dict[str, dict[str, Call]], sources: list[str], images: bool) -> None:
    """Compare the results of all contestants, so that no table of wrong results is printed."""
    import numpy as np

    for kind, call in calls.get("torch", {}).items():
        names = [""] if kind == "forward" else sources
        for name, reference in zip(names, [host(value) for value in flat(call())], strict=True):
            if images:
                reference = reference.transpose(OF_WEIGHTS.get(name, LAST))
            scale = max(1.0, float(np.max(np.abs(reference), initial=0.0)))
            for contestant in [contestant for contestant in calls if contestant != "torch"]:
                found = host(flat(calls[contestant][kind]())[names.index(name)])
                np.testing.assert_allclose(
                    found / scale,
                    reference / scale,
                    rtol=5e-3,
                    atol=1e-3,
                    err_msg=f"{row}, {kind} {name}, {contestant}",
                )


def flat(result: Any) -> list[Any]:
    """The tensors of a result."""
    return list(result) if isinstance(result, (list, tuple)) else [result]


def host(value: Any) -> Any:
    """A tensor as a NumPy array."""
    return (value.detach() if hasattr(value, "detach") else value).numpy()


def measured(row: str, size: int, batches: int, batch_s: float, backends: list[str], torch: bool) -> dict[str, Any]:
    """Seconds per call by kind and contestant."""
    import numpy as np
    from op_rows import ROWS

    operands = ROWS[row].operands(size, np.random.default_rng(0))
    calls = {backend: polytape_calls(ROWS[row], operands, backend) for backend in backends}
    if torch:
        calls["torch"] = torch_calls(ROWS[row], operands)
    check(row, calls, ROWS[row].sources.split(), "channels" in operands)
    result = {}
    for kind in KINDS:
        contestants = {name: by_kind[kind] for name, by_kind in calls.items() if kind in by_kind}
        if contestants:
            clock = time.process_time
            slow = max(timed(loop_of(call), 1, clock) for call in contestants.values()) > SLOW_S
            samples = interleaved(contestants, max(1, batches // 3) if slow else batches, batch_s, clock)
            result[kind] = {name: median(times) for name, times in samples.items()}
    return result


def ratio(cell: dict[str, float], backend: str) -> float | None:
    """polytape's time over torch's, or in microseconds without torch; None for a cell that was not measured."""
    if backend not in cell:
        return None
    return cell[backend] / cell["torch"] if "torch" in cell else cell[backend] * 1e6


def columns(results: Results, backends: list[str], sizes: list[int]) -> dict[tuple[str, str, int], list[float | None]]:
    """(kind, backend, size) -> the ratio of each row."""
    return {
        (kind, backend, size): [ratio(row.get(kind, {}).get(str(size), {}), backend) for row in results.values()]
        for kind in KINDS
        for backend in backends
        for size in sizes
    }


def table(results: Results, backends: list[str], sizes: list[int]) -> str:
    """The Markdown table, with the medians in its last row."""
    cells = columns(results, backends, sizes)
    heads = [f"{kind} {backend} {size:,}" for kind, backend, size in cells]
    lines = ["| op | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for k, row in enumerate(results):
        lines.append(f"| {row} | " + " | ".join(shown(column[k]) for column in cells.values()) + " |")
    medians = [statistics.median([value for value in column if value is not None]) for column in cells.values()]
    lines.append("| **median** | " + " | ".join(f"**{value:.2f}**" for value in medians) + " |")
    return "\n".join(lines)


def shown(value: float | None) -> str:
    """A cell; bold above 2."""
    if value is None:
        return ""
    return f"**{value:.1f}**" if value > 2.0 else f"{value:.2f}"


def above(results: Results, backends: list[str], sizes: list[int], limit: float = 2.0) -> list[str]:
    """The cells above a limit, the worst first."""
    found = []
    for (kind, backend, size), column in columns(results, backends, sizes).items():
        for row, value in zip(results, column, strict=True):
            if value is not None and value > limit:
                found.append((value, f"{value:.1f}x {row}, {kind}, {backend}, {size:,}"))
    return [text for _, text in sorted(found, reverse=True)]


def arguments() -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=11, help="batches per contestant and cell (default 11)")
    parser.add_argument("--batch-ms", type=float, default=1.0, help="length of a batch in milliseconds (default 1)")
    parser.add_argument("--rows", default="", help="comma-separated list of ops (default: all)")
    parser.add_argument("--sizes", type=int, nargs="+", default=None, help="(default 10 1000 1000000)")
    parser.add_argument("--backends", default=",".join(BACKENDS), help="(default %(default)s)")
    parser.add_argument("--no-torch", action="store_true", help="without torch, in microseconds")
    parser.add_argument("--json", type=Path, help="also write the seconds of each cell to this file")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    return parser.parse_args()


def main() -> None:
    """Measure, print and write."""
    options = arguments()
    for name in THREADS:  # before NumPy is imported: its BLAS reads them once
        os.environ[name] = "1"
    sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))  # the checkout's programs, whatever is installed
    from op_rows import ROWS, SIZES
    from peers import installed

    torch = not options.no_torch and installed("torch")
    sizes = options.sizes or list(SIZES)
    backends = [name for name in options.backends.split(",") if name]
    names = [name.strip() for name in options.rows.split(";") if name.strip()] or list(ROWS)
    context = conditions(["torch", "numba"] if torch else ["numba"], options.batches, options.batch_ms / 1e3)
    results: Results = {name: {} for name in names}
    for name in names:
        for size in sizes:
            cells = measured(name, size, options.batches, options.batch_ms / 1e3, backends, torch)
            for kind, cell in cells.items():
                results[name].setdefault(kind, {})[str(size)] = cell
        print(f"measured {name}", file=sys.stderr, flush=True)
    text = table(results, backends, sizes)
    print(text)
    if torch:
        far = above(results, backends, sizes)
        print(f"\n{len(far)} cells above 2x torch:", *far, sep="\n")
    print(f"\n{context}")
    if options.json:
        options.json.write_text(json.dumps({"conditions": context, "rows": results}, indent=1), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
