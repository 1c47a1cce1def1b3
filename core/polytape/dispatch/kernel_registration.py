"""Register a kernel in this process, without a distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from .. import plugins
from ..backend import Kernel
from ..registry import tables

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["RegisteredKernel", "kernel"]


class RegisteredKernel:
    """A kernel registered in this process; as a ``with`` block it is taken out again at the end."""

    __slots__ = ("fn", "kernel")

    def __init__(self, made: Kernel) -> None:
        self.kernel: Final = made
        self.fn: Final[Any] = made.fn
        tables.add_kernels([made], tables.IN_PROCESS)

    def __repr__(self) -> str:
        return f"RegisteredKernel({self.kernel!r})"

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the function, as without the decorator."""
        return self.fn(*arrays, **attributes)

    def remove(self) -> None:
        """Take the kernel out of the registry."""
        tables.remove_kernels([self.kernel])

    def __enter__(self) -> RegisteredKernel:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
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
) -> Callable[[Callable[..., Any]], RegisteredKernel]:
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
    return lambda fn: RegisteredKernel(Kernel(op, fn, **options))  # type: ignore[arg-type]  # as the signature says
