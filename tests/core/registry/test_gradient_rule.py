"""Rules and plans: the parameter names of a rule determine its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import RegistrationError
from polytape.ops import dtype_rules, shape_rules
from polytape.ops.declaration import primitive
from polytape.registry import tables
from polytape.tensors.tensor import Tensor

RECEIVED: dict[str, Any] = {}


def _blend(*shapes: Any) -> Any:
    return shapes[0]


@pytest.fixture(scope="module")
def ops() -> Iterator[dict[str, Any]]:
    """A primitive with an operand, a sequence and attributes, and its kernel."""

    @pt.op(dtype=dtype_rules.same_dtype, shape=_blend)
    def plan_blend(x: Tensor, parts: Sequence[Tensor], *, weight: float = 2.0, label: str) -> Tensor:
        return primitive()

    @plan_blend.gradient("x")
    def _x_back(g: Any, y: Any, x_shape: Any, label: str) -> Any:
        RECEIVED.update(y=y.tolist(), x_shape=x_shape, label=label)
        return g

    @plan_blend.gradient("parts")
    def _part_back(g: Any, index: int, shapes: Any, parts: Any, weight: float, x: Any) -> Any:
        RECEIVED.setdefault("index", []).append(index)
        RECEIVED.update(shapes=shapes, parts=[part.tolist() for part in parts], x=x.tolist())
        return g * weight * (index + 1.0)

    def kernel(x: Any, *parts: Any, weight: float = 2.0, label: str) -> Any:
        return x + sum((index + 1.0) * weight * part for index, part in enumerate(parts))

    registered = pt.kernel("plan_blend", backend="numpy")(kernel)
    yield {"blend": plan_blend}
    registered.remove()
    tables.ops().pop("plan_blend")


def test_a_rule_receives_what_its_parameters_name(ops: dict[str, Any]) -> None:
    RECEIVED.clear()
    x, a, b, c = (pt.asarray([value, 0.0]) for value in (1.0, 10.0, 20.0, 30.0))
    with pt.GradientTape() as tape:
        tape.watch([x, a, c])
        y = ops["blend"](x, [a, b, c], label="here")
    gradients = tape.gradient(y, [x, a, b, c])
    assert [None if g is None else g.tolist() for g in gradients] == [[1.0, 1.0], [2.0, 2.0], None, [6.0, 6.0]]
    assert RECEIVED["label"] == "here" and RECEIVED["x_shape"] == (2,) and RECEIVED["y"] == y.tolist()
    assert sorted(RECEIVED["index"]) == [0, 2] and list(map(tuple, RECEIVED["shapes"])) == [(2,)] * 3
    assert RECEIVED["parts"] == [[10.0, 0.0], [20.0, 0.0], [30.0, 0.0]] and RECEIVED["x"] == [1.0, 0.0]


def test_a_passed_attribute_overrides_its_default(ops: dict[str, Any]) -> None:
    a = pt.asarray([1.0])
    for weight, expected in ((None, [2.0]), (5.0, [5.0])):
        with pt.GradientTape() as tape:
            tape.watch(a)
            y = ops["blend"](pt.asarray([0.0]), [a], label="", **({} if weight is None else {"weight": weight}))
        assert y.tolist() == expected and tape.gradient(y, a).tolist() == expected


def test_an_empty_tuple_and_a_tuple_are_accepted_as_sequences(ops: dict[str, Any]) -> None:
    x = pt.asarray([1.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = ops["blend"](x, (), label="") + ops["blend"](x, (x, x), label="")
    assert y.tolist() == [8.0] and tape.gradient(y, x).tolist() == [8.0]


def test_a_missing_required_attribute_is_named(ops: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"plan_blend\(\) missing required argument 'label'"):
        ops["blend"](pt.asarray([1.0]), [])


def test_a_rule_may_keep_an_operand_of_another_shape() -> None:
    x, w = pt.asarray([[1.0, 2.0]]), pt.asarray([[3.0], [4.0]])
    with pt.GradientTape() as tape:
        tape.watch([x, w])
        y = x @ w
    assert [g.tolist() for g in tape.gradient(y, [x, w])] == [[[3.0, 4.0]], [[1.0], [2.0]]]


def test_a_rule_added_later_takes_effect_immediately() -> None:
    @pt.op(dtype=dtype_rules.same_dtype, shape=shape_rules.same_shape, elementwise=True)
    def plan_later(x: Tensor) -> Tensor:
        return x * 3.0

    registered = pt.kernel("plan_later", backend="numpy")(lambda x: np.multiply(x, 3.0))
    try:
        op: Any = plan_later
        f = pt.gradients_function(lambda x: op(x))
        assert f(1.0)[0].item() == 3.0
        op.gradient(x=lambda g: g * 100.0)
        assert f(1.0)[0].item() == 100.0
        with pytest.raises(RegistrationError, match="unknown parameter 'index'"):
            op.gradient(x=lambda g, index: g)
    finally:
        registered.remove()
        tables.ops().pop("plan_later")
