"""`polytape explain`: operands as words, the outcome as text and as JSON, and no traceback for a user's mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Child = Callable[..., "CompletedProcess[str]"]


def command(*words: str) -> list[str]:
    return ["-m", "polytape", "explain", *words]


def test_the_result_s_dtype_and_shape_are_shown(child: Child) -> None:
    text = child(command("sum", "float32[2,3]", "axis=0", "dtype=float64")).stdout
    assert text.startswith("sum(float32) on numpy:cpu:0\n") and text.endswith("CHOSEN\n  output: float64[3]\n")
    assert "output: float32[2,3]" in child(command("full", "shape=(2, 3)", "fill_value=1.0")).stdout
    assert " on numba:cpu:0" in child(command("full", "shape=(2,)", "fill_value=1.0", "--device", "numba")).stdout


def test_shapes_that_do_not_fit_are_the_outcome(child: Child) -> None:
    text = child(command("matmul", "float32[2,3]", "float32[2,3]"), status=1).stdout
    assert "CHOSEN" not in text and "not called, because the shapes are rejected" in text
    assert "  it raises ShapeError: matmul([2,3], [2,3]): the inner sizes differ." in text and "    fix: " in text


def test_the_outcome_can_be_printed_as_json(child: Child) -> None:
    facts = json.loads(child(command("add", "float32[2,3]", "2.0", "--json")).stdout)
    assert (facts["call"], facts["how"], facts["outputs"]) == ("add(float32, float32)", "kernel", ["float32[2,3]"])
    assert facts["device"] == "numpy:cpu:0" and facts["error"] is None
    (kernel,) = facts["kernels"]
    assert (kernel["backend"], kernel["provider"], kernel["chosen"]) == ("numpy", "polytape", True)
    for words in (["matmul", "float32[2]", "float32[3]"], ["addd", "1"], ["sum", "float32[2]", "axs=1"]):
        facts = json.loads(child(command(*words, "--json"), status=1).stdout)
        assert facts["how"] == "error" and facts["error"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("addd float32[2]", "there is no op 'addd'"),
        ("add", "TypeError: add() missing required argument 'x1'"),
        ("add float32[2] 1 2", "TypeError: add() takes 2 positional arguments but 3 were given"),
        ("sum float32[2] axs=0", "TypeError: sum() got an unexpected keyword argument 'axs'"),
        ("reshape float32[2]", "TypeError: reshape() missing required argument 'shape'"),
        ("add float99[2] 1", "'float99' is not a tensor dtype"),
        ("add float32[x] 1", "'float32[x]' is not a valid operand"),
        ("add float32[\u00b2] 1", "'float32[\u00b2]' is not a valid operand"),
        ("add float32[2 1", "'float32[2' is not a valid operand"),
        ("add hello 1", "'hello' is not a valid operand"),
        ("add [1,2 1", "'[1,2' is not a valid operand"),
        ("sum float32[2] axis=(", "'axis=(' is not a valid operand"),
        ("exp float32[99999999999999,99]", "a tensor float32[99999999999999,99] cannot be made"),
        ("exp float32[2] --device foo", "'foo' is neither a backend nor a device kind"),
    ],
)
def test_a_mistake_is_one_message_without_a_traceback(child: Child, words: str, text: str) -> None:
    result = child(command(*words.split()), status=1)
    assert result.stdout == "" and result.stderr.startswith("polytape explain: ")
    assert text in result.stderr and "Traceback" not in result.stderr


def test_the_traceback_can_be_requested(child: Child) -> None:
    assert "Traceback" in child(command("add"), status=1, POLYTAPE_TRACEBACK="full").stderr
