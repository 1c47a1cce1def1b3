"""Functions that are traced again and again warn, with the argument that changes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import PolytapeWarning
from polytape.graph.retracing import TRACES


def test_the_warning_names_the_tensor_that_changes_and_the_signature_that_helps() -> None:
    f = pt.function(lambda x, w: x @ w)
    w = pt.ones((3, 2))
    with pytest.warns(PolytapeWarning) as caught:
        for n in range(2, 2 + TRACES + 5):
            f(pt.ones((n, 3)), w)
    (warning,) = caught
    assert warning.filename == __file__
    text = str(warning.message)
    assert f"<lambda> has been traced {TRACES} times" in text
    assert "x from float32[16,3] to float32[17,3]." in text
    assert "input_signature={'x': polytape.TensorSpec((None, 3), 'float32')}" in text


def test_the_signature_in_the_warning_stops_it() -> None:
    f = pt.function(lambda x, w: x @ w, input_signature={"x": pt.TensorSpec((None, 3), "float32")})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(2, 60):
            assert f(np.ones((n, 3), "f4"), pt.ones((3, 2))).shape == (n, 2)


def test_numbers_and_other_objects_are_named_too() -> None:
    f: Any = pt.function(lambda x, rate: x * rate)
    with pytest.warns(PolytapeWarning) as caught:
        for k in range(TRACES):
            f(1.0 * pt.ones(2), float(k))
    assert "traced again for each value of rate: 0.0, 1.0, 2.0" in str(caught[0].message)
    assert "rate from 14.0 to 15.0. Pass rate as a tensor" in str(caught[1].message)
    g: Any = pt.function(lambda x, label: x)
    with pytest.warns(PolytapeWarning, match="for other objects each time"):
        for k in range(TRACES):
            g(pt.ones(2), str(k))
