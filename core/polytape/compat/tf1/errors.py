"""TensorFlow 1.7's ``tf.errors``.

An error of polytape that an adapter raises is also one of these: ``except tf.errors.InvalidArgumentError`` and ``except
polytape.ShapeError`` catch the same one (`polytape.compat.op_errors`). The classes here that derive from an error of
polytape are raised by this room itself.
"""

from __future__ import annotations

from typing import Any

from ...errors import CheckpointNotFoundError, DataError, OutOfRangeError as IndexOutOfRange
from ..op_errors import InvalidArgumentError, OpError, UnimplementedError

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
]


class CancelledError(OpError):
    """An operation was cancelled."""

    code = 1


class UnknownError(OpError):
    """An error without a known kind, such as an exception inside `tf.py_func`."""

    code = 2


class DeadlineExceededError(OpError):
    """A time limit was reached."""

    code = 4


class AlreadyExistsError(OpError):
    """What should be created exists already."""

    code = 6


class PermissionDeniedError(OpError):
    """The caller may not do this."""

    code = 7


class ResourceExhaustedError(OpError):
    """There is not enough memory or space."""

    code = 8


class FailedPreconditionError(OpError):
    """The state does not allow an operation."""

    code = 9


class AbortedError(OpError):
    """An operation was aborted."""

    code = 10


class InternalError(OpError):
    """A bug."""

    code = 13


class UnavailableError(OpError):
    """A service cannot be reached."""

    code = 14


class UnauthenticatedError(OpError):
    """The caller is not known."""

    code = 16


class _Both(OpError):
    """Base of the errors that are polytape's too."""

    def __init__(
        self, node_def: object = None, op: object = None, message: str = "", error_code: int | None = None
    ) -> None:
        super().__init__(node_def, op, message, error_code)
        self.__dict__.update(summary=message, expected="", got="", fix="")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.node_def, self.op, self.message, self.error_code)


class NotFoundError(_Both, CheckpointNotFoundError):
    """A file, or a tensor in it, does not exist."""

    code = 5


class OutOfRangeError(_Both, IndexOutOfRange):
    """The end of a dataset was reached."""

    code = 11


class DataLossError(_Both, DataError):
    """A file is damaged."""

    code = 15
