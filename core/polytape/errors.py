"""The errors polytape raises: what was expected, what was got, what to do.

Every class derives from `PolytapeError` and from the built-in error a caller would expect. mypyc compiles no class
with two bases, so this module of the ring always runs as Python.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "CheckpointError",
    "DTypeError",
    "DeviceError",
    "KernelError",
    "MemoryInfoError",
    "OutOfRangeError",
    "PluginError",
    "PolytapeError",
    "PolytapeWarning",
    "RegistrationError",
    "SettingError",
    "ShapeError",
    "TapeError",
    "TraceError",
]


class PolytapeError(Exception):
    """Base of every error polytape raises on purpose.

    Args:
        summary: one line that names the op (or the setting) and the operands.
        expected: what would have been right.
        got: the real values that were met.
        fix: what to do about it.
    """

    def __init__(self, summary: str, *, expected: str = "", got: str = "", fix: str = "") -> None:
        self.summary = summary
        self.expected = expected
        self.got = got
        self.fix = fix
        lines = [summary]
        lines += [f"  {label}: {text}" for label, text in (("expected", expected), ("got", got), ("fix", fix)) if text]
        super().__init__("\n".join(lines))
        # What was raised below is told by `got`; mypyc 2.4 compiles `raise ... from None` as if it said nothing.
        self.__suppress_context__ = True

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.summary, self.expected, self.got, self.fix, self.__dict__.copy())


def _rebuild(
    kind: type[PolytapeError], summary: str, expected: str, got: str, fix: str, state: dict[str, object]
) -> PolytapeError:
    error = kind(summary, expected=expected, got=got, fix=fix)
    error.__dict__.update(state)
    return error


class ShapeError(PolytapeError, ValueError):
    """Operand shapes do not fit the op or each other."""


class OutOfRangeError(ShapeError, IndexError):
    """An index beyond the size of its axis."""


class DTypeError(PolytapeError, TypeError):
    """An operand's or attribute's type or dtype does not fit the op."""


class DeviceError(PolytapeError, ValueError):
    """An unknown device, or operands on different devices."""


class BackendError(PolytapeError, RuntimeError):
    """A backend that was asked for cannot be used, or broke its contract."""


class KernelError(PolytapeError, NotImplementedError):
    """No kernel, decomposition or permitted fallback serves an op here."""


class MemoryInfoError(PolytapeError, NotImplementedError):
    """The backend keeps no count of its memory."""


class PluginError(PolytapeError, ImportError):
    """A plugin could not be loaded, or is not compatible."""


class RegistrationError(PolytapeError, ValueError):
    """A kernel, backend or op that cannot be registered as it is."""


class SettingError(PolytapeError, ValueError):
    """An environment variable or setting that does not follow its grammar."""


class TapeError(PolytapeError, RuntimeError):
    """A gradient tape used in a way it does not serve."""


class TraceError(PolytapeError, RuntimeError):
    """Something that cannot be done while a function is traced."""


class CheckpointError(PolytapeError, ValueError):
    """A checkpoint file that is damaged, foreign or does not fit."""


class PolytapeWarning(UserWarning):
    """Base of the warnings polytape gives."""
