"""The registry of ops and kernels: values that are built aside, checked and swapped in whole."""

from __future__ import annotations

from _thread import RLock
from collections.abc import Sequence
from typing import Any, Final

from ..backend import Backend, Kernel
from ..errors import RegistrationError, SettingError
from .op import Op

__all__ = ["add_backend", "add_kernels", "kernels_of", "remove_backend", "remove_kernels"]

IN_PROCESS: Final = "in-process"  # the provider of what no distribution brought

KernelTable = dict[str, dict[str, tuple[Kernel, ...]]]


class _Registry:
    """Ops by name; kernels by backend and op; both replaced, never changed."""

    def __init__(self) -> None:
        self.ops: dict[str, Op] = {}
        self.kernels: KernelTable = {}
        self.ready: dict[str, Backend] = {}
        self.declare: Any = None
        self.generation: int = 0


_registry: Final = _Registry()
_lock: Final = RLock()


def generation() -> int:
    """A number that changes with every change of the ready backends."""
    return _registry.generation


def ready() -> dict[str, Backend]:
    """The backends that are loaded and usable, by name; do not change it."""
    return _registry.ready


def publish(backends: dict[str, Backend]) -> None:
    """Swap the ready backends for others."""
    _registry.ready = backends
    _registry.generation += 1


def ops() -> dict[str, Op]:
    """All ops by name; do not change it."""
    declare_all()
    return _registry.ops


def declare_later(families: Any) -> None:
    """Name a function that declares the ops which `import polytape` leaves out."""
    _registry.declare = families


def declare_all() -> None:
    """Declare every op there is: before kernels are registered, or all ops are listed."""
    families = _registry.declare
    if families is not None:
        _registry.declare = None
        families()


def add_op(op: Op) -> None:
    """Make an op known by its name.

    Raises:
        RegistrationError: another op has that name.
    """
    with _lock:
        if op.name in _registry.ops:
            raise RegistrationError(
                f"there is already an op {op.name!r}.",
                expected="a name no other op has",
                got=f"{op.name!r}, declared twice",
                fix="rename one of the two",
            )
        _registry.ops[op.name] = op


def op_named(name: str) -> Op:
    """The op of that name: what a pickled op becomes."""
    return ops()[name]


def kernels_of(backend: str, op: str) -> tuple[Kernel, ...]:
    """The kernels of one op registered for a backend, in the order they are asked."""
    return _registry.kernels.get(backend, {}).get(op, ())


def add_backend(backend: Backend, provider: str) -> None:
    """Register a backend's own kernels, all or none.

    Raises:
        RegistrationError: a kernel that does not fit its op, or two that nothing tells apart.
    """
    backend.provider = provider
    for kernel in backend.kernels:
        kernel.backend = backend.name
    with _lock:
        remove_backend(backend.name)
        add_kernels(backend.kernels, provider)


def add_kernels(kernels: Sequence[Kernel], provider: str) -> None:
    """Register kernels for backends they name, all or none.

    Raises:
        RegistrationError: as `add_backend`; nothing has been registered then.
    """
    from .kernel_checks import check_kernel, in_order

    declare_all()
    with _lock:
        staged: KernelTable = {name: dict(table) for name, table in _registry.kernels.items()}
        touched: set[str] = set()
        for kernel in kernels:
            kernel.provider = provider
            check_kernel(kernel, _registry.ops.get(kernel.op))
            table = staged.setdefault(kernel.backend, {})
            table[kernel.op] = in_order((*table.get(kernel.op, ()), kernel))
            touched.add(kernel.op)
        _swap(staged, touched)


def remove_kernels(kernels: Sequence[Kernel]) -> None:
    """Take these very kernels out again."""
    gone = {id(kernel) for kernel in kernels}
    with _lock:
        staged = {
            name: {op: tuple(k for k in found if id(k) not in gone) for op, found in table.items()}
            for name, table in _registry.kernels.items()
        }
        _swap(staged, {kernel.op for kernel in kernels})


def remove_backend(name: str) -> None:
    """Take out all kernels of a backend."""
    with _lock:
        staged = dict(_registry.kernels)
        table = staged.pop(name, None)
        if table is not None:
            _swap(staged, set(table))


def _swap(staged: KernelTable, touched: set[str]) -> None:
    _registry.kernels = staged
    for name in touched:
        # An op resolved through another backend's chain, or by decomposition, is resolved afresh as well.
        _registry.ops[name].forget()
    for op in _registry.ops.values():
        if op.decomposed:
            op.forget()


def pins() -> dict[tuple[str, str], str]:
    """``POLYTAPE_KERNELS``: (op, backend) -> the distribution whose kernel is preferred.

    Raises:
        SettingError: an item that is not ``op@backend=distribution``.
    """
    import os

    text = os.environ.get("POLYTAPE_KERNELS", "")
    found: dict[tuple[str, str], str] = {}
    for item in [part.strip() for part in text.split(",") if part.strip()]:
        head, equals, provider = item.partition("=")
        op, at, backend = head.partition("@")
        if not (equals and at and op and backend and provider):
            raise SettingError(
                f"POLYTAPE_KERNELS={text!r} is not understood.",
                expected="a comma list of op@backend=distribution",
                got=repr(item),
                fix="for example matmul@numpy=polytape-fast",
            )
        found[(op.strip(), backend.strip())] = provider.strip()
    return found
