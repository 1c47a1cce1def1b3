"""GradientTape: records what runs on watched tensors, and plays it backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..dtypes import COMPLEX, FLOATING
from ..errors import DTypeError, TapeError
from ..tensors import structure
from ..tensors.node import Node, Tape, leaf
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from . import backward, gradient_arguments
from .cotangent import zeros_like

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["GradientTape"]


class GradientTape(Tape):
    """Record ops for differentiation.

    Ops on watched tensors are recorded while the tape's ``with`` block runs; trainable variables are watched when
    they are used. Tapes nest, and gradients are made of ops: a gradient taken inside an outer tape can be
    differentiated again.

    Args:
        persistent: whether `gradient` may be called more than once; otherwise memory is freed as the first call
            passes.
        watch_accessed_variables: whether trainable variables are watched by themselves.

    Example:
        >>> import polytape as pt
        >>> x = pt.asarray(3.0)
        >>> with pt.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> float(tape.gradient(y, x))
        6.0
    """

    __slots__ = ("persistent", "previous", "serial", "variables", "watch_accessed_variables")

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        super().__init__()
        self.persistent: Final = persistent
        self.watch_accessed_variables: Final = watch_accessed_variables
        self.variables: dict[Node, Variable] = {}
        self.previous: Scope | None = None
        self.serial: int = -1

    def __repr__(self) -> str:
        state = "spent" if self.spent else "closed" if self.closed else "recording"
        return f"GradientTape({state}, watching {len(self.leaves)})"

    def __enter__(self) -> GradientTape:
        if not self.closed:
            raise TapeError(
                "this GradientTape is recording already.",
                expected="a tape that is not open",
                got="a second `with` on an open tape",
                fix="make a new GradientTape for the inner block",
            )
        if self.spent:
            raise _spent()
        self.closed = False
        self._push()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def _push(self) -> None:
        scope = current_scope.get()
        new = Scope((*scope.tapes, self), scope.trace)
        current_scope.set(new)
        # Not the scope itself, which holds this tape: a cycle would wait for the collector.
        self.previous = scope
        self.serial = new.serial

    def _close(self) -> None:
        self.closed = True
        self._pop()

    def _pop(self) -> None:
        # Exits can come out of order: take out this tape alone, not whatever was set last.
        scope = current_scope.get()
        previous = self.previous
        self.previous = None
        if scope.serial == self.serial and previous is not None:
            current_scope.set(previous)
        elif self in scope.tapes:
            current_scope.set(Scope(tuple([tape for tape in scope.tapes if tape is not self]), scope.trace))

    # --- watching -----------------------------------------------------------------------------------------------

    def watch(self, tensor: Any) -> None:
        """Follow a tensor, or all tensors of a structure of lists, tuples and dicts.

        Raises:
            DTypeError: a tensor that has no gradient: not of a real floating dtype.
        """
        for x in structure.leaves(tensor):
            if not isinstance(x, Tensor):
                raise DTypeError(
                    f"GradientTape.watch cannot follow {describe(x)}.",
                    expected="a tensor, or a list, tuple or dict of tensors",
                    got=type(x).__name__,
                    fix="convert it with polytape.asarray first",
                )
            if x.type.category != FLOATING:
                raise _not_differentiable(x)
            if x.node is None:
                x.node = leaf(x.type, x.array.shape)
            self.leaves[x.node] = None
            if isinstance(x, Variable):
                self.variables[x.node] = x

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables this tape has watched, in order."""
        return tuple(self.variables.values())

    def follows(self, x: Any) -> bool:
        """Whether this tape follows ``x``; a trainable variable met for the first time is watched now."""
        node: Node | None = x.node
        if node is None:
            return False
        if node in self.leaves:
            return True
        if self.watch_accessed_variables and isinstance(x, Variable) and x.trainable and x.type.category == FLOATING:
            self.leaves[node] = None
            self.variables[node] = x
            return True
        return False

    def pull_back(self, run: Any, inputs: list[Any]) -> tuple[Any, Any]:
        """What ``run()`` gives, and ``(targets, weights) -> gradients by inputs``; on a tape of its own."""
        own = GradientTape(watch_accessed_variables=False)
        with own:
            own.watch(inputs)
            y = run()
        return y, lambda targets, weights: own.gradient(targets, inputs, weights)

    def stop_recording(self) -> StopRecording:
        """A ``with`` block in which this tape does not record; other open tapes do."""
        return StopRecording(self)

    def reset(self) -> None:
        """Forget what was recorded and watched, and go on recording."""
        self.leaves = {}
        self.variables = {}
        if not self.closed:
            self._pop()
            self._push()  # a new scope: leaves cached as watched by all tapes of the old one are asked again

    # --- gradients ----------------------------------------------------------------------------------------------

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """Gradients of ``target`` (the sum of its elements, for a structure the sum over all) by ``sources``.

        Args:
            target: a tensor, or a structure of them.
            sources: a tensor or variable, or a structure of them; the result has the same structure.
            output_gradients: like ``target``: what each element of it is weighted with; default ones.
            unconnected_gradients: ``"none"`` gives None for a source that the target does not depend on, ``"zero"``
                zeros.
        Returns:
            Per source a tensor of its shape and dtype.
        Raises:
            TapeError: a second call on a tape that is not persistent.
            DTypeError: a target or source that is no differentiable tensor.
            ShapeError: an output gradient that does not have its target's shape.
        """
        if self.spent:
            raise _spent()
        gradient_arguments.check_unconnected(unconnected_gradients)
        targets = gradient_arguments.check_targets(structure.leaves(target))
        seeds = gradient_arguments.check_seeds(targets, output_gradients)
        single = isinstance(sources, Tensor)
        flat = [sources] if single else structure.leaves(sources)
        nodes = gradient_arguments.check_sources(flat)
        if not self.persistent:
            if not self.closed:
                self._close()
            self.spent = True
        try:
            found = backward.backward(self, targets, seeds, nodes, self.persistent)
        finally:
            if not self.persistent:
                self.leaves = {}
                self.variables = {}
        if unconnected_gradients == "zero":
            found = [zeros_like(x) if g is None else g for x, g in zip(flat, found, strict=True)]
        return found[0] if single else structure.rebuild(sources, found)


class StopRecording:
    """The ``with`` block of `GradientTape.stop_recording`."""

    __slots__ = ("tape", "was_open")

    def __init__(self, tape: GradientTape) -> None:
        self.tape: Final = tape
        self.was_open: bool = False

    def __enter__(self) -> None:
        self.was_open = self.tape in current_scope.get().tapes
        self.tape._pop()

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.was_open and not self.tape.closed and self.tape not in current_scope.get().tapes:
            self.tape._push()


def _spent() -> TapeError:
    return TapeError(
        "this GradientTape has been used.",
        expected="one call of gradient on a tape that is not persistent",
        got="a second use",
        fix="make it with GradientTape(persistent=True), or compute all gradients in one call with a list of sources",
    )


def _not_differentiable(x: Tensor) -> DTypeError:
    what = "complex gradients are not there yet" if x.type.category == COMPLEX else "it has no gradient"
    return DTypeError(
        f"GradientTape.watch cannot follow {describe(x)}: {what}.",
        expected="a tensor of float16, bfloat16, float32 or float64",
        got=describe(x),
        fix="cast it with polytape.astype(x, 'float32') before watching it",
    )
