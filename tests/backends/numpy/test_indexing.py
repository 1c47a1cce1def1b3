"""The kernels getitem and setitem with hashable keys, and scatter_add as the transpose of getitem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polytape_numpy.kernels import build, indexing

Array = np.ndarray[Any, Any]

KERNELS = {kernel.op: kernel.fn for kernel in indexing.kernels(np)}
ALL = ("slice", None, None, None)
ARRAY = ("array",)

CASES: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = [
    ((("int", 1),), ()),
    ((("int", 1), ("int", -1), ("int", 0)), ()),
    ((("slice", 1, None, 2), ("newaxis",), ("ellipsis",), ("int", 0)), ()),
    ((("slice", None, None, -1),), ()),
    (((("ellipsis",)),), ()),
    ((ARRAY,), ([0, 3, 0, -1],)),
    ((ARRAY,), ([[0, 1], [1, 1]],)),
    ((ARRAY,), (2,)),
    ((ARRAY, ALL), ([0, 3, 0],)),
    ((ARRAY, ("slice", 1, 3, None)), ([0, 3, 0],)),
    ((ARRAY, ARRAY), ([0, 3, 0], [1, 2, 1])),
    ((ALL, ARRAY), ([0, 0, 1],)),
    ((("ellipsis",), ARRAY), ([0, 0, 1],)),
    ((ARRAY, ("int", 2)), ([0, 3, 0],)),
    ((ARRAY, ALL, ARRAY), ([0, 0], [1, 1])),
    ((ARRAY,), ([True, False, True, True],)),
    ((ARRAY,), ([],)),
]


def _reference(key: tuple[Any, ...], arrays: tuple[Array, ...]) -> tuple[Any, ...]:
    remaining = list(arrays)
    entries = {"slice": lambda p: slice(*p[1:]), "int": lambda p: p[1], "newaxis": lambda _: None}
    entries |= {"ellipsis": lambda _: Ellipsis, "array": lambda _: remaining.pop(0)}
    return tuple(entries[part[0]](part) for part in key)


@pytest.mark.parametrize(("key", "arrays"), CASES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "int32", "complex64", "bool"])
def test_getitem_and_its_transpose_agree_with_numpy(key: Any, arrays: Any, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 5, (4, 3, 2)).astype(dtype)
    operands = tuple(np.asarray(a, "int64" if a == [] else None) for a in arrays)
    index = _reference(key, operands)
    selected = KERNELS["getitem"](x, *operands, key=key)
    np.testing.assert_array_equal(selected, x[index])
    expected = np.zeros_like(x)
    np.add.at(expected, index, np.asarray(selected))
    summed = KERNELS["scatter_add"](np.asarray(selected), *operands, key=key, shape=x.shape)
    np.testing.assert_array_equal(summed, expected)


@pytest.mark.parametrize(("key", "arrays"), CASES, ids=str)
def test_setitem_leaves_its_operand_unchanged_and_broadcasts_the_value(key: Any, arrays: Any) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3, 2)).astype("float32")
    operands = tuple(np.asarray(a, "int64" if a == [] else None) for a in arrays)
    before, expected = x.copy(), x.copy()
    index = _reference(key, operands)
    for value in (np.asarray(7.0, "float32"), np.array(x[index] + 1)):
        expected[index] = value
        np.testing.assert_array_equal(KERNELS["setitem"](x, value, *operands, key=key), expected)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 1, 1), (4,), (2, 2, 3)])
def test_setitem_rejects_a_value_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    for key, arrays in (((("slice", 0, 2, None),), ()), ((ARRAY,), (np.asarray([0, 1]),))):
        with pytest.raises(ValueError, match=r"broadcast|more axes|shape mismatch"):
            KERNELS["setitem"](np.zeros((4, 3)), np.zeros(shape), *arrays, key=key)


@pytest.mark.parametrize(("key", "arrays"), [((("slice", 0, 2, None),), ()), ((ARRAY,), (np.asarray([0, 1]),))])
@pytest.mark.parametrize("shape", [(1, 3), (3,), (2, 1), (2, 3, 1), ()])
def test_scatter_add_rejects_values_of_the_wrong_shape(key: Any, arrays: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not match the indexed shape"):
        KERNELS["scatter_add"](np.ones(shape, "float32"), *arrays, key=key, shape=(4, 3))


@pytest.mark.parametrize("index", [4, -5])
def test_an_index_out_of_range_is_an_error_for_getitem_and_scatter_add(index: int) -> None:
    with pytest.raises(IndexError):
        KERNELS["getitem"](np.zeros(4), np.asarray([index]), key=(ARRAY,))
    with pytest.raises(IndexError):
        KERNELS["scatter_add"](np.zeros(1), np.asarray([index]), key=(ARRAY,), shape=(4,))


def test_many_rows_are_added_in_chunks() -> None:
    rng = np.random.default_rng(0)
    rows, values = rng.integers(-50, 50, 3000), rng.standard_normal((3000, 40)).astype("float32")
    expected = np.zeros((50, 40))
    np.add.at(expected, rows, values)
    y = KERNELS["scatter_add"](values, rows, key=(ARRAY, ALL), shape=(50, 40))
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    assert KERNELS["scatter_add"](values[:, :0], rows, key=(ARRAY,), shape=(50, 0)).shape == (50, 0)


def test_a_loop_over_indices_does_not_grow_the_cache_without_bound() -> None:
    x = np.arange(5000)
    for i in range(5000):
        assert KERNELS["getitem"](x, key=(("int", i),)) == i
    assert len(indexing._plans) <= indexing._MAX_PLANS


def test_build_includes_the_indexing_kernels() -> None:
    assert {"getitem", "scatter_add"} <= {kernel.op for kernel in build(np)}
