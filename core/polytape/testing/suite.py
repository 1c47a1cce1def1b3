"""The conformance kit as tests: every row on every backend.

The author of a backend enables the plugin `polytape.testing.plugin` in conftest.py and writes a test file with ::

    from polytape.testing.suite import *

which gives one test per check, op and backend.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import checks, contract
from .case import Case
from .cases import CASES
from .kernels import unreached_kernels
from .limits import Inapplicable, check_capabilities, checked
from .transfers import TRANSFERS

__all__ = [
    "test_a_call_changes_no_operand_and_no_earlier_result",
    "test_a_graph_equals_eager",
    "test_a_kernel_equals_the_decomposition",
    "test_errors_name_op_expectation_and_fix",
    "test_every_device_has_its_own_results",
    "test_every_kernel_is_reached_by_a_sample",
    "test_fresh_results_share_no_memory",
    "test_gradients_agree_with_finite_differences_to_order_two",
    "test_host_operands_go_to_the_device_and_numbers_are_weak",
    "test_memory_is_kept_apart_and_comes_back_bit_by_bit",
    "test_operands_of_two_dtypes_promote",
    "test_results_are_on_the_operands_device",
    "test_the_declared_capabilities_are_true",
    "test_values_dtypes_and_shapes_are_the_reference_s",
]


def applied(check: Callable[[Case, str], None], case: Case, backend: str) -> None:
    """Run a check; skip it, with the reason, if it does not apply to the backend."""
    try:
        checked(check, case, backend)
    except Inapplicable as reason:
        pytest.skip(str(reason))


def test_values_dtypes_and_shapes_are_the_reference_s(case: Case, backend: str) -> None:
    """The reference computes with NumPy in float64."""
    applied(checks.check_value_dtype_and_shape, case, backend)


def test_results_are_on_the_operands_device(case: Case, backend: str) -> None:
    """They are also arrays of the backend's own type."""
    applied(checks.check_device, case, backend)


def test_a_call_changes_no_operand_and_no_earlier_result(case: Case, backend: str) -> None:
    """A repeated call also returns the same bits."""
    applied(checks.check_operands_stay, case, backend)


def test_errors_name_op_expectation_and_fix(case: Case, backend: str) -> None:
    """The errors of every kernel are checked."""
    applied(checks.check_errors, case, backend)


def test_gradients_agree_with_finite_differences_to_order_two(case: Case, backend: str) -> None:
    """The check runs in float64."""
    applied(checks.check_gradient, case, backend)


def test_a_kernel_equals_the_decomposition(case: Case, backend: str) -> None:
    """The check applies to ops that have both."""
    applied(checks.check_kernel_equals_decomposition, case, backend)


def test_a_graph_equals_eager(case: Case, backend: str) -> None:
    """The graph is traced by `polytape.function`."""
    applied(checks.check_graph_equals_eager, case, backend)


def test_host_operands_go_to_the_device_and_numbers_are_weak(case: Case, backend: str) -> None:
    """Host operands are Python numbers and NumPy arrays beside tensors."""
    applied(checks.check_host_operands, case, backend)


def test_operands_of_two_dtypes_promote(case: Case, backend: str) -> None:
    """They promote to their common dtype."""
    applied(checks.check_promotion, case, backend)


def test_fresh_results_share_no_memory(case: Case, backend: str) -> None:
    """A graph overwrites the results of kernels that are registered as fresh."""
    applied(contract.check_fresh, case, backend)


def test_every_device_has_its_own_results(case: Case, backend: str) -> None:
    """The check runs on each device of the backend but the first, which all other checks use."""
    applied(contract.check_devices, case, backend)


def test_the_declared_capabilities_are_true(backend: str) -> None:
    """The backend has a kernel for each primitive, except those that it declares as missing."""
    check_capabilities(backend)


def test_memory_is_kept_apart_and_comes_back_bit_by_bit(backend: str) -> None:
    """The checks cover transfers, copies and protection from writes."""
    for check in TRANSFERS:
        check(backend)


def test_every_kernel_is_reached_by_a_sample(backend: str) -> None:
    """A kernel with a predicate needs a sample for which it is true and one for which it is false."""
    missing = unreached_kernels(backend, CASES)
    if missing:
        raise AssertionError("\n".join(missing))
