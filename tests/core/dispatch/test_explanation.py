"""explain runs the shape rule and binds arguments as the call does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.dispatch.explanation import explanation


def test_a_rejected_shape_is_the_outcome_and_no_kernel_is_chosen() -> None:
    def when(x1: Any, x2: Any) -> bool:
        raise AssertionError("a predicate may rely on the shapes")

    x = pt.ones((2, 3))
    with pt.kernel("matmul", backend="numpy", when=when, priority=2)(np.matmul):
        text = pt.explain("matmul", x, x)
    with pytest.raises(pt.errors.ShapeError) as caught:
        pt.matmul(x, x)
    assert "CHOSEN" not in text and text.count("not called, because the shapes are rejected") == 2
    assert "  it raises ShapeError: " + str(caught.value).replace("\n", "\n  ") in text


def test_the_output_s_shape_is_shown() -> None:
    x = pt.ones((2, 3))
    assert pt.explain("sum", x, axis=0).endswith("output: float32[3]")
    assert pt.explain("concat", x, x, axis=1).endswith("output: float32[2,6]")
    assert pt.explain("full", shape=(4,), fill_value=1).endswith("output: int32[4]")
    assert pt.explain(pt.add, x, 1.0).endswith("output: float32[2,3]")


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "text"),
    [
        ("add", [1.0], {}, "add() missing required argument 'x2'"),
        ("add", [1.0, 2.0, 3.0], {}, "add() takes 2 positional arguments but 3 were given"),
        ("sum", [1.0], {"axs": 0}, "sum() got an unexpected keyword argument 'axs'"),
        ("sum", [1.0], {"x": 2.0}, "sum() got multiple values for argument 'x'"),
    ],
)
def test_wrong_arguments_raise_the_error_of_a_call(op: str, operands: Any, attributes: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        pt.explain(op, *operands, **attributes)
    assert str(caught.value).startswith(text)


def test_an_explanation_has_json_values() -> None:
    facts = explanation("exp", [pt.ones((2,))], {}).as_json()
    assert (facts["call"], facts["device"], facts["how"], facts["outputs"], facts["error"]) == (
        "exp(float32)", "numpy:cpu:0", "kernel", ["float32[2]"], None,
    )  # fmt: skip
    assert [kernel["chosen"] for kernel in facts["kernels"]] == [True]
