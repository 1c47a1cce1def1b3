"""What each public function of random numbers checks before it looks at its arguments: order and names."""

from __future__ import annotations

import functools
import inspect
from typing import Any, TypeVar

from ..errors import DTypeError, PolytapeError
from ..foreign_names import unknown_argument

__all__ = ["public"]

F = TypeVar("F", bound=Any)


def public(f: F) -> F:
    """Decorate a public function: arguments in NumPy's order, or with another library's names, raise an error.

    NumPy's ``normal(0, 1, 100)`` would otherwise draw no numbers, with mean 1 and standard deviation 100. So where the
    shape comes first, it has to be a tuple or a list if other arguments follow it by position.
    """
    accepted = list(inspect.signature(f).parameters)
    shape_first = accepted[0] == "shape"

    @functools.wraps(f)
    def called(*args: Any, **keywords: Any) -> Any:
        for name in keywords:
            if name not in accepted:
                raise unknown_argument(f.__name__, name, accepted)
        if shape_first and len(args) > 1 and isinstance(args[0], (int, float)):
            shown = ", ".join(map(repr, args))
            raise DTypeError(
                f"{f.__name__}({shown}) has a number where the shape belongs.",
                expected=f"a shape, then {' and '.join(accepted[1 : len(args)])}",
                got=f"{args[0]!r}, then {', '.join(map(repr, args[1:]))}",
                fix=f"{f.__name__}(({args[0]:.0f},), ...) for {args[0]:.0f} numbers; numpy.random takes the shape last",
            )
        try:
            return f(*args, **keywords)
        except PolytapeError as error:
            from ..tracebacks import shortened

            raise shortened(error)  # noqa: B904  # it is the same error

    return called  # type: ignore[return-value]  # it has the signature of f
