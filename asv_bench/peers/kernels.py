"""Time NumPy's kernels of this checkout beside those of another one: `python asv_bench/peers/kernels.py ../before`.

Prints how many times as long the other checkout's kernels take, for operands of 10, 1,000 and 1,000,000 elements in
float32 and float64. The kernels take turns in one process on one thread; the times are processor times. Their results
are compared first.

    git worktree add ../before v0.1.0
    python asv_bench/peers/kernels.py ../before --rows "relu;sort, half of it 0"
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from interleave import interleaved, median
from ratios import THREADS

__all__ = ["ROWS", "main"]

CHECKOUT = Path(__file__).resolve().parents[2]
SIZES = (10, 1_000, 1_000_000)
SLOW_S = 0.02  # a call that takes longer is repeated in a third of the batches


class Row(NamedTuple):
    """One call of a kernel.

    Attributes:
        op: its op.
        operands: ``(numbers, labels) -> operands``, from an array with 10 columns if it has rows of them.
        attributes: of the op.
        columns: of the numbers; 0 for a vector.
    """

    op: str
    operands: Callable[..., tuple[Any, ...]]
    attributes: Mapping[str, Any] = MappingProxyType({})
    columns: int = 0


def alone(x: Any, labels: Any) -> tuple[Any, ...]:
    """The numbers."""
    return (x,)


def positive(x: Any, labels: Any) -> tuple[Any, ...]:
    """The numbers without their signs."""
    return (abs(x),)


def beside(number: float, place: int = 1, change: Callable[[Any], Any] = lambda x: x) -> Callable[..., tuple[Any, ...]]:
    """The numbers and, at a place of its own, one number of their dtype."""

    def operands(x: Any, labels: Any) -> tuple[Any, ...]:
        bound = x.dtype.type(number).reshape(())
        return (change(x), *[None] * (place - 1), bound)

    return operands


def normalised(x: Any, labels: Any) -> tuple[Any, ...]:
    """The numbers with moving averages, a weight and a bias."""
    one = abs(x[0]) + x.dtype.type(0.5)
    return x, one, one, one, one


def image(kernel: int, groups: int) -> Callable[..., tuple[Any, ...]]:
    """Images of 8 channels with the channels first, as many as fill the size, and weights."""
    import numpy as np

    def operands(x: Any, labels: Any) -> tuple[Any, ...]:
        side = {10: 2, 1_000: 8, 1_000_000: 32}[x.size]
        shape = (max(1, x.size // (8 * side * side)), 8, side, side)
        weights = (kernel, kernel, 8 // groups, 8)
        return np.resize(x, shape), np.resize(x, weights)

    return operands


def convolution(groups: int) -> dict[str, Any]:
    """The attributes of a convolution with the channels first and the same size."""
    ones = (1, 1)
    return {
        "stride": ones, "padding": (ones, ones), "lhs_dilation": ones, "rhs_dilation": ones, "groups": groups,
        "data_format": "channels_first",
    }  # fmt: skip


ROWS: dict[str, Row] = {
    "sort": Row("sort", alone),
    "sort, half of it 0": Row("sort", lambda x, labels: (x * (x > 0),)),
    "max, axis 0 of 10 columns": Row("max", alone, {"axis": 0}, 10),
    "max, last axis of 10 columns": Row("max", alone, {"axis": -1}, 10),
    "max, last axis of 100 columns": Row("max", alone, {"axis": -1}, 100),
    "mean, last axis of 5,000 columns": Row("mean", alone, {"axis": -1}, 5_000),
    "x ** 0.5": Row("power", beside(0.5, change=abs)),
    "x ** -0.5": Row("power", beside(-0.5, change=abs)),
    "x ** 1.5": Row("power", beside(1.5, change=abs)),
    "x ** 1.5, half of it negative": Row("power", beside(1.5)),
    "maximum(x, 0.5)": Row("maximum", beside(0.5)),
    "clip(x, max=0.5)": Row("clip", beside(0.5, 2)),
    "relu": Row("relu", alone),
    "gelu": Row("gelu", alone),
    "gelu_gradient": Row("gelu_gradient", lambda x, labels: (x, x)),
    "softplus": Row("softplus", alone),
    "var": Row("var", alone),
    "var, axis 0 of 10 columns": Row("var", alone, {"axis": 0}, 10),
    "pad": Row("pad", alone, {"pad_width": 1}),
    "pad, edge": Row("pad", alone, {"pad_width": 1, "mode": "edge"}),
    "roll": Row("roll", alone, {"shift": 3}),
    "stack": Row("stack", lambda x, labels: (x, x)),
    "one_hot of 10 classes": Row("one_hot", lambda x, labels: (labels,), {"num_classes": 10, "dtype": None}),
    "softmax, axis 0 of 10 columns": Row("softmax", alone, {"axis": 0}, 10),
    "log_softmax of 10 columns": Row("log_softmax", alone, {}, 10),
    "cross entropy of 10 classes": Row(
        "sparse_softmax_cross_entropy_with_logits", lambda x, labels: (labels[: len(x)], x), {}, 10
    ),
    "batch_norm of 10 channels": Row(
        "batch_norm", normalised, {"momentum": 0.9, "axis": -1, "epsilon": 1e-3}, 10
    ),
    "conv, 3 x 3, 8 channels first": Row("conv", image(3, 1), convolution(1)),
    "depthwise conv, 3 x 3, 8 channels first": Row("conv", image(3, 8), convolution(8)),
}  # fmt: skip


def kernels_of(checkout: Path, name: str) -> list[Any]:
    """The kernels that a checkout builds for NumPy, whose modules are imported under another name."""
    import numpy as np

    folder = checkout / "backends" / "numpy" / "polytape_numpy" / "kernels"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None or not folder.is_dir():
        raise FileNotFoundError(f"{checkout} is no checkout of polytape: it has no folder {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    kernels: list[Any] = module.build(np)
    return kernels


def serving(kernels: list[Any], op: str, arrays: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """The first kernel of an op for the dtype of its first operand; None if the op's body would serve."""
    dtype = arrays[0].dtype.name
    given = {name: value for name, value in attributes.items() if name != "dtype"}
    for kernel in kernels:
        supported = kernel.op == op and (kernel.dtypes == ("any",) or dtype in kernel.dtypes)
        if supported and (kernel.when is None or kernel.when(*arrays, **given)):
            return kernel.fn
    return None


def measured(row: Row, size: int, dtype: str, both: list[list[Any]], batches: int, batch_s: float) -> float | None:
    """The other checkout's time divided by this one's; None where one of them has no kernel."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.standard_normal(size).astype(dtype)
    if row.columns:
        columns = min(row.columns, size // 2)
        x = x.reshape(-1, columns)
    arrays = row.operands(x, rng.integers(0, 5, size))
    attributes = {**row.attributes, **({"dtype": np.dtype(dtype)} if "dtype" in row.attributes else {})}
    first, second = (serving(kernels, row.op, arrays, attributes) for kernels in both)
    if first is None or second is None:
        return None
    calls = {"this": lambda: first(*arrays, **attributes), "other": lambda: second(*arrays, **attributes)}
    with np.errstate(all="ignore"):
        for ours, theirs in zip(flat(calls["this"]()), flat(calls["other"]()), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
        start = time.process_time()
        calls["other"]()
        slow = time.process_time() - start > SLOW_S
        times = interleaved(calls, max(1, batches // 3) if slow else batches, batch_s, time.process_time)
    return median(times["other"]) / median(times["this"])


def flat(result: Any) -> tuple[Any, ...]:
    """The arrays of a result."""
    return result if isinstance(result, tuple) else (result,)


def shown(value: float | None) -> str:
    """A cell."""
    return "" if value is None else f"{value:.1f}" if value >= 2.0 else f"{value:.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the folder of the other checkout")
    parser.add_argument("--rows", default="", help="some rows, separated by semicolons (default: all)")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES, help="(default: all)")
    parser.add_argument("--batches", type=int, default=11, help="batches per kernel and cell (default 11)")
    parser.add_argument("--batch-ms", type=float, default=1.0, help="length of a batch in milliseconds (default 1)")
    options = parser.parse_args()
    for name in THREADS:  # before NumPy is imported: its BLAS reads them once
        os.environ[name] = "1"
    both = [kernels_of(CHECKOUT, "this_checkout"), kernels_of(options.other.resolve(), "other_checkout")]
    cells = [(dtype, size) for dtype in ("float32", "float64") for size in options.sizes]
    print("| kernel | " + " | ".join(f"{dtype} {size:,}" for dtype, size in cells) + " |")
    print("|---|" + "---|" * len(cells))
    names = [name.strip() for name in options.rows.split(";") if name.strip()] or list(ROWS)
    for name in names:
        values = [
            measured(ROWS[name], size, dtype, both, options.batches, options.batch_ms / 1e3) for dtype, size in cells
        ]
        print(f"| {name} | " + " | ".join(map(shown, values)) + " |", flush=True)


if __name__ == "__main__":
    main()
