"""The errors that polytape raises: each says what was expected, what it got, and how to fix it.

Every class derives from `PolytapeError` and from the built-in error that a caller would expect. mypyc cannot compile a
class with two bases, so this module must not be compiled.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "CheckpointError",
    "CheckpointFileError",
    "CheckpointNotFoundError",
    "CheckpointPermissionError",
    "DTypeError",
    "DataError",
    "DeviceError",
    "InterchangeError",
    "KernelError",
    "LinAlgError",
    "MemoryInfoError",
    "NumericsError",
    "OutOfRangeError",
    "PluginError",
    "PolytapeError",
    "PolytapeWarning",
    "RegistrationError",
    "SettingError",
    "ShapeError",
    "TapeError",
    "TraceError",
    "UnknownNameError",
]


class PolytapeError(Exception):
    """Base class of the errors that polytape raises.

    Args:
        summary: one line that names the op (or the setting) and the operands.
        expected: what would have been valid.
        got: the actual values.
        fix: what the user can do about it.
    """

    def __init__(self, summary: str, *, expected: str = "", got: str = "", fix: str = "") -> None:
        self.summary = summary
        self.expected = expected
        self.got = got
        self.fix = fix
        lines = [summary]
        lines += [f"  {label}: {text}" for label, text in (("expected", expected), ("got", got), ("fix", fix)) if text]
        super().__init__("\n".join(lines))
        # `got` already reports the cause. Set here because mypyc 2.4 ignores the `from None` of a raise statement.
        self.__suppress_context__ = True

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.summary, self.expected, self.got, self.fix, self.__dict__.copy())


def _rebuild(
    exception_type: type[PolytapeError], summary: str, expected: str, got: str, fix: str, state: dict[str, object]
) -> PolytapeError:
    error = exception_type(summary, expected=expected, got=got, fix=fix)
    error.__dict__.update(state)
    return error


class ShapeError(PolytapeError, ValueError):
    """The shapes of the operands do not fit the op or each other."""


class OutOfRangeError(ShapeError, IndexError):
    """An index is out of range for its axis."""


class DTypeError(PolytapeError, TypeError):
    """The type or dtype of an operand or attribute does not fit the op."""


class DeviceError(PolytapeError, ValueError):
    """A device does not exist, or operands are on different devices."""


class InterchangeError(PolytapeError, BufferError):
    """An array cannot be exchanged with another library in the way that was requested."""


class BackendError(PolytapeError, RuntimeError):
    """A requested backend cannot be used, or a backend violates its contract."""


class KernelError(PolytapeError, NotImplementedError):
    """An op has no kernel, decomposition or permitted fallback for its operands."""


class LinAlgError(PolytapeError, ValueError):
    """A matrix without the requested factors or inverse, on the host; other devices return NaN."""


class MemoryInfoError(PolytapeError, NotImplementedError):
    """A backend does not report its memory use."""


class NumericsError(PolytapeError, FloatingPointError):
    """A result is NaN or infinite, and `polytape.debug.check_numerics` or POLYTAPE_CHECK_NUMERICS looks for that.

    Attributes:
        op, device: the op and where it ran; empty if a tensor was checked.
        file, line: of the user's call; empty and 0 if they are not known.
    """

    op: str = ""
    device: str = ""
    file: str = ""
    line: int = 0


class PluginError(PolytapeError, ImportError):
    """A plugin cannot be loaded, or is not compatible."""


class RegistrationError(PolytapeError, ValueError):
    """A kernel, backend or op is not valid, so it cannot be registered."""


class SettingError(PolytapeError, ValueError):
    """The value of an environment variable or a setting is not valid."""


class TapeError(PolytapeError, RuntimeError):
    """A gradient tape is used in a way that it does not support."""


class TraceError(PolytapeError, RuntimeError):
    """An operation is not possible while a function is traced."""


class UnknownNameError(PolytapeError, AttributeError):
    """A module of polytape or a tensor has no attribute of that name, but another name for the same thing."""


class DataError(PolytapeError, ValueError):
    """A record of a data file is damaged, elements do not fit each other, or a worker of a data pipeline failed."""


class CheckpointError(PolytapeError, ValueError):
    """A checkpoint file is damaged, has another format, or does not fit the objects to restore."""


class CheckpointFileError(CheckpointError, OSError):
    """The operating system rejected an access to a checkpoint's files; ``errno`` says why."""

    def __str__(self) -> str:
        return str(self.args[0])  # not OSError's text, which is made from errno and strerror

    def __reduce__(self) -> tuple[object, ...]:
        system = {"errno": self.errno, "strerror": self.strerror, "filename": self.filename}
        return *super().__reduce__(), system


class CheckpointNotFoundError(CheckpointFileError, FileNotFoundError):
    """A checkpoint's file or directory does not exist."""


class CheckpointPermissionError(CheckpointFileError, PermissionError):
    """The permissions of a checkpoint's file or directory do not allow the access."""


class PolytapeWarning(UserWarning):
    """Category of the warnings that polytape issues."""


def warn(text: str) -> None:
    """Issue a PolytapeWarning that refers to the user's line: the nearest frame outside polytape.

    Not by ``stacklevel``, because compiled functions have no frames.
    """
    import os
    import sys
    import warnings

    package = os.path.dirname(os.path.abspath(__file__)) + os.sep
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((package, "<frozen importlib.")):
        frame = frame.f_back
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    module = frame.f_globals.get("__name__", "<unknown>")
    warnings.warn_explicit(text, PolytapeWarning, frame.f_code.co_filename, frame.f_lineno, module, registry)
