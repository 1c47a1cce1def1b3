"""Errors, and warnings that are errors, in gradient rules: a note names the forward op."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import polytape as pt


def test_an_error_in_the_backward_pass_names_the_forward_op() -> None:
    x = pt.asarray([0.0, 1.0])
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = pt.sum(pt.sqrt(x))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError) as error:
        tape.gradient(y, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="divide by zero") as warning:
            tape.gradient(y, x)
    for caught in (error, warning):
        assert caught.value.__notes__ == ["in the backward pass: the gradient of sqrt, whose result is float32[2]"]


def test_the_note_names_the_innermost_op_first() -> None:
    x = pt.asarray(2.0)
    times = pt.custom_gradient(lambda x: (x * 1.0, lambda g: pt.sum(g, axis=5)))
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = times(pt.exp(x))
        with pytest.raises(pt.PolytapeError, match="there is no axis 5") as caught:
            tape.gradient(y, x)
    assert caught.value.__notes__ == ["in the backward pass: the gradient of <lambda>, whose result is float32[]"]
