"""Update variables together, all or none; in place if nothing else refers to a buffer (docs/decisions/0007-updates.md).

New values are computed first; `Changes.commit` then puts them into the variables in one loop. When this module is
compiled, no Python code runs in that loop: neither Ctrl-C nor another thread can interrupt it between two variables.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

from ..dispatch.slow_path import apply, find_resolution
from ..errors import ShapeError
from ..registry.op import Op
from ..registry.resolution import Copying, Guarded, Resolution
from ..registry.tensor_type import TensorType
from ..tensors.in_place import placeholder, settled, writing
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import COMPILING, Symbol, Tensor, describe, operators
from ..tensors.variable import Variable

__all__ = ["IN_PLACE_ATTEMPTS", "Changes", "Overwriting", "commit_run", "read_all", "replace_all"]


class Holder:
    """Holds an array as a variable does, to measure the reference count of a buffer that one variable holds."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array: Any = array


def references(arrays: list[Any], position: int) -> int:
    """The reference count of an array in a list, including the references that this call adds."""
    return sys.getrefcount(arrays[position])


def measure() -> int:
    """The reference count of an array that one variable and one list hold."""
    holder = Holder([])
    count = references([holder.array], 0)
    holder.array = None  # a use after the call: compiled code releases a local variable after its last use
    return count


IN_PLACE_ATTEMPTS: Final = 8  # then copies are written: other threads may keep a reference to a buffer at any time

# What the call itself adds to the count differs between interpreted and compiled code, so it is measured.
SINGLE: Final[int] = measure()


class Update:
    """One op's new values for the variables that are its leading operands.

    Attributes:
        variables: the variables.
        before: the array of each variable that its new value is computed from.
        results: the new arrays; empty until the kernel has run.
        resolution: how `run` runs the op; None if ``results`` is computed already.
        arguments: the operands for `run`. The leading ones are overwritten: where ``before`` is None, the variable's
            own buffer, otherwise a copy.
        interim: what each variable holds while kernels run: placeholders, or ``results`` if they are computed already.
    """

    __slots__ = ("arguments", "attributes", "before", "fn", "interim", "resolution", "results", "several", "variables")

    def __init__(self, variables: list[Variable], before: list[Any], results: list[Any]) -> None:
        self.variables: list[Variable] = variables
        self.before: list[Any] = before
        self.results: list[Any] = results
        self.interim: list[Any] = results
        self.fn: Any = None
        self.resolution: Resolution | None = None
        self.several: bool = False
        self.arguments: list[Any] = before
        self.attributes: Any = None

    def prepare_kernel(
        self, fn: Any, resolution: Resolution, several: bool, operands: list[Any], attributes: dict[str, Any]
    ) -> None:
        """Let `run` call an atomic kernel: choose the buffers that it overwrites."""
        self.fn, self.resolution, self.several, self.attributes = fn, resolution, several, attributes
        self.interim = [placeholder(array) for array in self.before]
        buffers = self.before
        self.before = [None] * len(buffers)
        buffers.extend(operands)
        self.arguments = buffers
        for position, variable in enumerate(self.variables):
            if not owned(variable, buffers, position):
                tensor_type = variable.type
                self.before[position] = buffers[position]
                buffers[position] = tensor_type.backend.copy(buffers[position], tensor_type.device)

    def take(self) -> bool:
        """Put the interim arrays into the variables; False if one of them was changed in the meantime."""
        for position, variable in enumerate(self.variables):
            before = self.before[position]
            if before is not None:
                if variable.array is not before:
                    return False
            elif variable.array is not self.arguments[position] or references(self.arguments, position) != SINGLE:
                return False
            variable.array = self.interim[position]
        return True

    def run(self) -> None:
        """Run the kernel, if it has not run yet."""
        if self.resolution is not None:
            results = self.fn(*self.arguments, **self.attributes)
            self.results = self.resolution.lift_all(results) if self.several else [self.resolution.lift(results)]

    def put(self, arrays: list[Any]) -> None:
        """Put arrays in the place of the interim ones; a value that another thread assigned in between is kept."""
        for position, variable in enumerate(self.variables):
            if variable.array is self.interim[position]:
                variable.array = arrays[position]

    def originals(self) -> list[Any]:
        """The arrays that the variables held before `take`."""
        return [self.arguments[position] if before is None else before for position, before in enumerate(self.before)]


def owned(variable: Variable, arrays: list[Any], position: int) -> bool:
    """Whether only the variable and this list refer to its buffer, so that the buffer may be overwritten."""
    exclusive = variable.type.backend.exclusive
    return exclusive is not None and references(arrays, position) == SINGLE and bool(exclusive(arrays[position]))


class Changes:
    """New values of variables that become visible together.

    ``changes.update(...)`` for each variable, then ``changes.commit()``; all of it again if `commit` returns False.

    Args:
        op: the op that computes the new values; its leading operands are variables, and its outputs their new values.
        attributes: of the op.
        in_place: whether `commit` may overwrite buffers.
    """

    __slots__ = ("attributes", "in_place", "op", "resolution", "several", "types", "updates")

    def __init__(self, op: Op, attributes: dict[str, Any], in_place: bool = True) -> None:
        self.op: Op = op
        self.several: bool = op.outputs is not None
        self.attributes: dict[str, Any] = attributes
        self.in_place: bool = in_place and COMPILING
        self.updates: list[Update] = []
        self.types: list[TensorType] = []  # the operands' types in the last call, and the resolution for them
        self.resolution: Resolution | None = None

    def add(self, variable: Variable, operand: Tensor) -> Tensor:
        """Add an operand of the variable's type and shape to the variable; returns its new value."""
        trace = current_scope.get().trace
        if trace is not None:
            symbolic: Tensor = operators.add(variable, operand)
            trace.write(variable, symbolic)
            return symbolic
        resolution = operators.add.table.get(variable.type)
        if resolution is not None and resolution.how == "kernel":
            before = settled(variable)
            after = Tensor(resolution.lift(resolution.fn(before, operand.array)), variable.type, None)
        else:
            value = variable.read_value()
            before = value.array
            after = operators.add(value, operand)
        self.updates.append(Update([variable], [before], [after.array]))
        return after

    def update(self, variables: list[Variable], operands: list[Tensor], before: list[Any] | None = None) -> None:
        """Compute the new values of ``variables``.

        Args:
            variables: the op's leading operands.
            operands: its other operands.
            before: the arrays that ``variables`` must hold until the commit; default: those that they hold now. For an
                update in place, nothing but the list and the variables may refer to them.
        Raises:
            ShapeError, DTypeError: as from the op; no variable has been changed.
        """
        if before is None:
            before = read_all(variables)
        arrays = read_all(operands)
        resolution = self.resolve(variables, operands)
        if resolution is None or any([type(array) is Symbol for array in arrays]):
            self._update_by_op(variables, before, operands)
            return
        # Checked before the kernel runs, so that a wrong shape does not leave a buffer partly overwritten.
        check(self.op, variables, [*before, *arrays], self.attributes)
        self.updates.append(
            new_update(variables, resolution, self.several, self.attributes, before, arrays, self.in_place)
        )

    def resolve(self, variables: list[Variable], operands: list[Tensor]) -> Resolution | None:
        """The resolution for these operands; None if the op has to run as any other call of it does."""
        types: list[TensorType] = [x.type for x in variables]
        for x in operands:
            types.append(x.type)
        if self.resolution is not None and types == self.types:
            return self.resolution
        device = types[0].device
        if current_scope.get().trace is not None:
            return None
        for tensor_type in types:
            if tensor_type.device is not device:
                return None
        resolution = self.op.table.get(types[0]) if types.count(types[0]) == len(types) else None
        if resolution is None:
            resolution = find_resolution(self.op, [*variables, *operands], self.attributes, device, types[0].backend)
        self.types, self.resolution = types, resolution if resolution.how == "kernel" else None
        return self.resolution

    def _update_by_op(self, variables: list[Variable], before: list[Any], operands: list[Tensor]) -> None:
        op = self.op
        scope = current_scope.get()
        try:
            current_scope.set(Scope((), scope.trace))
            values = [
                variable if scope.trace is not None else Tensor(array, variable.type, None)
                for variable, array in zip(variables, before, strict=True)
            ]
            result = apply(op, [*values, *operands], self.attributes)
            results: list[Tensor] = list(result) if op.outputs is not None else [result]
            accepted = [variable._accepted(op.name, value) for variable, value in zip(variables, results, strict=True)]
        finally:
            current_scope.set(scope)
        if scope.trace is not None:
            for variable, value in zip(variables, accepted, strict=True):
                scope.trace.write(variable, value)
        else:
            self.updates.append(Update(variables, before, [value.array for value in accepted]))

    def commit(self) -> bool:
        """Make the new values visible; False, and no variable is changed, if one was changed since it was read."""
        return commit_all(self.updates)


def new_update(
    variables: list[Variable],
    resolution: Resolution,
    several: bool,
    attributes: dict[str, Any],
    before: list[Any],
    arrays: list[Any],
    in_place: bool,
) -> Update:
    """The new values of ``variables`` by a kernel, which runs now unless it may overwrite their buffers later.

    Args:
        several: whether the op has several outputs.
        before: the arrays of the variables; for an update in place, nothing else may refer to them.
        arrays: the other operands.
        in_place: whether an atomic kernel may overwrite buffers.
    """
    fn = resolution.fn
    if type(fn) is Guarded:
        fn = fn.choose(*before, *arrays, **attributes)
    if type(fn) is Copying and fn.atomic and in_place:
        if fn.called:
            update = Update(variables, before, [])
            update.prepare_kernel(fn.fn, resolution, several, arrays, attributes)
            return update
        fn.called = True  # the first call may compile the kernel, which runs Python code
    results = fn(*before, *arrays, **attributes)
    results = resolution.lift_all(results) if several else [resolution.lift(results)]
    return Update(variables, before, results)


class Overwriting:
    """An equation of a graph whose kernel may overwrite the buffers of variables, once everything else has run.

    Args:
        variables: the op's leading operands; its results are their new values.
        resolution, several, attributes: of the equation.
    """

    __slots__ = ("attributes", "resolution", "several", "variables")

    def __init__(
        self, variables: list[Variable], resolution: Resolution, several: bool, attributes: dict[str, Any]
    ) -> None:
        self.variables: Final = variables
        self.resolution: Final = resolution
        self.several: Final = several
        self.attributes: Final = attributes

    def update(self, before: list[Any], arrays: list[Any], attempt: int) -> Update:
        """The update of these variables; see `new_update`."""
        in_place = COMPILING and attempt < IN_PLACE_ATTEMPTS
        return new_update(self.variables, self.resolution, self.several, self.attributes, before, arrays, in_place)


class Running:
    """The updates of the commit that is running."""

    def __init__(self) -> None:
        self.updates: list[Update] | None = None


running: Final = Running()


def commit_all(updates: list[Update]) -> bool:
    """Make all new values visible, or none; see `Changes.commit`."""
    with writing:
        interrupted = running.updates
        if interrupted is not None and not COMPILING:
            # This is a signal handler, which came while uncompiled code ran the loop below. It must not see a part of
            # that commit, which is undone here and will fail.
            put_back(interrupted)
        running.updates = updates
        done = False
        try:
            for update in updates:
                if not update.take():
                    return False
            done = running.updates is updates
            running.updates = None  # directly after the test: no signal handler runs in between
            if done:
                for update in updates:
                    update.run()
        finally:
            running.updates = None
            if done:
                for update in updates:
                    update.put(update.results or update.originals())
            else:
                put_back(updates)
        return done


def put_back(updates: list[Update]) -> None:
    """Put back the arrays that the variables held before `Update.take`."""
    for update in updates:
        update.put(update.originals())


def read_all(tensors: Sequence[Tensor]) -> list[Any]:
    """The arrays of tensors, once no other thread overwrites them."""
    arrays: list[Any] = []
    for x in tensors:
        array = x.array
        arrays.append(settled(x) if type(array) is Symbol else array)
    return arrays


def replace_all(variables: list[Variable], before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Assign arrays to variables, all or none.

    Args:
        variables: the variables.
        before: what each must still hold; None if any value may be overwritten.
        after: the new arrays, of the variables' shapes and dtypes.
    Returns:
        False, and no variable is changed, if one of them holds another array.
    """
    return commit_run(variables, before, after, [])


def commit_run(variables: list[Variable], before: Sequence[Any], after: Sequence[Any], last: list[Update]) -> bool:
    """As `replace_all`, together with the updates of a graph's last equations."""
    originals: list[Any] = []
    for position, variable in enumerate(variables):
        array = before[position]
        originals.append(variable.array if array is None else array)
    updates = [*last]
    if variables:
        updates.append(Update(variables, originals, list(after)))
    return commit_all(updates)


def check(op: Op, variables: Sequence[Variable], arrays: list[Any], attributes: dict[str, Any]) -> None:
    """Raise ShapeError if the op would change a variable's shape."""
    shapes = op.output_shapes(arrays, attributes)
    for position, variable in enumerate(variables):
        shape = shapes[position]
        if arrays[position].shape != shape:
            raise ShapeError(
                f"{op.name} would change the shape of the variable {variable.name or describe(variable)}.",
                expected=f"shape {arrays[position].shape}",
                got=f"shape {shape}",
                fix="pass a gradient of the variable's own shape",
            )
