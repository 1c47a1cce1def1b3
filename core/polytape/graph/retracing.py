"""Warnings of functions that are traced again and again: which argument changes, and how to stop it."""

from __future__ import annotations

import warnings
from typing import Final

from ..errors import PolytapeWarning
from ..tensors.spec import TensorSpec
from ..tensors.symbol import describe_object
from .signature import Call
from .tracing import user_line

__all__ = ["KEPT", "Retraces"]

SCALARS: Final = 3  # a warning is given at this many values of one Python number, since each is a new trace
TRACES: Final = 16  # and at this many traces of a function
KEPT: Final = 128  # how many traces a function keeps; then the one that was used least recently is dropped


class Retraces:
    """The traces of one function, and what has differed between them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.traces = 0
        self.numbers: dict[str, set[str]] = {}
        self.specs: dict[str, TensorSpec] = {}  # of each tensor, with None for a size that has changed
        self.latest: dict[str, str] = {}
        self.changed: dict[str, tuple[str, str]] = {}  # of each argument, its last change

    def count(self, call: Call) -> None:
        """Count a trace, and warn at the user's line if there are many."""
        self.count_numbers(call)
        self.traces += 1
        specs = {name: TensorSpec(x.array.shape, x.dtype) for name, x in zip(call.names, call.tensors, strict=True)}
        found = {name: str(spec) for name, spec in specs.items()}
        found |= {name: describe_object(value) for name, value in call.scalars}
        for name, text in found.items():
            if self.latest.get(name, text) != text:
                self.changed[name] = self.latest[name], text
        self.latest |= found
        self.specs |= {name: widened(self.specs.get(name), spec) for name, spec in specs.items()}
        if self.traces == TRACES:
            warn(f"{self.name} has been traced {TRACES} times, {self.reason(call)}")

    def reason(self, call: Call) -> str:
        """Which arguments have changed, and what to do about it."""
        changes = [f"{name} from {old} to {new}" for name, (old, new) in self.changed.items()]
        text = f"for other arguments each time: {', '.join(changes)}." if changes else "for other objects each time."
        tensors = [name for name in self.changed if name in call.names]
        numbers = [name for name in self.changed if name not in call.names]
        if tensors:
            specs = ", ".join([f"{name!r}: polytape.{written(self.specs[name])}" for name in tensors])
            text += f" One trace serves all sizes with input_signature={{{specs}}}, or pad tensors to a few shapes."
        if numbers:
            text += f" Pass {', '.join(numbers)} as a tensor, polytape.asarray(value)."
        return f"{text} A function keeps the {KEPT} traces that were used last."

    def count_numbers(self, call: Call) -> None:
        """Warn when a Python number takes its third value, because each value is a new trace."""
        for name, value in call.scalars:
            values = self.numbers.setdefault(name, set())
            if len(values) == SCALARS or repr(value) in values:
                continue
            values.add(repr(value))
            if len(values) == SCALARS:
                warn(
                    f"{self.name} is traced again for each value of {name}: {', '.join(sorted(values))}. Pass it as a "
                    "tensor, polytape.asarray(value), if it keeps changing."
                )


def widened(known: TensorSpec | None, spec: TensorSpec) -> TensorSpec:
    """A spec that describes both."""
    if known is None or len(known.shape) != len(spec.shape):
        return spec
    sizes = [n if n == m else None for n, m in zip(known.shape, spec.shape, strict=True)]
    return TensorSpec(sizes, spec.dtype)


def written(spec: TensorSpec) -> str:
    """A spec as Python code."""
    return f"TensorSpec({spec.shape}, {str(spec.dtype)!r})"


def warn(text: str) -> None:
    """Warn at the user's line."""
    file, line = user_line()
    warnings.warn_explicit(text, PolytapeWarning, file, line)
