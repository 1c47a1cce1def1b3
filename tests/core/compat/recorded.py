"""Compare the facade with what TensorFlow 1.7.0 gave for the same expressions; run as a program by test_values.py.

tests/record_tensorflow_values.py, run under TensorFlow 1.7.0 itself, wrote data/values.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from polytape.compat import tf1 as tf, tfe

TOLERANCE = {"float16": 1e-2, "float32": 2e-5, "float64": 1e-6, "complex64": 2e-5, "complex128": 1e-6}


def ramp(*shape: int) -> Any:
    """As in tests/record_tensorflow_values.py."""
    count = int(np.prod(shape))
    return tf.constant((np.arange(count) * 7 % 11 / 8.0 - 0.5).reshape(shape).astype(np.float32))


def rnn(cell: Any, **options: Any) -> Any:
    """A cell's outputs and state on a batch of two sequences, its weights set to numbers without a pattern."""
    x, lengths = ramp(2, 3, 4), tf.constant([3, 2])
    tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    for number, weight in enumerate(cell.variables, 1):
        weight.assign(ramp(*[int(size) for size in weight.shape]) * number)
    return tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32, **options)


def names() -> dict[str, Any]:
    """The names that the expressions use."""
    return {
        "tf": tf, "np": np, "c": tf.constant, "grad": tfe.gradients_function, "rnn": rnn, "rc": tf.nn.rnn_cell,
        "x3": ramp(1, 5, 2), "w3": ramp(2, 2, 3), "x4": ramp(1, 4, 4, 2), "w4": ramp(2, 2, 2, 3),
        "g4": ramp(1, 4, 4, 3), "wt": ramp(2, 2, 3, 2), "wd": ramp(2, 2, 2, 2), "wp": ramp(1, 1, 4, 3),
        "x5": ramp(1, 2, 2, 2, 2),
        "w5": ramp(2, 2, 2, 2, 3), "w5t": ramp(2, 2, 2, 2, 2), "im": tf.abs(ramp(4, 4, 3)),
    }  # fmt: skip


def differs(found: Any, wanted: Any) -> str:
    """What differs between a result and the recorded one; "" if nothing does."""
    if isinstance(wanted, dict) and "values" in wanted:
        if not isinstance(found, tf.Tensor):
            return f"{found!r} is not a tensor"
        if (found.dtype.name, found.shape.as_list()) != (wanted["dtype"], wanted["shape"]):
            return f"{found.dtype.name}{found.shape} instead of {wanted['dtype']}{wanted['shape']}"
        values = np.array(wanted["values"])
        if found.dtype.is_complex:
            values = values[..., 0] + 1j * values[..., 1]
        tolerance = TOLERANCE.get(wanted["dtype"], 0)
        near = np.allclose(np.ravel(found.numpy()), values, rtol=tolerance, atol=tolerance, equal_nan=True)
        return "" if near else f"{np.ravel(found.numpy())[:12]} instead of {values[:12]}"
    if isinstance(wanted, list):
        if not isinstance(found, (list, tuple)) or len(found) != len(wanted):
            return f"{found!r} is not a sequence of {len(wanted)}"
        return "; ".join(filter(None, map(differs, found, wanted)))
    if isinstance(wanted, float):
        return "" if abs(found - wanted) <= 1e-6 * abs(wanted) else f"{found!r} instead of {wanted!r}"
    return "" if found == wanted else f"{found!r} instead of {wanted!r}"


def problem(text: str, wanted: Any, scope: dict[str, Any]) -> str:
    """What is wrong with an expression's result; "" if it is as recorded."""
    error = wanted.get("error") if isinstance(wanted, dict) else None
    try:
        found = eval(text, scope)
    except Exception as raised:
        classes = {cls.__name__ for cls in type(raised).__mro__}
        return "" if error in classes else f"{type(raised).__name__}: {raised} instead of {wanted}"
    return f"{found!r} instead of {error}" if error else differs(found, wanted)


def main(path: str) -> int:
    """Print the expressions whose results differ; the exit status is 1 if there are any, or fewer than expected."""
    tf.enable_eager_execution()
    scope = names()
    rows = json.loads(Path(path).read_text(encoding="utf-8"))
    failures = [f"{text}: {found}" for text, wanted in rows if (found := problem(text, wanted, scope))]
    print("\n".join(failures) or f"{len(rows)} as in TensorFlow 1.7.0")
    return int(bool(failures) or len(rows) < 500)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
