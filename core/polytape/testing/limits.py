"""What a backend declares that it cannot do (`polytape.backend.Limits`), compared with what it does.

A check that did not run must not count as passed: it is skipped with the reason. Neither may the host's kernels count
as the backend's: checks run with the fallback policy ``error``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import plugins
from ..backend import Limits
from ..dispatch.fallback import set_fallback
from ..errors import DTypeError, KernelError
from ..registry import tables
from ..settings import settings
from .calls import calls
from .case import Case

__all__ = ["Inapplicable", "allowed_ulp", "check_capabilities", "checked", "limits_of"]


class Inapplicable(Exception):
    """A check that a backend need not pass; the text is the reason."""


def limits_of(backend: str) -> Limits:
    """What the backend declares."""
    return plugins.get_backend(backend).limits


def allowed_ulp(case: Case, backend: str, dtype: str) -> float:
    """The allowed error of results of ``dtype``: the row's, or the backend's own if that is larger."""
    return max(case.ulp(dtype), limits_of(backend).ulp.get(case.op.name, 0.0))


def kernels_in_chain(backend: str, op: str) -> list[Any]:
    """The kernels of an op that the backend and the backends that it extends have."""
    chain = plugins.get_backend(backend).chain()
    return [kernel for owner in chain for kernel in tables.kernels_of(owner.name, op)]


def check_capabilities(backend: str) -> None:
    """The backend has a kernel for each primitive, but for those that it declares as missing or leaves to the host."""
    missing = limits_of(backend).missing
    problems = [
        f"{name} is in host_ops, but no op has that name"
        for name in plugins.get_backend(backend).host_ops
        if tables.find_op(name) is None
    ]
    for name in missing:
        op = tables.find_op(name)
        if op is None or not op.primitive:
            problems.append(
                f"{name} is declared as missing, but is not a primitive op; remove it from Limits(missing=)"
            )
    for name, op in sorted(tables.ops().items()):
        if not op.primitive or not op.module.startswith("polytape.ops."):
            continue
        kernels = kernels_in_chain(backend, name)
        if kernels and name in missing:
            problems.append(f"{name} is declared as missing, but there is {kernels[0]!r}; declare what is true")
        if not kernels and name not in missing and not plugins.get_backend(backend).leaves_to_host(name):
            problems.append(
                f"{name} has no kernel on {backend}; register one, let the host compute it (host_ops=[{name!r}]), or "
                f"declare Limits(missing=[{name!r}])"
            )
    if problems:
        raise AssertionError("\n".join(problems))


@contextmanager
def without_fallback() -> Iterator[None]:
    """Make ops without a kernel fail, which the host would otherwise compute."""
    policy = settings().fallback
    if policy != "error":  # changing it makes core forget which kernels it chose
        set_fallback("error")
    try:
        yield
    finally:
        if policy != "error":
            set_fallback(policy)


def checked(check: Callable[[Case, str], None], case: Case, backend: str) -> None:
    """Run a check of an op; the error names the kernels.

    Raises:
        Inapplicable: the check does not apply to the backend.
        AssertionError: it failed.
    """
    name = case.op.name
    missing = limits_of(backend).missing
    if name in missing:
        raise Inapplicable(f"{backend} declares {name} as missing")
    if next(calls(case, backend), None) is None:
        raise Inapplicable(f"no sample of {name}'s row has only dtypes that {backend} supports")
    try:
        with without_fallback():
            check(case, backend)
    except KernelError as error:
        needed = [other for other in missing if error.summary.startswith(f"{other} has no kernel")]
        if not needed:
            raise _failure(case, backend, error) from error
        raise Inapplicable(f"{name} needs {needed[0]}, which {backend} declares as missing") from None
    except DTypeError as error:
        if not error.summary.startswith(f"backend {backend!r} does not support "):
            raise _failure(case, backend, error) from error
        raise Inapplicable(f"{name} computes in a dtype that {backend} does not support: {error.summary}") from None
    except Exception as error:
        raise _failure(case, backend, error) from error


def _failure(case: Case, backend: str, error: Exception) -> AssertionError:
    """The failure of a check, with the kernels that the op has on the backend."""
    kernels = kernels_in_chain(backend, case.op.name)
    served = "\n    ".join(map(repr, kernels)) if kernels else f"none; {case.op.name} is computed by its body"
    return AssertionError(f"{error if isinstance(error, AssertionError) else _told(error)}\n  kernels: {served}")


def _told(error: Exception) -> str:
    return "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
