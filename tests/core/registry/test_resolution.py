"""Resolutions: predicates, shape rules, copies and bodies combined into one callable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.dispatch.wrappers import SPECS, Unchecked
from polytape.errors import ShapeError
from polytape.registry import tables
from polytape.registry.resolution import Copying, Guarded


def test_the_first_true_predicate_selects_the_kernel() -> None:
    guarded = Guarded([(lambda x: x < 0, lambda x: "negative"), (lambda x: x == 0, lambda x: "zero")], lambda x: "last")
    assert [guarded(x) for x in (-1, 0, 1)] == ["negative", "zero", "last"]
    assert guarded.choose(0)(0) == "zero"


def test_predicates_receive_the_attributes() -> None:
    guarded = Guarded([(lambda x, axis=None: axis == 1, lambda x, axis=None: "one")], lambda x, axis=None: "other")
    assert guarded(0, axis=1) == "one" and guarded(0) == "other"


def test_a_kernel_that_writes_gets_copies_of_only_the_written_operands() -> None:
    tensor_type = pt.asarray([1.0]).type
    received: list[Any] = []
    copying = Copying(lambda *arrays: received.extend(arrays), (tensor_type, tensor_type), (0,), False)
    a, b = np.ones(1, "float32"), np.ones(1, "float32")
    copying(a, b)
    assert received[0] is not a and received[1] is b


def test_an_unchecked_kernel_receives_the_spec() -> None:
    tensor_type = pt.asarray([1.0]).type
    unchecked = Unchecked(lambda x, y, spec: spec, tables.ops()["add"], (tensor_type,))
    assert unchecked(np.ones((2, 1)), np.ones(3)) == (((2, 3), np.dtype("float32")),)


def test_an_unchecked_kernel_receives_the_spec_of_each_call_whatever_was_called_before() -> None:
    tensor_type = pt.asarray([1.0]).type
    ops = tables.ops()
    add = Unchecked(lambda x, y, spec: spec[0][0], ops["add"], (tensor_type,))
    total = Unchecked(lambda x, spec, **_: spec[0][0], ops["sum"], (tensor_type,))
    reshape = Unchecked(lambda x, spec, shape: spec[0][0], ops["reshape"], (tensor_type,))
    concat = Unchecked(lambda *arrays, spec, axis=0: spec[0][0], ops["concat"], (tensor_type,))
    x = np.ones((2, 6))
    for _ in range(3):
        assert [add(x, np.ones(shape)) for shape in ((2, 6), (6,), (3, 1, 1))] == [(2, 6), (2, 6), (3, 2, 6)]
        assert [total(x, axis=axis) for axis in (0, 1, None, (0,), (0, 1), -1)] == [(6,), (2,), (), (6,), (), (2,)]
        assert total(x, axis=0, keepdims=True) == (1, 6) and total(x) == ()
        assert [reshape(x, shape=shape) for shape in (12, (3, 4), (-1, 2))] == [(12,), (3, 4), (6, 2)]
        assert concat(x, x) == (4, 6) and concat(x, x, axis=1) == (2, 12) and concat(x, x, x) == (6, 6)
        with pytest.raises(ShapeError, match=r"reshape\(\[2,6\], shape=\(2.0, 6\)\)"):
            reshape(x, shape=(2.0, 6))
        with pytest.raises(ShapeError, match=r"add\(\[2,6\], \[5\]\)"):
            add(x, np.ones(5))
    for n in range(1, 600):  # the specs that it remembers are bounded
        assert add(np.ones(n), np.ones(n)) == (n,)
    assert len(add.specs) <= SPECS


def test_a_resolution_prints_how_it_runs_and_lifts_results() -> None:
    x = pt.asarray([1.0])
    x + x
    resolution = tables.ops()["add"].table[x.type]
    assert repr(resolution).startswith("Resolution(kernel, (TensorType(float32, numpy:cpu:0)")
    assert type(resolution.lift(np.float32(1.0))) is np.ndarray and resolution.lift(x.array) is x.array


@pytest.mark.parametrize("count", [1, 3])
def test_a_kernel_with_another_number_of_results_is_an_error(count: int) -> None:
    results = (np.array([3.0], "f4"), np.array([0]), np.array([0]))[:count]
    kernels = [pt.Kernel("top_k", lambda x, **attributes: results)]
    with pt.register_backend(pt.Backend(name="surplus", extends="numpy", kernels=kernels)), pt.device("surplus"):
        x = pt.asarray([3.0, 1.0, 2.0])
        with pytest.raises(ValueError, match=f"a kernel returned {count} results for 2 outputs"):
            pt.top_k(x, 1)
