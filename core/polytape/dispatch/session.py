"""Kernels of this process: registering them, and asking which one would run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from .. import plugins
from ..backend import Kernel
from ..errors import RegistrationError
from ..registry import tables
from .resolve import explain_resolution
from .slow_path import convert_all, find_entry, place

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["SessionKernel", "explain", "kernel"]

SESSION: Final = "session"


class SessionKernel:
    """A kernel registered in this process; as a ``with`` block it is taken out again at the end."""

    __slots__ = ("fn", "kernel")

    def __init__(self, made: Kernel) -> None:
        self.kernel: Final = made
        self.fn: Final[Any] = made.fn
        tables.add_kernels([made], SESSION)

    def __repr__(self) -> str:
        return f"SessionKernel({self.kernel!r})"

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the function, as without the decorator."""
        return self.fn(*arrays, **attributes)

    def remove(self) -> None:
        """Take the kernel out of the registry."""
        tables.remove_kernels([self.kernel])

    def __enter__(self) -> SessionKernel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()


def kernel(
    op: str,
    *,
    backend: str,
    devices: Sequence[str] = (),
    dtypes: Sequence[str | tuple[str, ...]] = ("any",),
    when: Callable[..., bool] | None = None,
    priority: int = 0,
    checked: bool = True,
    writes: Sequence[str] = (),
    fresh: bool = False,
    out: bool = False,
) -> Callable[[Callable[..., Any]], SessionKernel]:
    """Register a function as a kernel of a backend, in this process.

    Args:
        op: the op's name.
        backend: the backend's name; it is loaded if it is not yet.
        devices, dtypes, when, priority, checked, writes, fresh, out: as for `polytape.Kernel`.
    Returns:
        A decorator; the decorated function can still be called, and used as ``with fn:`` it is registered only
        inside the block.
    Raises:
        RegistrationError: it does not fit the op, or nothing tells it apart from another kernel.

    Example:
        >>> import numpy as np, polytape as pt
        >>> @pt.kernel("square", backend="numpy", priority=10)
        ... def fast_square(x):
        ...     return np.multiply(x, x)
        >>> with fast_square:
        ...     print(pt.square(pt.asarray(3.0)))
        9.0
    """
    plugins.get_backend(backend)
    options = {"devices": devices, "dtypes": dtypes, "when": when, "priority": priority, "checked": checked}
    options |= {"writes": writes, "fresh": fresh, "out": out, "backend": backend}
    return lambda fn: SessionKernel(Kernel(op, fn, **options))  # type: ignore[arg-type]  # as the signature says


def explain(op: Any, *operands: Any, **attributes: Any) -> str:
    """Which kernel would serve an op on these operands, and why the others would not; nothing is computed.

    Args:
        op: an op, or its name.
        operands: as the op would be called with; for an op with a sequence, its elements one by one.
        attributes: as the op would be called with.
    Returns:
        Text: each candidate in the order asked, with the reason it lost or CHOSEN.
    Raises:
        KernelError: nothing would serve it. RegistrationError: there is no such op.
    """
    found = tables.ops().get(op) if isinstance(op, str) else op
    if found is None or not hasattr(found, "memo"):
        import difflib

        near = difflib.get_close_matches(str(op), list(tables.ops()), 3)
        raise RegistrationError(
            f"there is no op {op!r}.",
            expected=f"an op, such as {', '.join(near) or 'add'}",
            got=repr(op),
            fix="polytape.ops lists them all",
        )
    device = place(found, list(operands), attributes)
    tensors = convert_all(found, list(operands), device)
    backend = plugins.get_backend(device.backend)
    entry = find_entry(found, tensors, attributes, device, backend)
    kinds = tuple([None if x is None else x.kind for x in tensors])
    arrays = [None if x is None else x.array for x in tensors]
    return explain_resolution(found, backend, device, kinds, entry, arrays, attributes)
