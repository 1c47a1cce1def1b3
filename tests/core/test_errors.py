"""Errors: their text, their base classes, and that they can be pickled and copied."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import polytape as pt
from polytape import errors

CLASSES = [getattr(errors, name) for name in errors.__all__ if name not in ("PolytapeError", "PolytapeWarning")]
BUILTINS: dict[str, type[Exception]] = {
    "LinAlgError": ValueError,
    "ShapeError": ValueError, "DTypeError": TypeError, "DeviceError": ValueError, "BackendError": RuntimeError,
    "KernelError": NotImplementedError, "MemoryInfoError": NotImplementedError, "PluginError": ImportError,
    "RegistrationError": ValueError, "SettingError": ValueError, "TapeError": RuntimeError, "TraceError": RuntimeError,
    "CheckpointError": ValueError, "DataError": ValueError,
    "OutOfRangeError": IndexError, "CheckpointFileError": OSError,
    "CheckpointNotFoundError": FileNotFoundError, "CheckpointPermissionError": PermissionError,
    "InterchangeError": BufferError, "UnknownNameError": AttributeError, "NumericsError": FloatingPointError,
}  # fmt: skip


@pytest.mark.parametrize("exception_type", CLASSES, ids=lambda exception_type: exception_type.__name__)
def test_every_error_is_a_polytape_error_and_the_built_in_that_a_caller_expects(exception_type: Any) -> None:
    assert issubclass(exception_type, pt.PolytapeError)
    assert issubclass(exception_type, BUILTINS[exception_type.__name__])
    assert exception_type.__doc__


def test_an_error_is_a_summary_and_up_to_three_lines() -> None:
    error = errors.ShapeError("add cannot do that.", expected="one shape", got="two", fix="reshape")
    assert str(error) == "add cannot do that.\n  expected: one shape\n  got: two\n  fix: reshape"
    assert str(errors.ShapeError("short.")) == "short."
    assert str(errors.ShapeError("short.", fix="think")) == "short.\n  fix: think"


@pytest.mark.parametrize("exception_type", CLASSES, ids=lambda exception_type: exception_type.__name__)
def test_pickle_and_copy_keep_the_notes_of_an_error(exception_type: Any) -> None:
    error = exception_type("a summary.", expected="this", got="that", fix="so")
    error.add_note("raised in the backward pass of line 3")
    for duplicate in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(duplicate) is exception_type
        assert str(duplicate) == str(error)
        assert (duplicate.expected, duplicate.got, duplicate.fix) == ("this", "that", "so")
        assert duplicate.__notes__ == error.__notes__


def test_warnings_are_user_warnings() -> None:
    assert issubclass(pt.PolytapeWarning, UserWarning)
