"""Checks of what kernels return, under POLYTAPE_CHECK.

Core otherwise trusts kernels: a wrong result, or one of another dtype or shape than the op's rules say, would be found
much later, in another op, or never.
"""

from __future__ import annotations

import importlib
from contextvars import ContextVar
from typing import Any, Final

from ..backend import Kernel
from ..errors import BackendError, PolytapeError
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType

__all__ = ["Checked", "Compared"]


class Checked:
    """A kernel whose results must have the number, shapes and dtypes that the op's rules give.

    Args:
        fn: the kernel's function, with the wrappers that its options require.
        op, kernel: the op and the kernel, which errors name.
        result_types: of the op's outputs.
    """

    __slots__ = ("fn", "kernel", "op", "result_types")

    def __init__(self, fn: Any, op: Op, kernel: Kernel, result_types: tuple[TensorType, ...]) -> None:
        self.fn = fn
        self.op = op
        self.kernel = kernel
        self.result_types = result_types

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the kernel, then check its results.

        Raises:
            BackendError: they are not what the op's rules give.
            Exception: whatever the kernel raises, with a note that names the kernel.
        """
        rule_attributes = {name: value for name, value in attributes.items() if name != "out"}
        try:
            result = self.fn(*arrays, **attributes)
        except PolytapeError:
            raise
        except Exception as error:
            error.add_note(f"raised by {self.kernel!r}")
            raise
        shapes = self.op.output_shapes(list(arrays), rule_attributes)
        expected = ", ".join(
            f"{tensor_type.dtype}{list(shape)}" for shape, tensor_type in zip(shapes, self.result_types, strict=True)
        )
        got = self._described(result)
        if got != expected:
            raise BackendError(
                f"{self.op.name}: {self.kernel!r} returned a wrong result.",
                expected=expected,
                got=got,
                fix="report it to the kernel's authors; unset POLYTAPE_CHECK to go on without the check",
            )
        return result

    def _described(self, result: Any) -> str:
        """The types and shapes of the kernel's results."""
        if self.op.outputs is None:
            return _described(result)
        return ", ".join(map(_described, result)) if isinstance(result, (tuple, list)) else _described(result)


def _described(value: Any) -> str:
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is None or shape is None:
        return f"{value!r:.60} of type {type(value).__name__}"
    return f"{dtype}{list(shape)}"


class Compared:
    """What serves an op, compared with a reference at each call, under POLYTAPE_CHECK=<backend>.

    A resolution keeps it in place of its function, so eager calls, ops in bodies and gradients, and the equations of
    graphs are all compared.

    Args:
        resolver: the search that found what serves the op.
        resolution: its result, before its function is replaced by this.
    """

    __slots__ = ("candidates", "fn", "how", "reference", "resolver", "result_types")

    # Whether the reference runs: its own ops are not compared.
    inside: Final[ContextVar[bool]] = ContextVar("polytape.check", default=False)

    def __init__(self, resolver: Any, resolution: Resolution) -> None:
        self.resolver = resolver
        self.fn = resolution.fn
        self.how = resolution.how
        self.candidates = resolution.candidates
        self.result_types = resolution.result_types
        self.reference: Any = None  # found by the first call

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the op and the reference, and return the op's results.

        Raises:
            BackendError: they disagree.
            Exception: whatever the op raises.
        """
        if self.inside.get():
            return self.fn(*arrays, **attributes)
        # What counts as agreement is in the rows of the conformance kit, a room above this one. By name, so that
        # nothing of it is loaded, and no module here depends on it, without the setting.
        return importlib.import_module("polytape.testing.reference").compared_call(self, arrays, attributes)
