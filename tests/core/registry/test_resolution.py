"""Resolutions: predicates, shape rules, copies and bodies combined into one callable."""

from __future__ import annotations

from typing import Any

import numpy as np

import polytape as pt
from polytape.dispatch.wrappers import Unchecked
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


def test_a_resolution_prints_how_it_runs_and_lifts_results() -> None:
    x = pt.asarray([1.0])
    x + x
    resolution = tables.ops()["add"].table[x.type]
    assert repr(resolution).startswith("Resolution(kernel, (TensorType(float32, numpy:cpu:0)")
    assert type(resolution.lift(np.float32(1.0))) is np.ndarray and resolution.lift(x.array) is x.array
