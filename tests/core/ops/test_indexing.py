"""Indexing, masks, assignment and their gradients, against NumPy."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import polytape as pt
from polytape.errors import DTypeError, ShapeError

HOST = np.arange(24.0).reshape(2, 3, 4)
MASK = np.array([True, False, True])

KEYS = [
    HOST > 5,
    HOST[0] > 1,
    np.s_[:, MASK],
    np.s_[..., np.array([True, False, True, True])],
    np.s_[0, MASK],
    np.s_[np.array([1, 0]), MASK],
    np.s_[None, 0, ..., MASK, 1:],
    np.s_[:, HOST[0] > 5],
    np.s_[np.zeros(2, bool)],
    [1, 0],
    [],
    np.s_[[0, 1], [2, 2], ::-1],
]


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_masks_and_index_arrays_select_as_in_numpy(key: Any, backend: str) -> None:
    if isinstance(key, np.ndarray) and key.ndim == 2:
        key = np.s_[0, key]
    x = pt.asarray(HOST, device=pt.get_backend(backend).device_list()[0])
    assert x[key].numpy().tolist() == HOST[key].tolist()
    pt.check_gradients(lambda x: x[key] * x[key], x, order=2)
    updated = HOST.copy()
    updated[key] = 7.0
    x[key] = 7.0
    assert x.numpy().tolist() == updated.tolist()


def test_a_tensor_can_be_a_mask(backend: str) -> None:
    x = pt.asarray(HOST, device=pt.get_backend(backend).device_list()[0])
    assert x[x > 20.0].tolist() == [21.0, 22.0, 23.0]
    x[x > 20.0] = 0.0
    assert float(pt.sum(x)) == HOST[HOST <= 20].sum()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_basic_key_selects_as_in_numpy(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    host = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    key = data.draw(hnp.basic_indices(shape, allow_newaxis=True))
    np.testing.assert_array_equal(pt.asarray(host)[key].numpy(), host[key])


@settings(max_examples=100)
@given(st.data())
def test_any_index_arrays_select_as_in_numpy(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    host = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    key = data.draw(hnp.integer_array_indices(shape))
    np.testing.assert_array_equal(pt.asarray(host)[key].numpy(), host[key])


@settings(max_examples=200)
@given(st.data())
def test_any_mask_among_other_indices_selects_as_in_numpy(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=3))
    host = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    first = data.draw(st.integers(0, len(shape) - 1))
    last = data.draw(st.integers(first + 1, len(shape)))
    mask = data.draw(hnp.arrays(bool, shape[first:last]))
    before = [data.draw(st.one_of(st.slices(size), st.integers(0, size - 1))) for size in shape[:first]]
    after = [data.draw(st.one_of(st.slices(size), st.integers(0, size - 1))) for size in shape[last:]]
    gaps = [data.draw(st.sampled_from([(), (None,), (Ellipsis,)])) for _ in range(2)]
    key = (*before, *gaps[0], mask, *(gap for gap in gaps[1] if Ellipsis not in gaps[0] or gap is None), *after)
    expected = host[key]
    np.testing.assert_array_equal(pt.asarray(host)[key].numpy(), expected)


def test_index_arrays_out_of_range_are_rejected(backend: str) -> None:
    if not pt.get_backend(backend).chain()[-1].host:
        pytest.skip(f"{backend} does not check the values of index arrays")
    with pt.device(backend), pytest.raises((ShapeError, IndexError)):
        pt.ones(3)[pt.asarray([3])]


@pytest.mark.parametrize(
    ("key", "exception_type", "part"),
    [
        (3, ShapeError, "index 3 is out of range"),
        ((0, 0, 0), ShapeError, "too many indices"),
        ((..., ...), ShapeError, "two ellipses"),
        ("a", DTypeError, "cannot be indexed by 'a'"),
        (1.0, DTypeError, "cannot be indexed by 1.0"),
        (np.array([0.5]), DTypeError, "indices must be integers"),
        (np.ones(2, bool), ShapeError, "cannot be indexed by a bool mask of shape (2,)"),
        (np.ones((3, 3), bool), ShapeError, "cannot be indexed by a bool mask of shape (3, 3)"),
    ],
)
def test_invalid_keys_are_rejected_for_reading_and_writing(
    key: Any, exception_type: Any, part: str, backend: str
) -> None:
    with pt.device(backend):
        x = pt.ones((3, 2))
    for attempt in (lambda: x[key], lambda: x.__setitem__(key, 0.0)):
        with pytest.raises(exception_type) as caught:
            attempt()
        assert part in str(caught.value)
    assert x.tolist() == [[1.0, 1.0]] * 3


def test_assignment_changes_the_value_of_this_handle_only(backend: str) -> None:
    with pt.device(backend):
        x = pt.zeros(3)
        alias = pt.identity(x)
        same = x
        x[1] = 5
    assert x.tolist() == same.tolist() == [0.0, 5.0, 0.0]
    assert alias.tolist() == [0.0, 0.0, 0.0]
    assert x.dtype == pt.float32


def test_assignment_is_differentiable_in_both_operands(backend: str) -> None:
    def f(x: pt.Tensor, value: pt.Tensor) -> pt.Tensor:
        y = x * x
        y[1:, 0] = value * value
        return y * y

    with pt.device(backend):
        pt.check_gradients(f, [np.ones((3, 2)), np.asarray([2.0, 3.0])], order=2)
        pt.check_gradients(f, [np.ones((3, 2)), np.asarray(2.0)], order=2)


def test_an_assignment_does_not_change_a_gradient_recorded_before() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        first = y
        y = pt.sum(y)
        first[0] = 100.0
    assert tape.gradient(y, x).tolist() == [2.0, 4.0]


def test_assignment_casts_to_the_dtype_of_the_tensor() -> None:
    x = pt.asarray([1.0, 2.0])
    x[0] = pt.asarray(3)
    x[1] = pt.asarray(4.0, dtype="float64")
    assert x.dtype == pt.float32
    assert x.tolist() == [3.0, 4.0]


def test_assigning_a_value_of_the_wrong_shape_changes_nothing(backend: str) -> None:
    with pt.device(backend):
        x = pt.ones((2, 3))
        with pytest.raises(ShapeError, match="setitem"):
            x[0] = pt.ones(2)
        with pytest.raises(ShapeError, match="setitem"):
            x[0] = pt.ones((1, 3))
    assert x.tolist() == [[1.0] * 3] * 2


def test_gradients_of_repeated_positions_are_summed(backend: str) -> None:
    with pt.device(backend):
        x = pt.ones(3)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.sum(x[[0, 0, 2]])
        assert tape.gradient(y, x).tolist() == [2.0, 0.0, 1.0]


def test_iteration_and_length_use_the_first_axis() -> None:
    x = pt.asarray([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    assert len(x) == 2


@pytest.mark.parametrize(
    "key",
    [True, False, np.True_, np.array(False), np.s_[True, 0], np.s_[0, False], np.s_[..., True],
     np.s_[:, None, np.array(True)],
     np.s_[[0, 1], True], np.s_[True, False], np.s_[False, ..., [1]]],
    ids=range(11),
)  # fmt: skip
def test_a_mask_of_rank_0_selects_all_or_nothing_as_in_numpy(key: Any, backend: str) -> None:
    x = pt.asarray(HOST, device=pt.get_backend(backend).device_list()[0])
    assert x[key].shape == HOST[key].shape and x[key].tolist() == HOST[key].tolist()
    updated = HOST.copy()
    updated[key] = 7.0
    x[key] = 7.0
    assert x.tolist() == updated.tolist()


def test_a_tensor_of_rank_0_is_a_mask_and_selects_from_a_number() -> None:
    x = pt.asarray(3.0)
    assert x[x > 2.0].tolist() == [3.0] and x[x > 5.0].tolist() == []
    pt.check_gradients(lambda x: x[pt.asarray(True)] ** 2, pt.asarray(2.0), order=2)


def test_an_assignment_that_would_drop_fractions_is_refused(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([2, 4])
        for value in (1.5, math.nan, pt.asarray(2.0), pt.asarray([1.5, 2.5]), np.float32(1.5), [1.5, 2.0]):
            with pytest.raises(DTypeError, match=r"item assignment to int32\[2\] would drop the fractions"):
                x[:] = value
        with pytest.raises(DTypeError, match="drop the fractions"):
            x[x > 2] += 1.1
        assert x.tolist() == [2, 4]
        for value in (2.0, True, pt.asarray([7, 8], dtype="int64"), [7, 8]):
            x[:] = value
        assert x.tolist() == [7, 8]
        mask = x > 7
        mask[:1] = 1
        assert mask.tolist() == [True, True]


MASKED = [
    np.s_[HOST > 5],
    np.s_[HOST[:, :, 0] > 5],
    np.s_[np.array([True, False])],
    np.s_[:, MASK],
    np.s_[..., np.array([True, False, True, True])],
    np.s_[0, MASK, 1:],
    np.s_[1, ::-2, np.array([True, False, True, True])],
    np.s_[MASK[:2], None, 0],
    np.s_[None, 0, ..., MASK, 1:],
    np.s_[-1, HOST[0] > 1],
    np.s_[np.array(True)],
    np.s_[0, np.array(False)],
]


def masked_assignment(key: Any) -> Any:
    """``(x, value, mask) -> x`` after the assignment through a key whose mask is an operand."""

    def assigned(x: Any, value: Any, mask: Any) -> Any:
        y = pt.identity(x)
        parts = key if isinstance(key, tuple) else (key,)
        y[tuple(mask if isinstance(part, np.ndarray) else part for part in parts)] = value
        return y

    return assigned


@pytest.mark.parametrize("key", MASKED, ids=range(len(MASKED)))
def test_one_value_is_assigned_through_a_mask_of_a_graph_as_in_numpy(key: Any, backend: str) -> None:
    mask = next(part for part in (key if isinstance(key, tuple) else (key,)) if isinstance(part, np.ndarray))
    f = masked_assignment(key)
    with pt.device(backend):
        updated = HOST.copy()
        updated[key] = 7.0
        x, value = pt.asarray(HOST), pt.asarray(7.0, dtype="float64")
        assert pt.function(f)(x, value, pt.asarray(mask)).tolist() == updated.tolist()
        found = []
        for run in (f, pt.function(f)):
            with pt.GradientTape() as tape:
                tape.watch([x, value])
                y = pt.sum(run(x * x, value * value, pt.asarray(mask)) ** 2)
            found.append([g.tolist() for g in tape.gradient(y, [x, value])])
        assert found[0] == found[1]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_row_is_assigned_through_any_mask_of_a_graph_as_in_numpy(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    first = data.draw(st.integers(0, len(shape) - 1))
    last = data.draw(st.integers(first, len(shape)))
    before = data.draw(hnp.basic_indices(shape[:first], min_dims=0)) if first else ()
    before = before if isinstance(before, tuple) else (before,)
    mask = data.draw(hnp.arrays(bool, shape[first:last]))
    if Ellipsis in before:
        before = (*(part for part in before if part is not Ellipsis),)
    if sum(part is not None for part in before) != first:
        before = (slice(None),) * first
    value = data.draw(hnp.arrays("float32", shape[last:][data.draw(st.integers(0, len(shape) - last)) :]))
    host = np.zeros(shape, "float32")
    expected = host.copy()
    expected[(*before, mask)] = value
    f = pt.function(masked_assignment((*before, mask)))
    got = f(pt.asarray(host), pt.asarray(value), pt.asarray(mask))
    np.testing.assert_array_equal(got.numpy(), expected)


def test_an_assignment_through_a_mask_of_a_graph_is_one_where() -> None:
    def body(x: Any) -> Any:
        y = x * 2
        y[x > 1] = 3.0
        return y

    x = pt.asarray([1, 2, 3])
    assert pt.function(body)(x).tolist() == [2, 3, 3] and pt.function(body)(x).dtype == x.dtype
    assert [equation.op.name for equation in pt.function(body).trace(x).equations] == ["multiply", "greater", "where"]
    assert pt.vmap(body)(pt.asarray([[1, 2], [3, 0]])).tolist() == [[2, 3], [3, 0]]


def test_a_mask_of_size_0_selects_nothing_in_a_graph_too() -> None:
    f, x = masked_assignment(np.zeros(0, bool)), pt.asarray(HOST)
    for run in (f, pt.function(f)):  # NumPy refuses such masks, the standard allows them
        assert run(x, 7.0, pt.zeros(0, dtype="bool")).tolist() == HOST.tolist()


def test_values_that_depend_on_the_count_of_a_mask_of_a_graph_are_refused() -> None:
    f, x = masked_assignment(HOST[0] > 1), pt.asarray(HOST[0])
    mask = x > 1
    for value in (np.ones(4), np.ones((1, 1)), np.ones((3, 4))):
        with pytest.raises(ShapeError, match=r"through a bool mask inside a traced function(.|\n)*polytape\.where"):
            pt.function(f)(x, pt.asarray(value), mask)
    for wrong in (mask[:2], mask[:, :2], mask[None]):
        with pytest.raises(ShapeError, match="cannot be indexed by a bool mask of shape"):
            pt.function(f)(x, 1.0, wrong)
    with pytest.raises(DTypeError, match="drop the fractions"):
        pt.function(f)(pt.astype(x, "int32"), 1.5, mask)
    several = masked_assignment((MASK, MASK))
    with pytest.raises(ShapeError, match="inside a traced function"):
        pt.function(several)(pt.ones((3, 3)), 1.0, pt.asarray(MASK))
