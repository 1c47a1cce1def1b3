"""What a record keeps: the tapes that it belongs to, and only the arrays that a gradient rule needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.autodiff.record import active_tapes, join
from polytape.tensors.scope import current_scope


def kept(f: Any, *values: Any) -> list[Any]:
    """Per operand and the output: whether the record of ``f`` keeps the array itself."""
    xs = [pt.asarray(value) for value in values]
    with pt.GradientTape() as tape:
        tape.watch(xs)
        y = f(*xs)
    return [array is not None for array in y.node.arrays]


def test_only_the_arrays_that_a_rule_needs_are_kept() -> None:
    x = np.ones((2, 2), "float32")
    assert kept(pt.add, x, x) == [False, False, False]
    assert kept(pt.multiply, x, x) == [True, True, False]
    assert kept(pt.exp, x) == [False, True]
    assert kept(pt.log, x) == [True, False]
    assert kept(pt.sum, x) == [False, False]
    assert kept(lambda a: pt.reshape(a, (4,)), x) == [False, False]


def test_a_product_keeps_only_the_other_factor_of_a_watched_operand() -> None:
    x, w = pt.asarray([1.0]), pt.asarray([2.0])
    with pt.GradientTape() as tape:
        tape.watch(w)
        y = x * w
    assert y.node is not None and y.node.arrays[0] is x.array and y.node.arrays[1] is None
    assert y.node.parents[0] is None and y.node.parents[1] is w.node


def test_nothing_is_recorded_without_a_watched_operand() -> None:
    with pt.GradientTape():
        y = pt.asarray([1.0]) * 2.0 + pt.zeros((3,))
    assert y.node is None


@pytest.mark.parametrize("f", [lambda x: x > 0, pt.argmax, lambda x: pt.astype(x, "int32"), pt.floor, pt.stop_gradient])
def test_an_op_without_a_gradient_is_not_recorded(f: Any) -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        assert f(x).node is None


def test_a_record_holds_the_tapes_that_follow_its_operands_in_a_shared_tuple() -> None:
    x, w = pt.asarray(1.0), pt.asarray(2.0)
    with pt.GradientTape() as first, pt.GradientTape() as second:
        first.watch([x, w])
        second.watch(x)
        both, single, joined = x * 2.0, w * 2.0, x * w
        scope = current_scope.get()
        assert active_tapes(x, scope) is scope.tapes and active_tapes(w, scope) == (first,)
        assert join((first,), (second,), scope) is scope.tapes and join((), (first,), scope) == (first,)
    for result, tapes in ((both, (first, second)), (single, (first,)), (joined, (first, second))):
        assert result.node is not None and result.node.tapes == tapes
    assert both.node is not None and joined.node is not None and both.node.tapes is joined.node.tapes


def test_a_kept_array_is_a_native_array_not_a_handle() -> None:
    x = pt.asarray([1.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.exp(x) * x
    assert y.node is not None
    assert [type(array) for array in y.node.arrays if array is not None] == [np.ndarray, np.ndarray]
