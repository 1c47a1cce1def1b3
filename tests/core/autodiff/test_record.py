"""What a record keeps: which tapes it belongs to, and of the arrays only those that a rule asks for."""

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


def test_only_what_a_rule_asks_for_is_kept() -> None:
    x = np.ones((2, 2), "float32")
    assert kept(pt.add, x, x) == [False, False, False]
    assert kept(pt.multiply, x, x) == [True, True, False]
    assert kept(pt.exp, x) == [False, True]
    assert kept(pt.log, x) == [True, False]
    assert kept(pt.sum, x) == [False, False]
    assert kept(lambda a: pt.reshape(a, (4,)), x) == [False, False]


def test_only_the_watched_side_of_a_product_keeps_the_other() -> None:
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


@pytest.mark.parametrize("f", [lambda x: x > 0, pt.argmax, lambda x: pt.astype(x, "int32"), pt.sign, pt.stop_gradient])
def test_what_carries_no_gradient_is_not_recorded(f: Any) -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        assert f(x).node is None


def test_a_record_knows_the_tapes_that_follow_its_operands_and_shares_the_tuple() -> None:
    x, w = pt.asarray(1.0), pt.asarray(2.0)
    with pt.GradientTape() as one, pt.GradientTape() as two:
        one.watch([x, w])
        two.watch(x)
        both, alone, joined = x * 2.0, w * 2.0, x * w
        scope = current_scope.get()
        assert active_tapes(x, scope) is scope.tapes and active_tapes(w, scope) == (one,)
        assert join((one,), (two,), scope) is scope.tapes and join((), (one,), scope) == (one,)
    for result, tapes in ((both, (one, two)), (alone, (one,)), (joined, (one, two))):
        assert result.node is not None and result.node.tapes == tapes
    assert both.node is not None and joined.node is not None and both.node.tapes is joined.node.tapes


def test_a_kept_array_is_native_and_no_handle() -> None:
    x = pt.asarray([1.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.exp(x) * x
    assert y.node is not None
    assert [type(array) for array in y.node.arrays if array is not None] == [np.ndarray, np.ndarray]
