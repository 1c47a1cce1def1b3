"""Matrix products and transposes: operators, promotion, errors."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError


def test_transposes_swap_the_last_two_axes(backend: str) -> None:
    host = np.arange(24.0).reshape(2, 3, 4)
    with pt.device(backend):
        x = pt.asarray(host)
    assert pt.matrix_transpose(x).tolist() == x.mT.tolist() == host.swapaxes(-1, -2).tolist()
    assert x[0].T.tolist() == host[0].T.tolist()


def test_products_of_integers_stay_integers(backend: str) -> None:
    with pt.device(backend):
        y = pt.asarray([[1, 2]]) @ pt.asarray([[3], [4]])
    assert y.dtype == pt.int32
    assert y.tolist() == [[11]]


def test_the_operator_accepts_arrays_on_either_side(backend: str) -> None:
    with pt.device(backend):
        x = pt.ones((2, 2))
    host = np.ones((2, 2), "float32")
    assert (x @ host).tolist() == (host @ x).tolist() == [[2.0, 2.0]] * 2
    assert isinstance(host @ x, pt.Tensor)


def test_mixed_dtypes_promote() -> None:
    assert (pt.ones((2, 2)) @ pt.ones((2, 2), dtype="float64")).dtype == pt.float64
    assert (pt.ones((2, 2), dtype="int32") @ pt.ones((2, 2), dtype="float16")).dtype == pt.float16


def test_the_error_for_different_inner_sizes_gives_them(backend: str) -> None:
    with pt.device(backend), pytest.raises(ShapeError) as caught:
        pt.matmul(pt.ones((2, 3)), pt.ones((4, 5)))
    assert str(caught.value).splitlines() == [
        "matmul([2,3], [4,5]): the inner sizes differ.",
        "  expected: x1[..., m, k] and x2[..., k, n] with the same k",
        "  got: k = 3 in x1 and k = 4 in x2",
        "  fix: transpose one operand, or reshape it so that the inner sizes agree",
    ]
