"""Errors of pipelines: where they come from, and that none ends a pass silently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.data import Dataset
from polytape.errors import DTypeError


def test_functions_get_host_tensors_and_their_errors_name_the_element() -> None:
    def fails(x: Any) -> Any:
        assert isinstance(x, pt.Tensor)
        if int(x) == 3:
            raise KeyError("three")
        return x

    for ds in (Dataset.range(9).map(fails), Dataset.range(9).map(fails, num_workers=2), Dataset.range(9).filter(fails)):
        it = iter(ds.prefetch())
        with pytest.raises(KeyError, match="three") as info:
            list(it)
        assert any("element 3 of its input" in note for note in info.value.__notes__)
        assert any(entry.name == "fails" for entry in info.traceback)
        assert it.position in (2, 3)  # filter drops element 0
        with pytest.raises(KeyError):
            next(it)  # and not a silent end


def test_a_stop_iteration_of_a_function_does_not_end_the_loop() -> None:
    def stops(x: Any) -> Any:
        return next(iter(()))

    for ds in (Dataset.range(3).map(stops), Dataset.range(3).filter(stops), Dataset.range(3).flat_map(stops)):
        with pytest.raises(RuntimeError, match="raised StopIteration"):
            list(ds)


def test_map_workers_keep_the_order_and_the_errors_place() -> None:
    def numbers() -> Any:
        yield from range(5)
        raise OSError("gone")

    it = iter(Dataset.from_generator(numbers).map(lambda x: x, num_workers=3).prefetch(3))
    assert [next(it).item() for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(OSError, match="gone") as info:
        next(it)
    assert "item 5" in info.value.__notes__[0]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda ds: ds.batch(0), "batch_size=0"),
        (lambda ds: ds.batch(2.5), "batch_size=2.5"),
        (lambda ds: ds.take(-1), "count=-1"),
        (lambda ds: ds.shard(3, 3), "index=3"),
        (lambda ds: ds.map(abs, workers="fibres"), "workers='fibres'"),
        (lambda ds: ds.map(abs, batched=True, num_workers=2), "neither workers"),
        (lambda ds: ds.shuffle(True), "buffer_size=True"),
        (lambda ds: ds.from_text("x", compression="zip"), "compression='zip'"),
        (lambda ds: ds.zip((1, 2)), "zip needs datasets"),
        (lambda ds: ds.from_tensor_slices((np.arange(3), np.arange(4))), "different numbers of rows"),
        (lambda ds: ds.from_tensor_slices(3.0), "no rows"),
    ],
)
def test_wrong_arguments_are_errors_at_once(make: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make(Dataset.range(3))


def test_an_iterator_is_refused_in_a_traced_function() -> None:
    it = iter(Dataset.range(3))

    @pt.function
    def step(x: pt.Tensor) -> pt.Tensor:
        return x + next(it)

    with pytest.raises(pt.errors.TraceError, match="traced function"):
        step(pt.asarray(1))


def test_a_generator_must_be_a_function_that_returns_an_iterable() -> None:
    with pytest.raises(TypeError, match="returns an iterable"):
        list(Dataset.from_generator(lambda: 3))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("data", [[1, 2, 3], np.zeros(3), None])
def test_data_instead_of_a_source_is_an_error_that_names_the_constructors(data: Any) -> None:
    with pytest.raises(DTypeError, match=r"Dataset does not take data(.|\n)*from_tensor_slices"):
        Dataset(data)
