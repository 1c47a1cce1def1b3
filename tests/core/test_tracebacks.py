"""Errors that pass through user functions show the user's frames, and at most two of polytape's."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape.tracebacks import shortened

CORE = str(Path(pt.__file__).parent)


def bad_shapes(x: Any) -> Any:
    return x @ pt.ones((5, 5))


def bad_axis(x: Any) -> Any:
    return pt.sum(x, axis=5)


def bad_key(x: Any) -> Any:
    return x[7]


def bad_value(x: Any) -> Any:
    return float(x[0])


def of_the_user(x: Any) -> Any:
    raise ZeroDivisionError(x.shape)


def own_gradient(x: Any) -> Any:
    return pt.custom_gradient(lambda x: (x * 1.0, lambda g: pt.ones((7,))))(x)


WAYS: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "function": lambda f, x: pt.function(f)(x),
    "function in a function": lambda f, x: pt.function(lambda x: pt.function(f)(x))(x),
    "gradients_function": lambda f, x: pt.gradients_function(f)(x),
    "value_and_gradients_function": lambda f, x: pt.value_and_gradients_function(f)(x),
    "implicit_gradients": lambda f, x: pt.implicit_gradients(f)(pt.Variable(x)),
    "implicit_value_and_gradients": lambda f, x: pt.implicit_value_and_gradients(f)(pt.Variable(x)),
    "custom_gradient": lambda f, x: pt.custom_gradient(f)(x),
    "traced gradient": lambda f, x: pt.function(lambda x: pt.gradients_function(f)(x))(x),
}


def frames(error: BaseException) -> list[str]:
    """Of each frame, ``user`` or the file in polytape."""
    found = traceback.extract_tb(error.__traceback__)
    assert not any(frame.filename.startswith("<graph ") for frame in found)  # generated code
    ours = [frame.filename.startswith(CORE) or frame.filename.startswith("polytape/") for frame in found]
    return [Path(frame.filename).name if own else "user" for frame, own in zip(found, ours, strict=True)]


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
@pytest.mark.parametrize(
    ("f", "way"),
    [
        *((f, way) for f in (bad_shapes, bad_axis, bad_key) for way in WAYS),
        *((bad_value, way) for way in ("function", "function in a function", "traced gradient")),
    ],
)
def test_a_mistake_in_a_function_shows_at_most_two_frames(f: Callable[[Any], Any], way: str, again: bool) -> None:
    x = pt.asarray([1.0, 2.0, 3.0])
    for _ in range(1 + again):
        with pytest.raises(pt.PolytapeError) as caught:
            WAYS[way](f, x)
    found = frames(caught.value)
    # One for each function of polytape that calls one of the user's, and one where it is raised.
    nested = 2 if " " in way else 1
    assert len(found) - found.count("user") <= nested + 1, found
    assert f.__name__ in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


@pytest.mark.parametrize("way", WAYS)
def test_the_user_s_own_errors_pass_unchanged(way: str) -> None:
    with pytest.raises(ZeroDivisionError, match=r"\(3,\)") as caught:
        WAYS[way](of_the_user, pt.asarray([1.0, 2.0, 3.0]))
    assert "of_the_user" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: pt.gradients_function(bad_axis)({"a": 1.0}),
        lambda: pt.gradients_function(lambda x: None)(1.0),
        lambda: pt.implicit_gradients(lambda: pt.asarray(1.0))(),
        lambda: pt.custom_gradient(lambda x: x)(1.0),
        lambda: pt.function(lambda x: x)(1.0, 2.0),
        lambda: pt.function(lambda x: {x})(pt.asarray(1.0)),
        lambda: pt.optim.Adam("a"),
        lambda: pt.optim.Adam(-1.0),
        lambda: pt.optim.SGD(lr=0.1),
        lambda: pt.sum(pt.ones(2), dim=0),
    ],
)
def test_a_mistake_in_the_call_shows_at_most_two_frames(mistake: Callable[[], Any]) -> None:
    with pytest.raises(pt.PolytapeError) as caught:
        mistake()
    found = frames(caught.value)
    assert len(found) - found.count("user") <= 2, found


def test_a_gradient_that_fails_shows_at_most_two_frames() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = own_gradient(x)
    with pytest.raises(pt.PolytapeError, match=r"float32\[7\]") as caught:
        tape.gradient(y, x)
    found = frames(caught.value)
    assert len(found) - found.count("user") <= 2, found


def test_shortened_keeps_the_users_frames_and_the_innermost() -> None:
    def user() -> None:
        bad_axis(pt.asarray([1.0]))

    with pytest.raises(pt.PolytapeError) as caught:
        user()
    error = caught.value
    before = traceback.extract_tb(error.__traceback__)
    after = traceback.extract_tb(shortened(error).__traceback__)
    assert [frame.name for frame in after][:3] == [frame.name for frame in before][:3]
    assert len(after) <= len(before)
