"""The checks that a kernel must pass to be registered, and the order in which an op's kernels are tried."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..backend import Kernel
from ..errors import RegistrationError
from .op import Op

__all__ = ["check_kernel", "in_order"]


def check_kernel(kernel: Kernel, op: Op | None) -> None:
    """Check that a kernel fits its op: name, backend, dtypes, attributes and their defaults, operands it writes.

    Raises:
        RegistrationError: the kernel does not fit. DTypeError: it names a dtype that does not exist.
    """
    if op is None:
        raise _bad(
            kernel, "there is no such op", "the name of a declared op; `polytape.ops` lists them all", repr(kernel.op)
        )
    if not kernel.backend:
        raise _bad(kernel, "it names no backend", "the name of a backend in backend=", "backend=''")
    if not callable(kernel.fn):
        raise _bad(kernel, "it is not callable", "a function", repr(kernel.fn))
    for entry in kernel.dtypes:
        for part in _parts(entry):
            dtypes.names_of(part)  # raises for an unknown name, which would otherwise fail at every later call
    for name in kernel.writes:
        if name not in op.operands:
            raise _bad(
                kernel, "it writes something that is not an operand", f"one of {', '.join(op.operands)}", repr(name)
            )
    for name, default in _declared_defaults(op, kernel.fn).items():
        if name not in op.attributes:
            raise _bad(
                kernel,
                f"it has a parameter that is not an attribute of {op.name}",
                f"only its attributes: {', '.join(op.attributes) or 'none'}",
                repr(name),
            )
        if name in op.defaults and default is not op.defaults[name] and default != op.defaults[name]:
            raise _bad(
                kernel,
                f"its default for {name} differs",
                f"{name}={op.defaults[name]!r}, as declared by {op.name}",
                f"{name}={default!r}",
            )


def _declared_defaults(op: Op, fn: Any) -> dict[str, Any]:
    # Ufuncs, compiled functions and other callable objects do not expose defaults, so theirs are not checked.
    defaults: dict[str, Any] = dict(getattr(fn, "__kwdefaults__", None) or {})
    code = getattr(fn, "__code__", None)
    positional_defaults = getattr(fn, "__defaults__", None) or ()
    if code is not None and positional_defaults:
        names = code.co_varnames[: code.co_argcount]
        for name, default in zip(names[len(names) - len(positional_defaults) :], positional_defaults, strict=True):
            if name in op.defaults:  # any other parameter is an operand, which the kernel may name as it likes
                defaults[name] = default
    defaults.pop("spec", None)
    defaults.pop("out", None)
    return defaults


def _bad(kernel: Kernel, why: str, expected: str, got: str) -> RegistrationError:
    return RegistrationError(
        f"{kernel!r} cannot be registered: {why}.",
        expected=expected,
        got=got,
        fix="correct the kernel's declaration; `polytape.ops` lists every op with its signature",
    )


def _rank(kernel: Kernel) -> tuple[int, int, int]:
    # Higher priority first; then kernels with a predicate, which serve fewer calls; then exact dtypes before kinds of
    # dtypes such as "floating".
    return (-kernel.priority, 0 if kernel.when is not None else 1, 0 if _exact(kernel) else 1)


def _exact(kernel: Kernel) -> bool:
    return all(part in dtypes.NAMES for entry in kernel.dtypes for part in _parts(entry))


def _parts(entry: str | tuple[str, ...]) -> tuple[str, ...]:
    return entry if isinstance(entry, tuple) else (entry,)


def in_order(kernels: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """One op's kernels in the order in which they are tried.

    Raises:
        RegistrationError: two of them are ambiguous.
    """
    ordered = sorted(kernels, key=_rank)
    for position, first in enumerate(ordered):
        for second in ordered[position + 1 :]:
            if _rank(first) == _rank(second) and _overlap(first, second):
                raise RegistrationError(
                    f"two kernels for {first.op} on {first.backend} are ambiguous.",
                    expected="different priorities, dtypes or device kinds, or a predicate on one of them",
                    got=f"{first!r} and {second!r}",
                    fix=f"give one a higher priority, or pin one with POLYTAPE_KERNELS={first.op}@{first.backend}="
                    f"{first.provider}",
                )
    return tuple(ordered)


def _overlap(first: Kernel, second: Kernel) -> bool:
    if first.devices and second.devices and not set(first.devices) & set(second.devices):
        return False
    return any(_dtypes_overlap(a, b) for a in first.dtypes for b in second.dtypes)


def _dtypes_overlap(a: str | tuple[str, ...], b: str | tuple[str, ...]) -> bool:
    left, right = _parts(a), _parts(b)
    pairs = zip(left, right, strict=True) if len(left) == len(right) else [(x, y) for x in left for y in right]
    return all(dtypes.names_of(x) & dtypes.names_of(y) for x, y in pairs)
