"""Errors: what they say, what they are, and that they travel."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import polytape as pt
from polytape import errors

CLASSES = [getattr(errors, name) for name in errors.__all__ if name not in ("PolytapeError", "PolytapeWarning")]
BUILTINS: dict[str, type[Exception]] = {
    "ShapeError": ValueError, "DTypeError": TypeError, "DeviceError": ValueError, "BackendError": RuntimeError,
    "KernelError": NotImplementedError, "MemoryInfoError": NotImplementedError, "PluginError": ImportError,
    "RegistrationError": ValueError, "SettingError": ValueError, "TapeError": RuntimeError, "TraceError": RuntimeError,
    "CheckpointError": ValueError, "OutOfRangeError": IndexError,
}  # fmt: skip


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_is_a_polytape_error_and_the_built_in_a_caller_expects(kind: Any) -> None:
    assert issubclass(kind, pt.PolytapeError)
    assert issubclass(kind, BUILTINS[kind.__name__])
    assert kind.__doc__


def test_an_error_is_a_summary_and_three_lines() -> None:
    error = errors.ShapeError("add cannot do that.", expected="one shape", got="two", fix="reshape")
    assert str(error) == "add cannot do that.\n  expected: one shape\n  got: two\n  fix: reshape"
    assert str(errors.ShapeError("short.")) == "short."
    assert str(errors.ShapeError("short.", fix="think")) == "short.\n  fix: think"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_pass_through_pickle_and_copy_with_their_notes(kind: Any) -> None:
    error = kind("a summary.", expected="this", got="that", fix="so")
    error.add_note("met in the backward pass of line 3")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert str(other) == str(error)
        assert (other.expected, other.got, other.fix) == ("this", "that", "so")
        assert other.__notes__ == error.__notes__


def test_warnings_are_user_warnings() -> None:
    assert issubclass(pt.PolytapeWarning, UserWarning)
