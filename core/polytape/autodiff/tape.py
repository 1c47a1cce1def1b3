"""GradientTape: records the ops that run on watched tensors, and computes gradients from the records."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from ..dtypes import FLOATING
from ..tensors import structure
from ..tensors.node import Node, Tape, leaf
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from . import gradient_arguments
from .backward import hooks
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
            raise rejections().already_recording()
        if self.spent:
            raise rejections().spent()
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
                raise rejections().not_a_tensor(x)
            if x.type.category < FLOATING:
                raise rejections().not_differentiable(x)
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

    def stop_recording(self) -> Any:
        """A context manager inside which this tape does not record; other open tapes do."""
        return importlib.import_module("polytape.autodiff.pausing").StopRecording(self)

    def reset(self) -> None:
        """Discard everything recorded and watched so far, and continue to record."""
        self.leaves = {}
        self.variables = {}
        if not self.closed:
            self._pop()
            self._push()  # the new scope invalidates `Node.seen`, which caches that all open tapes watch a leaf

    # --- gradients ----------------------------------------------------------------------------------------------

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none",
        sparse: bool = False,
    ) -> Any:  # fmt: skip
        """The gradients of the sum of all elements of ``target`` with respect to ``sources``.

        Args:
            target: a tensor, or a structure of tensors.
            sources: a tensor or variable, or a structure of them; the result has the same structure.
            output_gradients: weights for the elements of ``target``, in its structure; ones by default.
            unconnected_gradients: the result for a source that the target does not depend on: None for ``"none"``,
                zeros for ``"zero"``.
            sparse: return a `polytape.IndexedSlices` for each variable that only `take`, on its first axis, uses, here
                or in a traced function.
        Returns:
            For each source, a tensor of its shape and dtype.
        Raises:
            TapeError: a second call on a tape that is not persistent.
            DTypeError: a target or source is not a differentiable tensor.
            ShapeError: an output gradient does not have its target's shape.
        """
        if self.spent:
            raise rejections().spent()
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
            if sparse:
                run: Any = importlib.import_module("polytape.autodiff.sparse_gradients").backward
                gradients = run(self, targets, seeds, flat, self.persistent)
            else:
                gradients = hooks.run(self, targets, seeds, nodes, self.persistent)
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

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
        chunk_size: Any = None,
    ) -> Any:
        """The derivatives of each element of ``target`` by each element of ``sources``, by one batched backward pass.

        Args:
            target, sources, unconnected_gradients: as for `gradient`.
            parallel_iterations: has no effect. experimental_use_pfor: False means ``chunk_size=1``.
            chunk_size: how many rows to compute at once, which limits memory; default: all.
        Returns:
            For each target, the structure of ``sources`` with tensors of shape ``target.shape + source.shape``.
        Raises:
            TapeError, DTypeError: as from `gradient`. DTypeError: a complex target and a complex source.
        """
        return self._by_rows("of_tape", target, sources, unconnected_gradients, experimental_use_pfor, chunk_size)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
        chunk_size: Any = None,
    ) -> Any:
        """As `jacobian`, for a target[n, ...] whose example i depends only on example i of ``source``[n, ...].

        Returns:
            Shape ``target.shape + source.shape[1:]``.
        Raises:
            ShapeError: first axes that differ. TapeError, DTypeError: as from `jacobian`.
        """
        return self._by_rows("by_example", target, source, unconnected_gradients, experimental_use_pfor, chunk_size)

    def _by_rows(
        self, function: str, target: Any, sources: Any, unconnected: str, at_once: bool, chunk_size: Any
    ) -> Any:
        if self.spent:
            raise rejections().spent()
        if not self.persistent and not self.closed:
            self._close()
        module = importlib.import_module("polytape.autodiff.tape_jacobians")  # it imports this module
        try:
            return getattr(module, function)(self, target, sources, unconnected, chunk_size if at_once else 1)
        except Exception as error:
            from ..tracebacks import shortened

            raise shortened(error)  # noqa: B904  # it is the same error


def rejections() -> Any:
    """The errors of this module, which few programs need."""
    return importlib.import_module("polytape.autodiff.rejections")
