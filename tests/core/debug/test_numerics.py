"""The first NaN or infinity: which op, which line, and where it came from."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.errors import DTypeError, NumericsError, SettingError, TraceError

Child = Callable[..., "CompletedProcess[str]"]
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

OPS: dict[str, tuple[Any, Any]] = {
    "exp": (pt.exp, np.exp),
    "log": (pt.log, np.log),
    "sqrt": (pt.sqrt, np.sqrt),
    "negative": (pt.negative, np.negative),
    "square": (pt.square, np.square),
    "reciprocal": (pt.reciprocal, np.reciprocal),
    "sin": (pt.sin, np.sin),
}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(OPS)), min_size=1, max_size=5),
    st.lists(st.sampled_from([0.0, 1.0, -2.0, 0.5, 90.0]), min_size=1, max_size=3),
    st.sampled_from(["numpy", "sim"]),
    st.booleans(),
)
def test_the_op_that_is_named_is_the_first_whose_result_is_not_finite_in_numpy(
    names: list[str], numbers: list[float], backend: str, traced: bool
) -> None:
    expected, y = "", np.asarray(numbers, "f4")
    with np.errstate(all="ignore"):
        for name in names:
            y = OPS[name][1](y)
            if not np.isfinite(y).all():
                expected = name
                break

    def chain(x: Any) -> Any:
        for name in names:
            x = OPS[name][0](x)
        return x

    f = pt.function(chain) if traced else chain
    with pt.device(backend), pt.debug.check_numerics():
        x = pt.asarray(numbers, dtype="float32")
        if not expected:
            np.testing.assert_allclose(f(x).numpy(), y, rtol=1e-5)
            return
        with pytest.raises(NumericsError) as caught:
            f(x)
    error = caught.value
    assert (error.op, error.file) == (expected, __file__) and error.device.startswith(backend)
    assert isinstance(error, FloatingPointError) and "chain" in str(error)


def test_the_error_tells_operands_with_their_ranges(backend: str) -> None:
    x = pt.asarray([4.0, 0.0, -1.0, 2.0] * 3, device=backend)
    with pt.debug.check_numerics(), pytest.raises(NumericsError) as caught:
        pt.divide(x, pt.nn.relu(x))
    assert f"divide at test_numerics.py:{caught.value.line}, in test_the_error" in caught.value.summary
    assert caught.value.got == (
        "NaN and infinity in 6 of 12 numbers, the first is nan at index [1]; "
        "x1: float32[12], from -1 to 4; x2: float32[12], from 0 to 4"
    )


def test_an_operand_that_was_nan_already_is_told_with_where_it_came_from() -> None:
    x = pt.asarray([1.0, math.nan])
    with pt.debug.check_numerics(), pytest.raises(NumericsError, match="x1 had NaN already: from data, or from an op"):
        x + 1.0
    with pt.debug.check_numerics(ignore=["log"]), pytest.raises(NumericsError) as caught:
        y = pt.log(pt.asarray([-1.0, 1.0]))
        y.reshape((2, 1)) * 3.0
    assert caught.value.op == "reshape"
    assert f"x had NaN already: log at test_numerics.py:{caught.value.line - 1}" in caught.value.got


def test_nan_that_follows_from_an_infinity_that_was_let_through_names_its_origin() -> None:
    x = pt.asarray([90.0, 1.0])
    with pt.debug.check_numerics(inf=False), pytest.raises(NumericsError) as caught:
        y = pt.exp(x)
        z = y * 2.0
        z - z
    assert caught.value.op == "subtract" and "returned NaN" in caught.value.summary
    assert f"infinity already: exp at test_numerics.py:{caught.value.line - 2}" in caught.value.got
    with pt.debug.check_numerics(nan=False):
        assert math.isnan((pt.asarray(math.nan) + 1.0).item())


def test_masks_of_infinity_are_meant_but_not_the_nan_that_follows() -> None:
    scores = pt.asarray([[1.0, 2.0], [3.0, 4.0]])
    mask = pt.asarray([[True, False], [True, True]])
    with pt.debug.check_numerics():
        weights = pt.nn.softmax(pt.where(mask, scores, -math.inf) + pt.full((2, 2), 0.0))
        assert weights.tolist()[0] == [1.0, 0.0]
        q = pt.ones((2, 2, 4))
        with pt.GradientTape() as tape:
            tape.watch(q)
            y = pt.nn.scaled_dot_product_attention(q, q, q, is_causal=True)
        assert tape.gradient(y, q).shape == q.shape
        with pytest.raises(NumericsError, match=r"x2? had infinity already: where at test_numerics\.py"):
            masked = pt.where(mask, scores, -math.inf)
            masked - masked


def test_an_error_in_the_backward_pass_names_the_forward_line(backend: str) -> None:
    x = pt.asarray([1.0, 0.0, 4.0] * 4, device=backend)

    def gradient() -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            h = pt.sqrt(x)
            y = pt.sum(h * 3.0)
        return tape.gradient(y, x)

    with pt.debug.check_numerics(), pytest.raises(NumericsError) as caught:
        gradient()
    forward = gradient.__code__.co_firstlineno + 3
    notes = "\n".join(caught.value.__notes__)
    assert f"the gradient of sqrt, whose result is float32[12], called at test_numerics.py:{forward}, in grad" in notes


def test_an_op_of_a_traced_gradient_is_found_with_the_line_of_the_call() -> None:
    f = pt.function(lambda x: pt.sum(pt.sqrt(x)))
    x = pt.asarray([1.0, 0.0])

    def call() -> Any:
        return f(x)

    with pt.debug.check_numerics(), pytest.raises(NumericsError) as caught:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = call()
        tape.gradient(y, x)
    first, second = caught.value.__notes__
    assert "in graph <lambda>_backward" in first
    line = call.__code__.co_firstlineno + 1
    assert "the gradient of <lambda>" in second and f"called at test_numerics.py:{line}, in call" in second


def test_a_variable_is_unchanged_if_its_update_is_not_finite() -> None:
    w = pt.Variable([1.0, 2.0])
    optimizer = pt.optim.SGD(3e38)
    with pt.debug.check_numerics(), pytest.raises(NumericsError, match="sgd_update"):
        optimizer.apply_gradients([(pt.asarray([1.0, 1e10]), w)])
    assert w.tolist() == [1.0, 2.0] and optimizer.step.item() == 0


def test_infinity_inside_a_body_counts_only_if_it_is_returned() -> None:
    @pt.op(dtype=_same, shape=lambda x: x, elementwise=True)
    def log_or_zero(x: pt.Tensor, /) -> pt.Tensor:
        """Log of positive numbers, 0 elsewhere."""
        return pt.where(x > 0.0, pt.log(x), 0.0)

    @pt.op(dtype=_same, shape=lambda x: x, elementwise=True)
    def twice_log(x: pt.Tensor, /) -> pt.Tensor:
        """Twice the logarithm."""
        return pt.log(x) * 2.0

    x = pt.asarray([0.0, 1.0])
    with pt.debug.check_numerics():
        assert log_or_zero(x).tolist() == [0.0, 0.0]
        with pytest.raises(NumericsError, match="in its body, log returned infinity first") as caught:
            twice_log(x)
    assert caught.value.op == "twice_log"


def _same(x: Any) -> Any:
    return x


def test_a_check_is_of_one_thread_or_of_all() -> None:
    def in_thread() -> list[BaseException]:
        errors: list[BaseException] = []

        def run() -> None:
            try:
                pt.log(pt.asarray([0.0]))
            except NumericsError as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return errors

    with pt.debug.check_numerics():
        assert in_thread() == []
    with pt.debug.check_numerics(all_threads=True):
        assert len(in_thread()) == 1
    assert in_thread() == [] and pt.log(pt.asarray(0.0)).item() == -math.inf


@pytest.mark.parametrize(("value", "words"), [("1", "infinity NaN"), ("nan", "NaN"), ("inf", "infinity"), ("0", "")])
def test_the_environment_variable_checks_the_whole_process(value: str, words: str, child: Child) -> None:
    code = """
import threading, warnings
warnings.simplefilter("ignore")
import polytape as pt
f = pt.function(lambda x: pt.log(x))
def run(number):
    try:
        f(pt.asarray([number]))
    except FloatingPointError as error:
        print(error.summary, *error.__notes__)
for number in (0.0, -1.0):
    thread = threading.Thread(target=run, args=(number,))
    thread.start()
    thread.join()
"""
    output = child(code, POLYTAPE_CHECK_NUMERICS=value).stdout
    assert [line.split("returned ")[1].split(".")[0] for line in output.splitlines()] == words.split()


def test_the_environment_variable_is_checked_at_import(child: Child) -> None:
    result = child("import polytape", status=1, POLYTAPE_CHECK_NUMERICS="yes")
    assert "SettingError: POLYTAPE_CHECK_NUMERICS='yes' is not understood." in result.stderr


def test_tensors_are_checked_and_returned() -> None:
    good = {"a": pt.ones((2,)), "b": [pt.Variable([1.0]), None, pt.asarray([1, 2])]}
    assert pt.debug.check_numerics(good) is good
    bad = [pt.ones((2,)), pt.Variable([1.0, math.inf], name="w")]
    with pytest.raises(NumericsError, match=r"gradients has infinity in tensor 1, 'w'") as caught:
        pt.debug.check_numerics(bad, name="gradients")
    assert "1 of 2 numbers, the first is inf at index [1]; float32[2], from 1 to 1" in caught.value.got
    assert pt.debug.check_numerics(bad, inf=False) is bad
    with pytest.raises(TraceError, match="cannot check x inside a traced function"):
        pt.function(lambda x: pt.debug.check_numerics(x, name="x"))(pt.ones((2,)))
    with pytest.raises(DTypeError, match=r"debug\.check_numerics cannot check 'text'"):
        pt.debug.check_numerics(["text"])
    with pytest.raises(SettingError, match="nothing to look for"):
        pt.debug.check_numerics(nan=False, inf=False)


def test_it_decorates_functions() -> None:
    @pt.debug.check_numerics
    def plain(x: pt.Tensor) -> pt.Tensor:
        return pt.log(x)

    @pt.debug.check_numerics(ignore="log")
    def ignoring(x: pt.Tensor) -> pt.Tensor:
        return pt.log(x)

    with pytest.raises(NumericsError, match="log"):
        plain(pt.asarray(0.0))
    assert plain(pt.asarray(1.0)).item() == 0.0 and ignoring(pt.asarray(0.0)).item() == -math.inf


@pytest.mark.parametrize("dtype", ["float16", "float64", "complex64"])
def test_other_floating_dtypes_are_checked(dtype: str) -> None:
    x = pt.asarray([1.0, 0.0], dtype=dtype)
    with pt.debug.check_numerics(), pytest.raises(NumericsError, match="divide"):
        x / pt.asarray([1.0, 0.0], dtype=dtype)
