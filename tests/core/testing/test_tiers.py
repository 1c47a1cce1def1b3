"""Which rows a check is for: one that is left out would compare nothing."""

from __future__ import annotations

from typing import Any

import pytest

from polytape.testing import CASES, checks, contract, large
from polytape.testing.limits import kernels_in_chain
from polytape.testing.tiers import TIERS, Check

# What compares results in the checks of rows.
COMPARISONS = {
    checks: ("_require_agreement", "_require_same", "_require_error", "check_gradients"),
    contract: ("_serving", "_compare"),
    large: ("_compare", "_check_repeated"),
}
# The checks of T1 and T2 have a part of the rows on purpose: T3 checks the dtypes of all.
OF_ROWS = [
    check
    for tier in TIERS
    for check in tier.checks
    if check.applies is not None and check.fn is not checks.check_common_dtypes
]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("check", OF_ROWS, ids=str)
def test_a_row_that_is_left_out_would_compare_nothing(
    check: Check, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: set[str] = set()
    for module, names in COMPARISONS.items():
        for name in names:
            assert hasattr(module, name), name
            monkeypatch.setattr(module, name, lambda *arguments, **keywords: compared.add(str(current)))
    applies: Any = check.applies
    for current in CASES:
        # Without a kernel, the body would be compared with itself.
        same = check.fn is checks.check_kernel_equals_decomposition and not kernels_in_chain(backend, current.op.name)
        if not same and not applies(current, backend):
            check.fn(current, backend)
    assert not compared


@pytest.mark.parametrize("op", ["exp", "abs", "power"])
def test_a_primitive_for_some_dtypes_is_compared_with_its_body_for_the_others(op: str) -> None:
    (check,) = [check for check in OF_ROWS if check.fn is checks.check_kernel_equals_decomposition]
    (case,) = [case for case in CASES if str(case) == op]
    assert case.op.primitive and check.applies is not None and check.applies(case, "numpy")
