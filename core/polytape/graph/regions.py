"""Regions: equations with subgraphs, such as a loop with its body.

A region is a graph whose inputs are all arguments. What its function reads from around it are operands of the equation
too. So no pass needs to look from a region outwards, and an equation with regions is to passes like any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ..autodiff.gradient_plan import plan_of
from ..autodiff.record import active_tapes, follow, record_several, wrap
from ..autodiff.several import Several
from ..dtypes import FLOATING
from ..errors import DTypeError, ShapeError
from ..registry.gradient_rule import G, GradientRule, Y
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from .execution import Executable
from .ir import Graph
from .wiring import Wiring

__all__ = ["Regions", "Value", "declared", "emit", "followed"]

Value = tuple[TensorType, tuple[int, ...]]  # the type and the shape of a tensor


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regions(ABC):
    """The regions of one equation, and what runs them: the value of its attribute ``regions``.

    Attributes:
        graphs: the regions.
        operands, results: type and shape of each operand and of each output of the equation.
        DATA: what a file has of it besides: names of attributes, and the types of their values there.
    """

    DATA: ClassVar[dict[str, tuple[type, ...]]] = {}

    graphs: tuple[Graph, ...]
    operands: tuple[Value, ...]
    results: tuple[Value, ...]
    _compiled: list[Any] = field(default_factory=list, init=False)

    def __repr__(self) -> str:
        return ", ".join([repr(graph) for graph in self.graphs])

    @property
    def settings(self) -> list[str]:
        """What is printed behind the operands, such as ``length=3``: all data but false and None."""
        return [f"{name}={value!r}" for name, value in self.data().items() if value is not None and value is not False]

    @abstractmethod
    def run(self, *arrays: Any) -> Sequence[Any]:
        """The outputs' arrays for the operands' arrays."""

    @abstractmethod
    def replay(self, operands: Sequence[Tensor]) -> list[Tensor]:
        """The outputs, by calling the ops of the regions now, in whatever scope is open."""

    @abstractmethod
    def gradients(self, sources: Sequence[int], g: Any, y: Any, operands: Sequence[Tensor]) -> Sequence[Any]:
        """The gradients of the operands at the positions ``sources``, made of ops.

        Args:
            sources: positions of floating operands.
            g: has the cotangents of the outputs as ``parts``, None where there is none; ``y``: the outputs.
            operands: all of them.
        """

    @classmethod
    @abstractmethod
    def wiring(cls, data: dict[str, Any], operands: int, results: int) -> Wiring | None:
        """How the values of an equation with these data are connected to its regions; None if there is no such one.

        Args:
            data: a value of a valid type for each name in ``DATA``.
            operands, results: how many the equation has.
        """

    def data(self) -> dict[str, Any]:
        """What a file has of it, besides regions and types."""
        return {name: getattr(self, name) for name in self.DATA}

    @classmethod
    def restored(
        cls, graphs: Sequence[Graph], operands: Sequence[Value], results: Sequence[Value], data: dict[str, Any]
    ) -> Regions:
        """The inverse of `data`, for graphs and types that `wiring` accepts."""
        return cls(tuple(graphs), tuple(operands), tuple(results), **data)

    def runners(self) -> list[Any]:
        """The regions as functions of native arrays."""
        if not self._compiled:  # two threads may both compile: the first list is used by both from then on
            self._compiled.append([_Runner(Executable(graph)).run for graph in self.graphs])
        compiled: list[Any] = self._compiled[0]
        return compiled

    def replaced(self, graphs: Sequence[Graph]) -> Regions:
        """The same with other graphs, as passes make them."""
        return replace(self, graphs=tuple(graphs))


class _Runner:
    """A compiled region."""

    __slots__ = ("executable",)

    def __init__(self, executable: Executable) -> None:
        self.executable = executable

    def run(self, *arrays: Any) -> Any:
        """Its results' arrays."""
        try:
            return self.executable.run(*arrays)
        except Exception as error:
            self.executable.explain(error)
            raise


def _run(*arrays: Any, regions: Regions) -> Sequence[Any]:
    """The kernel of every equation with regions."""
    return regions.run(*arrays)


class _Rule:
    """The gradient rule of a record with regions."""

    def __init__(self, sources: tuple[int, ...]) -> None:
        self.sources = sources

    def __call__(self, g: Any, y: Any, *operands: Tensor, regions: Regions) -> Any:
        gradients = tuple(regions.gradients(self.sources, g, y.parts, operands))
        return gradients if len(gradients) > 1 else gradients[0]


def followed(operands: Sequence[Tensor], variables: Sequence[Variable], results: Sequence[TensorType]) -> bool:
    """Whether an open tape follows an operand, and a result can have a gradient.

    Args:
        operands: read by the open trace already.
        variables: those among them, which a tape starts to watch when they are used.
        results: the outputs' types.
    """
    scope = current_scope.get()
    if not scope.tapes or not any(x.category >= FLOATING for x in results):
        return False
    for variable in variables:
        active_tapes(variable, scope)
    return bool(_floating(operands, follow(operands, scope)[1]))


def _floating(operands: Sequence[Tensor], watched: int) -> tuple[int, ...]:
    return tuple(k for k, x in enumerate(operands) if watched >> k & 1 and x.type.category >= FLOATING)


def emit(name: str, regions: Regions, operands: Sequence[Tensor], variables: Sequence[Variable]) -> list[Tensor]:
    """Add an equation with regions to the open trace; returns its outputs, recorded by the tapes that follow it.

    Args:
        name: of the op.
        regions: its regions.
        operands: read by the open trace already.
        variables: those among them.
    """
    if not regions.results:
        return []
    scope = current_scope.get()
    types = tuple([tensor_type for tensor_type, _ in regions.results])
    op, resolution = declared(name, regions)
    recorded = followed(operands, variables, types)
    tapes, watched = follow(operands, scope) if recorded else ((), 0)
    symbols = scope.trace.emit(op, resolution, operands, operands, {"regions": regions})
    if not recorded:
        return [wrap(symbol, tensor_type, None) for symbol, tensor_type in zip(symbols, types, strict=True)]
    sources = _floating(operands, watched)
    count = len(operands)
    op.rules.append(GradientRule(_Rule(sources), sources, (G, Y, *range(count)), ("regions",)))
    mask = sum(1 << k for k in sources)
    nodes = tuple([x.node if mask >> k & 1 else None for k, x in enumerate(operands)])
    arrays = tuple([x.array for x in operands])
    plan = plan_of(op, count, mask)
    return record_several(op, resolution, plan, tapes, nodes, arrays, {"regions": regions}, symbols)


def declared(name: str, regions: Regions) -> tuple[Op, Resolution]:
    """The op of one equation with regions, and its kernel."""
    types = [tuple([tensor_type for tensor_type, _ in values]) for values in (regions.operands, regions.results)]
    return _op(name, regions), Resolution(_run, None, types[0], types[1], (), "kernel")


def _body(*operands: Any, regions: Any) -> Any:
    """The body of an op with regions; never called."""
    return operands, regions


def _op(name: str, regions: Regions) -> Op:
    """An op of its own for one equation, with the rules that the checker needs."""
    operands = tuple([f"x{position}" for position in range(len(regions.operands))])
    op = Op(name, _body, (*operands, "regions"), operands, len(operands))
    op.outputs = Several
    shapes = tuple([shape for _, shape in regions.results])
    dtypes = tuple([tensor_type.dtype for tensor_type, _ in regions.results])

    def shape_rule(*given: Any) -> Any:
        for position, (shape, (_, own)) in enumerate(zip(given, regions.operands, strict=True)):
            if tuple(shape) != own:
                raise ShapeError(f"operand {position} does not have the shape of its regions' argument.",
                                 expected=str(own), got=str(shape), fix="trace the function again")  # fmt: skip
        return shapes

    def dtype_rule(*given: Any) -> Any:
        for position, (dtype, (own, _)) in enumerate(zip(given, regions.operands, strict=True)):
            if dtype is not own.dtype:
                raise DTypeError(f"operand {position} does not have the dtype of its regions' argument.",
                                 expected=str(own.dtype), got=str(dtype), fix="trace the function again")  # fmt: skip
        return dtypes

    op.shape_rule, op.dtype_rule = shape_rule, dtype_rule
    return op
