"""TensorFlow 1.7's op errors, and how polytape's own become them.

An error that an adapter raises is of both kinds: `except tf.errors.InvalidArgumentError` and ``except ValueError``
catch the same `ShapeError`. `polytape.compat.tf1.errors` has the other classes.
"""

from __future__ import annotations

from ..errors import DTypeError, KernelError, LinAlgError, OutOfRangeError, PolytapeError, ShapeError

__all__ = ["InvalidArgumentError", "OpError", "UnimplementedError", "invalid", "translated"]


class OpError(Exception):
    """The base class of TensorFlow's op errors.

    Args:
        node_def, op: accepted for compatibility with TensorFlow, and kept.
        message: what went wrong.
        error_code: the number of the error's kind.
    """

    code = 2
    message = ""

    def __init__(
        self, node_def: object = None, op: object = None, message: str = "", error_code: int | None = None
    ) -> None:
        super().__init__(message)
        self.node_def = node_def
        self.op = op
        self.message = message
        self.error_code = self.code if error_code is None else error_code

    def __str__(self) -> str:
        return self.message or super().__str__()


class InvalidArgumentError(OpError):
    """An op received an argument that it does not accept."""

    code = 3


class UnimplementedError(OpError):
    """An op is not implemented for these operands."""

    code = 12


# By class of polytape's errors: TensorFlow's class for it. The first that fits applies.
KINDS: tuple[tuple[type[PolytapeError], type[OpError]], ...] = (
    (OutOfRangeError, InvalidArgumentError),
    (ShapeError, InvalidArgumentError),
    (DTypeError, InvalidArgumentError),
    (LinAlgError, InvalidArgumentError),
    (KernelError, UnimplementedError),
)
_both: dict[tuple[type[Exception], ...], type[PolytapeError]] = {}


def translated(error: PolytapeError, *more: type[Exception]) -> PolytapeError:
    """``error`` as an error of the same class and of TensorFlow's; unchanged if TensorFlow has none for it.

    Args:
        error: an error of polytape.
        more: further classes that the result shall have, such as TypeError.
    """
    missing = [cls for cls in more if not isinstance(error, cls)]
    if isinstance(error, OpError) and not missing:
        return error
    for ours, theirs in KINDS:
        if isinstance(error, ours):
            bases = (type(error), *([] if isinstance(error, theirs) else [theirs]), *missing)
            both = _both.get(bases)
            if both is None:
                both = type(theirs.__name__, bases, {"__doc__": theirs.__doc__})
                both.__module__ = "polytape.compat.tf1.errors"
                _both[bases] = both
            result = both.__new__(both)
            result.args = error.args
            result.__dict__.update(error.__dict__)
            result.__dict__.update(node_def=None, op=None, message=str(error), error_code=theirs.code)
            result.__suppress_context__ = True
            return result
    return error


def invalid(summary: str, expected: str = "", got: str = "", fix: str = "") -> PolytapeError:
    """An InvalidArgumentError that is also a `ShapeError` and so a ValueError."""
    return translated(ShapeError(summary, expected=expected, got=got, fix=fix))
