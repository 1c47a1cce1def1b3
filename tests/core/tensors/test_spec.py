"""TensorSpec."""

from __future__ import annotations

import pytest

import polytape as pt
from polytape.errors import DTypeError


def test_a_spec_is_a_shape_and_a_dtype() -> None:
    spec = pt.TensorSpec([None, 3], "int64")
    assert (spec.shape, spec.dtype) == ((None, 3), pt.int64)
    assert repr(spec) == "TensorSpec(int64[?,3])"
    assert spec == pt.data.TensorSpec((None, 3), pt.int64) and hash(spec) == hash(pt.TensorSpec((None, 3), "int64"))
    assert spec != pt.TensorSpec((4, 3), "int64") and spec != pt.TensorSpec((None, 3))
    assert pt.TensorSpec(()).dtype == pt.float32
    with pytest.raises(DTypeError):
        pt.TensorSpec((3,), "float7")
