"""Forward mode: derivatives of functions along a direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ShapeError
from ..tensors import structure
from ..tensors.tensor import Tensor, describe
from ..tracebacks import shortened
from .arguments import Arguments, as_arguments, check_function, tangents_of, without_records, zeros_for
from .forward import push_forward
from .gradient_arguments import check_targets
from .tape import GradientTape

__all__ = ["gradients_at", "hvp", "jvp", "linearize"]


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value of ``f`` and its derivative along a direction, the product of the Jacobian and ``tangents``.

    The function runs once under a tape; the tangents then go through its records in the order in which they were
    made. Its cost is about three times that of ``f``, for any number of arguments.

    Args:
        f: takes tensors, or structures of them, and returns a structure of tensors.
        primals: tuple or list of the positional arguments of ``f``. Python numbers become float32 tensors; a variable
            counts as its current value.
        tangents: the direction, in the structure of ``primals``; None for a tensor that does not change.
    Returns:
        ``(f(*primals), tangent)``; the tangent has the structure, shapes and dtypes of the value: zeros for a result
        that does not depend on the arguments, None for one without derivative, such as an integer.
    Raises:
        ShapeError: a tangent of another structure or shape. DTypeError: a tangent for an integer, or a complex
            one for a real tensor.
    Source:
        A. Griewank, A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, chapter 3.

    Example:
        >>> import polytape as pt
        >>> y, tangent = pt.jvp(lambda x: x * x, (3.0,), (2.0,))
        >>> float(y), float(tangent)
        (9.0, 12.0)
    """
    check_function("jvp", f)
    try:
        arguments = as_arguments("jvp", primals)
        directions = tangents_of("jvp", arguments, tangents)
        y, push = _linearized(f, arguments)
        return y, push(directions)
    except Exception as error:
        raise shortened(error)  # noqa: B904  # it is the same error


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``f``, and the linear function that maps tangents of the arguments to the tangent of the value.

    The function runs once; use it instead of `jvp` for several directions at the same point.

    Args:
        f: takes tensors, or structures of them, and returns a structure of tensors.
        primals: the positional arguments, as for `jvp`.
    Returns:
        ``(f(*primals), push)``; ``push(*tangents)`` returns what `jvp` returns as the tangent. It keeps the records
        of the run alive.
    Raises:
        ShapeError, DTypeError: from ``push``, as from `jvp`.

    Example:
        >>> import polytape as pt
        >>> y, push = pt.linearize(lambda x: x * x, 3.0)
        >>> float(push(1.0)), float(push(0.5))
        (6.0, 3.0)
    """
    check_function("linearize", f)
    try:
        arguments = Arguments(primals)
        y, push = _linearized(f, arguments)
    except Exception as error:
        raise shortened(error)  # noqa: B904  # it is the same error

    def push_tangents(*tangents: Any) -> Any:
        try:
            return push(tangents_of("linearize", arguments, tangents))
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return y, push_tangents


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The product of the Hessian of ``f`` and a vector, without the Hessian: the derivative of the gradient.

    Args:
        f: takes tensors, or structures of them, and returns a real tensor with one element.
        primals: tuple or list of the positional arguments of ``f``, as for `jvp`.
        tangents: the vector, in the structure of ``primals``.
    Returns:
        A tuple with the structure of ``primals``, of their shapes and dtypes; zeros where ``f`` is linear, None for an
        argument without derivative.
    Raises:
        ShapeError, DTypeError: as from `jvp`. ShapeError: ``f`` returns several elements.
    Source:
        B. Pearlmutter (1994), Neural Computation 6 (1), pp. 147-160.

    Example:
        >>> import polytape as pt
        >>> (product,) = pt.hvp(lambda x: pt.sum(x * x * x), ([1.0, 2.0],), ([1.0, 1.0],))
        >>> product.tolist()
        [6.0, 12.0]
    """
    check_function("hvp", f)
    try:
        arguments = as_arguments("hvp", primals)
        directions = tangents_of("hvp", arguments, tangents)
        _, push = _linearized(lambda *args: gradients_at(f, args, "hvp"), arguments)
        product: tuple[Any, ...] = push(directions)
        return product
    except Exception as error:
        raise shortened(error)  # noqa: B904  # it is the same error


def _linearized(f: Callable[..., Any], arguments: Arguments) -> tuple[Any, Callable[[list[Tensor | None]], Any]]:
    """The value of ``f``, and the function from the sources' tangents to the value's, in its structure."""
    tape = GradientTape(persistent=True, watch_accessed_variables=False)
    with tape:
        handles = tape.watch_arguments(arguments.sources)
        y = f(*arguments.filled(handles))
    leaves = structure.leaves(y)
    nodes = [x.node for x in arguments.sources if x.node is not None]
    outputs = [position for position, x in enumerate(leaves) if isinstance(x, Tensor)]

    def push(tangents: list[Tensor | None]) -> Any:
        pushed = push_forward(tape, [leaves[position] for position in outputs], nodes, tangents)
        values = dict(zip(outputs, pushed, strict=True))
        return structure.rebuild(y, [zeros_for(x, values.get(position)) for position, x in enumerate(leaves)])

    return structure.rebuild(y, [without_records(x, tape) for x in leaves]), push


def gradients_at(f: Callable[..., Any], args: tuple[Any, ...], what: str) -> tuple[Any, ...]:
    """The gradients of ``f`` at ``args``, in their structure; zeros where nothing is connected.

    Raises:
        ShapeError: the result of ``f`` has several elements.
    """
    arguments = Arguments(args)
    with GradientTape(watch_accessed_variables=False) as tape:
        y = f(*arguments.filled(tape.watch_arguments(arguments.sources)))
    (target,) = check_targets([y])
    if target.size != 1:
        raise ShapeError(
            f"{what} of a function that returns {describe(target)}.",
            expected="a function that returns one number",
            got=f"{target.size} elements",
            fix="return their sum, or use polytape.jacobian of a gradient",
        )
    return arguments.like(tape.gradient(target, arguments.sources, unconnected_gradients="zero"))
