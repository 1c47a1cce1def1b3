"""The registry of ops and kernels: values that are built aside, checked and swapped in whole."""

from __future__ import annotations

from _thread import RLock
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from .backend import Backend, Kernel
from .errors import RegistrationError, SettingError

if TYPE_CHECKING:
    from .operation import Op

__all__ = ["add_backend", "add_kernels", "coverage", "kernels_of", "remove_backend", "remove_kernels"]

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
    declare_all()
    with _lock:
        staged: KernelTable = {name: dict(table) for name, table in _registry.kernels.items()}
        touched: set[str] = set()
        for kernel in kernels:
            kernel.provider = provider
            check_kernel(kernel)
            table = staged.setdefault(kernel.backend, {})
            table[kernel.op] = _ordered((*table.get(kernel.op, ()), kernel))
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


def check_kernel(kernel: Kernel) -> None:
    """Whether a kernel fits its op: name, backend, attributes' defaults, operands it writes.

    Raises:
        RegistrationError: it does not. DTypeError: it names a dtype that there is not.
    """
    op = _registry.ops.get(kernel.op)
    if op is None:
        raise _bad(kernel, "there is no such op", f"one of {', '.join(sorted(_registry.ops))}", repr(kernel.op))
    if not kernel.backend:
        raise _bad(kernel, "it names no backend", "backend= the backend it is for", "backend=''")
    if not callable(kernel.fn):
        raise _bad(kernel, "it is not callable", "a function", repr(kernel.fn))
    from . import dtypes

    for entry in kernel.dtypes:
        for part in _parts(entry):
            dtypes.names_of(part)  # raises for a word that names no dtype: it would fail at every later call
    for name in kernel.writes:
        if name not in op.operands:
            raise _bad(kernel, "it writes what is no operand", f"of {', '.join(op.operands)}", repr(name))
    for name, default in _declared_defaults(op, kernel.fn).items():
        if name not in op.attributes:
            raise _bad(kernel, "it takes what is no attribute", f"of {', '.join(op.attributes) or 'none'}", repr(name))
        if name in op.defaults and default is not op.defaults[name] and default != op.defaults[name]:
            raise _bad(
                kernel,
                f"its default of {name} differs",
                f"{name}={op.defaults[name]!r}, as {op.name} declares",
                f"{name}={default!r}",
            )


def _declared_defaults(op: Op, fn: Any) -> dict[str, Any]:
    # A ufunc, a compiled function or another callable object shows no defaults: it is taken at its word.
    found: dict[str, Any] = dict(getattr(fn, "__kwdefaults__", None) or {})
    code = getattr(fn, "__code__", None)
    given = getattr(fn, "__defaults__", None) or ()
    if code is not None and given:
        names = code.co_varnames[: code.co_argcount]
        for name, default in zip(names[len(names) - len(given) :], given, strict=True):
            if name in op.defaults:  # any other is an operand, under a name of the kernel's own
                found[name] = default
    found.pop("spec", None)
    found.pop("out", None)
    return found


def _bad(kernel: Kernel, why: str, expected: str, got: str) -> RegistrationError:
    return RegistrationError(
        f"{kernel!r} cannot be registered: {why}.",
        expected=expected,
        got=got,
        fix="mend the kernel's declaration; `polytape.ops` lists every op with its signature",
    )


def _rank(kernel: Kernel) -> tuple[int, int, int]:
    # Higher priority first; then a predicate before none (it serves fewer); then an exact dtype before a class.
    return (-kernel.priority, 0 if kernel.when is not None else 1, 0 if _exact(kernel) else 1)


def _exact(kernel: Kernel) -> bool:
    from . import dtypes

    return all(part in dtypes.NAMES for entry in kernel.dtypes for part in _parts(entry))


def _parts(entry: str | tuple[str, ...]) -> tuple[str, ...]:
    return entry if isinstance(entry, tuple) else (entry,)


def _ordered(kernels: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    ordered = sorted(kernels, key=_rank)
    for position, one in enumerate(ordered):
        for other in ordered[position + 1 :]:
            if _rank(one) == _rank(other) and _overlap(one, other):
                raise RegistrationError(
                    f"two kernels for {one.op} on {one.backend} that nothing tells apart.",
                    expected="a different priority, dtype, device kind, or a predicate on one of them",
                    got=f"{one!r} and {other!r}",
                    fix=f"give one a higher priority, or pin one with POLYTAPE_KERNELS={one.op}@{one.backend}="
                    f"{one.provider}",
                )
    return tuple(ordered)


def _overlap(one: Kernel, other: Kernel) -> bool:
    if one.devices and other.devices and not set(one.devices) & set(other.devices):
        return False
    return any(_meet(a, b) for a in one.dtypes for b in other.dtypes)


def _meet(a: str | tuple[str, ...], b: str | tuple[str, ...]) -> bool:
    from . import dtypes

    left, right = _parts(a), _parts(b)
    pairs = zip(left, right, strict=True) if len(left) == len(right) else [(x, y) for x in left for y in right]
    return all(dtypes.names_of(x) & dtypes.names_of(y) for x, y in pairs)


def coverage(backend: str) -> tuple[int, int, int]:
    """How many ops a backend serves natively (its parents included), by decomposition, and not at all."""
    from . import plugins

    names = [one.name for one in plugins.get_backend(backend).chain()]
    native = decomposed = missing = 0
    for op in ops().values():
        if any(kernels_of(name, op.name) for name in names):
            native += 1
        elif not op.primitive:
            decomposed += 1
        else:
            missing += 1
    return native, decomposed, missing


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
