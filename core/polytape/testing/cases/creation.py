"""Rows of the creation ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...ops import creation
from ..case import Case
from ..samples import error, sample

__all__ = ["CASES"]


def _result_dtype(default: str) -> Any:
    return lambda dtype, attributes: attributes.get("dtype", default)


def _full(*, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return np.full(shape, fill_value)


def _arange(*, start: float, stop: float, step: float, dtype: Any = None) -> Any:
    return np.arange(start, stop, step)


def _eye(*, n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    return np.eye(n_rows, n_cols, k)


def _linspace(*, start: complex, stop: complex, num: int, dtype: Any = None, endpoint: bool = True) -> Any:
    return np.linspace(start, stop, num, endpoint)


_BAD_SHAPES = [
    error(ShapeError, "a size is negative", shape=(2, -1)),
    error(ShapeError, "is not a valid shape", shape="ab"),
]
_EVERY_DTYPE = ("bool", "int8", "uint64", "float16", "float64", "complex128")


def _filled(op: Any, number: int) -> Case:
    more = [sample(shape=()), sample(shape=3), sample(shape=(0, 2)), sample(shape=[2, 1])]
    more += [sample(shape=(2, 2), dtype=name) for name in _EVERY_DTYPE]
    return Case(
        op,
        shape=(2, 3),
        more=more,
        reference=lambda shape, dtype=None: np.full(shape, number),
        result=_result_dtype("float32"),
        errors=_BAD_SHAPES,
    )


CASES = [
    Case(
        creation.full_,
        shape=(2, 3),
        fill_value=2.5,
        reference=_full,
        result=lambda dtype, attributes: attributes.get("dtype") or dtypes.default_dtype(attributes["fill_value"]).name,
        more=[
            sample(shape=(), fill_value=7),
            sample(shape=3, fill_value=True),
            sample(shape=(0, 2), fill_value=0),
            sample(shape=(2, 3), fill_value=0),
            sample(shape=(2,), fill_value=0j),
            sample(shape=(2,), fill_value=-0.0, signs=True),
            sample(shape=(2,), fill_value=1 - 2j),
            *(sample(shape=(2, 2), fill_value=1, dtype=name) for name in _EVERY_DTYPE),
        ],
        errors=[
            error(ShapeError, "a size is negative", shape=(2, -1), fill_value=1),
            error(ShapeError, "is not a valid shape", shape="ab", fill_value=1),
            error(DTypeError, "fill value is not a Python number", shape=(2,), fill_value="1"),
        ],
    ),
    _filled(creation.zeros, 0),
    _filled(creation.ones, 1),
    Case(
        creation.arange_,
        start=0,
        stop=7,
        step=2,
        reference=_arange,
        result=lambda dtype, attributes: (
            attributes.get("dtype")
            or ("float32" if any(isinstance(attributes[k], float) for k in ("start", "stop", "step")) else "int32")
        ),
        more=[
            sample(start=5, stop=-1, step=-2),
            sample(start=3, stop=3, step=1),
            sample(start=3, stop=0, step=1),
            sample(start=0.0, stop=1.0, step=0.25),
            sample(start=1, stop=2, step=0.3),
            sample(start=1e6, stop=1e6 + 20.05, step=0.1),  # with steps rounded to float32 it ends elsewhere
            sample(start=2**53 + 1, stop=2**53 + 6, step=2, dtype="int64"),
            sample(start=2**53 + 1, stop=2**53 + 6, step=2, dtype="uint64"),
            *(sample(start=0, stop=5, step=1, dtype=name) for name in ("int8", "uint64", "float16", "float64")),
        ],
        errors=[error(ShapeError, "never ends", start=0, stop=3, step=0)],
    ),
    Case(
        creation.eye,
        n_rows=3,
        reference=_eye,
        result=_result_dtype("float32"),
        more=[
            sample(n_rows=2, n_cols=4),
            sample(n_rows=3, n_cols=5, k=2),
            sample(n_rows=4, n_cols=3, k=-2),
            sample(n_rows=2, k=7),
            sample(n_rows=0, n_cols=3),
            *(sample(n_rows=2, n_cols=3, dtype=name) for name in _EVERY_DTYPE),
        ],
        errors=[error(ShapeError, "a size is negative", n_rows=2, n_cols=-1)],
    ),
    Case(
        creation.linspace,
        start=-1.0,
        stop=2.0,
        num=7,
        reference=_linspace,
        result=lambda dtype, attributes: (
            attributes.get("dtype") or ("complex64" if isinstance(attributes["stop"], complex) else "float32")
        ),
        scale=8.0,
        more=[
            sample(start=0, stop=5, num=5, endpoint=False),
            sample(start=3.0, stop=-3.0, num=1),
            sample(start=3.0, stop=-3.0, num=0),
            sample(start=3.0, stop=3.0, num=3),
            sample(start=0.0, stop=1 - 2j, num=4),
            *(sample(start=0.1, stop=0.7, num=9, dtype=name) for name in ("float16", "float64", "complex128")),
        ],
        errors=[
            error(ShapeError, "a size is negative", start=0.0, stop=1.0, num=-1),
            error(DTypeError, "are not integers", start=0.0, stop=1.0, num=3, dtype="int32"),
        ],
    ),
]
