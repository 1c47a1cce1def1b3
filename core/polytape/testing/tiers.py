"""The tiers of the conformance kit: in which order a new backend is brought up, and what each of them checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .. import plugins
from ..registry import tables
from . import checks, contract, large
from .case import Case
from .cases import CASES
from .kernels import unreached_kernels
from .lifecycle import LIFECYCLE
from .limits import kernels_in_chain
from .programs import FAULTS, GRAPHS, STATES
from .transfers import TRANSFERS

__all__ = ["TIERS", "Check", "Tier", "checks_of", "find_check", "inherited"]


class Check:
    """One check of a tier.

    Attributes:
        name: the name of the function, which reproducers use.
        fn: ``(case, backend)`` for a check of an op, ``(backend)`` for a check of the whole backend.
        applies: ``(case, backend) -> bool``, which rows it is for; None for a check of the whole backend.
        inherited: whether it also runs for ops whose kernel belongs to a backend that the tested one extends.
        needs: ``(backend) -> why the check has nothing to do there``, or "" if it has.
    """

    def __init__(
        self,
        fn: Callable[..., None],
        applies: Callable[[Case, str], bool] | None = None,
        *,
        inherited: bool = False,
        needs: Callable[[str], str] | None = None,
    ) -> None:
        self.needs: Final = needs
        self.fn: Final = fn
        self.name: Final[str] = fn.__name__
        self.applies: Final = applies
        self.inherited: Final = inherited

    def __repr__(self) -> str:
        return self.name


class Tier:
    """A tier: its name, such as ``T2``, its title, and its checks."""

    def __init__(self, name: str, title: str, *members: Check) -> None:
        self.name: Final = name
        self.title: Final = title
        self.checks: Final = members

    def __repr__(self) -> str:
        return f"{self.name} {self.title}"


def check_kernels_are_reached(backend: str) -> None:
    """Some sample reaches each kernel; a predicate is true for one and false for another."""
    missing = unreached_kernels(backend, CASES)
    if missing:
        raise AssertionError("\n".join(missing))


def _every(case: Case, backend: str) -> bool:
    return True


def _core(case: Case, backend: str) -> bool:
    return bool(case.op.primitive)


def _creates(case: Case, backend: str) -> bool:
    return bool(case.op.creates)


def _has_body_and_kernel(case: Case, backend: str) -> bool:
    # A primitive for some dtypes only, such as the real ones, has a body for the others.
    has_body = not case.op.primitive or "any" not in case.op.primitive_for
    return has_body and bool(kernels_in_chain(backend, case.op.name))


def _has_fresh_kernel(case: Case, backend: str) -> bool:
    return any(kernel.fresh or kernel.out for kernel in kernels_in_chain(backend, case.op.name))


def _has_large(case: Case, backend: str) -> bool:
    return large.has_large(case) and bool(kernels_in_chain(backend, case.op.name))


def _has_operands(case: Case, backend: str) -> bool:
    return any(sample.operands for sample in case.samples)


def _has_errors(case: Case, backend: str) -> bool:
    return bool(case.errors)


def _promotes(case: Case, backend: str) -> bool:
    return bool(checks.promoted_positions(case))


def _differentiable(case: Case, backend: str) -> bool:
    return not case.gradient and any(sample.smooth and "float64" in sample.dtypes() for sample in case.samples)


def _float64(backend: str) -> str:
    supported = "float64" in plugins.get_backend(backend).dtypes
    return "" if supported else f"it runs in float64, which {backend} does not support"


def _several_devices(backend: str) -> str:
    several = len(plugins.get_backend(backend).device_list()) > 1
    return "" if several else f"{backend} has one device, on which all other checks run"


def _of_backend(*fns: Callable[..., None]) -> tuple[Check, ...]:
    return tuple(Check(fn) for fn in fns)


TIERS: Final = (
    Tier("T0", "contract and lifecycle", *_of_backend(*LIFECYCLE)),
    Tier(
        "T1",
        "creation and transfer",
        *_of_backend(*TRANSFERS),
        Check(checks.check_common_dtypes, _creates, inherited=True),
    ),
    Tier("T2", "core ops in common dtypes", Check(checks.check_common_dtypes, _core, inherited=True)),
    Tier(
        "T3",
        "all ops and dtypes",
        Check(checks.check_value_dtype_and_shape, _every, inherited=True),
        Check(checks.check_device, _every),
        Check(checks.check_operands_stay, _every),
        Check(checks.check_errors, _has_errors),
        Check(checks.check_host_operands, _promotes),
        Check(checks.check_promotion, _promotes),
        Check(contract.check_fresh, _has_fresh_kernel),
        Check(large.check_large_operands, _has_large),
        Check(checks.check_kernel_equals_decomposition, _has_body_and_kernel),
        *_of_backend(check_kernels_are_reached),
    ),
    Tier("T4", "gradients to order two", Check(checks.check_gradient, _differentiable, needs=_float64)),
    Tier("T5", "state and checkpoints across backends", *_of_backend(*STATES)),
    Tier("T6", "graphs", Check(checks.check_graph_equals_eager, _has_operands), *_of_backend(*GRAPHS)),
    Tier(
        "T7",
        "faults, threads, streams and mixed devices",
        Check(contract.check_devices, _every, needs=_several_devices),
        *_of_backend(*FAULTS),
    ),
)


def checks_of(fn: Callable[..., None] | None) -> list[Check]:
    """The checks of all tiers that run a function."""
    return [check for tier in TIERS for check in tier.checks if check.fn is fn]


def find_check(name: str) -> Check:
    """The check whose function has this name.

    Raises:
        KeyError: there is none.
    """
    return {check.name: check for tier in TIERS for check in tier.checks}[name]


def inherited(op: Any, backend: str) -> bool:
    """Whether an op on a backend runs a kernel of a backend that it extends, which has tests of its own."""
    owner = plugins.get_backend(backend)
    return bool(owner.extends) and not tables.kernels_of(backend, op.name) and bool(kernels_in_chain(backend, op.name))
