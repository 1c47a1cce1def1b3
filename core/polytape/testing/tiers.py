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

__all__ = ["TIERS", "Check", "Tier", "find_check", "inherited"]


class Check:
    """One check of a tier.

    Attributes:
        name: the name of the function, which reproducers use.
        fn: ``(case, backend)`` for a check of an op, ``(backend)`` for a check of the whole backend.
        applies: which rows it is for; None for a check of the whole backend.
        inherited: whether it also runs for ops whose kernel belongs to a backend that the tested one extends.
        needs: ``(backend) -> why the check has nothing to do there``, or "" if it has.
    """

    def __init__(
        self,
        fn: Callable[..., None],
        applies: Callable[[Case], bool] | None = None,
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


def _every(case: Case) -> bool:
    return True


def _core(case: Case) -> bool:
    primitive: bool = case.op.primitive
    return primitive


def _creates(case: Case) -> bool:
    creates: bool = case.op.creates
    return creates


def _composite(case: Case) -> bool:
    return not _core(case)


def _differentiable(case: Case) -> bool:
    return not case.gradient


def _float64(backend: str) -> str:
    supported = "float64" in plugins.get_backend(backend).dtypes
    return "" if supported else f"it runs in float64, which {backend} does not support"


def _several_devices(backend: str) -> str:
    several = len(plugins.get_backend(backend).device_list()) > 1
    return "" if several else f"{backend} has one device, on which all other checks run"


def _of_ops(*fns: Callable[..., None]) -> tuple[Check, ...]:
    return tuple(Check(fn, _every) for fn in fns)


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
        *_of_ops(
            checks.check_device,
            checks.check_operands_stay,
            checks.check_errors,
            checks.check_host_operands,
            checks.check_promotion,
            contract.check_fresh,
            large.check_large_operands,
        ),
        Check(checks.check_kernel_equals_decomposition, _composite),
        *_of_backend(check_kernels_are_reached),
    ),
    Tier("T4", "gradients to order two", Check(checks.check_gradient, _differentiable, needs=_float64)),
    Tier("T5", "state and checkpoints across backends", *_of_backend(*STATES)),
    Tier("T6", "graphs", *_of_ops(checks.check_graph_equals_eager), *_of_backend(*GRAPHS)),
    Tier(
        "T7",
        "faults, threads, streams and mixed devices",
        Check(contract.check_devices, _every, needs=_several_devices),
        *_of_backend(*FAULTS),
    ),
)


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
