"""The kit as tests: every row on every backend. A backend's author writes, next to a conftest.py that switches on the
plugin `polytape.testing.plugin`::

    from polytape.testing.suite import *

and gets a test per check, op and backend.
"""

from __future__ import annotations

from . import checks
from .case import Case
from .cases import CASES
from .kernels import unreached_kernels
from .transfers import TRANSFERS

__all__ = [
    "test_a_call_changes_no_operand_and_no_earlier_result",
    "test_a_graph_equals_eager",
    "test_a_kernel_equals_the_decomposition",
    "test_errors_name_op_expectation_and_fix",
    "test_every_kernel_is_reached_by_a_sample",
    "test_gradients_agree_with_finite_differences_to_order_two",
    "test_host_operands_go_to_the_device_and_numbers_are_weak",
    "test_memory_is_kept_apart_and_comes_back_bit_by_bit",
    "test_operands_of_two_dtypes_promote",
    "test_results_are_on_the_operands_device",
    "test_values_dtypes_and_shapes_are_the_reference_s",
]


def test_values_dtypes_and_shapes_are_the_reference_s(case: Case, backend: str) -> None:
    """Against NumPy in float64."""
    checks.check_value_dtype_and_shape(case, backend)


def test_results_are_on_the_operands_device(case: Case, backend: str) -> None:
    """And are the backend's own arrays."""
    checks.check_device(case, backend)


def test_a_call_changes_no_operand_and_no_earlier_result(case: Case, backend: str) -> None:
    """And gives the same bits again."""
    checks.check_operands_stay(case, backend)


def test_errors_name_op_expectation_and_fix(case: Case, backend: str) -> None:
    """From every kernel."""
    checks.check_errors(case, backend)


def test_gradients_agree_with_finite_differences_to_order_two(case: Case, backend: str) -> None:
    """In float64."""
    checks.check_gradient(case, backend)


def test_a_kernel_equals_the_decomposition(case: Case, backend: str) -> None:
    """For ops that have both."""
    checks.check_kernel_equals_decomposition(case, backend)


def test_a_graph_equals_eager(case: Case, backend: str) -> None:
    """By `polytape.function`."""
    checks.check_graph_equals_eager(case, backend)


def test_host_operands_go_to_the_device_and_numbers_are_weak(case: Case, backend: str) -> None:
    """Python numbers and NumPy arrays beside tensors."""
    checks.check_host_operands(case, backend)


def test_operands_of_two_dtypes_promote(case: Case, backend: str) -> None:
    """To their common dtype."""
    checks.check_promotion(case, backend)


def test_memory_is_kept_apart_and_comes_back_bit_by_bit(backend: str) -> None:
    """Transfers, copies, and who may write what."""
    for check in TRANSFERS:
        check(backend)


def test_every_kernel_is_reached_by_a_sample(backend: str) -> None:
    """Those with a predicate by one where it is true and one where it is false."""
    missing = unreached_kernels(backend, CASES)
    if missing:
        raise AssertionError("\n".join(missing))
