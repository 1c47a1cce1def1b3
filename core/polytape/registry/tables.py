"""The registry of ops, backends and kernels. New tables are built aside, checked, and swapped in as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..errors import RegistrationError
from ..locks import process_lock
from .op import Op

if TYPE_CHECKING:
    from ..backend import Backend, Kernel

__all__ = ["add_backend", "add_kernels", "kernels_of", "remove_backend", "remove_kernels"]

IN_PROCESS: Final = "in-process"  # the provider of backends and kernels that no distribution provides
FAMILIES: Final = "polytape.ops."  # the package whose modules are the families of ops

KernelTable: TypeAlias = "dict[str, dict[str, tuple[Kernel, ...]]]"


class _Registry:
    """Ops by name, and kernels by backend and op. Kernel tables are replaced, never changed."""

    def __init__(self) -> None:
        self.ops: dict[str, Op] = {}
        self.kernels: KernelTable = {}
        self.version: int = 0  # counts registrations and removals, see `version`
        self.late: dict[tuple[str, str], Any] = {}  # (backend, family) -> `_Late`, see `add_backend`
        self.ready: dict[str, Backend] = {}
        self.families: Any = None  # () -> the module polytape.ops.families, which declares ops
        self.bound: bool = False  # whether the ops behind Tensor's operators are loaded
        self.generation: int = 0  # counts changes of the ready backends


_registry: Final = _Registry()
# Held while families and kernels load too: a forked child would wait for ever for a module that another thread was
# importing.
registering: Final = process_lock()


def generation() -> int:
    """A number that changes whenever the ready backends change."""
    return _registry.generation


def ready() -> dict[str, Backend]:
    """The backends that are loaded and usable, by name; do not modify the dict."""
    return _registry.ready


def publish(backends: dict[str, Backend]) -> None:
    """Replace the ready backends; the first call begins by loading the ops behind Tensor's operators."""
    if not _registry.bound:
        _registry.bound = True
        _registry.families().bind()
    _registry.ready = backends
    _registry.generation += 1


# --- Ops ---


def set_families(families: Any) -> None:
    """Set the function that returns the module `polytape.ops.families`, which the registry may not import."""
    _registry.families = families


def ops() -> dict[str, Op]:
    """All ops by name; loads every family. Do not modify the dict."""
    _registry.families().declare_all()
    return _registry.ops


def declared() -> dict[str, Op]:
    """The ops of the families that are loaded now, by name; do not modify the dict."""
    return _registry.ops


def add_op(op: Op) -> None:
    """Register an op by its name.

    Raises:
        RegistrationError: another op has that name.
    """
    # Without the lock, which a thread may hold that waits for this import.
    if _registry.ops.setdefault(op.name, op) is not op:
        raise RegistrationError(
            f"there is already an op {op.name!r}.",
            expected="a name that no other op has",
            got=f"{op.name!r}, declared twice",
            fix="rename one of the two",
        )


def find_op(name: str) -> Op | None:
    """The op of that name, or None if there is none; loads its family if necessary."""
    op = _registry.ops.get(name)
    if op is None:
        _registry.families().declare(name)
        op = _registry.ops.get(name)
    return op


def get_op(name: str) -> Op:
    """The op of that name; loads its family if necessary.

    Raises:
        RegistrationError: there is no such op.
    """
    op = find_op(name)
    if op is None:
        import difflib

        near = difflib.get_close_matches(name, list(ops()), 3)
        raise RegistrationError(
            f"there is no op {name!r}.",
            expected=f"an op, such as {', '.join(near) or 'add'}",
            got=repr(name),
            fix="use one of the names that polytape.ops lists",
        )
    return op


# --- Kernels ---


def version() -> int:
    """A number that changes whenever kernels are registered or removed: earlier resolutions may then be stale."""
    return _registry.version


def forget_all() -> None:
    """Drop the resolutions of all ops, because what they depend on has changed."""
    with registering:
        for op in list(_registry.ops.values()):
            op.forget()
        _registry.version += 1


def kernels_of(backend: str, op: str) -> tuple[Kernel, ...]:
    """The kernels of one op registered for a backend, in the order they are tried."""
    if _registry.late:
        _load_late(backend, op)
    return _registry.kernels.get(backend, {}).get(op, ())


class _Late:
    """A backend's kernels for one family of ops, loaded when the first of these ops is resolved."""

    def __init__(self, backend: Backend, load: Any) -> None:
        self.backend: Backend = backend
        self.load: Any = load  # () -> kernels


def _load_late(backend: str, op: str) -> None:
    """Register the backend's kernels for the family of ``op``, if they are not registered yet."""
    owner = _registry.ops.get(op)
    if owner is None:
        return
    key = (backend, owner.module.removeprefix(FAMILIES))
    if key not in _registry.late:
        return
    with registering:
        late = _registry.late.get(key)
        if late is None:
            return  # another thread has loaded them meanwhile
        kernels = tuple(late.load())
        for kernel in kernels:
            kernel.backend = backend
        # The version does not change: no op of this family has been resolved on this backend before.
        _stage(kernels, late.backend.provider)
        _registry.late = {k: pending for k, pending in _registry.late.items() if k != key}


def add_backend(backend: Backend, provider: str) -> None:
    """Register a backend's own kernels, all or none. Those in ``late_kernels`` follow when their family is first used.

    Raises:
        RegistrationError: a kernel does not fit its op, or two kernels are ambiguous.
    """
    backend.provider = provider
    for kernel in backend.kernels:
        kernel.backend = backend.name
    with registering:
        remove_backend(backend.name)
        add_kernels(backend.kernels, provider)
        pending = {(backend.name, family): _Late(backend, load) for family, load in backend.late_kernels.items()}
        _registry.late = {**_registry.late, **pending}


def add_kernels(kernels: Sequence[Kernel], provider: str) -> None:
    """Register kernels for the backends they name, all or none; loads the families of their ops.

    Raises:
        RegistrationError: as for `add_backend`; no kernel is registered then.
    """
    if not kernels:
        return
    with registering:
        for kernel in kernels:
            # The backend's own kernels of that family come first: an ambiguity with one of them must be found now, not
            # when the family is first used.
            if find_op(kernel.op) is not None:
                _load_late(kernel.backend, kernel.op)
        _stage(kernels, provider)
        _registry.version += 1


def _stage(kernels: Sequence[Kernel], provider: str) -> None:
    """Check kernels against their ops, build the new table aside and swap it in."""
    from .kernel_checks import check_kernel, in_order

    staged: KernelTable = {name: dict(table) for name, table in _registry.kernels.items()}
    touched: set[str] = set()
    for kernel in kernels:
        kernel.provider = provider
        check_kernel(kernel, find_op(kernel.op))
        table = staged.setdefault(kernel.backend, {})
        table[kernel.op] = in_order((*table.get(kernel.op, ()), kernel))
        touched.add(kernel.op)
    _swap(staged, touched)


def remove_kernels(kernels: Sequence[Kernel]) -> None:
    """Remove exactly these kernels."""
    removed = {id(kernel) for kernel in kernels}
    with registering:
        staged = {
            name: {op: tuple(k for k in registered if id(k) not in removed) for op, registered in table.items()}
            for name, table in _registry.kernels.items()
        }
        _swap(staged, {kernel.op for kernel in kernels})
        _registry.version += 1


def remove_backend(name: str) -> None:
    """Remove all kernels of a backend."""
    with registering:
        _registry.late = {key: pending for key, pending in _registry.late.items() if key[0] != name}
        staged = dict(_registry.kernels)
        table = staged.pop(name, None)
        if table is not None:
            _swap(staged, set(table))
            _registry.version += 1


def _swap(staged: KernelTable, touched: set[str]) -> None:
    _registry.kernels = staged
    for name in touched:
        # This drops the resolutions of every backend: one that extends the changed backend may use its kernels.
        _registry.ops[name].forget()
    for op in list(_registry.ops.values()):
        # Decompositions and host calls are resolved again as well.
        if op.decomposed:
            op.forget()
