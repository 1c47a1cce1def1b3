"""GradientTape: records the ops that run on watched tensors, and computes gradients from the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..dtypes import FLOATING
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

    Ops on watched tensors are recorded while the tape's ``with`` block runs; trainable variables are watched
    automatically when they are used. Tapes can be nested. Gradients are computed by ops, so a gradient computed inside
    an outer tape can be differentiated again.

    Args:
        persistent: whether `gradient` may be called more than once. Otherwise the first call frees the records as it
            uses them.
        watch_accessed_variables: whether trainable variables are watched automatically.

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
                "this GradientTape is already recording.",
                expected="a tape that is not open",
                got="a second `with` on an open tape",
                fix="create a new GradientTape for the inner block",
            )
        if self.spent:
            raise _spent()
        try:
            self.closed = False
            self._push()
        except BaseException:  # Ctrl-C; `with` does not call __exit__ if __enter__ raises
            self._close()
            raise
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._close()
        except BaseException:  # Ctrl-C; the tape must not stay open
            self._close()
            raise

    def _push(self) -> None:
        scope = current_scope.get()
        new = Scope((*scope.tapes, self), scope.trace)
        current_scope.set(new)
        # Do not keep the new scope, only its serial number: the scope holds this tape, and the reference cycle would
        # last until the garbage collector runs.
        self.previous = scope
        self.serial = new.serial

    def _close(self) -> None:
        self.closed = True
        self._pop()

    def _pop(self) -> None:
        # Tapes can be closed out of order: remove only this one, not the one that was opened last.
        scope = current_scope.get()
        previous = self.previous
        self.previous = None
        if scope.serial == self.serial and previous is not None:
            current_scope.set(previous)
        elif self in scope.tapes:
            current_scope.set(Scope(tuple([tape for tape in scope.tapes if tape is not self]), scope.trace))

    # --- watching -----------------------------------------------------------------------------------------------

    def watch(self, tensor: Any) -> None:
        """Watch a tensor, or all tensors of a structure of lists, tuples and dicts.

        Raises:
            DTypeError: a tensor does not have a real floating dtype, so it has no gradient.
        """
        for x in structure.leaves(tensor):
            if not isinstance(x, Tensor):
                raise DTypeError(
                    f"GradientTape.watch cannot follow {describe(x)}.",
                    expected="a tensor, or a list, tuple or dict of tensors",
                    got=type(x).__name__,
                    fix="convert it with polytape.asarray first",
                )
            if x.type.category < FLOATING:
                raise _not_differentiable(x)
            if x.node is None:
                x.node = leaf(x.type, x.array.shape)
            self.leaves[x.node] = True
            if isinstance(x, Variable):
                self.variables[x.node] = x

    def watch_arguments(self, sources: list[Tensor]) -> list[Tensor]:
        """Watch ``sources``; returns other handles on them, for a function to take.

        Item assignment in the function then changes its own handles, not the ones that gradients are requested for.
        """
        self.watch(sources)
        handles: list[Tensor] = []
        for x in sources:
            if x.node is not None:
                self.leaves[x.node] = False
            handles.append(x if isinstance(x, Variable) else Tensor(x.array, x.type, x.node))
        return handles

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that this tape watches, in the order of their first use."""
        return tuple(self.variables.values())

    def follows(self, x: Any) -> bool:
        """Whether this tape follows ``x``; it starts to watch a trainable variable at its first use."""
        node: Node | None = x.node
        if node is None:
            return False
        if node in self.leaves:
            return True
        if self.watch_accessed_variables and isinstance(x, Variable) and x.trainable and x.type.category >= FLOATING:
            self.leaves[node] = True
            self.variables[node] = x
            return True
        return False

    def pull_back(self, run: Any, inputs: list[Any]) -> tuple[Any, Any]:
        """Run ``run()`` on a new tape: its result, and ``(targets, weights) -> gradients with respect to inputs``."""
        tape = GradientTape(watch_accessed_variables=False)
        with tape:
            tape.watch(inputs)
            y = run()
        return y, lambda targets, weights: tape.gradient(targets, inputs, weights)

    def stop_recording(self) -> StopRecording:
        """A context manager inside which this tape does not record; other open tapes do."""
        return StopRecording(self)

    def reset(self) -> None:
        """Discard everything recorded and watched so far, and continue to record."""
        self.leaves = {}
        self.variables = {}
        if not self.closed:
            self._pop()
            self._push()  # the new scope invalidates `Node.seen`, which caches that all open tapes watch a leaf

    # --- gradients ----------------------------------------------------------------------------------------------

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """The gradients of the sum of all elements of ``target`` with respect to ``sources``.

        Args:
            target: a tensor, or a structure of tensors.
            sources: a tensor or variable, or a structure of them; the result has the same structure.
            output_gradients: weights for the elements of ``target``, in its structure; ones by default.
            unconnected_gradients: the result for a source that the target does not depend on: None for ``"none"``,
                zeros for ``"zero"``.
        Returns:
            For each source, a tensor of its shape and dtype.
        Raises:
            TapeError: a second call on a tape that is not persistent.
            DTypeError: a target or source is not a differentiable tensor.
            ShapeError: an output gradient does not have its target's shape.
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
            gradients = backward.backward(self, targets, seeds, nodes, self.persistent)
        except Exception as error:
            from ..tracebacks import shortened

            raise shortened(error)  # noqa: B904  # it is the same error
        finally:
            if not self.persistent:
                self.leaves = {}
                self.variables = {}
        if unconnected_gradients == "zero":
            gradients = [zeros_like(x) if g is None else g for x, g in zip(flat, gradients, strict=True)]
        return gradients[0] if single else structure.rebuild(sources, gradients)


class StopRecording:
    """The context manager that `GradientTape.stop_recording` returns."""

    __slots__ = ("tape", "was_open")

    def __init__(self, tape: GradientTape) -> None:
        self.tape: Final = tape
        self.was_open: bool = False

    def __enter__(self) -> None:
        self.was_open = self.tape in current_scope.get().tapes
        try:
            self.tape._pop()
        except BaseException:  # Ctrl-C; `with` does not call __exit__ if __enter__ raises
            self._resume()
            raise

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._resume()
        except BaseException:  # Ctrl-C
            self._resume()
            raise

    def _resume(self) -> None:
        if self.was_open and not self.tape.closed and self.tape not in current_scope.get().tapes:
            self.tape._push()


def _spent() -> TapeError:
    return TapeError(
        "this GradientTape has already been used.",
        expected="one call of gradient on a tape that is not persistent",
        got="a second use",
        fix="create it with GradientTape(persistent=True), or compute all gradients in one call with a list of sources",
    )


def _not_differentiable(x: Tensor) -> DTypeError:
    return DTypeError(
        f"GradientTape.watch cannot follow {describe(x)}: it has no gradient.",
        expected="a tensor of a floating dtype, real or complex",
        got=describe(x),
        fix="cast it with polytape.astype(x, 'float32') before watching it",
    )
