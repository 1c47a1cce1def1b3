"""The backward pass: sources, weights, broadcasting, dtypes, ops without a rule, ops with several outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import polytape as pt
from polytape.ops import dtype_rules, shape_rules
from polytape.registry import tables
from polytape.tensors.tensor import Tensor


class Two(NamedTuple):
    """Results of the ops with two outputs below."""

    a: Tensor
    b: Tensor


def _twice(x: Any, *others: Any) -> Any:
    return x, x


def _both(*shapes: Any) -> Any:
    return shape_rules.broadcast(*shapes), shape_rules.broadcast(*shapes)


class Ops:
    """The ops of this file: registered while its tests run, each with a kernel, some without gradient rules."""

    cube: Any
    product: Any
    split: Any
    flip: Any
    addsub: Any


def _declare(ops: Ops) -> None:
    @pt.op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True)
    def backward_cube(x: Tensor) -> Tensor:
        return x * x * x

    @pt.op(dtype=dtype_rules.same_floating, shape=shape_rules.broadcast, elementwise=True)
    def backward_product(x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x2

    @pt.op(dtype=_twice, shape=_twice, outputs=Two)
    def backward_split(x: Tensor) -> Two:
        return Two(x * 2.0, x * x)

    @pt.op(dtype=_twice, shape=_twice, outputs=Two)
    def backward_flip(x: Tensor) -> Two:
        return Two(x * 2.0, x[::-1])

    @backward_flip.gradient("x")
    def _flip_back(g: Two) -> Any:
        # Either part may be missing; otherwise it must have its full shape.
        a = 0.0 if g.a is None else g.a[::-1][::-1] * 2.0
        b = 0.0 if g.b is None else g.b[::-1]
        return a + b

    @pt.op(dtype=_twice, shape=_both, outputs=Two, elementwise=True)
    def backward_addsub(x1: Tensor, x2: Tensor) -> Two:
        return Two(x1 + x2, x1 - x2)

    @backward_addsub.gradient("x1", "x2")
    def _addsub_back(g: Two) -> Any:
        a = 0.0 if g.a is None else g.a
        b = 0.0 if g.b is None else g.b
        return a + b, a - b

    ops.cube, ops.product, ops.split = backward_cube, backward_product, backward_split
    ops.flip, ops.addsub = backward_flip, backward_addsub


@pytest.fixture(scope="module")
def ops() -> Iterator[Ops]:
    before = set(tables.ops())
    declared = Ops()
    _declare(declared)
    functions: dict[str, Callable[..., Any]] = {
        "backward_cube": lambda x: x**3,
        "backward_product": np.multiply,
        "backward_split": lambda x: (x * 2, x * x),
        "backward_flip": lambda x: (x * 2, x[::-1].copy()),
        "backward_addsub": lambda x, y: (x + y, x - y),
    }
    kernels = [pt.kernel(name, backend="numpy")(fn) for name, fn in functions.items()]
    yield declared
    for kernel in kernels:
        kernel.remove()
    for name in set(tables.ops()) - before:
        tables.ops().pop(name)


def gradient(f: Callable[..., Any], *values: Any, **options: Any) -> list[Any]:
    """The gradients of ``f`` with respect to its arguments, as lists."""
    xs = [pt.asarray(value) for value in values]
    with pt.GradientTape() as tape:
        tape.watch(xs)
        y = f(*xs)
    return [None if g is None else g.tolist() for g in tape.gradient(y, xs, **options)]


# --- sources and targets ----------------------------------------------------------------------------------------------


def test_an_interior_tensor_may_be_a_source() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y * x
    gradients = tape.gradient(z, [y, x])
    assert [g.item() for g in gradients] == [54.0, 405.0]  # 2 x y; 5 x**4


def test_an_interior_tensor_may_be_the_only_source() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert tape.gradient(z, y).item() == 18.0


def test_a_target_can_also_be_a_source() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert [g.tolist() for g in tape.gradient([y, x], [y, x])] == [[1.0, 1.0], [3.0, 5.0]]


def test_a_repeated_source_gets_the_full_gradient_each_time() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert [g.item() for g in tape.gradient(y, [x, x])] == [6.0, 6.0]


def test_the_gradients_of_several_targets_are_summed() -> None:
    assert gradient(lambda x: [x * x, x * 3.0, x], 2.0) == [8.0]


def test_a_result_recorded_by_another_tape_is_a_leaf_of_a_tape_that_watches_it() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as before:
        before.watch(x)
        y = x * x
    with pt.GradientTape() as tape:
        tape.watch([x, y])
        z = x * y
    assert [g.item() for g in tape.gradient(z, [x, y])] == [9.0, 3.0]
    assert before.gradient(y, x).item() == 6.0  # its record has not been freed


def test_a_result_recorded_by_a_spent_tape_can_be_watched_again() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as before:
        before.watch(x)
        y = x * x
    before.gradient(y, x)
    with pt.GradientTape() as tape:
        tape.watch(y)
        z = y * y
    assert [g if g is None else g.item() for g in tape.gradient(z, [y, x])] == [18.0, None]


def test_an_integer_op_in_between_stops_the_gradient() -> None:
    assert gradient(lambda x: pt.astype(pt.astype(x, "int32"), "float32") * x, 3.5) == [3.0]
    assert gradient(lambda x: pt.astype(pt.argmax(x), "float32"), [1.0, 2.0]) == [None]


# --- weights ----------------------------------------------------------------------------------------------------------


def test_output_gradients_weight_the_targets() -> None:
    assert gradient(lambda x: x * x, [1.0, 2.0], output_gradients=pt.asarray([10.0, 100.0])) == [[20.0, 400.0]]
    assert gradient(lambda x: [x * x, x], 3.0, output_gradients=[pt.asarray(2.0), None]) == [13.0]


def test_an_output_gradient_is_cast_to_the_dtype_of_its_target() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x, np.array([1.0, 1.0])).dtype == "float32"


def test_the_number_of_output_gradients_is_checked() -> None:
    with pytest.raises(pt.PolytapeError, match="1 output gradients for 2 targets"):
        gradient(lambda x: [x, x], 1.0, output_gradients=[pt.asarray(1.0)])


# --- broadcasting (S5) ------------------------------------------------------------------------------------------------


def test_the_gradient_of_a_broadcast_scalar_below_a_mean_is_summed_over_all_elements() -> None:
    n = 7
    gradients = gradient(lambda w, b, x: pt.mean(w * x + b), 2.0, 1.0, np.arange(n, dtype="float32"))
    assert gradients[0] == pytest.approx(3.0) and gradients[1] == pytest.approx(1.0)
    assert gradients[2] == pytest.approx([2.0 / n] * n)


def test_the_gradient_of_a_sum_counts_every_copy_of_a_broadcast_scalar() -> None:
    assert gradient(lambda b: pt.sum(b + pt.zeros((4, 5))), 1.0) == [20.0]
    assert gradient(lambda b: b + pt.zeros((4, 5)), 1.0) == [20.0]


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (2, 1), (2, 3), (1, 1), (1, 1, 1), (4, 1, 3), (4, 2, 3)])
@pytest.mark.parametrize("reduce", [pt.sum, pt.mean, lambda x: x, lambda x: pt.sum(x, axis=-1), pt.square])
def test_broadcast_operands_get_gradients_of_their_own_shape(shape: tuple[int, ...], reduce: Any) -> None:
    x, twos = np.full(shape, 3.0, "float64"), np.full((4, 2, 3), 2.0, "float64")
    gradients = gradient(lambda a, b: pt.sum(reduce(a * b)), x, twos)
    scale = {pt.mean: 1.0 / 24, pt.square: 12.0}.get(reduce, 1.0)
    copies = 24 // x.size
    np.testing.assert_allclose(gradients[0], np.full(shape, 2.0 * copies * scale))
    np.testing.assert_allclose(gradients[1], np.full((4, 2, 3), 3.0 * scale))


def test_the_gradient_of_broadcast_to_is_a_sum() -> None:
    assert gradient(lambda x: pt.broadcast_to(x, (4, 2, 3)) * 2.0, [[1.0], [2.0]]) == [[[24.0], [24.0]]]
    assert gradient(lambda x: pt.mean(pt.broadcast_to(x, (4,))), 1.0) == [1.0]


def test_empty_tensors_have_empty_gradients() -> None:
    assert gradient(lambda x, b: pt.sum(x * b), np.zeros((0, 3), "float32"), 2.0) == [[], 0.0]


# --- dtypes -----------------------------------------------------------------------------------------------------------


def test_gradients_have_the_dtype_of_their_operand() -> None:
    x, w = pt.asarray([1.0, 2.0], dtype="float32"), pt.asarray([3.0, 4.0], dtype="float64")
    with pt.GradientTape() as tape:
        tape.watch([x, w])
        y = x * w
    assert y.dtype == "float64"
    gradients = tape.gradient(y, [x, w])
    assert [str(g.dtype) for g in gradients] == ["float32", "float64"]
    assert [g.tolist() for g in gradients] == [[3.0, 4.0], [1.0, 2.0]]


def test_an_integer_operand_has_no_gradient() -> None:
    count = pt.asarray([2, 3])
    assert gradient(lambda x: x * count, [1.0, 1.0]) == [[2.0, 3.0]]
    assert gradient(lambda x: count / x, [1.0, 2.0]) == [[-2.0, -0.75]]


def test_the_gradient_of_a_float16_tensor_is_float16() -> None:
    x = pt.asarray([1.0, 2.0], dtype="float16")
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.mean(x * x) * 3.0
    assert tape.gradient(y, x).dtype == "float16"


def test_the_gradient_of_a_sum_in_a_wider_dtype_has_the_dtype_of_the_operand() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.sum(x * x, dtype="float64")
    dx = tape.gradient(y, x)
    assert dx.dtype == "float32" and dx.tolist() == [2.0, 4.0]


# --- ops without a rule -----------------------------------------------------------------------------------------------


def test_an_op_without_a_rule_is_differentiated_through_its_body(ops: Ops) -> None:
    assert gradient(lambda x: ops.cube(x), [1.0, 2.0]) == [[3.0, 12.0]]
    assert gradient(lambda x, w: pt.sum(ops.product(x, w)), [1.0, 2.0], 5.0) == [[5.0, 5.0], 3.0]


def test_the_second_derivative_of_an_op_without_a_rule_is_correct(ops: Ops) -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = ops.cube(x)
        dy = inner.gradient(y, x)
    assert (dy.item(), outer.gradient(dy, x).item()) == (27.0, 18.0)


def test_one_tensor_as_both_operands_is_counted_exactly_twice(ops: Ops) -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = ops.product(x, x)
        dy = inner.gradient(y, x)
    assert (dy.item(), outer.gradient(dy, x).item()) == (6.0, 2.0)


def test_an_outer_tape_opened_after_the_forward_pass_does_not_change_the_gradient(ops: Ops) -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = ops.cube(x * x)
    with pt.GradientTape():
        dx = tape.gradient(y, x)
    assert dx is not None and dx.item() == 6.0 * 3.0**5


# --- several outputs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["split", "flip", "addsub"])
@pytest.mark.parametrize("loss", ["a", "b", "both", "whole", "raw"])
def test_an_op_with_several_outputs_is_differentiated(ops: Ops, name: str, loss: str) -> None:
    def f(x: Any, w: Any) -> Any:
        op: Any = getattr(ops, name)
        for _ in range(2):  # the second call uses the memoised resolution
            outputs = op(x, w) if name == "addsub" else op(x * w)
        assert type(outputs) is Two
        if loss == "raw":
            return outputs
        parts = {"a": pt.sum(outputs.a), "b": pt.mean(outputs.b), "both": pt.sum(outputs.a * outputs.b)}
        return parts[loss] if loss in parts else [outputs.a * 2.0, outputs.b]

    def reference(x: Any, w: Any) -> Any:
        p = x * w
        a, b = {"split": (p * 2.0, p * p), "flip": (p * 2.0, p[::-1]), "addsub": (x + w, x - w)}[name]
        parts = {"a": pt.sum(a), "b": pt.mean(b), "both": pt.sum(a * b)}
        return parts[loss] if loss in parts else [a * (2.0 if loss == "whole" else 1.0), b]

    values = ([1.0, 2.0, 3.0], 0.5)
    for actual, expected in zip(gradient(f, *values), gradient(reference, *values), strict=True):
        assert actual == pytest.approx(expected)


def test_an_unused_output_contributes_no_gradient(ops: Ops) -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = ops.split(x)
    assert tape.gradient(outputs.a, x).tolist() == [2.0, 2.0]
    assert tape.gradient(outputs.b, outputs.a) is None
    assert tape.gradient(outputs.b, outputs.b).tolist() == [1.0, 1.0]


# --- sequences --------------------------------------------------------------------------------------------------------


def test_each_operand_of_a_sequence_gets_its_part_of_the_gradient() -> None:
    gradients = gradient(lambda x, y: pt.concat([x, pt.zeros((1,)), y]) * pt.arange(5.0), [1.0, 2.0], [3.0, 4.0])
    assert gradients == [[0.0, 1.0], [3.0, 4.0]]
    assert gradient(lambda x: pt.concat([x, x], axis=None), [[1.0]]) == [[[2.0]]]


def test_indexing_with_a_tensor_gathers_and_its_gradient_scatters() -> None:
    indices = pt.asarray([2, 0, 2])
    assert gradient(lambda x: x[indices] * pt.asarray([1.0, 10.0, 100.0]), [1.0, 2.0, 3.0]) == [[10.0, 0.0, 101.0]]


# --- item assignment (S2) ---------------------------------------------------------------------------------------------


def test_setting_an_item_after_the_forward_pass_does_not_change_its_gradient() -> None:
    x = pt.asarray([1.0, 2.0])
    w = pt.asarray([3.0, 4.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x * w
    source = x.__copy__()
    w[0] = 100.0
    x[1] = 100.0
    assert tape.gradient(y, source).tolist() == [6.0, 16.0]


def test_setting_an_item_inside_the_tape_is_differentiable() -> None:
    def f(x: Any, v: Any) -> Any:
        y = x * 2.0
        y[0] = v * v
        return y * y

    assert gradient(f, [1.0, 2.0], 3.0) == [[0.0, 16.0], 108.0]


def test_assigning_a_variable_after_the_forward_pass_does_not_change_its_gradient() -> None:
    v = pt.Variable([1.0, 2.0])
    with pt.GradientTape() as tape:
        y = v * v
    v.assign([100.0, 100.0])
    assert tape.gradient(y, v).tolist() == [2.0, 4.0]
