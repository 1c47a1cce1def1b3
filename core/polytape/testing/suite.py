"""The conformance kit as tests: every row on every backend, in the order of the tiers.

The author of a backend enables the plugin `polytape.testing.plugin` in conftest.py and writes a test file with ::

    from polytape.testing.suite import *

which gives one test per check, op and backend. ``--polytape-tier T0`` (may be repeated) runs the tests of some tiers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from . import checks, contract, large
from .case import Case
from .cases import CASES
from .conformance import run_whole
from .kernels import unreached_kernels
from .limits import Inapplicable, check_capabilities, checked
from .tiers import TIERS, Check
from .transfers import TRANSFERS

__all__ = [
    "test_a_backend_keeps_the_contract",
    "test_a_call_changes_no_operand_and_no_earlier_result",
    "test_a_graph_equals_eager",
    "test_a_kernel_equals_the_decomposition",
    "test_core_ops_are_right_in_common_dtypes",
    "test_errors_name_op_expectation_and_fix",
    "test_every_device_has_its_own_results",
    "test_every_kernel_is_reached_by_a_sample",
    "test_faults_threads_and_devices_are_kept_apart",
    "test_fresh_results_share_no_memory",
    "test_gradients_agree_with_finite_differences_to_order_two",
    "test_graphs_of_programs_equal_eager",
    "test_host_operands_go_to_the_device_and_numbers_are_weak",
    "test_large_operands_give_the_same_as_small_ones",
    "test_memory_is_kept_apart_and_comes_back_bit_by_bit",
    "test_operands_of_two_dtypes_promote",
    "test_results_are_on_the_operands_device",
    "test_state_and_checkpoints_agree_with_the_host",
    "test_the_declared_capabilities_are_true",
    "test_values_dtypes_and_shapes_are_the_reference_s",
]


F = TypeVar("F", bound=Callable[..., None])


def of_rows(check: Callable[[Case, str], None]) -> Callable[[F], F]:
    """Decorate a test that runs a check: the plugin leaves out the rows that the check is not for."""

    def decorate(test: F) -> F:
        test.polytape_check = check  # type: ignore[attr-defined]  # functions have attributes
        return test

    return decorate


def applied(check: Callable[[Case, str], None], case: Case, backend: str) -> None:
    """Run a check; skip it, with the reason, if it does not apply to the backend."""
    try:
        checked(check, case, backend)
    except Inapplicable as reason:
        pytest.skip(str(reason))


def whole(tier: str) -> list[Check]:
    """The checks of a tier that are for a whole backend, but for those that have a test of their own below."""
    own = {check_capabilities.__name__, *(check.__name__ for check in TRANSFERS), "check_kernels_are_reached"}
    checks = next(each.checks for each in TIERS if each.name == tier)
    return [check for check in checks if check.applies is None and check.name not in own]


def applied_whole(check: Check, backend: str) -> None:
    """Run a check of a whole backend; skip it, with the reason, if it does not apply."""
    try:
        run_whole(check.fn, backend)
    except Inapplicable as reason:
        pytest.skip(str(reason))


@pytest.mark.polytape_tier("T0")
@pytest.mark.parametrize("check", whole("T0"), ids=str)
def test_a_backend_keeps_the_contract(check: Check, backend: str) -> None:
    """The checks compare what it says about itself with what it does."""
    applied_whole(check, backend)


@pytest.mark.polytape_tier("T0")
def test_the_declared_capabilities_are_true(backend: str) -> None:
    """The backend has a kernel for each primitive, except those that it declares as missing."""
    check_capabilities(backend)


@pytest.mark.polytape_tier("T1")
def test_memory_is_kept_apart_and_comes_back_bit_by_bit(backend: str) -> None:
    """The checks cover transfers, copies and protection from writes."""
    for check in TRANSFERS:
        check(backend)


@pytest.mark.polytape_tier("T2")
@of_rows(checks.check_common_dtypes)
def test_core_ops_are_right_in_common_dtypes(case: Case, backend: str) -> None:
    """Core ops are the primitives, and those that create tensors."""
    applied(checks.check_common_dtypes, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(checks.check_value_dtype_and_shape)
def test_values_dtypes_and_shapes_are_the_reference_s(case: Case, backend: str) -> None:
    """The reference computes with NumPy in float64."""
    applied(checks.check_value_dtype_and_shape, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(checks.check_device)
def test_results_are_on_the_operands_device(case: Case, backend: str) -> None:
    """They are also arrays of the backend's own type."""
    applied(checks.check_device, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(checks.check_operands_stay)
def test_a_call_changes_no_operand_and_no_earlier_result(case: Case, backend: str) -> None:
    """A repeated call also returns the same bits."""
    applied(checks.check_operands_stay, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(checks.check_errors)
def test_errors_name_op_expectation_and_fix(case: Case, backend: str) -> None:
    """The errors of every kernel are checked."""
    applied(checks.check_errors, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(checks.check_kernel_equals_decomposition)
def test_a_kernel_equals_the_decomposition(case: Case, backend: str) -> None:
    """The check applies to ops that have both."""
    applied(checks.check_kernel_equals_decomposition, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(checks.check_host_operands)
def test_host_operands_go_to_the_device_and_numbers_are_weak(case: Case, backend: str) -> None:
    """Host operands are Python numbers and NumPy arrays beside tensors."""
    applied(checks.check_host_operands, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(checks.check_promotion)
def test_operands_of_two_dtypes_promote(case: Case, backend: str) -> None:
    """They promote to their common dtype."""
    applied(checks.check_promotion, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(contract.check_fresh)
def test_fresh_results_share_no_memory(case: Case, backend: str) -> None:
    """A graph overwrites the results of kernels that are registered as fresh."""
    applied(contract.check_fresh, case, backend)


@pytest.mark.polytape_tier("T3")
@of_rows(large.check_large_operands)
def test_large_operands_give_the_same_as_small_ones(case: Case, backend: str) -> None:
    """Kernels may work in blocks, or take another way."""
    applied(large.check_large_operands, case, backend)


@pytest.mark.polytape_tier("T3")
def test_every_kernel_is_reached_by_a_sample(backend: str) -> None:
    """A kernel with a predicate needs a sample for which it is true and one for which it is false."""
    missing = unreached_kernels(backend, CASES)
    if missing:
        raise AssertionError("\n".join(missing))


@pytest.mark.polytape_tier("T4")
@of_rows(checks.check_gradient)
def test_gradients_agree_with_finite_differences_to_order_two(case: Case, backend: str) -> None:
    """The check runs in float64."""
    applied(checks.check_gradient, case, backend)


@pytest.mark.polytape_tier("T5")
@pytest.mark.parametrize("check", whole("T5"), ids=str)
def test_state_and_checkpoints_agree_with_the_host(check: Check, backend: str) -> None:
    """The checks run short programs with variables on both."""
    applied_whole(check, backend)


@pytest.mark.polytape_tier("T6")
@of_rows(checks.check_graph_equals_eager)
def test_a_graph_equals_eager(case: Case, backend: str) -> None:
    """The graph is traced by `polytape.function`."""
    applied(checks.check_graph_equals_eager, case, backend)


@pytest.mark.polytape_tier("T6")
@pytest.mark.parametrize("check", whole("T6"), ids=str)
def test_graphs_of_programs_equal_eager(check: Check, backend: str) -> None:
    """The checks trace training steps and call them again."""
    applied_whole(check, backend)


@pytest.mark.polytape_tier("T7")
@of_rows(contract.check_devices)
def test_every_device_has_its_own_results(case: Case, backend: str) -> None:
    """The check runs on each device of the backend but the first, which all other checks use."""
    applied(contract.check_devices, case, backend)


@pytest.mark.polytape_tier("T7")
@pytest.mark.parametrize("check", whole("T7"), ids=str)
def test_faults_threads_and_devices_are_kept_apart(check: Check, backend: str) -> None:
    """The checks raise errors, run threads, and mix devices."""
    applied_whole(check, backend)
