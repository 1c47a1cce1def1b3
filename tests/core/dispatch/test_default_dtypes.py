"""`polytape.set_default_dtype`: numbers and new tensors have another dtype, in all places."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError


@pytest.fixture
def wide() -> Iterator[None]:
    before = pt.set_default_dtype("float64"), pt.set_default_dtype("int64")
    yield
    for dtype in before:
        pt.set_default_dtype(dtype)


# What has a default dtype, and that dtype when float64 and int64 are set.
CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: pt.asarray(0.5), "float64"),
    (lambda: pt.asarray([1, 2.5]), "float64"),
    (lambda: pt.asarray([]), "float64"),
    (lambda: pt.asarray([[1], [2]]), "int64"),
    (lambda: pt.asarray(1j), "complex128"),
    (lambda: pt.zeros(2), "float64"),
    (lambda: pt.ones(2), "float64"),
    (lambda: pt.empty(2), "float64"),
    (lambda: pt.eye(2), "float64"),
    (lambda: pt.full(2, 1), "int64"),
    (lambda: pt.full(2, 1.0), "float64"),
    (lambda: pt.arange(3), "int64"),
    (lambda: pt.arange(3.0), "float64"),
    (lambda: pt.linspace(0, 1, 3), "float64"),
    (lambda: pt.linspace(0, 1j, 3), "complex128"),
    (lambda: pt.geomspace(1, 10, 3), "float64"),
    (lambda: pt.fft.fftfreq(4), "float64"),
    (lambda: pt.random.uniform((2,)), "float64"),
    (lambda: pt.random.normal((2,)), "float64"),
    (lambda: pt.random.integers(0, 9, (2,)), "int64"),
    (lambda: pt.random.gamma(2.0, shape=(2,)), "float64"),
    (lambda: pt.sum(pt.asarray([1, 2], dtype="int8")), "int64"),
    (lambda: pt.sum(pt.asarray([1, 2], dtype="int32")), "int64"),
    (lambda: pt.prod(pt.asarray([1, 2], dtype="uint8")), "uint64"),
    (lambda: pt.sum(pt.asarray([True])), "int64"),
    (lambda: pt.cumulative_sum(pt.asarray([1, 2], dtype="int16")), "int64"),
    (lambda: pt.asarray([1, 2]) / 2, "float64"),
    (lambda: pt.asarray([1, 2], dtype="int32") * 0.5, "float64"),
    (lambda: pt.asarray([True]) + 1, "int64"),
    (lambda: pt.asarray([1]) + 1j, "complex128"),
    (lambda: pt.sqrt(pt.asarray([4], dtype="int32")), "float64"),
    (lambda: pt.mean(pt.asarray([1, 2], dtype="int32")), "float64"),
    (lambda: pt.std(pt.asarray([1, 2], dtype="int32")), "float64"),
    (lambda: pt.linalg.vector_norm(pt.asarray([3, 4], dtype="int32")), "float64"),
    (lambda: pt.asarray([1.0], dtype="float32") * 2.5, "float32"),
    (lambda: pt.asarray([1.0], dtype="float32") + 1j, "complex64"),
    (lambda: pt.sum(pt.asarray([1, 2], dtype="uint64")), "uint64"),
]
NARROW = {"float64": "float32", "int64": "int32", "complex128": "complex64", "uint64": "uint32"}


@pytest.mark.parametrize(("call", "dtype"), CALLS)
def test_what_names_no_dtype_has_the_default_one(call: Callable[[], Any], dtype: str) -> None:
    before = call().dtype.name  # resolved, and so remembered
    pt.set_default_dtype("float64")
    pt.set_default_dtype("int64")
    try:
        assert call().dtype.name == dtype
    finally:
        pt.set_default_dtype("float32")
        pt.set_default_dtype("int32")
    assert call().dtype.name == before


def test_numbers_keep_their_digits(wide: None) -> None:
    assert pt.asarray(0.1).item() == 0.1
    assert (pt.asarray([1, 2]) * 0.1).tolist() == [0.1, 0.2]
    assert pt.result_type(1.0) == pt.float64 == pt.result_type(pt.int32, 1.0)
    kinds = pt.__array_namespace_info__().default_dtypes()
    assert [kinds[kind].name for kind in ("real floating", "complex floating", "integral", "indexing")] == [
        "float64",
        "complex128",
        "int64",
        "int64",
    ]


def test_a_traced_function_is_traced_again() -> None:
    traced = pt.function(lambda x: x / 3)
    x = pt.asarray([1], dtype="int32")
    assert traced(x).dtype == pt.float32
    before = pt.set_default_dtype("float64")
    try:
        assert traced(x).dtype == pt.float64
    finally:
        assert pt.set_default_dtype(before) == pt.float64
    assert traced(x).dtype == pt.float32


def test_other_dtypes_cannot_be_the_default() -> None:
    for dtype in ("float16", "uint8", "bool", "complex64"):
        with pytest.raises(DTypeError, match="cannot be a default dtype"):
            pt.set_default_dtype(dtype)


def child(value: str) -> subprocess.CompletedProcess[str]:
    code = "import polytape as pt; print(pt.asarray([1.0]).dtype, pt.arange(2).dtype)"
    environment = {**os.environ, "POLYTAPE_DEFAULT_DTYPE": value}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_the_environment_variable_sets_both() -> None:
    assert child(" Float64, int64").stdout == "float64 int64\n"
    assert child("").stdout == "float32 int32\n"
    wrong = child("double")
    assert "POLYTAPE_DEFAULT_DTYPE='double' is not understood" in wrong.stderr and "SettingError" in wrong.stderr


def test_host_data_keeps_its_dtype(wide: None) -> None:
    assert pt.asarray(np.float32([1, 2])).dtype == pt.float32
