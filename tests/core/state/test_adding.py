"""Additions to several variables: all or none, and no lost update."""

from __future__ import annotations

import threading

import pytest

import polytape as pt
from polytape.errors import ShapeError
from polytape.state.adding import add_together


def test_a_shape_that_does_not_fit_changes_nothing(backend: str) -> None:
    with pt.device(backend):
        a, b = pt.Variable([1.0, 2.0]), pt.Variable([1.0, 2.0])
        with pytest.raises(ShapeError):
            add_together([(a, pt.ones(2)), (b, pt.ones(3))])
        assert a.tolist() == b.tolist() == [1.0, 2.0]
        add_together([(a, pt.ones(2)), (b, pt.asarray(10.0))])
    assert (a.tolist(), b.tolist()) == ([2.0, 3.0], [11.0, 12.0])


def test_threads_lose_no_addition() -> None:
    total, count = pt.Variable(0.0, dtype="float64"), pt.Variable(0, dtype="int64", trainable=False)
    one, number = pt.asarray(1, dtype="int64"), pt.asarray(2.5, dtype="float64")

    def run() -> None:
        for _ in range(200):
            add_together([(total, number), (count, one)])

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(count) == 800 and float(total) == 2000.0


def test_it_is_traced(backend: str) -> None:
    with pt.device(backend):
        a, b = pt.Variable(1.0), pt.Variable(2.0)

        @pt.function
        def step(x: pt.Tensor) -> pt.Tensor:
            add_together([(a, x), (b, x * 2.0)])
            return a + b

        assert float(step(pt.asarray(1.0))) == 6.0
        assert float(step(pt.asarray(1.0))) == 9.0
    assert (float(a), float(b)) == (3.0, 6.0)
