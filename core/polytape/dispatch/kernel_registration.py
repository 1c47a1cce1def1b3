"""Register a kernel in this process, without a distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .. import plugins
from ..backend import Kernel
from ..registry import tables

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Unpack

    from ..backend import KernelOptions

__all__ = ["RegisteredKernel", "kernel"]


class RegisteredKernel:
    """A kernel registered in this process; used in a ``with`` statement, it is removed at the end of the block."""

    __slots__ = ("fn", "kernel")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel: Final = kernel
        self.fn: Final[Any] = kernel.fn
        tables.add_kernels([kernel], tables.IN_PROCESS)

    def __repr__(self) -> str:
        return f"RegisteredKernel({self.kernel!r})"

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the decorated function itself."""
        return self.fn(*arrays, **attributes)

    def remove(self) -> None:
        """Remove the kernel from the registry."""
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
    op: str, *, backend: str, **options: Unpack[KernelOptions]
) -> Callable[[Callable[..., Any]], RegisteredKernel]:
    """Register a function as a kernel of a backend, in this process.

    Args:
        op: the op's name.
        backend: the backend's name; the backend is loaded now.
        options: ``devices``, ``dtypes``, ``when``, ``priority``, ``checked``, ``writes``, ``fresh``, ``out``: as for
            `polytape.Kernel`.
    Returns:
        A decorator. The decorated function can still be called; in a ``with fn:`` statement, the kernel is removed at
        the end of the block.
    Raises:
        RegistrationError: the kernel does not fit the op, or is ambiguous with another kernel.

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
    return lambda fn: RegisteredKernel(Kernel(op, fn, backend=backend, **options))
