"""What a kernel must be to be registered, and in which order an op's kernels are asked."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..backend import Kernel
from ..errors import RegistrationError
from .op import Op

__all__ = ["check_kernel", "in_order"]


def check_kernel(kernel: Kernel, op: Op | None) -> None:
    """Whether a kernel fits its op: name, backend, attributes' defaults, operands it writes.

    Raises:
        RegistrationError: it does not. DTypeError: it names a dtype that there is not.
    """
    if op is None:
        raise _bad(
            kernel, "there is no such op", "the name of a declared op; `polytape.ops` has them all", repr(kernel.op)
        )
    if not kernel.backend:
        raise _bad(kernel, "it names no backend", "backend= the backend it is for", "backend=''")
    if not callable(kernel.fn):
        raise _bad(kernel, "it is not callable", "a function", repr(kernel.fn))
    for resolution in kernel.dtypes:
        for part in _parts(resolution):
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
    return all(part in dtypes.NAMES for resolution in kernel.dtypes for part in _parts(resolution))


def _parts(resolution: str | tuple[str, ...]) -> tuple[str, ...]:
    return resolution if isinstance(resolution, tuple) else (resolution,)


def in_order(kernels: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """One op's kernels in the order they are asked.

    Raises:
        RegistrationError: two that nothing tells apart.
    """
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
    left, right = _parts(a), _parts(b)
    pairs = zip(left, right, strict=True) if len(left) == len(right) else [(x, y) for x in left for y in right]
    return all(dtypes.names_of(x) & dtypes.names_of(y) for x, y in pairs)
