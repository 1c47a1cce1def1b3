"""Kernel choice: a predicate that reads no operand is evaluated when the function is traced, not at each run.

    before                                              after
    a = leaky_relu(x, negative_slope=0.1)               a = leaky_relu(x, negative_slope=0.1)
      kernels: _leaky if slope > 0, else another          kernel: _leaky

The printed graph stays the same. An equation with one kernel can be part of a cluster (`fusion`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

from ...registry.resolution import Guarded, Resolution
from ..ir import Equation, Graph

__all__ = ["kernel_choice"]


def kernel_choice(graph: Graph) -> Graph:
    """The graph, in which equations with several kernels have one where their attributes decide."""
    equations = tuple(_decided(equation) for equation in graph.equations)
    return replace(graph, equations=equations) if equations != graph.equations else graph


class _Unread:
    """Takes the place of an operand in a predicate, which raises if it reads it."""

    __slots__ = ()

    def _read(self, *_: object) -> NoReturn:
        raise TypeError("the predicate reads an operand")

    __getattr__ = __bool__ = __len__ = __iter__ = __getitem__ = __array__ = __eq__ = __lt__ = __gt__ = _read
    __hash__ = None  # type: ignore[assignment]


def _decided(equation: Equation) -> Equation:
    resolution = equation.resolution
    guarded = resolution.fn
    if type(guarded) is not Guarded or equation.regions is not None:
        return equation
    attributes = {name: value for name, value in equation.attributes.items() if name not in ("device", "dtype")}
    operands: list[Any] = [None if x is None else _Unread() for x in equation.operands]
    chosen = len(guarded.choices)
    for position, (when, _) in enumerate(guarded.choices):
        try:
            served = when(*operands, **attributes)
        except Exception:
            return equation  # it depends on the operands
        if served:
            chosen = position
            break
    kernels = resolution.candidates[chosen : chosen + 1]  # none: the body
    fn = guarded.choices[chosen][1] if chosen < len(guarded.choices) else guarded.last
    how = "kernel" if kernels else "body"
    if not kernels and resolution.how != "kernel":
        return equation
    types = resolution.operand_types, resolution.result_types
    return replace(equation, resolution=Resolution(fn, resolution.shared_type, *types, kernels, how))
