"""Small variables are updated together: the op runs once on their joined elements, and its results are cut into parts.

An update of a small variable costs the calls that it makes, not its arithmetic. Joined, 200 variables make the calls of
one. The updates of polytape's own optimizers treat each element alone, so the results are the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import is_
from typing import TYPE_CHECKING, Any, Final

from ..autodiff.indexed_slices import IndexedSlices
from ..dispatch.slow_path import apply, find_resolution
from ..registry import tables
from ..state.update import Changes, Update, read_all
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

if TYPE_CHECKING:
    from ..registry.op import Op
    from ..registry.resolution import Resolution
    from ..registry.tensor_type import TensorType

__all__ = ["Joined", "Plan"]

# Families whose ops compute each element of a result from the same element of the operands, and from operands of shape
# () and the hyperparameters.
_ELEMENTWISE: Final = ("polytape.ops.optim", "polytape.ops.scaled_updates")
_SMALL_NBYTES: Final = 1 << 14  # joining a larger variable costs more than the calls that it saves
# What is joined at most. C libraries map larger arrays anew each time, which makes a step two to six times as slow.
_MOST_NBYTES: Final = 1 << 17
Row = list[Variable]


class Plan:
    """Which variables of a step are updated together. It serves later steps that update the same variables.

    Args:
        op: of the optimizer.
        rows: each variable, followed by its slots; no variable occurs twice.
        gradients: in the order of ``rows``; those that are `IndexedSlices` are not joined.
        scalar: for a variable and each slot, whether it is a slot of shape () for every variable.

    Attributes:
        rows: as passed.
        types: of the variables, each once.
        groups: the variables that are updated together.
        alone: positions in ``rows`` of the others.
    """

    __slots__ = ("alone", "groups", "kinds", "op", "rows", "types")

    def __init__(self, op: Op, rows: list[Row], gradients: Sequence[object], scalar: list[bool]) -> None:
        self.op: Final = op
        self.rows: Final = rows
        self.types: Final = list(dict.fromkeys([row[0].type for row in rows]))
        self.kinds: Final = [type(gradient) is IndexedSlices for gradient in gradients]
        self.groups: Final[list[Joined]] = []
        if op.module in _ELEMENTWISE:
            for positions in _small_ones(rows, self.kinds):
                self.groups.append(Joined(rows, positions, scalar))
        joined = {position for group in self.groups for position in group.positions}
        self.alone: Final = [position for position in range(len(rows)) if position not in joined]

    def __repr__(self) -> str:
        return f"Plan({len(self.rows)} variables, {len(self.groups)} groups, {len(self.alone)} alone)"

    def serves(self, op: Op, variables: Sequence[Variable], gradients: Sequence[object]) -> bool:
        """Whether a step with this op, these variables and these gradients can follow this plan."""
        return (
            op is self.op
            and len(variables) == len(self.rows)
            and all([row[0] is variable for row, variable in zip(self.rows, variables, strict=True)])
            and [type(gradient) is IndexedSlices for gradient in gradients] == self.kinds
        )


def _small_ones(rows: list[Row], sparse: list[bool]) -> Iterable[list[int]]:
    """Positions of variables that can be joined, two or more each time."""
    by_type: dict[TensorType, list[int]] = {}
    for position, row in enumerate(rows):
        if not sparse[position] and _nbytes(row[0]) <= _SMALL_NBYTES:
            by_type.setdefault(row[0].type, []).append(position)
    for positions in by_type.values():
        if len(positions) < 2 or not _has_kernels(rows[positions[0]][0]):
            continue
        group: list[int] = []
        total = 0
        for position in positions:
            nbytes = _nbytes(rows[position][0])
            if total + nbytes > _MOST_NBYTES:
                yield group
                group, total = [], 0
            group.append(position)
            total += nbytes
        if len(group) > 1:
            yield group


def _nbytes(x: Tensor) -> int:
    return x.size * x.dtype.itemsize


def _has_kernels(variable: Variable) -> bool:
    """Whether the backend joins and cuts by kernels; otherwise one update after the other is as fast."""
    return all([_resolution(name, variable).how == "kernel" for name in ("concat", "flat_part")])


def _resolution(name: str, x: Tensor) -> Resolution:
    """What runs an op on operands of the type of ``x``."""
    op = tables.get_op(name)
    return op.table.get(x.type) or find_resolution(op, [x], {}, x.type.device, x.type.backend)


class Joined:
    """Small variables of one type, and their slots.

    Args:
        rows: each variable, followed by its slots.
        positions: in ``rows``, of the variables to join.
        scalar: for each column of ``rows``, whether it is that of a slot of shape (); its values must be equal.

    Attributes:
        positions, scalar: as passed.
        columns: the variables, then their slots, those of one name together.
        parts: start and shape of each variable in the joined elements.
        latest: what the last step computed: the joined arrays, and the parts of them, which are the variables' arrays
            if nothing has changed these since then.
    """

    __slots__ = ("columns", "latest", "parts", "positions", "scalar", "variables")

    def __init__(self, rows: list[Row], positions: list[int], scalar: list[bool]) -> None:
        self.positions: Final = positions
        self.columns: Final = [list(column) for column in zip(*[rows[k] for k in positions], strict=True)]
        self.variables: Final = list(chain.from_iterable(self.columns))
        self.scalar: Final = scalar
        self.parts: Final[list[dict[str, Any]]] = []
        start = 0
        for variable in self.columns[0]:
            self.parts.append({"start": start, "shape": variable.shape})
            start += variable.size
        self.latest: tuple[list[Any], list[Any]] = ([], [])

    def __repr__(self) -> str:
        return f"Joined({len(self.positions)} variables)"

    def update(self, changes: Changes, gradients: list[Tensor], operands: list[Tensor]) -> bool:
        """Add the new values of the variables and their slots to ``changes``.

        Args:
            changes: with the optimizer's op.
            gradients: of the variables.
            operands: the op's operands after the gradient.
        Returns:
            False, and nothing is added, if a slot of shape () has different values: the variables cannot be joined.
        """
        scope = current_scope.get()
        current_scope.set(Scope((), scope.trace))
        try:
            return (self._eager if scope.trace is None else self._traced)(changes, gradients, operands)
        finally:
            current_scope.set(scope)

    def _eager(self, changes: Changes, gradients: list[Tensor], operands: list[Tensor]) -> bool:
        before = read_all(self.variables)
        known, arrays = self.latest
        if len(before) != len(arrays) or not all(map(is_, before, arrays)):
            known = self._joined(before)
            if not known:
                return False
        arrays = [*known, _join(gradients[0], read_all(gradients)), *read_all(operands)]
        results = self._results(changes, arrays, gradients[0], operands)
        cut = _resolution("flat_part", self.columns[0][0])
        fn, parts = cut.fn, self.parts
        after: list[Any] = []
        for scalar, result in zip(self.scalar, results, strict=True):
            after += [result] * len(parts) if scalar else [fn(result, **part) for part in parts]
        if set(map(type, after)) != {cut.array_type}:
            after = [cut.lift(x) for x in after]
        changes.updates.append(Update(self.variables, before, after))
        self.latest = (results, after)
        return True

    def _results(self, changes: Changes, arrays: list[Any], gradient: Tensor, operands: list[Tensor]) -> list[Any]:
        """The op's results on joined arrays, whose types are those of a variable, its slots and these operands."""
        examples = [column[0] for column in self.columns]
        resolution = changes.resolve(examples, [gradient, *operands])
        if resolution is None:
            tensors = [
                Tensor(x, like.type, None) for x, like in zip(arrays, [*examples, gradient, *operands], strict=True)
            ]
            return [x.array for x in _applied(changes, tensors)]
        results = resolution.fn(*arrays, **changes.attributes)
        return resolution.lift_all(results) if changes.several else [resolution.lift(results)]

    def _joined(self, before: list[Any]) -> list[Any]:
        """The variables' arrays, joined by column; empty if a slot of shape () has different values."""
        joined = []
        count = len(self.parts)
        for number, (column, scalar) in enumerate(zip(self.columns, self.scalar, strict=True)):
            arrays = before[number * count : (number + 1) * count]
            if scalar:
                first = arrays[0]
                others = [x for x in arrays if x is not first]  # usually none: the last step computed one value for all
                if others and len({float(Tensor(x, column[0].type, None)) for x in arrays}) > 1:
                    return []
                joined.append(first)
            else:
                joined.append(_join(column[0], arrays))
        return joined

    def _traced(self, changes: Changes, gradients: list[Tensor], operands: list[Tensor]) -> bool:
        if any(self.scalar):
            return False  # their values are not known yet
        concat, part, trace = tables.get_op("concat"), tables.get_op("flat_part"), current_scope.get().trace
        flat = [apply(concat, list(tensors), {"axis": None}) for tensors in (*self.columns, gradients)]
        results = _applied(changes, [*flat, *operands])
        for column, result in zip(self.columns, results, strict=True):
            for variable, place in zip(column, self.parts, strict=True):
                trace.write(variable, apply(part, [result], dict(place)))
        return True


def _join(like: Tensor, arrays: list[Any]) -> Any:
    """The elements of arrays as one flat array; all are of the type of ``like``."""
    resolution = _resolution("concat", like)
    return resolution.lift(resolution.fn(*arrays, axis=None))


def _applied(changes: Changes, operands: list[Tensor]) -> list[Tensor]:
    result = apply(changes.op, operands, changes.attributes)
    return list(result) if changes.op.outputs is not None else [result]
