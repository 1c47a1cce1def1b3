"""NumPy's functions that join tensors, compared with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError

SHAPES = [[(3,), (2,)], [(2, 3), (2, 3)], [(2, 1, 4), (2, 1, 4)], [(), ()]]


def arrays(shapes: Any) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("name", ["hstack", "vstack", "dstack", "column_stack"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_stacks_are_numpy_s(name: str, shapes: Any, backend: str) -> None:
    values = [x.astype("float32") for x in arrays(shapes)]
    if shapes == [(3,), (2,)] and name != "hstack":
        values[1] = values[0] * 2
    expected = getattr(np, name)(values)
    with pt.device(backend):
        got = getattr(pt, name)([pt.asarray(x) for x in values])
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got.numpy(), expected)
    pt.check_gradients(lambda *parts: getattr(pt, name)(parts), [pt.asarray(x.astype("float64")) for x in values])


def test_append_is_numpy_s() -> None:
    a, b = arrays([(2, 3), (2, 3)])
    x, y = pt.asarray(a), pt.asarray(b)
    for axis in (None, 0, -1):
        np.testing.assert_array_equal(pt.append(x, y, axis=axis).numpy(), np.append(a, b, axis))
        pt.check_gradients(lambda x, y, axis=axis: pt.append(x, y, axis=axis), [x, y])
    assert pt.append(pt.asarray([1.0, 2.0]), 3).tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ShapeError):
        pt.append(x, y[0], axis=0)


def test_blocks_are_numpy_s() -> None:
    a, b, c, d = arrays([(2, 2), (2, 3), (1, 2), (1, 3)])
    rows = [[a, b], [c, d]]
    tensors = [[pt.asarray(x) for x in row] for row in rows]
    np.testing.assert_array_equal(pt.block(tensors).numpy(), np.block(rows))
    for nested in ([1.0, 2.0], [[1.0], [2.0]], [[[1.0, 2.0]]], [a, b], a, [[a, b], [d[0], c[0]]]):
        np.testing.assert_array_equal(pt.block(nested).numpy(), np.block(nested))
    pt.check_gradients(lambda a, b, c, d: pt.block([[a, b], [c, d]]), [x for row in tensors for x in row], order=2)
    for wrong in ([], [a, [b]], [[a], []]):
        with pytest.raises(ShapeError, match="lists of the same depth"):
            pt.block(wrong)
