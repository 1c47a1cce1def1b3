"""Compare what sessions give for the expressions of recorded.py; run as a program by test_values.py.

The shape and dtype that the graph infers have to fit the values too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from recorded import TOLERANCE, names

from polytape.compat import tf1 as tf

# What only eager mode has: values without a session; and cells, which need initialized weights.
EAGER = (
    "rnn(", "str(", "repr(", ".numpy", "tfe.", "list(", "float(", "int(c", "'{", ".graph", "py_func", ".device",
)  # fmt: skip


def gradients_of(f: Any) -> Any:
    """What `tfe.gradients_function` is in eager mode."""

    def gradients(*args: Any) -> Any:
        tensors = [tf.convert_to_tensor(x) for x in args]
        return tf.gradients(f(*tensors), tensors)

    return gradients


def differs(found: Any, wanted: Any, session: Any) -> str:
    """What differs between a result, when a session runs it, and the recorded one; "" if nothing does."""
    if isinstance(wanted, list):
        if not isinstance(found, (list, tuple)) or len(found) != len(wanted):
            return f"{found!r} is not a sequence of {len(wanted)}"
        return "; ".join(filter(None, [differs(one, other, session) for one, other in zip(found, wanted, strict=True)]))
    if not isinstance(wanted, dict) or "values" not in wanted:
        if isinstance(found, tf.Operation):  # an assertion
            found = session.run(found)
        return "" if found == wanted else f"{found!r} instead of {wanted!r}"
    if not found.shape.is_compatible_with(wanted["shape"]) or found.dtype.name != wanted["dtype"]:
        return f"{found} instead of {wanted['dtype']}{wanted['shape']}"
    array = np.asarray(session.run(found))
    values = np.array(wanted["values"])
    if found.dtype.is_complex:
        values = values[..., 0] + 1j * values[..., 1]
    tolerance = TOLERANCE.get(wanted["dtype"], 0)
    near = list(array.shape) == wanted["shape"] and np.allclose(
        np.ravel(array), values, rtol=tolerance, atol=tolerance, equal_nan=True
    )
    return "" if near else f"{np.ravel(array)[:12]} instead of {values[:12]}"


def problem(text: str, wanted: Any) -> str:
    """What is wrong with an expression's result; "" if it is as recorded. Errors come from the call or from the run."""
    error = wanted.get("error") if isinstance(wanted, dict) else None
    with tf.Graph().as_default(), tf.Session() as session:
        try:
            found = eval(text, {**names(), "grad": gradients_of})
            if not error:
                return differs(found, wanted, session)
            session.run([x for x in (found if isinstance(found, list) else [found]) if x is not None])
        except Exception as raised:
            # TensorFlow raises InvalidArgumentError in eager mode for what it rejects with ValueError in a graph.
            expected = isinstance(raised, (ValueError, TypeError, tf.OpError)) if error else False
            return "" if expected else f"{type(raised).__name__}: {raised} instead of {wanted}"
    return f"{found!r} instead of {error}"


def main(path: str) -> int:
    """Print the expressions whose results differ; the exit status is 1 if there are any, or fewer than expected."""
    rows = json.loads(Path(path).read_text(encoding="utf-8"))
    chosen = [(text, wanted) for text, wanted in rows if not any(part in text for part in EAGER)]
    failures = [f"{text}: {found}" for text, wanted in chosen if (found := problem(text, wanted))]
    print("\n".join(failures) or f"{len(chosen)} as in TensorFlow 1.7.0")
    return int(bool(failures) or len(chosen) < 550)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
