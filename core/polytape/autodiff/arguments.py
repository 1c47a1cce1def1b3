"""The arguments of functions that are differentiated, as flat lists of tensors and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..dtypes import FLOATING, float32
from ..errors import DTypeError, ShapeError
from ..tensors import prefixes, structure
from ..tensors.node import Tape
from ..tensors.tensor import Tensor, describe, operators
from .cotangent import zeros_like
from .gradient_arguments import fitted
from .record import wrap

__all__ = [
    "Arguments",
    "as_arguments",
    "check_function",
    "check_params",
    "data",
    "independent",
    "is_differentiable",
    "positions",
    "tangents_of",
    "without_records",
    "zeros_for",
]


def independent(x: Any) -> Tensor:
    """An argument as a tensor of its own, even if the same tensor or variable is another argument too.

    Watching it does not affect the caller's tensor. The tapes that follow ``x`` follow it. An integer becomes float32.
    """
    tensor: Tensor = x if isinstance(x, Tensor) else operators.asarray(x)
    if tensor.type.category < FLOATING:
        tensor = operators.astype(tensor, float32)
    if tensor.node is not None:
        result: Tensor = operators.identity(tensor)
        return result
    return Tensor(tensor.array, tensor.type, None)


def is_differentiable(x: Any) -> bool:
    """Whether ``x`` is a tensor of a floating dtype, or host data of one: an int, but not a tensor of integers."""
    if isinstance(x, Tensor):
        return x.type.category >= FLOATING
    if isinstance(x, (bool, str)) or x is None:
        return False
    if hasattr(x, "dtype"):
        return getattr(x.dtype, "kind", "") not in "biuSUOMm"
    return isinstance(x, (int, float, complex))


def check_function(what: str, f: Any) -> None:
    """Raise DTypeError if ``f`` is not callable: a mistake for those who know functions that take a result."""
    if not callable(f):
        raise DTypeError(
            f"{what} cannot take {describe(f)} as its function.",
            expected="a function",
            got=type(f).__name__,
            fix=f"pass the function itself, not a result of it, as in {what}(f)",
        )


def check_params(what: str, params: Any) -> None:
    """Raise DTypeError if ``params`` does not name arguments: a tensor, say, which belongs into the next call."""
    names = params if isinstance(params, (list, tuple)) else [params]
    if params is not None and not all(isinstance(name, (int, str)) for name in names):
        raise DTypeError(
            f"{what} cannot take {describe(params)} as params.",
            expected="the position or the name of an argument, a sequence of these, or None for all",
            got=type(params).__name__,
            fix=f"{what} returns a function, to which the arguments are passed: {what}(f)(x)",
        )


def positions(f: Callable[..., Any], params: Sequence[int | str], count: int) -> list[int]:
    """The positions of the arguments that ``params`` names by position or name, of a call with ``count`` arguments.

    Raises:
        DTypeError: one of them is not a positional argument.
    """
    names: list[str] = []
    if any(isinstance(param, str) for param in params):
        import inspect

        names = list(inspect.signature(f).parameters)
    found: list[int] = []
    for param in params:
        position = names.index(param) if isinstance(param, str) and param in names else param
        if not isinstance(position, int) or not 0 <= position < count:
            raise DTypeError(
                f"params contains {param!r}, which is not a positional argument of the call.",
                expected=f"positions below {count}" + (f", or one of {', '.join(names)}" if names else ""),
                got=repr(param),
                fix="pass that argument by position, or correct params",
            )
        found.append(position)
    return found


def data(x: Any) -> Any:
    """A nested list of numbers as a tensor: it is data, not a structure of tensors."""
    return operators.asarray(x) if isinstance(x, (list, tuple)) and x and _is_numbers(x) else x


def _is_numbers(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return all(_is_numbers(item) for item in x)
    return isinstance(x, (int, float, complex)) and not isinstance(x, bool)


class Arguments:
    """Positional arguments, and the differentiable tensors among their leaves.

    Attributes:
        args: the arguments; leaves: all their leaves. chosen: the positions of the differentiable ones among these.
        sources: the differentiable ones, as tensors of their own.
    """

    def __init__(self, args: Sequence[Any]) -> None:
        self.args = tuple([data(x) for x in args])
        self.leaves = structure.leaves(self.args)
        self.chosen = [position for position, x in enumerate(self.leaves) if is_differentiable(x)]
        self.sources = [independent(self.leaves[position]) for position in self.chosen]

    def filled(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments with these values for the differentiable leaves."""
        leaves = list(self.leaves)
        for position, value in zip(self.chosen, values, strict=True):
            leaves[position] = value
        rebuilt: tuple[Any, ...] = structure.rebuild(self.args, leaves)
        return rebuilt

    def like(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """As `filled`, with None for the leaves that are not differentiable."""
        leaves: list[Any] = [None] * len(self.leaves)
        for position, value in zip(self.chosen, values, strict=True):
            leaves[position] = value
        rebuilt: tuple[Any, ...] = structure.rebuild(self.args, leaves)
        return rebuilt


def as_arguments(what: str, primals: Any) -> Arguments:
    """``primals``, the tuple or list of a function's positional arguments.

    Raises:
        DTypeError: it is neither.
    """
    if not isinstance(primals, (tuple, list)):
        raise DTypeError(
            f"{what} cannot take {describe(primals)} as primals.",
            expected="a tuple or list with one item per positional argument of the function",
            got=type(primals).__name__,
            fix=f"pass (x,) for one argument, as in {what}(f, (x,), (t,))",
        )
    return Arguments(primals)


def tangents_of(what: str, arguments: Arguments, tangents: Any) -> list[Tensor | None]:
    """The tangents of the differentiable leaves, each in its source's shape, dtype and device.

    Raises:
        ShapeError: another structure or shape. DTypeError: a tangent for an argument that is not differentiable, or
            a complex one for a real argument.
    """
    given = tuple(tangents) if isinstance(tangents, (tuple, list)) else tangents
    leaves = prefixes.matched(arguments.args, given)
    if leaves is None:
        raise ShapeError(
            f"{what}: the tangents do not have the structure of the primals.",
            expected=f"a tuple of {len(arguments.args)} arguments, each with the structure of its primal; None for 0",
            got=describe(tangents),
            fix="pass one tangent per tensor of the primals",
        )
    chosen = dict(zip(arguments.chosen, arguments.sources, strict=True))
    found: list[Tensor | None] = []
    for position, tangent in enumerate(leaves):
        source = chosen.get(position)
        if source is None and tangent is not None:
            raise DTypeError(
                f"{what} got a tangent for {describe(arguments.leaves[position])}, which has no derivative.",
                expected="None",
                got=describe(tangent),
                fix="pass None there, or cast the primal to a floating dtype",
            )
        if source is not None:
            found.append(None if tangent is None else fitted(f"{what}: the tangent", tangent, source))
    return found


def without_records(x: Any, tape: Tape) -> Any:
    """A result without the records of ``tape``, which it would keep alive, unless other tapes need them."""
    if not isinstance(x, Tensor) or x.node is None or x.node.tapes != (tape,):
        return x
    return wrap(x.array, x.type, None)


def zeros_for(y: Any, tangent: Tensor | None) -> Tensor | None:
    """The tangent of the result ``y``: zeros for None, and None if ``y`` has no derivative."""
    if not isinstance(y, Tensor) or y.type.category < FLOATING:
        return None
    return zeros_like(y) if tangent is None else tangent
