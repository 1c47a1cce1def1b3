"""Dtype rules: the dtypes they accept, and their errors."""

from __future__ import annotations

from typing import Any

import pytest

from polytape import dtypes
from polytape.errors import DTypeError
from polytape.ops import dtype_rules


@pytest.mark.parametrize(
    ("rule", "accepted", "rejected"),
    [
        (dtype_rules.same_numeric, "int8", "bool"),
        (dtype_rules.same_real, "bool", "complex64"),
        (dtype_rules.same_floating, "complex64", "int32"),
        (dtype_rules.same_real_floating, "float16", "complex64"),
        (dtype_rules.logical, "bool", "int32"),
        (dtype_rules.ordered_truth, "float32", "complex128"),
        (dtype_rules.index_dtype, "float32", "complex128"),
    ],
)
def test_the_error_of_a_dtype_rule_gives_expectation_and_fix(rule: Any, accepted: str, rejected: str) -> None:
    rule(dtypes.lookup(accepted))
    with pytest.raises(DTypeError) as caught:
        rule(dtypes.lookup(rejected))
    assert caught.value.expected
    assert caught.value.fix


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("bool", "int32"), ("int8", "int32"), ("int64", "int64"), ("uint8", "uint32"), ("uint64", "uint64")]
    + [(name, name) for name in ("float16", "float32", "complex64")],
)
def test_sums_widen_small_integers_to_the_default_integer(dtype: str, expected: str) -> None:
    assert dtype_rules.sum_dtype(dtypes.lookup(dtype), dtype=None) == expected
    wide = dtypes.complex128 if dtype == "complex64" else dtypes.float64
    assert dtype_rules.sum_dtype(dtypes.lookup(dtype), dtype=wide) is wide
