"""`polytape.function`: traced equals eager, when it traces again, and what it rejects."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, PolytapeWarning, TraceError
from polytape.graph import Function, check, optimise
from polytape.tensors import structure

Program = Callable[..., Any]


def nested_results(x: Any, y: Any) -> Any:
    return {"sum": x + y, "rest": [x * 2.0, (pt.exp(x), None, 7)]}


def gradient_inside(x: Any, y: Any) -> Any:
    with pt.GradientTape() as tape:
        tape.watch(x)
        z = pt.sum(pt.tanh(x * y))
    return tape.gradient(z, x)


def second_derivative_inside(x: Any, y: Any) -> Any:
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            z = pt.sum(x * x * x * y)
        g = inner.gradient(z, x)
    return outer.gradient(g, x)


def item_assignment(x: Any, y: Any) -> Any:
    z = x * 1.0
    z[1] = 5.0
    z[2:] = y[2:]
    return z, z[0]


def unrolled(x: Any, y: Any) -> Any:
    for _ in range(3):
        x = pt.maximum(x * y, 0.25) if x.ndim else x
    return x


PROGRAMS: list[Program] = [
    lambda x, y: x + y,
    lambda x, y: x,
    lambda x, y: (x, x, y),
    lambda x, y: (x * 2.0, 2.0 - x, x / 4, -x, x**2),
    lambda x, y: pt.mean(pt.square(x - y)),
    lambda x, y: pt.sum(x, keepdims=True) * pt.zeros((4,)) + pt.ones(4),
    lambda x, y: pt.where(x > y, x, 0.0),
    lambda x, y: pt.concat([x, y, x], axis=0)[::-1],
    lambda x, y: pt.reshape(x, (2, 2)) @ pt.reshape(y, (2, 2)),
    lambda x, y: pt.astype(x, "int32") + 3,
    lambda x, y: pt.nn.softmax(x) + pt.nn.relu(y),
    lambda x, y: pt.argmax(x),
    nested_results,
    gradient_inside,
    second_derivative_inside,
    item_assignment,
    unrolled,
]


def values(result: Any) -> list[Any]:
    return [leaf.numpy() if isinstance(leaf, pt.Tensor) else leaf for leaf in structure.leaves(result)]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_traced_program_returns_exactly_what_it_returns_eagerly(program: Program, backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([1.0, 0.5, -2.0, 3.0])
        y = pt.asarray([0.5, 0.25, 4.0, -1.0])
        traced = pt.function(program)
        eager = program(x, y)
        for _ in range(2):
            result = traced(x, y)
            for actual, expected in zip(values(result), values(eager), strict=True):
                np.testing.assert_array_equal(actual, expected)
        tensor_types = [(leaf.dtype, leaf.device) for leaf in structure.leaves(result) if isinstance(leaf, pt.Tensor)]
        assert tensor_types == [
            (leaf.dtype, leaf.device) for leaf in structure.leaves(eager) if isinstance(leaf, pt.Tensor)
        ]
        check(traced.trace(x, y))
        optimise(traced.trace(x, y), check)


def test_results_keep_their_structure_and_their_static_values() -> None:
    x = pt.asarray([1.0, 2.0])
    result = pt.function(nested_results)(x, x)
    assert list(result) == ["sum", "rest"] or set(result) == {"sum", "rest"}
    assert result["rest"][1][1:] == (None, 7)


# --- when it traces again ---------------------------------------------------------------------------------------------


def counted() -> tuple[Function, list[Any]]:
    runs: list[Any] = []

    @pt.function
    def f(x: Any, factor: Any = 1.0, *, flag: bool = False) -> Any:
        runs.append((x, factor, flag))
        return x * factor

    return f, runs


def test_the_body_runs_once_per_tensor_type_and_shape() -> None:
    f, runs = counted()
    for value in ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]):
        f(pt.asarray(value))
    assert len(runs) == 1
    f(pt.asarray([1.0]))
    f(pt.asarray([1.0], dtype="float64"))
    f(pt.asarray([1.0, 2.0]))
    f(np.asarray([7.0, 8.0], "float32"))
    assert len(runs) == 3


def test_numbers_flags_and_structures_are_part_of_the_signature() -> None:
    f, runs = counted()
    x = pt.asarray([1.0, 2.0])
    results = [f(x, 2), f(x, 2.0), f(x, factor=2.0), f(x, flag=True), f(x, flag=True), f(x)]
    assert len(runs) == 4
    assert [result.tolist() for result in results[:2]] == [[2.0, 4.0], [2.0, 4.0]]
    g = pt.function(lambda xs: xs["a"] + xs["b"][0])
    assert g({"a": x, "b": [x]}).tolist() == [2.0, 4.0]
    assert g({"b": [x], "a": x}).tolist() == [2.0, 4.0]
    assert len(g.concretes) == 1


def test_minus_zero_has_its_own_trace() -> None:
    f = pt.function(lambda x, y: x * y)
    x = pt.asarray(1.0)
    assert [np.signbit(f(x, y).numpy()).item() for y in (0.0, -0.0, 0.0)] == [False, True, False]


def test_the_third_value_of_a_python_number_warns_once() -> None:
    f, runs = counted()
    x = pt.asarray([1.0])
    f(x, 0.1)
    f(x, 0.2)
    with pytest.warns(PolytapeWarning, match=r"traced again for each value of factor: 0.1, 0.2, 0.3"):
        f(x, 0.3)
    f(x, 0.4)
    assert len(runs) == 4


def test_an_argument_that_cannot_be_a_key_is_rejected() -> None:
    class Bag:
        __hash__ = None  # type: ignore[assignment]  # as in a class that defines only __eq__

    with pytest.raises(DTypeError, match="unhashable Bag"):
        pt.function(lambda x: x)(Bag())


def test_a_kernel_registered_later_is_used() -> None:
    f = pt.function(lambda x: pt.exp(x))
    x = pt.asarray([0.0])
    assert f(x).tolist() == [1.0]
    with pt.kernel("exp", backend="numpy", priority=10)(lambda x: x + 5.0):
        assert f(x).tolist() == [5.0]
    assert f(x).tolist() == [1.0]


def test_new_tensors_are_created_on_the_device_of_the_scope() -> None:
    f = pt.function(lambda: pt.zeros((2,)))
    names = [status.name for status in pt.backends() if status.status == "ready"]
    for name in names:
        with pt.device(name):
            assert f().device.backend == name
    assert f().device == pt.zeros(1).device


# --- methods, nesting, threads ----------------------------------------------------------------------------------------


class Model:
    def __init__(self, weight: float) -> None:
        self.weight = pt.Variable(weight)

    @pt.function
    def call(self, x: Any) -> Any:
        return x * self.weight


def test_a_method_is_traced_for_each_instance() -> None:
    a, b = Model(2.0), Model(3.0)
    x = pt.asarray([1.0])
    assert [model.call(x).tolist() for model in (a, b, a)] == [[2.0], [3.0], [2.0]]
    assert str(a.call.graph(x)).startswith("graph Model.call(x: float32[1])")


def test_a_traced_method_does_not_keep_its_instance_alive() -> None:
    model = Model(2.0)
    model.call(pt.asarray([1.0]))
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


def test_a_bound_method_can_be_traced() -> None:
    model = Model(4.0)
    assert pt.function(model.call.python)(pt.asarray([2.0])).tolist() == [8.0]


def test_a_traced_function_inside_another_is_part_of_its_graph() -> None:
    inner = pt.function(lambda x: x * 2.0)
    outer = pt.function(lambda x: inner(x) + inner(x))
    x = pt.asarray([1.0])
    assert outer(x).tolist() == [4.0]
    assert [equation.op.name for equation in outer.graph(x).equations] == ["multiply", "add"]
    assert not inner.concretes


def test_two_threads_may_make_the_first_call_at_once() -> None:
    runs: list[int] = []
    barrier = Barrier(2)

    @pt.function
    def f(x: Any) -> Any:
        runs.append(1)
        return pt.sum(x * x)

    def work(_: int) -> float:
        barrier.wait()
        return float(f(pt.asarray([1.0, 2.0])))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, range(2))) == [5.0, 5.0]
    assert len(runs) == 1


# --- what it rejects --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", [bool, float, int, lambda x: x.numpy(), lambda x: x.tolist(), np.asarray])
def test_reading_a_value_while_tracing_is_rejected(use: Callable[[Any], Any]) -> None:
    x = pt.asarray(1)
    with pytest.raises(TraceError, match="inside a traced function"):
        pt.function(lambda x: use(x))(x)


def test_python_control_flow_on_a_tensor_is_rejected_with_a_fix() -> None:
    @pt.function
    def f(x: Any) -> Any:
        return x if pt.sum(x) > 0 else -x

    with pytest.raises(TraceError, match=r"fix: use polytape\.cond or polytape\.while_loop instead of an if"):
        f(pt.asarray([1.0]))


def test_a_symbolic_tensor_used_outside_its_trace_is_rejected() -> None:
    leaked: list[Any] = []

    @pt.function
    def f(x: Any) -> Any:
        leaked.append(x * 2.0)
        return x

    x = pt.asarray([1.0])
    f(x)
    with pytest.raises(TraceError, match="outside its trace"):
        leaked[0] + x
    with pytest.raises(TraceError, match="outside its trace"):
        pt.function(lambda x: x + leaked[0])(x)
    with pytest.raises(TraceError, match="outside its trace"):
        f(leaked[0])


# --- memory and repr --------------------------------------------------------------------------------------------------


def test_temporaries_are_freed_after_their_last_use() -> None:
    alive: list[int] = []
    references: list[weakref.ref[Any]] = []

    def tracking(x: Any) -> Any:
        alive.append(sum(reference() is not None for reference in references))
        result = np.exp(x)
        references.append(weakref.ref(result))
        return result

    gc.disable()
    try:
        with pt.kernel("exp", backend="numpy", priority=10)(tracking):

            @pt.function
            def f(x: Any) -> Any:
                for _ in range(5):
                    x = pt.exp(x)
                return pt.sum(x)

            f(pt.asarray([-1.0, -2.0]))
            assert alive == [0, 1, 1, 1, 1]
            assert not any(reference() is not None for reference in references)
    finally:
        gc.enable()


def test_the_first_call_s_arguments_are_not_kept_alive() -> None:
    f = pt.function(lambda xs: xs[0] + xs[1])
    x = pt.asarray([1.0, 2.0])
    reference = weakref.ref(x.array)
    f([x, x])
    del x
    gc.collect()
    assert reference() is None


@pt.function
def doubled(x: Any) -> Any:
    return x * 2.0


def test_the_function_of_a_copied_object_is_bound_to_the_copy() -> None:
    class Holder:
        def __init__(self) -> None:
            self.weight = pt.Variable(2.0)
            self.step = pt.function(self.multiply)

        def multiply(self, x: Any) -> Any:
            return x * self.weight

    original = Holder()
    copied = copy.deepcopy(original)
    copied.weight.assign(5.0)
    x = pt.asarray([1.0])
    assert [holder.step(x).tolist() for holder in (original, copied)] == [[2.0], [5.0]]
    assert doubled.__reduce__() == "doubled"


def test_it_has_the_name_and_docstring_of_the_function_it_wraps() -> None:
    @pt.function
    def f(x: Any) -> Any:
        """Twice."""
        return x * 2.0

    assert (f.__name__, f.__doc__, repr(f)) == ("f", "Twice.", "<function f: 0 traces>")


def test_ordinary_use_gives_no_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f, _ = counted()
        for size in (1, 2, 3, 4):
            f(pt.ones(size), 2.0)
