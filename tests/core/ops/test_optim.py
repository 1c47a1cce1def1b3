"""Optimizer updates as ops: they require operands of one dtype and leave them unchanged."""

from __future__ import annotations

import pytest

import polytape as pt
from polytape.errors import DTypeError
from polytape.ops.optim import AdamUpdate, adam_update, sgd_update


def test_an_update_leaves_its_operands_unchanged_although_kernels_write(backend: str) -> None:
    with pt.device(backend):
        x, g = pt.asarray([1.0, 2.0]), pt.asarray([0.5, 0.5])
        y = sgd_update(x, g, pt.asarray(0.5))
    assert x.tolist() == [1.0, 2.0]
    assert y.tolist() == [0.75, 1.75]


def test_adam_returns_the_variable_and_the_moments_by_name(backend: str) -> None:
    with pt.device(backend):
        zero, g = pt.zeros(2), pt.asarray([1.0, -1.0])
        update = adam_update(
            pt.zeros(2), zero, zero, g, pt.asarray(0.5), pt.asarray(1), pt.asarray([0.9, 0.999, 1e-7, 0.0])
        )
    assert isinstance(update, AdamUpdate)
    # The size of the first step is the learning rate for a gradient of any size.
    assert [round(value, 5) for value in update.x.tolist()] == [-0.5, 0.5]
    assert zero.tolist() == [0.0, 0.0]
    assert [round(value, 6) for value in update.m.tolist()] == [0.1, -0.1]
    assert [round(value, 6) for value in update.v.tolist()] == [0.001, 0.001]


def test_operands_of_two_dtypes_are_rejected() -> None:
    with pytest.raises(
        DTypeError, match=r"sgd_update.*the operands have different dtypes(.|\n)*float32 for every operand"
    ):
        sgd_update(pt.ones(2), pt.ones(2, dtype="float64"), pt.asarray(0.5))
