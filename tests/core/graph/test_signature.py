"""What makes a new trace, what a trace keeps alive, and what a traced function may return."""

from __future__ import annotations

import collections
import dataclasses
import functools
import gc
import warnings
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, TraceError
from polytape.graph import functions


@dataclasses.dataclass
class Out:
    """A result that optree does not take apart."""

    y: Any


class Slotted:
    """An object without ``__dict__``; weak references to it are not possible."""

    __slots__ = ("by", "w")

    def __init__(self, by: float) -> None:
        self.by = by
        self.w = pt.Variable([by])

    @pt.function
    def scaled(self, x: Any) -> Any:
        """``x * w * by``."""
        return x * self.w * self.by


class Plain:
    """An object of an ordinary class."""

    def __init__(self, by: float) -> None:
        self.by = by
        self.w = pt.Variable([by])

    @pt.function
    def scaled(self, x: Any) -> Any:
        """``x * w * by``."""
        return x * self.w * self.by


class Pair(NamedTuple):
    """A result that is taken apart."""

    a: Any
    b: Any


def holder(x: Any) -> Any:
    result = Slotted(1.0)
    result.by = x
    return result


def generated(x: Any) -> Iterator[Any]:
    yield x * 2.0


async def awaited(x: Any) -> Any:
    return x * 2.0


async def generated_later(x: Any) -> AsyncIterator[Any]:
    yield x * 2.0


# --- results ---


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "dataclass": (lambda x: Out(x * 2.0), r"\w*\.?Out"),
    "set": (lambda x: {x * 2.0}, "set"),
    "frozenset in a list": (lambda x: [x, frozenset([x])], "frozenset"),
    "generator": (generated, "generator"),
    "generator without tensors": (lambda x: (i for i in range(3)), "generator"),
    "coroutine": (awaited, "coroutine"),
    "asynchronous generator": (generated_later, "async_generator"),
    "map": (lambda x: map(abs, [x]), "map"),
    "values of a dict": (lambda x: {"a": x}.values(), "dict_values"),
    "closure": (lambda x: lambda: x, "function"),
    "default argument": (lambda x: lambda y=x: y, "function"),
    "partial": (lambda x: functools.partial(abs, x), "functools.partial"),
    "method": (lambda x: [x * 2.0].append, "builtin_function_or_method"),
    "object in a dict": (lambda x: {"a": Out([x])}, r"\w*\.?Out"),
    "slots": (lambda x: Out(Pair(x, 1)), r"\w*\.?Out"),
}


@pytest.mark.parametrize(("body", "kind"), REFUSED.values(), ids=REFUSED)
def test_a_result_that_holds_tensors_or_would_run_later_is_refused_by_type(body: Any, kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a coroutine that is never awaited
        with pytest.raises(
            TraceError, match=rf"returned an object of type \S*{kind}, which a graph cannot return"
        ) as caught:
            pt.function(body)(pt.asarray([1.0]))
        gc.collect()
    assert "return the tensors themselves" in caught.value.fix


def test_an_object_with_slots_is_searched_too() -> None:
    made = [Slotted(1.0)]

    def keep(x: Any) -> Any:
        made[0].by = x
        return made[0]

    with pytest.raises(TraceError, match=r"Slotted, which a graph cannot return"):
        pt.function(keep)(pt.asarray([1.0]))


def test_containers_and_plain_values_may_be_returned() -> None:
    x = pt.asarray([1.0, 2.0])
    plain, kind = Out(3), type("Kind", (), {})
    results = pt.function(
        lambda x: {
            "pair": Pair(x, x * 2.0),
            "deque": collections.deque([x * 3.0]),
            "ordered": collections.OrderedDict(a=[x * 4.0, None]),
            "values": (1, "a", None, 2.5, frozenset([1]), plain, kind, np.float32(1.5)),
        }
    )(x)
    assert [results["pair"].a.tolist(), results["pair"].b.tolist()] == [[1.0, 2.0], [2.0, 4.0]]
    assert results["deque"][0].tolist() == [3.0, 6.0] and type(results["deque"]) is collections.deque
    assert results["ordered"]["a"][0].tolist() == [4.0, 8.0]
    assert results["values"] == (1, "a", None, 2.5, frozenset([1]), plain, kind, np.float32(1.5))


def test_an_array_among_the_results_cannot_be_changed_for_later_calls() -> None:
    source = np.zeros(2)
    f = pt.function(lambda x: (x, source))
    first = f(pt.ones(2))[1]
    source[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 7.0
    assert f(pt.ones(2))[1].tolist() == [0.0, 0.0]


# --- what counts by value ---


def test_numpy_scalars_are_data() -> None:
    traces = []

    @pt.function
    def scaled(x: Any, by: Any) -> Any:
        traces.append(type(by))
        return x * by

    x = pt.asarray([1.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in (np.float32, np.int32, np.float16):
            found = [scaled(x, kind(number)).tolist() for number in range(5)]
            assert found == [[1.0 * number, 2.0 * number] for number in range(5)]
    assert traces == [pt.Tensor] * 3
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = scaled(x, np.float32(7.0))
    assert tape.gradient(y, x).tolist() == [7.0, 7.0] and len(traces) == 4  # the gradient traces it again


def test_zero_dimensional_arrays_and_numpy_scalars_share_a_trace() -> None:
    f = pt.function(lambda x: x * 2.0)
    assert float(f(np.float32(1.0))) == 2.0 and float(f(np.asarray(3.0, "float32"))) == 6.0
    assert len(f.concretes) == 1


def test_float64_is_a_python_float_and_counts_by_value() -> None:
    f = pt.function(lambda x, by: x * by)
    x = pt.asarray([1.0])
    assert f(x, np.float64(2.0)).dtype == "float32" and f(x, np.float64(3.0)).tolist() == [3.0]
    assert len(f.concretes) == 2


def test_containers_count_by_their_contents() -> None:
    f = pt.function(lambda x, by: x * by[0])
    assert [float(f(pt.asarray(1.0), [by])) for by in (2.0, 2.0, 3.0)] == [2.0, 2.0, 3.0]
    assert len(f.concretes) == 2


@pytest.mark.parametrize("value", [[], {}], ids=["list", "dict"])
def test_an_argument_that_contains_itself_is_a_typed_error(value: Any) -> None:
    value.append(value) if isinstance(value, list) else value.update(a=value)
    with pytest.raises(DTypeError, match="nested too deeply, or contains itself"):
        pt.function(lambda x: x)(value)


def test_a_masked_array_is_refused() -> None:
    with pytest.raises(DTypeError, match="masked array"):
        pt.function(lambda x: x)(np.ma.array([1.0, 2.0], mask=[True, False]))


# --- what a trace keeps alive ---


@pytest.mark.parametrize("kind", [Plain, Slotted])
def test_a_method_of_a_temporary_object_is_traced_for_that_object(kind: Any) -> None:
    found = [kind(float(by)).scaled(pt.ones(1)).tolist() for by in range(20)]  # ids are used again
    assert found == [[float(by * by)] for by in range(20)]


def test_the_method_of_a_temporary_object_has_a_gradient() -> None:
    x = pt.asarray([1.0])
    for kind in (Plain, Slotted):
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = kind(3.0).scaled(x)
        gc.collect()
        assert tape.gradient(y, x).tolist() == [9.0]


def test_a_traced_method_keeps_neither_its_object_nor_its_variables_alive() -> None:
    model = Plain(2.0)
    model.scaled(pt.ones(1))
    references = [weakref.ref(model), weakref.ref(model.w)]
    del model
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_static_objects_count_by_identity_and_are_not_kept_alive() -> None:
    f = pt.function(lambda x, options: x * options.y)
    kept = []
    for by in range(10):
        options = Plain(float(by))
        options.y = float(by)
        kept.append(weakref.ref(options))
        assert f(pt.ones(1), options).tolist() == f(pt.ones(1), options).tolist() == [float(by)]
    del options
    gc.collect()
    assert [reference() for reference in kept] == [None] * 10 and not f.concretes


def test_a_gradient_finds_a_static_object_that_the_caller_has_dropped() -> None:
    f = pt.function(lambda x, options: x * options.y)
    x = pt.asarray([1.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        options = Plain(1.0)
        options.y = 5.0
        y = f(x, options)
    del options
    gc.collect()
    assert tape.gradient(y, x).tolist() == [5.0]


def test_the_number_of_traces_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "KEPT", 4)
    traced = []

    @pt.function
    def doubled(x: Any) -> Any:
        traced.append(x.shape)
        return x * 2.0

    for size in range(10):
        assert doubled(pt.ones(size)).shape == (size,)
    assert len(doubled.concretes) == 4 and len(traced) == 10
    doubled(pt.ones(6)), doubled(pt.ones(10)), doubled(pt.ones(6))  # size 6 was used last, so 7 is dropped
    assert len(traced) == 11
    doubled(pt.ones(7))
    assert len(traced) == 12


def test_an_old_trace_is_dropped_with_the_variable_that_only_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "KEPT", 4)
    f = pt.function(lambda w, x: w * x)
    references = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(10):
            w = pt.Variable([2.0])
            references.append(weakref.ref(w))
            assert f(w, pt.ones(1)).tolist() == [2.0]
    del w
    gc.collect()
    assert sum(reference() is not None for reference in references) <= 4
