"""Declaring an op: operands, attributes, optional operands, sequences, reserved names."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterator, Sequence
from typing import Any, Optional

import pytest

import polytape as pt
from polytape.errors import DTypeError, RegistrationError, ShapeError
from polytape.ops import dtype_rules, shape_rules
from polytape.ops.declaration import primitive
from polytape.registry import tables
from polytape.tensors.tensor import Tensor, TensorLike


def declared(body: Any, **changes: Any) -> Any:
    """An op of a function, removed from the tables again. It has no kernel, so its body runs."""
    arguments = {"dtype": dtype_rules.same_dtype, "shape": shape_rules.broadcast, "elementwise": True} | changes
    op: Any = pt.op(**arguments)(body)
    tables.ops().pop(op.name)
    return op


@pytest.fixture
def clean() -> Iterator[None]:
    """Remove the ops that a test registers."""
    before = set(tables.ops())
    yield
    for name in set(tables.ops()) - before:
        tables.ops().pop(name)


def test_operands_are_recognised_by_string_and_object_annotations() -> None:
    def body(a: Any, b: Any, c: Any, d: Any, n: Any, *, e: Any = 1) -> Any:
        return a

    body.__annotations__ = {
        "a": pt.Tensor, "b": "pt.TensorLike", "c": TensorLike, "d": Optional[Tensor], "n": "int", "e": "int | None",  # noqa: UP045  # this spelling is under test
    }  # fmt: skip
    op = declared(body)
    assert op.operands == ("a", "b", "c", "d") and op.optional == ("d",) and op.attributes == ("n", "e")
    assert op.defaults == {"e": 1}


@pytest.mark.parametrize(
    "note", ["Sequence[Tensor]", "Sequence[pt.TensorLike]", collections.abc.Sequence[Tensor], Sequence[Tensor]]
)
def test_a_sequence_of_operands_is_recognised(note: Any) -> None:
    def body(a: Any, rest: Any) -> Any:
        return a

    body.__annotations__ = {"a": "Tensor", "rest": note}
    op = declared(body)
    assert op.operands == ("a", "rest") and op.variadic


def test_an_optional_operand_keeps_its_slot() -> None:
    def scaled(x: Tensor, scale: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        y = x if scale is None else x * scale
        return y if bias is None else y + bias

    op = declared(scaled)
    x, s, b = pt.asarray([1.0, 2.0]), pt.asarray(3.0), pt.asarray(10.0)
    assert op(x).tolist() == [1.0, 2.0] and op(x, bias=b).tolist() == [11.0, 12.0]
    assert op(x, s, b).tolist() == [13.0, 16.0] and op(x, None, 1.0).tolist() == [2.0, 3.0]
    assert pt.function(lambda x, b: op(x, bias=b))(x, b).tolist() == [11.0, 12.0]
    with pt.GradientTape() as tape:
        tape.watch([x, s, b])
        y = op(x, bias=b) + op(x, s)
    assert [g.tolist() for g in tape.gradient(y, [x, s, b])] == [[4.0, 4.0], 3.0, 2.0]
    with pytest.raises(DTypeError, match="cannot take None as x"):
        op(None)


def test_an_optional_operand_reaches_kernels_and_gradient_rules(clean: None) -> None:
    @pt.op(dtype=dtype_rules.same_dtype, shape=lambda x, bias: x)
    def op_biased(x: Tensor, bias: Tensor | None = None, *, times: float = 2.0) -> Tensor:
        return primitive()

    op_biased.gradient(x=lambda g, times: g * times, bias=lambda g, bias_shape: pt.reshape(pt.sum(g), bias_shape))
    biases: list[Any] = []

    @pt.kernel("op_biased", backend="numpy")
    def biased(x: Any, bias: Any, *, times: float = 2.0) -> Any:
        biases.append(bias)
        return x * times + (0 if bias is None else bias)

    with biased:
        x, b = pt.asarray([1.0, 2.0]), pt.asarray(1.0)
        for bias in (None, b, None):
            assert op_biased(x, bias).tolist() == [2.0 + (bias is b), 4.0 + (bias is b)]
        assert [bias is None for bias in biases] == [True, False, True]
        with pt.GradientTape() as tape:
            tape.watch([x, b])
            y = op_biased(x, b, times=5.0) + op_biased(x)
        assert [g.tolist() for g in tape.gradient(y, [x, b])] == [[7.0, 7.0], 2.0]


def test_operands_promote_as_declared() -> None:
    def pick(x: TensorLike, other: TensorLike, n: TensorLike) -> Tensor:
        return x + other

    op = declared(pick, promotes=("x", "other"))
    assert op(pt.asarray([1]), 2.5, pt.asarray([1], dtype="int64")).dtype == "float32"
    assert declared(pick, promotes=(), shape=lambda *s: s[0]).promotes == ()


def test_integers_are_cast_to_float32_if_the_op_declares_it() -> None:
    def half(x: TensorLike) -> Tensor:
        return x * 0.5

    assert declared(half, floating=True)(pt.asarray([1, 2])).tolist() == [0.5, 1.0]
    assert declared(half, floating=True)(3).dtype == "float32"


@pytest.mark.parametrize("name", ["g", "y", "index", "shapes", "spec", "x_shape"])
def test_parameter_names_that_gradient_rules_reserve_are_rejected(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def reserved(x: 'Tensor', {name}: 'int') -> 'Tensor': return x", scope)
    with pytest.raises(RegistrationError, match=f"cannot have a parameter '{name}'"):
        declared(scope["reserved"])


def test_the_name_of_an_op_must_be_unique(clean: None) -> None:
    def add(x: Tensor) -> Tensor:
        return x

    with pytest.raises(RegistrationError, match="there is already an op 'add'"):
        pt.op(dtype=dtype_rules.same_dtype, shape=shape_rules.same_shape)(add)


def test_a_gradient_rule_with_an_unknown_parameter_is_rejected() -> None:
    def plain(x: Tensor, *, n: int = 1) -> Tensor:
        return x

    op = declared(plain)
    with pytest.raises(RegistrationError, match="a gradient rule of plain has an unknown parameter 'z'"):
        op.gradient(x=lambda g, z: g)
    with pytest.raises(RegistrationError, match="plain has no operand 'w'"):
        op.gradient(w=lambda g: g)
    op.gradient(x=lambda g, y, x, x_shape, n: g)


def test_an_op_can_be_called_in_every_way_that_its_signature_allows() -> None:
    def shifted(x: Tensor, by: float = 1.0, *, times: int = 1) -> Tensor:
        for _ in range(times):
            x = x + by
        return x

    op = declared(shifted)
    x = pt.asarray([0.0])
    results = [op(x), op(x, 2.0), op(x, by=2.0, times=2), op(x, 1.0, times=3), op(x=x, by=5.0), op(x=x)]
    assert [result.item() for result in results] == [1.0, 2.0, 4.0, 3.0, 5.0, 1.0]


def test_the_error_of_a_shape_rule_names_the_op() -> None:
    def odd(x: Tensor) -> Tensor:
        return x + pt.asarray([1.0, 2.0, 3.0])

    with pytest.raises(ShapeError, match=r"add\(\[2\], \[3\]\)"):
        declared(odd)(pt.asarray([1.0, 2.0]))


def test_the_error_of_a_dtype_rule_names_the_op() -> None:
    for value in (pt.asarray([1]), [2], 1):
        with pytest.raises(DTypeError, match=r"logical_not\(int32\)"):
            pt.logical_not(value)


def test_running_the_body_of_a_primitive_raises_an_error() -> None:
    with pytest.raises(NotImplementedError, match="a primitive's body was run"):
        primitive()


def test_an_unhashable_fill_value_is_rejected_by_the_dtype_rule() -> None:
    for fill in ([1.0], {}):
        with pytest.raises(DTypeError, match="fill value is not a Python number"):
            pt.full((2,), fill)  # type: ignore[arg-type]


def test_a_function_created_by_exec_without_a_module_can_be_an_op() -> None:
    names: dict[str, Any] = {"Tensor": Tensor}
    exec("def made_by_exec(x: Tensor, /) -> Tensor:\n    return x * 2.0", names)
    op = declared(names["made_by_exec"])
    assert op.module in ("polytape", "builtins") and op(pt.asarray([1.0])).tolist() == [2.0]
